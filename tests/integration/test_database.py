"""Roles, schema, engines and the unit of work on a real server."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import sqlalchemy
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr
from sqlalchemy import Engine, make_url
from sqlalchemy.exc import ProgrammingError

from app import database
from app.cluster import Cluster
from app.database import (
    DatabaseError,
    Role,
    ServerUnsupportedError,
    connected,
    downgrade,
    opened,
    reading,
    status,
    unit_of_work,
    upgrade,
)
from app.settings import Settings
from ledger.errors import JournalAppendOnlyError
from schemas.errors import WrongUseError

NewDatabase = Callable[..., AbstractContextManager[str]]

SESSION = (
    "SELECT session_user, current_user, current_setting('search_path'), current_setting('timezone'), "
    "current_setting('transaction_isolation'), current_setting('transaction_read_only')"
)


def ask(engine: Engine, query: str) -> list[tuple[object, ...]]:
    """Run one query in a unit of work."""
    with unit_of_work(engine) as connection:
        result = connection.exec_driver_sql(query)
        return [tuple(row) for row in result] if result.returns_rows else []


def say(url: str, *statements: str) -> None:
    """Run statements as the superuser, each by itself."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@dataclass
class Rows:
    """A table of a test's own, in our schema, that the application may write."""

    url: str

    def __post_init__(self) -> None:
        say(self.url, "CREATE TABLE centralpay.note (n bigint)", "GRANT ALL ON centralpay.note TO PUBLIC")

    def count(self) -> int:
        """Count what was committed."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute("SELECT count(*) FROM centralpay.note").fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture
def rows(database_url: str) -> Rows:
    """Give that table in this test's database."""
    return Rows(database_url)


def test_each_role_works_as_itself_in_our_schema_and_in_utc(owner: Engine, app: Engine, auditor: Engine) -> None:
    """Application and auditor log in as themselves; the owner, who cannot log in, is set. The auditor cannot write."""
    common = ("centralpay,pg_temp", "UTC", "read committed")
    assert ask(owner, SESSION) == [("centralpay_admin", "centralpay_owner", *common, "off")]
    assert ask(app, SESSION) == [("centralpay_app", "centralpay_app", *common, "off")]
    assert ask(auditor, SESSION) == [("centralpay_auditor", "centralpay_auditor", *common, "on")]


def test_an_external_login_works_as_the_role_and_cannot_step_out_of_it(database_url: str) -> None:
    """On another server the URL's login is kept; RESET ROLE does not give back what the login might do."""
    say(database_url, "CREATE ROLE outside LOGIN NOINHERIT", "GRANT centralpay_app TO outside")
    try:
        url = make_url(database_url).set(username="outside").render_as_string(hide_password=False)
        with connected(url, Role.APP) as engine, unit_of_work(engine) as connection:
            connection.exec_driver_sql("RESET ROLE")
            users = connection.exec_driver_sql("SELECT session_user, current_user").one()
        assert tuple(users) == ("outside", "centralpay_app")
        with connected(url, Role.OWNER) as engine, pytest.raises(DatabaseError, match="permission denied"):
            ask(engine, "SELECT 1")
    finally:
        say(database_url, "DROP ROLE outside")


def test_the_roles_have_the_rights_of_their_work_and_no_more(database_url: str) -> None:
    """No role is superuser or makes roles; owner and members' group cannot log in; only the owner makes tables."""
    with psycopg.connect(database_url) as connection:
        roles = connection.execute(
            "SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname LIKE 'centralpay%%' AND rolname <> %s "
            "AND NOT (rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication) ORDER BY 1",
            ["centralpay_admin"],
        ).fetchall()
        makers = connection.execute(
            "SELECT rolname FROM pg_roles CROSS JOIN unnest(ARRAY['centralpay', 'public']) AS schema "
            "WHERE rolname LIKE 'centralpay%%' AND NOT rolsuper AND has_schema_privilege(rolname, schema, 'CREATE')"
        ).fetchall()
    assert roles == [
        ("centralpay_app", True),
        ("centralpay_auditor", True),
        ("centralpay_member", False),
        ("centralpay_owner", False),
    ]
    assert makers == [("centralpay_owner",)]


def test_a_new_function_is_callable_by_nobody_until_granted(owner: Engine, app: Engine) -> None:
    """What the owner makes later is closed from the start, not after somebody thinks of it."""
    ask(owner, "CREATE FUNCTION secret() RETURNS integer LANGUAGE sql RETURN 1")
    with pytest.raises(ProgrammingError, match="permission denied for function secret"):
        ask(app, "SELECT secret()")


