"""Months to close: an office whose bank says every banking day what it closes with."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from app.database import reading
from ingest.bank.bai2_writer import StatementLine
from ledger.seal.keys import SealKeys
from ledger.seal.published import Published
from ledger.seal.sealer import Sealer
from payouts import decisions
from payouts import own_money as own
from payouts.closing.closing import Closer
from payouts.closing.model import Close
from payouts.closing.packing import Packer
from schemas.calendar import is_banking_day
from tests.support.bank import own_money
from tests.support.books import CHECKER, MAKER, NOON, Books
from tests.support.office import Office

Lines = Mapping[date, Sequence[StatementLine]]


def banking_days(first: date, last: date) -> list[date]:
    """List the banking days from one day to another, both included."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [day for day in days if is_banking_day(day)]


def book_days(office: Office, first: date, last: date, lines: Lines | None = None) -> None:
    """Take in the bank's statement of every banking day, with these lines and without any on the other days."""
    for day in banking_days(first, last):
        office.book(day, *(lines or {}).get(day, ()))


def closer_of(books: Books, auditor: Engine, *, between: Callable[[], None] | None = None) -> Closer:
    """Give what closes months of books; ``between`` is done after each reading, so before the month is locked."""

    @contextmanager
    def looking() -> Iterator[Connection]:
        with reading(auditor) as connection:
            yield connection
        if between is not None:
            between()

    keys = SealKeys(books.folder / "keys" / "seal.key", "centralpay.example/tests", is_ours=True)
    sealer = Sealer(books.begin, keys, Published(books.folder / "checkpoints", is_ours=True))
    return Closer(books.begin, looking, sealer, Packer("CENTRALPAY DEMO"), CHECKER, lambda: NOON)


def telling(step: str, done: int, total: int | None) -> None:
    """Take what is told of the progress."""
    assert step
    assert total is None or 0 <= done <= total


OCTOBER = date(2026, 10, 1)
AFTER = date(2026, 11, 3)
_CLOSE = text("SELECT version, is_new FROM close_period(:month, :day, :actor)")
CHECK = """INSERT INTO period_check SELECT '2026-10-01', 1, place, name, :verdict, 0, 0, 0, 'by a test'
    FROM unnest(ARRAY['P1', 'P2', 'P3', 'P5', 'P6', 'P7', 'P8', 'P9', 'P10', 'P11', 'certificates', 'bank tie-out'])
    WITH ORDINALITY AS n (name, place)"""
TIED = "SELECT tie_out_period('2026-10-01', 1)"


def live_october(books: Books) -> None:
    """Live through an October that has every statement, 500.00 of own money, and no member yet."""
    books.found()
    for day in banking_days(OCTOBER, date(2026, 10, 31)):
        lines = [own_money("OWN1", 500_00)] if day == date(2026, 10, 2) else []
        books.book(day, *lines)
    with books.begin() as connection:
        approval = own.propose_deposit(connection, "OWN1", MAKER)
    with books.begin() as connection:
        decisions.decide(connection, approval, CHECKER, approve=True)


def closed(books: Books, auditor: Engine, out: Path | None = None) -> Close:
    """Close October as the command does."""
    return closer_of(books, auditor).close(OCTOBER, AFTER, [], out or books.folder / "closed", telling)


def lock(connection: Connection, month: date = OCTOBER, day: date = AFTER, actor: str = CHECKER) -> tuple[int, bool]:
    """Close a month in the database, past what the command looks at; give the version, and whether it is new."""
    row = connection.execute(_CLOSE, {"month": month, "day": day, "actor": actor}).one()
    return row.version, row.is_new


def checked(connection: Connection) -> None:
    """Write down what October's close needs: a check, and each day tied out."""
    write(connection, CHECK, verdict="holds")
    write(connection, TIED)


def write(connection: Connection, statement: str, **parameters: object) -> None:
    """Execute a statement."""
    connection.execute(text(statement), parameters)
