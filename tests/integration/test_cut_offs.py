"""The bank's day: cut-offs as dated rows, and what may be handed over when, around every change of the clock."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from payouts.ach.handover import HandoverError, same_day_window, see_handover
from payouts.errors import RoleMissingError
from payouts.jobs.errors import QuietHoursError
from payouts.people.users import UserRole, add_user
from payouts.schedules.cut_offs import CutOffName, cut_off, cut_off_moment, list_cut_offs, set_cut_off
from payouts.schedules.errors import CutOffPastError, CutOffSetError
from schemas.calendar import BANK_ZONE, add_banking_days, bank_moment, next_banking_day
from tests.support.books import CHECKER, MAKER, Books
from tests.support.trade import A, Part, remittance

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)
CHANGES = [
    date(2026, 3, 8),
    date(2026, 11, 1),
    date(2027, 3, 14),
    date(2027, 11, 7),
    date(2028, 3, 12),
    date(2028, 11, 5),
]
"""The Sundays on which the clocks of 2026 to 2028 change (15 U.S.C. 260a)."""
YEARS = [add_banking_days(date(2026, 1, 1), number) for number in range(1, 755)]
"""All banking days of 2026 to 2028."""


@pytest.fixture
def bank_hours(books: Books, owner: Engine) -> Books:
    """Give books whose bank takes files until 17:00."""
    with owner.begin() as connection:
        connection.exec_driver_sql("INSERT INTO cut_off VALUES ('file_handover', '2000-01-03', '17:00', 'tests')")
    return books


def _set(books: Books, name: CutOffName, local_time: time, since: date, *, actor: str = CHECKER) -> None:
    with books.begin() as connection:
        set_cut_off(connection, name, local_time, since, today=MONDAY, actor=actor)


# Dated rows ----------------------------------------------------------------------------------------------------------


def test_a_cut_off_holds_from_its_day_until_a_later_one(books: Books) -> None:
    """15:00 is there from the beginning; 14:00 from Wednesday holds on Wednesday, and Tuesday keeps what it had."""
    _set(books, CutOffName.CYCLE_PROPOSAL, time(14), WEDNESDAY)
    with books.begin() as connection:
        found = [cut_off(connection, CutOffName.CYCLE_PROPOSAL, day) for day in (TUESDAY, WEDNESDAY, date(2028, 1, 3))]
        assert found == [time(15), time(14), time(14)]
        listed = [each for each in list_cut_offs(connection) if each.name is CutOffName.CYCLE_PROPOSAL]
    assert [(each.since, each.local_time, each.set_by) for each in listed] == [
        (date(2000, 1, 1), time(15), "system"),
        (WEDNESDAY, time(14), CHECKER),
    ]
    (done,) = books.ask("SELECT actor, subject, detail FROM activity WHERE action = 'cut_off_set'")
    assert (done.actor, done.subject) == (CHECKER, "cycle_proposal")
    assert done.detail == {"since": f"{WEDNESDAY}", "local_time": "14:00:00"}


def test_who_may_not_set_a_cut_off_or_for_which_day(books: Books) -> None:
    """No operator; not for days that are past; not twice for one day. Nothing is written."""
    with books.begin() as connection:
        add_user(connection, "clara", UserRole.OPERATOR, MAKER)
    _set(books, CutOffName.CYCLE_PROPOSAL, time(14), MONDAY)
    before = books.ask("SELECT count(*) AS rows FROM cut_off")[0].rows
    with pytest.raises(RoleMissingError):
        _set(books, CutOffName.CYCLE_PROPOSAL, time(13), WEDNESDAY, actor="clara")
    with pytest.raises(CutOffPastError):
        _set(books, CutOffName.CYCLE_PROPOSAL, time(13), MONDAY - timedelta(days=1))
    with pytest.raises(CutOffSetError):
        _set(books, CutOffName.CYCLE_PROPOSAL, time(13), MONDAY)
    assert books.ask("SELECT count(*) AS rows FROM cut_off")[0].rows == before


@pytest.mark.parametrize("at", [time(1), time(2, 30), time(2, 59, 59)])
def test_no_cycle_is_proposed_at_a_time_that_comes_twice(books: Books, owner: Engine, at: time) -> None:
    """Between one and three a day of a changing clock has a time twice or never: refused, by the table too."""
    with pytest.raises(QuietHoursError, match="No job is due between 01:00 and 03:00"):
        _set(books, CutOffName.CYCLE_PROPOSAL, at, WEDNESDAY)
    row = "INSERT INTO cut_off (name, since, local_time, set_by) VALUES ('cycle_proposal', '2026-11-18', %s, 'x')"
    with pytest.raises(IntegrityError, match="cycle_is_proposed_once_a_day"), owner.begin() as connection:
        connection.exec_driver_sql(row, (at,))
    _set(books, CutOffName.CYCLE_PROPOSAL, time(0, 59), WEDNESDAY)
    _set(books, CutOffName.CYCLE_PROPOSAL, time(3), WEDNESDAY + timedelta(days=1))


def test_what_an_installation_begins_with(owner: Engine) -> None:
    """The steps lay 15:00 for the proposal and 17:00 for files; the row beside them is that of these tests."""
    with owner.begin() as connection:
        rows = connection.exec_driver_sql("SELECT name, since, local_time FROM cut_off WHERE set_by = 'system'").all()
    assert sorted(tuple(row) for row in rows) == [
        ("cycle_proposal", date(2000, 1, 1), time(15)),
        ("file_handover", date(2000, 1, 1), time(17)),
    ]


# Handing over --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "effective_on", "problem"),
    [
        ("2026-11-17T17:00:00-05:00", WEDNESDAY, None),
        ("2026-11-17T17:00:01-05:00", WEDNESDAY, "it is 17:00, and the bank takes files of 2026-11-17 until 17:00"),
        ("2026-11-17T23:30:00-05:00", WEDNESDAY, "it is 23:30"),
        # The same moments by other clocks.
        ("2026-11-17T22:00:00+00:00", WEDNESDAY, None),
        ("2026-11-17T22:01:00+00:00", WEDNESDAY, "it is 17:01"),
        ("2026-11-18T04:59:00+00:00", WEDNESDAY, "it is 23:59"),
        # A file of the same day has windows of its own.
        ("2026-11-17T16:45:00-05:00", TUESDAY, None),
        ("2026-11-17T16:46:00-05:00", TUESDAY, "its last same-day window was closed at 2026-11-17 16:46"),
        # Made on the evening before: it is the next day's, early.
        ("2026-11-16T20:00:00-05:00", WEDNESDAY, None),
    ],
)
def test_the_bank_takes_files_of_a_day_until_its_cut_off(
    bank_hours: Books, at: str, effective_on: date, problem: str | None
) -> None:
    """On Tuesday, for Wednesday or for the same day: until 17:00 by the bank's clock, whatever clock is asked."""
    facts = {"business_date": TUESDAY, "effective_on": effective_on}
    with bank_hours.begin() as connection:
        if problem is None:
            see_handover(connection, **facts, made_at=datetime.fromisoformat(at), largest_cents=1)
        else:
            with pytest.raises(HandoverError, match=problem):
                see_handover(connection, **facts, made_at=datetime.fromisoformat(at), largest_cents=1)


