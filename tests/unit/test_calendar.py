"""Banking days follow the Federal Reserve's published closed days, not the government's day off."""

from datetime import date, timedelta

import pytest

from schemas.calendar import CalendarEndsError, add_banking_days, banking_days_between, is_banking_day, next_banking_day

# Published by the Federal Reserve Banks; weekdays only. In 2026 Independence Day, in 2027 Juneteenth and Christmas, in
# 2028 New Year's Day and Veterans Day fall on Saturdays and close no weekday; in 2027 July 4 is a Sunday.
CLOSED_WEEKDAYS = {
    2026: "01-01 01-19 02-16 05-25 06-19 09-07 10-12 11-11 11-26 12-25",
    2027: "01-01 01-18 02-15 05-31 07-05 09-06 10-11 11-11 11-25",
    2028: "01-17 02-21 05-29 06-19 07-04 09-04 10-09 11-23 12-25",
}


@pytest.mark.parametrize("year", CLOSED_WEEKDAYS)
def test_every_day_of_the_year_is_open_or_closed_as_published(year: int) -> None:
    """All days of a year are compared: weekends and the listed weekdays are closed, every other day is open."""
    closed = {date.fromisoformat(f"{year}-{day}") for day in CLOSED_WEEKDAYS[year].split()}
    days = [date(year, 1, 1) + timedelta(days=number) for number in range(366)]
    for day in [day for day in days if day.year == year]:
        assert is_banking_day(day) == (day.weekday() < 5 and day not in closed), day


def test_friday_before_a_saturday_holiday_is_open() -> None:
    """2026-07-04 is a Saturday: the government rests on Friday the 3rd, the Federal Reserve Banks settle."""
    assert is_banking_day(date(2026, 7, 3))
    assert is_banking_day(date(2027, 12, 31))


def test_monday_after_a_sunday_holiday_is_closed() -> None:
    """New Year's Day 2023 was a Sunday: Monday the 2nd was closed, across the turn of the year too."""
    assert not is_banking_day(date(2023, 1, 2))
    assert next_banking_day(date(2022, 12, 30)) == date(2023, 1, 3)


@pytest.mark.parametrize(
    ("day", "following"),
    [
        ("2026-07-02", "2026-07-03"),
        ("2026-07-03", "2026-07-06"),
        ("2026-07-04", "2026-07-06"),
        ("2026-11-25", "2026-11-27"),
        ("2026-12-24", "2026-12-28"),
        ("2026-12-31", "2027-01-04"),
        ("2027-07-02", "2027-07-06"),
    ],
)
def test_the_next_banking_day_is_strictly_after(day: str, following: str) -> None:
    """From a banking day too, the next one is another day; weekends, holidays and years' ends are passed over."""
    assert next_banking_day(date.fromisoformat(day)) == date.fromisoformat(following)


@pytest.mark.parametrize(
    ("day", "count", "result"),
    [
        ("2026-11-24", 2, "2026-11-27"),
        ("2026-11-27", -2, "2026-11-24"),
        ("2026-07-04", 1, "2026-07-06"),
        ("2026-07-04", -1, "2026-07-03"),
        ("2026-07-03", 0, "2026-07-03"),
        ("2026-07-04", 0, "2026-07-06"),
        ("2026-01-01", 251, "2026-12-31"),
    ],
)
def test_banking_days_are_added_and_taken_away(day: str, count: int, result: str) -> None:
    """The day itself is not counted; zero moves only from a closed day; 2026 has 251 banking days."""
    assert add_banking_days(date.fromisoformat(day), count) == date.fromisoformat(result)


def test_counting_between_is_the_inverse_of_adding() -> None:
    """From any day of half a year, n banking days on are n banking days between, and the reverse is negative."""
    for number in range(180):
        day = date(2026, 10, 1) + timedelta(days=number)
        for count in (1, 2, 5, 60):
            later = add_banking_days(day, count)
            assert banking_days_between(day, later) == count
            assert banking_days_between(later, day) == -count
        assert banking_days_between(day, day) == 0


def test_years_without_known_holidays_are_refused() -> None:
    """Before 1999 and after 2099 no holiday is known; open every weekday would be a guess."""
    for day in (date(1998, 12, 31), date(2100, 1, 4)):
        with pytest.raises(CalendarEndsError) as refused:
            is_banking_day(day)
        assert refused.value.year == day.year
    with pytest.raises(CalendarEndsError):
        next_banking_day(date(2099, 12, 31))
