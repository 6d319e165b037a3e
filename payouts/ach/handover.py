"""When a file may be handed over to the bank: a day or two before it takes effect, or the same day within a window.

Source: Nacha Operating Rules, section on effective entry dates: credits one or two banking days ahead; the operators'
same-day processing schedule with its closing times and its limit of one entry.
"""

from datetime import date, datetime, time
from typing import Final

from sqlalchemy import Connection

from ledger.queries import Queries
from schemas.calendar import banking_days_between, is_banking_day
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
        made_at: the moment of making, by the bank's clock; it counts for a file of the same day alone.
        largest_cents: of its entries.

    Raises:
        HandoverError: too early, too late, on a day without banks, or above the same-day limit.
    """
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


def same_day_window(connection: Connection, business_date: date, made_at: datetime) -> time | None:
    """Give the closing time of the next same-day window, or None when the last one is closed."""
    closing = connection.execute(_QUERIES["same_day_windows"], {"business_date": business_date}).scalars()
    return next((each for each in closing if made_at.time() <= each), None)


def _see_same_day(connection: Connection, effective_on: date, made_at: datetime, largest_cents: int) -> None:
    if made_at.date() > effective_on or same_day_window(connection, effective_on, made_at) is None:
        raise HandoverError(effective_on, f"its last same-day window was closed at {made_at:%Y-%m-%d %H:%M}")
    parameters = {"name": "same_day_entry", "business_date": effective_on}
    limit = connection.execute(_QUERIES["limit_on"], parameters).scalar()
    if limit is not None and largest_cents > limit:
        problem = f"an entry of {show_cents(largest_cents)} is above the same-day limit of {show_cents(limit)}"
        raise HandoverError(effective_on, problem)
