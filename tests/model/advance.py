"""The advance: what the PSAO's own money covers of a member's debt, derived after the lines asked for."""

from collections.abc import Sequence

from tests.model.book import Book
from tests.model.facts import HOUSE, Entry, Ledger, Line, entries_of

_C, _O = Ledger.CUSTODY, Ledger.OPERATING


def missing_advances(book: Book, lines: Sequence[Line]) -> dict[str, int]:
    """Give, for each member with a gap, the advance in cents that the lines make necessary; negative is repaid."""
    gaps: dict[str, int] = {}
    for owner in sorted({line.owner for line in lines if line.owner != HOUSE}):
        due = book.balance(owner, "due_available") + _credited(lines, owner, "due_available")
        advance = book.balance(owner, "operating_advance") + _credited(lines, owner, "operating_advance")
        gap = max(0, -due) - advance
        if gap:
            gaps[owner] = gap
    return gaps


def _credited(lines: Sequence[Line], owner: str, account: str) -> int:
    return -sum(line.amount_cents for line in lines if (line.owner, line.account) == (owner, account))


def derived_entries(book: Book, lines: Sequence[Line]) -> tuple[Entry, ...]:
    """Build the entries of ``advanced`` and ``advance_repaid``; the house's legs are summed for each of the two."""
    gaps = missing_advances(book, lines)
    given = {owner: gap for owner, gap in gaps.items() if gap > 0}
    repaid = {owner: gap for owner, gap in gaps.items() if gap < 0}
    return _entries("advanced", given) + _entries("advance_repaid", repaid)


def _entries(event: str, gaps: dict[str, int]) -> tuple[Entry, ...]:
    if not gaps:
        return ()
    total = sum(gaps.values())
    lines = [Line(HOUSE, _C, "operating_float", total), Line(HOUSE, _C, "cash", -total)]
    for owner, gap in gaps.items():
        lines += [Line(owner, _C, "cash", gap), Line(owner, _C, "operating_advance", -gap)]
        lines += [Line(owner, _O, "advance_receivable", gap), Line(owner, _O, "custody_float", -gap)]
    return entries_of(event, lines)
