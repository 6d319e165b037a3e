"""A day of the scheduler in some seconds: ``python -m tests.support.compressed_day``, files that arrive, what it did.

The clock goes fast and stands still at the end of the day, so that every process that is given the same words reads the
same time, whenever it was started, and nothing of the next day becomes due.
"""

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from pydantic import SecretStr

from app.scheduler.inbox import Inbox
from app.scheduler.jobs import declared
from app.scheduler.runner import Runner
from app.scheduler.service import SCHEDULER_USER, see_scheduler_user, serve, stopping_on_signals
from app.session import Session, opened
from app.settings import PREFIX, Settings
from tests.support.command import Shell
from tests.support.scheduling import HandClock, fast_clock, runner_of

BEAT_S = 0.05
_LONGEST_S = 120.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file that others leave in the inbox at a moment of the day."""

    at: datetime
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Day:
    """A day by the clock: from when to when, what arrives, and how fast it goes.

    Args:
        start: aware.
        end: aware; the clock stands still there.
        arrivals: in the order of their moments.
        speed: seconds of the day in one of the machine's.
    """

    start: datetime
    end: datetime
    arrivals: tuple[Arrival, ...]
    speed: float

    @property
    def duration_s(self) -> float:
        """Seconds of the machine's clock that it lasts."""
        return (self.end - self.start).total_seconds() / self.speed

    def seconds_until(self, at: datetime) -> float:
        """Give the machine's seconds from its beginning to a moment."""
        return (at - self.start).total_seconds() / self.speed


def capped_clock(start: datetime, end: datetime, begun_s: float, speed: float) -> Callable[[], datetime]:
    """Give a fast clock that stands still at the end of the day."""
    fast = fast_clock(start, begun_s, speed)
    return lambda: min(fast(), end.astimezone(UTC))


# Processes -----------------------------------------------------------------------------------------------------------


