"""NACHA files: what a reader finds on which line, and what it mends."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import time

import pytest

from payouts.nacha.errors import NachaError
from payouts.nacha.lines import FILE_BYTES_LIMIT
from payouts.nacha.payment import payment_file
from payouts.nacha.reader import read_nacha
from payouts.nacha.writer import nacha_lines
from schemas.errors import UnreadableError
from schemas.findings import Severity
from tests.support.nacha_files import (
    ANSWER_LINES,
    FILE,
    FILE_LINES,
    reading_of,
    rules,
    with_columns,
)


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
        (3, 79, "0", "addenda_unsaid"),
        (3, 2, "23", "amount_zero"),
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
    """A mixed batch foots debits and credits apart; where the debit is no offset of the whole it can not be ours."""
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
    assert refused.value.field == "entries"


def test_credits_called_mixed_are_not_ours() -> None:
    """Service class 200 over credits alone foots, but we would write 220: it is no file of ours."""
    reading = reading_of(with_columns(7, 2, "200", with_columns(2, 2, "200")))
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
