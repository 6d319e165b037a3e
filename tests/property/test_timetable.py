"""Whatever the outages: no moment of a job is lost and none is run twice."""

from datetime import UTC, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from payouts.jobs.due import CatchUp, Seen, due
from payouts.jobs.timetable import HOURLY, Days, Timetable, daily
from schemas.calendar import BANK_ZONE

local_times = st.times().filter(lambda at: not time(1) <= at < time(3)).map(lambda at: at.replace(microsecond=0))
timetables = st.builds(
    lambda times, days: daily(*sorted(times), days=days),
    st.lists(local_times, min_size=1, max_size=4, unique=True),
    st.sampled_from(Days),
)
instants = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001 (given its zone at once)


@given(timetables, instants, st.integers(0, 40 * 24 * 60), st.integers(0, 40 * 24 * 60))
def test_a_span_in_two_parts_has_the_same_moments(table: Timetable, begin: datetime, one: int, two: int) -> None:
    """Wherever a span is cut, no moment is lost at the cut and none is on both sides."""
    middle, end = begin + timedelta(minutes=one), begin + timedelta(minutes=one + two)
    whole = list(table.moments(begin, end))
    assert whole == [*table.moments(begin, middle), *table.moments(middle, end)]
    assert whole == sorted(set(whole))


@given(timetables, instants)
def test_moments_show_the_declared_times(table: Timetable, begin: datetime) -> None:
    """By the clock in New York every moment is one of the declared times, over every change of the clocks."""
    assert isinstance(table.times, tuple)
    for moment in table.moments(begin, begin + timedelta(days=14)):
        assert moment.astimezone(BANK_ZONE).time() in table.times


@given(instants, st.lists(st.integers(1, 12 * 24 * 60), min_size=1, max_size=30))
def test_outages_lose_and_double_nothing_where_the_latest_counts(begin: datetime, gaps: list[int]) -> None:
    """Ticks at any distances: every moment of a week back is stood for by exactly one run, at or after it."""
    now, seen = begin, Seen(begin)
    stood_for: list[datetime] = []
    for gap in gaps:
        before, now = now, now + timedelta(minutes=gap)
        found = due(HOURLY, CatchUp.LATEST, seen, now)
        expected = list(HOURLY.moments(max(before, now - timedelta(days=7)), now))
        assert [each.moments for each in found] == ([len(expected)] if expected else [])
        assert [each.scheduled_for for each in found] == expected[-1:]
        stood_for += [each.scheduled_for for each in found]
        seen = Seen(max([begin, *stood_for]))
    assert stood_for == sorted(set(stood_for))


@given(instants, st.lists(st.integers(1, 60 * 24), min_size=1, max_size=12), st.data())
def test_each_month_is_run_once_whatever_was_lost(begin: datetime, gaps: list[int], data: st.DataObject) -> None:
    """Ticks hours to months apart, some of whose runs are lost: in the end each month since the first is there once."""
    table = daily(time(6), days=Days.MONTH_BEGIN)
    first = next(iter(table.moments(begin, begin + timedelta(days=62))))
    now, ran = first, {first}
    for gap in gaps:
        now = min(now + timedelta(hours=gap), first + timedelta(days=300))
        for each in due(table, CatchUp.EACH, Seen(max(ran), frozenset(ran)), now):
            assert each.scheduled_for not in ran
            if data.draw(st.booleans()):
                ran.add(each.scheduled_for)
    ran |= {each.scheduled_for for each in due(table, CatchUp.EACH, Seen(max(ran), frozenset(ran)), now)}
    assert sorted(ran) == [first, *table.moments(first, now)]
