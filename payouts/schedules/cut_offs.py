"""Times of day that the bank's clock decides, each in force from a day until a later one of its name.

They are local times of America/New_York: 17:00 is 17:00 on both sides of a change to daylight saving time. What was
set stays; another time is set from another day on.
"""

from datetime import date, datetime, time
from enum import StrEnum

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ledger import activity
from ledger.queries import Queries
from payouts.jobs.timetable import see_loud
from payouts.people.users import APPROVERS, require
from payouts.schedules.errors import CutOffPastError, CutOffSetError
from schemas.calendar import bank_moment

_QUERIES = Queries("payouts", "schedules.sql")


class CutOffName(StrEnum):
    """What happens at that time, or until it."""

    CYCLE_PROPOSAL = "cycle_proposal"
    """The scheduler proposes the day's cycle."""
    FILE_HANDOVER = "file_handover"
    """The last moment at which the bank takes a file as the same day's; a later one is the next day's."""


class CutOff(BaseModel):
    """A time of day from a day on, by the bank's clock."""

    model_config = ConfigDict(frozen=True)

    name: CutOffName
    since: date
    local_time: time
    set_by: str


def cut_off(connection: Connection, name: CutOffName, day: date) -> time:
    """Give the time of day that holds on a day, by the bank's clock."""
    local_time: time = connection.execute(_QUERIES["cut_off"], {"name": name.value, "day": day}).scalar_one()
    return local_time


def cut_off_moment(connection: Connection, name: CutOffName, day: date) -> datetime:
    """Give the moment of a day's cut-off, aware, in ``BANK_ZONE``."""
    return bank_moment(day, cut_off(connection, name, day))


def list_cut_offs(connection: Connection) -> list[CutOff]:
    """List all that were ever set, by name and day; of each name the last one that has begun holds."""
    return [CutOff(**row) for row in connection.execute(_QUERIES["cut_offs"]).mappings()]


def set_cut_off(
    connection: Connection, name: CutOffName, local_time: time, since: date, *, today: date, actor: str
) -> CutOff:
    """Set a time of day from a day on.

    Args:
        connection: of a unit of work.
        name: what of.
        local_time: by the bank's clock, without a time zone, in whole seconds.
        since: the first day on which it holds.
        today: the business date; nothing is changed for days that are past.
        actor: an approver.

    Raises:
        RoleMissingError: who acts is no approver.
        CutOffPastError: its first day is past.
        QuietHoursError: a cycle would be proposed between 01:00 and 03:00.
        CutOffSetError: one of that name begins on that day.
    """
    require(connection, actor, APPROVERS)
    if since < today:
        raise CutOffPastError(since, today)
    if name is CutOffName.CYCLE_PROPOSAL:
        see_loud(local_time)
    facts = {"name": name.value, "since": since, "local_time": local_time, "actor": actor}
    if not connection.execute(_QUERIES["set_cut_off"], facts).rowcount:
        raise CutOffSetError(name.value, since)
    said = {"since": since.isoformat(), "local_time": f"{local_time:%H:%M:%S}"}
    activity.record(connection, actor, "cut_off_set", name.value, **said)
    return CutOff(name=name, since=since, local_time=local_time, set_by=actor)
