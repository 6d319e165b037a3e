"""Dates as people type them."""

from datetime import date

import pytest

from app.cli.dates import day_from, month_from
from schemas.errors import WrongUseError


def test_days_and_months_are_read() -> None:
    """A month is its first day; the calendar's first and last day are days."""
    assert day_from("2026-11-20") == date(2026, 11, 20)
    assert month_from("2026-11") == date(2026, 11, 1)
    assert (day_from("1999-01-01"), day_from("2099-12-31")) == (date(1999, 1, 1), date(2099, 12, 31))


@pytest.mark.parametrize("text", ["", "today", "2026-13-01", "2026-02-29", "20.11.2026"])
def test_what_is_no_day_is_said_with_how_to_write_one(text: str) -> None:
    """The sentence shows the form."""
    with pytest.raises(WrongUseError, match="is no day; write it as 2026-11-20"):
        day_from(text)


@pytest.mark.parametrize("text", ["", "November", "2026-13", "2026-11-01"])
def test_what_is_no_month_is_said_with_how_to_write_one(text: str) -> None:
    """The sentence shows the form."""
    with pytest.raises(WrongUseError, match="is no month; write it as 2026-11"):
        month_from(text)


@pytest.mark.parametrize("year", ["0001", "1998", "2100", "9999"])
def test_years_without_a_calendar_are_refused(year: str) -> None:
    """A slip of the hand in the year reaches no reckoning of days, where it would end as a fault of ours."""
    for read, text in ((day_from, f"{year}-12-31"), (month_from, f"{year}-12")):
        with pytest.raises(WrongUseError, match="calendar covers 1999 to 2099"):
            read(text)
