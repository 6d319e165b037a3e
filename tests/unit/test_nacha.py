"""NACHA files: what we write, column for column; what is refused by name; what a reader finds on which line."""

import io
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from datetime import date, time, timedelta, timezone
from typing import Any

import pytest

from payouts.nacha.codes import TransactionCode
from payouts.nacha.errors import NachaError
from payouts.nacha.lines import FILE_BYTES_LIMIT
from payouts.nacha.models import FILE_ID_MODIFIERS, AchBatch, AchEntry, AchFile
from payouts.nacha.payment import payment_file
from payouts.nacha.reader import NachaReading, read_nacha
from payouts.nacha.text import fit_receiver_name
from payouts.nacha.trn import Trn
from payouts.nacha.writer import nacha_lines, write_nacha
from schemas.errors import RefusedError, UnreadableError
from schemas.findings import Severity
from schemas.identifiers import AbaRouting, PayerId

TRN = Trn(trace_number="CP20260703-0000001", originator=PayerId("1999999999"))
ENTRY = AchEntry(
    routing=AbaRouting("121042882"),
    account_number="000123-4567",
    amount_cents=1_234_567_89,
    receiver_name="MAIN STREET PHARMACY",
    identification="3912345",
    trace_sequence=41,
    trn=TRN,
)
SAVINGS = AchEntry(
    routing=AbaRouting("231380104"),
    account_number="98765432109876543",
    amount_cents=1,
    receiver_name="O'NEIL & SONS RX #2",
    identification="0512345",
    trace_sequence=42,
    transaction_code=TransactionCode.SAVINGS_CREDIT,
    trn=Trn(trace_number="CP20260703-0000002", originator=PayerId("1999999999"), terminator="\\"),
)
BATCH = AchBatch(
    batch_number=1,
    company_name="EXAMPLE PSAO",
    company_id="1999999999",
    odfi=AbaRouting("091000019"),
    effective_entry_date=date(2026, 7, 6),
    descriptive_date="JUL 03",
    entries=(ENTRY, SAVINGS),
)
FILE = AchFile(
    destination=AbaRouting("091000019"),
    origin="1999999999",
    destination_name="EXAMPLE BANK",
    origin_name="EXAMPLE PSAO",
    created_on=date(2026, 7, 3),
    created_time=time(9, 5),
    id_modifier="A",
    reference_code="CYCLE 7",
    batches=(BATCH,),
)
# The same file by hand, field by field from the record formats.
FILE_LINES = [
    "101 09100001919999999992607030905A094101EXAMPLE BANK           EXAMPLE PSAO           CYCLE 7 ",
    "5220EXAMPLE PSAO                        1999999999CCDHCCLAIMPMTJUL 03260706   1091000010000001",
    "622121042882000123-4567      01234567893912345        MAIN STREET PHARMACY    1091000010000041",
    "705TRN*1*CP20260703-0000001*1999999999~" + " " * 44 + "00010000041",
    "63223138010498765432109876543" + "00000000010512345        O'NEIL & SONS RX #2     1091000010000042",
    "705TRN*1*CP20260703-0000002*1999999999\\" + " " * 44 + "00010000042",
    "82200000040035242298000000000000000123456790" + "1999999999" + " " * 25 + "091000010000001",
    "9000001000001000000040035242298000000000000000123456790" + " " * 39,
    "9" * 94,
    "9" * 94,
]
# A return of our own entry 41 and a notification of change for entry 42, as a bank would send them.
ANSWER_LINES = [
    "1011999999999 0910000192607080410A094101EXAMPLE PSAO           EXAMPLE BANK                   ",
    "5220EXAMPLE PSAO                        1999999999CCDHCCLAIMPMT      260706   1121042880000001",
    "621121042882000123-4567      01234567893912345        MAIN STREET PHARMACY    1121042880000007",
    "799R03091000010000041      12104288" + " " * 44 + "121042880000007",
    "82200000020012104288000000000000000123456789" + "1999999999" + " " * 25 + "121042880000001",
    "5220EXAMPLE PSAO                        1999999999CORHCCLAIMPMT      000000   1231380100000002",
    "63123138010498765432109876543" + "00000000000512345        O'NEIL & SONS RX #2     1231380100000008",
    "798C01091000010000042      231380101918171614" + " " * 34 + "231380100000008",
    "82200000020023138010000000000000000000000000" + "1999999999" + " " * 25 + "231380100000002",
    "9000002000001000000040035242298000000000000000123456789" + " " * 39,
]


