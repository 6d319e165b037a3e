"""When jobs are due: right over changes of the clocks and over holidays, and each missed moment made up for."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from payouts.jobs.due import CatchUp, Due, Seen, due, next_moment, overdue_since
from payouts.jobs.errors import QuietHoursError
from payouts.jobs.timetable import HOURLY, Days, Timetable, daily, is_quiet, moment_of
from schemas.calendar import BANK_ZONE, is_banking_day
from tests.support.scheduling import local

NIGHTLY = daily(time(4))
PROPOSAL = daily(time(15), days=Days.BANKING_DAYS)
FEES = daily(time(6), days=Days.MONTH_BEGIN)
YEARS = local("2025-12-31T23:59"), local("2028-12-31T23:59")


def _local(moments: list[datetime]) -> list[str]:
    return [f"{each.astimezone(BANK_ZONE):%Y-%m-%d %H:%M}" for each in moments]


def test_every_banking_day_of_three_years_has_one_proposal() -> None:
    """2026 to 2028: 251, 252 and 251 banking days, each with one moment, at 15:00 in New York, and none besides."""
    moments = list(PROPOSAL.moments(*YEARS))
    first = date(2026, 1, 1)
    days = [first + timedelta(number) for number in range((date(2029, 1, 1) - first).days)]
    banking = [day for day in days if is_banking_day(day)]
    assert _local(moments) == [f"{day} 15:00" for day in banking]
    assert [sum(day.year == year for day in banking) for year in (2026, 2027, 2028)] == [251, 252, 251]


@pytest.mark.parametrize(
    ("day", "hour"),
    [("2026-03-06", 20), ("2026-03-09", 19), ("2026-10-30", 19), ("2026-11-02", 20), ("2027-11-08", 20)],
)
def test_a_local_time_moves_in_utc_with_the_clocks(day: str, hour: int) -> None:
    """15:00 in New York is 20:00 in UTC in winter and 19:00 in summer."""
    begin = local(f"{day}T00:00")
    (moment,) = PROPOSAL.moments(begin, begin + timedelta(hours=23))
    assert (moment.tzinfo, moment.hour) == (UTC, hour)


@pytest.mark.parametrize("day", ["2026-03-08", "2026-11-01", "2027-03-14", "2027-11-07", "2028-03-12", "2028-11-05"])
def test_days_of_23_and_25_hours_have_the_same_moments_as_others(day: str) -> None:
    """On the days on which the clocks change every hourly job is due 22 times, the nightly one once."""
    begin, end = local(f"{day}T00:00") - timedelta(seconds=1), local(f"{day}T23:59")
    assert [each[-5:] for each in _local(list(HOURLY.moments(begin, end)))] == [
        f"{hour:02}:00" for hour in range(24) if hour not in (1, 2)
    ]
    assert _local(list(NIGHTLY.moments(begin, end))) == [f"{day} 04:00"]


@pytest.mark.parametrize("day", ["2026-07-03", "2026-12-24", "2027-12-24", "2028-01-03"])
def test_days_beside_holidays_are_banking_days(day: str) -> None:
    """A holiday on a Saturday closes no Friday: the Federal Reserve Banks settle on 2026-07-03."""
    assert _local(list(PROPOSAL.moments(local(f"{day}T00:00"), local(f"{day}T23:00")))) == [f"{day} 15:00"]


@pytest.mark.parametrize("day", ["2026-07-04", "2026-11-26", "2027-07-05", "2027-12-25", "2028-01-17", "2028-07-04"])
def test_holidays_have_no_proposal(day: str) -> None:
    """On Thanksgiving, on Monday for Independence Day on a Sunday, on Martin Luther King's day: nothing."""
    assert not list(PROPOSAL.moments(local(f"{day}T00:00"), local(f"{day}T23:00")))


def test_the_first_banking_day_of_each_month() -> None:
    """36 months, each with one: 2026-01-02 after New Year, 2026-02-02 and 2026-11-02 after a Sunday."""
    found = _local(list(FEES.moments(*YEARS)))
    assert len(found) == 36
    assert {each[:7] for each in found} == {
        f"{year}-{month:02}" for year in (2026, 2027, 2028) for month in range(1, 13)
    }
    assert {"2026-01-02 06:00", "2026-02-02 06:00", "2026-11-02 06:00", "2027-01-04 06:00", "2028-01-03 06:00"} <= {
        *found
    }


@pytest.mark.parametrize("at", [time(1), time(1, 30), time(2), time(2, 59, 59)])
def test_no_job_is_declared_where_the_clocks_change(at: time) -> None:
    """Between 01:00 and 03:00 a day may lack a time or have it twice: refused, in a declaration and in data."""
    with pytest.raises(QuietHoursError):
        daily(at)
    with pytest.raises(QuietHoursError):
        moment_of(date(2026, 11, 20), at)
    by_data = Timetable(Days.EVERY_DAY, lambda _: (at,), "data")
    with pytest.raises(QuietHoursError):
        list(by_data.moments(local("2026-11-19T12:00"), local("2026-11-20T12:00")))


