"""What is due now: the moments of a timetable that no run stands for yet, as far as they still matter."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from payouts.jobs.timetable import Timetable
from schemas.calendar import BANK_ZONE

REACH: Final = timedelta(days=7)
"""How far back a job is looked for that is done once for all moments that were missed."""
FIRST_REACH: Final = timedelta(days=1)
"""The same where it never ran at all."""
EACH_REACH: Final = timedelta(days=366)
"""How far back each missed moment of a job is made up for that matters on its own."""


class CatchUp(StrEnum):
    """What becomes of moments at which no scheduler ran."""

    LATEST = "latest"
    """One run for all of them: it does what there is to do now."""
    EACH = "each"
    """A run for each; where the job never ran, for those of this month."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is of a job's runs.

    Args:
        last: the latest moment with a run; None: it never ran.
        present: the moments with a run since ``EACH_REACH``, where each matters.
    """

    last: datetime | None = None
    present: frozenset[datetime] = frozenset()


@dataclass(frozen=True, slots=True)
class Due:
    """A run that is to be.

    Args:
        scheduled_for: the moment, aware.
        moments: how many moments it stands for.
        first: the earliest of them, where that is another one.
    """

    scheduled_for: datetime
    moments: int = 1
    first: datetime | None = None

    @property
    def since(self) -> datetime:
        """Since when something is due."""
        return self.first or self.scheduled_for


def due(timetable: Timetable, catch_up: CatchUp, seen: Seen, now: datetime) -> tuple[Due, ...]:
    """Give the runs that a job lacks at an aware instant, earliest first.

    Raises:
        QuietHoursError: the timetable's data names a time between 01:00 and 03:00.
    """
    if catch_up is CatchUp.EACH:
        missed = timetable.moments(_first_that_matters(seen.present, now), now)
        return tuple(Due(moment) for moment in missed if moment not in seen.present)
    after = now - FIRST_REACH if seen.last is None else max(seen.last, now - REACH)
    moments = tuple(timetable.moments(after, now))
    return (Due(moments[-1], len(moments), moments[0]),) if moments else ()


def next_moment(timetable: Timetable, now: datetime) -> datetime | None:
    """Give the next moment of a timetable within two months; None: there is none."""
    return next(timetable.moments(now, now + timedelta(days=62)), None)


def overdue_since(waiting: Iterable[tuple[Due, ...]]) -> datetime | None:
    """Give the earliest moment of all that are due; None: nothing is."""
    return min((each.since for dues in waiting for each in dues), default=None)


def _first_that_matters(present: frozenset[datetime], now: datetime) -> datetime:
    """Give the instant after which each moment matters: the first run's own, or the beginning of this month."""
    if present:
        return max(min(present), now - EACH_REACH)
    month = now.astimezone(BANK_ZONE).date().replace(day=1)
    return datetime.combine(month, time(), BANK_ZONE).astimezone(UTC) - timedelta(microseconds=1)
