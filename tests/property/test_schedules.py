"""Schedules in the database and in Python: one vocabulary, and the same days, leap day and holidays included."""

from datetime import date, timedelta
from itertools import takewhile

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text

from payouts.schedules.schedule import falls, payout_days
from schemas.calendar import add_banking_days, is_banking_day, next_banking_day
from schemas.schedules import WEEKDAYS, PayoutSchedule

FIRST, LAST = date(2026, 1, 1), date(2028, 12, 31)
DAYS = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
ALL = [
    "daily", "monthly", "twice_monthly",
    *(f"weekly:{day}" for day in WEEKDAYS),
    *(f"monthly:{day}" for day in range(1, 32)),
    *(f"twice_monthly:{first}-{second}" for second in range(1, 32) for first in range(1, second)),
]  # fmt: skip
"""Every schedule that there is."""
SCHEDULES = st.sampled_from(ALL).map(PayoutSchedule)
_USUAL = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
_FALLS = text("""
    SELECT array_agg(payout_falls(:schedule, n.through - :gap, n.through) ORDER BY n.through)
    FROM unnest(CAST(:days AS date[])) AS n (through)""")


def _falls(connection: Connection, schedule: str, gap: int) -> list[bool]:
    facts = {"schedule": schedule, "gap": gap, "days": DAYS}
    found = connection.execute(_FALLS, facts).scalar_one()
    assert isinstance(found, list)
    return found


def test_every_schedule_is_one_in_the_database_too(app: Engine) -> None:
    """All 504 words are taken by both."""
    with app.begin() as connection:
        taken = connection.execute(
            text("SELECT bool_and(is_payout_schedule(n)) FROM unnest(CAST(:words AS text[])) n"), {"words": ALL}
        )
        assert taken.scalar_one() is True
    assert len({PayoutSchedule(each) for each in ALL}) == 504


@_USUAL
@given(words=st.lists(st.from_regex(r"(daily|weekly|monthly|twice_monthly)?[:a-z0-9-]{0,8}\n?", fullmatch=True)))
@example(words=["twice_monthly:16-1", "twice_monthly:1-16", "twice_monthly:9-9", "monthly:07", "weekly:sat", "daily\n"])
def test_what_is_a_schedule_is_one_in_both(app: Engine, words: list[str]) -> None:
    """Whatever near a schedule is written, the database and Python take or refuse the same."""
    statement = text("SELECT n, is_payout_schedule(n) FROM unnest(CAST(:words AS text[])) n")
    with app.begin() as connection:
        for word, taken in connection.execute(statement, {"words": words}):
            assert taken is (PayoutSchedule.problem(word) is None), word


@_USUAL
@given(schedule=SCHEDULES, gap=st.integers(0, 70))
@example(schedule=PayoutSchedule("monthly:30"), gap=1)
@example(schedule=PayoutSchedule("twice_monthly:30-31"), gap=3)
@example(schedule=PayoutSchedule("weekly:fri"), gap=7)
def test_who_is_due_is_the_same_in_both(app: Engine, schedule: PayoutSchedule, gap: int) -> None:
    """On each of the 1,096 days of 2026 to 2028, after a gap of so many days: leap day, month ends, all of it."""
    with app.begin() as connection:
        found = _falls(connection, schedule, gap)
    assert found == [falls(schedule, through - timedelta(days=gap), through) for through in DAYS]


@_USUAL
@given(schedule=SCHEDULES, start=st.sampled_from(DAYS[:-60]), skipped=st.sets(st.integers(0, 20), max_size=12))
def test_nobody_is_paid_twice_for_a_day_or_never(
    app: Engine, schedule: PayoutSchedule, start: date, skipped: set[int]
) -> None:
    """Cycles on banking days, some left out at will: each day of the schedule is made up by exactly one of them.

    Without a cycle left out, the cycles in which the database says due are the days that Python foretells.
    """
    cycles = [add_banking_days(start, number) for number in range(1, 22)]
    ran = [day for number, day in enumerate(cycles) if number not in skipped]
    before = [start, *ran]
    statement = text("SELECT payout_falls(:schedule, :after, :through)")
    with app.begin() as connection:
        due = {
            through: connection.execute(statement, {"schedule": schedule, "after": after, "through": through}).scalar()
            for after, through in zip(before, ran, strict=False)
        }
    if not ran or schedule.is_daily:
        assert all(due.values())
        return
    nominal = [day for day in DAYS if start < day <= ran[-1] and schedule.falls_on(day)]
    made_up = {next(through for through in ran if day <= through) for day in nominal}
    assert {through for through, is_due in due.items() if is_due} == made_up
    if not skipped:
        assert list(takewhile(lambda day: day <= ran[-1], payout_days(schedule, start))) == sorted(made_up)


@_USUAL
@given(schedule=SCHEDULES, start=st.sampled_from(DAYS[:-60]))
def test_a_payout_day_is_a_banking_day_soon_after_its_own(schedule: PayoutSchedule, start: date) -> None:
    """Every foretold day is a banking day, and the schedule's own day lies after the banking day before it."""
    days = payout_days(schedule, start)
    for _ in range(6):
        day = next(days)
        assert is_banking_day(day)
        before = max(start, add_banking_days(day, -1))
        assert any(schedule.falls_on(before + timedelta(days=number)) for number in range(1, (day - before).days + 1))
        assert next_banking_day(before) == day