def cent_batch(count: int) -> AchBatch:
    """Make a batch of so many entries of one cent, each with its TRN."""
    entries = tuple(replace(ENTRY, amount_cents=1, trace_sequence=number) for number in range(1, count + 1))
    return replace(BATCH, entries=entries)


def reading_of(lines: list[str], end: str = "\n") -> NachaReading:
    """Read lines as a file."""
    return read_nacha(io.BytesIO("".join(line + end for line in lines).encode("latin-1")), "test.ach")


def with_columns(number: int, first: int, content: str, lines: list[str] | None = None) -> list[str]:
    """Give the lines with other content from a column on; line and column count from 1."""
    changed = list(FILE_LINES if lines is None else lines)
    line = changed[number - 1]
    changed[number - 1] = line[: first - 1] + content + line[first - 1 + len(content) :]
    return changed


def rules(reading: NachaReading, severity: Severity = Severity.REFUSE) -> list[tuple[str, int | None]]:
    """List rule and line of the findings that weigh so much."""
    return [(finding.rule, finding.line) for finding in reading.findings if finding.severity is severity]


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


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("account_number", ""),
        ("account_number", "123456789012345678"),
        ("account_number", "12 34"),
        ("account_number", "0000-00"),
        ("account_number", "12É4"),
        ("amount_cents", 0),
        ("amount_cents", -1),
        ("amount_cents", 10**10),
        ("receiver_name", ""),
        ("receiver_name", "N" * 23),
        ("receiver_name", "CAFÉ PHARMACY"),
        ("receiver_name", "MAIN\tSTREET"),
        ("receiver_name", " MAIN STREET"),
        ("identification", "1" * 16),
        ("identification", ""),
        ("identification", "391\n345"),
        ("trace_sequence", 0),
        ("trace_sequence", 10**7),
    ],
)
def test_an_entry_that_does_not_fit_is_refused_by_field(field: str, value: object) -> None:
    """Too long, illegal, empty, beyond the columns: the error names entry and field; nothing is cut or replaced."""
    with pytest.raises(NachaError) as refused:
        replace(ENTRY, **{field: value})  # type: ignore[arg-type]
    assert refused.value.field == field
    assert field in str(refused.value)
    assert isinstance(refused.value, RefusedError)


