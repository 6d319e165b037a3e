"""What the headers and control records of batches and files must satisfy: agreement, and every count, hash and total.

Source: Nacha Operating Rules, Appendix Three: batch control, file control.
"""

from collections.abc import Iterator
from itertools import pairwise

from payouts.nacha.codes import BLOCKING_FACTOR, CREDIT_CODES, DEBIT_CODES, HASH_MODULUS, ServiceClass
from payouts.nacha.findings import refusal, warning
from payouts.nacha.records import Batch, BatchControl, FileHeader, FileRecords, date_from, time_from
from schemas.findings import Finding

NO_DATE = frozenset({"", "000000"})
"""How returns say that they have no effective entry date."""


def batch_findings(batch: Batch) -> Iterator[Finding]:
    """Check a batch's header, and its control record against header and entries."""
    header = batch.header
    if header.service_class not in {each.value for each in ServiceClass}:
        expected = ", ".join(ServiceClass)
        yield refusal("service_class", "batch header service_class", expected, header.service_class, header.line)
    if header.effective_entry_date in NO_DATE:
        advice = "Usual in returns; in a file of payments, ask the sender for the date."
        yield warning(
            "effective_date", "batch header effective_entry_date", "a date", "none", header.line, advice=advice
        )
    elif date_from(header.effective_entry_date) is None:
        found = header.effective_entry_date
        yield refusal("effective_date", "batch header effective_entry_date", "a real date", found, header.line)
    if not header.company_name.strip(" 0"):
        yield refusal("company_name", "batch header company_name", "a name", "blanks or zeros", header.line)
    if batch.control is None:
        return
    yield from _agreement_findings(batch, batch.control)
    if batch.is_whole:
        yield from _batch_total_findings(batch, batch.control)


def _agreement_findings(batch: Batch, control: BatchControl) -> Iterator[Finding]:
    header = batch.header
    if control.service_class != header.service_class:
        yield _differs("service_class", header.service_class, control.service_class, control.line)
    if control.odfi != header.odfi:
        yield _differs("odfi", header.odfi, control.odfi, control.line)
    if control.batch_number != header.batch_number:
        yield _differs("batch_number", header.batch_number, control.batch_number, control.line)
    if control.company_id.strip() != header.company_id.strip():
        yield _differs("company_id", "the batch header's", "another", control.line)


def _batch_total_findings(batch: Batch, control: BatchControl) -> Iterator[Finding]:
    count = len(batch.entries) + sum([len(entry.addenda) for entry in batch.entries])
    entry_hash = sum([int(entry.routing[:8]) for entry in batch.entries]) % HASH_MODULUS
    debits = sum([entry.amount_cents for entry in batch.entries if entry.transaction_code in DEBIT_CODES])
    credits_ = sum([entry.amount_cents for entry in batch.entries if entry.transaction_code in CREDIT_CODES])
    for name, computed, said in (
        ("entry_addenda_count", count, control.entry_addenda_count),
        ("entry_hash", entry_hash, control.entry_hash),
        ("debit_total", debits, control.debit_cents),
        ("credit_total", credits_, control.credit_cents),
    ):
        if computed != said:
            yield refusal(f"batch_{name}", f"batch control {name}", computed, said, control.line)


def file_findings(file: FileRecords) -> Iterator[Finding]:
    """Check a file's header, the order of its batches, and its control record against them."""
    if file.header is not None:
        yield from _file_header_findings(file.header)
    for before, after in pairwise(batch.header for batch in file.batches):
        if after.batch_number <= before.batch_number:
            advice = "Each batch is read by itself; nothing is lost by it."
            expected = f"above {before.batch_number}"
            found = after.batch_number
            yield warning("batch_order", "batch header batch_number", expected, found, after.line, advice=advice)
    if file.control is not None and file.is_whole:
        yield from _file_total_findings(file)


def _file_header_findings(header: FileHeader) -> Iterator[Finding]:
    if date_from(header.created_on) is None:
        yield refusal("created_on", "file header created_on", "a real date", header.created_on, header.line)
    if header.created_time.strip() and time_from(header.created_time) is None:
        yield refusal("created_time", "file header created_time", "a real time", header.created_time, header.line)


def _file_total_findings(file: FileRecords) -> Iterator[Finding]:
    control = file.control
    controls = [batch.control for batch in file.batches if batch.control is not None]
    if control is None or len(controls) < len(file.batches):
        return
    for name, computed, said in (
        ("batch_count", len(file.batches), control.batch_count),
        ("block_count", -(-file.record_count // BLOCKING_FACTOR), control.block_count),
        ("entry_addenda_count", sum(each.entry_addenda_count for each in controls), control.entry_addenda_count),
        ("entry_hash", sum(each.entry_hash for each in controls) % HASH_MODULUS, control.entry_hash),
        ("debit_total", sum(each.debit_cents for each in controls), control.debit_cents),
        ("credit_total", sum(each.credit_cents for each in controls), control.credit_cents),
    ):
        if computed != said:
            yield refusal(f"file_{name}", f"file control {name}", computed, said, control.line)


def _differs(name: str, expected: object, found: object, line: int) -> Finding:
    return refusal(f"batch_{name}_agrees", f"batch control {name}", expected, found, line)
