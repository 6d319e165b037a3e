"""Registers that are written as they are read: the same bytes as from memory, and never whole in it."""

import io
from datetime import date

import pytest
from sqlalchemy import Connection, event, text

from app.demo.simulator.rules import Rules
from payouts.fees.register import register, register_csv, streamed_fees, write_register_csv
from payouts.registers import forms
from payouts.registers.catalogue import REGISTERS, kind_of
from payouts.registers.forms import RegisterCsv
from payouts.registers.model import RegisterRow, Span
from payouts.registers.reading import read_register, see_register
from payouts.spreadsheet import CsvBytes
from tests.support.answers import WEDNESDAY, close, pay
from tests.support.books import Books
from tests.support.fees import assess_fees
from tests.support.lives import kept

NOVEMBER = FIRST = date(2026, 11, 1)
LAST = date(2026, 12, 31)
_OPEN = text("SELECT count(*) FROM pg_cursors WHERE is_holdable = false")


@pytest.fixture
@kept
def paid(books: Books) -> Books:
    """Give books with fees and with payments that the bank debited."""
    assess_fees(books)
    pay(books, Rules())
    close(books, WEDNESDAY)
    return books


def first_day(name: str) -> date | None:
    """Give the first day that a register is asked of."""
    return None if kind_of(name).span is Span.DAY else FIRST


@pytest.mark.parametrize("name", REGISTERS)
def test_streamed_is_what_is_read(paid: Books, name: str) -> None:
    """Row by row a register gives the bytes, sums and ties that it has in memory; the database hands out its rows.

    A package held each register twice over, as rows and as text: at 20,000 members, one payment each, that was more
    than half of what a close took beyond the program itself.
    """
    content, cursors = io.BytesIO(), list[int]()
    with paid.begin() as connection:
        made = read_register(connection, name, first_day(name), LAST)
        writer = RegisterCsv(made.columns, CsvBytes(content.write))

        def seen(row: RegisterRow) -> None:
            cursors.append(connection.execute(_OPEN).scalar_one())
            writer.add(row)

        summed = see_register(connection, name, first_day(name), LAST, seen)
        assert connection.execute(_OPEN).scalar_one() == 0
    assert content.getvalue().decode() == forms.register_csv(made)
    assert (summed.rows, summed.ties) == (len(made.rows), made.ties)
    assert {column: summed.totals[column] for column in made.totals} == made.totals
    assert cursors == [1] * len(made.rows)


def test_something_is_streamed(paid: Books) -> None:
    """The registers above are not all empty: what was paid is in those of advices, payouts and days."""
    with paid.begin() as connection:
        found = {name: see_register(connection, name, first_day(name), LAST, lambda _: None) for name in REGISTERS}
    assert min(found[name].rows for name in ("835", "payouts", "payment-days", "approvals", "users")) > 0
    assert all(tie.agrees for each in found.values() for tie in each.ties)


def test_streamed_fees_are_the_fee_register(paid: Books) -> None:
    """The fees of a month are the same bytes streamed as in memory, the totals too, and are counted."""
    content = io.BytesIO()
    with paid.begin() as connection:
        made = register(connection, NOVEMBER, NOVEMBER, as_of=LAST)
        count = write_register_csv(streamed_fees(connection, NOVEMBER, as_of=LAST), CsvBytes(content.write))
    assert content.getvalue().decode() == register_csv(made)
    assert count == len(made.rows) > 0


def test_days_of_payment_are_joined_by_hashing(paid: Books) -> None:
    """The register of days goes once through what it joins, and the planner is left as it was.

    Left alone the planner took each part for one row and went through all payments once for every share: of 20,000
    members' shares that took 14 seconds of the close, and four times as long for twice as many.
    """
    said: list[str] = []

    def hear(connection: Connection, cursor: object, statement: str, *rest: object) -> None:
        del connection, cursor, rest
        said.append(statement)

    event.listen(paid.engine, "before_cursor_execute", hear)
    try:
        with paid.begin() as connection:
            see_register(connection, "payment-days", FIRST, LAST, lambda _: None)
            assert connection.execute(text("SHOW enable_nestloop")).scalar_one() == "on"
    finally:
        event.remove(paid.engine, "before_cursor_execute", hear)
    (place,) = [number for number, each in enumerate(said) if "ready" in each and "told" in each]
    assert "'enable_nestloop', 'off'" in said[place - 1]
    assert "'enable_nestloop', 'on'" in said[place + 1]
