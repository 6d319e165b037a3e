"""Each role alone with the database: everything that there is, tried for real."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import date

import psycopg
import pytest
from psycopg import errors as states
from sqlalchemy import Engine, text

from app.cluster import Cluster
from app.database import unit_of_work
from tests.support.logins import Login, login, member_login
from tests.support.rights import (
    CHANGING_COLUMNS,
    HARMLESS,
    KEPT_TABLES,
    OWN_COLUMNS,
    OWN_ROWS,
    OWN_VIEWS,
    READING,
    SEQUENCES,
    VIEWS,
    WORKING,
    WORKING_TABLES,
)

DAY = date(2026, 11, 20)
ROLES = ("centralpay_app", "centralpay_auditor", "centralpay_member")
EVERYTHING = WORKING_TABLES | KEPT_TABLES | VIEWS
OURS = ("centralpay", "centralpay_known")


@pytest.fixture
def superuser(cluster: Cluster, database_url: str) -> Iterator[Login]:
    """Give the superuser's connection, for looking things up."""
    with login(cluster, database_url, "centralpay_admin") as connection:
        yield connection


# Everything that there is, tried -------------------------------------------------------------------------------------


def _is_allowed(tried: Login, name: str, statement: str) -> bool:
    """Try a statement and take it back; whatever it ends with besides a lack of rights on the name, they are there."""
    try:
        with tried.connection.transaction(force_rollback=True):
            tried.connection.execute("SET LOCAL statement_timeout = '5s'")
            tried.connection.execute(statement.encode())
    except states.InsufficientPrivilege as error:
        return (
            re.match(rf"(permission denied for (\w+ {name}|schema centralpay_known)|must be owner of)\b", str(error))
            is None
        )
    except (states.ObjectNotInPrerequisiteState, states.FeatureNotSupported, states.WrongObjectType) as error:
        return "view" not in str(error) and "is not a table" not in str(error)  # what no view can do needs no right
    except states.GeneratedAlways:
        return False  # a number that comes by itself, asked through a view
    except psycopg.Error:
        return True
    return True


def _relations(superuser: Login) -> list[tuple[str, str, list[str]]]:
    """List schema, name and columns of every table, view and partition of ours."""
    rows = superuser.ask("""
        SELECT n.nspname, c.relname, array_agg(a.attname::text ORDER BY a.attnum)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE n.nspname LIKE 'centralpay%' AND c.relkind IN ('r', 'p', 'v', 'm', 'f') GROUP BY 1, 2 ORDER BY 1, 2""")
    found = [(str(schema), str(name), list(map(str, columns))) for schema, name, columns in rows]  # type: ignore[call-overload]
    assert {schema for schema, _, _ in found} == set(OURS)
    return found


def _may_read(role: str, schema: str, table: str, column: str) -> bool:
    if table == "claim_line_2026_01":
        return False
    if role == "centralpay_member":
        own = table in OWN_ROWS | OWN_VIEWS or column in OWN_COLUMNS.get(table, "").split()
        return schema == "centralpay" and own
    return True


@pytest.mark.parametrize("role", ROLES)
def test_every_column_is_read_by_whom_it_should(
    cluster: Cluster, database_url: str, superuser: Login, owner: Engine, role: str
) -> None:
    """Reading is tried column by column on every table and view, those of the past included, as the role itself."""
    with unit_of_work(owner) as connection:
        connection.execute(text("SELECT ensure_claim_partition('2026-01-10')"))
    with _alone(cluster, database_url, superuser, role) as tried:
        for schema, table, columns in _relations(superuser):
            for column in columns:
                allowed = _is_allowed(tried, table, f'SELECT "{column}" FROM {schema}.{table} LIMIT 0')  # noqa: S608 (our own words)
                assert allowed == _may_read(role, schema, table, column), f"{role} reads {schema}.{table}.{column}"
    in_the_past = {table for schema, table, _ in _relations(superuser) if schema == "centralpay_known"}
    assert in_the_past - {"trail", "later_trail", "payout_exclusion"} <= EVERYTHING


@pytest.mark.parametrize("role", ROLES)
def test_every_row_is_written_by_whom_it_should(
    cluster: Cluster, database_url: str, superuser: Login, owner: Engine, role: str
) -> None:
    """Adding, changing each column, removing and emptying are tried on every table, view and partition, as the role."""
    with unit_of_work(owner) as connection:
        connection.execute(text("SELECT ensure_claim_partition('2026-01-10')"))
    is_app = role == "centralpay_app"
    with _alone(cluster, database_url, superuser, role) as tried:
        for schema, table, columns in _relations(superuser):
            place, ours = f"{schema}.{table}", is_app and schema == "centralpay"
            adds = _is_allowed(tried, table, f"INSERT INTO {place} DEFAULT VALUES")
            assert adds == (ours and table in WORKING_TABLES), f"{role} adds to {place}"
            for column in columns:
                changes = _is_allowed(tried, table, f'UPDATE {place} SET "{column}" = DEFAULT WHERE false')  # noqa: S608 (our own words)
                may = ours and column in CHANGING_COLUMNS.get(table, "").split()
                assert changes == may, f"{role} changes {place}.{column}"
            assert not _is_allowed(tried, table, f"DELETE FROM {place} WHERE false"), f"{role} removes from {place}"  # noqa: S608 (our own words)
            assert not _is_allowed(tried, table, f"TRUNCATE {place} CASCADE"), f"{role} empties {place}"
            assert (
                not _is_allowed(tried, table, f"LOCK TABLE {place} IN ACCESS EXCLUSIVE MODE")
                or table in CHANGING_COLUMNS
            )


