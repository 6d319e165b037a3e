"""Which line of a statement is the money of a received ACH entry: told by what both say, never by a guess.

A pure function over the entries and the lines that wait for each other; each time the only one on both sides.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from ingest.bank.traces import Trace
from schemas.calendar import next_banking_day


@dataclass(frozen=True, slots=True)
class WaitingEntry:
    """A received entry that has no line yet."""

    entry_id: int
    file_id: int
    trace: str
    cents: int
    """Credit to the account positive, debit negative."""
    settled_on: date
    company_id: str
    company_name: str
    payments: tuple[Trace, ...]

    @property
    def companies(self) -> frozenset[str]:
        """The words by which a line may name the company."""
        return frozenset({self.company_id.strip().upper(), self.company_name.strip().upper()} - {""})


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line that has no entry yet."""

    line_id: int
    booked_on: date
    cents: int
    references: frozenset[str]
    words: str
    """All that the bank says in it, in capitals."""
    payments: tuple[Trace, ...]
    """Of its text or of another feed; references left aside."""


@dataclass(frozen=True, slots=True)
class Known:
    """What else is known of the bank's known."""

    booked_days: frozenset[date]
    """Days whose statement is there."""
    payers: tuple[frozenset[str], ...]
    """For each payer the words by which banks know it."""


def told_apart(
    waiting: Sequence[WaitingEntry], lines: Sequence[OpenLine], known: Known
) -> Iterator[tuple[WaitingEntry, OpenLine]]:
    """Find the pairs that are the only ones on both sides, by what tells them apart best first."""
    entries, pool = list(waiting), list(lines)
    for agree in (_same_payment, _same_company, _same_day):
        pairs = [
            (entry, line) for entry, near in _near(entries, pool) for line in near if agree(entry, line, near, known)
        ]
        of_entry = Counter(entry.entry_id for entry, _ in pairs)
        of_line = Counter(line.line_id for _, line in pairs)
        found = [(entry, line) for entry, line in pairs if of_entry[entry.entry_id] == of_line[line.line_id] == 1]
        yield from found
        # What has several candidates by a strong sign is not decided by a weaker one.
        entries = [entry for entry in entries if entry.entry_id not in of_entry]
        pool = [line for line in pool if line.line_id not in of_line]


def _near(entries: Iterable[WaitingEntry], lines: Iterable[OpenLine]) -> Iterator[tuple[WaitingEntry, list[OpenLine]]]:
    """Give each entry the lines of its amount, on its day or the banking day before or after."""
    by_cents: dict[int, list[OpenLine]] = {}
    for line in lines:
        by_cents.setdefault(line.cents, []).append(line)
    for entry in entries:
        near = [line for line in by_cents.get(entry.cents, ()) if _days_fit(entry.settled_on, line.booked_on)]
        yield entry, [line for line in near if not _contradict(entry, line)]


def _days_fit(settled_on: date, booked_on: date) -> bool:
    earlier, later = sorted((settled_on, booked_on))
    return earlier == later or next_banking_day(earlier) == later


def _contradict(entry: WaitingEntry, line: OpenLine) -> bool:
    """Whether both name payments, and other ones."""
    named = {trace for trace, _ in entry.payments}
    return bool(named and line.payments) and named.isdisjoint(trace for trace, _ in line.payments)


def _same_payment(entry: WaitingEntry, line: OpenLine, near: Sequence[OpenLine], known: Known) -> bool:
    """Whether the line names the entry's payment or its trace."""
    del near, known
    named = {trace for trace, _ in entry.payments}
    said = {trace for trace, _ in line.payments} | line.references
    return not named.isdisjoint(said) or entry.trace in line.words


def _same_company(entry: WaitingEntry, line: OpenLine, near: Sequence[OpenLine], known: Known) -> bool:
    """Whether the line names the company, and no other payment than the entry's."""
    del near, known
    return not line.payments and any(company in line.words for company in entry.companies)


def _same_day(entry: WaitingEntry, line: OpenLine, near: Sequence[OpenLine], known: Known) -> bool:
    """Whether the line is of the entry's day and names nothing that tells whose it is.

    Of the next banking day where the statement of the entry's own day is there and has no such line.
    """
    if line.payments or any(
        entry.companies.isdisjoint(words) and any(word in line.words for word in words) for words in known.payers
    ):
        return False
    if line.booked_on == entry.settled_on:
        return True
    own_day = entry.settled_on in known.booked_days and all(other.booked_on != entry.settled_on for other in near)
    return own_day and next_banking_day(entry.settled_on) == line.booked_on
