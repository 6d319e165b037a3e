"""When a member is paid: whose schedule has a day since the last cycle that was released.

A schedule names days of the calendar. Whoever's day lies after the day of the last released cycle, up to that of the
next one, is due in the next one: so a Friday that is a holiday, or a day on which nobody ran a cycle, is made up by the
cycle that follows. The database decides who is due in a cycle (``payout_falls``, ``fill_cycle``); this is the same rule
for those who want to know the days beforehand.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from schemas.calendar import is_banking_day, next_banking_day
from schemas.schedules import LAST_OF_MONTH, PayoutSchedule

_DAY = timedelta(days=1)
_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
_ENDINGS = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd"}


def falls(schedule: PayoutSchedule, after: date, through: date) -> bool:
    """Tell whether a day of the schedule lies after ``after``, up to and including ``through``.

    A daily one is due in every cycle, two of one day included. The database's ``payout_falls`` says the same.
    """
    if schedule.is_daily:
        return True
    return any(schedule.falls_on(through - number * _DAY) for number in range((through - after).days))


def payout_days(schedule: PayoutSchedule, after: date) -> Iterator[date]:
    """Give the banking days after ``after`` on which a member is due, where a cycle runs on every banking day.

    Raises:
        CalendarEndsError: beyond the last year of the banking calendar.
    """
    last, day = after, after
    while True:
        day += _DAY
        if schedule.falls_on(day):
            pays = day if is_banking_day(day) else next_banking_day(day)
            # Two days of a schedule before one banking day are one payment.
            if pays > last:
                yield pays
                last = pays


def in_words(schedule: PayoutSchedule) -> str:
    """Say to a member when it is paid: ``every Friday``, ``on the 15th and the last day of each month``."""
    if schedule.weekday is not None:
        return f"every {_NAMES[schedule.weekday]}"
    days = ["last day" if day == LAST_OF_MONTH else f"{day}{_ENDINGS.get(day, 'th')}" for day in schedule.days_of_month]
    return f"on the {' and the '.join(days)} of each month" if days else "on every banking day"
