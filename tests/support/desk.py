"""Somebody of the finance team at the exceptions: asks, has another person approve, and undoes what was posted."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tests.support.office import CHECKER, MAKER, Office


@dataclass
class ExceptionsDesk:
    """The desk of an office.

    Args:
        office: whose exceptions.
        day: the business day on which things are asked.
    """

    office: Office
    day: date
    undone: set[int] = field(default_factory=set)
    """Transactions that were reversed here."""

    def case(self, kind: str, subject: str) -> dict[str, Any]:
        """Give the open case of that kind and subject."""
        found = self.office.ask("exceptions", "list", "--kind", kind)["exceptions"]
        (case,) = [each for each in found if each["subject"] == subject]
        assert isinstance(case, dict)
        return case

    def show(self, kind: str, subject: str) -> dict[str, Any]:
        """Show that case with what stands behind it."""
        return self.office.ask("exceptions", "show", str(self.case(kind, subject)["id"]))

    def ask(self, kind: str, subject: str, action: str, *words: str, code: int = 0) -> dict[str, Any]:
        """Ask for an action about a case; give what was answered."""
        number = str(self.case(kind, subject)["id"])
        how = ("--action", action, "--reason", "as the payer says", "--date", f"{self.day}")
        return self.office.ask("exceptions", "resolve", number, *how, *words, code=code)

    def resolve(self, kind: str, subject: str, action: str, *words: str) -> int:
        """Ask, see that the one who asked can not approve, and have another approve; give the approval."""
        approval_id = int(self.ask(kind, subject, action, *words)["approval_id"])
        self.office.ask("approvals", "approve", str(approval_id), user=MAKER, code=5)
        self.office.ask("approvals", "approve", str(approval_id), user=CHECKER)
        return approval_id

    def transaction(self, event: str) -> int:
        """Give the latest transaction of an event that was not undone here."""
        lines = self.office.ask("ledger", "journal", "--most", "100000")["lines"]
        return max({int(each["transaction_id"]) for each in lines if each["entry_event"] == event} - self.undone)

    def reverse(self, event: str) -> None:
        """Ask to undo the latest transaction of an event; another person approves."""
        number = self.transaction(event)
        self.undone.add(number)
        words = ("ledger", "reverse", str(number), "--reason", "undone", "--date", f"{self.day}")
        approval_id = str(self.office.ask(*words)["approval_id"])
        self.office.ask("approvals", "approve", approval_id, user=MAKER, code=5)
        self.office.ask("approvals", "approve", approval_id, user=CHECKER)

    def due(self, *stores: str) -> list[int]:
        """Give what is due and available to members, cents, by NCPDP id."""
        balances = self.office.trial_balance()
        return [-balances.get((store, "custody", "due_available"), 0) for store in stores]

    def house(self, account: str) -> int:
        """Give a balance of the house, credit-positive cents."""
        return -self.office.trial_balance().get(("house", "custody", account), 0)
