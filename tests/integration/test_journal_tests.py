"""The routine journal tests over real books: clean ones pass, and each finds what was put there for it."""

from collections.abc import Callable
from datetime import date

import psycopg
import pytest
from sqlalchemy import Engine, make_url, text

from app.database import reading, unit_of_work
from ledger.journal_tests import JOURNAL_TESTS, JournalTestResult, UnknownTestError, journal_tests
from schemas.errors import WrongUseError
from tests.integration.ledger_story import Books

FIRST, LAST = date(2026, 1, 1), date(2026, 1, 31)
Tamper = Callable[..., None]


@pytest.fixture
def books(app: Engine, owner: Engine) -> Books:
    """Give books with two advices of January, funded; who posted is an operator."""
    books = Books(app, owner)
    books.pay("1", {"A": 500_00, "B": 300_00})
    books.pay("2", {"A": 1_000_00, "C": 250_00})
    with unit_of_work(app) as connection:
        connection.execute(text(_POSTERS))
    return books


_POSTERS = """
    INSERT INTO app_user (user_name, role, added_by) SELECT DISTINCT actor, 'operator', 'tests' FROM journal_transaction
    ON CONFLICT DO NOTHING"""


@pytest.fixture
def tamper(books: Books, database_url: str) -> Tamper:
    """Give what changes rows as a superuser does, with triggers off and without the constraints that are named."""
    del books
    libpq = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)

    def change(*statements: str) -> None:
        with psycopg.connect(libpq, options="-c search_path=centralpay") as connection:
            connection.execute("SET session_replication_role = replica")
            for statement in statements:
                assert connection.execute(statement.encode()).rowcount != 0, statement

    return change


def run(books: Books, name: str | None = None) -> dict[str, JournalTestResult]:
    """Run the tests of January, or one of them."""
    with reading(books.app) as connection:
        return {each.name: each for each in journal_tests(connection, FIRST, LAST, name=name)}


def seal(books: Books, tamper: Tamper) -> None:
    """Number the entries as the sealer does; the tests ask for numbers, not for hashes."""
    tamper(
        """INSERT INTO seal_leaf (leaf_index, kind, journal_no, owner_id, entry_id, leaf)
           SELECT row_number() OVER (ORDER BY transaction_id, entry_id) - 1, 1,
                  row_number() OVER (ORDER BY transaction_id, entry_id), owner_id, entry_id, sha256('x') FROM entry""",
        "DELETE FROM seal_pending WHERE kind = 1",
    )
    assert not run(books)["gaps"].fails


def test_clean_books_have_nothing_that_must_not_be(books: Books) -> None:
    """All tests run; those that must find nothing do, and every one says what it looked at."""
    found = run(books)
    assert set(found) == set(JOURNAL_TESTS)
    assert [name for name, each in found.items() if each.fails] == []
    with reading(books.app) as connection:
        entries = connection.execute(text("SELECT count(*) FROM entry")).scalar_one()
        transactions = connection.execute(text("SELECT count(*) FROM journal_transaction")).scalar_one()
    assert (found["unbalanced"].looked_at, found["weekend"].looked_at) == (entries, transactions)
    assert (found["not_sealed"].found, found["gaps"].looked_at) == (entries, 0)


_BAD = {
    "gaps": ("DELETE FROM seal_leaf WHERE journal_no = 3",),
    "unbalanced": (
        """UPDATE line SET amount_cents = amount_cents + 1 WHERE (owner_id, entry_id, line_no) =
               (SELECT owner_id, entry_id, line_no FROM line ORDER BY entry_id LIMIT 1)""",
    ),
    "trial_balance": ("UPDATE balance SET debit_cents = debit_cents + 1 WHERE account = 'operating_float'",),
    "log_totals": (
        "DELETE FROM line WHERE entry_id = (SELECT max(entry_id) FROM entry)",
        "DELETE FROM entry WHERE entry_id = (SELECT max(entry_id) FROM entry)",
    ),
    "without_role": ("UPDATE journal_transaction SET actor = 'ghost' WHERE transaction_id = 1",),
    "maker_is_checker": (
        "ALTER TABLE approval DROP CONSTRAINT maker_is_not_checker",
        "INSERT INTO app_user (user_name, role, added_by) VALUES ('both', 'admin', 'both')",
        """INSERT INTO approval (kind, subject, state, proposed_by, decided_by, decided_at)
           VALUES ('limit', 'entry', 'approved', 'both', 'both', now())""",
    ),
}


@pytest.mark.parametrize("name", _BAD)
def test_what_must_not_be_is_found(books: Books, tamper: Tamper, name: str) -> None:
    """A row changed as superuser, with triggers off: its test finds one more than before, and fails."""
    seal(books, tamper)
    before = run(books, name)[name]
    tamper(*_BAD[name])
    after = run(books, name)[name]
    assert after.must_be_zero
    assert after.fails
    assert after.found == before.found + 1
    assert after.first[0].detail


def test_an_entry_without_lines_is_not_balanced(books: Books, tamper: Tamper) -> None:
    """No line sums to nothing, and is found all the same."""
    tamper("DELETE FROM line WHERE entry_id = (SELECT max(entry_id) FROM entry)")
    (found,) = run(books)["unbalanced"].first
    assert "no lines" in found.detail


def test_an_entry_that_the_sealer_never_saw_is_found(books: Books, tamper: Tamper) -> None:
    """Put in behind the trigger that lets it wait, an entry is neither sealed nor waiting."""
    tamper("DELETE FROM seal_pending WHERE kind = 1 AND id = (SELECT max(id) FROM seal_pending WHERE kind = 1)")
    result = run(books)["log_totals"]
    assert result.fails
    assert "neither sealed nor waiting" in result.first[0].detail


