"""What a leaf is the hash of: the facts of an entry or of a row of the trail, as bytes that can be read one way only.

A version, a kind, then fields. A field is its length as four bytes, big-endian, and its bytes; FFFFFFFF alone is null.
Text is UTF-8, whole numbers are eight bytes, big-endian, two's complement, identifiers sixteen bytes, dates the text
YYYY-MM-DD, moments microseconds since 1970 in UTC as a number. The database makes the same bytes (``seal_batch``).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

VERSION: Final = 1
ENTRY: Final = 1
"""Kind of an entry's leaf."""
TRAIL: Final = 2
"""Kind of the leaf of a row of the trail."""

_NULL: Final = b"\xff\xff\xff\xff"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Field = str | int | UUID | date | datetime | None
"""What a field may hold; a moment is aware."""


@dataclass(frozen=True, slots=True)
class LineFacts:
    """A line of an entry; cents, debit positive."""

    line_no: int
    account: str
    reference: int | None
    amount_cents: int
    event: str
    ledger: str
    effective_on: date


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """All that is sealed of an entry: its journal number, its transaction, itself, its lines in the order of theirs."""

    journal_no: int
    transaction_id: int
    event: str
    fact_key: str
    fact_on: date
    effective_on: date
    recorded_at: datetime
    actor: str
    reason: str | None
    bank_line_id: int | None
    reverses: int | None
    xid: int
    owner_id: UUID
    entry_id: int
    ledger: str
    entry_event: str
    entry_fact_key: str
    entry_effective_on: date
    entry_xid: int
    lines: tuple[LineFacts, ...]


@dataclass(frozen=True, slots=True)
class TrailFacts:
    """All that is sealed of a version of a row: which, when, and its columns as text."""

    trail_id: int
    table_name: str
    row_key: str
    recorded_at: datetime
    xid: int
    content: Mapping[str, str | None]


def field(value: Field) -> bytes:
    """Write one field."""
    if value is None:
        return _NULL
    match value:
        case str():
            data = value.encode()
        case int():
            data = value.to_bytes(8, "big", signed=True)
        case UUID():
            data = value.bytes
        case datetime():
            data = microseconds(value).to_bytes(8, "big", signed=True)
        case date():
            data = value.isoformat().encode()
    return len(data).to_bytes(4, "big") + data


def microseconds(moment: datetime) -> int:
    """Count a moment's microseconds since 1970, UTC."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def entry_data(entry: EntryFacts) -> bytes:
    """Write an entry's leaf data."""
    return bytes((VERSION, ENTRY)) + b"".join(map(field, _entry_fields(entry)))


def trail_data(row: TrailFacts) -> bytes:
    """Write a trail row's leaf data; columns stand in the byte order of their names."""
    return bytes((VERSION, TRAIL)) + b"".join(map(field, _trail_fields(row)))


def _entry_fields(entry: EntryFacts) -> Iterator[Field]:
    yield from (entry.journal_no, entry.transaction_id, entry.event, entry.fact_key, entry.fact_on, entry.effective_on)
    yield from (entry.recorded_at, entry.actor, entry.reason, entry.bank_line_id, entry.reverses, entry.xid)
    yield from (entry.owner_id, entry.entry_id, entry.ledger, entry.entry_event, entry.entry_fact_key)
    yield from (entry.entry_effective_on, entry.entry_xid, len(entry.lines))
    for line in entry.lines:
        yield from (line.line_no, line.account, line.reference, line.amount_cents)
        yield from (line.event, line.ledger, line.effective_on)


def _trail_fields(row: TrailFacts) -> Iterator[Field]:
    yield from (row.trail_id, row.table_name, row.row_key, row.recorded_at, row.xid, len(row.content))
    for name in sorted(row.content, key=str.encode):
        yield from (name, row.content[name])
