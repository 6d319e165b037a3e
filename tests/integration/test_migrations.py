"""The dated steps: there, back, and there again; and what they lay is what the Python side says of it."""

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import make_url

import migrations
from app.cluster import Cluster
from app.database import downgrade, newest_step, status, upgrade
from ledger.chart import HOUSE, Account, Event, Ledger
from ledger.events import month_reference
from tests.conftest import NewDatabase
from tests.model.chart import CHART
from tests.model.matrix import MATRIX

STEPS = ("2026_11_22_0001", "2026_11_22_0002", "2026_11_22_0003", "2026_11_22_0004", "2026_11_22_0005")


@contextmanager
def connection_to(url: str) -> Iterator[psycopg.Connection]:
    """Connect as the superuser, in the schema."""
    libpq = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(libpq, options="-c search_path=centralpay,pg_catalog", autocommit=True) as connection:
        yield connection


def described(url: str) -> dict[str, list[str]]:
    """Describe the schema: every column, constraint, index, function, trigger, policy and right, in words."""
    with connection_to(url) as connection:
        return {
            kind: [str(row[0]) for row in connection.execute(statement)] for kind, statement in _DESCRIPTIONS.items()
        }


_DESCRIPTIONS = {
    "columns": """
        SELECT concat_ws(' ', c.relname, c.relkind, c.reloptions, c.relrowsecurity, c.relforcerowsecurity, a.attnum,
                         a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
                         pg_get_expr(d.adbin, d.adrelid), pg_get_userbyid(c.relowner), c.relacl, a.attacl)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'centralpay'::regnamespace AND c.relname <> 'alembic_version' ORDER BY 1""",
    "constraints": """
        SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint
        WHERE connamespace = 'centralpay'::regnamespace ORDER BY 1""",
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'centralpay' ORDER BY 1",
    "functions": """
        SELECT concat_ws(' ', pg_get_functiondef(oid), pg_get_userbyid(proowner), proacl) FROM pg_proc
        WHERE pronamespace = 'centralpay'::regnamespace ORDER BY 1""",
    "triggers": """
        SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = 'centralpay'::regnamespace AND NOT t.tgisinternal ORDER BY 1""",
    "policies": """
        SELECT concat_ws(' ', tablename, policyname, roles, cmd, qual, with_check) FROM pg_policies ORDER BY 1""",
    "views": """
        SELECT concat_ws(' ', c.relname, c.reloptions, pg_get_viewdef(c.oid)) FROM pg_class c
        WHERE c.relkind = 'v' AND c.relnamespace = 'centralpay'::regnamespace ORDER BY 1""",
    "enums": """
        SELECT concat_ws(' ', enumtypid::regtype, enumsortorder, enumlabel) FROM pg_enum
        JOIN pg_type t ON t.oid = enumtypid WHERE t.typnamespace = 'centralpay'::regnamespace ORDER BY 1""",
    "sequences": """
        SELECT concat_ws(' ', sequencename, start_value, min_value, max_value, increment_by, cycle, cache_size)
        FROM pg_sequences WHERE schemaname = 'centralpay' ORDER BY 1""",
    "chart": "SELECT concat_ws(' ', a.*) FROM account a ORDER BY 1",
    "periods": "SELECT concat_ws(' ', month, state) FROM period ORDER BY 1",
    "matrix": "SELECT concat_ws(',', event, ledger, owner_kind, account, side) FROM posting_rule ORDER BY 1",
}


def test_the_last_steps_file_is_named_after_it() -> None:
    """Whether a schema is up to date is asked at each start, without Alembic: by the name of the last file."""
    steps = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert newest_step() == steps.get_current_head() == STEPS[-1]


def test_up_down_up(new_database: NewDatabase) -> None:
    """A schema that was taken down leaves nothing of ours behind, and comes up again the same as a fresh one."""
    with new_database(migrated=False) as url:
        upgrade(url)
        first = described(url)
        downgrade(url, "base")
        assert status(url).pending == STEPS
        with connection_to(url) as connection:
            left = connection.execute(_LEFT).fetchall()
        assert left == []
        upgrade(url)
        assert described(url) == first
    assert min(len(found) for found in first.values()) > 0


_LEFT = """
    SELECT relname FROM pg_class WHERE relnamespace = 'centralpay'::regnamespace AND relname NOT LIKE 'alembic%'
    UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'centralpay'::regnamespace
    UNION ALL SELECT typname FROM pg_type WHERE typnamespace = 'centralpay'::regnamespace
                                            AND ltrim(typname, '_') <> 'alembic_version'
"""


def test_upgraded_is_the_same_as_fresh(new_database: NewDatabase, cluster: Cluster) -> None:
    """A database that every test clones, one upgraded by itself, and one upgraded twice have the same schema."""
    assert cluster.data_dir.is_dir()
    with new_database() as cloned, new_database(migrated=False) as own:
        upgrade(own)
        once = described(own)
        upgrade(own)
        assert described(own) == once == described(cloned)
        assert status(own).pending == ()
        assert status(own).current == STEPS[-1]


def test_down_takes_partitions_with_rows(new_database: NewDatabase) -> None:
    """Months of claims that were made since do not stand in the way of going back."""
    with new_database() as url:
        with connection_to(url) as connection:
            connection.execute("SELECT ensure_claim_partition('2026-01-10'), ensure_claim_partition('2026-02-10')")
        downgrade(url, "base")
        with connection_to(url) as connection:
            assert connection.execute(_LEFT).fetchall() == []


