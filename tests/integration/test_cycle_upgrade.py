"""Cycles that were there before their states were guarded: what was approved stays approved, what was void says so."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import make_url

from app.database import downgrade, upgrade
from tests.conftest import NewDatabase

BEFORE = "2026_11_22_0002"


@contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection]:
    libpq = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(libpq, options="-c search_path=centralpay,pg_catalog", autocommit=True) as connection:
        yield connection


LAID = (
    "INSERT INTO app_user (user_name, role, added_by) VALUES ('mary', 'admin', 'mary')",
    "INSERT INTO owner (owner_id, kind) VALUES ('01900000-0000-7000-8000-000000000001', 'member')",
    "INSERT INTO pharmacy (ncpdp_id) VALUES ('1400101')",
    """INSERT INTO member (member_id, pharmacy_id, membership, legal_name, dba_name, tin, state, payout_schedule)
       SELECT owner_id, pharmacy_id, '[2024-01-01,)', 'A', 'A', '830000101', 'IL', 'daily'
       FROM owner, pharmacy WHERE kind = 'member'""",
    """INSERT INTO bank_account (member_id, in_use, routing_number, account_type, sealed_number, last_four)
       SELECT member_id, '[2024-01-01,)', '071000013', 'checking', '', '1234' FROM member""",
    """INSERT INTO cycle (business_date, effective_on, odfi_routing, company_id, company_name, entry_description, state,
           proposed_by, proposed_at)
       SELECT '2026-11-16', '2026-11-17', '091000019', '1999999999', 'US', 'HCCLAIMPMT', s, 'mary', '2026-11-16 12:00Z'
       FROM unnest(ARRAY['void', 'proposed']) s""",
    """INSERT INTO payout (cycle_id, member_id, amount_cents, fee_cents, bank_account_id)
       SELECT cycle_id, member_id, 500, 0, bank_account_id FROM cycle, bank_account""",
)
_HASHES = "SELECT cycle_id, cycle_set_hash(cycle_id) FROM cycle ORDER BY cycle_id"


def test_what_was_proposed_before_keeps_its_hash(new_database: NewDatabase) -> None:
    """There and back: the hash from before is the same; a void cycle has a reason; a new one hashes the account."""
    with new_database() as url:
        downgrade(url, BEFORE)
        with _connected(url) as connection:
            for statement in LAID:
                connection.execute(statement.encode())
            before = connection.execute(_HASHES).fetchall()
        upgrade(url)
        with _connected(url) as connection:
            assert connection.execute(_HASHES).fetchall() == before
            rows = connection.execute(
                "SELECT state, void_reason, voided_by, cut_off_at = proposed_at FROM cycle"
            ).fetchall()
            assert sorted(rows) == [
                ("proposed", None, None, True),
                ("void", "not recorded at the time", "mary", True),
            ]
            connection.execute("ALTER TABLE cycle DISABLE TRIGGER USER")
            connection.execute("UPDATE cycle SET set_version = 2")
            assert connection.execute(_HASHES).fetchall() != before
            connection.execute("ALTER TABLE cycle ENABLE TRIGGER USER")
        downgrade(url, BEFORE)
        with _connected(url) as connection:
            assert connection.execute(_HASHES).fetchall() == before
