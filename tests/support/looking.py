"""What is stored, seen past the commands: rows counted by table, and every piece of text in every table."""

from collections.abc import Iterator

import psycopg
from psycopg import sql

_TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'centralpay' AND c.relkind = 'r' ORDER BY c.relname
"""
RECORDS_OF_RECEIPT = {"activity", "received_file", "remittance_set", "exception_case", "trail", "seal_pending"}
"""Tables that say what came in and what was done with it, accepted or not; the trail tells versions of all tables."""


def connect(database_url: str) -> "psycopg.Connection[tuple[object, ...]]":
    """Connect as the superuser, in our schema."""
    return psycopg.connect(database_url, options="-c search_path=centralpay")


def tables(connection: "psycopg.Connection[tuple[object, ...]]") -> list[str]:
    """List all tables, each partition by itself."""
    return [str(row[0]) for row in connection.execute(_TABLES)]


def row_counts(database_url: str) -> dict[str, int]:
    """Count the rows of every table that is no record of receipt; an empty one is left out."""
    with connect(database_url) as connection:
        counts = {name: _count(connection, name) for name in tables(connection) if name not in RECORDS_OF_RECEIPT}
    return {name: count for name, count in counts.items() if count}


def _count(connection: "psycopg.Connection[tuple[object, ...]]", table: str) -> int:
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    assert row is not None
    return int(str(row[0]))


def stored_text(database_url: str) -> Iterator[tuple[str, str]]:
    """Give every row of every table as one text, bytes as their hex and as what they spell, with the table's name."""
    with connect(database_url) as connection:
        for table in tables(connection):
            rows = connection.execute(sql.SQL("SELECT t.*, t::text FROM {} t").format(sql.Identifier(table)))
            for row in rows:
                yield table, " ".join(_spelled(value) for value in row)


def _spelled(value: object) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("latin-1")
    return str(value)
