"""Reading a register: its rows, their totals, and what the books say of those.

Rows come from the database a few thousand at a time and are shown one by one, so who does not keep them holds no more
of a register than that, however many members and advices there are.
"""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import date
from typing import Any

from sqlalchemy import Connection

from ledger.export.sealed import by_hashing
from ledger.queries import Queries
from payouts.registers import payment_days
from payouts.registers.catalogue import RegisterKind, kind_of
from payouts.registers.model import Register, RegisterDaysError, RegisterRow, Span, Summed, Tie, Unit
from payouts.registers.money_rows import PaymentDaysRow

_QUERIES = Queries("payouts", "registers.sql")
_ALL_TIME = date(2000, 1, 1)
_FETCHED_ROWS = 2000


def read_register(connection: Connection, name: str, from_on: date | None, to_on: date) -> Register:
    """Read a register of days, or as it stood on one.

    What is asked of the same days at the same checkpoint (``ledger.known.known_at`` on the connection) gives the same
    answer for ever.

    Args:
        connection: reading is enough; best of one moment, so that rows and books are of the same.
        name: which register.
        from_on: first accounting day; None for a register of a day.
        to_on: last accounting day.

    Raises:
        UnknownRegisterError: there is no such register.
        RegisterDaysError: it is of days, and no first one is given; or of a day, and one is; or they run backwards.
    """
    rows: list[RegisterRow] = []
    summed = see_register(connection, name, from_on, to_on, rows.append)
    kind = kind_of(name)
    paid = [row for row in rows if isinstance(row, PaymentDaysRow)]
    return Register(
        name=name,
        title=kind.title,
        from_on=from_on,
        to_on=to_on,
        columns=kind.row.columns(),
        rows=tuple(rows),
        totals={column: summed.totals[column] for column in kind.summed},
        figures=payment_days.distribution(paid) if kind.row is PaymentDaysRow else {},
        ties=summed.ties,
    )


def see_register(
    connection: Connection, name: str, from_on: date | None, to_on: date, seen: Callable[[RegisterRow], object]
) -> Summed:
    """Read a register as ``read_register`` does, keeping none of its rows: each is shown as it comes.

    Args:
        connection: see there.
        name: see there.
        from_on: see there.
        to_on: see there.
        seen: is given each row, in the order of the register.

    Raises:
        The same as ``read_register``.
    """
    kind = kind_of(name)
    _see_days(kind, from_on, to_on)
    asked = {"from_on": from_on or _ALL_TIME, "to_on": to_on}
    books = connection.execute(_QUERIES[f"{kind.statement}_ties"], asked).all()
    totals = dict.fromkeys((*kind.summed, *(each.column_name for each in books)), 0)
    count = 0
    for row in _rows(connection, kind, asked):
        count += 1
        for column in totals:
            totals[column] += getattr(row, column) or 0
        seen(row)
    ties = [
        Tie(what=each.what, unit=Unit(each.unit), register_total=totals[each.column_name], books_total=each.books)
        for each in books
    ]
    return Summed(count, totals, tuple(ties))


def _rows(connection: Connection, kind: RegisterKind, asked: dict[str, Any]) -> Iterator[RegisterRow]:
    streaming = {"stream_results": True, "yield_per": _FETCHED_ROWS}
    with by_hashing(connection) if kind.goes_through_all else nullcontext():
        found = connection.execute(_QUERIES[kind.statement], asked, execution_options=streaming)
    for each in found.mappings():
        row = kind.row(**each)
        yield payment_days.counted(row, asked["to_on"]) if isinstance(row, PaymentDaysRow) else row


def _see_days(kind: RegisterKind, from_on: date | None, to_on: date) -> None:
    if kind.span is Span.DAY and from_on is not None:
        raise RegisterDaysError(kind.name, "it is as of a day: --as-of YYYY-MM-DD, and no --from")
    if kind.span is Span.RANGE and from_on is None:
        raise RegisterDaysError(kind.name, "it is of days: --from YYYY-MM-DD --to YYYY-MM-DD")
    if from_on is not None and to_on < from_on:
        raise RegisterDaysError(kind.name, f"{from_on} to {to_on} are no days")
