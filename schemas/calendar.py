"""The days on which banks settle: Monday to Friday without the holidays of the Federal Reserve Banks.

Source: the holiday schedule that the Federal Reserve Banks publish. A holiday on a Sunday closes the Monday after it;
a holiday on a Saturday closes nothing else, so 2026-07-03 is a banking day.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

import holidays

from schemas.errors import WrongUseError

FIRST_YEAR: Final = 1999
LAST_YEAR: Final = 2099
"""Years that the calendar covers; outside of them nothing is known, and nothing is guessed."""

BANK_ZONE: Final = ZoneInfo("America/New_York")
"""The clock of the Federal Reserve's windows and of the bank's cut-offs, daylight saving time included."""

_DAY = timedelta(days=1)


class CalendarEndsError(WrongUseError):
    """A day outside the years whose Federal Reserve holidays are known."""

    def __init__(self, year: int) -> None:
        self.year = year
        super().__init__(f"The banking calendar covers {FIRST_YEAR} to {LAST_YEAR}, not {year}.")


def is_banking_day(day: date) -> bool:
    """Tell whether the Federal Reserve Banks settle on this day.

    Raises:
        CalendarEndsError: the year is outside the calendar; every function here refuses it.
    """
    return day in _banking_days(day.year)


def next_banking_day(day: date) -> date:
    """Find the first banking day strictly after ``day``."""
    return add_banking_days(day, 1)


def add_banking_days(day: date, count: int) -> date:
    """Find the banking day that is ``count`` banking days after ``day``, or before it when ``count`` is negative.

    ``day`` itself is never counted: one on from a Saturday is Monday, when that is open; one back from it is Friday.
    With 0 it is ``day`` itself when that is a banking day, and otherwise the next one.
    """
    if count == 0 and not is_banking_day(day):
        count = 1
    step = _DAY if count > 0 else -_DAY
    missing = abs(count)
    while missing:
        day += step
        missing -= is_banking_day(day)
    return day


def banking_days_between(earlier: date, later: date) -> int:
    """Count the banking days after ``earlier``, up to and including ``later``; negative when swapped.

    From any day, ``banking_days_between(day, add_banking_days(day, n))`` is ``n`` for every ``n`` above 0.
    """
    if later < earlier:
        return -banking_days_between(later, earlier)
    years = range(earlier.year, later.year + 1)
    return sum(earlier < day <= later for year in years for day in _banking_days(year))


def bank_moment(day: date, local_time: time) -> datetime:
    """Give the moment at which the bank's clock shows this time on this day.

    A time that the clock skips in March is the moment an hour later; of one that it shows twice in November it is the
    first.
    """
    moment = datetime.combine(day, local_time, tzinfo=BANK_ZONE)
    # To UTC and back: a time that no clock shows becomes one that it does.
    return moment.astimezone(UTC).astimezone(BANK_ZONE)


@cache
def _banking_days(year: int) -> frozenset[date]:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise CalendarEndsError(year)
    closed = holidays.financial_holidays("XFED", years=year, expand=False)
    days = (date(year, 1, 1) + number * _DAY for number in range(366))
    return frozenset(day for day in days if day.year == year and day.weekday() < 5 and day not in closed)
