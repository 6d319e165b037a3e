"""Dates as people type them."""

from datetime import date, datetime

from schemas.calendar import FIRST_YEAR, LAST_YEAR, CalendarEndsError
from schemas.errors import WrongUseError


def day_from(text: str) -> date:
    """Read a day.

    Raises:
        WrongUseError: it is none, or in no year of the banking calendar.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise WrongUseError(f"{text!r} is no day; write it as 2026-11-20") from None
    return known(day)


def month_from(text: str) -> date:
    """Read a month as its first day.

    Raises:
        WrongUseError: it is none, or in no year of the banking calendar.
    """
    try:
        month = datetime.strptime(f"{text}-01", "%Y-%m-%d").date()  # noqa: DTZ007 (a date, not an instant)
    except ValueError:
        raise WrongUseError(f"{text!r} is no month; write it as 2026-11") from None
    return known(month)


def known(day: date) -> date:
    """Give a day back that is in a year of the banking calendar.

    Raises:
        CalendarEndsError: it is in no such year.
    """
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise CalendarEndsError(day.year)
    return day
