"""Books that were kept before there was a seal: all that is in them is told, counted and sealed when they come up."""

from datetime import date

import pytest
from sqlalchemy import text

from app.database import Role, connected, downgrade, unit_of_work, upgrade
from payouts.fees.assessment import assess
from tests.support.books import MAKER, Books
from tests.support.lives import kept
from tests.support.trade import A, B, Part, remittance

BEFORE = "2026_11_22_0004"
DAY = date(2026, 11, 16)


@pytest.fixture
@kept
def lived(books: Books) -> Books:
    """Live through a day on which money came, was paid, and was not enough."""
    books.put_in("OWN", 500_00, DAY)
    books.fund(remittance("T1", DAY, Part(A, (1_000_00,)), Part(B, (100_00,), (("WO", 150_00),))))
    with books.begin() as connection:
        assess(connection, date(2026, 11, 1), MAKER)
    books.pay(DAY)
    assert books.receive(b"ISA*", "broken.835").status != "accepted"
    return books


_TOLD = """
    SELECT coalesce(n.row_key, t.row_key) AS row_key FROM trail_now(:name) n FULL JOIN (
        SELECT DISTINCT ON (row_key) row_key, content FROM trail WHERE table_name = :name
        ORDER BY row_key, trail_id DESC) t USING (row_key)
    WHERE coalesce(n.content, '{}') IS DISTINCT FROM t.content"""


def test_what_was_there_before_is_told_counted_and_sealed(lived: Books, database_url: str) -> None:
    """Down to the step before and up again: each row of each table has its trail, each balance counts its lines.

    The versions of balances are what the step before made of them, one a statement; each member has a salt of its own;
    what waits is sealed, all proofs hold, and what comes later is posted, told and counted as ever.
    """
    lived.engine.dispose()
    downgrade(database_url, BEFORE)
    with connected(database_url, Role.OWNER) as owner, unit_of_work(owner) as connection:
        connection.execute(text("ALTER TABLE balance DISABLE TRIGGER follows_lines"))
        connection.execute(text("UPDATE balance SET version = version + 3"))
        connection.execute(text("ALTER TABLE balance ENABLE TRIGGER follows_lines"))
    upgrade(database_url)
    _see_told(lived)
    salts = lived.ask("SELECT tin_salt FROM member")
    assert len(salts) == len(set(salts)) == 3
    checkpoint = lived.pinned()
    (sealed,) = lived.ask("SELECT (SELECT count(*) FROM entry) AS entries, (SELECT count(*) FROM trail) AS rows")
    assert checkpoint.size >= sealed.entries + sealed.rows - 1
    lived.prove()
    lived.fund(remittance("T2", date(2026, 11, 17), Part(A, (10_00,))))
    _see_told(lived)
    lived.pinned()
    lived.prove()


def _see_told(books: Books) -> None:
    names = [row.table_name for row in books.ask("SELECT table_name FROM trailed_table ORDER BY table_name")]
    assert {"received_file", "notice", "seal_key", "member", "trailed_table"} <= set(names)
    for name in names:
        assert books.ask(_TOLD, name=name) == [], name
    told = {row.table_name for row in books.ask("SELECT DISTINCT table_name FROM trail")}
    assert {"received_file", "member", "approval", "cycle", "advice_share", "bank_line"} <= told
