"""The twelve refusals, each broken on purpose: through ``post`` as the application, and by raw SQL as the owner."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import pytest
from psycopg import errors as states
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from app.database import unit_of_work
from ledger.errors import (
    AdvanceWrongError,
    EntryUnbalancedError,
    FactConflictError,
    JournalAppendOnlyError,
    LedgerRefusedError,
    MakerIsCheckerError,
    MatrixError,
    PeriodClosedError,
)
from tests.integration.ledger_mistakes import CASES, Build
from tests.integration.ledger_story import Books
from tests.model import events
from tests.model.events import Fact
from tests.model.facts import HOUSE, Ledger, Line, Payout, Transaction


@pytest.fixture
def books(app: Engine, owner: Engine) -> Books:
    """Give a ledger with 900.00 payable to A, 100.00 to B, and a deposit of 1.00 that waits."""
    books = Books(app, owner)
    books.pay("start", {"A": 900_00, "B": 100_00})
    books.bank("d", 100)
    return books


PLAIN_CONSTRAINTS = {
    "amount_in_range",
    "advance_is_never_asked_for",
    "fact_is_posted_once",
    "fact_is_entered_once",
    "open_item_has_reference",
    "bank_line_is_posted_once",
    "journal_transaction_bank_line_id_fkey",
    "bank_facts_name_their_line",
    "transaction_is_reversed_once",
    "reversal_of_what_is_posted",
    "reversal_names_its_original",
}
"""Rules that a constraint of a table keeps; all others are guards with a SQLSTATE of their own."""


def _assert_refused(
    caught: pytest.ExceptionInfo[LedgerRefusedError], kind: type[LedgerRefusedError], rule: str
) -> None:
    assert type(caught.value) is kind
    assert caught.value.rule == rule
    cause = caught.value.__cause__
    original = cause.orig if isinstance(cause, DBAPIError) else cause
    state = getattr(original, "sqlstate", None)
    if rule not in PLAIN_CONSTRAINTS:
        assert state == f"CP{kind.number:03}"
    elif state is not None and not state.startswith("CP"):
        assert state.startswith("23")


@pytest.mark.parametrize(("kind", "rule", "build"), CASES, ids=[case[2].__name__.strip("_") for case in CASES])
def test_refused_to_application_and_owner(
    books: Books, kind: type[LedgerRefusedError], rule: str, build: Build
) -> None:
    """``post`` refuses what breaks a rule with the rule's own error, and the guards refuse it to the tables' owner."""
    wrong = build(books)
    before = books.accounts()
    for way in (books.post, books.write):
        with pytest.raises(LedgerRefusedError) as caught:
            way(wrong)
        _assert_refused(caught, kind, rule)
        assert books.accounts() == before
    assert books.failing() == []


def test_owner_can_write_what_is_right(books: Books) -> None:
    """The guards refuse what is wrong and nothing else: a right transaction may be written by hand."""
    books.write(events.held(books.fact(), "A", 10_00))
    assert (books.balance("A", "held"), books.failing()) == (10_00, [])


def test_10_debt_without_its_advance(books: Books) -> None:
    """A member written into debt past ``post``, which would derive the advance, is refused."""
    for wrong in (
        events.member_corrected(books.fact(), "A", "B", 900_01),
        replace(
            events.member_corrected(books.fact(), "A", "B", 1),
            event="reversed",
            reverses=1,
            lines=(
                Line("C", Ledger.CUSTODY, "due_available", 5),
                Line("C", Ledger.CUSTODY, "cash", -5),
                Line(HOUSE, Ledger.CUSTODY, "cash", 5),
                Line(HOUSE, Ledger.CUSTODY, "operating_float", -5),
            ),
        ),
    ):
        with pytest.raises(LedgerRefusedError) as caught:
            books.write(wrong)
        _assert_refused(caught, AdvanceWrongError, "advance_covers_debt")


def _write_at_once(books: Books, asked: Transaction, entries: dict[str, tuple[Line, ...]]) -> None:
    """Write a transaction with entries of several events, past ``post``, with one statement for all lines."""
    with unit_of_work(books.owner) as connection:
        frame = books.write_on(connection, replace(asked, lines=()))
        books.add_entries_of(connection, frame, entries)


def test_10_write_off_of_more_than_is_owed(books: Books) -> None:
    """A write-off of 50.01 where 50.00 are owed would advance a cent to the member: refused, by ``post`` and by hand.

    By hand it is one statement with the advance that ``post`` would derive; everything else about it is right.
    """
    books.pay("down", {"C": -50_00, "A": 60_00})
    wrong = events.advance_written_off(books.fact(), "C", 50_01)
    with pytest.raises(LedgerRefusedError) as caught:
        books.post(wrong)
    _assert_refused(caught, AdvanceWrongError, "write_off_is_what_is_owed")
    advance = (
        Line("C", Ledger.CUSTODY, "cash", 1),
        Line("C", Ledger.CUSTODY, "operating_advance", -1),
        Line("C", Ledger.OPERATING, "advance_receivable", 1),
        Line("C", Ledger.OPERATING, "custody_float", -1),
        Line(HOUSE, Ledger.CUSTODY, "operating_float", 1),
        Line(HOUSE, Ledger.CUSTODY, "cash", -1),
    )
    with pytest.raises(LedgerRefusedError) as caught:
        _write_at_once(books, wrong, {"advance_written_off": wrong.lines, "advanced": advance})
    _assert_refused(caught, AdvanceWrongError, "write_off_is_what_is_owed")
    books.post(events.advance_written_off(books.fact(), "C", 50_00))
    assert (books.balance("C", "operating_advance"), books.failing()) == (0, [])


def test_10_advance_without_a_debt(books: Books) -> None:
    """An advance that nobody needs is refused, and so is one that is given back too early."""
    books.pay("down", {"C": -50_00, "A": 60_00})
    for cents in (10, -10):
        asked = events.held(books.fact(), "A", 1)
        lines = (
            Line("C", Ledger.CUSTODY, "cash", cents),
            Line("C", Ledger.CUSTODY, "operating_advance", -cents),
            Line(HOUSE, Ledger.CUSTODY, "operating_float", cents),
            Line(HOUSE, Ledger.CUSTODY, "cash", -cents),
        )
        event = "advanced" if cents > 0 else "advance_repaid"
        with pytest.raises(LedgerRefusedError) as caught, unit_of_work(books.owner) as connection:
            books.add_entries(connection, books.write_on(connection, asked), event, lines)
        _assert_refused(caught, AdvanceWrongError, "advance_covers_debt")


def test_11_maker_is_not_checker(books: Books) -> None:
    """Who proposed a payout may not approve it; a decision stays as it was made."""
    with pytest.raises(MakerIsCheckerError):
        books.approve_payout(Payout("p", "A", 1), proposer="finance", approver="finance")


def test_5_closed_month(books: Books) -> None:
    """Nothing is written into a closed month; ``post`` puts it on the first day of the earliest open one after it."""
    books.close_period(202512)
    late = events.suspended(Fact("late", date(2025, 12, 30)), "d", 10)
    with pytest.raises(LedgerRefusedError) as caught:
        books.write(late)
    _assert_refused(caught, PeriodClosedError, "period_is_open")
    assert books.effective_on(books.post(late)[0].transaction_id) == date(2026, 1, 1)
    for month in (202601, 202602):
        books.close_period(month)
    with pytest.raises(PeriodClosedError):
        books.post(events.suspended(Fact("too late", date(2025, 12, 30)), "d", 10))


# What is wrong in the rows, past any function -----------------------------------------------------------------------


def _refused_rows(books: Books, kind: type[LedgerRefusedError], rule: str, *statements: str) -> None:
    with pytest.raises(LedgerRefusedError) as caught:
        _execute(books, statements)
    _assert_refused(caught, kind, rule)


def _execute(books: Books, statements: Iterable[str]) -> None:
    with unit_of_work(books.owner) as connection:
        for statement in statements:
            connection.execute(text(statement), {"owner": books.owners["A"]})


_FRAME = """INSERT INTO journal_transaction (transaction_id, event, fact_key, fact_on, effective_on, actor)
            VALUES (-1, 'held', 'k', '2026-01-10', '2026-01-10', 'owner')"""
_ENTRY = """INSERT INTO entry (owner_id, entry_id, transaction_id, ledger, event, fact_key, effective_on)
            VALUES (:owner, {entry}, {transaction}, 'custody', '{event}', '{key}', '{day}')"""


def _entry(
    entry: int = -1, transaction: str = "-1", event: str = "held", key: str = "k", day: str = "2026-01-10"
) -> str:
    return _ENTRY.format(entry=entry, transaction=transaction, event=event, key=key, day=day)


def _lines(
    entry: int, *, cents: int = 5, event: str = "held", ledger: str = "custody", day: str = "2026-01-10", first: int = 1
) -> str:
    return f"""INSERT INTO line (owner_id, entry_id, line_no, event, ledger, account, amount_cents, effective_on) VALUES
        (:owner, {entry}, {first}, '{event}', '{ledger}', 'due_available', {cents}, '{day}'),
        (:owner, {entry}, {first + 1}, '{event}', '{ledger}', 'held', {-cents}, '{day}')"""  # noqa: S608 (our own words)


def test_1_forged_ids_of_database_transactions(books: Books) -> None:
    """Rows carry the id of the database transaction that writes them, so that nobody can reopen an old one."""
    _refused_rows(
        books,
        EntryUnbalancedError,
        "transaction_is_of_now",
        _FRAME.replace("actor)", "actor, xid)").replace("'owner')", "'owner', '3')"),
    )
    forged = _entry().replace("effective_on)", "effective_on, xid)").replace("'2026-01-10')", "'2026-01-10', '3')")
    _refused_rows(books, EntryUnbalancedError, "entry_is_of_now", _FRAME, forged)


@pytest.mark.parametrize(
    "entry",
    [
        _entry(transaction="1"),
        _entry(transaction="-2"),
        _entry(event="levied"),
        _entry(key="other"),
        _entry(day="2026-01-11"),
    ],
    ids=["earlier transaction", "no transaction", "other event", "other fact", "other date"],
)
def test_1_entry_agrees_with_its_transaction(books: Books, entry: str) -> None:
    """An entry belongs to a transaction of the same moment and says of event, fact and date what that says."""
    _refused_rows(books, EntryUnbalancedError, "entry_of_its_transaction", _FRAME, entry, _lines(-1))


@pytest.mark.parametrize(
    "lines",
    [
        _lines(-2),
        _lines(-1, event="hold_lifted", cents=-5),
        _lines(-1, ledger="operating"),
        _lines(-1, day="2026-01-11"),
        f"{_lines(-1)}, {_lines(-1, event='levied', first=3).partition('VALUES')[2]}",
    ],
    ids=["no entry", "other event", "other ledger", "other date", "two events in one entry"],
)
def test_1_lines_agree_with_their_entry(books: Books, lines: str) -> None:
    """Lines belong to an entry of the same moment and say of event, ledger and date what that says, all of them."""
    _refused_rows(books, EntryUnbalancedError, "line_of_a_new_entry", _FRAME, _entry(), lines)


def test_1_lines_that_come_later(books: Books) -> None:
    """Not even a balanced pair of lines can be added to what is posted."""
    number = books.post(events.held(books.fact(), "A", 10))[0].transaction_id
    pair = (Line("A", Ledger.CUSTODY, "due_available", 5), Line("A", Ledger.CUSTODY, "held", -5))
    with pytest.raises(LedgerRefusedError) as caught:
        books.append(number, pair)
    _assert_refused(caught, EntryUnbalancedError, "line_of_a_new_entry")


def test_1_entry_that_comes_later(books: Books) -> None:
    """Not even a balanced entry of another owner, in full agreement, can be added to what is posted."""
    number = books.post(events.held(books.fact("k"), "B", 10))[0].transaction_id
    rows = (_entry(transaction=str(number)), _lines(-1))
    _refused_rows(books, EntryUnbalancedError, "entry_of_its_transaction", *rows)


def test_1_entry_without_lines(books: Books) -> None:
    """An entry, or a transaction, that stays empty is refused when it is to be committed."""
    _refused_rows(books, EntryUnbalancedError, "entry_has_lines", _FRAME)
    _refused_rows(books, EntryUnbalancedError, "entry_has_lines", _FRAME, _entry())


def test_3_entry_of_nobody(books: Books) -> None:
    """An entry belongs to a member or to the house."""
    nobody = _entry().replace(":owner", "'11111111-1111-1111-1111-111111111111'")
    _refused_rows(books, MatrixError, "entry_of_an_owner", _FRAME, nobody)


def test_6_second_entry_of_a_fact(books: Books) -> None:
    """An owner has one entry of a fact in a ledger."""
    rows = (_FRAME, _entry(-1), _lines(-1), _entry(-2), _lines(-2))
    _refused_rows(books, FactConflictError, "fact_is_entered_once", *rows)


LEDGER_TABLES = ("journal_transaction", "entry", "line", "balance")
RECEIVED_TABLES = ("advice_share", "plb_line", "claim_line", "claim_line_2026_01", "activity")
CHANGES = {
    "journal_transaction": "reason = 'x'",
    "entry": "fact_key = 'x'",
    "line": "amount_cents = 1",
    "balance": "version = 0",
    "advice_share": "claim_count = 0",
    "plb_line": "amount_cents = 0",
    "claim_line": "paid_cents = 0",
    "claim_line_2026_01": "paid_cents = 0",
    "activity": "actor = 'x'",
}


@pytest.mark.parametrize("table", [*LEDGER_TABLES, *RECEIVED_TABLES])
def test_2_owner_can_not_rewrite(books: Books, table: str) -> None:
    """UPDATE, DELETE and TRUNCATE are refused to the owner too, on every table that keeps what was."""
    rule = {"balance": "balance_follows_lines"}.get(table, "journal_is_append_only")
    if table.startswith("claim_line"):
        rule = "claim_line_is_append_only"
        with unit_of_work(books.app) as connection:
            connection.execute(text("SELECT ensure_claim_partition('2026-01-10')"))
    for statement in _rewrites(table):
        _refused_rows(books, JournalAppendOnlyError, rule, statement)


def _rewrites(table: str) -> tuple[str, ...]:
    return (
        f"UPDATE {table} SET {CHANGES[table]}",  # noqa: S608 (our own words)
        f"DELETE FROM {table}",  # noqa: S608 (our own words)
        f"TRUNCATE {table} CASCADE",
    )


def test_2_owner_can_not_write_balances(books: Books) -> None:
    """A balance is what the lines sum to; nobody writes it by hand."""
    new = "INSERT INTO balance VALUES (:owner, 'custody', 'levied', 0, 5, 1)"
    _refused_rows(books, JournalAppendOnlyError, "balance_follows_lines", new)


@pytest.mark.parametrize("table", LEDGER_TABLES)
def test_application_may_not_touch_the_tables(books: Books, table: str) -> None:
    """The application has no right to write the ledger's tables; it never comes as far as a guard."""
    insert = f"INSERT INTO {table} SELECT * FROM {table} LIMIT 0"  # noqa: S608 (our own words)
    for statement in (insert, *_rewrites(table)):
        with pytest.raises(DBAPIError) as caught, unit_of_work(books.app) as connection:
            connection.execute(text(statement))
        assert isinstance(caught.value.orig, states.InsufficientPrivilege)
