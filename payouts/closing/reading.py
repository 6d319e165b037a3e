"""The months that were closed: how far each close is, what it rests on, what superseded it."""

from datetime import date

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from payouts.closing.checks import QUERIES
from payouts.closing.errors import NoSuchMonthError
from payouts.closing.model import Carried, Check, Close, TiedDay


class OpenMonth(BaseModel):
    """An open month in which something was posted."""

    model_config = ConfigDict(frozen=True)

    month: date
    transactions: int


class Told(BaseModel):
    """Everything that is written down of one close."""

    model_config = ConfigDict(frozen=True)

    close: Close
    checks: tuple[Check, ...]
    carried: tuple[Carried, ...]
    days: tuple[TiedDay, ...]


def closes(connection: Connection, month: date | None = None) -> list[Close]:
    """List every close that there was, of a month or of all, the newest version of each month last."""
    return [Close(**row) for row in connection.execute(QUERIES["closes"], {"month": month}).mappings()]


def standing(connection: Connection, month: date) -> Close | None:
    """Give the close that a month is closed by; None: the month is open.

    Raises:
        NoSuchMonthError: there is no such month.
    """
    state = connection.execute(QUERIES["state"], {"month": month}).scalar()
    if state is None:
        raise NoSuchMonthError(month)
    found = closes(connection, month)
    return found[-1] if found and state == "closed" else None


def closed_with(connection: Connection, month: date) -> date | None:
    """Give the month with whose close a month without entries was closed; None: there is none."""
    found = connection.execute(QUERIES["closed_with"], {"month": month}).scalar()
    return found if isinstance(found, date) else None


def open_months(connection: Connection) -> list[OpenMonth]:
    """List the open months in which something was posted."""
    return [OpenMonth(**row) for row in connection.execute(QUERIES["open_with_entries"]).mappings()]


def told(connection: Connection, close: Close) -> Told:
    """Give what is written down of a close."""
    asked = {"month": close.month, "version": close.version}
    checks = [Check(**row) for row in connection.execute(QUERIES["checks"], asked).mappings()]
    carried = [Carried(**row) for row in connection.execute(QUERIES["carried"], asked).mappings()]
    days = [TiedDay(**row) for row in connection.execute(QUERIES["tied"], asked).mappings()]
    return Told(close=close, checks=tuple(checks), carried=tuple(carried), days=tuple(days))
