"""The database: where it is, what schema it has, who connects as what, and the one place that commits.

Everybody who works with rows gets an ``Engine`` from ``engine_for`` and a ``Connection`` from ``unit_of_work`` or
``reading``; nobody else begins, commits or rolls back.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

import psycopg
import sqlalchemy
from psycopg import errors as states
from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import ArgumentError, DBAPIError

import migrations
from app.cluster import ADMIN, MAJOR, Cluster
from app.settings import Settings
from ledger.errors import translate as ledger_refusal
from schemas.errors import CentralpayError, WrongUseError

DATABASE: Final = "centralpay"
"""Name of the database on the embedded server."""
SCHEMA: Final = "centralpay"

_FOLDER: Final = Path(migrations.__file__).parent
_UPGRADE_LOCK: Final = 0x43454E5452414C  # one upgrade of a database at a time
_GAVE_UP: Final = "The database gave up: {said}. Nothing was done; try again when that is mended."
_SENTENCES: Final = {  # by SQLSTATE or its class (PostgreSQL 18, Appendix A)
    states.LockNotAvailable.sqlstate: "Others hold the tables ({said}). Stop the other processes, then try again.",
    states.DeadlockDetected.sqlstate: "Two commands got in each other's way ({said}). Nothing was done; run it again.",
    states.UndefinedTable.sqlstate: "The schema lacks something ({said}). Bring it up to date: centralpay db upgrade",
    "53": _GAVE_UP,  # insufficient resources
    "57": _GAVE_UP,  # operator intervention
    "58": _GAVE_UP,  # system error
}


class Role(StrEnum):
    """As whom to work; always the least that does the job. The members of pharmacies have logins of their own."""

    OWNER = "centralpay_owner"
    """Owns the schema: migrations only. Nobody logs in as it."""
    APP = "centralpay_app"
    """Reads, posts by function, writes the working tables."""
    AUDITOR = "centralpay_auditor"
    """Reads, and cannot write even what it might be granted by mistake."""


class DatabaseError(CentralpayError):
    """The database cannot be reached, is full, or was stopped; the sentence says which and what to do."""


class ServerUnsupportedError(WrongUseError):
    """The server is not the PostgreSQL that the schema is written for."""


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """What a database has and lacks.

    Args:
        server: version of the server, such as ``18.6``.
        current: the step that the schema is at, None when it is empty.
        pending: the steps that an upgrade would take, in their order.
    """

    server: str
    current: str | None
    pending: tuple[str, ...]


@contextmanager
def opened(settings: Settings) -> Iterator[str]:
    """Give the database's URL while it is held: the one that the settings name, or the embedded server's.

    Raises:
        ClusterError: the embedded server cannot be started.
    """
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    cluster = Cluster(settings.postgres_dir)
    with cluster.running():
        make_database(cluster)
        yield cluster.url(DATABASE)


def make_database(cluster: Cluster) -> None:
    """Make our database on an embedded server that runs, where it is missing."""
    with typed_errors(), psycopg.connect(cluster.url(), autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
            with suppress(states.DuplicateDatabase, states.UniqueViolation):  # another process was faster
                connection.execute(f'CREATE DATABASE "{DATABASE}"')


def engine_for(url: str, role: Role | None, *, pool_size: int = 5) -> Engine:
    """Give an engine whose connections work as a role (None: as whom the URL names), in our schema and in UTC.

    On the embedded server they log in as the role. On any other server they log in as the URL says and set the role
    before the first statement; the URL's login must be the role itself or be granted it.

    Raises:
        WrongUseError: the URL is none of PostgreSQL's.
    """
    return _engine(url, role, pool=sqlalchemy.QueuePool, pool_size=pool_size)


@contextmanager
def connected(url: str, role: Role | None) -> Iterator[Engine]:
    """Give such an engine and close its connections at the end."""
    engine = engine_for(url, role)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def unit_of_work(engine: Engine) -> Iterator[Connection]:
    """Do all of it or nothing, in one transaction (READ COMMITTED); the only thing that commits.

    Raises:
        LedgerRefusedError: or another refusal of ``ledger.errors``: the database refuses it; nothing was done.
        DatabaseError: the database cannot be reached or gave up; nothing was done.
        RuntimeError: the body committed or rolled back by itself.
    """
    with typed_errors(), engine.connect() as connection, connection.begin() as transaction:
        yield connection
        if not transaction.is_active:
            raise RuntimeError("Only the unit of work commits or rolls back.")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Read in one transaction that cannot write and sees one moment, however many statements it takes.

    Raises:
        DatabaseError: the database cannot be reached or gave up.
    """
    with typed_errors(), engine.connect() as plain:
        connection = plain.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin() as transaction:
            yield connection
            transaction.rollback()


