"""Dates as people type them."""

from datetime import date, datetime

from schemas.errors import WrongUseError


def day_from(text: str) -> date:
    """Read a day.

    Raises:
        WrongUseError: it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise WrongUseError(f"{text!r} is no day; write it as 2026-11-20") from None


def month_from(text: str) -> date:
    """Read a month as its first day.

    Raises:
        WrongUseError: it is none.
    """
    try:
        return datetime.strptime(f"{text}-01", "%Y-%m-%d").date()  # noqa: DTZ007 (a date, not an instant)
    except ValueError:
        raise WrongUseError(f"{text!r} is no month; write it as 2026-11") from None
