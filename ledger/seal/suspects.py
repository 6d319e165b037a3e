"""Which value of an entry was changed: its leaf tells only that one was, so likely repairs are tried until one fits."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, combinations

from ledger.chart import Account
from ledger.seal.canonical import EntryFacts, LineFacts, entry_data
from ledger.seal.tree import leaf_hash

_MOST_LINES = 200
"""Entries of more lines are not searched: the repairs of pairs of lines grow with the square."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A row that was changed.

    Args:
        table: ``line``, ``entry`` or ``journal_transaction``.
        line_no: of a line; 0 for the others.
        said: what is there and what was sealed.
    """

    table: str
    line_no: int
    said: str


Repair = tuple[Suspect, EntryFacts]
"""What may be wrong, and the entry as it would have been sealed then."""


def changed(entry: EntryFacts, leaf: bytes) -> Suspect | None:
    """Say which row was changed and what was sealed, where a likely repair gives the leaf; else None."""
    if len(entry.lines) > _MOST_LINES:
        return None
    repairs = chain(_of_lines(entry), _of_line_count(entry), _of_heads(entry))
    return next((suspect for suspect, repaired in repairs if leaf_hash(entry_data(repaired)) == leaf), None)


def _of_lines(entry: EntryFacts) -> Iterator[Repair]:
    """One line changed, or two that changed places."""
    over = sum(line.amount_cents for line in entry.lines)
    references = {line.reference for line in entry.lines} | {None}
    for place, line in enumerate(entry.lines):
        sealed: dict[str, list[object]] = {
            "amount_cents": [line.amount_cents - over, -line.amount_cents],
            "event": [entry.entry_event],
            "ledger": [entry.ledger],
            "effective_on": [entry.entry_effective_on],
            "line_no": [place + 1],
            "account": [each.value for each in Account],
            "reference": [*references],
        }
        for name, values in sealed.items():
            for value in values:
                said = f"line {line.line_no}: {name} is {getattr(line, name)}, sealed was {value}"
                yield Suspect("line", line.line_no, said), _with(entry, place, **{name: value})
    for one, other in combinations(range(len(entry.lines)), 2):
        first, second = entry.lines[one], entry.lines[other]
        lines = list(entry.lines)
        lines[one], lines[other] = (
            replace(second, line_no=first.line_no),
            replace(first, line_no=second.line_no),
        )
        said = f"lines {first.line_no} and {second.line_no} have changed places"
        yield Suspect("line", first.line_no, said), replace(entry, lines=tuple(lines))


def _of_line_count(entry: EntryFacts) -> Iterator[Repair]:
    """A line too many or too few."""
    for place, line in enumerate(entry.lines):
        rest = entry.lines[:place] + entry.lines[place + 1 :]
        yield Suspect("line", line.line_no, f"line {line.line_no} was not sealed"), replace(entry, lines=rest)
    over = sum(line.amount_cents for line in entry.lines)
    there = {line.line_no for line in entry.lines}
    free = [number for number in range(1, len(entry.lines) + 2) if number not in there]
    references = {line.reference for line in entry.lines} | {None, 1}
    for number in free:
        for account in Account:
            for reference in references:
                gone = LineFacts(
                    line_no=number,
                    account=account.value,
                    reference=reference,
                    amount_cents=-over,
                    event=entry.entry_event,
                    ledger=entry.ledger,
                    effective_on=entry.entry_effective_on,
                )
                said = f"line {number} is gone: {account.value} {-over} cents, reference {reference}"
                lines = tuple(sorted((*entry.lines, gone), key=lambda line: line.line_no))
                yield Suspect("line", number, said), replace(entry, lines=lines)


def _of_heads(entry: EntryFacts) -> Iterator[Repair]:
    """The entry or its transaction: what one copies from the other."""
    dates = {line.effective_on for line in entry.lines} | {entry.effective_on, entry.entry_effective_on}
    events = {line.event for line in entry.lines} | {entry.event, "advanced", "advance_repaid"}
    tables: dict[str, dict[str, set[object]]] = {
        "entry": {
            "entry_event": {*events},
            "entry_fact_key": {entry.fact_key},
            "entry_effective_on": {*dates},
            "entry_xid": {entry.xid},
            "ledger": {line.ledger for line in entry.lines},
        },
        "journal_transaction": {
            "event": {entry.entry_event},
            "fact_key": {entry.entry_fact_key},
            "effective_on": {*dates},
            "fact_on": {*dates},
            "xid": {entry.entry_xid},
            "reason": {None},
            "bank_line_id": {None},
            "reverses": {None},
        },
    }
    for table, columns in tables.items():
        for name, values in columns.items():
            for value in values:
                said = f"{name.removeprefix('entry_')} is {getattr(entry, name)}, sealed was {value}"
                yield Suspect(table, 0, said), replace(entry, **{name: value})  # type: ignore[arg-type] # of that field


def _with(entry: EntryFacts, place: int, **values: object) -> EntryFacts:
    line = replace(entry.lines[place], **values)  # type: ignore[arg-type] # values of that field
    return replace(entry, lines=(*entry.lines[:place], line, *entry.lines[place + 1 :]))