def upgrade(admin_url: str) -> None:
    """Make roles, schema and extension where they are missing and take the steps that the schema lacks, each whole.

    Args:
        admin_url: a login that may create roles and extensions and create in the database.

    Raises:
        ServerUnsupportedError: the server is not the PostgreSQL that we need.
        DatabaseError: it cannot be reached, or others hold its tables.
        WrongUseError: the schema comes from a newer release.
    """
    _migrate(admin_url, "head")


def downgrade(admin_url: str, revision: str) -> None:
    """Take the schema back to a step, or to ``base``; for tests of the steps: it loses what is in the tables."""
    _migrate(admin_url, revision, back=True)


def prepare(admin_url: str) -> None:
    """Make the roles, the extension and the empty schema where they are missing; ``upgrade`` does it by itself.

    Raises:
        DatabaseError: the server cannot be reached.
    """
    with typed_errors(), psycopg.connect(_libpq(_url(admin_url))) as preparing:
        preparing.execute((_FOLDER / "roles.sql").read_bytes())


def libpq_url(url: str) -> str:
    """Give the URL as PostgreSQL's own programs and psycopg take it.

    Raises:
        WrongUseError: the URL is none of PostgreSQL's.
    """
    return _libpq(_url(url))


def status(url: str) -> SchemaStatus:
    """Tell what the schema has and what an upgrade would do.

    Raises:
        ServerUnsupportedError: the server is not the PostgreSQL that we need.
        DatabaseError: it cannot be reached.
        WrongUseError: the schema comes from a newer release.
    """
    with typed_errors(), _engine(url, None).connect() as connection:
        return schema_status(connection)


def schema_status(connection: Connection) -> SchemaStatus:
    """Tell the same by a connection at hand, of any role that may read.

    Raises:
        WrongUseError: the schema comes from a newer release.
    """
    with typed_errors():
        server = str(connection.exec_driver_sql("SHOW server_version").scalar_one())
        if _is_up_to_date(connection):
            return SchemaStatus(server, newest_step(), ())
        from app import schema_steps  # noqa: PLC0415 (Alembic costs every start a tenth, and is hardly ever needed)

        current, pending = schema_steps.pending(connection, _FOLDER, SCHEMA)
    return SchemaStatus(server, current, pending)


@cache
def newest_step() -> str:
    """Give the last step of this release: the date and number that the name of its file begins with."""
    return "_".join(max(path.stem for path in _FOLDER.glob("versions/[0-9]*.py")).split("_")[:4])


def _is_up_to_date(connection: Connection) -> bool:
    table = f"{SCHEMA}.alembic_version"
    if connection.exec_driver_sql("SELECT to_regclass(%s)", (table,)).scalar_one() is None:
        return False
    rows = connection.exec_driver_sql(f"SELECT version_num FROM {table}")  # noqa: S608 (our own name)
    return list(rows.scalars()) == [newest_step()]


