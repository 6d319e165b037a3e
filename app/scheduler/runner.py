"""Runs jobs: each moment once, whoever else runs them, with what is missed and what failed made up for.

The lock of a job is held by a transaction of its own for as long as the job works; everything that is kept is written
in others, at once. So a killed process leaves a run that says it is running, and a lock that is free.
"""

import os
import socket
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from app.logs import job_bound
from app.scheduler.job import Job
from app.session import Session
from payouts.errors import ProofGateError
from payouts.jobs.due import CatchUp, Due, due
from payouts.jobs.errors import UnknownJobError
from payouts.jobs.runs import Run, RunState, find_run, open_runs, seen
from payouts.jobs.timetable import is_quiet
from payouts.jobs.turn import Turn, take_lock
from payouts.people.users import OPERATORS, require
from schemas.errors import CentralpayError, RefusedError, UnreadableError, WrongUseError

_LOG = structlog.get_logger("scheduler")
_REFUSALS: Final = (RefusedError, WrongUseError, UnreadableError, ProofGateError)
"""Answers: trying again would only give them again."""
_FRAMES: Final = 4


def never() -> bool:
    """Say that nobody asks to stop."""
    return False


class Runner:
    """Runs jobs for one session, one after the other.

    Args:
        session: whose clock tells the time and whose actor acts.
        jobs: in the order in which those of one moment are run.
        stopping: asked between runs whether to leave the rest to a later time.
    """

    def __init__(self, session: Session, jobs: Sequence[Job], *, stopping: Callable[[], bool] = never) -> None:
        self.session = session
        self.jobs = {each.name: each for each in jobs}
        self._stopping = stopping
        self._run_by = f"{socket.gethostname()}:{os.getpid()}"
        self._next: dict[str, None] = {}
        """Jobs that others asked for, in the order they did; lost with the process, and then done at their own time."""
        self.proof_failed = False
        """Whether a proof did not hold in a run of this runner."""

    def job(self, name: str) -> Job:
        """Give a job.

        Raises:
            UnknownJobError: there is none of that name.
        """
        if name not in self.jobs:
            raise UnknownJobError(name, list(self.jobs))
        return self.jobs[name]

    def tick(self) -> list[Run]:
        """Run all that is due: what a dead process left, what is tried again, what the timetables say, what follows.

        Between 01:00 and 03:00 by the bank's clock nothing begins.

        Raises:
            DatabaseError: it can not be read; what was run before is kept.
        """
        ran: list[Run] = []
        for job, moment in self._due():
            if self._stopping():
                break
            ran += [*self._ran(job, moment), *self._followed()]
        return ran + self._followed()

    def drain(self) -> list[Run]:
        """Tick until nothing more is due: what follows from a run, or waited for one, is run too."""
        ran: list[Run] = []
        while not self._stopping():
            more = self.tick()
            if not more:
                break
            ran += more
        return ran

    def run(self, job: Job, moment: Due, *, again: bool = False) -> Run | None:
        """Run a job for a moment, unless that was done, or another process is at it.

        Args:
            job: which.
            moment: for which moment.
            again: a person asks: what waits, was refused or has failed is tried at once.

        Returns:
            The run; None: there was nothing to run.

        Raises:
            DatabaseError: what came of it could not be written down; the next one takes it over.
        """
        with self.session.begin() as guard:
            if not take_lock(guard, job.name):
                return None
            with self._turn(job, moment.scheduled_for) as turn:
                attempt = turn.begin(moment.moments, again=again)
            if attempt is None:
                return None
            with job_bound(self.session.actor, job.name, moment.scheduled_for):
                return self._attempt(job, moment.scheduled_for, attempt)

    def run_now(self, job: Job) -> Run | None:
        """Run a job for this moment, whether or not it is due; None: another process is at it."""
        moment = self.session.now.astimezone(UTC)
        with self.session.reading() as connection:
            while find_run(connection, job.name, moment) is not None:
                moment += timedelta(microseconds=1)
        return self.run(job, Due(moment))

    def waiting(self) -> dict[str, tuple[Due, ...]]:
        """Give what each job lacks by now, by name; jobs without a timetable lack nothing."""
        timed = {name: (job.timetable, job.catch_up) for name, job in self.jobs.items() if job.timetable is not None}
        each = [name for name, (_, catch_up) in timed.items() if catch_up is CatchUp.EACH]
        now = self.session.now
        with self.session.reading() as connection:
            known = seen(connection, list(timed), each=each, now=now)
        found = {}
        for name, (timetable, catch_up) in timed.items():
            try:
                found[name] = due(timetable, catch_up, known[name], now)
            except WrongUseError as error:  # Its times are data, and the data is wrong: the others go on.
                _LOG.error("job has no time", job=name, error=str(error))
        return found

    def _due(self) -> Iterator[tuple[Job, Due]]:
        """Give what is to be run now, in order; asked one by one, since runs make others due no more."""
        now = self.session.now
        if is_quiet(now):
            return
        with self.session.reading() as connection:
            unfinished = open_runs(connection)
        for each in unfinished:
            if each.job in self.jobs and (each.state is RunState.RUNNING or (each.retry_at or now) <= now):
                yield self.jobs[each.job], Due(each.scheduled_for, each.moments)
        busy = {each.job for each in unfinished}
        waiting = self.waiting()
        # In their order, whatever was missed when: what came in is matched before anything is proposed.
        for name, job in self.jobs.items():
            if name in busy:
                continue
            if _is_ready(job):
                yield job, Due(self.session.now.astimezone(UTC).replace(second=0, microsecond=0))
            for moment in waiting.get(name, ()):
                yield job, moment

    def _followed(self) -> list[Run]:
        """Run what others asked for; what another process runs at this moment is left to the next tick."""
        ran = []
        for name in list(self._next):
            if self._stopping() or is_quiet(self.session.now):
                break
            run = _written(partial(self.run_now, self.jobs[name]))
            if run is not None:
                self._next.pop(name)
                ran.append(run)
        return ran

    def _ran(self, job: Job, moment: Due) -> list[Run]:
        run = _written(partial(self.run, job, moment))
        return [] if run is None else [run]

    def _attempt(self, job: Job, scheduled_for: datetime, attempt: int) -> Run | None:
        """Do the work of a run, write down what came of it, and say it in one line of the log."""
        try:
            with self.session.begin() as connection:
                require(connection, self.session.actor, OPERATORS)
            outcome = job.body(self.session, scheduled_for)
        except _REFUSALS as error:
            with self._turn(job, scheduled_for) as turn:
                turn.refused(attempt, str(error))
        except Exception as error:  # noqa: BLE001 (whatever it is, it is kept with the run, and tried again)
            with self._turn(job, scheduled_for) as turn:
                turn.failed(attempt, said_of(error))
        else:
            self._next |= dict.fromkeys(outcome.then)
            self.proof_failed |= outcome.proof_failed
            with self._turn(job, scheduled_for) as turn:
                turn.done(attempt, outcome.said)
        with self.session.reading() as connection:
            run = find_run(connection, job.name, scheduled_for)
        if run is not None:
            _tell(run)
        return run

    @contextmanager
    def _turn(self, job: Job, scheduled_for: datetime) -> Iterator[Turn]:
        session = self.session
        with session.begin() as connection:
            now = session.now.astimezone(UTC)
            yield Turn(connection, job.name, scheduled_for, now, self._run_by, session.actor)