@pytest.mark.parametrize("digits", ["123456789012345678", "98765/4321"])
def test_no_account_number_is_in_an_error_or_a_repr(digits: str) -> None:
    """What is wrong with an account number is said without it; a printed entry or batch does not show it either."""
    with pytest.raises(NachaError) as refused:
        replace(ENTRY, account_number=digits)
    assert digits not in str(refused.value)
    assert ENTRY.account_number not in repr(FILE) + repr(ENTRY)
    assert ENTRY.account_number not in repr(reading_of(FILE_LINES))


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("batch_number", {"batch_number": 0}),
        ("batch_number", {"batch_number": 10**7}),
        ("company_name", {"company_name": "A NAME TOO LONG 4"}),
        ("company_name", {"company_name": "0000000000000000"}),
        ("company_name", {"company_name": ""}),
        ("company_id", {"company_id": "19999999990"}),
        ("company_id", {"company_id": ""}),
        ("entry_description", {"entry_description": "HCCLAIMPMT1"}),
        ("descriptive_date", {"descriptive_date": "2026-07"}),
        ("discretionary_data", {"discretionary_data": "X" * 21}),
        ("effective_entry_date", {"effective_entry_date": date(2026, 7, 4)}),
        ("effective_entry_date", {"effective_entry_date": date(2026, 9, 7)}),
        ("effective_entry_date", {"effective_entry_date": date(1999, 7, 6)}),
        ("entries", {"entries": ()}),
        ("trace_sequence", {"entries": (SAVINGS, ENTRY)}),
        ("trace_sequence", {"entries": (ENTRY, ENTRY)}),
        ("trn", {"entries": (replace(ENTRY, trn=None),)}),
        ("trn", {"entries": (replace(ENTRY, trn=None),), "entry_description": "HCClaimPmt"}),
        ("credit_cents", {"entries": (replace(ENTRY, amount_cents=10**10 - 1),) * 101}),
        ("entry_addenda_count", {"entries": (replace(ENTRY, amount_cents=1),) * 500_000}),
    ],
)
def test_a_batch_that_does_not_fit_is_refused_by_field(field: str, change: dict[str, Any]) -> None:
    """Too long, no banking day, traces that do not ascend, HCCLAIMPMT without TRN, totals and counts that overflow."""
    with pytest.raises(NachaError) as refused:
        replace(BATCH, **change)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("origin", {"origin": "19999999990"}),
        ("origin", {"origin": ""}),
        ("destination_name", {"destination_name": "D" * 24}),
        ("origin_name", {"origin_name": "O" * 24}),
        ("reference_code", {"reference_code": "CYCLE 007"}),
        ("created_on", {"created_on": date(2100, 1, 4)}),
        ("created_time", {"created_time": time(9, 5, 1)}),
        ("created_time", {"created_time": time(9, 5, tzinfo=timezone(timedelta(hours=-5)))}),
        ("id_modifier", {"id_modifier": "a"}),
        ("id_modifier", {"id_modifier": ""}),
        ("id_modifier", {"id_modifier": "AB"}),
        ("batches", {"batches": ()}),
        ("batches", {"batches": (BATCH,) * 1_000_000}),
        ("batch_number", {"batches": (BATCH, BATCH)}),
        ("trace_sequence", {"batches": (BATCH, replace(BATCH, batch_number=2))}),
        ("credit_cents", {"batches": (BATCH,) * 8_101}),
        ("block_count", {"batches": (cent_batch(50),) * 100_000}),
        ("entry_addenda_count", {"batches": (cent_batch(500),) * 100_000}),
    ],
)
def test_a_file_that_does_not_fit_is_refused_by_field(field: str, change: dict[str, Any]) -> None:
    """Too long, finer than minutes, no modifier, batch numbers or traces twice, totals and counts that overflow."""
    with pytest.raises(NachaError) as refused:
        replace(FILE, **change)
    assert refused.value.field == field


def test_values_are_frozen() -> None:
    """What was checked cannot be changed afterwards."""
    with pytest.raises(FrozenInstanceError):
        ENTRY.amount_cents = 5  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        BATCH.credit_cents = 5  # type: ignore[misc]


def test_all_modifiers_are_taken_in_order() -> None:
    """36 files of a day: A to Z, then 0 to 9."""
    files = [replace(FILE, id_modifier=modifier) for modifier in FILE_ID_MODIFIERS]
    assert "".join(file.id_modifier for file in files) == "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


@pytest.mark.parametrize(
    ("name", "text", "was_cut"),
    [
        ("MAIN STREET PHARMACY", "MAIN STREET PHARMACY", False),
        ("  MAIN STREET PHARMACY ", "MAIN STREET PHARMACY", False),
        ("EXACTLY TWENTY-TWO CH.", "EXACTLY TWENTY-TWO CH.", False),
        ("MAIN STREET PHARMACY OF SPRINGFIELD", "MAIN STREET PHARMACY O", True),
        ("MAIN STREET PHARMACIE OF SPRINGFIELD", "MAIN STREET PHARMACIE", True),
        ("", "", False),
    ],
)
def test_a_receiver_name_is_cut_and_the_caller_is_told(name: str, text: str, was_cut: bool) -> None:
    """22 characters stay, no blank at the end; blanks at the ends are no loss."""
    assert fit_receiver_name(name) == (text, was_cut)