@dataclass
class Schedulers:
    """The processes of a day on one installation.

    Args:
        shell: its home and database.
        day: the day.
        begun_s: when it began by the machine's clock.
    """

    shell: Shell
    day: Day
    begun_s: float
    started: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self) -> "subprocess.Popen[bytes]":
        """Start a scheduler, as the leader of a process group of its own."""
        day = self.day
        clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        times = ("--start", day.start.isoformat(), "--end", day.end.isoformat())
        pace = ("--begun", repr(self.begun_s), "--speed", repr(day.speed))
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.compressed_day", *times, *pace],
            env=clean | self.shell.environment(None) | {"PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def sleep_until(self, seconds: float) -> None:
        """Sleep until so many seconds of the day are over."""
        time.sleep(max(0.0, self.begun_s + seconds - time.time()))

    def wait_for_work(self, watching: psycopg.Connection, longest_s: float) -> None:
        """Wait until a job runs, but not longer than that."""
        until = time.monotonic() + longest_s
        while time.monotonic() < until and not self.is_at_work(watching):
            time.sleep(0.001)

    def is_at_work(self, watching: psycopg.Connection) -> bool:
        """Say whether a run is not over: a job is at work, or was when its scheduler was killed."""
        return watching.execute("SELECT FROM centralpay.job_run WHERE state = 'running'").fetchone() is not None

    def leave_files(self) -> None:
        """Leave the day's files in the inbox, each at its moment."""
        for each in self.day.arrivals:
            self.sleep_until(self.day.seconds_until(each.at))
            leave(self.shell.home / "inbox", each)


@contextmanager
def lived(shell: Shell, day: Day) -> Iterator[Schedulers]:
    """Begin the day now, and leave its files in the inbox meanwhile; at the end no scheduler of it is left."""
    schedulers = Schedulers(shell, day, time.time())
    leaving = threading.Thread(target=schedulers.leave_files)
    leaving.start()
    try:
        yield schedulers
    finally:
        leaving.join()
        for process in schedulers.started:
            if process.poll() is None:
                kill(process)


def kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill a scheduler at once, whatever it is at."""
    # The group is the scheduler's own (start_new_session): neither the tests nor their server are in it.
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def end(process: "subprocess.Popen[bytes]") -> None:
    """Ask a scheduler to end; it does, after what it is at."""
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=_LONGEST_S) == 0


def leave(inbox: Path, arrival: Arrival) -> None:
    """Leave a file in the inbox, as a rename does: it is whole when it has its name."""
    inbox.mkdir(exist_ok=True)
    half = inbox / f".{arrival.name}"
    half.write_bytes(arrival.content)
    os.utime(half, (1_700_000_000, 1_700_000_000))
    half.rename(inbox / arrival.name)


# In this process -----------------------------------------------------------------------------------------------------


@contextmanager
def session_at(shell: Shell, at: datetime) -> Iterator[tuple[Session, HandClock]]:
    """Open the scheduler's session of an installation, with a clock that stands."""
    clock = HandClock(at)
    settings = Settings(home=shell.home, database_url=SecretStr(shell.database_url))
    with opened(SCHEDULER_USER, print, settings, clock=clock) as session:
        yield session, clock


def live_undisturbed(shell: Shell, day: Day) -> None:
    """Live the day in this process: the clock is set to each quarter of an hour, and all that is due then is done."""
    arrivals = list(day.arrivals)
    with session_at(shell, day.start) as (session, clock):
        runner = runner_of(session)
        while clock.at < day.end:
            clock.at = min(clock.at + timedelta(minutes=15), day.end)
            while arrivals and arrivals[0].at <= clock.at:
                leave(shell.home / "inbox", arrivals.pop(0))
            runner.drain()


def wait_until_done(shell: Shell, day: Day) -> None:
    """Wait until the day is over and nothing of it is left to do: no run is due or open, no file waits."""
    until = time.monotonic() + day.duration_s + _LONGEST_S
    with session_at(shell, day.end) as (session, _):
        runner = runner_of(session)
        while left := _left(shell, runner):
            assert time.monotonic() < until, f"the day does not end: {left}"
            time.sleep(0.1)


def _left(shell: Shell, runner: Runner) -> list[str]:
    due = [name for name, moments in runner.waiting().items() if moments]
    files = [each.name for each in (shell.home / "inbox").iterdir() if each.is_file()]
    with runner.session.reading() as connection:
        running = connection.exec_driver_sql("SELECT job FROM job_run WHERE state IN ('running', 'waiting')").scalars()
        return due + files + list(running)


# What it did ---------------------------------------------------------------------------------------------------------


def moments_of(shell: Shell, day: Day) -> dict[str, list[datetime]]:
    """Give the moments of the day at which each job with a timetable is due."""
    with session_at(shell, day.end) as (session, _):
        return {
            name: list(job.timetable.moments(day.start, day.end))
            for name, job in runner_of(session).jobs.items()
            if job.timetable is not None
        }


def runs_of(shell: Shell, day: Day) -> dict[str, list[tuple[datetime, int, str]]]:
    """Give the runs of the day by job, in order: the moment, how many moments it stands for, how it ended."""
    found: dict[str, list[tuple[datetime, int, str]]] = {}
    with psycopg.connect(shell.database_url, options="-c search_path=centralpay") as connection:
        statement = "SELECT job, scheduled_for, moments, state FROM job_run WHERE scheduled_for > %s ORDER BY 1, 2"
        for job, *run in connection.execute(statement, [day.start]):
            found.setdefault(job, []).append((run[0].astimezone(UTC), run[1], run[2]))
    return found


def stood_for(runs: Sequence[tuple[datetime, int, str]], moments: Sequence[datetime]) -> Counter[datetime]:
    """Count by how many runs each moment of a timetable is stood for.

    A moment that was missed, and after which the job was run because of what had come in, has nothing left to be done:
    that run stands for it.
    """
    counted: Counter[datetime] = Counter()
    for at, number, _ in runs:
        if at in moments:
            place = moments.index(at)
            counted.update(moments[max(0, place - number + 1) : place + 1])
    between = [at for at, _, _ in runs if at not in moments]
    counted.update(each for each in moments if not counted[each] and any(each < at for at in between))
    return counted


def died(shell: Shell) -> int:
    """Count the attempts that ended with their process."""
    with psycopg.connect(shell.database_url, options="-c search_path=centralpay") as connection:
        row: Any = connection.execute("SELECT count(*) FROM job_attempt WHERE ended = 'died'").fetchone()
        return int(row[0])


def main() -> None:
    """Run the scheduler until it is told to stop, by the clock of a compressed day."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--start", type=datetime.fromisoformat, required=True, help="with its offset from UTC")
    parser.add_argument("--end", type=datetime.fromisoformat, required=True, help="with its offset from UTC")
    parser.add_argument("--begun", type=float, required=True, help="seconds since 1970 at which the day began")
    parser.add_argument("--speed", type=float, required=True)
    words = parser.parse_args()
    clock = capped_clock(words.start, words.end, words.begun, words.speed)
    with stopping_on_signals() as stop, opened(SCHEDULER_USER, print, clock=clock) as session:
        see_scheduler_user(session)
        inbox = Inbox(session.settings.inbox_dir)
        serve(Runner(session, declared(session, inbox, stop.is_set), stopping=stop.is_set), stop, beat_s=BEAT_S)


if __name__ == "__main__":
    main()
