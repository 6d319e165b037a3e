"""When a file may be handed over to the bank: a day or two before it takes effect, or the same day within a window.

Times of day are those of the bank's clock, America/New_York: a window that closes at 16:45 does so on both sides of a
change to daylight saving time. Windows, cut-offs and the same-day limit are dated rows of the database.

Source: Nacha Operating Rules, section on effective entry dates: credits one or two banking days ahead; the operators'
same-day processing schedule with its closing times and its limit of one entry.
"""

from datetime import date, datetime, time
from typing import Final

from sqlalchemy import Connection

from ledger.queries import Queries
from payouts.schedules.cut_offs import CutOffName, cut_off
from schemas.calendar import BANK_ZONE, banking_days_between, is_banking_day
from schemas.errors import RefusedError
from schemas.money import show_cents

EARLIEST_BANKING_DAYS: Final = 2
"""So many banking days before the effective date a file of credits may be handed over, and no more."""

_QUERIES = Queries("payouts", "ach.sql")


class HandoverError(RefusedError):
    """The file can not be handed over then; the operator would refuse it, or settle it on another day.

    Args:
        effective_on: the day on which the file should settle.
        problem: why it can not, as the rest of a sentence.
    """

    def __init__(self, effective_on: date, problem: str) -> None:
        self.effective_on = effective_on
        super().__init__(f"A file effective {effective_on} can not be handed over: {problem}")


def see_handover(
    connection: Connection, *, business_date: date, effective_on: date, made_at: datetime, largest_cents: int
) -> None:
    """See that a file may be handed over.

    Args:
        connection: of a unit of work.
        business_date: the day of handing over.
        effective_on: the day on which it shall settle.
        made_at: the moment of making, aware: a file of the same day needs an open window, and one that is made on the
            day of handing over is made before the bank's cut-off of that day.
        largest_cents: of its entries.

    Raises:
        HandoverError: too early, too late, on a day without banks, or above the same-day limit.
    """
    made_at = made_at.astimezone(BANK_ZONE)
    for day in (business_date, effective_on):
        if not is_banking_day(day):
            raise HandoverError(effective_on, f"{day:%A} {day} is no banking day")
    days = banking_days_between(business_date, effective_on)
    if days < 0:
        raise HandoverError(effective_on, f"{business_date} is after it")
    if days > EARLIEST_BANKING_DAYS:
        problem = f"{business_date} is {days} banking days before, {EARLIEST_BANKING_DAYS} are allowed"
        raise HandoverError(effective_on, problem)
    if days == 0:
        _see_same_day(connection, effective_on, made_at, largest_cents)
    elif made_at.date() == business_date:
        _see_cut_off(connection, business_date, effective_on, made_at)


def same_day_window(connection: Connection, business_date: date, made_at: datetime) -> time | None:
    """Give the closing time of the next same-day window, or None when the last one is closed; ``made_at`` is aware."""
    made_at = made_at.astimezone(BANK_ZONE)
    closing = connection.execute(_QUERIES["same_day_windows"], {"business_date": business_date}).scalars()
    return next((each for each in closing if made_at.time() <= each), None)


def _see_cut_off(connection: Connection, business_date: date, effective_on: date, made_at: datetime) -> None:
    """See that the bank still takes a file as this day's: a later one would reach it on the next day."""
    until = cut_off(connection, CutOffName.FILE_HANDOVER, business_date)
    if made_at.time() > until:
        problem = f"it is {made_at:%H:%M}, and the bank takes files of {business_date} until {until:%H:%M}"
        raise HandoverError(effective_on, problem)


def _see_same_day(connection: Connection, effective_on: date, made_at: datetime, largest_cents: int) -> None:
    if made_at.date() > effective_on or same_day_window(connection, effective_on, made_at) is None:
        raise HandoverError(effective_on, f"its last same-day window was closed at {made_at:%Y-%m-%d %H:%M}")
    parameters = {"name": "same_day_entry", "business_date": effective_on}
    limit = connection.execute(_QUERIES["limit_on"], parameters).scalar()
    if limit is not None and largest_cents > limit:
        problem = f"an entry of {show_cents(largest_cents)} is above the same-day limit of {show_cents(limit)}"
        raise HandoverError(effective_on, problem)