def test_a_unit_of_work_is_whole_or_nothing(rows: Rows, app: Engine) -> None:
    """What it did is there at its end, and none of it after an error inside."""
    with unit_of_work(app) as connection:
        connection.exec_driver_sql("INSERT INTO note VALUES (1), (2)")
    assert rows.count() == 2
    with pytest.raises(sqlalchemy.exc.DataError):
        ask(app, "INSERT INTO note VALUES (3); SELECT 1 / 0")
    assert rows.count() == 2


def test_nobody_commits_inside_a_unit_of_work(rows: Rows, app: Engine) -> None:
    """A body that commits or rolls back by itself is a fault of ours and is told so."""
    with pytest.raises(RuntimeError, match="Only the unit of work"), unit_of_work(app) as connection:
        connection.rollback()
    with pytest.raises(RuntimeError, match="Only the unit of work"), unit_of_work(app) as connection:
        connection.commit()
    assert rows.count() == 0


def test_a_refusal_of_the_ledger_leaves_as_its_own_error(owner: Engine) -> None:
    """The driver's error is translated where the transaction ends, whoever caused it."""
    with pytest.raises(JournalAppendOnlyError), unit_of_work(owner) as connection:
        connection.exec_driver_sql("DELETE FROM entry")


def test_errors_never_show_the_values_of_a_row(rows: Rows, app: Engine) -> None:
    """What was bound to a statement stays out of the message that may reach a log."""
    del rows
    with pytest.raises(sqlalchemy.exc.DataError) as caught, unit_of_work(app) as connection:
        connection.execute(sqlalchemy.text("INSERT INTO note SELECT 1 / :n - :rx"), {"n": 0, "rx": 7654321})
    assert "7654321" not in str(caught.value)


def test_reading_cannot_write(rows: Rows, app: Engine) -> None:
    """Even the application cannot write while it reads, and the next unit of work on that connection can."""
    with pytest.raises(sqlalchemy.exc.InternalError, match="read-only"), reading(app) as connection:
        connection.exec_driver_sql("INSERT INTO note VALUES (1)")
    with unit_of_work(app) as connection:
        connection.exec_driver_sql("INSERT INTO note VALUES (1)")
    assert rows.count() == 1


def test_reading_sees_one_moment(rows: Rows, app: Engine) -> None:
    """Two figures of one page agree, though somebody committed between their queries."""
    with reading(app) as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM note").scalar_one()
        with unit_of_work(app) as other:
            other.exec_driver_sql("INSERT INTO note VALUES (1)")
        assert connection.exec_driver_sql("SELECT count(*) FROM note").scalar_one() == before
    assert rows.count() == 1


def test_upgrade_takes_an_empty_database_to_the_head_and_again_does_nothing(new_database: NewDatabase) -> None:
    """Status tells what is pending before and that nothing is after; a second upgrade changes nothing."""
    with new_database(migrated=False) as url:
        empty = status(url)
        assert (empty.server.split(".")[0], empty.current) == ("18", None)
        assert empty.pending
        upgrade(url)
        assert (status(url).current, status(url).pending) == (empty.pending[-1], ())
        upgrade(url)
        assert status(url).current == empty.pending[-1]


def test_downgrade_to_base_and_up_again_gives_the_same_schema(new_database: NewDatabase) -> None:
    """Every step can be taken back: nothing of ours is left, and the way up leads to the same tables."""
    tables = "SELECT relname FROM pg_class WHERE relnamespace = 'centralpay'::regnamespace ORDER BY 1"
    with new_database() as url, connected(url, Role.OWNER) as engine:
        first = ask(engine, tables)
        downgrade(url, "base")
        assert {str(row[0]) for row in ask(engine, tables)} <= {"alembic_version", "alembic_version_pkc"}
        upgrade(url)
        assert ask(engine, tables) == first


@pytest.mark.parametrize("administrator", ["centralpay_admin", "installer"])
def test_databases_of_one_server_can_be_upgraded_at_once(quick_path: Path, administrator: str) -> None:
    """Roles belong to the whole server: first upgrades of several databases meet there and still all succeed.

    So it is for a superuser, and for an administrator who may make roles and owns the databases.
    """
    cluster = Cluster(quick_path / "postgres", throwaway=True)
    names = ["one", "two", "three", "four"]
    try:
        made = (f"CREATE DATABASE {name} OWNER {administrator}" for name in names)
        say(cluster.start(), "CREATE ROLE installer LOGIN CREATEROLE", *made)
        urls = [cluster.url(name, administrator) for name in names]
        with ThreadPoolExecutor(len(urls)) as pool:
            list(pool.map(upgrade, urls))
        assert {status(url).pending for url in urls} == {()}
        with connected(urls[0], Role.APP) as engine:
            assert ask(engine, "SELECT current_user") == [("centralpay_app",)]
    finally:
        cluster.discard()


