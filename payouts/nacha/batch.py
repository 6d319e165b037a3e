"""Entries that go out together, for one company and one day: summed and checked by the time the batch exists.

Source: Nacha Operating Rules, Appendix Three: company/batch header and control records; section 2.9 for reversals.
"""

from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise

from payouts.nacha.codes import (
    BATCH_COUNT_LIMIT,
    HASH_MODULUS,
    HEALTH_CARE_PAYMENT,
    OWN_CREDIT_CODES,
    OWN_DEBIT_CODES,
    REVERSAL,
    SEQUENCE_LIMIT,
    TOTAL_CENTS_LIMIT,
    ServiceClass,
    TransactionCode,
)
from payouts.nacha.entry import AchEntry
from payouts.nacha.errors import NachaError
from payouts.nacha.text import check_number, check_text
from schemas.calendar import is_banking_day
from schemas.identifiers import AbaRouting


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
    """Up to 10 characters. With ``HCCLAIMPMT`` every payment must have its TRN; ``REVERSAL`` is for reversals alone."""
    descriptive_date: str = ""
    """Company descriptive date: up to 6 characters, for people only."""
    discretionary_data: str = ""
    """Up to 20 characters between company and bank."""
    service_class: ServiceClass = field(init=False)
    """By the directions of its entries: credits, debits, or mixed."""
    credit_cents: int = field(init=False)
    debit_cents: int = field(init=False)
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
        check_date("effective_entry_date", self.effective_entry_date, place)
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
        description = self.entry_description.upper()
        if description == HEALTH_CARE_PAYMENT:
            for entry in self.entries:
                if entry.trn is None and entry.transaction_code in OWN_CREDIT_CODES:
                    place = f"entry {entry.trace_sequence}"
                    raise NachaError("trn", f"is missing, {HEALTH_CARE_PAYMENT} asks for it", place)
        if self.debit_cents or description == REVERSAL:
            self._check_directions(place)

    def _check_directions(self, place: str) -> None:
        """Debits are reversals, or one offset; against reversals there may be one offset and nothing else."""
        is_reversal = self.entry_description.upper() == REVERSAL
        if is_reversal and self.entry_description != REVERSAL:
            raise NachaError("entry_description", f"must be {REVERSAL} in capitals", place)
        *others, last = self.entries
        if is_reversal and any(not entry.is_debit for entry in others):
            raise NachaError("entries", "a reversal holds debits, and one offset at its end", place)
        if not is_reversal and any(entry.is_debit for entry in others):
            raise NachaError("entries", f"debits are for batches described as {REVERSAL}, or one offset", place)
        if last.is_debit is not is_reversal and (not others or self.debit_cents != self.credit_cents):
            raise NachaError("entries", "the offset must be the total of the other entries", place)

    def _sum(self, place: str) -> None:
        debit_cents = sum([entry.amount_cents for entry in self.entries if entry.transaction_code in OWN_DEBIT_CODES])
        credit_cents = sum([entry.amount_cents for entry in self.entries]) - debit_cents
        count = len(self.entries) + sum([entry.trn is not None for entry in self.entries])
        check_number("credit_cents", credit_cents, TOTAL_CENTS_LIMIT, least=0, place=place)
        check_number("debit_cents", debit_cents, TOTAL_CENTS_LIMIT, least=0, place=place)
        check_number("entry_addenda_count", count, BATCH_COUNT_LIMIT, place=place)
        entry_hash = sum([int(entry.routing[:8]) for entry in self.entries]) % HASH_MODULUS
        if debit_cents:
            service_class = ServiceClass.MIXED if credit_cents else ServiceClass.DEBITS
        else:
            service_class = ServiceClass.CREDITS
        # Frozen against everybody else; the sums belong to the values above.
        object.__setattr__(self, "service_class", service_class)
        object.__setattr__(self, "credit_cents", credit_cents)
        object.__setattr__(self, "debit_cents", debit_cents)
        object.__setattr__(self, "entry_addenda_count", count)
        object.__setattr__(self, "entry_hash", entry_hash)

    def trace_number(self, entry: AchEntry) -> str:
        """Give an entry's whole trace number, 15 digits: what a return will name."""
        return f"{self.odfi[:8]}{entry.trace_sequence:07d}"


def balanced(batch: AchBatch, *, account_number: str, trace_sequence: int, receiver_name: str) -> AchBatch:
    """Add the entry that takes a batch's total from, or gives it back to, our own checking account at the bank.

    Args:
        batch: payments alone, or reversals alone.
        account_number: of the account that pays, at the bank that sends the file.
        trace_sequence: above those of the batch.
        receiver_name: of the account.

    Raises:
        NachaError: the batch has an offset already or moves nothing.
    """
    if batch.service_class is ServiceClass.MIXED:
        raise NachaError("entries", "has an offset already", f"batch {batch.batch_number}")
    is_reversal = batch.service_class is ServiceClass.DEBITS
    offset = AchEntry(
        routing=batch.odfi,
        account_number=account_number,
        amount_cents=batch.debit_cents or batch.credit_cents,
        receiver_name=receiver_name,
        identification="OFFSET",
        trace_sequence=trace_sequence,
        transaction_code=TransactionCode.CHECKING_CREDIT if is_reversal else TransactionCode.CHECKING_DEBIT,
    )
    return replace(batch, entries=(*batch.entries, offset))


def check_date(field_name: str, day: date, place: str = "") -> None:
    """Refuse a year that two digits do not tell; years of a NACHA file are 2000 to 2099.

    Raises:
        NachaError: naming ``field_name``.
    """
    if not 2000 <= day.year <= 2099:
        raise NachaError(field_name, f"is of the year {day.year}, must be from 2000 to 2099", place)
