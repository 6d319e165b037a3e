"""When jobs are due: local times on days of the bank's calendar, as moments in UTC.

A job is never due between 01:00 and 03:00 by the clock in New York: on the first Sunday of November that hour comes
twice, on the second Sunday of March it does not come. Every other local time is on every day exactly once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from payouts.jobs.errors import QuietHoursError
from schemas.calendar import BANK_ZONE, is_banking_day

QUIET_FROM: Final = time(1)
QUIET_UNTIL: Final = time(3)

_DAY = timedelta(days=1)

TimesOf = Callable[[date], Sequence[time]]
"""Gives the local times of a day, ascending; cut-offs are data and may change from a day on."""


class Days(StrEnum):
    """On which days a job is due."""

    EVERY_DAY = "every day"
    BANKING_DAYS = "banking days"
    """Those of the Federal Reserve Banks."""
    MONTH_BEGIN = "month's first banking day"


@dataclass(frozen=True, slots=True)
class Timetable:
    """Local times on some days.

    Args:
        days: which days.
        times: the same times on each, ascending; or what gives a day's.
        says: the times in words, for people.

    Raises:
        QuietHoursError: a time lies between 01:00 and 03:00; where days have their own, when such a day is asked for.
    """

    days: Days
    times: tuple[time, ...] | TimesOf
    says: str

    def __post_init__(self) -> None:
        """Refuse times that do not come exactly once a day."""
        if not callable(self.times):
            for each in self.times:
                see_loud(each)

    def moments(self, after: datetime, through: datetime) -> Iterator[datetime]:
        """Give the moments later than one instant, up to and including another, in UTC, ascending.

        Args:
            after: aware.
            through: aware.

        Raises:
            QuietHoursError: the times of one of these days lie between 01:00 and 03:00.
        """
        day, last = after.astimezone(BANK_ZONE).date(), through.astimezone(BANK_ZONE).date()
        while day <= last:
            if self._is_due_on(day):
                for at in self.times(day) if callable(self.times) else self.times:
                    moment = moment_of(day, at)
                    if after < moment <= through:
                        yield moment
            day += _DAY

    def _is_due_on(self, day: date) -> bool:
        if self.days is Days.EVERY_DAY:
            return True
        if not is_banking_day(day):
            return False
        return self.days is Days.BANKING_DAYS or not any(
            is_banking_day(day.replace(day=earlier)) for earlier in range(1, day.day)
        )


def daily(*times: time, days: Days = Days.EVERY_DAY) -> Timetable:
    """Give the timetable of the same local times on each of its days."""
    return Timetable(days, times, " ".join(f"{each:%H:%M}" for each in times))


def moment_of(day: date, at: time) -> datetime:
    """Give the instant of a local time, in UTC.

    Raises:
        QuietHoursError: it lies between 01:00 and 03:00.
    """
    see_loud(at)
    return datetime.combine(day, at, BANK_ZONE).astimezone(UTC)


def is_quiet(moment: datetime) -> bool:
    """Say whether no job begins at an aware instant, because its local time is between 01:00 and 03:00."""
    return QUIET_FROM <= moment.astimezone(BANK_ZONE).time() < QUIET_UNTIL


def see_loud(at: time) -> None:
    """See that a local time comes exactly once on every day.

    Raises:
        QuietHoursError: it lies between 01:00 and 03:00.
    """
    if QUIET_FROM <= at < QUIET_UNTIL:
        raise QuietHoursError(at)


HOURLY: Final = Timetable(
    Days.EVERY_DAY,
    tuple(time(hour) for hour in range(24) if not QUIET_FROM.hour <= hour < QUIET_UNTIL.hour),
    "each hour but 1, 2",
)
