"""Turn a file that was read back into the values that we write, so that it can be compared with what was meant."""

from datetime import date, time

from payouts.nacha.codes import OWN_ENTRY_CLASS, TransactionCode
from payouts.nacha.errors import NachaError
from payouts.nacha.models import AchBatch, AchEntry, AchFile
from payouts.nacha.records import Batch, Entry, FileRecords, date_from, time_from
from payouts.nacha.trn import Trn
from schemas.identifiers import AbaRouting

_OWN_CODES = {code.value: code for code in TransactionCode}


def payment_file(file: FileRecords) -> AchFile:
    """Make the payment file that these records say; ``write_nacha`` of it gives the same bytes.

    Give it files of ``NachaReading.accepted_files`` only: what the reader checks is not checked again.

    Raises:
        NachaError: the file holds something that we do not write: returns, debits that are neither reversals nor an
            offset, another entry class.
    """
    header = file.header
    if header is None:
        raise NachaError("file header", "is missing")
    return AchFile(
        destination=_routing("destination", header.destination),
        origin=header.origin,
        destination_name=header.destination_name,
        origin_name=header.origin_name,
        created_on=_date("created_on", header.created_on),
        created_time=_time("created_time", header.created_time),
        id_modifier=header.id_modifier,
        reference_code=header.reference_code,
        batches=tuple([_batch(batch) for batch in file.batches]),
    )


def _batch(batch: Batch) -> AchBatch:
    header = batch.header
    place = f"batch {header.batch_number}"
    if header.entry_class != OWN_ENTRY_CLASS:
        raise NachaError("entry_class", f"must be {OWN_ENTRY_CLASS}", place)
    made = AchBatch(
        batch_number=header.batch_number,
        company_name=header.company_name,
        company_id=header.company_id,
        odfi=_routing("odfi", header.odfi, place),
        effective_entry_date=_date("effective_entry_date", header.effective_entry_date, place),
        entries=tuple([_entry(entry) for entry in batch.entries]),
        entry_description=header.entry_description,
        descriptive_date=header.descriptive_date,
        discretionary_data=header.discretionary_data,
    )
    if header.service_class != made.service_class:
        raise NachaError("service_class", f"must be {made.service_class} for these entries", place)
    return made


def _entry(entry: Entry) -> AchEntry:
    place = f"entry {int(entry.trace_number[8:])}"
    code = _OWN_CODES.get(entry.transaction_code)
    if code is None:
        raise NachaError("transaction_code", f"must be one of {', '.join(_OWN_CODES)}", place)
    if entry.is_answer or len(entry.addenda) > 1:
        raise NachaError("addenda", "must be one TRN at most", place)
    if entry.discretionary_data:
        raise NachaError("discretionary_data", "must be blank", place)
    return AchEntry(
        routing=_routing("routing", entry.routing, place),
        account_number=entry.account_number,
        amount_cents=entry.amount_cents,
        receiver_name=entry.receiver_name,
        identification=entry.identification,
        trace_sequence=int(entry.trace_number[8:]),
        transaction_code=code,
        trn=Trn.from_text(entry.addenda[0].text) if entry.addenda else None,
    )


def _routing(field: str, text: str, place: str = "") -> AbaRouting:
    try:
        return AbaRouting(text) if len(text) == 9 else AbaRouting.from_eight(text)
    except ValueError:
        raise NachaError(field, f"is not {AbaRouting.shape}", place) from None


def _date(field: str, yymmdd: str, place: str = "") -> date:
    day = date_from(yymmdd)
    if day is None:
        raise NachaError(field, "is no date", place)
    return day


def _time(field: str, hhmm: str, place: str = "") -> time:
    moment = time_from(hhmm)
    if moment is None:
        raise NachaError(field, "is no time", place)
    return moment