def test_the_longest_trn_fits_its_addenda() -> None:
    """Thirty characters, the payer and thirty more: 79 of 80."""
    longest = Trn(trace_number="T" * 30, originator=PayerId("1999999999"), reference="R" * 30)
    assert len(longest.text) == 79
    assert Trn.from_text(longest.text) == longest


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("trace_number", {"trace_number": ""}),
        ("trace_number", {"trace_number": "T" * 31}),
        ("trace_number", {"trace_number": "A*B"}),
        ("trace_number", {"trace_number": "A~B"}),
        ("trace_number", {"trace_number": "A\\B"}),
        ("trace_number", {"trace_number": "A\nB"}),
        ("trace_number", {"trace_number": "É"}),
        ("trace_number", {"trace_number": " A"}),
        ("trace_number", {"trace_number": "A "}),
        ("reference", {"reference": "R" * 31}),
        ("reference", {"reference": "A*B"}),
        ("terminator", {"terminator": "|"}),
        ("terminator", {"terminator": ""}),
    ],
)
def test_a_trn_that_does_not_fit_is_refused_by_field(field: str, change: dict[str, str]) -> None:
    """Elements of 1 to 30 characters without delimiters; ~ or backslash at the end."""
    with pytest.raises(NachaError) as refused:
        replace(TRN, **change)  # type: ignore[arg-type]
    assert refused.value.field == field


@pytest.mark.parametrize(
    "text",
    [
        "",
        "TRN*1*ABC*1999999999",
        "TRN*2*ABC*1999999999~",
        "TRN*1*ABC*999999999~",
        "TRN*1*ABC*2999999999~",
        "TRN*1**1999999999~",
        "TRN*1*ABC*1999999999*~",
        "TRN*1*ABC*1999999999~TRN*1*DEF*1999999999~",
        "trn*1*ABC*1999999999~",
    ],
)
def test_text_that_is_not_one_trn_is_refused(text: str) -> None:
    """No terminator, another reference qualifier, no payer, empty elements, two segments: none is a TRN."""
    with pytest.raises(NachaError):
        Trn.from_text(text)


@pytest.mark.parametrize(
    ("line", "column", "content", "rule"),
    [
        (1, 2, "02", "column_shape"),
        (1, 24, "260732", "created_on"),
        (1, 24, "26O703", "column_shape"),
        (1, 30, "2460", "created_time"),
        (1, 34, "a", "column_shape"),
        (1, 35, "095", "column_shape"),
        (1, 38, "20", "column_shape"),
        (2, 2, "225", "transaction_code"),
        (2, 2, "230", "service_class"),
        (2, 5, " " * 16, "company_name"),
        (2, 41, "2", "batch_company_id_agrees"),
        (2, 51, "IAT", "entry_class"),
        (2, 70, "260231", "effective_date"),
        (2, 80, "09100002", "batch_odfi_agrees"),
        (2, 88, "0000002", "batch_batch_number_agrees"),
        (3, 2, "27", "transaction_code"),
        (3, 2, "99", "transaction_code"),
        (3, 4, "121042883", "routing_number"),
        (3, 4, "000000000", "routing_number"),
        (3, 13, " " * 17, "account_number"),
        (3, 13, "0" * 17, "account_number"),
        (3, 30, "0000000000", "amount_positive"),
        (3, 30, "000000O001", "column_shape"),
        (3, 79, "0", "addenda_indicator"),
        (3, 79, "2", "column_shape"),
        (3, 80, "09100002", "trace_odfi"),
        (5, 88, "0000041", "trace_order"),
        (4, 2, "03", "addenda_type"),
        (4, 4, "TRN*2", "trn_present"),
        (4, 84, "0002", "addenda_sequence"),
        (4, 88, "0000042", "addenda_trace"),
        (7, 2, "200", "batch_service_class_agrees"),
        (7, 5, "000003", "batch_entry_addenda_count"),
        (7, 11, "0035242299", "batch_entry_hash"),
        (7, 21, "000000000001", "batch_debit_total"),
        (7, 33, "000123456789", "batch_credit_total"),
        (8, 2, "000002", "file_batch_count"),
        (8, 8, "000002", "file_block_count"),
        (8, 14, "00000005", "file_entry_addenda_count"),
        (8, 22, "0035242299", "file_entry_hash"),
        (8, 32, "000000000001", "file_debit_total"),
        (8, 44, "000123456789", "file_credit_total"),
        (4, 1, "X", "record_type"),
        (3, 60, "É", "characters"),
    ],
)
def test_each_wrong_column_is_found(line: int, column: int, content: str, rule: str) -> None:
    """One wrong value in a good file is found by its own rule, and the file is refused."""
    reading = reading_of(with_columns(line, column, content))
    assert rule in [found for found, _ in rules(reading)]
    assert not reading.is_accepted
    with pytest.raises(UnreadableError) as refused:
        reading.accepted_files()
    assert rule in [finding.rule for finding in refused.value.findings]