def _migrate(admin_url: str, revision: str, *, back: bool = False) -> None:
    # One connection holds the lock for the whole run; the roles and each step have transactions of their own.
    guard = _engine(admin_url, None).execution_options(isolation_level="AUTOCOMMIT")
    owner = _engine(admin_url, Role.OWNER, lock_timeout="10s")
    from app import schema_steps  # noqa: PLC0415 (see above)

    with typed_errors(), guard.connect() as guarding:
        guarding.exec_driver_sql(f"SELECT pg_advisory_lock({_UPGRADE_LOCK})")
        prepare(admin_url)
        with owner.connect() as connection:
            schema_steps.take(connection, _FOLDER, revision, back=back)


def _engine(
    url: str,
    role: Role | None,
    *,
    pool: type[sqlalchemy.Pool] = sqlalchemy.NullPool,
    pool_size: int | None = None,
    **parameters: str,
) -> Engine:
    address = _url(url)
    options = {"search_path": f"{SCHEMA},pg_temp", "timezone": "UTC", "default_transaction_isolation": "read committed"}
    if role is Role.AUDITOR:
        options["default_transaction_read_only"] = "on"
    if role in (Role.APP, Role.AUDITOR) and _is_embedded(address):
        address = address.set(username=role.value)
    elif role is not None:
        options["role"] = role.value  # set at connection time, so RESET ROLE does not undo it
    given = address.query.get("options", "")
    words = [given if isinstance(given, str) else " ".join(given)]
    words += [f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in (options | parameters).items()]
    engine = sqlalchemy.create_engine(
        address.difference_update_query(["options"]),
        connect_args={"options": " ".join(words).strip(), "application_name": role or DATABASE},
        poolclass=pool,
        hide_parameters=True,  # rows have no place in messages and logs
        use_native_hstore=False,  # we have none, and it would be looked for at every start
        **({} if pool_size is None else {"pool_size": pool_size}),
    )
    sqlalchemy.event.listen(engine, "connect", _check_version)
    return engine


def _check_version(connection: psycopg.Connection, record: object) -> None:
    del record
    major = connection.info.server_version // 10_000
    if major != MAJOR:
        raise ServerUnsupportedError(
            f"The server is PostgreSQL {major}; the ledger needs PostgreSQL {MAJOR}. "
            "Name such a server in CENTRALPAY_DATABASE_URL, or unset it to use the embedded one."
        )


def _url(text: str) -> URL:
    try:
        url = sqlalchemy.make_url(text)
    except ArgumentError:
        url = None  # its own message would show the password
    if url is None or url.drivername not in ("postgres", "postgresql", "postgresql+psycopg"):
        raise WrongUseError("CENTRALPAY_DATABASE_URL must look like postgresql://user:password@host:5432/database")
    return url.set(drivername="postgresql+psycopg")


def _libpq(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _is_embedded(url: URL) -> bool:
    return url.username == ADMIN and str(url.query.get("host", "")).startswith("/")


@contextmanager
def typed_errors() -> Iterator[None]:
    """Turn a driver's error into ours: the one border between them."""
    try:
        yield
    except (DBAPIError, psycopg.Error) as error:
        typed = _typed(error)
        if typed is error:
            raise
        raise typed from error


def _typed(error: DBAPIError | psycopg.Error) -> Exception:
    """Give the refusal or the sentence for a driver's error, or the error itself when it is a fault of ours."""
    original = error.orig if isinstance(error, DBAPIError) else error
    refusal = ledger_refusal(error)
    if refusal is not error or not isinstance(original, psycopg.Error):
        return refusal
    said = (original.diag.message_primary or str(original)).strip().split("\n", 1)[0]
    state = original.sqlstate or ""
    sentence = _SENTENCES.get(state) or _SENTENCES.get(state[:2])
    if not state and isinstance(original, psycopg.OperationalError):
        sentence = (
            "The database cannot be reached: {said}. Check CENTRALPAY_DATABASE_URL; "
            "roles that are missing are made by: centralpay db upgrade"
        )
    return error if sentence is None else DatabaseError(sentence.format(said=said))
