"""The NACHA file of a cycle: one batch of CCD+ credits, each with the trace that ties it to its statement."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import Any

from payouts.nacha.codes import TransactionCode
from payouts.nacha.models import FILE_ID_MODIFIERS, AchBatch, AchEntry, AchFile
from payouts.nacha.payment import payment_file
from payouts.nacha.reader import read_nacha
from payouts.nacha.text import fit_receiver_name
from payouts.nacha.trn import Trn
from payouts.nacha.writer import write_nacha
from schemas.errors import CentralpayError, RefusedError
from schemas.identifiers import AbaRouting, PayerId

_CODES = {"checking": TransactionCode.CHECKING_CREDIT, "savings": TransactionCode.SAVINGS_CREDIT}


class FilesOfDayError(RefusedError):
    """The operator tells at most 36 files of a day apart."""

    def __init__(self) -> None:
        super().__init__(f"{len(FILE_ID_MODIFIERS)} files were made for this day; release on the next banking day")


@dataclass(frozen=True, slots=True, kw_only=True)
class AchPayout:
    """A payout as it goes into the file; the account number is in clear here and nowhere else."""

    trace_sequence: int
    routing_number: str
    account_number: str = field(repr=False)
    account_type: str
    amount_cents: int
    ncpdp_id: str
    receiver_name: str
    reassociation_trace: str


@dataclass(frozen=True, slots=True)
class PayoutFile:
    """A file as bytes, the trace number of each payout in their order, and whose receiver name had to be cut."""

    data: bytes = field(repr=False)
    traces: tuple[str, ...]
    cut_names: tuple[str, ...]


class FileDiffersError(CentralpayError):
    """What was written does not read back as what was meant: a fault of ours; nothing leaves."""


def write_payout_file(
    cycle: Mapping[str, Any], payouts: Sequence[AchPayout], *, made_at: datetime, file_of_day: int
) -> PayoutFile:
    """Write the file and read it back: it must be, field by field, what was meant.

    Args:
        cycle: business_date, effective_on and the originator as approved.
        payouts: in ascending order of their trace sequence.
        made_at: the moment of making, by the bank's clock; only its hour and minute go into the file.
        file_of_day: how many files were made for the business date before; steps the file id modifier.

    Raises:
        NachaError: a value that does not fit its field, by name.
        FilesOfDayError: the modifiers of the day are used up.
        FileDiffersError: it does not read back.
    """
    if file_of_day >= len(FILE_ID_MODIFIERS):
        raise FilesOfDayError
    odfi = AbaRouting(cycle["odfi_routing"])
    batch = AchBatch(
        batch_number=1,
        company_name=cycle["company_name"],
        company_id=cycle["company_id"],
        odfi=odfi,
        effective_entry_date=cycle["effective_on"],
        descriptive_date=f"{cycle['business_date']:%y%m%d}",
        entry_description=cycle["entry_description"],
        entries=tuple(_entry(payout, cycle["company_id"]) for payout in payouts),
    )
    file = AchFile(
        destination=odfi,
        origin=cycle["company_id"],
        destination_name="ODFI",
        origin_name=cycle["company_name"],
        created_on=cycle["business_date"],
        created_time=made_at.time().replace(second=0, microsecond=0, tzinfo=None),
        id_modifier=FILE_ID_MODIFIERS[file_of_day],
        reference_code=f"CP{cycle['cycle_id']}"[:8],
        batches=(batch,),
    )
    data = write_nacha(file)
    read = read_nacha(BytesIO(data), "the payout file").accepted_files()
    if [payment_file(each) for each in read] != [file]:
        raise FileDiffersError("The payout file does not read back as what was approved; nothing was released.")
    return PayoutFile(
        data,
        tuple(batch.trace_number(entry) for entry in batch.entries),
        tuple(payout.ncpdp_id for payout in payouts if fit_receiver_name(_ascii(payout.receiver_name)).was_cut),
    )


def _entry(payout: AchPayout, company_id: str) -> AchEntry:
    return AchEntry(
        routing=AbaRouting(payout.routing_number),
        account_number=payout.account_number,
        amount_cents=payout.amount_cents,
        receiver_name=fit_receiver_name(_ascii(payout.receiver_name)).text or payout.ncpdp_id,
        identification=payout.ncpdp_id,
        trace_sequence=payout.trace_sequence,
        transaction_code=_CODES[payout.account_type],
        trn=Trn(trace_number=payout.reassociation_trace, originator=PayerId(company_id)),
    )


def _ascii(name: str) -> str:
    """Write a name in the only characters that the format has: accents go, other letters become nothing."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
