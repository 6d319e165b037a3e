"""Connections of the database's roles, as they log in, and of members of pharmacies."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg import errors as states
from psycopg import sql
from sqlalchemy import make_url

from app.cluster import Cluster


@dataclass(frozen=True)
class Login:
    """A connection of a role."""

    connection: psycopg.Connection

    def ask(self, statement: str) -> list[tuple[object, ...]]:
        """Ask for rows."""
        return self.connection.execute(statement.encode()).fetchall()

    def names(self, statement: str) -> set[str]:
        """Ask for one column of names."""
        return {str(name) for (name,) in self.ask(statement)}

    def is_denied(self, statement: str) -> bool:
        """Say whether the role lacks the right; any other answer is no denial."""
        try:
            self.connection.execute(statement.encode())
        except states.InsufficientPrivilege:
            return True
        return False


@contextmanager
def login(cluster: Cluster, database_url: str, role: str) -> Iterator[Login]:
    """Log in as a role, with the schema in the path."""
    database = make_url(database_url).database
    assert database is not None
    url = cluster.url(database, role)
    with psycopg.connect(url, options="-c search_path=centralpay,pg_temp", autocommit=True) as connection:
        yield Login(connection)


@contextmanager
def member_login(
    cluster: Cluster, database_url: str, superuser: Login, member: UUID | None, name: str = "pharmacy"
) -> Iterator[Login]:
    """Log in as a new role of the members' group, which speaks for a member, or for nobody."""
    role = f"{name}_{make_url(database_url).database}"
    superuser.connection.execute(sql.SQL("CREATE ROLE {} LOGIN IN ROLE centralpay_member").format(sql.Identifier(role)))
    try:
        if member is not None:
            superuser.connection.execute("INSERT INTO member_login VALUES (%s, %s)", [role, member])
        with login(cluster, database_url, role) as connection:
            yield connection
    finally:
        _wait_until_gone(superuser, role)
        superuser.connection.execute("DELETE FROM member_login WHERE role_name = %s", [role])
        superuser.connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def _wait_until_gone(superuser: Login, role: str) -> None:
    """Wait for a role's sessions to end: what they made for themselves goes with them, a moment after they closed."""
    for _ in range(500):
        if not superuser.ask(f"SELECT FROM pg_stat_activity WHERE usename = '{role}'"):
            return
        time.sleep(0.01)
