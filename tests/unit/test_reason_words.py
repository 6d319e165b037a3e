"""What the codes of a remittance mean: known ones in words, unknown ones as they are, nothing lost."""

import pytest

from ingest.x12 import reason_words
from ingest.x12.reason_words import Adjustment, Reason, adjustments_in_words, plb_words, reasons_in_words, status_words
from ingest.x12.values import CLAIM_STATUSES


def test_adjustments_keep_group_reason_and_cents() -> None:
    """Each piece is read in the file's order, with its sign; words name the reason, then whose it is."""
    assert adjustments_in_words("CO45:1234;PR3:-500;OA23:0") == (
        Adjustment("CO", "45", 12_34, "charge above the contracted amount (by contract)"),
        Adjustment("PR", "3", -5_00, "copay (owed by the patient)"),
        Adjustment("OA", "23", 0, "what another payer paid or adjusted (other)"),
    )


def test_unknown_codes_are_shown_as_they_are() -> None:
    """A code that no list here has is not hidden and not an error."""
    assert [each.words for each in adjustments_in_words("ZZ999:1")] == ["reason 999 (group ZZ)"]
    assert [each.words for each in reasons_in_words("RX:ZZ9;HE:N30")] == ["reject ZZ9", "remark N30"]
    assert status_words("99") == "status 99"
    assert plb_words("ZZ") == "a reason of its own"


@pytest.mark.parametrize("said", [None, ""])
def test_nothing_said_is_nothing(said: str | None) -> None:
    """A claim without adjustments or codes has none."""
    assert adjustments_in_words(said) == ()
    assert reasons_in_words(said) == ()


def test_rejects_and_remarks_are_told_apart() -> None:
    """The same code means something as an NCPDP reject only."""
    assert reasons_in_words("RX:70;HE:70") == (
        Reason("RX", "70", "product not covered"),
        Reason("HE", "70", "remark 70"),
    )


@pytest.mark.parametrize(("code", "words"), [("1", "BIN missing or not valid"), ("01", "BIN missing or not valid")])
def test_a_reject_may_lack_its_zero(code: str, words: str) -> None:
    """Payers write one-digit rejects with and without their leading zero."""
    assert [each.words for each in reasons_in_words(f"RX:{code}")] == [words]


def test_interest_is_the_pharmacys() -> None:
    """L6 says whose it is: all of it the pharmacy's."""
    assert plb_words("L6") == "interest, all of it the pharmacy's"


def test_every_claim_status_has_words() -> None:
    """What the reader knows as a status, the words know too."""
    assert set(reason_words.CLAIM_STATUSES) == CLAIM_STATUSES


@pytest.mark.parametrize("table", ["CLAIM_STATUSES", "ADJUSTMENTS", "ADJUSTMENT_GROUPS", "PLB_REASONS", "REJECTS"])
def test_words_are_short_and_tell_codes_apart(table: str) -> None:
    """No two codes of a list have the same words, and each fits a line of a statement."""
    words = list(getattr(reason_words, table).values())
    assert len(set(words)) == len(words)
    assert max(map(len, words)) <= 60
