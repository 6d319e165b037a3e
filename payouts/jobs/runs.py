"""Runs of jobs as they are kept: one row for a job and a moment, with every attempt at it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ledger.queries import Queries
from payouts.jobs.due import EACH_REACH, Seen

QUERIES = Queries("payouts", "jobs.sql")


class RunState(StrEnum):
    """How a run stands."""

    RUNNING = "running"
    WAITING = "waiting"
    """An attempt failed; it is tried again."""
    DONE = "done"
    REFUSED = "refused"
    """A rule refused it: that is an answer, and it is not tried again by itself."""
    FAILED = "failed"
    """It failed as often as it is tried; an exception is open."""


class Attempt(BaseModel):
    """An attempt that has ended: ``done``, ``refused``, ``failed`` or ``died``, and what is said of it."""

    model_config = ConfigDict(frozen=True)

    attempt: int
    started_at: datetime
    ended_at: datetime
    run_by: str
    ended: str
    said: str


class Run(BaseModel):
    """A run of a job for a moment; ``attempt``, the times and ``run_by`` are of its last attempt."""

    model_config = ConfigDict(frozen=True)

    job: str
    scheduled_for: datetime
    moments: int
    state: RunState
    attempt: int
    started_at: datetime
    finished_at: datetime | None
    run_by: str
    retry_at: datetime | None
    outcome: str | None
    error: str | None
    attempts: tuple[Attempt, ...] = ()

    @property
    def said(self) -> str:
        """What came of it, or why nothing did."""
        return self.outcome or self.error or ""


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run that is not over: running, or waiting to be tried again."""

    job: str
    scheduled_for: datetime
    moments: int
    state: RunState
    retry_at: datetime | None


def seen(
    connection: Connection, jobs: Collection[str], *, each: Collection[str] = (), now: datetime
) -> Mapping[str, Seen]:
    """Give what there is of the runs of jobs; of those in ``each`` the moments of the last year, too."""
    facts = {"jobs": list(jobs), "each": list(each), "since": now - EACH_REACH, "now": now}
    return {row.job: Seen(row.last, frozenset(row.present)) for row in connection.execute(QUERIES["seen"], facts)}


def open_runs(connection: Connection) -> list[OpenRun]:
    """List the runs that are not over, earliest first."""
    return [
        OpenRun(row.job, row.scheduled_for, row.moments, RunState(row.state), row.retry_at)
        for row in connection.execute(QUERIES["open"])
    ]


def find_run(connection: Connection, job: str, scheduled_for: datetime) -> Run | None:
    """Give the run of a moment with its attempts, or None."""
    facts = {"job": job, "scheduled_for": scheduled_for, "failed": False, "most": 1}
    row = connection.execute(QUERIES["list"], facts).mappings().first()
    return None if row is None else Run(**row)


def list_runs(connection: Connection, *, job: str | None = None, failed: bool = False, most: int = 50) -> list[Run]:
    """List runs with their attempts, the last begun first.

    Args:
        connection: to read with.
        job: only this one's.
        failed: only those of which an attempt failed or died.
        most: no more than that.
    """
    facts = {"job": job, "scheduled_for": None, "failed": failed, "most": most}
    return [Run(**row) for row in connection.execute(QUERIES["list"], facts).mappings()]


def last_runs(connection: Connection, jobs: Sequence[str]) -> Mapping[str, Run]:
    """Give the run of the latest moment of each job that has any."""
    rows = connection.execute(QUERIES["last_of_each"], {"jobs": list(jobs)}).mappings()
    return {row["job"]: Run(**row) for row in rows}


def role_of(connection: Connection, actor: str) -> str | None:
    """Give the role of a user, or None where there is no such user; nobody becomes one by being asked for."""
    role = connection.execute(QUERIES["role_of"], {"actor": actor}).scalar()
    return None if role is None else str(role)


def run_name(job: str, scheduled_for: datetime) -> str:
    """Name a run as exceptions and records do: job and moment, such as ``match 2026-11-20T15:00:00Z``."""
    moment = scheduled_for.astimezone(UTC)
    return f"{job} {moment:%Y-%m-%dT%H:%M:%S}{f'.{moment:%f}' if moment.microsecond else ''}Z"
