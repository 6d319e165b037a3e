"""``centralpay demo --days N``: a generated week in a home of its own; ends with proofs, statements and files."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import typer

from app.cli.screen import ERRORS, SCREEN, print_json, progress
from app.demo.home import clear, own_settings, quiet
from app.demo.week.books import balances_of
from app.demo.week.checking import differences
from app.demo.week.days import DayDone, WeekClock
from app.demo.week.office import SET_UP, Office
from app.demo.week.people import OPERATOR
from app.demo.week.plan import Week, WeekSize, check_size, plan_week
from app.demo.week.telling import figures, tell_day, tell_week, tell_where
from app.exit_codes import ExitCode
from app.logs import configure_logs
from app.session import BANK_ZONE, opened
from app.settings import Settings
from ledger.balances import trial_balance
from ledger.proofs import Verdict, verify
from schemas.money import show_cents


def run_week(size: WeekSize, start: date, *, as_json: bool) -> None:
    """Make a new home in HOME/demo, live through the week, print it, and leave files in HOME/demo/in and …/out.

    Raises:
        WrongUseError: the week is too small or too long.
        typer.Exit: with the proofs' exit code when one fails; with another when a figure is not as it was reckoned.
    """
    started = time.monotonic()
    check_size(size)
    settings = own_settings()
    clear(settings.home)
    week = _planned(settings, size, start)
    clock = WeekClock(datetime.combine(week.days[0], SET_UP, BANK_ZONE))
    out = settings.home / "out"
    with ExitStack() as stack:
        with progress("a database of its own", None):
            session = stack.enter_context(opened(OPERATOR, quiet, settings, clock=clock))
            stack.enter_context(_logs_in(settings.home / "scheduler.log"))
            office = Office(session, week, clock, out)
            office.begin()
        done = []
        for place, day in enumerate(week.days):
            with progress(f"{day}", None) as bar:
                done.append(office.live(place, bar.step))
            _tell(done[-1], as_json=as_json)
        office.end()
        session.sealer().seal(session.actor, session.now)
        with session.reading() as connection:
            verdicts, rows = verify(connection, session.outside), trial_balance(connection)
    wrong = differences(week, done, balances_of(rows))
    seconds = round(time.monotonic() - started, 1)
    summary = _summary(week, done, verdicts, wrong) | {"home": str(settings.home), "seconds": seconds}
    (out / "week.json").write_text(json.dumps(summary, indent=2, default=str) + "\n", encoding="utf-8")
    if as_json:
        print_json(summary)
    else:
        tell_week(week, done, verdicts, wrong)
        _say_where(summary, out)
        tell_where(week, summary["home"])
    if not all(each.holds for each in verdicts):
        raise typer.Exit(ExitCode.PROOF_FAILED)
    if wrong:
        raise typer.Exit(ExitCode.FAILED)


def _planned(settings: Settings, size: WeekSize, start: date) -> Week:
    with progress("generating the week", size.claims * size.days) as bar:
        made = 0

        def count(more: int) -> None:
            nonlocal made
            made += more
            bar.at(made, size.claims * size.days)

        return plan_week(settings.home / "in", size, start, settings.bank_account.get_secret_value(), count)


@contextmanager
def _logs_in(path: Path) -> Iterator[None]:
    """Let the scheduler's lines go into a file while the week lasts: the screen is for people."""
    with path.open("w", encoding="utf-8") as stream:
        configure_logs(stream=stream)
        try:
            yield
        finally:
            configure_logs()


def _tell(done: DayDone, *, as_json: bool) -> None:
    if as_json:
        ERRORS.print(f"{done.day}: {show_cents(done.paid_cents)} paid, {done.proofs_held} proofs hold")
    else:
        tell_day(done)


def _summary(week: Week, done: Sequence[DayDone], verdicts: Sequence[Verdict], wrong: Sequence[str]) -> dict[str, Any]:
    return {
        "claims": week.claims,
        "days": [each.model_dump(mode="json") for each in done],
        "figures": dict(figures(week.expected)),
        "differences": list(wrong),
        "proofs": [{"id": each.proof.name, "holds": each.holds, "checked": each.checked} for each in verdicts],
    }


def _say_where(summary: dict[str, Any], out: Path) -> None:
    holds = all(each["holds"] for each in summary["proofs"])
    reckoned = not summary["differences"]
    SCREEN.print(
        f"{summary['claims']:,} claims on {len(summary['days'])} banking days in {summary['seconds']} s; "
        f"{'every proof holds' if holds else '[red]a proof FAILS[/red]'}; "
        f"{'all is as it was reckoned before' if reckoned else '[red]NOT as it was reckoned before[/red]'}.\n"
        f"Files: {summary['home']}/in\n"
        f"Results: {out} (a folder for each day: NACHA file, notices, the members' own 835s; statements; week.json)",
        soft_wrap=True,
    )
