"""The database copied and put back: byte by byte from the embedded server, as rows from and to any other.

A copy as rows keeps the numbers of the database transactions that the rows name. Before they are put into another
server, its own numbers are taken past them: a number that came twice would make an old entry look like a new one.
"""

import os
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app import database
from app.cluster import program
from app.running.errors import BackupDamagedError, CopyFailedError, HomeNotEmptyError

DUMP_NAME: Final = "database.dump"
_SERVER_MANIFEST: Final = "backup_manifest"
_DONE: Final = re.compile(rb"(\d+)/(\d+) kB")
_READ_BYTES: Final = 4096
_MOST_NUMBERS: Final = 200_000_000
_NUMBERS_AT_ONCE: Final = 100_000
_SAID_LINES: Final = 3

Progress = Callable[[int, int], None]
"""Told the bytes (or numbers) that are done, and all."""


def base_backup(url: str, folder: Path, lock: int, progress: Progress) -> None:
    """Copy the whole embedded server into a folder while it works, with the log that makes it one moment.

    Args:
        url: of its superuser.
        folder: gets ``base.tar.gz``, ``pg_wal.tar.gz`` and the server's own manifest.
        lock: kept open by the program that copies, so that it is seen when it outlives us.
        progress: told bytes.

    Raises:
        CopyFailedError: the server or the disk gave up.
    """
    copy = folder / "server"
    _run(
        "pg_basebackup",
        url,
        [
            f"--pgdata={copy}",
            "--format=tar",
            "--wal-method=stream",
            "--compress=client-gzip:1",
            "--checkpoint=fast",
            "--manifest-checksums=SHA256",
            "--label=centralpay",
            "--progress",
        ],
        lock,
        progress,
    )
    for part in copy.iterdir():
        part.chmod(0o600)
        part.rename(folder / part.name)
    copy.rmdir()


def log_range(folder: Path) -> tuple[str | None, str | None]:
    """Say where in the server's log a base backup begins and is one moment (its backup manifest, ``WAL-Ranges``)."""
    text = (folder / _SERVER_MANIFEST).read_text(encoding="utf-8")
    found = re.search(r'"Start-LSN": "([0-9A-F/]+)", "End-LSN": "([0-9A-F/]+)"', text)
    return (found[1], found[2]) if found else (None, None)


def put_back_base(folder: Path, data_dir: Path) -> None:
    """Unpack a base backup into a new data folder, and have PostgreSQL's own program verify it.

    Raises:
        BackupDamagedError: it is not whole.
        CopyFailedError: it can not be unpacked here.
    """
    data_dir.mkdir(mode=0o700, parents=True)
    try:
        for archive, place in (("base.tar.gz", data_dir), ("pg_wal.tar.gz", data_dir / "pg_wal")):
            with tarfile.open(folder / archive, "r:gz") as packed:
                packed.extractall(place, filter="data")
    except (tarfile.TarError, EOFError) as error:
        raise BackupDamagedError(folder, archive, "an archive", type(error).__name__) from error
    except OSError as error:
        raise CopyFailedError(f"The database can not be unpacked: {error.strerror or type(error).__name__}") from error
    _private(data_dir)
    said = _ended("pg_verifybackup", [f"--manifest-path={folder / _SERVER_MANIFEST}", "--quiet", str(data_dir)])
    if said is not None:
        raise BackupDamagedError(folder, "base.tar.gz", "what its own manifest says", said)


def dump(url: str, folder: Path, snapshot: str, lock: int) -> None:
    """Copy our schema as rows, as another session's exported snapshot sees them.

    Raises:
        CopyFailedError: the server or the disk gave up.
    """
    # As the owner, whom row-level security shows every row: the login need be no superuser.
    options = [
        f"--file={folder / DUMP_NAME}",
        "--format=custom",
        "--compress=gzip:1",
        f"--schema={database.SCHEMA}",
        f"--role={database.Role.OWNER}",
        "--enable-row-security",
        f"--snapshot={snapshot}",
    ]
    _run("pg_dump", url, options, lock, None)


def see_empty(url: str) -> None:
    """See that a database holds nothing of ours.

    Raises:
        HomeNotEmptyError: it does.
    """
    with database.typed_errors(), psycopg.connect(database.libpq_url(url)) as connection:
        found = connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", [database.SCHEMA]).fetchone()
    if found is not None:
        raise HomeNotEmptyError("The database", f"it has a schema {database.SCHEMA}")


