"""Schedules as words and as days, and the bank's clock on both sides of a change to daylight saving time."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

import pytest

from payouts.schedules.schedule import falls, in_words, payout_days
from schemas.calendar import BANK_ZONE, add_banking_days, bank_moment, is_banking_day, next_banking_day
from schemas.schedules import PayoutSchedule


def days(text: str) -> list[date]:
    """Read days that are parted by blanks."""
    return [date.fromisoformat(each) for each in text.split()]


# Words ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "", "weekly", "weekly:sat", "weekly:", "Daily", "daily ", "daily:1", "monthly:0", "monthly:32", "monthly:05",
        "monthly:", "monthly:1-16", "twice_monthly:16", "twice_monthly:16-1", "twice_monthly:9-9", "twice_monthly:1,16",
        "twice_monthly:1-32", "twice_monthly:0-16", "monthly:\u0661", "monthly\n",
    ],
)  # fmt: skip
def test_what_is_no_schedule(text: str) -> None:
    """Other words, days that no month has, digits of other scripts, the later day first: refused, and shown."""
    with pytest.raises(ValueError, match="is not a payout schedule"):
        PayoutSchedule(text)


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("daily", "on every banking day"),
        ("weekly:fri", "every Friday"),
        ("monthly", "on the last day of each month"),
        ("monthly:31", "on the last day of each month"),
        ("monthly:2", "on the 2nd of each month"),
        ("monthly:12", "on the 12th of each month"),
        ("twice_monthly", "on the 15th and the last day of each month"),
        ("twice_monthly:1-23", "on the 1st and the 23rd of each month"),
    ],
)
def test_a_schedule_is_said_in_words(schedule: str, words: str) -> None:
    """As a letter to the member says it."""
    assert in_words(PayoutSchedule(schedule)) == words


# Days ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        # Friday 2026-06-19 is Juneteenth and 2026-12-25 Christmas: paid on the Monday after. 2026-07-03 is open.
        ("weekly:fri", "2026-06-12", "2026-06-22 2026-06-26 2026-07-03 2026-07-10"),
        ("weekly:fri", "2026-12-18", "2026-12-28 2027-01-04 2027-01-08"),
        # In 2027 Juneteenth and Christmas are Saturdays, in 2028 New Year's Day and Veterans Day are: Fridays are open.
        ("weekly:fri", "2027-06-11", "2027-06-18 2027-06-25"),
        ("weekly:fri", "2027-12-17", "2027-12-24 2027-12-31"),
        ("weekly:fri", "2028-11-03", "2028-11-10 2028-11-17"),
        # Monday 2027-07-05 is closed for the Sunday before it.
        ("weekly:mon", "2027-06-28", "2027-07-06 2027-07-12"),
        # The 15th is a Sunday and February ends on a Saturday; in 2028 it has 29 days.
        ("twice_monthly", "2026-01-30", "2026-02-02 2026-02-17 2026-03-02 2026-03-16 2026-03-31"),
        ("twice_monthly", "2028-02-01", "2028-02-15 2028-02-29 2028-03-15"),
        ("twice_monthly:1-16", "2026-10-16", "2026-11-02 2026-11-16 2026-12-01"),
        # The 30th and the 31st of February are one day.
        ("twice_monthly:30-31", "2027-01-30", "2027-02-01 2027-03-01 2027-03-30 2027-03-31"),
        ("monthly", "2026-11-30", "2026-12-31 2027-02-01 2027-03-01 2027-03-31"),
        ("monthly:29", "2028-01-31", "2028-02-29 2028-03-29"),
        ("daily", "2026-11-25", "2026-11-27 2026-11-30"),
    ],
)
def test_the_days_of_a_schedule(schedule: str, after: str, expected: str) -> None:
    """A day without banks is made up on the next banking day; days that fall on one banking day are one payment."""
    found = payout_days(PayoutSchedule(schedule), date.fromisoformat(after))
    assert list(islice(found, len(expected.split()))) == days(expected)


def test_nothing_falls_into_no_time() -> None:
    """Between a day and itself lies no day of a week or month; a daily one is due in a second cycle of its day too."""
    friday = date(2026, 11, 20)
    assert not falls(PayoutSchedule("weekly:fri"), friday, friday)
    assert not falls(PayoutSchedule("monthly:20"), friday, friday)
    assert falls(PayoutSchedule("daily"), friday, friday)
    assert falls(PayoutSchedule("weekly:fri"), friday - timedelta(days=1), friday)
    assert falls(PayoutSchedule("weekly:fri"), friday, friday + timedelta(days=400))


# Every holiday of three years ----------------------------------------------------------------------------------------

HOLIDAYS = {
    "New Year's Day": "2026-01-01 2027-01-01 2028-01-01",
    "Birthday of Martin Luther King, Jr.": "2026-01-19 2027-01-18 2028-01-17",
    "Washington's Birthday": "2026-02-16 2027-02-15 2028-02-21",
    "Memorial Day": "2026-05-25 2027-05-31 2028-05-29",
    "Juneteenth National Independence Day": "2026-06-19 2027-06-19 2028-06-19",
    "Independence Day": "2026-07-04 2027-07-04 2028-07-04",
    "Labor Day": "2026-09-07 2027-09-06 2028-09-04",
    "Columbus Day": "2026-10-12 2027-10-11 2028-10-09",
    "Veterans Day": "2026-11-11 2027-11-11 2028-11-11",
    "Thanksgiving Day": "2026-11-26 2027-11-25 2028-11-23",
    "Christmas Day": "2026-12-25 2027-12-25 2028-12-25",
}
"""Source: the holiday schedule of the Federal Reserve Banks, by date, before a Sunday moves to the Monday."""
ON_A_SATURDAY = "2026-07-04 2027-06-19 2027-12-25 2028-01-01 2028-11-11"
"""Those close no weekday: the Federal Reserve Banks are open on the Friday before."""
ON_A_SUNDAY = "2027-07-04"
"""That one closes the Monday after it."""


@pytest.mark.parametrize("name", HOLIDAYS)
def test_a_holiday_is_made_up_by_who_hands_over_and_who_is_paid(name: str) -> None:
    """On each holiday: closed; the banking day before it settles on the one after it; a weekly one is paid then."""
    for holiday in days(HOLIDAYS[name]):
        closed = holiday + timedelta(days=1) if holiday in days(ON_A_SUNDAY) else holiday
        assert not is_banking_day(holiday)
        assert not is_banking_day(closed)
        before, after = add_banking_days(closed, -1), next_banking_day(closed)
        assert next_banking_day(before) == after
        if closed.weekday() < 5:
            weekly = PayoutSchedule(f"weekly:{closed:%a}".lower())
            assert next(payout_days(weekly, closed - timedelta(days=1))) == after


def test_a_saturday_holiday_leaves_friday_open() -> None:
    """2026-07-03, 2027-06-18, 2027-12-24, 2027-12-31 and 2028-11-10 are Fridays on which banks settle."""
    fridays = [day - timedelta(days=1) for day in days(ON_A_SATURDAY)]
    assert fridays == days("2026-07-03 2027-06-18 2027-12-24 2027-12-31 2028-11-10")
    for friday in fridays:
        assert is_banking_day(friday)
        assert next_banking_day(friday - timedelta(days=1)) == friday
        assert next(payout_days(PayoutSchedule("weekly:fri"), friday - timedelta(days=1))) == friday


# Daylight saving time ------------------------------------------------------------------------------------------------

FORWARD = days("2026-03-08 2027-03-14 2028-03-12")
BACK = days("2026-11-01 2027-11-07 2028-11-05")
"""The second Sunday of March and the first of November (15 U.S.C. 260a), at 02:00."""


@pytest.mark.parametrize("change", [*FORWARD, *BACK], ids=str)
def test_a_time_of_day_is_the_same_on_both_sides_of_a_change(change: date) -> None:
    """17:00 is 17:00 on the Friday before and on the Monday after; in UTC it has moved by an hour."""
    friday, monday = change - timedelta(days=2), change + timedelta(days=1)
    moments = [bank_moment(day, time(17)) for day in (friday, monday)]
    assert [moment.time() for moment in moments] == [time(17), time(17)]
    hours = [moment.astimezone(UTC).hour for moment in moments]
    assert hours == ([22, 21] if change in FORWARD else [21, 22])
    passed = moments[1].astimezone(UTC) - moments[0].astimezone(UTC)
    assert passed == timedelta(days=3) + timedelta(hours=-1 if change in FORWARD else 1)


@pytest.mark.parametrize("change", FORWARD, ids=str)
def test_a_time_that_no_clock_shows_is_an_hour_later(change: date) -> None:
    """In March there is no 02:30: what is set to it happens at 03:30, once."""
    moment = bank_moment(change, time(2, 30))
    assert (moment.time(), moment.utcoffset()) == (time(3, 30), timedelta(hours=-4))


@pytest.mark.parametrize("change", BACK, ids=str)
def test_a_time_that_comes_twice_is_the_first(change: date) -> None:
    """In November 01:30 comes twice: the first one counts."""
    moment = bank_moment(change, time(1, 30))
    assert moment.astimezone(UTC) == datetime.combine(change, time(5, 30), UTC)
    assert moment.tzinfo is BANK_ZONE