def test_a_finding_says_line_element_expected_and_found() -> None:
    """A total that does not foot is told with its line, both figures, and what to do."""
    reading = reading_of(with_columns(7, 33, "000123456789"))
    finding = next(finding for finding in reading.findings if finding.rule == "batch_credit_total")
    assert (finding.line, finding.element) == (7, "batch control credit_total")
    assert (finding.expected, finding.found) == ("123456790", "123456789")
    assert finding.advice


def test_text_in_the_wrong_place_is_never_shown() -> None:
    """When columns have slipped, a name may stand where digits belong: the finding only says how long it is."""
    reading = reading_of(with_columns(3, 30, "JOHN DOE".rjust(10)))
    assert ("column_shape", 3) in rules(reading)
    assert "DOE" not in " ".join(finding.sentence() for finding in reading.findings)


@pytest.mark.parametrize(
    ("removed", "rule"),
    [
        (1, "file_header_present"),
        (2, "entry_place"),
        (3, "addenda_place"),
        (4, "addenda_indicator"),
        (7, "batch_control_present"),
        (8, "file_control_present"),
    ],
)
def test_a_missing_record_is_found(removed: int, rule: str) -> None:
    """A file that lost a record is refused, whichever it was."""
    reading = reading_of([line for number, line in enumerate(FILE_LINES, 1) if number != removed])
    assert rule in [found for found, _ in rules(reading)]


def test_two_addenda_are_one_too_many() -> None:
    """CCD has at most one addenda to an entry."""
    lines = [*FILE_LINES[:4], FILE_LINES[3][:83] + "00020000041", *FILE_LINES[4:]]
    assert ("addenda_count", 3) in rules(reading_of(lines))


def test_a_cut_off_file_is_refused_at_every_line() -> None:
    """Wherever the transfer stopped before the file control, the reading is refused and nothing is raised."""
    for kept in range(1, 8):
        reading = reading_of(FILE_LINES[:kept])
        assert ("file_control_present", kept) in rules(reading)


def lines_without_ends(lines: list[str]) -> bytes:
    """Run all records together."""
    return "".join(lines).encode()


def lines_stripped(lines: list[str]) -> bytes:
    """Lose the blanks at line ends, as some mailboxes do."""
    return "\n".join(line.rstrip() for line in lines).encode()


@pytest.mark.parametrize(
    ("travel", "warned"),
    [
        (lambda lines: "\r\n".join(lines).encode() + b"\r\n", set()),
        (lambda lines: "\n".join(lines).encode(), set()),
        (lambda lines: "\n".join(lines).encode() + b"\n\x1a", set()),
        (lambda lines: ("\n\n".join(lines)).encode(), {"line_blank"}),
        (lines_without_ends, {"line_ends"}),
        (lines_stripped, {"line_length"}),
        (lambda lines: "\n".join(lines[:8]).encode(), {"filler"}),
        (lambda lines: "\n".join(line + "  " for line in lines).encode(), {"line_length"}),
    ],
)
def test_what_a_journey_does_to_a_file_is_mended(travel: Callable[[list[str]], bytes], warned: set[str]) -> None:
    """CR LF, no line ends, stripped or added blanks, blank lines, no filler: the same values, and a warning."""
    reading = read_nacha(io.BytesIO(travel(FILE_LINES)), "travelled.ach")
    assert [payment_file(file) for file in reading.accepted_files()] == [FILE]
    assert {finding.rule for finding in reading.findings} == warned


def test_several_files_in_one_are_told_apart() -> None:
    """A bank may send files end to end; each has its own header, control and sums."""
    other = replace(FILE, id_modifier="B", created_time=time(16, 45))
    reading = reading_of([*FILE_LINES, *nacha_lines(other)])
    assert reading.findings == ()
    assert [payment_file(file) for file in reading.accepted_files()] == [FILE, other]


