"""Rows from the database into files as they come: COPY of a named statement, in constant memory."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, TextClause, text

Tell = Callable[[str, int, int | None], None]
"""Is told what is in hand, how much of it is done, and of how much."""

_TOLD_EVERY: Final = 1 << 14


class RowForm(StrEnum):
    """How COPY writes rows."""

    PLAIN = "DELIMITER E'\\x02', QUOTE E'\\x01', ESCAPE E'\\x01'"
    """One column of text, as it is: the statement has composed the line. No text of ours holds these two characters."""
    BLOCK = "DELIMITER E'\\x02', QUOTE E'\\x01', ESCAPE E'\\x01' "
    """The same with line feeds within: what COPY puts around such a row is taken away."""
    CSV = "DELIMITER ',', QUOTE '\"', ESCAPE '\"'"
    """Comma-separated values, RFC 4180: what needs quotes is quoted; CR LF ends a row."""


def copy_out(
    connection: Connection,
    statement: TextClause | str,
    parameters: Mapping[str, Any],
    write: Callable[[bytes], object],
    *,
    form: RowForm = RowForm.PLAIN,
    told: Callable[[int], None] | None = None,
) -> int:
    """Write the rows of a statement; give how many there were.

    Args:
        connection: whose transaction sees one moment.
        statement: a query; its parameters are bound as literals, since COPY takes none.
        parameters: of the query.
        write: takes the bytes.
        form: how rows are written.
        told: is told now and then how many rows are out.
    """
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError("COPY needs psycopg")
    clause = text(statement) if isinstance(statement, str) else statement
    query = str(clause.compile(dialect=connection.dialect))
    rows = 0
    with driver.cursor() as cursor, cursor.copy(_copy_of(query, form), parameters) as copy:
        for row in copy:
            write(_row(bytes(row), form))
            rows += 1
            if told is not None and rows % _TOLD_EVERY == 0:
                told(rows)
    return rows


def _row(row: bytes, form: RowForm) -> bytes:
    if form is RowForm.CSV:
        return row[:-1] + b"\r\n"
    return row if form is RowForm.PLAIN else row.translate(None, b"\x01")


def _copy_of(query: str, form: RowForm) -> bytes:
    return f"COPY ({query}) TO STDOUT (FORMAT csv, {form.value})".encode()
