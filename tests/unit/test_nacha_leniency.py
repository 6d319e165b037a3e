"""What a bank does otherwise than the format says is refused, or let through by name and told."""

import io
from pathlib import Path

import pytest

from app.settings import Settings
from payouts.nacha.leniency import Leniency
from payouts.nacha.reader import NachaReading, read_nacha
from schemas.errors import WrongUseError
from schemas.findings import Severity
from tests.support.nacha_files import ANSWER_LINES, FILE_LINES, with_columns

HEADER, BATCH_CONTROL, FILE_CONTROL = 1, 7, 8
SMALL = with_columns(1, 34, "a", with_columns(2, 51, "ccd"))
CASES: list[tuple[Leniency, list[str], list[str]]] = [
    (Leniency.MISSING_FILE_HEADER, FILE_LINES[1:], ["file_header_present"]),
    (Leniency.MISSING_BATCH_CONTROL, [*FILE_LINES[:6], *FILE_LINES[7:]], ["batch_control_present"]),
    (Leniency.MISSING_FILE_CONTROL, FILE_LINES[:7], ["file_control_present"]),
    (Leniency.BLOCK_COUNT, with_columns(FILE_CONTROL, 8, "000002"), ["file_block_count"]),
    (Leniency.BATCH_COUNT, with_columns(FILE_CONTROL, 2, "000007"), ["file_batch_count"]),
    (
        Leniency.ENTRY_COUNT,
        with_columns(BATCH_CONTROL, 5, "000002"),
        ["batch_entry_addenda_count", "file_entry_addenda_count"],
    ),
    (
        Leniency.ENTRY_HASH,
        with_columns(BATCH_CONTROL, 11, "0" * 10),
        ["batch_entry_hash", "file_entry_hash"],
    ),
    (Leniency.TRACE_ORDER, with_columns(5, 80, "091000010000040", with_columns(6, 88, "0000040")), ["trace_order"]),
    (Leniency.ADDENDA_INDICATOR, with_columns(3, 79, "0"), ["addenda_unsaid"]),
    (Leniency.ADDENDA_TRACE, with_columns(4, 88, "0000099"), ["addenda_trace"]),
    (Leniency.CONTROL_COMPANY, with_columns(BATCH_CONTROL, 45, " " * 10), ["batch_company_id_agrees"]),
    (Leniency.COMPANY_NAME, with_columns(2, 5, "0" * 16), ["company_name"]),
    (Leniency.IMPOSSIBLE_DATES, with_columns(HEADER, 24, "261332"), ["created_on"]),
    (Leniency.LOWER_CASE_CODES, SMALL, ["column_shape", "column_shape"]),
]


def reading_of(lines: list[str], *leniency: Leniency) -> NachaReading:
    """Read lines as a file of a bank with these habits."""
    return read_nacha(io.BytesIO("\n".join(lines).encode()), "bank.ach", frozenset(leniency))


def refused(reading: NachaReading) -> list[str]:
    """List the rules that refuse the file."""
    return [finding.rule for finding in reading.findings if finding.severity is Severity.REFUSE]


def test_every_leniency_is_tried() -> None:
    """None is without its case below."""
    assert {case[0] for case in CASES} == set(Leniency)


@pytest.mark.parametrize(("leniency", "lines", "rules"), CASES)
def test_a_habit_is_refused_until_it_is_named(leniency: Leniency, lines: list[str], rules: list[str]) -> None:
    """Refused by default, and with every other leniency too; named, it is a warning that names the leniency."""
    assert set(rules) <= set(refused(reading_of(lines)))
    assert set(rules) <= set(refused(reading_of(lines, *set(Leniency) - {leniency})))
    reading = reading_of(lines, leniency)
    assert refused(reading) == []
    assert any(leniency in finding.advice for finding in reading.findings)
    assert reading.accepted_files()


@pytest.mark.parametrize(
    ("line", "column", "content"),
    [
        (3, 4, "121042883"),
        (3, 30, "0123456788"),
        (3, 2, "99"),
        (BATCH_CONTROL, 33, "000123456789"),
        (FILE_CONTROL, 44, "000123456789"),
        (2, 2, "225"),
        (4, 1, "X"),
        (4, 4, "TRN*2"),
    ],
)
def test_money_and_where_it_goes_is_never_let_through(line: int, column: int, content: str) -> None:
    """Routing number, amount, code, totals, service class, record type, TRN: refused with all leniencies."""
    assert refused(reading_of(with_columns(line, column, content), *Leniency))


def test_small_letters_of_an_answer_are_read_as_capitals() -> None:
    """A reason code r03 becomes R03; the text beside it stays as it is."""
    lines = with_columns(4, 4, "r03", ANSWER_LINES)
    lines = with_columns(4, 36, "see letter", lines)
    assert refused(reading_of(lines)) == ["column_shape"]
    (file,) = reading_of(lines, Leniency.LOWER_CASE_CODES).accepted_files()
    assert file.batches[0].entries[0].addenda[0].text.startswith("R03091000010000041      12104288see letter")


def test_the_habits_of_our_bank_are_a_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Names with commas between; one that does not exist is a wrong setting that lists those that do."""
    monkeypatch.setenv("CENTRALPAY_HOME", str(tmp_path))
    assert Settings.from_environment().bank_leniencies == frozenset()
    monkeypatch.setenv("CENTRALPAY_BANK_LENIENCIES", "trace_order, block_count")
    assert Settings.from_environment().bank_leniencies == {Leniency.TRACE_ORDER, Leniency.BLOCK_COUNT}
    monkeypatch.setenv("CENTRALPAY_BANK_LENIENCIES", "anything")
    with pytest.raises(WrongUseError, match=r"CENTRALPAY_BANK_LENIENCIES: .*'trace_order'"):
        Settings.from_environment()
