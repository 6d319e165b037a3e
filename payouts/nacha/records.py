"""What a NACHA file says, record by record, ours or not: text as received, amounts and counts as numbers.

Source of the columns: Nacha Operating Rules, Appendix Three. Addenda of types 98 and 99 keep their 76 characters as
they are; ``answers`` reads what they say.
"""

from datetime import date, time
from typing import Final, NamedTuple

from payouts.nacha.codes import AddendaType
from payouts.nacha.layout import Layout, choice, number, text

ANSWERS: Final[frozenset[str]] = frozenset({AddendaType.CHANGE, AddendaType.RETURN})
"""Addenda types that answer an entry that somebody sent before."""


class FileHeader(NamedTuple):
    """Record 1."""

    line: int
    destination: str
    origin: str
    created_on: str
    """YYMMDD."""
    created_time: str
    """HHMM, or nothing."""
    id_modifier: str
    destination_name: str
    origin_name: str
    reference_code: str


class BatchHeader(NamedTuple):
    """Record 5."""

    line: int
    batch_number: int
    odfi: str
    """Eight digits."""
    service_class: str
    company_name: str
    discretionary_data: str
    company_id: str
    entry_class: str
    """Standard entry class, such as ``CCD``."""
    entry_description: str
    descriptive_date: str
    effective_entry_date: str
    """YYMMDD; nothing or zeros in some returns."""
    settlement_date: str
    """Day of the year, filled in by the operator."""
    originator_status: str


class Addenda(NamedTuple):
    """Record 7."""

    line: int
    type_code: str
    text: str
    """Columns 4 to 79 of a return or change, 4 to 83 of other addenda, blanks at the end left out."""
    sequence: str
    """Of the addenda within its entry; empty in a return or change."""
    trace: str
    """Last seven digits of the entry's trace number; all 15 in a return or change."""


class Entry(NamedTuple):
    """Record 6 with its addenda."""

    line: int
    transaction_code: str
    routing: str
    """Nine digits, check digit included."""
    account_number: str
    amount_cents: int
    identification: str
    receiver_name: str
    discretionary_data: str
    expects_addenda: bool
    trace_number: str
    """Fifteen digits."""
    addenda: tuple[Addenda, ...]

    @property
    def is_answer(self) -> bool:
        """Whether it answers an earlier entry: a return or a notification of change."""
        return any(addenda.type_code in ANSWERS for addenda in self.addenda)

    def __repr__(self) -> str:
        """Show where it stands and nothing about whose it is."""
        return f"Entry(line={self.line}, trace_number={self.trace_number!r})"


class BatchControl(NamedTuple):
    """Record 8."""

    line: int
    service_class: str
    entry_addenda_count: int
    entry_hash: int
    debit_cents: int
    credit_cents: int
    company_id: str
    odfi: str
    batch_number: int


class FileControl(NamedTuple):
    """Record 9."""

    line: int
    batch_count: int
    block_count: int
    entry_addenda_count: int
    entry_hash: int
    debit_cents: int
    credit_cents: int


class Batch(NamedTuple):
    """Records 5 to 8 of one batch."""

    header: BatchHeader
    entries: tuple[Entry, ...]
    control: BatchControl | None
    """None when the file has none."""
    is_whole: bool
    """False when a record of it could not be read; its sums then say nothing."""


class FileRecords(NamedTuple):
    """Records 1 to 9 of one file."""

    header: FileHeader | None
    """None when the file has none."""
    batches: tuple[Batch, ...]
    control: FileControl | None
    record_count: int
    """Records without filler."""
    is_whole: bool
    """False when a record could not be read, or a batch is of a class that is not read."""


FILE_HEADER: Final = Layout(
    "file header",
    text("_type", 1),
    choice("_priority", 2, "01", "01"),
    text("destination", 10),
    text("origin", 10),
    choice("created_on", 6, "[0-9]{6}", "a date, YYMMDD"),
    choice("created_time", 4, "[0-9]{4}| {4}", "a time, HHMM, or blanks"),
    choice("id_modifier", 1, "[A-Z0-9]", "A to Z or 0 to 9"),
    choice("_record_size", 3, "094", "094"),
    choice("_blocking_factor", 2, "10", "10"),
    choice("_format_code", 1, "1", "1"),
    text("destination_name", 23),
    text("origin_name", 23),
    text("reference_code", 8),
)
BATCH_HEADER: Final = Layout(
    "batch header",
    text("_type", 1),
    number("service_class", 3),
    text("company_name", 16),
    text("discretionary_data", 20),
    text("company_id", 10),
    choice("entry_class", 3, "[A-Z]{3}", "three letters"),
    text("entry_description", 10),
    text("descriptive_date", 6),
    choice("effective_entry_date", 6, "[0-9]{6}| {6}", "a date, YYMMDD"),
    text("settlement_date", 3),
    text("originator_status", 1),
    number("odfi", 8),
    number("batch_number", 7),
)
ENTRY: Final = Layout(
    "entry",
    text("_type", 1),
    number("transaction_code", 2),
    number("routing", 9),
    text("account_number", 17),
    number("amount", 10),
    text("identification", 15),
    text("receiver_name", 22),
    text("discretionary_data", 2),
    choice("addenda_indicator", 1, "[01]", "0 or 1"),
    number("trace_number", 15),
)
ADDENDA: Final = Layout(
    "addenda",
    text("_type", 1),
    number("type_code", 2),
    text("text", 80),
    number("sequence", 4),
    number("trace", 7),
)
RETURN_ADDENDA: Final = Layout(
    "addenda",
    text("_type", 1),
    number("type_code", 2),
    text("text", 76),
    number("trace", 15),
)
BATCH_CONTROL: Final = Layout(
    "batch control",
    text("_type", 1),
    number("service_class", 3),
    number("entry_addenda_count", 6),
    number("entry_hash", 10),
    number("debit_total", 12),
    number("credit_total", 12),
    text("company_id", 10),
    text("_authentication_code", 19),
    text("_reserved", 6),
    number("odfi", 8),
    number("batch_number", 7),
)
FILE_CONTROL: Final = Layout(
    "file control",
    text("_type", 1),
    number("batch_count", 6),
    number("block_count", 6),
    number("entry_addenda_count", 8),
    number("entry_hash", 10),
    number("debit_total", 12),
    number("credit_total", 12),
    text("_reserved", 39),
)


def date_from(yymmdd: str) -> date | None:
    """Read YYMMDD of the years 2000 to 2099; None when there is no such day."""
    try:
        return date(2000 + int(yymmdd[:2]), int(yymmdd[2:4]), int(yymmdd[4:]))
    except ValueError:
        return None


def time_from(hhmm: str) -> time | None:
    """Read HHMM; None when there is no such time."""
    try:
        return time(int(hhmm[:2]), int(hhmm[2:]))
    except ValueError:
        return None
