"""NACHA files: what a value may be before it is written; what does not fit is refused by name."""

from dataclasses import FrozenInstanceError, replace
from datetime import date, time, timedelta, timezone
from typing import Any

import pytest

from payouts.nacha.errors import NachaError
from payouts.nacha.models import FILE_ID_MODIFIERS
from payouts.nacha.text import fit_receiver_name
from payouts.nacha.trn import Trn
from schemas.errors import RefusedError
from schemas.identifiers import PayerId
from tests.support.nacha_files import BATCH, ENTRY, FILE, FILE_LINES, SAVINGS, TRN, cent_batch, reading_of


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
