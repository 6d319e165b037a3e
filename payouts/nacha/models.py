"""What goes into a NACHA file of ours: entries, batches and the file, each valid by the time it exists.

Source: Nacha Operating Rules, Appendix Three: CCD entries, credits only (service class 220). Every value is checked
when it is made, the sums when the batch and the file are; the writer has nothing left to refuse.
"""

from dataclasses import dataclass, field
from datetime import date, time
from itertools import pairwise
from string import ascii_uppercase, digits
from typing import Final

from payouts.calendar import is_banking_day
from payouts.nacha.codes import (
    BATCH_COUNT_LIMIT,
    BLOCKING_FACTOR,
    ENTRY_CENTS_LIMIT,
    FILE_COUNT_LIMIT,
    HASH_MODULUS,
    HEALTH_CARE_PAYMENT,
    SEQUENCE_LIMIT,
    TOTAL_CENTS_LIMIT,
    TransactionCode,
)
from payouts.nacha.errors import NachaError
from payouts.nacha.text import RECEIVER_NAME_WIDTH, check_account, check_number, check_text
from payouts.nacha.trn import Trn
from schemas.identifiers import AbaRouting

FILE_ID_MODIFIERS: Final = ascii_uppercase + digits
"""File id modifiers in the order in which the files of one day take them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AchEntry:
    """One credit to one pharmacy's account (record 6), with its TRN addenda (record 7) when it has one.

    Raises:
        NachaError: a value that does not fit, naming the entry by its trace sequence and the field.
    """

    routing: AbaRouting
    """Of the pharmacy's bank."""
    account_number: str = field(repr=False)
    """1 to 17 letters, digits and dashes."""
    amount_cents: int
    """Above zero, ten digits."""
    receiver_name: str
    """Up to 22 characters; ``text.fit_receiver_name`` cuts a longer one and says so."""
    identification: str
    """Up to 15 characters that banks can see: the pharmacy's NCPDP id."""
    trace_sequence: int
    """Last seven digits of the trace number, unused at this bank for a year."""
    transaction_code: TransactionCode = TransactionCode.CHECKING_CREDIT
    trn: Trn | None = None

    def __post_init__(self) -> None:
        place = f"entry {self.trace_sequence}"
        check_account("account_number", self.account_number, place)
        check_number("amount_cents", self.amount_cents, ENTRY_CENTS_LIMIT, place=place)
        check_text("receiver_name", self.receiver_name, RECEIVER_NAME_WIDTH, place=place)
        check_text("identification", self.identification, 15, place=place)
        check_number("trace_sequence", self.trace_sequence, SEQUENCE_LIMIT, place=place)