def put_back_dump(url: str, folder: Path, next_xid: int, progress: Progress) -> None:
    """Fill an empty database from a copy as rows.

    Args:
        url: of a login that may make roles and extensions, and act as the owner.
        folder: of the backup.
        next_xid: number that no database transaction of the copied database had.
        progress: told the numbers passed over, and all.

    Raises:
        HomeNotEmptyError: the database is not empty.
        CopyFailedError: the server gave up, or its numbers are too far behind.
    """
    see_empty(url)
    _pass_over(url, next_xid, progress)
    database.prepare(url)
    with database.typed_errors(), psycopg.connect(database.libpq_url(url), autocommit=True) as connection:
        connection.execute(f"SET ROLE {database.Role.OWNER}")
        connection.execute(f"DROP SCHEMA {database.SCHEMA}")  # the copy makes it, with its rights
    # Our triggers come after the rows: what they would refuse of rows that are old by now is proven instead.
    # As the login: it hands each thing to its owner, who may make no schema.
    options = ["--exit-on-error", "--single-transaction", str(folder / DUMP_NAME)]
    _run("pg_restore", url, options, None, None)


def _pass_over(url: str, next_xid: int, progress: Progress) -> None:
    quick = "-c synchronous_commit=off"
    with (
        database.typed_errors(),
        psycopg.connect(database.libpq_url(url), autocommit=True, options=quick) as connection,
    ):

        def reached() -> int:
            row = connection.execute("SELECT CAST(CAST(pg_current_xact_id() AS text) AS bigint)").fetchone()
            return int(row[0]) if row else 0

        first = at = reached()
        if next_xid - first > _MOST_NUMBERS:
            raise CopyFailedError(
                f"The server's transaction numbers ({first}) are too far behind those of the backup ({next_xid}). "
                "Set them forward with pg_resetwal, or restore into the server's own base backup."
            )
        while at < next_xid:
            progress(at - first, next_xid - first)
            number = min(_NUMBERS_AT_ONCE, next_xid - at)
            connection.execute(
                f"DO $$ BEGIN FOR i IN 1..{number} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
            )
            at = reached()


def _run(name: str, url: str, options: Sequence[str], lock: int | None, progress: Progress | None) -> None:
    """Run a program of PostgreSQL on a database; the password goes by environment, where nobody else can see it."""
    told = conninfo_to_dict(database.libpq_url(url))
    password = told.pop("password", None)
    words = [str(program(name)), f"--dbname={make_conninfo('', **told)}", "--no-password", *options]
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"} | ({"PGPASSWORD": str(password)} if password else {})
    with subprocess.Popen(
        words,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        umask=0o077,
        pass_fds=() if lock is None else (lock,),
    ) as process:
        said = _listen(process, progress)
    if process.returncode:
        raise CopyFailedError(f"{name} failed: {said}")


def _listen(process: "subprocess.Popen[bytes]", progress: Progress | None) -> str:
    """Read what the program says to its end, passing on how far it is; give its last lines."""
    pipe, held, lines = process.stderr, b"", list[str]()
    while pipe is not None and (part := os.read(pipe.fileno(), _READ_BYTES)):
        *whole, held = re.split(rb"[\r\n]", held + part)
        for line in whole:
            found = _DONE.search(line)
            if found and progress:
                progress(int(found[1]) << 10, max(int(found[2]), int(found[1])) << 10)
            elif line.strip():
                lines = [*lines, line.decode("utf-8", "replace").strip()][-_SAID_LINES:]
    return " / ".join(lines) or "it does not say why"


def _ended(name: str, options: Sequence[str]) -> str | None:
    """Run a program that only looks; None when all is well, else what it says."""
    with tempfile.TemporaryDirectory() as nowhere:
        done = subprocess.run(
            [program(name), *options],
            cwd=nowhere,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
    return None if done.returncode == 0 else said.partition("\n")[0]


def _private(folder: Path) -> None:
    for parent, _, files in os.walk(folder):
        Path(parent).chmod(0o700)
        for name in files:
            Path(parent, name).chmod(0o600)
