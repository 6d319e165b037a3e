"""Answers of banks, every field at its position: returns, notifications of change, dishonored and contested returns."""

from datetime import date

import pytest

from payouts.nacha.answers import (
    Answer,
    ChangeAddenda,
    ContestedAddenda,
    DishonoredAddenda,
    ReturnAddenda,
    read_answer,
)
from payouts.nacha.errors import NachaError
from payouts.nacha.records import Entry
from schemas.findings import Severity
from tests.support.nacha_files import ANSWER_LINES, FILE_LINES, reading_of, rules, with_columns

OURS, ITS = "091000010000041", "121042880000007"
RETURN = f"799R15{OURS}26063012104288{'ESTATE OF THE OWNER':<44}{ITS}"
CHANGE = f"798C03{OURS}{'':6}12104288{'021000021   000987654321':<29}{'':15}{ITS}"
REFUSED = f"798C65{OURS}{'':6}12104288{'1918171614':<29}{'C010000007':<15}{ITS}"
DISHONORED = f"799R68{OURS}{'':6}12104288{'':3}12104288000000518903{'LATE BY A DAY':<21}{ITS}"
CONTESTED = f"799R73{OURS}2607081210428818712104288000000518903091000010000099190681{ITS}".replace("681", "68 ")


def answer_lines(addenda: str) -> list[str]:
    """Give a bank's file whose first entry has this addenda."""
    assert len(addenda) == 94
    return [*ANSWER_LINES[:3], addenda, *ANSWER_LINES[4:]]


def answered(addenda: str) -> Entry:
    """Read a bank's file whose first entry has this addenda, and give that entry."""
    reading = reading_of(answer_lines(addenda))
    assert rules(reading) == []
    return reading.accepted_files()[0].batches[0].entries[0]


@pytest.mark.parametrize(
    ("addenda", "answer"),
    [
        (
            RETURN,
            ReturnAddenda(
                line=4,
                code="R15",
                original_trace=OURS,
                date_of_death=date(2026, 6, 30),
                original_rdfi="12104288",
                information="ESTATE OF THE OWNER",
                trace=ITS,
            ),
        ),
        (
            CHANGE,
            ChangeAddenda(
                line=4,
                code="C03",
                original_trace=OURS,
                original_rdfi="12104288",
                corrected_data="021000021   000987654321     ",
                trace=ITS,
            ),
        ),
        (
            REFUSED,
            ChangeAddenda(
                line=4,
                code="C65",
                original_trace=OURS,
                original_rdfi="12104288",
                corrected_data="1918171614                   ",
                refused="C010000007",
                trace=ITS,
            ),
        ),
        (
            DISHONORED,
            DishonoredAddenda(
                line=4,
                code="R68",
                original_trace=OURS,
                original_rdfi="12104288",
                return_trace="121042880000005",
                return_settlement_day="189",
                return_code="R03",
                information="LATE BY A DAY",
                trace=ITS,
            ),
        ),
        (
            CONTESTED,
            ContestedAddenda(
                line=4,
                code="R73",
                original_trace=OURS,
                original_returned_on=date(2026, 7, 8),
                original_rdfi="12104288",
                original_settlement_day="187",
                return_trace="121042880000005",
                return_settlement_day="189",
                return_code="R03",
                dishonored_trace="091000010000099",
                dishonored_settlement_day="190",
                dishonored_code="R68",
                trace=ITS,
            ),
        ),
    ],
)
def test_each_answer_is_read_field_by_field(addenda: str, answer: Answer) -> None:
    """The columns of each kind, put together by hand from the record formats, come out under their names."""
    assert read_answer(answered(addenda)) == answer


@pytest.mark.parametrize("code", ["R03", "R17", "R60", "R78", "R99", "Q12"])
def test_a_code_that_nobody_knows_is_a_return(code: str) -> None:
    """What dishonors is R61 to R70, what contests R71 to R77; every other code is kept as the code of a return."""
    answer = read_answer(answered(RETURN[:3] + code + RETURN[6:]))
    assert isinstance(answer, ReturnAddenda)
    assert answer.code == code


@pytest.mark.parametrize("number", range(61, 78))
def test_the_codes_of_a_dispute_have_their_own_columns(number: int) -> None:
    """Each of the seventeen codes is read with the columns of its step."""
    line = (DISHONORED if number <= 70 else CONTESTED).replace("R68", f"R{number}", 1).replace("R73", f"R{number}", 1)
    answer = read_answer(answered(line))
    assert isinstance(answer, DishonoredAddenda if number <= 70 else ContestedAddenda)
    assert (answer.code, answer.return_trace) == (f"R{number}", "121042880000005")


@pytest.mark.parametrize("date_of_death", ["      ", "000000", "261332"])
def test_no_date_of_death_is_none(date_of_death: str) -> None:
    """Blanks, zeros and days that do not exist say nothing."""
    answer = read_answer(answered(RETURN[:21] + date_of_death + RETURN[27:]))
    assert isinstance(answer, ReturnAddenda)
    assert answer.date_of_death is None


@pytest.mark.parametrize(
    ("addenda", "column", "content", "element"),
    [
        (RETURN, 4, "R1X", "return addenda code"),
        (RETURN, 7, "09100001000004X", "return addenda original_trace"),
        (RETURN, 22, "26X630", "return addenda date_of_death"),
        (CHANGE, 7, " " * 15, "change addenda original_trace"),
        (CHANGE, 28, "1210428X", "change addenda original_rdfi"),
        (DISHONORED, 39, " " * 15, "dishonored return addenda return_trace"),
        (DISHONORED, 54, "18X", "dishonored return addenda return_settlement_day"),
        (CONTESTED, 59, "X" * 15, "contested return addenda dishonored_trace"),
        (CONTESTED, 77, "6?", "contested return addenda dishonored_code"),
    ],
)
def test_a_wrong_column_of_an_answer_is_found(addenda: str, column: int, content: str, element: str) -> None:
    """The reader refuses the file and names record and column, so that no answer is half read later."""
    reading = reading_of(with_columns(4, column, content, answer_lines(addenda)))
    found = [(finding.line, finding.element) for finding in reading.findings if finding.severity is Severity.REFUSE]
    assert found == [(4, element)]


def test_an_entry_that_answers_nothing_is_said_so() -> None:
    """A payment is no answer: the error names it by its trace number."""
    entry = reading_of(FILE_LINES).accepted_files()[0].batches[0].entries[0]
    with pytest.raises(NachaError, match="091000010000041, addenda: is no answer"):
        read_answer(entry)


def test_of_a_chain_the_last_word_counts() -> None:
    """Where one entry carries a return and the dispute about it, the dispute is what the bank says now."""
    lines = [*ANSWER_LINES[:4], CONTESTED, *ANSWER_LINES[4:]]
    lines = with_columns(6, 5, "000003", lines)
    lines = with_columns(11, 14, "00000005", lines)
    lines = with_columns(11, 8, "000002", lines)
    reading = reading_of(lines)
    assert rules(reading) == []
    assert read_answer(reading.files[0].batches[0].entries[0]).code == "R73"


def test_what_a_bank_writes_of_people_and_accounts_is_not_shown() -> None:
    """Neither a name in the information of a return nor a corrected account stands in a printed value."""
    shown = repr(read_answer(answered(RETURN))) + repr(read_answer(answered(CHANGE)))
    assert "ESTATE" not in shown
    assert "987654321" not in shown
