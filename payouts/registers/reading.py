"""Reading a register: its rows, their totals, and what the books say of those."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection

from ledger.queries import Queries
from payouts.registers import payment_days
from payouts.registers.catalogue import RegisterKind, kind_of
from payouts.registers.model import Register, RegisterDaysError, RegisterRow, Span, Tie, Unit
from payouts.registers.money_rows import PaymentDaysRow

_QUERIES = Queries("payouts", "registers.sql")
_ALL_TIME = date(2000, 1, 1)


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
    kind = kind_of(name)
    _see_days(kind, from_on, to_on)
    asked = {"from_on": from_on or _ALL_TIME, "to_on": to_on}
    rows: Sequence[RegisterRow] = [
        kind.row(**row) for row in connection.execute(_QUERIES[kind.statement], asked).mappings()
    ]
    figures: dict[str, int | str | None] = {}
    if kind.row is PaymentDaysRow:
        counted = [payment_days.counted(row, to_on) for row in rows if isinstance(row, PaymentDaysRow)]
        rows, figures = counted, payment_days.distribution(counted)
    ties = [
        Tie(what=each.what, unit=Unit(each.unit), register_total=_sum(rows, each.column_name), books_total=each.books)
        for each in connection.execute(_QUERIES[f"{kind.statement}_ties"], asked)
    ]
    return Register(
        name=name,
        title=kind.title,
        from_on=from_on,
        to_on=to_on,
        columns=kind.row.columns(),
        rows=tuple(rows),
        totals={column: _sum(rows, column) for column in kind.summed},
        figures=figures,
        ties=tuple(ties),
    )


def _see_days(kind: RegisterKind, from_on: date | None, to_on: date) -> None:
    if kind.span is Span.DAY and from_on is not None:
        raise RegisterDaysError(kind.name, "it is as of a day: --as-of YYYY-MM-DD, and no --from")
    if kind.span is Span.RANGE and from_on is None:
        raise RegisterDaysError(kind.name, "it is of days: --from YYYY-MM-DD --to YYYY-MM-DD")
    if from_on is not None and to_on < from_on:
        raise RegisterDaysError(kind.name, f"{from_on} to {to_on} are no days")


def _sum(rows: Sequence[RegisterRow], column: str) -> int:
    return sum(getattr(row, column) or 0 for row in rows)
