"""Dollars become cents exactly, or not at all."""

import pytest

from schemas.money import MAX_CENTS, cents_from_text, show_cents, text_from_cents


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("0", 0),
        ("-0", 0),
        ("+0.00", 0),
        ("12", 1200),
        ("-12", -1200),
        ("+12", 1200),
        (".5", 50),
        ("-.05", -5),
        ("5.", 500),
        ("1200.00", 120000),
        ("0.1", 10),
        ("0.29", 29),
        ("1.10000", 110),
        ("000123.4", 12340),
        ("9999999999999.99", MAX_CENTS - 1),
        ("-9999999999999.99", 1 - MAX_CENTS),
    ],
)
def test_decimal_text_becomes_cents(text: str, cents: int) -> None:
    """Sign, point and zeros in every place that X12 type R and people use; 0.29 is 29, which a float would miss."""
    assert cents_from_text(text) == cents


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "-",
        ".",
        "-.",
        "1,200.00",
        "$5",
        " 5",
        "5 ",
        "5\n",
        "1e3",
        "0x5",
        "1_000",
        "--5",
        "5-",
        "1.2.3",
        "NaN",
        "inf",
    ],
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    """No grouping, currency, blanks, exponents or trailing signs: what is not plain is not guessed at."""
    with pytest.raises(ValueError, match="is not an amount of money"):
        cents_from_text(text)


@pytest.mark.parametrize("text", ["0.001", "1.005", "-2.999", ".0000001"])
def test_a_fraction_of_a_cent_is_refused(text: str) -> None:
    """Nothing is rounded silently."""
    with pytest.raises(ValueError, match="fraction of a cent"):
        cents_from_text(text)


@pytest.mark.parametrize("text", ["\u0663", "1.\u0663", "\u06f5.00", "\uff11\uff12"])
def test_digits_of_other_scripts_are_refused(text: str) -> None:
    """Digits that Python takes and a bank does not."""
    with pytest.raises(ValueError, match="not ASCII"):
        cents_from_text(text)


@pytest.mark.parametrize("text", ["10000000000000", "-10000000000000.00", "9" * 400])
def test_an_impossible_amount_is_refused(text: str) -> None:
    """From ten trillion dollars on it is a broken file."""
    with pytest.raises(ValueError, match="too large"):
        cents_from_text(text)


@pytest.mark.parametrize(
    ("cents", "text", "shown"),
    [
        (0, "0.00", "0.00"),
        (5, "0.05", "0.05"),
        (-5, "-0.05", "-0.05"),
        (-1205, "-12.05", "-12.05"),
        (121205, "1212.05", "1,212.05"),
        (-123456789, "-1234567.89", "-1,234,567.89"),
        (99999, "999.99", "999.99"),
        (100000, "1000.00", "1,000.00"),
    ],
)
def test_cents_are_written_for_files_and_for_people(cents: int, text: str, shown: str) -> None:
    """Two places always, the sign in front also below one dollar, groups for people only; the file's form reads."""
    assert text_from_cents(cents) == text
    assert show_cents(cents) == shown
    assert cents_from_text(text) == cents
