"""The scheduler as a process: asks at short intervals what is due, until it is told to stop.

APScheduler keeps the beat, in one thread and in memory; what is due, and what was done, is decided by our own table.
So a beat that is late or lost matters to nobody, and a second scheduler does no harm.
"""

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from datetime import UTC, datetime
from types import FrameType
from typing import Final

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from app.database import DatabaseError, opened
from app.scheduler.runner import Runner, said_of
from app.session import Session
from app.settings import Settings
from payouts.jobs.errors import SchedulerUserError
from payouts.jobs.runs import role_of
from payouts.people.users import UserRole
from schemas.errors import CentralpayError

SCHEDULER_USER: Final = "scheduler"
"""Who acts where nobody sits: an operator of its own."""
BEAT_S: Final = 10.0
"""Seconds between two looks at what is due."""

_LOG = structlog.get_logger("scheduler")


def see_scheduler_user(session: Session) -> None:
    """See that who acts is an operator: one who proposes and can not approve.

    Raises:
        SchedulerUserError: there is no such user, or it may do more or less.
    """
    with session.reading() as connection:
        role = role_of(connection, session.actor)
    if role != UserRole.OPERATOR:
        raise SchedulerUserError(session.actor, role)


def serve(runner: Runner, stop: threading.Event, *, beat_s: float = BEAT_S) -> None:
    """Run what is due, beat by beat, until ``stop`` is set; the run that is at work then is finished first.

    Args:
        runner: knows the jobs.
        stop: ends it; the runner should be asking it, too.
        beat_s: seconds between two looks.
    """
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a beat left out while a job works is no news
    scheduler = BackgroundScheduler(
        timezone=UTC,
        jobstores={"default": MemoryJobStore()},
        executors={"default": ThreadPoolExecutor(1)},
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )
    # In its thread the lines of the log name our run and user, as they do here.
    scheduler.add_job(copy_context().run, "interval", (_beat, runner), seconds=beat_s, next_run_time=datetime.now(UTC))
    _LOG.info("scheduler begins", beat_s=beat_s, jobs=len(runner.jobs))
    scheduler.start()
    try:
        stop.wait()
    finally:
        _LOG.info("scheduler was asked to stop")
        scheduler.shutdown(wait=True)
        _LOG.info("scheduler ends")


def _beat(runner: Runner) -> None:
    try:
        runner.tick()
    except Exception as error:  # noqa: BLE001 (the database may be away; the next beat finds it again)
        _LOG.error("what is due can not be told", error=said_of(error))
        if isinstance(error, DatabaseError):
            _start_database_again(runner.session.settings)


def _start_database_again(settings: Settings) -> None:
    """Start an embedded server that has died; we hold it still, so it stays. One of others is theirs to start."""
    with suppress(CentralpayError), opened(settings):
        pass


@contextmanager
def stopping_on_signals() -> Iterator[threading.Event]:
    """Give an event that SIGTERM and SIGINT set while the block runs, so that it ends as any command does.

    The second signal ends the process at once: the run at work is left to whoever comes next, as after any kill.
    """
    stop = threading.Event()

    def ask(number: int, _: FrameType | None) -> None:
        if stop.is_set():
            os._exit(128 + number)  # an orderly end would wait for the thread of the run
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
