"""The twelve things that the ledger refuses, by number."""

from collections.abc import Iterable
from enum import IntEnum


class Refusal(IntEnum):
    """What the ledger refuses, under the number that the rules of posting give it."""

    UNBALANCED = 1
    """An entry that does not sum to zero, nor does its unfunded part, has fewer than two lines, or gets more later."""
    REWRITTEN = 2
    """A change or deletion of what is posted."""
    MATRIX = 3
    """A line that the matrix does not allow for its event, ledger, kind of owner and side."""
    FEE = 4
    """A fee other than the flat one due, a second one, or a collection without its open receivable."""
    PERIOD = 5
    """A date in a month that does not exist, or is closed with no open month after it."""
    CONFLICT = 6
    """A fact posted before with another body."""
    OVERDRAWN = 7
    """A payout, fee, hold or levy that takes ``due_available`` into debit."""
    WRONG_SIDE = 8
    """A liability ending in debit, an open item on its wrong side, or a float too small for negatives of the house."""
    CASH = 9
    """Cash that nets neither to zero nor to its bank line, each line once and under its own name; a missing mirror."""
    ADVANCE = 10
    """A member whose advance is not what the member owes."""
    NOT_APPROVED = 11
    """A payout released that is not, to the cent, an approved one; a proposer who approves."""
    REVERSAL = 12
    """A reversal that is not the exact negation of a whole transaction, a second one, or one of a reversal."""


class Refused(Exception):  # noqa: N818 (the trade's word)
    """The model refuses; nothing has changed.

    Args:
        refusals: all that apply; the ledger may name any one of them.
        fields: for ``CONFLICT``, the fields of the body that differ.
    """

    def __init__(self, refusals: Iterable[Refusal], fields: frozenset[str] = frozenset()) -> None:
        self.refusals = frozenset(refusals)
        self.fields = fields
        numbers = ", ".join(f"{refusal.value} {refusal.name.lower()}" for refusal in sorted(self.refusals))
        super().__init__(f"refused: {numbers}" + (f" ({', '.join(sorted(fields))})" if fields else ""))
