"""One throw-away PostgreSQL for the whole run, started when a test first asks for it; a fresh database for each test.

The run has a folder of its own. Without pytest-xdist the run's only process makes it; with it the controller does and
tells the workers, who start the server between them (the cluster's own locks decide who) and leave its end to the
controller. What a killed run left behind is cleared away by the next one.
"""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import settings
from sqlalchemy import Engine, make_url

from app.cluster import Cluster
from app.database import Role, connected, upgrade
from schemas.errors import CentralpayError
from tests.support.lives import Beginning, Keeper, lives_of

_PREFIX = "centralpay-tests-"
_TEMPLATE = "template_centralpay"
_MEMORY = Path("/dev/shm")  # noqa: S108 (a clone takes 11 ms there, 400 ms on a busy disk)
_MEMORY_NEEDED_BYTES = 4 << 30
_YOUNG_S = 60.0

RUN_DIR = pytest.StashKey[Path]()
RUN_LOCK = pytest.StashKey[int]()

NewDatabase = Callable[..., AbstractContextManager[str]]

settings.register_profile("centralpay", deadline=None, database=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("centralpay")


# The run's folder ----------------------------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    """Find or make the run's folder, and let no setting of this machine into the tests."""
    handed_over = getattr(config, "workerinput", {}).get("centralpay_run_dir")
    if handed_over is None:
        _clear_leftovers()
        run_dir = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_places()[0]))
        config.stash[RUN_LOCK] = _hold(run_dir)
    else:
        run_dir = Path(handed_over)
    config.stash[RUN_DIR] = run_dir
    for name in [name for name in os.environ if name.startswith("CENTRALPAY_") and name != "CENTRALPAY_LONG"]:
        del os.environ[name]
    os.environ["CENTRALPAY_HOME"] = str(run_dir / "home")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # noqa: ANN401 (pytest-xdist has no types)
    """Tell a worker of pytest-xdist where the run's folder is."""
    node.workerinput["centralpay_run_dir"] = str(node.config.stash[RUN_DIR])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server and remove the folder, however the run ended; a worker leaves that to the controller."""
    lock = config.stash.get(RUN_LOCK, None)
    if lock is not None:
        _remove(config.stash[RUN_DIR])
        os.close(lock)


def _places() -> list[Path]:
    temporary = Path(tempfile.gettempdir())
    if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _MEMORY_NEEDED_BYTES:
        return [_MEMORY, temporary]
    return [temporary]


def _hold(run_dir: Path) -> int:
    lock = os.open(run_dir, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return lock


def _remove(run_dir: Path) -> None:
    Cluster(run_dir / "postgres", throwaway=True).discard()
    shutil.rmtree(run_dir, ignore_errors=True)


def _clear_leftovers() -> None:
    for run_dir in (found for place in _places() for found in place.glob(f"{_PREFIX}*")):
        with suppress(OSError, CentralpayError):  # another user's, or still running
            if time.time() - run_dir.stat().st_mtime > _YOUNG_S:
                lock = _hold(run_dir)
                _remove(run_dir)
                os.close(lock)


@pytest.fixture
def quick_path(pytestconfig: pytest.Config) -> Iterator[Path]:
    """Give a folder of this test's own like ``tmp_path``, in memory where there is enough; gone at the end."""
    folder = Path(tempfile.mkdtemp(dir=pytestconfig.stash[RUN_DIR]))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


# The server and its databases ----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> Cluster:
    """Give the run's server, started; it is stopped when the run ends."""
    shared = Cluster(pytestconfig.stash[RUN_DIR] / "postgres", throwaway=True)
    shared.start()
    return shared


@pytest.fixture(scope="session")
def admin_url(cluster: Cluster) -> str:
    """Give the URL of the server's own database ``postgres``, for its superuser."""
    return cluster.url()


