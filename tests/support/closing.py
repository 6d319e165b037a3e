"""Months to close: an office whose bank says every banking day what it closes with."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta

from sqlalchemy import Connection, Engine

from app.database import reading
from ingest.bank.bai2_writer import StatementLine
from ledger.seal.keys import SealKeys
from ledger.seal.published import Published
from ledger.seal.sealer import Sealer
from payouts.closing.closing import Closer
from payouts.closing.packing import Packer
from schemas.calendar import is_banking_day
from tests.support.books import CHECKER, NOON, Books
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