def test_a_release_after_the_cut_off_changes_nothing(bank_hours: Books) -> None:
    """A cycle of Friday, released at noon of Friday by its clock, once the bank closes at 11:30: it stays approved."""
    bank_hours.fund(remittance("T1", MONDAY, Part(A, (100_00,))))
    friday = date(2026, 11, 20)
    _set(bank_hours, CutOffName.FILE_HANDOVER, time(11, 30), friday)
    cycle = bank_hours.approved(friday)
    with pytest.raises(HandoverError, match="it is 12:00, and the bank takes files of 2026-11-20 until 11:30"):
        bank_hours.release(cycle.cycle_id)
    (row,) = bank_hours.ask("SELECT state FROM cycle")
    assert row.state == "approved"
    bank_hours.prove()


# Every change of the clock, every holiday ----------------------------------------------------------------------------


@pytest.mark.parametrize("sunday", CHANGES, ids=str)
def test_windows_and_cut_offs_keep_their_local_time(bank_hours: Books, sunday: date) -> None:
    """On the Friday before a change and on the Monday after, 16:45 and 17:00 are those of the bank's clock.

    A machine that runs on UTC hands the moment over as it knows it: what was open on Friday at 20:45 UTC in summer is
    open at 21:45 UTC in winter, and shut a second later.
    """
    friday, monday = add_banking_days(sunday, -1), next_banking_day(sunday)
    second = timedelta(seconds=1)
    for day in (friday, monday):
        last, until = (bank_moment(day, each).astimezone(UTC) for each in (time(16, 45), time(17)))
        following = next_banking_day(day)
        with bank_hours.begin() as connection:
            assert same_day_window(connection, day, last) == time(16, 45)
            assert same_day_window(connection, day, last + second) is None
            assert cut_off_moment(connection, CutOffName.FILE_HANDOVER, day) == until
            see_handover(connection, business_date=day, effective_on=day, made_at=last, largest_cents=1)
            see_handover(connection, business_date=day, effective_on=following, made_at=until, largest_cents=1)
            for effective_on, moment in ((day, last + second), (following, until + second)):
                with pytest.raises(HandoverError):
                    see_handover(
                        connection, business_date=day, effective_on=effective_on, made_at=moment, largest_cents=1
                    )
    before, after = (bank_moment(day, time(17)).astimezone(UTC).hour for day in (friday, monday))
    assert after - before == (-1 if sunday.month == 3 else 1)


