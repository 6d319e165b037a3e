"""An odd life of three months: five members to whom happens, once each, what happens to few in years.

``odd_october``, ``odd_november`` and ``odd_december`` live it, each story with its numbers before and after; here is
who lives, and how: the bank says every banking day what it closes with, and what is decided is decided by two people.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from ingest.bank.bai2_writer import StatementLine
from tests.support.closing import banking_days
from tests.support.office import CHECKER, CLERK, Office
from tests.support.trade import A, B, C, pharmacy

D = pharmacy(104, since=date(2026, 10, 16))
"""Joined in the middle of October; its fee is reckoned by day."""
E = pharmacy(105)
"""Paid directly by the other payer; leaves in November, and says so late."""
MEMBERS = (A, B, C, D, E)

OCTOBER, NOVEMBER, DECEMBER = "2026-10", "2026-11", "2026-12"


@dataclass
class OddLife:
    """An office, the day that it is there, and what it has closed.

    Args:
        office: whose life.
    """

    office: Office
    booked: date = date(2026, 9, 30)
    """The last day whose statement was taken in."""
    today: date = date(2026, 10, 1)
    levy: str = ""
    """The hold of the court's levy on A."""
    refund: str = ""
    """The disbursement that gives a payer back what it paid too much."""
    closes: list[tuple[str, int, Path]] = field(default_factory=list)
    """Month, the checkpoint that its package was written at, and the package; in the order in which it was closed."""

    # Days

    def until(self, day: date, *lines: StatementLine) -> None:
        """Go on to a day; these lines are on its statement. Matched is whenever the bank had something to say."""
        quiet: list[bytes] = []
        for each in banking_days(self.booked + timedelta(days=1), day):
            for line in lines if each == day else ():
                self.office.bank.post(line, each)
            closed = self.office.bank.close(each)
            quiet.append(closed.bai2)
            if closed.lines or closed.answers:
                self._take(quiet, closed.answers)
                quiet = []
        self._take(quiet, ())
        self.booked, self.today = max(self.booked, day), day

    def _take(self, statements: Sequence[bytes], answers: Sequence[bytes]) -> None:
        if not statements:
            return
        paths = [str(self.office.save(content)) for content in (*statements, *answers)]
        files = self.office.ask("ingest", *paths)["files"]
        assert {each["status"] for each in files} == {"accepted"}
        self.office.match()

    def pay(self, day: date) -> list[int]:
        """Pay whoever is due, send the file to the bank; give the cents that A, B, C, D and E are paid."""
        proposed = self.office.propose(day)
        cycle_id = int(proposed["cycle_id"])
        self.office.ask("cycle", "approve", str(cycle_id), user=CHECKER)
        released = self.office.release(cycle_id)
        self.office.bank.send(Path(released["nacha_file"]).read_bytes(), day)
        paid = {each["ncpdp_id"]: each["amount_cents"] for each in proposed["payouts"]}
        assert sum(paid.values()) == released["total_cents"]
        return [paid.get(store.ncpdp_id, 0) for store in MEMBERS]

    # What two people decide

    def agree(self, *words: str, user: str | None = None) -> None:
        """Ask for something, and have the second person approve."""
        asked = self.office.ask(*words, user=user) if user else self.office.ask(*words)
        self.office.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER)

    def resolve(self, kind: str, action: str, *words: str, subject: str | None = None) -> None:
        """Resolve the one open case of a kind; of a subject, where that is said."""
        self.agree(*self._resolution(kind, action, subject), *words)

    def refuse(self, kind: str) -> None:
        """Keep what is accepted, against the one open case of a kind; it takes one person."""
        self.office.ask(*self._resolution(kind, "refuse", None))

    def _resolution(self, kind: str, action: str, subject: str | None) -> tuple[str, ...]:
        found = self.office.ask("exceptions", "list", "--kind", kind)["exceptions"]
        (case,) = [each for each in found if subject in (None, each["subject"])]
        why = ("--reason", "as the payer says", "--date", f"{self.today}")
        return ("exceptions", "resolve", str(case["id"]), "--action", action, *why)

    def reverse(self, event: str, cents: int) -> None:
        """Undo the latest transaction of an event that has a line of so much, debit positive."""
        lines = self.office.ask("ledger", "journal", "--most", "100000")["lines"]
        said = [each for each in lines if (each["entry_event"], each["amount_cents"]) == (event, cents)]
        number = max(int(each["transaction_id"]) for each in said)
        self.agree("ledger", "reverse", str(number), "--reason", "undone", "--date", f"{self.today}")

    def disburse(self, kind: str) -> tuple[str, int]:
        """Approve and release the one disbursement of a kind; give its number and cents."""
        found = self.office.ask("disbursements", "list")["disbursements"]
        (made,) = [each for each in found if each["kind"] == kind and each["state"] == "proposed"]
        (asked,) = [
            each for each in self.office.ask("approvals", "list")["approvals"] if each["kind"] == "disbursement"
        ]
        self.office.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER)
        number = str(made["disbursement_id"])
        words = ("--out", str(self.office.out), "--date", f"{self.today}")
        self.office.ask("disbursements", "release", number, *words)
        return number, int(made["amount_cents"])

    def table(self, *lines: str) -> str:
        """Save a list of members and amounts; give its path."""
        return str(self.office.save("\n".join([*lines, ""]).encode()))

    # Months

    def close(self, month: str, *carry: str) -> None:
        """Close a month as the approver, carrying over what is named; its package stays."""
        carried = tuple(word for each in carry for word in ("--carry", self._open_case(each)))
        why = ("--reason", "the payer was asked") if carry else ()
        words = ("--month", month, "--date", f"{self.today}", "--out", str(self.office.folder / "closed"))
        made = self.office.ask("close", *words, *carried, *why, user=CHECKER)
        size = int(self.office.ask("ledger", "checkpoints")["checkpoints"][0]["size"])
        self.closes.append((month, size, Path(made["package"])))

    def reopen(self, month: str) -> None:
        """Open a month again."""
        self.agree("periods", "reopen", month, "--reason", "a mistake of ours", user=CLERK)

    def _open_case(self, subject: str) -> str:
        found = self.office.ask("exceptions", "list")["exceptions"]
        return next((str(each["id"]) for each in found if each["kind"] == subject), subject)

    # Looking

    def stands(self, account: str = "due_available") -> list[int]:
        """Give what A, B, C, D and E have in an account of the custody ledger, cents, owed to them."""
        balances = self.office.trial_balance()
        return [-balances.get((store.ncpdp_id, "custody", account), 0) for store in MEMBERS]

    def house(self, account: str) -> int:
        """Give a balance of the house in the custody ledger, credit-positive cents."""
        return -self.office.trial_balance().get(("house", "custody", account), 0)

    def holds(self, kind: str) -> list[dict[str, Any]]:
        """Give the standing holds of a kind."""
        return [each for each in self.office.ask("holds", "list")["holds"] if each["kind"] == kind]