@pytest.mark.parametrize("role", ROLES)
def test_every_function_is_called_by_whom_it_should(
    cluster: Cluster, database_url: str, superuser: Login, role: str
) -> None:
    """Every function of ours is called, with arguments that say nothing; who may not call it gets no further."""
    may = {"centralpay_app": WORKING, "centralpay_auditor": READING, "centralpay_member": HARMLESS}[role]
    functions = superuser.ask("""
        SELECT p.oid::regprocedure::text, p.proname, coalesce((SELECT array_agg(format_type(t, NULL) ORDER BY n)
            FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a (t, n)), '{}')
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname LIKE 'centralpay%' ORDER BY 1""")
    assert {str(name) for _, name, _ in functions} >= WORKING
    with _alone(cluster, database_url, superuser, role) as tried:
        for signature, name, types in functions:
            assert isinstance(types, list)
            schema = "centralpay_known" if str(signature).startswith("centralpay_known.") else "centralpay"
            given = ", ".join(f"v.a{place}" for place in range(len(types)))
            nothing = ", ".join(f"NULL::{each} AS a{place}" for place, each in enumerate(types)) or "1 AS one"
            # A subquery that stays one: the planner would answer a strict function of nothing without calling it.
            call = f"SELECT {schema}.{name}({given}) FROM (SELECT {nothing} OFFSET 0) v"  # noqa: S608 (our own words)
            is_ours = name in may and (schema == "centralpay" or role != "centralpay_member")
            assert _is_allowed(tried, str(name), call) == is_ours, f"{role} calls {signature}"


@pytest.mark.parametrize("role", ROLES)
def test_every_sequence_is_drawn_from_by_whom_it_should(
    cluster: Cluster, database_url: str, superuser: Login, role: str
) -> None:
    """Numbers are drawn by the application from two sequences alone; nobody looks at or turns back any."""
    sequences = superuser.names("""
        SELECT oid::regclass FROM pg_class
        WHERE relkind = 'S' AND relnamespace::regnamespace::text LIKE 'centralpay%'""")
    assert sequences >= SEQUENCES
    with _alone(cluster, database_url, superuser, role) as tried:
        for name in sequences:
            draws = _is_allowed(tried, name, f"SELECT nextval('{name}')")
            assert draws == (role == "centralpay_app" and name in SEQUENCES), f"{role} draws from {name}"
            assert not _is_allowed(tried, name, f"SELECT last_value FROM {name}"), f"{role} looks at {name}"  # noqa: S608 (our own words)
            assert not _is_allowed(tried, name, f"SELECT setval('{name}', 1)"), f"{role} turns back {name}"


_LATER = {
    "later": "SELECT FROM later",
    "later_view": "SELECT FROM later_view",
    "later_number": "SELECT nextval('later_number')",
    "later_function": "SELECT later_function()",
}


def test_what_is_made_later_is_nobodys(cluster: Cluster, database_url: str, owner: Engine) -> None:
    """A table, view, sequence or function that a later step makes is open to no role before the step says so."""
    with unit_of_work(owner) as connection:
        connection.execute(text("CREATE TABLE later (id int)"))
        connection.execute(text("CREATE VIEW later_view AS SELECT 1 AS id"))
        connection.execute(text("CREATE SEQUENCE later_number"))
        connection.execute(text("CREATE FUNCTION later_function() RETURNS int LANGUAGE sql RETURN 1"))
    for role in ("centralpay_app", "centralpay_auditor"):
        with login(cluster, database_url, role) as tried:
            for name, asked in _LATER.items():
                assert not _is_allowed(tried, name, asked), f"{role}: {asked}"


def test_public_is_granted_nothing_of_ours(superuser: Login) -> None:
    """PUBLIC has no right on any schema, table, column, sequence or function of ours, and gets none by default."""
    assert superuser.ask(_TO_PUBLIC) == []
    assert superuser.ask(
        "SELECT defaclrole::regrole::text, defaclobjtype::text, defaclacl::text FROM pg_default_acl"
    ) == [("centralpay_owner", "f", "{centralpay_owner=X/centralpay_owner}")]


_TO_PUBLIC = """
SELECT 'relation', relname::text FROM pg_class CROSS JOIN LATERAL aclexplode(relacl) a
WHERE relnamespace::regnamespace::text LIKE 'centralpay%' AND a.grantee = 0
UNION ALL
SELECT 'column', attname::text FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
CROSS JOIN LATERAL aclexplode(attacl) a WHERE c.relnamespace::regnamespace::text LIKE 'centralpay%' AND a.grantee = 0
UNION ALL
SELECT 'function', proname::text FROM pg_proc
CROSS JOIN LATERAL aclexplode(coalesce(proacl, acldefault('f', proowner))) a
WHERE pronamespace::regnamespace::text LIKE 'centralpay%' AND a.grantee = 0
UNION ALL
SELECT 'schema', nspname::text FROM pg_namespace CROSS JOIN LATERAL aclexplode(nspacl) a
WHERE nspname LIKE 'centralpay%' AND a.grantee = 0
UNION ALL
SELECT 'default', d.defaclobjtype::text FROM pg_default_acl d CROSS JOIN LATERAL aclexplode(d.defaclacl) a
WHERE a.grantee = 0
"""


def _alone(cluster: Cluster, database_url: str, superuser: Login, role: str) -> AbstractContextManager[Login]:
    """Log in as a role; as a member of nobody's for the members' group, which does not log in itself."""
    if role == "centralpay_member":
        return member_login(cluster, database_url, superuser, None, "tried")
    return login(cluster, database_url, role)
