"""Where measuring happens: an embedded PostgreSQL of its own with fsync on, a fresh home and database for each run.

Every run is a process of its own, so that none has another's memory, caches or garbage.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

import psycopg

from app.cluster import Cluster
from app.database import upgrade
from app.session import Session, opened
from bench.sizes import Sizes

ACTOR = "bench"
CHECKER = "checker"

_TEMPLATE = "bench_template"
_P = ParamSpec("_P")
_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class Place:
    """An installation: its home folder and its database."""

    home: Path
    url: str


@dataclass
class Workshop:
    """What the cases work with.

    Args:
        folder: for everything that a run leaves; the caller removes it.
        sizes: how much of everything.
        repeat: how many runs each measurement has.
        seed: the only source of chance.
        say: tells a person what is in hand.
    """

    folder: Path
    sizes: Sizes
    repeat: int
    seed: int
    say: Callable[[str], None]
    _cluster: Cluster = field(init=False)
    _numbers: Iterator[int] = field(init=False)

    def __post_init__(self) -> None:
        self._cluster = Cluster(self.folder / "postgres")
        self._numbers = count(1)

    @contextmanager
    def running(self) -> Iterator[str]:
        """Hold the server and make the migrated database that all others are copied from; give its version."""
        with self._cluster.running(), self._server() as server:
            server.execute(f"CREATE DATABASE {_TEMPLATE}")
            upgrade(self._cluster.url(_TEMPLATE))
            yield str(server.info.parameter_status("server_version"))

    def new_place(self) -> Place:
        """Make an empty installation with its schema."""
        return Place(self.folder / f"home_{next(self._numbers)}", self._database(_TEMPLATE))

    def copy_of(self, place: Place) -> Place:
        """Make an installation like another one, which nobody may be using."""
        home = self.folder / f"home_{next(self._numbers)}"
        shutil.copytree(place.home, home)
        return Place(home, self._database(_name(place.url)))

    def remove(self, place: Place) -> None:
        """Take the room of an installation back."""
        shutil.rmtree(place.home, ignore_errors=True)
        with self._server() as server:
            server.execute(f"DROP DATABASE {_name(place.url)} WITH (FORCE)")

    def settle_down(self) -> None:
        """Write out what earlier runs left in memory, so that no run pays for another."""
        with self._server() as server:
            server.execute("CHECKPOINT")

    def analyze(self, place: Place) -> None:
        """Let the planner know its tables, as autovacuum does within a minute of work as it is."""
        with psycopg.connect(place.url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")

    def _database(self, template: str) -> str:
        name = f"bench_{next(self._numbers)}"
        with self._server() as server:
            server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self._cluster.url(name)

    def _server(self) -> psycopg.Connection:
        return psycopg.connect(self._cluster.url(), autocommit=True)


def apart(function: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
    """Run a function in a new process, forked from one that has done nothing but import; give what it returns."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["bench.__main__"])
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as process:
        return process.submit(function, *args, **kwargs).result()


@contextmanager
def at(place: Place, actor: str = ACTOR) -> Iterator[Session]:
    """Open an installation as a command does. It sets the environment: only in a process of its own."""
    for name in [name for name in os.environ if name.startswith("CENTRALPAY_")]:
        del os.environ[name]
    os.environ["CENTRALPAY_HOME"] = str(place.home)
    os.environ["CENTRALPAY_DATABASE_URL"] = place.url
    with opened(actor, lambda _: None) as session:
        yield session


def _name(url: str) -> str:
    return psycopg.conninfo.conninfo_to_dict(url)["dbname"]  # type: ignore[return-value]