def test_a_file_without_batches_is_read() -> None:
    """Header and a control of zeros: a day without returns."""
    reading = reading_of([FILE_LINES[0], "9000000000001" + "0" * 42 + " " * 39, *["9" * 94] * 8])
    assert reading.findings == ()
    assert [file.batches for file in reading.accepted_files()] == [()]


@pytest.mark.parametrize("content", [b"", b"\r\n\r\n", b" " * 94])
def test_an_empty_file_is_a_warning(content: bytes) -> None:
    """Banks send files of nothing: no file in it, accepted with a word about it."""
    reading = read_nacha(io.BytesIO(content), "empty.ach")
    assert reading.accepted_files() == ()
    assert "file_empty" in [finding.rule for finding in reading.findings]


@pytest.mark.parametrize(
    "content",
    [
        b"ISA*00*          *00*",
        b"a,b,c\n1,2,3\n",
        b"\x00\xff" * 5000,
        b"%PDF-1.7\n" * 3,
        ("9" * 94 + "\n").encode() * 4,
    ],
)
def test_what_is_no_nacha_file_is_unreadable(content: bytes) -> None:
    """Not one record: an error with its findings instead of a reading."""
    with pytest.raises(UnreadableError) as refused:
        read_nacha(io.BytesIO(content), "other.txt")
    assert refused.value.findings


def test_a_file_beyond_the_limit_is_unreadable() -> None:
    """Memory is bounded: more than 24 MiB is not even cut into lines."""
    with pytest.raises(UnreadableError) as refused:
        read_nacha(io.BytesIO(bytes(FILE_BYTES_LIMIT + 1)), "huge.ach")
    assert refused.value.findings[0].rule == "file_size"


def test_returns_and_changes_are_read_as_entries() -> None:
    """Addenda 99 and 98 keep their text, the control sums hold, and such a file is no payment file of ours."""
    reading = reading_of(ANSWER_LINES)
    assert rules(reading) == []
    assert rules(reading, Severity.WARN) == [("effective_date", 6)]
    (file,) = reading.accepted_files()
    returned, changed = file.batches[0].entries[0], file.batches[1].entries[0]
    assert returned.is_answer
    assert changed.is_answer
    assert (returned.amount_cents, returned.addenda[0].text[:18]) == (1_234_567_89, "R03091000010000041")
    assert (changed.amount_cents, changed.addenda[0].text[:18]) == (0, "C01091000010000042")
    with pytest.raises(NachaError):
        payment_file(file)


def test_debits_are_read_and_are_not_ours() -> None:
    """A mixed batch foots debits and credits apart; it cannot become a payment file."""
    lines = with_columns(2, 2, "200")
    lines = with_columns(2, 54, "RX PAYMENT", lines)
    lines = with_columns(5, 2, "37", lines)
    lines = with_columns(7, 2, "200", lines)
    lines = with_columns(7, 21, "000000000001000123456789", lines)
    lines = with_columns(8, 32, "000000000001000123456789", lines)
    reading = reading_of(lines)
    assert reading.findings == ()
    with pytest.raises(NachaError) as refused:
        payment_file(reading.accepted_files()[0])
    assert refused.value.field == "service_class"


def test_records_of_a_class_that_is_not_read_are_passed_over() -> None:
    """An IAT batch is one finding; its records and the file's sums bring no others, the next batch is read."""
    header = FILE_LINES[1][:50] + "IAT" + FILE_LINES[1][53:]
    foreign = [header, "6" + "X" * 93, "710" + "X" * 91, FILE_LINES[6]]
    reading = reading_of([FILE_LINES[0], *foreign, *FILE_LINES[1:8], *["9" * 94] * 8])
    assert rules(reading) == [("entry_class", 2)]
    assert [len(batch.entries) for batch in reading.files[0].batches] == [2]


def test_findings_are_bounded() -> None:
    """A file with a hundred thousand wrong lines gives a thousand findings and a count of the rest."""
    reading = reading_of([FILE_LINES[0], *["X" * 94] * 100_000])
    assert len(reading.findings) == 1001
    assert reading.findings[-1].rule == "findings_cut"