def _written(running: Callable[[], Run | None]) -> Run | None:
    """Run a job; one of which nothing can be written down is left for the next tick, and the others go on."""
    try:
        return running()
    except CentralpayError as error:
        _LOG.error("what came of a job is not written down", error=str(error))
        return None


def _is_ready(job: Job) -> bool:
    try:
        return job.ready is not None and job.ready()
    except CentralpayError:  # It is run, so that its own run says what is wrong.
        return True


def said_of(error: Exception) -> str:
    """Say what went wrong: our own sentences whole; of others' class and place, for they may quote what they read."""
    kind = type(error).__name__
    if isinstance(error, CentralpayError):
        return f"{kind}: {error}"
    if isinstance(error, OSError) and error.strerror:
        return f"{kind}: {error.strerror}"
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return f"{kind} at {' < '.join(f'{Path(each.filename).name}:{each.lineno}' for each in reversed(frames))}"


def _tell(run: Run) -> None:
    levels = {RunState.DONE: _LOG.info, RunState.FAILED: _LOG.error}
    tell = levels.get(run.state, _LOG.warning)
    took = None if run.finished_at is None else round((run.finished_at - run.started_at).total_seconds(), 3)
    tell(
        "job",
        job=run.job,
        scheduled_for=run.scheduled_for.isoformat(),
        state=run.state.value,
        attempt=run.attempt,
        seconds=took,
        said=run.said,
    )
