"""The books as known at a checkpoint: late commits, numbers out of order, tables that must not be forgotten."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import DBAPIError

from app.database import Role, connected, reading, unit_of_work
from ledger import activity
from ledger.balances import trial_balance
from ledger.batch import Batch
from ledger.chart import Ledger
from ledger.events import fee_assessed
from ledger.known import UnknownSizeError, known_at, known_size
from ledger.posting import post
from ledger.seal.checkpoints import Checkpoint
from ledger.seal.verifying import verify_seal
from payouts.resolutions.frame import Action
from payouts.resolutions.undo import propose_reversal
from tests.support import bank_changes
from tests.support.books import MAKER, Books
from tests.support.clearing import LATER, approve, ask, with_money
from tests.support.known import Seal, differences
from tests.support.trade import STRANGER, A, B, C, Part, remittance

DAY, NOVEMBER = date(2026, 11, 17), date(2026, 11, 1)
NOT_OF_THE_PAST = {
    "alembic_version": "of the schema",
    "balance": "",
    "entry": "",
    "journal_transaction": "",
    "line": "",
    "payout": "",
    "share_to_remit": "",
    "claim_reversal": "which of a file's lines takes which back: found anew by every file, no fact of the books",
    "job_run": "what the scheduler did, not what it did to the books",
    "job_attempt": "what the scheduler did",
    "trail": "",
    "known_bound": "of the seal itself",
    "known_with": "of the views themselves",
    "seal_checkpoint": "of the seal itself",
    "seal_leaf": "of the seal itself",
    "seal_pending": "of the seal itself",
    "seal_run": "of the seal itself",
    "seal_subtree": "of the seal itself",
}
"""Tables with a view of their own shape (nothing is said), or none, and why."""


@pytest.fixture
def lived(app: Engine, tmp_path: Path) -> Books:
    """Give books with three members."""
    books = Books(app, tmp_path)
    books.found(A, B, C)
    return books


def _assessed(member_id: UUID, name: str) -> Batch:
    batch = Batch()
    batch.add(fee_assessed(name, NOVEMBER, [(member_id, 200_00)]))
    return batch


def test_a_late_commit_is_known_late(lived: Books) -> None:
    """A's fee has the lower number and commits after the seal: the checkpoint knows B's 200.00 and not A's.

    The next checkpoint knows both, 400.00, and the first says 200.00 still.
    """
    member_a, member_b = lived.member(A), lived.member(B)
    with lived.begin() as late:
        post(late, _assessed(member_a, "fee A"), MAKER)
        activity.record(late, MAKER, "seen", "late")
        with lived.begin() as early:
            post(early, _assessed(member_b, "fee B"), MAKER)
            activity.record(early, MAKER, "seen", "early")
        first = lived.pinned()
    second = lived.pinned()
    assert second.size > first.size
    for checkpoint, cents, seen in ((first, 200_00, ["early"]), (second, 400_00, ["early", "late"])):
        with lived.begin() as connection:
            known_at(connection, checkpoint)
            rows = [row for row in trial_balance(connection) if row.ledger is Ledger.OPERATING]
            assert sum(row.debit_cents for row in rows) == cents
            found = connection.execute(text("SELECT subject FROM activity WHERE action = 'seen' ORDER BY 1"))
            assert found.scalars().all() == seen
            assert known_size(connection) == checkpoint.size
    with reading(lived.engine) as connection:
        assert verify_seal(connection).findings == ()


def test_what_waits_is_not_known(lived: Books) -> None:
    """What is committed and not sealed stands in no answer of the past; nothing of the question outlives it."""
    checkpoint = lived.pinned()
    with lived.begin() as connection:
        post(connection, _assessed(lived.member(A), "fee A"), MAKER)
    with lived.begin() as connection:
        now = trial_balance(connection)
        known_at(connection, checkpoint)
        assert trial_balance(connection) == []
        known_at(connection, None)
        assert (trial_balance(connection), known_size(connection)) == (now, None)
    with lived.begin() as connection:
        assert (trial_balance(connection), known_size(connection)) == (now, None)
        with pytest.raises(UnknownSizeError, match="no checkpoint 999"):
            known_at(connection, checkpoint.model_copy(update={"size": 999}))


def test_the_past_is_not_written(lived: Books) -> None:
    """Who reads the past can not write it, as the application either."""
    checkpoint = lived.pinned()
    for statement in ("UPDATE cycle SET state = 'void'", "DELETE FROM advice"):
        with lived.begin() as connection:
            known_at(connection, checkpoint)
            point = connection.begin_nested()
            with pytest.raises(DBAPIError, match=r"denied|cannot .* view"):
                connection.execute(text(statement))
            point.rollback()


def test_every_table_has_its_past(owner: Engine) -> None:
    """Each table and view has one of the same name and columns that reads the past, or is named here with why."""
    with unit_of_work(owner) as connection:
        rows = connection.execute(
            text("""
                SELECT c.relname AS name, p.relname IS NOT NULL AS has_past, c.relkind::text AS kind, (
                           SELECT array_agg((a.attname, a.atttypid)::text ORDER BY a.attnum) FROM pg_attribute a
                           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns, (
                           SELECT array_agg((a.attname, a.atttypid)::text ORDER BY a.attnum) FROM pg_attribute a
                           WHERE a.attrelid = p.oid AND a.attnum > 0 AND NOT a.attisdropped) AS past_columns
                FROM pg_class c LEFT JOIN pg_class p ON p.relname = c.relname
                    AND p.relnamespace = 'centralpay_known'::regnamespace
                WHERE c.relnamespace = 'centralpay'::regnamespace AND c.relkind IN ('r', 'p', 'v')
                  AND NOT c.relispartition""")
        ).all()
    without = {row.name for row in rows if not row.has_past}
    assert without == {name for name, why in NOT_OF_THE_PAST.items() if why}
    assert [row.name for row in rows if row.has_past and sorted(row.columns) != sorted(row.past_columns)] == []


def test_what_changes_is_read_from_the_trail(
    new_database: Callable[..., AbstractContextManager[str]], tmp_path: Path
) -> None:
    """Every column that differs between two versions of a row in the trail is one that the views read from it."""
    with new_database() as url, connected(url, Role.APP) as app, connected(url, Role.AUDITOR) as auditor:
        books = Books(app, tmp_path)
        books.found(A, B, C)
        books.put_in("OWN", 500_00, DAY)
        books.fund(remittance("K1", DAY, Part(A, (600_00,)), Part(B, (5_00,))))
        books.pay(DAY)
        books.settle()
        seal = Seal(books.begin, tmp_path)
        checkpoint, was = seal.seal(), seal.asked(None)
        assert differences(was, seal.asked(checkpoint)) == []
        with reading(auditor) as connection:
            changed = connection.execute(text(_CHANGED)).all()
            assert {"cycle", "approval", "advice", "bank_line"} <= {row.table_name for row in changed}
            told = {
                (row.table_name, column.name)
                for row in changed
                for column in connection.execute(
                    text("SELECT name FROM known_columns(CAST(:name AS regclass)) WHERE is_changing"),
                    {"name": row.table_name},
                )
            }
        assert {(row.table_name, row.name) for row in changed} - told == set()


_CHANGED = """
    SELECT DISTINCT t.table_name, n.key AS name
    FROM (SELECT table_name, content, lag(content) OVER (PARTITION BY table_name, row_key ORDER BY trail_id) AS before
          FROM trail) t
    CROSS JOIN LATERAL jsonb_each(t.content) n
    WHERE t.before ? n.key AND t.before -> n.key IS DISTINCT FROM n.value
"""


def test_verify_names_what_was_slipped_under_a_checkpoint(lived: Books, database_url: str) -> None:
    """An entry of 1.00 under a number that a refused posting left free: the past tells it as well, and verify names it.

    What is known is told by numbers, and trusts the journal as every question does; it is verify that trusts nothing.
    """
    with lived.begin() as connection:
        point = connection.begin_nested()
        post(connection, _assessed(lived.member(B), "fee B"), MAKER)
        point.rollback()
        post(connection, _assessed(lived.member(A), "fee A"), MAKER)
    checkpoint = lived.pinned()
    libpq = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(libpq, autocommit=True, options="-c search_path=centralpay") as superuser:
        superuser.execute("SET session_replication_role = replica")
        superuser.execute(_SLIPPED_ENTRY)
        superuser.execute(_SLIPPED_LINES)
    with lived.begin() as connection:
        found = verify_seal(connection).findings
        assert [each.table for each in found if each.table == "entry"] == ["entry"]
        known_at(connection, checkpoint)
        debits = {row.account.value: row.debit_cents for row in trial_balance(connection) if row.debit_cents}
    assert debits == {"fee_receivable": 201_00}


_SLIPPED_ENTRY = """
    INSERT INTO entry (owner_id, entry_id, transaction_id, ledger, event, fact_key, effective_on)
    OVERRIDING SYSTEM VALUE
    SELECT owner_id, entry_id - 1, transaction_id, ledger, event, fact_key || '?', effective_on FROM entry
"""
_SLIPPED_LINES = """
    INSERT INTO line (owner_id, entry_id, line_no, event, ledger, account, amount_cents, reference, effective_on)
    SELECT owner_id, entry_id - 1, line_no, event, ledger, account, sign(amount_cents) * 100, reference, effective_on
    FROM line
"""


def test_an_identifier_that_was_taken_away_is_known(lived: Books) -> None:
    """A stranger's NPI is found to be C's, its finding is reversed, it is found to be B's: each is known at its time.

    The row of C is deleted and stands nowhere now; the row of B has the same key.
    """
    with_money(lived)
    lived.fund(remittance("T1", DAY, Part(STRANGER, (50_00,))))
    asked: list[tuple[Checkpoint, UUID | None]] = []
    for store in (C, B):
        asked.append((lived.pinned(), None))
        approve(lived, ask(lived, "unknown_payee", Action.ASSIGN, member=store.ncpdp_id, since=NOVEMBER))
        asked.append((lived.pinned(), lived.member(store)))
        if store is C:
            undo(lived, "payee_found")
            lived.match()
    whose = text("SELECT member_id FROM member_identifier WHERE value = :npi").bindparams(npi=str(STRANGER.npi))
    for checkpoint, member_id in asked:
        with lived.begin() as connection:
            known_at(connection, checkpoint)
            assert connection.execute(whose).scalar_one_or_none() == member_id
    with lived.begin() as connection:
        assert connection.execute(whose).scalar_one() == lived.member(B)


def test_who_was_called_later_is_not_known(lived: Books) -> None:
    """The trail has a digest of whom the office spoke with: before the call the past tells no name, after it does."""
    bank_changes.with_contact(lived)
    change = bank_changes.ask(lived)
    before = lived.pinned()
    bank_changes.call_back(lived, change)
    after = lived.pinned()
    spoke = text("SELECT state, spoke_with FROM bank_account_change")
    for checkpoint, said in ((before, None), (after, bank_changes.OWNER.name)):
        with lived.begin() as connection:
            known_at(connection, checkpoint)
            assert connection.execute(spoke).one().spoke_with == said


def undo(books: Books, event: str) -> None:
    """Have two people reverse the last transaction of an event."""
    numbers = "SELECT max(transaction_id) FROM journal_transaction WHERE event = CAST(:event AS event_name)"
    (row,) = books.ask(numbers, event=event)
    with books.begin() as connection:
        approval_id = propose_reversal(connection, row[0], LATER, "a mistake", MAKER)
    approve(books, approval_id)


def test_bounds_that_were_changed_are_found(lived: Books, database_url: str) -> None:
    """The numbers that tell quickly what is known are computed anew from the leaves; a changed one is named."""
    checkpoint = lived.pinned()
    libpq = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(libpq, autocommit=True) as superuser:
        superuser.execute("SET session_replication_role = replica")
        superuser.execute("UPDATE centralpay.known_bound SET last_trail = last_trail + 1")
    with reading(lived.engine) as connection:
        findings = verify_seal(connection).findings
    assert [(each.table, each.key) for each in findings] == [("known_bound", f"{checkpoint.size}")]
