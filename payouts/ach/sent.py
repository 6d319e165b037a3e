"""The record of what was sent to the bank: files by their day and modifier, entries by their trace number.

An answer of the bank names the trace number alone, and finds its entry here. Source: Nacha Operating Rules: trace
numbers are not used again for a year; the file id modifier tells the files of a day apart.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ledger import activity
from ledger.queries import Queries
from payouts.ach.payout_file import FileKind, OutgoingEntry
from payouts.nacha.codes import SEQUENCE_LIMIT
from payouts.nacha.models import FILE_ID_MODIFIERS
from schemas.errors import RefusedError, WrongUseError

_QUERIES = Queries("payouts", "ach.sql")
_DRAWS: Final = 50
"""So many times other trace numbers are drawn when some are still in use."""


class FilesOfDayError(RefusedError):
    """The operator tells at most 36 files of a day apart."""

    def __init__(self) -> None:
        super().__init__(f"{len(FILE_ID_MODIFIERS)} files were made for this day; send on the next banking day")


class TracesInUseError(RefusedError):
    """Trace numbers come again after seven digits; the next ones were used less than a year ago."""

    def __init__(self, count: int) -> None:
        super().__init__(f"No {count} trace numbers in a row are free: too many entries were sent within a year")


class UnknownFileError(WrongUseError):
    """No file of that number was sent."""

    def __init__(self, ach_file_id: int) -> None:
        super().__init__(f"There is no sent file {ach_file_id}; see: centralpay ach list")


class SentEntry(BaseModel):
    """An entry that was sent, found by its trace number."""

    model_config = ConfigDict(frozen=True)

    trace_number: int
    kind: str
    """payout, prenote, reversal or offset."""
    payout_id: int | None
    """Of a payout and of a reversal."""
    change_id: int | None
    """Of a prenote: the change of bank details that it tries."""
    amount_cents: int
    sent_on: date
    effective_on: date
    ach_file_id: int


class ListedEntry(SentEntry):
    """An entry in the list of its file, with whom it was for."""

    ncpdp_id: str | None = None
    """None for an offset."""


class SentFile(BaseModel):
    """A file that was sent."""

    model_config = ConfigDict(frozen=True)

    ach_file_id: int
    kind: FileKind
    cycle_id: int | None
    business_date: date
    effective_on: date
    id_modifier: str
    name: str
    sha256: str
    """Hexadecimal; the vault has the bytes."""
    credit_cents: int
    debit_cents: int
    entries: int
    made_by: str


def record_file(
    connection: Connection,
    facts: dict[str, Any],
    entries: Sequence[tuple[str, OutgoingEntry]],
    actor: str,
    *,
    offset: tuple[str, int] | None = None,
) -> SentFile:
    """Write down a file and its entries; the database holds that they are what was approved, and foot.

    Args:
        connection: of a unit of work.
        facts: kind, cycle_id, business_date, effective_on, id_modifier, name, sha256 (hex), credit_cents, debit_cents.
        entries: each with its trace number of 15 digits.
        actor: who acts.
        offset: trace number and amount of the entry that balances the file.

    Raises:
        PayoutNotApprovedError: an entry is none that may be sent (from the database).
    """
    single = str(facts["kind"]).removesuffix("s")
    traces, kinds = [int(trace) for trace, _ in entries], [single] * len(entries)
    payouts: list[int | None] = [entry.payout_id for _, entry in entries]
    changes: list[int | None] = [entry.change_id for _, entry in entries]
    cents = [entry.amount_cents for _, entry in entries]
    if offset is not None:
        traces, kinds, cents = [*traces, int(offset[0])], [*kinds, "offset"], [*cents, offset[1]]
        payouts, changes = [*payouts, None], [*changes, None]
    stored = facts | {"sha256": bytes.fromhex(facts["sha256"]), "entries": len(traces), "actor": actor}
    ach_file_id = int(connection.execute(_QUERIES["add_file"], stored).scalar_one())
    columns = {"traces": traces, "kinds": kinds, "payouts": payouts, "changes": changes, "cents": cents}
    rest = {"business_date": facts["business_date"], "ach_file_id": ach_file_id}
    connection.execute(_QUERIES["add_entries"], columns | rest)
    counts = {"entries": len(traces), "credit_cents": facts["credit_cents"], "debit_cents": facts["debit_cents"]}
    activity.record(connection, actor, "ach_file_made", str(facts["name"]), **counts)
    return SentFile(ach_file_id=ach_file_id, entries=len(traces), made_by=actor, **facts)


def next_modifier(connection: Connection, business_date: date) -> str:
    """Give the id modifier of the day's next file, A to Z, then 0 to 9; nobody else takes one before the commit.

    Raises:
        FilesOfDayError: all are used.
    """
    connection.execute(_QUERIES["lock_files"])
    used = set(connection.execute(_QUERIES["modifiers_of_day"], {"business_date": business_date}).scalars())
    free = [modifier for modifier in FILE_ID_MODIFIERS if modifier not in used]
    if not free:
        raise FilesOfDayError
    return free[0]


def take_traces(connection: Connection, count: int, odfi_routing: str, business_date: date) -> list[int]:
    """Take the last seven digits of trace numbers: ascending, and none of them in use within a year.

    Where the sequence starts anew in between, or some are in use still, others are taken.

    Raises:
        TracesInUseError: no such numbers were found.
    """
    bank = int(odfi_routing[:8]) * SEQUENCE_LIMIT
    for _ in range(_DRAWS):
        numbers = [int(each) for each in connection.execute(_QUERIES["next_traces"], {"count": count}).scalars()]
        if numbers != sorted(numbers):
            continue
        bounds = {"first": bank + numbers[0], "last": bank + numbers[-1], "business_date": business_date}
        used = set(connection.execute(_QUERIES["traces_in_use"], bounds).scalars())
        if used.isdisjoint(bank + number for number in numbers):
            return numbers
    raise TracesInUseError(count)


def find_entry(connection: Connection, trace: int | str, on: date) -> SentEntry | None:
    """Find what was sent under a trace number; None when nothing was, within the year before.

    Args:
        connection: any.
        trace: 15 digits, or their number.
        on: the day of the answer: a number comes again after a year.
    """
    row = connection.execute(_QUERIES["find_entry"], {"trace_number": int(trace), "on": on}).mappings().first()
    return None if row is None else SentEntry(**row)


def sent_files(connection: Connection) -> list[SentFile]:
    """List what was sent, oldest first."""
    return [SentFile(**row) for row in connection.execute(_QUERIES["files"], {"ach_file_id": None}).mappings()]


def sent_file(connection: Connection, ach_file_id: int) -> SentFile:
    """Give one sent file.

    Raises:
        UnknownFileError: there is none of that number.
    """
    row = connection.execute(_QUERIES["files"], {"ach_file_id": ach_file_id}).mappings().first()
    if row is None:
        raise UnknownFileError(ach_file_id)
    return SentFile(**row)


def entries_of(connection: Connection, ach_file_id: int) -> list[ListedEntry]:
    """List the entries of a sent file in the order of their traces.

    Raises:
        UnknownFileError: there is none of that number.
    """
    sent_file(connection, ach_file_id)
    rows = connection.execute(_QUERIES["entries_of_file"], {"ach_file_id": ach_file_id}).mappings()
    return [ListedEntry(**row) for row in rows]
