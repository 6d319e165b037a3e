"""What a contract asks for a month, in the database beside a model that counts days with its fingers."""

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text

from app.database import unit_of_work

_MEMBER = UUID(int=7)
_JOIN = text("""
    WITH owned AS (INSERT INTO owner (owner_id, kind) VALUES (:member, 'member')),
         store AS (INSERT INTO pharmacy (ncpdp_id) VALUES ('0000007') RETURNING pharmacy_id)
    INSERT INTO member (member_id, pharmacy_id, membership, legal_name, dba_name, tin, state, payout_schedule)
    SELECT :member, pharmacy_id, daterange(:since, CAST(:until AS date), '[]'), 'P', 'P', '990000000', 'OH', 'daily'
    FROM store
""")
_CONTRACT = text("""
    INSERT INTO contract (member_id, in_force, monthly_fee_cents, proration)
    VALUES (:member, daterange(:since, CAST(:until AS date), '[]'), :cents, :proration)
""")
_DUE = text("SELECT fee_due_of_member(:member, :month)")
_FIRST, _LAST = date(2023, 12, 1), date(2028, 4, 30)


@dataclass(frozen=True)
class Stay:
    """A membership with its contracts: the first day and the cents of each, in order; both ends are inclusive."""

    since: date
    until: date | None
    fees: tuple[tuple[date, int], ...]
    proration: str


def due(stay: Stay, month: date) -> int:
    """Say what is due for a month (its first day), a day at a time."""
    length = calendar.monthrange(month.year, month.month)[1]
    days = [month + timedelta(days=number) for number in range(length)]
    there = [day for day in days if stay.since <= day and (stay.until is None or day <= stay.until)]
    agreed = [cents for since, cents in stay.fees if there and since <= there[0]]
    if not agreed:
        return 0
    if stay.proration == "daily":
        return agreed[-1] * len(there) // length
    # Who is there on the last day is there for the month, whenever it came.
    return agreed[-1] if days[-1] in there else 0


@st.composite
def stays(draw: st.DrawFn) -> Stay:
    """Draw a membership, often short or near a month's end, with up to three fees."""
    since = draw(st.dates(_FIRST, _LAST - timedelta(days=120)))
    until = draw(st.none() | st.integers(0, 100).map(lambda days: since + timedelta(days=days)))
    last = min(until or _LAST, _LAST)
    starts = sorted(draw(st.sets(st.dates(since, last), min_size=1, max_size=3)))
    if draw(st.booleans()):
        starts[0] = since
    cents = st.sampled_from((0, 1, 200_00, 199_99, 100_000_000)) | st.integers(0, 500_00)
    return Stay(since, until, tuple((day, draw(cents)) for day in starts), draw(st.sampled_from(("none", "daily"))))


def _lay(connection: Connection, stay: Stay) -> None:
    connection.execute(_JOIN, {"member": _MEMBER, "since": stay.since, "until": stay.until})
    ends = [*(day - timedelta(days=1) for day, _ in stay.fees[1:]), stay.until]
    for (since, cents), until in zip(stay.fees, ends, strict=True):
        facts = {"since": since, "until": until, "cents": cents, "proration": stay.proration}
        connection.execute(_CONTRACT, {"member": _MEMBER, **facts})


def _months(stay: Stay) -> list[date]:
    """Give the month before the membership, those of its beginning and of its end, and the one after."""
    first = stay.since.replace(day=1)
    near = [first - timedelta(days=1), first, first + timedelta(days=31), first + timedelta(days=62)]
    last = (stay.until or _LAST).replace(day=1)
    return sorted({day.replace(day=1) for day in (*near, last, last + timedelta(days=31))})


_WHOLE_LEAP_MONTH = Stay(date(2024, 2, 1), date(2024, 2, 29), ((date(2024, 2, 1), 200_00),), "none")
_LEFT_A_DAY_EARLY = Stay(date(2024, 2, 1), date(2024, 2, 28), ((date(2024, 2, 1), 200_00),), "none")
_HALF_A_LEAP_MONTH = Stay(date(2024, 2, 15), date(2024, 2, 29), ((date(2024, 2, 15), 200_00),), "daily")
_A_DAY = Stay(date(2028, 2, 29), date(2028, 2, 29), ((date(2028, 2, 29), 200_00),), "daily")


@given(stays())
@example(_WHOLE_LEAP_MONTH)
@example(_LEFT_A_DAY_EARLY)
@example(_HALF_A_LEAP_MONTH)
@example(_A_DAY)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_database_asks_what_the_days_say(owner: Engine, stay: Stay) -> None:
    """Every shape of membership and contracts: whole months with none at the exit, or days rounded down to the cent."""
    with unit_of_work(owner) as connection, connection.begin_nested() as laid:
        _lay(connection, stay)
        asked = {
            month: connection.execute(_DUE, {"member": _MEMBER, "month": month}).scalar_one() for month in _months(stay)
        }
        laid.rollback()
    assert asked == {month: due(stay, month) for month in _months(stay)}


def test_the_model_says_what_the_rules_say() -> None:
    """By hand: a leap month whole, left a day early, its last fifteen days of twenty-nine, and its one last day."""
    february = date(2024, 2, 1)
    assert due(_WHOLE_LEAP_MONTH, february) == 200_00
    assert due(_LEFT_A_DAY_EARLY, february) == 0
    assert due(_HALF_A_LEAP_MONTH, february) == 103_44
    assert due(_A_DAY, date(2028, 2, 1)) == 6_89
