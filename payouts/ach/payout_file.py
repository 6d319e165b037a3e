"""NACHA files as this company sends them: payments, prenotes, reversals; written, and read back before they leave."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from io import BytesIO
from typing import Final

from payouts.cycle.cycles import Originator
from payouts.nacha.batch import AchBatch, balanced
from payouts.nacha.bulk import many_values
from payouts.nacha.codes import REVERSAL, LineEnd, TransactionCode
from payouts.nacha.entry import AchEntry
from payouts.nacha.models import AchFile
from payouts.nacha.payment import payment_file
from payouts.nacha.reader import read_nacha
from payouts.nacha.text import fit_receiver_name
from payouts.nacha.trn import Trn
from payouts.nacha.writer import write_nacha
from schemas.errors import CentralpayError
from schemas.identifiers import AbaRouting, PayerId


class FileKind(StrEnum):
    """What a file of ours holds."""

    PAYOUTS = "payouts"
    """The credits of a cycle, each with the TRN that ties it to its remittance."""
    PRENOTES = "prenotes"
    """Entries of nothing, that ask whether an account is there."""
    REVERSALS = "reversals"
    """Debits that take credits back which were sent by mistake."""


_CODES = {
    (FileKind.PAYOUTS, "checking"): TransactionCode.CHECKING_CREDIT,
    (FileKind.PAYOUTS, "savings"): TransactionCode.SAVINGS_CREDIT,
    (FileKind.PRENOTES, "checking"): TransactionCode.CHECKING_PRENOTE,
    (FileKind.PRENOTES, "savings"): TransactionCode.SAVINGS_PRENOTE,
    (FileKind.REVERSALS, "checking"): TransactionCode.CHECKING_DEBIT,
    (FileKind.REVERSALS, "savings"): TransactionCode.SAVINGS_DEBIT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileForm:
    """How the bank wants its files."""

    line_end: LineEnd = LineEnd.LF
    offset_account: str | None = field(default=None, repr=False)
    """Number of our own checking account at the sending bank, for balanced files; None: the bank does it."""


PLAIN: Final = FileForm()
"""Not balanced, lines ended by a line feed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingEntry:
    """What an entry shall be, before it has its trace number; the account number is in clear here and nowhere else."""

    routing_number: str
    account_number: str = field(repr=False)
    account_type: str
    """``checking`` or ``savings``."""
    ncpdp_id: str
    receiver_name: str
    amount_cents: int = 0
    """Zero for a prenote."""
    payout_id: int | None = None
    """Of a payment, or of the payment that is taken back."""
    change_id: int | None = None
    """Of a prenote: the change of bank details that it tries."""
    reassociation_trace: str | None = None
    """TRN02 of a payment's addenda."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHead:
    """What a file says of itself."""

    business_date: date
    """The day of handing over, and of creation."""
    effective_on: date
    """The banking day on which it shall settle."""
    made_at: datetime
    """The moment of making, by the bank's clock; only its hour and minute go into the file."""
    id_modifier: str
    """Tells the files of a day apart."""
    reference: str
    """Up to 8 characters for the bank."""


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file as bytes; its entries' trace numbers in their order, an offset's last; whose name had to be cut."""

    data: bytes = field(repr=False)
    traces: tuple[str, ...]
    offset_cents: int
    """Of the entry that balances the file; zero when there is none."""
    credit_cents: int
    debit_cents: int
    cut_names: tuple[str, ...]


class FileDiffersError(CentralpayError):
    """What was written does not read back as what was meant: a fault of ours; nothing leaves."""


def make_ach_file(
    kind: FileKind,
    entries: Sequence[OutgoingEntry],
    sequences: Sequence[int],
    sender: Originator,
    *,
    head: FileHead,
    form: FileForm,
) -> MadeFile:
    """Write a file of one batch and read it back: it must be, field by field, what was meant.

    Args:
        kind: what the entries are.
        entries: at least one.
        sequences: last seven digits of the trace number of each, ascending; one more for an offset, where one is due.
        sender: as approved.
        head: what the file says of itself.
        form: how the bank wants it.

    Raises:
        NachaError: a value that does not fit its field, by name.
        FileDiffersError: it does not read back.
    """
    with many_values():
        return _made(kind, entries, sequences, sender, head=head, form=form)


def _made(
    kind: FileKind,
    entries: Sequence[OutgoingEntry],
    sequences: Sequence[int],
    sender: Originator,
    *,
    head: FileHead,
    form: FileForm,
) -> MadeFile:
    batch = _batch(kind, entries, sequences, sender, head)
    if form.offset_account is not None and kind is not FileKind.PRENOTES:
        account, name = form.offset_account, sender.company_name
        batch = balanced(batch, account_number=account, trace_sequence=sequences[len(entries)], receiver_name=name)
    file = _file(batch, head)
    data = write_nacha(file, form.line_end)
    read = read_nacha(BytesIO(data), "the file to be sent").accepted_files()
    if [payment_file(each) for each in read] != [file]:
        raise FileDiffersError("The file to be sent does not read back as what was meant; nothing was sent.")
    return MadeFile(
        data,
        traces=tuple(batch.trace_number(entry) for entry in batch.entries),
        offset_cents=batch.entries[-1].amount_cents if len(batch.entries) > len(entries) else 0,
        credit_cents=batch.credit_cents,
        debit_cents=batch.debit_cents,
        cut_names=tuple(entry.ncpdp_id for entry in entries if fit_receiver_name(_ascii(entry.receiver_name)).was_cut),
    )


def _batch(
    kind: FileKind, entries: Sequence[OutgoingEntry], sequences: Sequence[int], sender: Originator, head: FileHead
) -> AchBatch:
    return AchBatch(
        batch_number=1,
        company_name=sender.company_name,
        company_id=sender.company_id,
        odfi=AbaRouting(sender.odfi_routing),
        effective_entry_date=head.effective_on,
        descriptive_date=f"{head.business_date:%y%m%d}",
        entry_description=_description(kind, sender),
        entries=tuple(
            [_entry(kind, entry, number, sender.company_id) for entry, number in zip(entries, sequences, strict=False)]
        ),
    )


def _file(batch: AchBatch, head: FileHead) -> AchFile:
    return AchFile(
        destination=batch.odfi,
        origin=batch.company_id,
        destination_name="ODFI",
        origin_name=batch.company_name,
        created_on=head.business_date,
        created_time=head.made_at.time().replace(second=0, microsecond=0, tzinfo=None),
        id_modifier=head.id_modifier,
        reference_code=head.reference,
        batches=(batch,),
    )


def _description(kind: FileKind, sender: Originator) -> str:
    match kind:
        case FileKind.PAYOUTS:
            return sender.entry_description
        case FileKind.PRENOTES:
            return "PRENOTE"
        case FileKind.REVERSALS:
            return REVERSAL


def _entry(kind: FileKind, entry: OutgoingEntry, trace_sequence: int, company_id: str) -> AchEntry:
    trn = None
    if entry.reassociation_trace is not None:
        trn = Trn(trace_number=entry.reassociation_trace, originator=PayerId(company_id))
    return AchEntry(
        routing=AbaRouting(entry.routing_number),
        account_number=entry.account_number,
        amount_cents=entry.amount_cents,
        receiver_name=fit_receiver_name(_ascii(entry.receiver_name)).text or entry.ncpdp_id,
        identification=entry.ncpdp_id,
        trace_sequence=trace_sequence,
        transaction_code=_CODES[kind, entry.account_type],
        trn=trn,
    )


def _ascii(name: str) -> str:
    """Write a name in the only characters that the format has: accents go, other letters become nothing."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