_ODD = {
    "weekend": "UPDATE journal_transaction SET recorded_at = '2026-01-10 12:00-05' WHERE transaction_id = 2",
    "off_hours": "UPDATE journal_transaction SET recorded_at = '2026-01-12 20:00-05' WHERE transaction_id = 2",
    "dated_ahead": "UPDATE journal_transaction SET fact_on = '2026-01-14' WHERE transaction_id = 2",
}
_QUIET = "UPDATE journal_transaction SET recorded_at = '2026-01-13 12:00-05'"


@pytest.mark.parametrize("name", _ODD)
def test_when_something_was_entered_is_told_by_the_banks_clock(books: Books, tamper: Tamper, name: str) -> None:
    """Of transactions of a Tuesday noon none is odd; one of Saturday, of 20:00 or dated ahead is, and is no failure."""
    tamper(_QUIET)
    assert run(books, name)[name].found == 0
    tamper(_ODD[name])
    result = run(books, name)[name]
    assert (result.found, result.fails, result.first[0].transaction_id) == (1, False, 2)


@pytest.mark.parametrize(
    ("entered", "found"),
    [
        ("2026-01-13 05:59:59-05", 1),
        ("2026-01-13 06:00-05", 0),
        ("2026-01-13 19:59:59-05", 0),
        ("2026-01-14 01:00Z", 1),
    ],
)
def test_off_hours_end_at_six_and_begin_at_eight(books: Books, tamper: Tamper, entered: str, found: int) -> None:
    """05:59:59 is off, 06:00 and 19:59:59 are not, 20:00 (01:00 UTC) is."""
    tamper(_QUIET, _ODD["off_hours"].replace("2026-01-12 20:00-05", entered))
    assert run(books, "off_hours")["off_hours"].found == found


_TWICE = """
    WITH twin AS (
        INSERT INTO journal_transaction (transaction_id, event, fact_key, fact_on, effective_on, actor)
        SELECT 900000, event, 'twin', fact_on, effective_on, actor FROM journal_transaction t
        WHERE t.event = 'advised' ORDER BY transaction_id LIMIT 1 RETURNING fact_on
    ), entered AS (
        INSERT INTO entry (owner_id, entry_id, transaction_id, ledger, event, fact_key, effective_on)
        SELECT owner_id, 900000 + entry_id, 900000, ledger, event, 'twin', effective_on FROM entry
        WHERE transaction_id = (SELECT min(transaction_id) FROM journal_transaction WHERE event = 'advised')
    )
    INSERT INTO line (owner_id, entry_id, reference, amount_cents, effective_on, event, ledger, account, line_no)
    SELECT l.owner_id, 900000 + l.entry_id, l.reference, l.amount_cents, l.effective_on, l.event, l.ledger, l.account,
           l.line_no
    FROM entry e JOIN line l USING (owner_id, entry_id)
    WHERE e.transaction_id = (SELECT min(transaction_id) FROM journal_transaction WHERE event = 'advised')"""
"""The first advice advised once more, under another fact's key."""


def test_a_fact_that_was_posted_twice_is_listed(books: Books, tamper: Tamper) -> None:
    """Two advices of the same amount are no duplicate; the same advice twice is, of both its members."""
    books.pay("3", {"A": 77_00})
    books.pay("4", {"A": 77_00})
    assert run(books)["duplicate_facts"].found == 0
    amounts = run(books)["duplicate_amounts"].found
    tamper(_TWICE)
    after = run(books)
    assert [each.detail for each in after["duplicate_facts"].first] == ["advised, 2 times for 2026-01-10"] * 2
    assert after["duplicate_amounts"].found == amounts + 4
    assert not after["duplicate_facts"].fails


def test_round_thousands_and_rare_accounts(books: Books) -> None:
    """A's 1,000.00 and the float's 5,000.00 are whole thousands, the largest first; the float is rarely used."""
    result = run(books)["round_thousands"]
    assert result.first[0].amount_cents == 5_000_00
    assert {each.amount_cents for each in result.first} == {5_000_00, 1_000_00}
    assert "operating_float" in {each.account for each in run(books)["rare_accounts"].first}


def test_manual_entries_are_listed_by_amount(books: Books) -> None:
    """What people decided is listed once, though it stands in both ledgers: the float's 5,000.00."""
    result = run(books)["manual"]
    assert [(each.amount_cents, each.detail) for each in result.first] == [(5_000_00, "float_deposited")]


def test_one_test_gives_all_and_the_period_is_asked(books: Books) -> None:
    """Without a limit every finding is given; of another month there are none."""
    with reading(books.app) as connection:
        (some,) = journal_tests(connection, FIRST, LAST, name="not_sealed", most=2)
        (every,) = journal_tests(connection, FIRST, LAST, name="not_sealed", most=None)
        other = journal_tests(connection, date(2025, 12, 1), date(2025, 12, 31))
    assert (len(some.first), some.found) == (2, every.found)
    assert len(every.first) == every.found
    assert {each.name: each.found for each in other if each.among in {"entries", "transactions", "lines"}} == {
        name: 0 for name, test in JOURNAL_TESTS.items() if test.among in {"entries", "transactions", "lines"}
    }


def test_what_is_no_test_is_refused(books: Books) -> None:
    """A name that is none, or days that run backwards, are wrong use."""
    with reading(books.app) as connection:
        with pytest.raises(UnknownTestError, match="benford"):
            journal_tests(connection, FIRST, LAST, name="benford")
        with pytest.raises(WrongUseError, match="no days"):
            journal_tests(connection, LAST, FIRST)