def test_a_database_of_anothers_comes_up_too(quick_path: Path) -> None:
    """Who may only make schemas in it takes no right from others there: whether they make temporary tables stays."""
    cluster = Cluster(quick_path / "postgres", throwaway=True)
    try:
        say(
            cluster.start(),
            "CREATE ROLE installer LOGIN CREATEROLE",
            "CREATE DATABASE others",
            "GRANT CREATE ON DATABASE others TO installer",
        )
        say(cluster.url("others"), "GRANT CREATE ON SCHEMA public TO installer")
        url = cluster.url("others", "installer")
        for _ in range(2):
            upgrade(url)
            assert status(url).pending == ()
        with connected(url, Role.APP) as engine:
            say_of = "SELECT has_database_privilege('public', current_database(), 'TEMPORARY')"
            assert ask(engine, say_of) == [(True,)]
    finally:
        cluster.discard()


def test_one_database_upgraded_twice_at_once_takes_each_step_once(new_database: NewDatabase) -> None:
    """The second upgrade waits for the first and finds nothing to do."""
    with new_database(migrated=False) as url, ThreadPoolExecutor(2) as pool:
        list(pool.map(upgrade, [url, url]))
        assert status(url).pending == ()


def test_a_schema_of_a_newer_release_is_left_alone(new_database: NewDatabase) -> None:
    """An older release says so in a sentence and changes nothing."""
    with new_database() as url:
        say(url, "UPDATE centralpay.alembic_version SET version_num = '2999_01_01_0001'")
        for asked in (upgrade, status):
            with pytest.raises(WrongUseError, match="newer"):
                asked(url)


def test_a_server_that_is_not_there_is_told_in_a_sentence(tmp_path: Path) -> None:
    """No traceback of the driver, no password."""
    url = f"postgresql://somebody:swordfish@/db?host={tmp_path}"
    with connected(url, Role.APP) as engine, pytest.raises(DatabaseError, match="cannot be reached") as caught:
        ask(engine, "SELECT 1")
    assert "swordfish" not in str(caught.value)


def test_a_schema_that_is_missing_names_the_command_that_makes_it(new_database: NewDatabase) -> None:
    """Working before the first upgrade is a matter of one command."""
    with (
        new_database(migrated=False) as url,
        connected(url, Role.APP) as engine,
        pytest.raises(DatabaseError, match="centralpay db upgrade"),
    ):
        ask(engine, "SELECT * FROM entry")


@pytest.mark.parametrize("url", ["mysql://u:swordfish@h/d", "host=h password=swordfish", "swordfish", ""])
def test_a_url_of_something_else_is_wrong_use(url: str) -> None:
    """The sentence shows what it should look like and never what it was: it may hold a password."""
    with pytest.raises(WrongUseError, match=r"postgresql://user:password@host") as caught:
        database.engine_for(url, Role.APP)
    assert "swordfish" not in str(caught.value)


def test_another_major_version_is_refused(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The schema needs PostgreSQL 18; here the need is moved, for there is one server to test with."""
    monkeypatch.setattr(database, "MAJOR", 17)
    with connected(database_url, Role.APP) as engine, pytest.raises(ServerUnsupportedError, match="is PostgreSQL 18"):
        ask(engine, "SELECT 1")
    with pytest.raises(ServerUnsupportedError):
        upgrade(database_url)


def test_options_of_the_url_are_kept(database_url: str) -> None:
    """What the administrator wrote into the URL holds beside what we need."""
    url = make_url(database_url).update_query_dict({"options": "-c statement_timeout=12345"})
    with connected(url.render_as_string(hide_password=False), Role.APP) as engine:
        assert ask(engine, "SELECT current_setting('statement_timeout'), current_user") == [
            ("12345ms", "centralpay_app")
        ]


def test_the_embedded_database_is_opened_from_the_settings(quick_path: Path) -> None:
    """With no URL given, the home's own server runs and has our database; nothing listens on the network."""
    settings = Settings(home=quick_path / "home")
    with opened(settings) as url, psycopg.connect(url) as connection:
        row = connection.execute("SELECT current_database(), current_setting('listen_addresses')").fetchone()
        assert row == ("centralpay", "")
    with opened(settings) as url:
        assert url.startswith("postgresql://")
    assert not (settings.postgres_dir / "postmaster.pid").exists()


def test_a_given_url_is_opened_as_it_is(tmp_path: Path, database_url: str) -> None:
    """An external server is named, not started: the home stays empty."""
    settings = Settings(home=tmp_path / "home", database_url=SecretStr(database_url))
    with opened(settings) as url:
        assert make_conninfo(url) == make_conninfo(database_url)
    assert not settings.home.exists()
