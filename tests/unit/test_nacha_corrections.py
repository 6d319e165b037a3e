"""Corrected data of notifications of change: fixed positions, check digit and account verified, nothing guessed."""

from typing import Any

import pytest

from payouts.nacha.corrections import CORRECTION_CODES, Correction, CorrectionProblem, WrongCorrection, read_correction
from schemas.identifiers import AbaRouting

ROUTING = AbaRouting("021000021")
ACCOUNT = "000-98765432109AB"
"""Seventeen characters: the whole width."""


@pytest.mark.parametrize(
    ("code", "data", "said"),
    [
        ("C01", f"{'1918171614':<29}", {"account_number": "1918171614"}),
        ("C01", ACCOUNT, {"account_number": ACCOUNT}),
        ("C02", f"{ROUTING:<29}", {"routing": ROUTING}),
        ("C03", f"{ROUTING}   {ACCOUNT}", {"routing": ROUTING, "account_number": ACCOUNT}),
        ("C04", f"{'O-NEIL & SONS RX #2':<29}", {"receiver_name": "O-NEIL & SONS RX #2"}),
        ("C05", f"{'32':<29}", {"transaction_code": "32"}),
        ("C06", f"{'12-34':<17}   37", {"account_number": "12-34", "transaction_code": "37"}),
        ("C06", f"{ACCOUNT}   22", {"account_number": ACCOUNT, "transaction_code": "22"}),
        (
            "C07",
            f"{ROUTING}{'12-34':<17}32",
            {"routing": ROUTING, "account_number": "12-34", "transaction_code": "32"},
        ),
        ("C09", f"{'3912345':<29}", {"identification": "3912345"}),
        ("C08", f"{'021000021 SOMETHING':<29}", {"text": "021000021 SOMETHING"}),
        ("C99", "", {"text": ""}),
    ],
)
def test_each_code_has_its_positions(code: str, data: str, said: dict[str, Any]) -> None:
    """Routing 9, account 17, code 2, three blanks where the format has them; of other codes the text is kept."""
    assert read_correction(code, data) == Correction(code=code, **said)


@pytest.mark.parametrize(
    ("code", "data", "fields"),
    [
        ("C01", " " * 29, ["account_number"]),
        ("C01", "0" * 17, ["account_number"]),
        ("C01", "  1918171614", ["account_number"]),
        ("C01", "19181 71614", ["account_number"]),
        ("C01", f"{'1918171614':<17}22", ["rest"]),
        ("C01", f"{'1918171614':<29}X", ["rest"]),
        ("C02", "021000022", ["routing"]),
        ("C02", "000000000", ["routing"]),
        ("C02", "02100002", ["routing"]),
        ("C02", " 021000021", ["routing", "rest"]),
        ("C03", f"{ROUTING}{'12-34':<17}", ["filler"]),
        ("C03", "021000022   12-34", ["routing"]),
        ("C04", "", ["receiver_name"]),
        ("C05", "99", ["transaction_code"]),
        ("C05", "3", ["transaction_code"]),
        ("C06", "12-34 32", ["account_number", "transaction_code"]),
        ("C07", f"{ROUTING}   {'12-34':<14}32", ["account_number"]),
        ("C07", f"{ROUTING}{'12-34':<17}", ["transaction_code"]),
        ("C09", "", ["identification"]),
    ],
)
def test_what_does_not_hold_is_an_error_value(code: str, data: str, fields: list[str]) -> None:
    """A wrong check digit, a slipped column, an account of zeros, a code that does not exist: every part is named."""
    wrong = read_correction(code, data)
    assert isinstance(wrong, WrongCorrection)
    assert [problem.field for problem in wrong.problems] == fields
    assert all(problem.expected and problem.found for problem in wrong.problems)


def test_a_problem_says_what_was_expected_and_never_the_number() -> None:
    """The shape of what stands there is shown, for it may be an account."""
    wrong = read_correction("C03", "021000022   12-34")
    assert isinstance(wrong, WrongCorrection)
    expected = "an ABA routing number (nine digits, prefix 00-12, 21-32, 61-72 or 80) with its check digit"
    assert wrong.problems == (CorrectionProblem("routing", expected, "the shape 999999999"),)
    assert wrong.sentence() == f"corrected data of C03: routing: expected {expected}, found the shape 999999999"


def test_no_account_is_in_a_printed_correction() -> None:
    """Neither account nor name stands in a printed value."""
    shown = repr(read_correction("C01", ACCOUNT)) + repr(read_correction("C04", "MAIN STREET"))
    assert ACCOUNT not in shown
    assert "MAIN" not in shown


def test_the_codes_that_are_read_are_those_of_the_rules() -> None:
    """C08 is for international entries, C13 and C14 say nothing that can be applied."""
    assert {"C01", "C02", "C03", "C04", "C05", "C06", "C07", "C09"} == CORRECTION_CODES