@dataclass(frozen=True, slots=True, kw_only=True)
class AchBatch:
    """Entries of one company for one day (records 5 to 8); its sums are made with it.

    Raises:
        NachaError: a value that does not fit, sums that overflow, traces out of order, or no entry at all.
    """

    batch_number: int
    company_name: str
    """Up to 16 characters: what the pharmacy sees on its statement."""
    company_id: str
    """Up to 10 characters: 1 and the EIN, or what the bank assigned."""
    odfi: AbaRouting
    """The bank that sends the entries; its first eight digits begin every trace number."""
    effective_entry_date: date
    """The banking day on which the money shall settle."""
    entries: tuple[AchEntry, ...] = field(repr=False)
    entry_description: str = HEALTH_CARE_PAYMENT
    """Up to 10 characters. With ``HCCLAIMPMT`` every entry must have its TRN."""
    descriptive_date: str = ""
    """Company descriptive date: up to 6 characters, for people only."""
    discretionary_data: str = ""
    """Up to 20 characters between company and bank."""
    credit_cents: int = field(init=False)
    entry_addenda_count: int = field(init=False)
    entry_hash: int = field(init=False)
    """Sum of the first eight digits of the routing numbers, last ten digits kept."""

    def __post_init__(self) -> None:
        place = f"batch {self.batch_number}"
        check_number("batch_number", self.batch_number, SEQUENCE_LIMIT, place=place)
        check_text("company_name", self.company_name, 16, place=place)
        if not self.company_name.strip("0"):
            raise NachaError("company_name", "is all zeros", place)
        check_text("company_id", self.company_id, 10, place=place)
        check_text("entry_description", self.entry_description, 10, place=place)
        check_text("descriptive_date", self.descriptive_date, 6, required=False, place=place)
        check_text("discretionary_data", self.discretionary_data, 20, required=False, place=place)
        _check_date("effective_entry_date", self.effective_entry_date, place)
        if not is_banking_day(self.effective_entry_date):
            raise NachaError("effective_entry_date", f"{self.effective_entry_date} is no banking day", place)
        if not self.entries:
            raise NachaError("entries", "there are none", place)
        self._sum(place)
        self._check_entries(place)

    def _check_entries(self, place: str) -> None:
        for before, after in pairwise(self.entries):
            if before.trace_sequence >= after.trace_sequence:
                problem = f"{after.trace_sequence} follows {before.trace_sequence}, must ascend"
                raise NachaError("trace_sequence", problem, place)
        if self.entry_description.upper() == HEALTH_CARE_PAYMENT:
            for entry in self.entries:
                if entry.trn is None:
                    place = f"entry {entry.trace_sequence}"
                    raise NachaError("trn", f"is missing, {HEALTH_CARE_PAYMENT} asks for it", place)

    def _sum(self, place: str) -> None:
        credit_cents = sum([entry.amount_cents for entry in self.entries])
        count = len(self.entries) + sum([entry.trn is not None for entry in self.entries])
        check_number("credit_cents", credit_cents, TOTAL_CENTS_LIMIT, place=place)
        check_number("entry_addenda_count", count, BATCH_COUNT_LIMIT, place=place)
        entry_hash = sum([int(entry.routing[:8]) for entry in self.entries]) % HASH_MODULUS
        # Frozen against everybody else; the sums belong to the values above.
        object.__setattr__(self, "credit_cents", credit_cents)
        object.__setattr__(self, "entry_addenda_count", count)
        object.__setattr__(self, "entry_hash", entry_hash)

    def trace_number(self, entry: AchEntry) -> str:
        """Give an entry's whole trace number, 15 digits: what a return will name."""
        return f"{self.odfi[:8]}{entry.trace_sequence:07d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AchFile:
    """Batches that go to one bank together (records 1 and 9); its sums are made with it.

    Raises:
        NachaError: a value that does not fit, sums that overflow, batch numbers out of order, a trace used twice.
    """

    destination: AbaRouting
    """The bank or operator that takes the file (immediate destination)."""
    origin: str
    """Who sends it (immediate origin): a routing number of nine digits or a company id of ten characters."""
    destination_name: str
    """Up to 23 characters."""
    origin_name: str
    """Up to 23 characters."""
    created_on: date
    """By the clock of the bank; origin, date, time and modifier together never repeat."""
    created_time: time
    """Hours and minutes by the clock of the bank."""
    id_modifier: str
    """A to Z, 0 to 9: which file of the day."""
    batches: tuple[AchBatch, ...]
    reference_code: str = ""
    """Up to 8 characters."""
    credit_cents: int = field(init=False)
    entry_addenda_count: int = field(init=False)
    entry_hash: int = field(init=False)
    """Sum of the batches' hashes, last ten digits kept."""
    block_count: int = field(init=False)
    """Blocks of ten records, the last one filled up."""

    def __post_init__(self) -> None:
        check_text("origin", self.origin, 10)
        check_text("destination_name", self.destination_name, 23)
        check_text("origin_name", self.origin_name, 23)
        check_text("reference_code", self.reference_code, 8, required=False)
        _check_date("created_on", self.created_on)
        if self.created_time.replace(hour=0, minute=0) != time():
            raise NachaError("created_time", "must be hours and minutes, nothing finer, in the bank's own zone")
        if len(self.id_modifier) != 1 or self.id_modifier not in FILE_ID_MODIFIERS:
            raise NachaError("id_modifier", "must be one of A to Z and 0 to 9")
        self._sum()
        self._check_batches()

    def _sum(self) -> None:
        check_number("batches", len(self.batches), BATCH_COUNT_LIMIT)
        credit_cents = sum(batch.credit_cents for batch in self.batches)
        count = sum(batch.entry_addenda_count for batch in self.batches)
        check_number("credit_cents", credit_cents, TOTAL_CENTS_LIMIT)
        check_number("entry_addenda_count", count, FILE_COUNT_LIMIT)
        block_count = -(-(2 + 2 * len(self.batches) + count) // BLOCKING_FACTOR)
        check_number("block_count", block_count, BATCH_COUNT_LIMIT)
        object.__setattr__(self, "credit_cents", credit_cents)
        object.__setattr__(self, "entry_addenda_count", count)
        object.__setattr__(self, "block_count", block_count)
        object.__setattr__(self, "entry_hash", sum(batch.entry_hash for batch in self.batches) % HASH_MODULUS)

    def _check_batches(self) -> None:
        for before, after in pairwise(self.batches):
            if before.batch_number >= after.batch_number:
                problem = f"{after.batch_number} follows {before.batch_number}, must ascend"
                raise NachaError("batch_number", problem)
        used: set[tuple[str, int]] = set()
        for batch in self.batches:
            traces = {(batch.odfi[:8], entry.trace_sequence) for entry in batch.entries}
            if not used.isdisjoint(traces):
                raise NachaError("trace_sequence", "is used in another batch too", f"batch {batch.batch_number}")
            used |= traces


def _check_date(field_name: str, day: date, place: str = "") -> None:
    """Refuse a year that two digits do not tell; years of a NACHA file are 2000 to 2099."""
    if not 2000 <= day.year <= 2099:
        raise NachaError(field_name, f"is of the year {day.year}, must be from 2000 to 2099", place)
