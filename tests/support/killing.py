"""Kill commands at chosen moments of their work, each in a copy of the same database and home."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random

import psycopg

from app.cluster import Cluster
from tests.support.command import Outcome, Shell
from tests.support.office import MAKER

_LONGEST_S = 60.0


@dataclass
class Scene:
    """A database and a home as they are before a command, of which any number of copies can be had.

    Args:
        cluster: the run's server.
        folder: where the copies' homes lie.
        name: of the database to copy; nobody may be connected to it.
        home: the home to copy.
    """

    cluster: Cluster
    folder: Path
    name: str
    home: Path
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @contextmanager
    def copy(self) -> Iterator[Shell]:
        """Give a copy; it is gone at the end, whatever still works in it."""
        number = next(self._numbers)
        name, home = f"{self.name}_{number}", self.folder / f"copy-{self.name}-{number}"
        shutil.copytree(self.home, home)
        with psycopg.connect(self.cluster.url(), autocommit=True) as server:
            server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{self.name}" STRATEGY FILE_COPY')
            try:
                yield Shell(home, self.cluster.url(name))
            finally:
                server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
                shutil.rmtree(home)


def moments(seed: int, number: int, duration_s: float) -> list[float]:
    """Choose moments of a command's work by chance, one in each of ``number`` equal stretches of it."""
    chance = Random(seed)
    return [duration_s * (stretch + chance.random()) / number for stretch in range(number)]


def work(shell: Shell, words: tuple[str, ...], kill_after_s: float | None = None) -> tuple[Outcome, float]:
    """Run a command as a process, and kill it so many seconds after it reached the database, or let it end.

    Returns:
        How it ended, and the seconds from its reaching the database to its end.
    """
    process = shell.start(words, user=MAKER)
    began = _reached_database(shell, process)
    try:
        out, err = process.communicate(timeout=_LONGEST_S if kill_after_s is None else kill_after_s)
    except subprocess.TimeoutExpired:
        # The group is the command's own (start_new_session): neither the tests nor their server are in it.
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
    return Outcome(process.returncode, out.decode(), err.decode()), time.monotonic() - began


def _reached_database(shell: Shell, process: "subprocess.Popen[bytes]") -> float:
    """Wait until the command is connected: its loading before that is no work that could be torn."""
    others = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(shell.database_url, autocommit=True) as watching:
        while process.poll() is None and watching.execute(others).fetchone() is None:
            time.sleep(0.005)  # more often would take the time from the command
    return time.monotonic()
