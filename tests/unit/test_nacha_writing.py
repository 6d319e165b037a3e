"""NACHA files: what we write, column for column: payments, prenotes, reversals, balanced or not, merged."""

import io
from dataclasses import replace
from typing import Any

import pytest

from payouts.nacha.codes import REVERSAL, LineEnd, TransactionCode
from payouts.nacha.errors import NachaError
from payouts.nacha.models import AchBatch, AchEntry, AchFile, balanced, merge_files
from payouts.nacha.payment import payment_file
from payouts.nacha.reader import read_nacha
from payouts.nacha.writer import nacha_lines, write_nacha
from schemas.identifiers import AbaRouting
from tests.support.nacha_files import BATCH, ENTRY, FILE, FILE_LINES, SAVINGS, cent_batch, reading_of


def test_a_file_is_written_column_for_column() -> None:
    """Header, batch, CCD+ to checking and savings, controls and filler equal the file made by hand."""
    assert write_nacha(FILE).decode("ascii").split("\n") == [*FILE_LINES, ""]


def test_the_file_made_by_hand_is_read_without_a_finding() -> None:
    """The reader agrees with the same hand-made file, and it says the values that were written."""
    reading = reading_of(FILE_LINES)
    assert reading.findings == ()
    assert reading.is_accepted
    assert [payment_file(file) for file in reading.accepted_files()] == [FILE]


def test_every_record_has_94_characters_and_blocks_are_full() -> None:
    """From one entry to eleven, with and without TRN, in two batches: lines of 94, a multiple of ten of them."""
    plain = replace(ENTRY, trn=None)
    for count in range(1, 12):
        entries = tuple(replace(plain, trace_sequence=100 + number) for number in range(count))
        second = replace(BATCH, batch_number=2, entry_description="RX PAYMENT", entries=entries)
        lines = list(nacha_lines(replace(FILE, batches=(BATCH, second))))
        assert {len(line) for line in lines} == {94}
        assert len(lines) % 10 == 0
        assert reading_of(lines).findings == ()


def test_the_entry_hash_keeps_ten_digits() -> None:
    """1,250 entries at routing 80000001 sum to 100,000,001,250: the control says 0000001250."""
    routing = AbaRouting.from_eight("80000001")
    entries = tuple(replace(entry, routing=routing) for entry in cent_batch(1250).entries)
    file = replace(FILE, batches=(replace(BATCH, entries=entries),))
    lines = list(nacha_lines(file))
    control, file_control = next((line, lines[at + 1]) for at, line in enumerate(lines) if line.startswith("8"))
    assert (control[10:20], file_control[21:31]) == ("0000001250", "0000001250")
    assert reading_of(lines).findings == ()


def test_a_routing_number_sends_the_file() -> None:
    """An origin of nine digits stands to the right of its ten columns, as routing numbers do."""
    lines = list(nacha_lines(replace(FILE, origin="091000019")))
    assert lines[0][13:23] == " 091000019"
    assert payment_file(reading_of(lines).files[0]).origin == "091000019"


def test_the_trace_number_is_what_a_return_will_name() -> None:
    """Eight digits of the sending bank, seven of the caller."""
    assert BATCH.trace_number(ENTRY) == "091000010000041"


PRENOTE = replace(ENTRY, amount_cents=0, transaction_code=TransactionCode.CHECKING_PRENOTE, trn=None)
TAKEN_BACK = replace(ENTRY, transaction_code=TransactionCode.CHECKING_DEBIT, trn=None, trace_sequence=51)
REVERSALS = replace(BATCH, entry_description=REVERSAL, entries=(TAKEN_BACK,))


def controls(file: AchFile) -> tuple[str, str, str]:
    """Give service class, debit total and credit total of a file of one batch, as its records say them."""
    lines = list(nacha_lines(file))
    header, control, last = (next(line for line in lines if line[0] == kind) for kind in "589")
    assert header[1:4] == control[1:4]
    assert (control[20:32], control[32:44]) == (last[31:43], last[43:55])
    return header[1:4], control[20:32], control[32:44]


def read_back(file: AchFile) -> AchFile:
    """Write a file, read it without a finding, and give what it says; that writes the same bytes."""
    content = write_nacha(file)
    reading = read_nacha(io.BytesIO(content), "ours.ach")
    assert reading.findings == ()
    (read,) = [payment_file(each) for each in reading.accepted_files()]
    assert write_nacha(read) == content
    return read


def test_a_prenote_is_an_entry_of_nothing() -> None:
    """Code 23 or 33, amount zero, no addenda, with HCCLAIMPMT too; service class 220, totals zero."""
    savings = replace(PRENOTE, transaction_code=TransactionCode.SAVINGS_PRENOTE, trace_sequence=43)
    file = replace(FILE, batches=(replace(BATCH, entries=(PRENOTE, savings)),))
    lines = list(nacha_lines(file))
    assert [line[:3] + line[29:39] for line in lines[2:4]] == ["6230000000000", "6330000000000"]
    assert controls(file) == ("220", "0" * 12, "0" * 12)
    assert read_back(file) == file


def test_a_reversal_debits_what_was_credited() -> None:
    """Code 27 over the whole amount, described as REVERSAL, service class 225, the total on the debit side."""
    file = replace(FILE, batches=(REVERSALS,))
    assert controls(file) == ("225", "000123456789", "0" * 12)
    assert list(nacha_lines(file))[1][53:63] == "REVERSAL  "
    assert read_back(file) == file