def test_matrix_is_the_rules(database_url: str) -> None:
    """Table ``posting_rule`` holds the 162 rows of the posting rules, neither more nor fewer; so does the model."""
    path = Path(migrations.__file__).parent / "sql" / "2026_11_22_0001_foundation" / "posting_rules.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rules = [tuple(row) for row in csv.reader(file)][1:]
    with connection_to(database_url) as connection:
        stored = connection.execute("SELECT event, ledger, owner_kind, account, side FROM posting_rule").fetchall()
    assert len(stored) == len(rules) == 162
    assert set(stored) == set(rules) == {tuple(row) for row in MATRIX}


@pytest.mark.parametrize(
    ("name", "members"), [("account_name", Account), ("event_name", Event), ("ledger_name", Ledger)]
)
def test_enums_are_the_databases(database_url: str, name: str, members: type[Account | Event | Ledger]) -> None:
    """Python and the database know the same accounts, events and ledgers, in the same order."""
    with connection_to(database_url) as connection:
        labels = connection.execute(
            "SELECT enumlabel FROM pg_enum WHERE enumtypid = %s::regtype ORDER BY enumsortorder", [name]
        ).fetchall()
    assert [str(label) for (label,) in labels] == [member.value for member in members]


def test_chart_is_the_models(database_url: str) -> None:
    """The database's chart and the model's agree on ledger, side and open items, and on who may end in debit."""
    with connection_to(database_url) as connection:
        rows = connection.execute("SELECT account, ledger, type, may_be_debit, open_item FROM account").fetchall()
    stored = {row[0]: row[1:] for row in rows}
    kinds = {"asset": "asset", "either": "free", "equity": "own", "income": "own", "expense": "own"}
    assert {name: (account.ledger.value, account.open_item) for name, account in CHART.items()} == {
        name: (ledger, open_item) for name, (ledger, _, _, open_item) in stored.items()
    }
    for name, (_, kind, may_be_debit, _) in stored.items():
        expected = kinds.get(str(kind), "free" if may_be_debit else "liability")
        assert CHART[str(name)].kind.value == expected


def test_open_items_are_the_charts_wherever_they_are_named(database_url: str) -> None:
    """Check, index and guards spell the open items out for the planner; each names those of the chart, and all."""
    with connection_to(database_url) as connection:
        chart = {str(row[0]) for row in connection.execute("SELECT account FROM account WHERE open_item")}
        rows = connection.execute(
            """
            SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'open_item_has_reference'
            UNION ALL SELECT pg_get_expr(indpred, indrelid) FROM pg_index
            WHERE indexrelid = 'line_of_open_item'::regclass
            UNION ALL
            SELECT substring(prosrc FROM 'l.account IN \\(([^)]*)\\)') FROM pg_proc
            WHERE proname = 'open_items_hold'
            UNION ALL SELECT substring(prosrc FROM 'open_items_hold.*?account IN \\(([^)]*)\\)') FROM pg_proc
            WHERE proname = 'line_guard'
            """
        ).fetchall()
    assert len(rows) == 4
    for (words,) in rows:
        assert set(re.findall(r"'(\w+)'", str(words))) == chart, words


def test_house_and_months_are_the_same_on_both_sides(database_url: str) -> None:
    """The house has the id that Python gives it, and a month's reference names the same month."""
    with connection_to(database_url) as connection:
        house = connection.execute("SELECT house_id(), kind FROM owner").fetchall()
        month = connection.execute("SELECT month, month_of_reference(%s) FROM period LIMIT 1", [202601]).fetchone()
        months = connection.execute("SELECT month FROM period").fetchall()
    assert house == [(HOUSE, "house")]
    assert month is not None
    assert month_reference(month[1]) == 202601
    assert len({month_reference(day) for (day,) in months}) == len(months) == 600


def test_advices_are_renumbered_by_payee(new_database: NewDatabase) -> None:
    """Ordinals that counted all sets of a payment count those of each payee afterwards, in the same order."""
    with new_database() as url:
        downgrade(url, STEPS[0])
        with connection_to(url) as connection:
            connection.execute("""
                INSERT INTO received_file (sha256, name, kind, size_bytes, status, received_by)
                VALUES (sha256('x'), 'x.835', '835', 1, 'accepted', 'ann')""")
            connection.execute("""
                INSERT INTO advice (payer_id, trace_number, payee_id, ordinal_in_payment, content_sha256, file_id,
                    set_ordinal, payer_name, method, paid_on, payment_cents, claim_count, claims_cents, plb_cents,
                    byte_start, byte_end)
                SELECT '1360000001', 'T1', payee, ordinal, sha256('y'), file_id,
                    ordinal, 'P', 'ACH', '2026-11-16', 0, 0, 0, 0,
                    0, 0
                FROM received_file, (VALUES ('X', 1), ('Y', 2), ('X', 3), ('Y', 4)) AS v (payee, ordinal)""")
        upgrade(url)
        with connection_to(url) as connection:
            rows = connection.execute(
                "SELECT payee_id, set_ordinal, ordinal_in_payment FROM advice ORDER BY set_ordinal"
            ).fetchall()
    assert rows == [("X", 1, 1), ("Y", 2, 1), ("X", 3, 2), ("Y", 4, 2)]