def test_the_clock_of_three_years(bank_hours: Books) -> None:
    """On each banking day of 2026 to 2028: one proposal at 15:00 and one last hand-over at 17:00, in their order.

    Each lies on its own day by the bank's clock, at 19 or 20 hours UTC for the proposal; no day has two, or none. There
    are 261, 261 and 260 weekdays in these years, and 10, 9 and 9 holidays on weekdays.
    """
    with bank_hours.begin() as connection:
        proposals = [cut_off_moment(connection, CutOffName.CYCLE_PROPOSAL, day) for day in YEARS]
        last = [cut_off_moment(connection, CutOffName.FILE_HANDOVER, day) for day in YEARS]
    assert [moment.astimezone(BANK_ZONE).date() for moment in proposals] == YEARS
    assert {moment.astimezone(UTC).hour for moment in proposals} == {19, 20}
    assert all(until - moment == timedelta(hours=2) for moment, until in zip(proposals, last, strict=True))
    assert all(one < other for one, other in pairwise(proposals))
    assert [sum(day.year == year for day in YEARS) for year in (2026, 2027, 2028)] == [251, 252, 251]


def test_files_of_three_years_settle_on_the_next_banking_day(bank_hours: Books) -> None:
    """From each banking day to the next one and to the one after it a file may go, over weekends and holidays too.

    To the third it may not, and to no day between: those are no banking days.
    """
    with bank_hours.begin() as connection:
        for day in [each for each in YEARS if each.month in {1, 6, 7, 11, 12}]:
            noon = bank_moment(day, time(12))
            for count in (1, 2):
                effective_on = add_banking_days(day, count)
                see_handover(connection, business_date=day, effective_on=effective_on, made_at=noon, largest_cents=1)
            third = add_banking_days(day, 3)
            with pytest.raises(HandoverError, match="3 banking days before"):
                see_handover(connection, business_date=day, effective_on=third, made_at=noon, largest_cents=1)
            between = day + timedelta(days=1)
            if between != add_banking_days(day, 1):
                with pytest.raises(HandoverError, match="no banking day"):
                    see_handover(connection, business_date=day, effective_on=between, made_at=noon, largest_cents=1)