@pytest.mark.parametrize(
    ("batch", "service_class", "codes"),
    [(BATCH, "200", ["22", "32", "27"]), (REVERSALS, "200", ["27", "22"])],
)
def test_a_balanced_batch_ends_with_its_offset(batch: AchBatch, service_class: str, codes: list[str]) -> None:
    """Payments of 1,234,567.90 are followed by one debit of that to our own account; reversals by one credit."""
    made = balanced(batch, account_number="000123456789", trace_sequence=60, receiver_name="EXAMPLE PSAO")
    file = replace(FILE, batches=(made,))
    total = f"{batch.credit_cents or batch.debit_cents:012d}"
    assert controls(file) == (service_class, total, total)
    entries = [line for line in nacha_lines(file) if line[0] == "6"]
    assert [line[1:3] for line in entries] == codes
    assert entries[-1][3:29] == "091000019000123456789     "
    assert read_back(file) == file
    with pytest.raises(NachaError) as refused:
        balanced(made, account_number="000123456789", trace_sequence=61, receiver_name="EXAMPLE PSAO")
    assert refused.value.field == "entries"


def test_a_batch_of_prenotes_has_nothing_to_balance() -> None:
    """An offset of nothing is refused by its amount."""
    batch = replace(BATCH, entries=(PRENOTE,))
    with pytest.raises(NachaError) as refused:
        balanced(batch, account_number="000123456789", trace_sequence=60, receiver_name="EXAMPLE PSAO")
    assert refused.value.field == "amount_cents"


@pytest.mark.parametrize(
    ("description", "entries"),
    [
        ("RX PAYMENT", (ENTRY, replace(TAKEN_BACK, amount_cents=1))),
        ("RX PAYMENT", (replace(TAKEN_BACK, trace_sequence=1), ENTRY)),
        ("RX PAYMENT", (TAKEN_BACK,)),
        (REVERSAL, (ENTRY,)),
        (REVERSAL, (TAKEN_BACK, replace(SAVINGS, trace_sequence=60))),
        (REVERSAL, (PRENOTE, TAKEN_BACK)),
        (REVERSAL, (TAKEN_BACK, replace(PRENOTE, trace_sequence=60))),
    ],
)
def test_debits_are_reversals_or_one_offset(description: str, entries: tuple[AchEntry, ...]) -> None:
    """A debit among payments that is not their total, a credit among reversals, a prenote there: all refused."""
    with pytest.raises(NachaError) as refused:
        replace(BATCH, entry_description=description, entries=entries)
    assert refused.value.field == "entries"


def test_reversal_is_written_in_capitals() -> None:
    """Receiving banks look for the word as the rules write it."""
    with pytest.raises(NachaError) as refused:
        replace(REVERSALS, entry_description="Reversal")
    assert refused.value.field == "entry_description"


def test_batches_of_several_companies_go_in_one_file() -> None:
    """Each batch has its own company, description and day; counts, hash and totals are those of all."""
    other = replace(
        BATCH,
        batch_number=2,
        company_name="ANOTHER PSAO",
        company_id="1888888888",
        entry_description="RX PAYMENT",
        entries=(replace(ENTRY, trn=None, trace_sequence=90, amount_cents=1_00),),
    )
    taken_back = replace(REVERSALS, batch_number=3)
    file = replace(FILE, batches=(BATCH, other, taken_back))
    assert (file.credit_cents, file.debit_cents) == (1_234_567_90 + 1_00, 1_234_567_89)
    assert read_back(file) == file


def test_lines_end_as_the_bank_wants_them() -> None:
    """CR LF in place of LF: the same records, and the reader does not mind."""
    content = write_nacha(FILE, LineEnd.CRLF)
    assert content == write_nacha(FILE).replace(b"\n", b"\r\n")
    reading = read_nacha(io.BytesIO(content), "ours.ach")
    assert reading.findings == ()
    assert [payment_file(file) for file in reading.accepted_files()] == [FILE]


def test_merged_files_keep_their_traces() -> None:
    """Batches are numbered anew in the order of the files, traces stay, totals and counts are summed."""
    later = replace(BATCH, entries=(replace(ENTRY, trace_sequence=77),))
    files = [FILE, replace(FILE, id_modifier="B", batches=(later, replace(REVERSALS, batch_number=7)))]
    merged = merge_files(files, id_modifier="C")
    assert [batch.batch_number for batch in merged.batches] == [1, 2, 3]
    assert [entry.trace_sequence for batch in merged.batches for entry in batch.entries] == [41, 42, 77, 51]
    assert merged.credit_cents == sum(file.credit_cents for file in files)
    assert merged.debit_cents == sum(file.debit_cents for file in files)
    assert merged.entry_addenda_count == 4 + 2 + 1
    assert (merged.id_modifier, merged.created_on) == ("C", FILE.created_on)
    assert read_back(merged) == merged


@pytest.mark.parametrize(
    ("field", "others"),
    [
        ("files", None),
        ("origin", {"origin": "1888888888"}),
        ("destination", {"destination": AbaRouting("121042882")}),
        ("trace_sequence", {"id_modifier": "B"}),
    ],
)
def test_files_that_do_not_belong_together_are_not_merged(field: str, others: dict[str, Any] | None) -> None:
    """None at all, another sender, another bank, the same trace numbers."""
    files = [] if others is None else [FILE, replace(FILE, **others)]
    with pytest.raises(NachaError) as refused:
        merge_files(files, id_modifier="C")
    assert refused.value.field == field


def test_a_merge_keeps_the_limits() -> None:
    """Two files that fit do not fit together when their credits need thirteen digits."""
    large = [
        replace(BATCH, entries=tuple(replace(ENTRY, amount_cents=10**10 - 1, trace_sequence=n) for n in numbers))
        for numbers in (range(1, 61), range(61, 121))
    ]
    files = [replace(FILE, batches=(batch,)) for batch in large]
    with pytest.raises(NachaError) as refused:
        merge_files(files, id_modifier="C")
    assert refused.value.field == "credit_cents"
