"""The demonstration: a generated day through the same code as the commands, in a home of its own; ends with proofs."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel

from app.cli.cycle import release_showing
from app.cli.cycle_screen import cycle_json, show_release
from app.cli.exceptions import show_cases
from app.cli.files import show_match
from app.cli.screen import ERRORS, SCREEN, print_json, print_table, progress
from app.cli.statements import issue_statements
from app.cli.verify import show_verdicts
from app.demo.afterwards import Afterwards
from app.demo.day import Day
from app.demo.files import check_sizes, generate_day
from app.demo.home import clear, own_settings, quiet, who_acts
from app.exit_codes import ExitCode
from app.session import Session, opened
from app.settings import Settings
from app.work import complaints, match_all, receive
from ingest.cases import list_cases
from ingest.receiving import FileVerdict
from ledger.balances import trial_balance
from ledger.proofs import Verdict, verify
from payouts import decisions, own_money
from payouts.answers.trail import list_answers
from payouts.cycle import cycles
from payouts.cycle.release import Released
from payouts.cycle.settlement import Settled
from payouts.errors import NotABankingDayError
from payouts.fees.assessment import assess
from payouts.people.users import UserRole, add_user
from payouts.statements.forms import StatementForm
from schemas.calendar import is_banking_day, next_banking_day

OPERATOR, APPROVER = "olga", "anton"
"""The two people of the demonstration: one proposes, the other approves."""


@dataclass(frozen=True)
class DemoSize:
    """How large the day is, and the seed that makes it."""

    pharmacies: int
    claims: int
    payers: int
    seed: int


def run_demo(size: DemoSize, day: date, *, as_json: bool) -> None:
    """Make a new home in HOME/demo, run the day, print it, and leave files in HOME/demo/in and HOME/demo/out.

    Raises:
        WrongUseError: the day is too small, or no banking day; the last demonstration stays.
        typer.Exit: with the proofs' exit code when one fails.
    """
    started = time.monotonic()
    check_sizes(size.pharmacies, size.payers, size.claims)
    if not is_banking_day(day):
        raise NotABankingDayError(day, next_banking_day(day))
    settings = own_settings()
    clear(settings.home)
    generated = _generated(settings, size, day)
    with opened(OPERATOR, quiet, settings) as session:
        verdicts = Demonstration(session, generated, settings.home / "out", _silent if as_json else _say).run()
    holds = all(verdict.holds for verdict in verdicts)
    summary = {
        "home": str(settings.home),
        "seconds": round(time.monotonic() - started, 1),
        "claims": generated.claims,
        "proofs": [{"id": each.proof.name, "holds": each.holds, "checked": each.checked} for each in verdicts],
    }
    if as_json:
        print_json(summary)
    else:
        SCREEN.print(
            f"{generated.claims:,} claims in {summary['seconds']} s; "
            f"{'every proof holds' if holds else '[red]a proof FAILS[/red]'}.\n"
            f"Files: {settings.home / 'in'}\n"
            f"Results: {settings.home / 'out'} (NACHA file, notices, the members' own 835s, statements, JSON)\n"
            f"Look on: export CENTRALPAY_HOME={settings.home}\n"
            "  what is open       .venv/bin/centralpay exceptions list\n"
            f"  what was kept      .venv/bin/centralpay certificates population --month {day:%Y-%m}\n"
            f"{who_acts(OPERATOR, APPROVER)}",
            soft_wrap=True,
        )
    if not holds:
        raise typer.Exit(ExitCode.PROOF_FAILED)


def _generated(settings: Settings, size: DemoSize, day: date) -> Day:
    with progress("generating the day", size.claims) as bar:
        made = 0

        def count(more: int) -> None:
            nonlocal made
            made += more
            bar.at(made, size.claims)

        return generate_day(
            settings.home / "in",
            pharmacies=size.pharmacies,
            payers=size.payers,
            claims=size.claims,
            seed=size.seed,
            business_date=day,
            bank_account=settings.bank_account.get_secret_value(),
            progress=count,
        )


@dataclass(frozen=True)
class Demonstration:
    """One day, step by step.

    Args:
        session: works as the operator.
        day: the generated files.
        out: where the results are left.
        say: called with each step's name and what prints its tables.
    """

    session: Session
    day: Day
    out: Path
    say: Callable[[str, Callable[[], None]], None]

    def run(self) -> list[Verdict]:
        """Do the whole day; give the proofs at its end."""
        self.out.mkdir(parents=True, exist_ok=True)
        self._people()
        self._files_in()
        self._own_money()
        self._match()
        self._fees()
        released, paid = self._cycle()
        self._afterwards(released, paid)
        return self._close(released)

    def _people(self) -> None:
        with self.session.begin() as connection:
            add_user(connection, OPERATOR, UserRole.ADMIN, OPERATOR)
            add_user(connection, APPROVER, UserRole.APPROVER, OPERATOR)

    def _files_in(self) -> None:
        names = [self.day.roster, self.day.payers, *self.day.remittances, self.day.bank_file]
        verdicts = receive(self.session, [str(name) for name in names], show=progress)
        self._leave("ingest.json", {"files": [verdict.model_dump(mode="json") for verdict in verdicts]})
        self.say("What came in", lambda: _show_received(verdicts))
        self.say("What was refused, and why", lambda: _show_refused(verdicts))

    def _own_money(self) -> None:
        with self.session.begin() as connection:
            approval_id = own_money.propose_deposit(connection, self.day.float_reference, OPERATOR)
        with self.session.begin() as connection:
            decisions.decide(connection, approval_id, APPROVER, approve=True)

    def _match(self) -> None:
        report, settled, _ = match_all(self.session, show=progress)
        self._leave("match.json", report)
        self.say("What matched", lambda: show_match(report, settled))

    def _fees(self) -> None:
        with self.session.begin() as connection:
            assessed = assess(connection, self.day.business_date.replace(day=1), OPERATOR)
        self._leave("fees.json", assessed)
        rows = [[assessed.month, assessed.members, assessed.amount_cents]]
        self.say("Fees", lambda: print_table("Fees assessed", ["month", "members#", "amount"], rows))

    def _cycle(self) -> tuple[Released, list[str]]:
        """Pay; give what was released, and whom it pays by NCPDP id, the largest payment first."""
        with self.session.begin() as connection:
            proposed = cycles.propose(connection, self.day.business_date, self.session.originator, OPERATOR)
        with self.session.begin() as connection:
            approved = cycles.approve(connection, proposed.cycle_id, APPROVER)
        self._leave("cycle.json", cycle_json(approved))
        released = release_showing(self.session, approved.cycle_id, self.out)
        self._leave("release.json", released)
        paid = sorted(approved.payouts, key=lambda payout: -payout.amount_cents)
        rows = [[each.ncpdp_id, each.amount_cents, each.fee_cents] for each in paid[:10]]
        omitted = [[each.ncpdp_id, each.available_cents, each.reason] for each in approved.omitted]

        def show() -> None:
            show_release(released)
            print_table(f"The ten largest of {released.payouts} payouts", ["NCPDP", "amount", "fee"], rows)
            print_table("Not paid", ["NCPDP", "available", "reason"], omitted)

        self.say("Payouts", show)
        return released, [each.ncpdp_id for each in paid]

    def _afterwards(self, released: Released, paid: Sequence[str]) -> None:
        """Let the bank settle what was sent, return one payment and correct another, and take its files in."""
        if released.nacha_file is None or len(paid) < 3:
            return
        bank = Afterwards(self.day, self.out / released.nacha_file, paid)
        for step, paths in zip(("settlement", "answers"), bank.write(self.day.bank_file.parent), strict=True):
            verdicts = receive(self.session, [str(path) for path in paths], show=progress)
            _, settled, returned = match_all(self.session, show=progress)
            done: dict[str, Sequence[BaseModel]] = {"settled": settled, "returned": returned}
            rows = {name: [each.model_dump(mode="json") for each in models] for name, models in done.items()}
            self._leave(f"{step}.json", rows)
            self.say(f"The bank's {step}", partial(_show_afterwards, verdicts, settled))
        with self.session.reading() as connection:
            found = list_answers(connection, everything=True)
        answers = [
            [each.ncpdp_id, f"{each.kind} {each.code}", each.amount_cents, each.state, each.next_step] for each in found
        ]
        columns = ["NCPDP", "answer", "amount", "state", "next"]
        self.say("What came back", lambda: print_table("Answers", columns, answers))

    def _close(self, released: Released) -> list[Verdict]:
        first = self.day.business_date.replace(day=1)
        for kind in (StatementForm.CSV, StatementForm.JSON):
            issue_statements(self.session, first, released.effective_date, kind, self.out / "statements")
        self.session.sealer().seal(self.session.actor, self.session.now)
        with self.session.reading() as connection:
            open_cases = list_cases(connection)
            rows = trial_balance(connection)
            verdicts = verify(connection, self.session.outside)
        self._leave("exceptions.json", {"exceptions": [each.model_dump(mode="json") for each in open_cases]})
        self._leave("trial-balance.json", {"rows": [row.model_dump(mode="json") for row in rows]})
        proofs = [{"id": each.proof.name, "holds": each.holds, "detail": each.detail} for each in verdicts]
        self._leave("proofs.json", {"proofs": proofs})
        self.say("Exceptions", lambda: show_cases(open_cases, self.session.now))
        self.say("Proofs", lambda: show_verdicts(verdicts))
        return verdicts

    def _leave(self, name: str, document: BaseModel | dict[str, Any]) -> None:
        if isinstance(document, BaseModel):
            document = document.model_dump(mode="json")
        path = self.out / name
        path.write_text(json.dumps(document, indent=2, default=str) + "\n", encoding="utf-8")


def _show_received(verdicts: list[FileVerdict]) -> None:
    rows = [[Path(each.path).name, each.kind, each.status, each.summary] for each in verdicts]
    print_table("Received", ["file", "kind", "status", "what"], rows)


def _show_afterwards(verdicts: list[FileVerdict], settled: Sequence[Settled]) -> None:
    _show_received(verdicts)
    if settled:
        print_table("Settled", ["cycle#", "amount"], [[each.cycle_id, each.amount_cents] for each in settled])


def _show_refused(verdicts: list[FileVerdict]) -> None:
    rows = [[sentence.rpartition("/")[2]] for verdict in verdicts for sentence in complaints(verdict)]
    print_table("Refused", ["why"], rows)


def _say(step: str, show: Callable[[], None]) -> None:
    SCREEN.rule(step, align="left", style="bold cyan")
    show()
    SCREEN.print()


def _silent(step: str, show: Callable[[], None]) -> None:
    del show
    ERRORS.print(step)
