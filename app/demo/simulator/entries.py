"""What the simulated bank was sent: our NACHA files, read and checked as an operator would, as plain entries."""

from dataclasses import dataclass, field
from datetime import date
from io import BytesIO

from payouts.nacha.codes import CREDIT_CODES
from payouts.nacha.reader import read_nacha
from payouts.nacha.records import Batch, Entry, FileRecords, date_from
from schemas.calendar import add_banking_days
from schemas.errors import RefusedError


class FileRepeatedError(RefusedError):
    """The operator has taken a file with this origin, date, time and modifier before."""

    def __init__(self, identity: tuple[str, ...]) -> None:
        self.identity = identity
        origin, created_on, created_time, modifier = identity
        super().__init__(
            f"a file of {origin} made {created_on} {created_time} with modifier {modifier} was taken before"
        )


class DaysPastError(RefusedError):
    """The bank has closed the books of a day."""

    def __init__(self, day: date, closed_on: date) -> None:
        super().__init__(f"{day} is not after {closed_on}, the last day that the bank closed")


@dataclass(frozen=True, slots=True, kw_only=True)
class SentEntry:
    """One entry of ours, with what its batch says of all of them."""

    trace_number: str
    """Fifteen digits."""
    transaction_code: str
    routing: str
    """Nine digits, of the receiver's bank."""
    account_number: str = field(repr=False)
    amount_cents: int
    identification: str
    receiver_name: str = field(repr=False)
    addenda: tuple[str, ...]
    """Remittance texts."""
    settled_on: date
    """The effective date; a banking day not before the day on which the file came."""
    odfi: str
    """Eight digits, of the bank that sent it."""
    entry_class: str
    company_name: str
    company_id: str
    entry_description: str

    @property
    def is_credit(self) -> bool:
        """Whether it pays the receiver."""
        return self.transaction_code in CREDIT_CODES


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that the bank took."""

    identity: tuple[str, ...]
    """Origin, date, time and modifier: never twice."""
    reference: str
    """The originator's reference code in the file header."""
    entries: tuple[SentEntry, ...]


def read_sent(content: bytes, day: date) -> tuple[SentFile, ...]:
    """Read what a customer sends on a day.

    Source of what tells files apart: Nacha Operating Rules, Appendix Three, file header record.

    Raises:
        UnreadableError: it is no NACHA file that holds together.
        FileRepeatedError: two files within it are the same.
    """
    files = tuple(_file(each, day) for each in read_nacha(BytesIO(content), "the file sent").accepted_files())
    identities = [each.identity for each in files]
    for place, identity in enumerate(identities):
        if identity in identities[:place]:
            raise FileRepeatedError(identity)
    return files


def _file(file: FileRecords, day: date) -> SentFile:
    header = file.header
    identity = ("",) * 4
    if header is not None:
        identity = (header.origin, header.created_on, header.created_time, header.id_modifier)
    entries = [_entry(entry, batch, day) for batch in file.batches for entry in batch.entries if not entry.is_answer]
    return SentFile(identity, "" if header is None else header.reference_code, tuple(entries))


def _entry(entry: Entry, batch: Batch, day: date) -> SentEntry:
    header = batch.header
    effective = date_from(header.effective_entry_date) or day
    return SentEntry(
        trace_number=entry.trace_number,
        transaction_code=entry.transaction_code,
        routing=entry.routing,
        account_number=entry.account_number,
        amount_cents=entry.amount_cents,
        identification=entry.identification,
        receiver_name=entry.receiver_name,
        addenda=tuple(each.text for each in entry.addenda),
        settled_on=add_banking_days(max(effective, day), 0),
        odfi=header.odfi,
        entry_class=header.entry_class,
        company_name=header.company_name,
        company_id=header.company_id,
        entry_description=header.entry_description,
    )
