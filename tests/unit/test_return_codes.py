"""Return and change codes against the table of treatments; R17 in both of its readings."""

import pytest

from payouts.answers.codes import (
    CHANGE_MEANINGS,
    DETAIL_CODES,
    RETURN_MEANINGS,
    TREATMENTS,
    Treatment,
    meaning_of,
    treatment_of,
)
from payouts.nacha.answers import CONTESTED_CODES, DISHONORED_CODES
from payouts.nacha.corrections import CORRECTION_CODES

TABLE = {
    Treatment.ACCOUNT_DEAD: {"R02", "R03", "R04", "R12", "R13", "R14", "R15", "R20", "R28", "R34"},
    Treatment.LEGAL: {"R16", "R90"},
    Treatment.REFUSED_OR_DUPLICATE: {"R23", "R24"},
    Treatment.FORMAT: {"R17", "R18", "R19", "R21", "R22", "R25", "R26", "R27", "R30", "R35", "R36"},
    Treatment.BANK_TEMPORARY: {"R32"},
    Treatment.AGREED_WITH_BANK: {"R06", "R31"},
    Treatment.DEBIT_RETRY: {"R01", "R09"},
    Treatment.DEBIT_STOPPED: {"R08", "R29"},
    Treatment.DEBIT_DISPUTED: {"R05", "R07", "R10", "R11"},
}
"""What the trade does with returns, as the rules of the bank files say it."""


def test_every_return_code_is_treated_as_the_table_says() -> None:
    """Code by code; a code of the reader's disputes is a dispute; none has two treatments."""
    expected = {code: treatment for treatment, codes in TABLE.items() for code in codes}
    expected |= dict.fromkeys(DISHONORED_CODES, Treatment.DISHONORED)
    expected |= dict.fromkeys(CONTESTED_CODES, Treatment.CONTESTED)
    assert {code: each for code, each in TREATMENTS.items() if code.startswith("R")} == expected


def test_every_change_code_is_treated() -> None:
    """C01 to C14 are known; those that correct bank details are read by their positions."""
    assert set(CHANGE_MEANINGS) == {f"C{number:02d}" for number in range(1, 15)}
    assert {code for code, each in TREATMENTS.items() if each is Treatment.CORRECT_DETAILS} == DETAIL_CODES
    assert set(CHANGE_MEANINGS) <= set(TREATMENTS)
    assert DETAIL_CODES < CORRECTION_CODES


def test_the_codes_that_exist_are_known_in_words() -> None:
    """R01 to R85 without the numbers that were never given out; each sentence is its own."""
    never = {"R48", "R49", *(f"R{number}" for number in range(54, 61)), "R78", "R79"}
    assert set(RETURN_MEANINGS) == {f"R{number:02d}" for number in range(1, 86)} - never | {"R90"}
    assert len(set(RETURN_MEANINGS.values())) == len(RETURN_MEANINGS)


@pytest.mark.parametrize("code", ["R33", "R37", "R45", "R50", "R80", "R85", "R99", "X01", "C61", ""])
def test_a_code_without_a_treatment_waits_for_a_person(code: str) -> None:
    """Codes of classes that we never send, refused notifications, and what nobody knows."""
    assert treatment_of(code) is Treatment.UNKNOWN
    assert meaning_of(code)


@pytest.mark.parametrize(
    ("information", "age", "expected"),
    [
        ("QUESTIONABLE", 0, Treatment.FRAUD),
        ("Questionable credit", 29, Treatment.FRAUD),
        ("QUESTIONABLE", 30, Treatment.FORMAT),
        ("QUESTIONABLE", None, Treatment.FORMAT),
        ("FIELD 5 NAME", 3, Treatment.FORMAT),
        ("", 3, Treatment.FORMAT),
    ],
)
def test_r17_is_fraud_only_when_questionable_and_fresh(information: str, age: int | None, expected: Treatment) -> None:
    """A doubted entry to details that changed less than thirty days ago is a suspicion of fraud; else it is format."""
    assert treatment_of("R17", information, age) is expected


def test_questionable_means_nothing_with_another_code() -> None:
    """The mark belongs to R17."""
    assert treatment_of("R03", "QUESTIONABLE", 1) is Treatment.ACCOUNT_DEAD


def test_what_treatments_do_at_once() -> None:
    """Dead, legal and fraud stop the account; legal and fraud freeze the member; a debit's return brings no payment."""
    assert {each for each in Treatment if each.stops_account} == {
        Treatment.ACCOUNT_DEAD,
        Treatment.LEGAL,
        Treatment.FRAUD,
    }
    assert {each for each in Treatment if each.freezes_member} == {Treatment.LEGAL, Treatment.FRAUD}
    assert {each for each in Treatment if each.returns_credit} == {
        Treatment.ACCOUNT_DEAD,
        Treatment.LEGAL,
        Treatment.FRAUD,
        Treatment.REFUSED_OR_DUPLICATE,
        Treatment.FORMAT,
        Treatment.BANK_TEMPORARY,
        Treatment.AGREED_WITH_BANK,
    }