@pytest.fixture(scope="session")
def new_database(cluster: Cluster, admin_url: str, pytestconfig: pytest.Config) -> Iterator[NewDatabase]:
    """Give a maker of databases, for ``with``, for tests that need many; ``migrated=False`` makes an empty one.

    ``template`` names a database of this worker's own to copy, to which nobody is connected.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    names = (f"test_{worker}_{number}" for number in count(1))
    with psycopg.connect(admin_url, autocommit=True) as server:

        @contextmanager
        def make(*, migrated: bool = True, template: str | None = None) -> Iterator[str]:
            name = next(names)
            if migrated and template is None:
                _ensure_template(server, cluster, pytestconfig.stash[RUN_DIR])
            source = template or (_TEMPLATE if migrated else "template0")
            server.execute(f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY FILE_COPY")
            try:
                yield cluster.url(name)
            finally:
                _drop(server, name)

        yield make


def _ensure_template(server: psycopg.Connection, cluster: Cluster, run_dir: Path) -> None:
    """Migrate the database that all others are copied from, once in a run."""
    ready = "SELECT FROM pg_database WHERE datname = %s AND datistemplate"
    if server.execute(ready, [_TEMPLATE]).fetchone() is not None:
        return
    with (run_dir / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if server.execute(ready, [_TEMPLATE]).fetchone() is None:
            server.execute(f"DROP DATABASE IF EXISTS {_TEMPLATE} WITH (FORCE)")
            server.execute(f"CREATE DATABASE {_TEMPLATE}")
            upgrade(cluster.url(_TEMPLATE))
            _open_all_day(cluster.url(_TEMPLATE))
            server.execute(f"ALTER DATABASE {_TEMPLATE} IS_TEMPLATE true ALLOW_CONNECTIONS false")


def _open_all_day(url: str) -> None:
    """Let the bank take files until midnight: tests run at every hour, on the very days that their stories are of."""
    libpq = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(libpq) as connection:
        connection.execute(
            "INSERT INTO centralpay.cut_off (name, since, local_time, set_by)"
            " VALUES ('file_handover', '2000-01-02', '23:59:59', 'tests')"
        )


def _drop(server: psycopg.Connection, name: str) -> None:
    # A backend that is just leaving costs DROP a wait of 100 ms; a closed connection is gone in one.
    for _ in range(50):
        if server.execute("SELECT FROM pg_stat_activity WHERE datname = %s", [name]).fetchone() is None:
            break
        time.sleep(0.001)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def keeper(new_database: NewDatabase, pytestconfig: pytest.Config) -> Iterator[Keeper]:
    """Give what keeps the beginnings that tests share."""
    folder = Path(tempfile.mkdtemp(dir=pytestconfig.stash[RUN_DIR]))
    keeping = Keeper(new_database, folder)
    yield keeping
    keeping.forget()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def beginning(request: pytest.FixtureRequest, keeper: Keeper) -> Beginning:
    """Give what this test begins with, by what its fixtures say."""
    return keeper.beginning(lives_of(request))


@pytest.fixture
def database_url(new_database: NewDatabase, beginning: Beginning) -> Iterator[str]:
    """Give the URL of a database of this test's own, for the superuser; ``engine_for`` takes it.

    It is migrated, and nothing has happened in it but what the test's fixtures that are marked ``@kept`` say.
    """
    with new_database(template=beginning.template) as url:
        yield url


@pytest.fixture
def owner(database_url: str) -> Iterator[Engine]:
    """Give an engine that works as the owner of the schema."""
    with connected(database_url, Role.OWNER) as engine:
        yield engine


@pytest.fixture
def app(database_url: str) -> Iterator[Engine]:
    """Give an engine that works as the application."""
    with connected(database_url, Role.APP) as engine:
        yield engine


@pytest.fixture
def auditor(database_url: str) -> Iterator[Engine]:
    """Give an engine that works as the auditor."""
    with connected(database_url, Role.AUDITOR) as engine:
        yield engine
