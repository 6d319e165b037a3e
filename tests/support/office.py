"""A PSAO's finance office at work: its people, its pharmacies, its bank, and one line for each thing that they do."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from app.demo.pharmacies import Pharmacy
from app.demo.remittance import RemittanceSet
from ingest.bank.bai2_writer import StatementLine
from tests.support.bank import Bank, own_money, paid_in
from tests.support.command import Outcome, Shell
from tests.support.trade import payer_file, remittance_file, roster_file

MAKER, CHECKER, CLERK, AUDITOR = "mary", "charles", "clara", "audrey"
"""The first to act is an admin; then an approver, an operator, and one who reads."""

PROOFS = {f"P{number}" for number in range(1, 12)}


@dataclass
class Office:
    """An office with a home, a database and a bank account.

    Args:
        shell: where its commands run.
        folder: where files lie before they are taken in.
    """

    shell: Shell
    folder: Path
    bank: Bank = field(default_factory=Bank)
    files: int = 0
    """How many were saved."""
    lives: list[Any] = field(default_factory=list)
    """What it has lived through that was marked as such; see ``tests.support.lives``."""

    # Commands

    def run(self, *words: str, user: str | None = MAKER, stdin: bytes = b"", code: int = 0) -> Outcome:
        """Run a command in this process; it must end with the code."""
        return _ended(self.shell.run(words, user=user, stdin=stdin), code, words)

    def process(self, *words: str, user: str | None = MAKER, stdin: bytes = b"", code: int = 0) -> Outcome:
        """Run a command as a process; it must end with the code."""
        return _ended(self.shell.process(words, user=user, stdin=stdin), code, words)

    def ask(self, *words: str, user: str = MAKER, code: int = 0) -> dict[str, Any]:
        """Run a command in this process and give its JSON document."""
        return self.run(*words, "--json", user=user, code=code).document

    # People and files

    def found(self, *stores: Pharmacy) -> None:
        """Begin: users, roster, payers."""
        self.run("users", "add", CHECKER, "--role", "approver")
        self.run("users", "add", CLERK, "--role", "operator")
        self.run("users", "add", AUDITOR, "--role", "auditor")
        self.run("members", "import", str(roster_file(self.folder / "roster.csv", stores)))
        self.run("payers", "import", str(payer_file(self.folder / "payers.csv")))

    def save(self, content: bytes, name: str = "") -> Path:
        """Put bytes into a file of the folder."""
        self.files += 1
        path = self.folder / (name or f"file-{self.files}")
        path.write_bytes(content)
        return path

    def receive(self, content: bytes, *, name: str = "", code: int = 0) -> dict[str, Any]:
        """Ingest bytes as one file; give what became of it."""
        document = self.ask("ingest", str(self.save(content, name)), code=code)
        (verdict,) = document["files"]
        assert isinstance(verdict, dict)
        return verdict

    def remit(self, *sets: RemittanceSet) -> None:
        """Ingest an 835 file of these sets; it is accepted."""
        assert self.receive(remittance_file(*sets, control_number=self.files + 1))["status"] == "accepted"

    def book(self, day: date, *lines: StatementLine) -> None:
        """Ingest the bank's statement of a day; it is accepted."""
        assert self.receive(self.bank.statement(day, *lines))["status"] == "accepted"

    # The trade

    def match(self) -> dict[str, Any]:
        """Sweep both pools."""
        return self.ask("match")

    def fund(self, *sets: RemittanceSet, day: date | None = None) -> None:
        """Remit, deposit and match; every set is funded."""
        self.remit(*sets)
        self.book(day or sets[0].settled_on, *(paid_in(each.trace_number, each.payment_cents) for each in sets))
        assert {each["trn"] for each in self.match()["funded"]} == {each.trace_number for each in sets}

    def put_in(self, reference: str, cents: int, day: date) -> None:
        """Pay the PSAO's own money in, and have the second person approve it."""
        self.book(day, own_money(reference, cents))
        self.accept_own_money(reference)

    def accept_own_money(self, reference: str) -> None:
        """Declare a deposit the PSAO's own money; the second person approves."""
        asked = self.ask("float", "deposit", "--bank-reference", reference)
        assert asked["state"] == "pending"
        self.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER)

    def propose(self, day: date) -> dict[str, Any]:
        """Propose a cycle."""
        return self.ask("cycle", "propose", "--date", f"{day}")

    def approved(self, day: date) -> int:
        """Propose a cycle and have the second person approve it; give its number."""
        cycle_id = int(self.propose(day)["cycle_id"])
        self.ask("cycle", "approve", str(cycle_id), user=CHECKER)
        return cycle_id

    def release(self, cycle_id: int, *, code: int = 0) -> dict[str, Any]:
        """Release a cycle into the folder ``out``."""
        return self.ask("cycle", "release", str(cycle_id), "--out", str(self.out), code=code)

    def pay(self, day: date) -> dict[str, Any]:
        """Propose, approve and release."""
        return self.release(self.approved(day))

    def waive(self, store: Pharmacy, month: str, day: date, *words: str) -> None:
        """Have a store's fee of a month waived; the second person approves."""
        why = ("--reason", "first month free", "--date", f"{day}")
        asked = self.ask("fees", "waive", store.ncpdp_id, "--month", month, *why, *words)
        self.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER)

    @property
    def out(self) -> Path:
        """Where releases leave their files."""
        return self.folder / "out"

    # Looking

    def trial_balance(self, *words: str) -> dict[tuple[str, str, str], int]:
        """Give the balances (debit-positive cents) by owner, ledger and account, without those of zero."""
        rows = self.ask("ledger", "trial-balance", *words)["rows"]
        return {
            (row["owner"], row["ledger"], row["account"]): row["balance_cents"] for row in rows if row["balance_cents"]
        }

    def cases(self) -> dict[tuple[str, str], int]:
        """Give the open exceptions: kind and subject to cents."""
        found = self.ask("exceptions", "list")["exceptions"]
        return {(each["kind"], each["subject"]): each["amount_cents"] for each in found}

    def prove(self) -> None:
        """See that all eleven proofs hold."""
        verdicts = self.ask("ledger", "verify")["proofs"]
        assert {each["id"] for each in verdicts} == PROOFS
        assert [each for each in verdicts if not each["holds"]] == []


def _ended(outcome: Outcome, code: int, words: tuple[str, ...]) -> Outcome:
    assert outcome.code == code, f"{' '.join(words[:3])} ended with {outcome.code}: {outcome.out}{outcome.err}"
    return outcome