@pytest.mark.parametrize("at", [time(0, 59), time(3), time(23, 59)])
def test_all_other_times_are_declared(at: time) -> None:
    """00:59 and 03:00 are on every day once."""
    assert len(list(daily(at).moments(local("2026-03-07T23:59:30"), local("2026-03-08T23:59:30")))) == 1


def test_the_quiet_hours_are_by_the_local_clock() -> None:
    """On 2026-11-01 01:30 comes twice and both are quiet; on 2026-03-08 03:00 comes an hour after 01:00."""
    assert is_quiet(datetime(2026, 11, 1, 5, 30, tzinfo=UTC))
    assert is_quiet(datetime(2026, 11, 1, 6, 30, tzinfo=UTC))
    assert not is_quiet(datetime(2026, 11, 1, 8, 0, tzinfo=UTC))
    assert is_quiet(datetime(2026, 3, 8, 6, 59, tzinfo=UTC))
    assert not is_quiet(datetime(2026, 3, 8, 7, 0, tzinfo=UTC))


def test_times_that_are_data_change_from_a_day_on() -> None:
    """A cut-off of 15:00 that becomes 14:00 on a Tuesday: each day has the one that holds on it."""
    table = Timetable(
        Days.BANKING_DAYS, lambda day: (time(15) if day < date(2026, 11, 24) else time(14),), "the cut-off"
    )
    found = _local(list(table.moments(local("2026-11-23T00:00"), local("2026-11-25T00:00"))))
    assert found == ["2026-11-23 15:00", "2026-11-24 14:00"]


# What is due ---------------------------------------------------------------------------------------------------------


def test_only_the_latest_of_missed_moments_is_run() -> None:
    """A scheduler that was away from Thursday to Monday proves once, for four nights."""
    seen = Seen(local("2026-11-19T04:00"))
    found = due(NIGHTLY, CatchUp.LATEST, seen, local("2026-11-23T08:00"))
    assert found == (Due(local("2026-11-23T04:00"), 4, local("2026-11-20T04:00")),)
    assert due(NIGHTLY, CatchUp.LATEST, Seen(found[0].scheduled_for), local("2026-11-23T08:00")) == ()


def test_a_job_that_never_ran_looks_back_a_day() -> None:
    """On its first day an installation does not make up for a week in which it was not there."""
    (found,) = due(HOURLY, CatchUp.LATEST, Seen(), local("2026-11-20T08:30"))
    assert found == Due(local("2026-11-20T08:00"), 22, local("2026-11-19T09:00"))
    assert due(PROPOSAL, CatchUp.LATEST, Seen(), local("2026-11-22T16:00")) == ()


def test_no_more_than_a_week_is_made_up_for() -> None:
    """After a month away a nightly job stands for seven nights, not thirty."""
    found = due(NIGHTLY, CatchUp.LATEST, Seen(local("2026-10-20T04:00")), local("2026-11-20T08:00"))
    assert found == (Due(local("2026-11-20T04:00"), 7, local("2026-11-14T04:00")),)


def test_each_missed_month_is_made_up_for() -> None:
    """A scheduler away from September to November assesses October and November, each by a run of its own."""
    seen = Seen(local("2026-09-01T06:00"), frozenset({local("2026-09-01T06:00")}))
    found = due(FEES, CatchUp.EACH, seen, local("2026-11-20T08:00"))
    assert found == (Due(local("2026-10-01T06:00")), Due(local("2026-11-02T06:00")))


def test_a_month_that_was_left_out_is_found() -> None:
    """October's run is missing between two others: it is made up for, and nothing before the first run is."""
    seen = Seen(None, frozenset({local("2026-09-01T06:00"), local("2026-11-02T06:00")}))
    assert due(FEES, CatchUp.EACH, seen, local("2026-11-20T08:00")) == (Due(local("2026-10-01T06:00")),)


@pytest.mark.parametrize(
    ("now", "expected"), [("2026-11-20T08:00", 1), ("2026-11-02T05:59", 0), ("2026-11-01T08:00", 0)]
)
def test_the_first_month_is_this_one(now: str, expected: int) -> None:
    """A new installation never assesses months before the one that it begins in."""
    assert len(due(FEES, CatchUp.EACH, Seen(), local(now))) == expected


def test_the_next_moment() -> None:
    """On the evening before Thanksgiving the next proposal is on Friday."""
    assert next_moment(PROPOSAL, local("2026-11-25T18:00")) == local("2026-11-27T15:00")


def test_what_is_overdue_is_told_by_its_earliest_moment() -> None:
    """Of all that waits the oldest counts, and of an hourly job the first hour that was missed; of nothing none."""
    early, late = Due(local("2026-11-20T04:00")), Due(local("2026-11-20T06:00"))
    assert overdue_since([(late,), (), (early, late)]) == early.scheduled_for
    hourly = due(HOURLY, CatchUp.LATEST, Seen(local("2026-11-20T03:00")), local("2026-11-20T17:05"))
    assert overdue_since([(late,), hourly]) == early.scheduled_for
    assert overdue_since([(), ()]) is None
