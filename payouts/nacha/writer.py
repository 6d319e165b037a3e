"""Write a NACHA file: records of 94 ASCII characters, each on its line, filled up to whole blocks of ten.

Source: Nacha Operating Rules, Appendix Three. The values come checked (``models``); here they only get their columns.
"""

from collections.abc import Iterator

from payouts.nacha.codes import BLOCKING_FACTOR, FILLER, OWN_ENTRY_CLASS, AddendaType, LineEnd
from payouts.nacha.models import AchBatch, AchFile


def write_nacha(file: AchFile, line_end: LineEnd = LineEnd.LF) -> bytes:
    """Give the whole file as bytes, each line ended as the bank wants it."""
    lines = [*nacha_lines(file), ""]
    return line_end.characters.join(lines).encode("ascii")


def nacha_lines(file: AchFile) -> Iterator[str]:
    """Yield the records in order, filler included, without line ends."""
    yield _file_header(file)
    records = 2
    for batch in file.batches:
        yield _batch_header(batch)
        yield from _entries(batch)
        yield _batch_control(batch)
        records += 2 + batch.entry_addenda_count
    yield _file_control(file)
    for _ in range(-records % BLOCKING_FACTOR):
        yield FILLER


def _file_header(file: AchFile) -> str:
    return (
        f"101 {file.destination}{file.origin:>10}{file.created_on:%y%m%d}{file.created_time:%H%M}{file.id_modifier}"
        f"094101{file.destination_name:<23}{file.origin_name:<23}{file.reference_code:<8}"
    )


def _batch_header(batch: AchBatch) -> str:
    settlement = "   "  # the operator fills it in
    return (
        f"5{batch.service_class}{batch.company_name:<16}{batch.discretionary_data:<20}{batch.company_id:<10}"
        f"{OWN_ENTRY_CLASS}{batch.entry_description:<10}{batch.descriptive_date:<6}"
        f"{batch.effective_entry_date:%y%m%d}{settlement}1{batch.odfi[:8]}{batch.batch_number:07d}"
    )


def _entries(batch: AchBatch) -> Iterator[str]:
    """Yield entries and addenda. This is where a file's time goes: one format for each record."""
    odfi = batch.odfi[:8]
    for entry in batch.entries:
        sequence = f"{entry.trace_sequence:07d}"
        trn = entry.trn
        yield (
            f"6{entry.transaction_code}{entry.routing}{entry.account_number:<17}{entry.amount_cents:010d}"
            f"{entry.identification:<15}{entry.receiver_name:<22}  {'0' if trn is None else '1'}{odfi}{sequence}"
        )
        if trn is not None:
            yield f"7{AddendaType.PAYMENT}{trn.text:<80}0001{sequence}"


def _batch_control(batch: AchBatch) -> str:
    return (
        f"8{batch.service_class}{batch.entry_addenda_count:06d}{batch.entry_hash:010d}{batch.debit_cents:012d}"
        f"{batch.credit_cents:012d}{batch.company_id:<10}{'':25}{batch.odfi[:8]}{batch.batch_number:07d}"
    )


def _file_control(file: AchFile) -> str:
    return (
        f"9{len(file.batches):06d}{file.block_count:06d}{file.entry_addenda_count:08d}{file.entry_hash:010d}"
        f"{file.debit_cents:012d}{file.credit_cents:012d}{'':39}"
    )
