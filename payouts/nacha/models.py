"""A NACHA file of ours, whole: batches of payments, prenotes or reversals, each valid by the time it exists.

Source: Nacha Operating Rules, Appendix Three. Every value is checked when it is made, the sums when the batch and the
file are; the writer has nothing left to refuse.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time
from itertools import pairwise
from string import ascii_uppercase, digits
from typing import Final

from payouts.nacha.batch import AchBatch, balanced, check_date
from payouts.nacha.codes import BATCH_COUNT_LIMIT, BLOCKING_FACTOR, FILE_COUNT_LIMIT, HASH_MODULUS, TOTAL_CENTS_LIMIT
from payouts.nacha.entry import AchEntry
from payouts.nacha.errors import NachaError
from payouts.nacha.text import check_number, check_text
from schemas.identifiers import AbaRouting

__all__ = ["FILE_ID_MODIFIERS", "AchBatch", "AchEntry", "AchFile", "balanced", "merge_files"]

FILE_ID_MODIFIERS: Final = ascii_uppercase + digits
"""File id modifiers in the order in which the files of one day take them."""


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
    debit_cents: int = field(init=False)
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
        check_date("created_on", self.created_on)
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
        debit_cents = sum(batch.debit_cents for batch in self.batches)
        check_number("credit_cents", credit_cents, TOTAL_CENTS_LIMIT, least=0)
        check_number("debit_cents", debit_cents, TOTAL_CENTS_LIMIT, least=0)
        check_number("entry_addenda_count", count, FILE_COUNT_LIMIT)
        block_count = -(-(2 + 2 * len(self.batches) + count) // BLOCKING_FACTOR)
        check_number("block_count", block_count, BATCH_COUNT_LIMIT)
        object.__setattr__(self, "credit_cents", credit_cents)
        object.__setattr__(self, "debit_cents", debit_cents)
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


def merge_files(files: Sequence[AchFile], *, id_modifier: str) -> AchFile:
    """Put the batches of several files into one: batch numbers anew, trace numbers kept.

    Args:
        files: at least one, all from one origin to one destination; names, day and reference are those of the first.
        id_modifier: of the merged file.

    Raises:
        NachaError: there is none, origin or destination differ, a trace number is in two of them, or a limit is passed.
    """
    if not files:
        raise NachaError("files", "there are none to merge")
    first = files[0]
    for file in files:
        if file.origin != first.origin:
            raise NachaError("origin", f"is {file.origin} and {first.origin}, must be one to merge")
        if file.destination != first.destination:
            raise NachaError("destination", f"is {file.destination} and {first.destination}, must be one to merge")
    batches = [batch for file in files for batch in file.batches]
    numbered = tuple(replace(batch, batch_number=number) for number, batch in enumerate(batches, 1))
    return replace(first, id_modifier=id_modifier, batches=numbered)
