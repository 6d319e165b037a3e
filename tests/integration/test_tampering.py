"""Whoever can switch every guard off changes, deletes, inserts or swaps single rows: ``ledger verify`` names them.

The tables and columns are read from the catalogue, so that a new one is tried without anybody thinking of it.
"""

# ruff: noqa: E501 (statements that ask the catalogue)

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, make_url, text

from ledger.proofs import Proof, prove
from ledger.seal.findings import Finding
from ledger.seal.outside import Outside
from ledger.seal.verifying import SealVerdict, verify_seal
from tests.conftest import NewDatabase
from tests.support.command import Shell
from tests.support.office import CHECKER, Office
from tests.support.trade import A, B, C, Part, remittance

DAY = date(2026, 11, 20)
JOURNAL = ("journal_transaction", "entry", "line", "balance")
OWN = (
    *JOURNAL,
    "trail",
    "known_bound",
    "seal_leaf",
    "seal_checkpoint",
    "seal_subtree",
    "seal_pending",
)
AT_REST_EMPTY = {"seal_run"}
"""Tables in which nobody ever sees a row: there is nothing to change, and a row that is there is found."""
CHANGES = {
    "text": "coalesce({0}, '') || 'x'",
    "bigint": "coalesce({0}, 0) + 1",
    "integer": "coalesce({0}, 0) + 1",
    "smallint": "coalesce({0}, 0) + 1",
    "boolean": "NOT coalesce({0}, false)",
    "date": "coalesce({0}, DATE '2026-01-01') + 1",
    "time without time zone": "coalesce({0}, TIME '10:00') + interval '1 minute'",
    "timestamp with time zone": "coalesce({0}, TIMESTAMPTZ '2026-01-01 00:00Z') + interval '1 second'",
    "uuid": "gen_random_uuid()",
    "jsonb": """jsonb_build_object('changed', {0}::text)""",
    "bytea": "sha256(coalesce({0}, ''::bytea) || 'x'::bytea)",
    "xid8": "(coalesce({0}::text::numeric, 0) + 1)::text::xid8",
    "daterange": "daterange(coalesce(lower({0}), '2026-01-01') + 1, NULL)",
    "text[]": "coalesce({0}, '{{}}') || 'x'::text",
    "bigint[]": "coalesce({0}, '{{}}') || 1::bigint",
    "bytea[]": "coalesce({0}, '{{}}') || sha256('x')",
    "character": "'x'",
    "name": "(coalesce({0}, '') || 'x')::name",
}
"""For each type, another value than the one that is there."""


@dataclass(frozen=True)
class Column:
    """A column: its type and whether it is of the primary key."""

    name: str
    type: str
    is_key: bool

    @property
    def far(self) -> str:
        """An expression of a value that no row has, where there is one."""
        if self.type in {"bigint", "integer"}:
            return f'"{self.name}" + 100000'
        if self.type in {"text", "name"}:
            return f"(coalesce(\"{self.name}\", '') || ' far')::{self.type}"
        return f'"{self.name}" + 40000' if self.type == "date" else self.other

    @property
    def other(self) -> str:
        """An expression of another value."""
        if self.type in CHANGES:
            return CHANGES[self.type].format(f'"{self.name}"')
        # An enum: the next of its values, else the first.
        values = f"enum_range(NULL::{self.type})"
        place = f'array_position({values}, "{self.name}")'
        return f"({values})[coalesce({place}, 0) % array_length({values}, 1) + 1]"


@dataclass(frozen=True)
class Ground:
    """A sealed database in which everybody may do everything, and the folder of its published checkpoints.

    Args:
        engine: the superuser's.
        published: the folder.
        tables: every table of the journal, the seal and the trail, with its columns.
        trailed: those of them that have a trail.
    """

    engine: Engine
    published: Path
    tables: dict[str, tuple[Column, ...]]
    trailed: set[str]

    @contextmanager
    def tampering(self) -> Iterator[Connection]:
        """Work with triggers off; all of it is taken back at the end."""
        with self.engine.connect() as connection, connection.begin() as transaction:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            yield connection
            transaction.rollback()

    def look(self, connection: Connection) -> SealVerdict:
        """Verify the seal within the tampering transaction."""
        return verify_seal(connection, Outside(published=self.published))


@pytest.fixture(scope="module")
def ground(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """Give a sealed office: two checkpoints, something that waits, and two rows at least in every table with a trail."""
    folder = tmp_path_factory.mktemp("tampering")
    with new_database() as url:
        office = Office(Shell(folder / "home", url), folder)
        office.found(A, B, C)
        office.put_in("OWN1", 1_000_00, DAY)
        office.fund(remittance("T1", DAY, Part(A, (900_00,)), Part(B, (50_00, 20_00))))
        office.run("ledger", "seal")
        asked = office.ask("ledger", "seal-key", "rotate")
        office.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER)
        office.run("fees", "assess", "--month", "2026-11")
        office.approved(DAY)
        engine = create_engine(
            make_url(url).set(drivername="postgresql+psycopg"),
            connect_args={"options": "-c search_path=centralpay -c timezone=UTC"},
        )
        with engine.begin() as connection:
            _switch_guards_off(connection)
            tables = _tables(connection)
            _fill(connection, tables)
            connection.execute(text("UPDATE period SET state = 'closed' WHERE month = '2000-01-01'"))
            trailed = set(connection.execute(text("SELECT table_name FROM trailed_table")).scalars())
        office.run("ledger", "seal")
        office.run("fees", "assess", "--month", "2026-12")
        with engine.begin() as connection:
            _let_rows_be_copied(connection)
        yield Ground(engine, folder / "home" / "checkpoints", tables, trailed)
        engine.dispose()


_CONSTRAINTS = """SELECT format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I CASCADE', conrelid::regclass, conname)
    FROM pg_constraint WHERE connamespace = 'centralpay'::regnamespace AND contype = ANY (:kinds) AND conrelid <> 0 AND conparentid = 0"""
_INDEXES = """SELECT format('DROP INDEX IF EXISTS %s', i.indexrelid::regclass) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    WHERE c.relnamespace = 'centralpay'::regnamespace AND i.indisunique AND NOT i.indisprimary AND c.relkind = 'r'"""
_IDENTITIES = """SELECT format('ALTER TABLE %s ALTER COLUMN %I DROP IDENTITY', attrelid::regclass, attname) FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'centralpay'::regnamespace AND attidentity <> '' AND c.relkind = 'r'"""
_COLUMNS = """SELECT c.relname, a.attname, format_type(a.atttypid, NULL), coalesce(a.attnum = ANY (k.conkey), false)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
    WHERE c.relnamespace = 'centralpay'::regnamespace AND c.relkind = 'r'
      AND (c.relname = ANY (:journal) OR c.relname LIKE 'seal\\_%' OR c.relname IN ('trail', 'known_bound')
           OR c.relname IN (SELECT table_name FROM trailed_table))
    ORDER BY c.relname, a.attnum"""


def _switch_guards_off(connection: Connection) -> None:
    """Drop what refuses single rows: foreign keys and checks."""
    for statement in connection.execute(text(_CONSTRAINTS), {"kinds": ["c", "f", "x"]}).scalars().all():
        connection.execute(text(statement))


def _let_rows_be_copied(connection: Connection) -> None:
    """Drop uniqueness beside the primary keys, and the numbers that only the database gives."""
    uniques = connection.execute(text(_CONSTRAINTS), {"kinds": ["u"]}).scalars().all()
    for statement in uniques:
        connection.execute(text(statement))
    for query in (_INDEXES, _IDENTITIES):
        for statement in connection.execute(text(query)).scalars().all():
            connection.execute(text(statement))


def _tables(connection: Connection) -> dict[str, tuple[Column, ...]]:
    found: dict[str, list[Column]] = {}
    for table, name, type_, is_key in connection.execute(text(_COLUMNS), {"journal": list(JOURNAL)}):
        found.setdefault(table, []).append(Column(name, type_, bool(is_key)))
    return {table: tuple(columns) for table, columns in found.items()}


def _fill(connection: Connection, tables: dict[str, tuple[Column, ...]]) -> None:
    """Put rows into the tables with a trail that have too few, the trail's own triggers alone being on."""
    for table in connection.execute(text("SELECT table_name FROM trailed_table")).scalars().all():
        connection.execute(text(f'ALTER TABLE "{table}" DISABLE TRIGGER USER'))
        for trigger in ("trail_of_new", "trail_of_change"):
            connection.execute(text(f'ALTER TABLE "{table}" ENABLE TRIGGER {trigger}'))
        there = connection.execute(text(f'SELECT count(*) FROM "{table}"')).scalar_one()  # noqa: S608 (the catalogue's)
        for number in range(there, 2):
            columns = tables[table]
            names = ", ".join(f'"{each.name}"' for each in columns)
            null = ", ".join(f'NULL::{each.type} AS "{each.name}"' for each in columns)
            values = ", ".join(each.other for each in columns)
            if number:
                null = f'* FROM "{table}" LIMIT 1'
            query = f'INSERT INTO "{table}" ({names}) OVERRIDING SYSTEM VALUE SELECT {values} FROM (SELECT {null}) n'  # noqa: S608
            connection.execute(text(query))


_OF_SEALED = "(owner_id, entry_id) IN (SELECT l.owner_id, l.entry_id FROM seal_leaf l WHERE l.kind = 1)"
_SEALED = {
    "entry": _OF_SEALED,
    "line": _OF_SEALED,
    "journal_transaction": f"transaction_id IN (SELECT transaction_id FROM entry WHERE {_OF_SEALED})",  # noqa: S608
    "balance": "debit_cents <> 0",
    "trail": "table_name = 'approval'",
    "seal_leaf": "kind = 1",
}
"""Which rows of a table are tried, where not all of them are sealed or alike."""
_NO_ORDER = ("seal_pending", "swapped")
_PENDING_KEY = "kind || '|' || id"


# What is done to a row ------------------------------------------------------------------------------------------------


def rows_of(connection: Connection, table: str, columns: tuple[Column, ...]) -> list[tuple[str, str]]:
    """Give the places (ctid) and keys of two rows that differ beside their keys where there are such: sealed ones."""
    key = connection.execute(text("SELECT trail_key(CAST(:table AS regclass))"), {"table": table}).scalar_one()
    told = ", ".join(f'"{each.name}"' for each in columns if not each.is_key and each.type != "xid8")
    query = f"""SELECT min(ctid)::text, (array_agg({key or _PENDING_KEY} ORDER BY ctid))[1] FROM "{table}"
        WHERE {_SEALED.get(table, "true")} GROUP BY ROW({told})::text ORDER BY 2"""  # noqa: S608 (the catalogue's)
    found = [(row[0], row[1]) for row in connection.execute(text(query))]
    if len(found) < 2:
        alike = f'SELECT ctid::text, {key or _PENDING_KEY} FROM "{table}" ORDER BY 2'  # noqa: S608 (the catalogue's)
        found = [(row[0], row[1]) for row in connection.execute(text(alike))]
    return found[:2]


def names(found: SealVerdict, table: str, key: str) -> list[Finding]:
    """Give the findings that name the row: as its own, or by the entry or transaction that it belongs to."""
    parts = key.split("|")
    told = {
        "entry": f"entry {parts[-1]} ",
        "line": f"entry {parts[1:2] and parts[1]} ",
        "journal_transaction": f"transaction {key}",
        "seal_pending": f"transaction {parts[-1]}",
        "trail": f"trail row {key}",
    }.get(table)
    return [
        each
        for each in found.findings
        if (each.table, each.key) == (table, key) or (told is not None and told in f"{each} ")
    ]


def far_value(table: str, columns: tuple[Column, ...], column: Column) -> str:
    """Give an expression of a value with which the key of a row is free."""
    if column.type in CHANGES:
        return column.far
    others = [f'o."{each.name}" = t."{each.name}"' for each in columns if each.is_key and each is not column]
    return (
        f"(SELECT v FROM unnest(enum_range(NULL::{column.type})) v WHERE v NOT IN"  # noqa: S608 (the catalogue's)
        f' (SELECT o."{column.name}" FROM "{table}" o WHERE {" AND ".join(others or ["true"])}) LIMIT 1)'
    )


def set_column(connection: Connection, table: str, columns: tuple[Column, ...], column: Column, place: str) -> None:
    """Give one column of one row another value."""
    value = far_value(table, columns, column) if column.is_key else column.other
    query = f'UPDATE "{table}" t SET "{column.name}" = {value} WHERE ctid = CAST(:place AS tid)'  # noqa: S608
    assert connection.execute(text(query), {"place": place}).rowcount == 1


def assert_named(ground: Ground, connection: Connection, table: str, key: str, what: str) -> None:
    """See that the row is named; a balance by proof P10, a leaf, subtree or checkpoint by itself or what hangs on it."""
    if table == "balance":
        assert prove(connection, Proof.P10).failing, f"{table}: {what}"
        return
    found = ground.look(connection)
    assert found.failing >= len(found.findings) > 0, f"{table} {key}: {what} is not found"
    tables = {each.table for each in found.findings}
    hangs_on_it = {
        "seal_leaf": {"seal_leaf", "seal_subtree", "entry"},
        "seal_checkpoint": {"seal_checkpoint", "checkpoints"},
    }.get(table, set())
    assert names(found, table, key) or tables & hangs_on_it, f"{table} {key}: {what}: {found.findings}"


# The tests ------------------------------------------------------------------------------------------------------------


def test_untouched_nothing_is_found(ground: Ground) -> None:
    """The ground itself is whole, though the guards are gone: all leaves are checked, some things wait."""
    with ground.tampering() as connection:
        found = ground.look(connection)
        assert prove(connection, Proof.P10).holds
    assert (found.failing, found.findings) == (0, ())
    assert found.checked == found.size > 900
    assert any("wait for the sealer" in each for each in found.notes)


def _changed_columns() -> list[int]:
    return list(range(40))


@pytest.mark.parametrize("place", _changed_columns())
def test_each_changed_column_of_a_trailed_row_is_named(ground: Ground, place: int) -> None:
    """In every table with a trail one column of one row, the one of this place, gets another value: all are named."""
    changed: dict[str, tuple[str, Column]] = {}
    with ground.tampering() as connection:
        for table, columns in ground.tables.items():
            if table not in ground.trailed or place >= len(columns):
                continue
            at, key = rows_of(connection, table, columns)[0]
            set_column(connection, table, columns, columns[place], at)
            changed[table] = key, columns[place]
        found = ground.look(connection)
    if not changed:
        assert place >= max(len(columns) for table, columns in ground.tables.items() if table in ground.trailed) - 1
    for table, (key, column) in changed.items():
        named = [each for each in found.findings if (each.table, each.key) == (table, key)]
        assert named, f"{table}.{column.name} of {key}: {[each for each in found.findings if each.table == table]}"
        if not column.is_key:
            assert any(f"{column.name}" in each.said and "sealed was" in each.said for each in named), f"{named}"


@pytest.mark.parametrize("table", OWN)
def test_each_changed_column_of_journal_and_seal_is_named(ground: Ground, table: str) -> None:
    """One column of one row after the other gets another value: each is found, and the row is named."""
    for column in ground.tables[table]:
        with ground.tampering() as connection:
            at, key = rows_of(connection, table, ground.tables[table])[0]
            set_column(connection, table, ground.tables[table], column, at)
            assert_named(ground, connection, table, key, f"{column.name} changed")


def test_every_table_of_journal_and_seal_is_tried(ground: Ground) -> None:
    """No table of the seal is left out by this page: what has no trail stands in its list."""
    assert set(ground.tables) == set(OWN) | AT_REST_EMPTY | set(ground.trailed)


def test_a_run_of_the_sealer_that_never_ended_is_found(ground: Ground) -> None:
    """A run is there while it goes on; a row of one that is over was written behind the triggers."""
    with ground.tampering() as connection:
        assert connection.execute(text("SELECT count(*) FROM seal_run")).scalar_one() == 0
        connection.execute(text("INSERT INTO seal_run (xid, first_leaf) VALUES ('77', 5)"))
        (found,) = ground.look(connection).findings
    assert (found.table, found.key) == ("seal_run", "77")


@pytest.mark.parametrize(
    ("table", "deed"),
    # What waits is a list of numbers: two of them have no order that could be swapped.
    [(table, deed) for table in OWN for deed in ("deleted", "copied", "swapped") if (table, deed) != _NO_ORDER],
)
def test_a_row_of_journal_and_seal_that_is_moved_is_named(ground: Ground, table: str, deed: str) -> None:
    """A row deleted, a copy of it inserted under another key, the contents of two rows swapped: each is found."""
    with ground.tampering() as connection:
        first, second = rows_of(connection, table, ground.tables[table])
        copied = DEEDS[deed](connection, table, ground.tables[table], first[0], second[0])
        assert_named(ground, connection, table, copied or first[1], deed)


def test_since_a_checkpoint_values_below_are_not_asked_and_rows_are(ground: Ground) -> None:
    """``--since`` hashes nothing below it: an amount changed there is not found, an entry or a version gone there is."""
    with ground.tampering() as connection:
        last = verify_seal(connection).size
        (_, entry), _ = rows_of(connection, "entry", ground.tables["entry"])
        (_, version), _ = rows_of(connection, "trail", ground.tables["trail"])
        of_entry = {"owner": entry.split("|")[0], "entry": int(entry.split("|")[1])}
        connection.execute(text("UPDATE line SET amount_cents = -amount_cents"))
        assert verify_seal(connection).failing
        assert verify_seal(connection, since=last).failing == 0
        for table in ("line", "entry"):
            where = "owner_id = CAST(:owner AS uuid) AND entry_id = :entry"
            connection.execute(text(f"DELETE FROM {table} WHERE {where}"), of_entry)  # noqa: S608 (our own words)
        connection.execute(text("DELETE FROM trail WHERE trail_id = :version"), {"version": int(version)})
        found = verify_seal(connection, since=last)
    gone = {(each.table, each.key) for each in found.findings if "is gone" in each.said}
    assert {("entry", entry), ("trail", version)} <= gone


def test_the_functions_of_the_schema_are_not_asked(ground: Ground) -> None:
    """Whoever replaced the functions that write the trail hides nothing: a changed row is named without them."""
    with ground.tampering() as connection:
        connection.execute(text("DROP FUNCTION trail_key, trail_content, sealed_fields, sealed_moment, seal_batch"))
        assert ground.look(connection).failing == 0
        connection.execute(text("UPDATE member SET dba_name = dba_name || 'x'"))
        assert {each.table for each in ground.look(connection).findings} == {"member"}


@pytest.mark.parametrize("deed", ["deleted", "copied", "swapped"])
def test_a_trailed_row_that_is_moved_is_named(ground: Ground, deed: str) -> None:
    """In every table with a trail: a row deleted, copied under another key, or swapped with another."""
    wanted: dict[str, set[str]] = {}
    with ground.tampering() as connection:
        for table in ground.trailed:
            columns = ground.tables[table]
            if deed == "swapped" and all(each.is_key for each in columns):
                continue  # a row that is all key has nothing to swap
            (at, key), (other_at, other_key) = rows_of(connection, table, columns)
            copied = DEEDS[deed](connection, table, columns, at, other_at)
            wanted[table] = {copied} if copied else {key, other_key} if deed == "swapped" else {key}
        found = ground.look(connection)
    for table, keys in wanted.items():
        named = {each.key for each in found.findings if each.table == table}
        # The keys follow each other: one that is gone or has changed is missed by those beside it.
        assert keys <= named if table == "seal_key" else keys == named, f"{table}: {deed} {keys}, named {named}"


def _delete(connection: Connection, table: str, columns: tuple[Column, ...], first: str, second: str) -> str:
    del columns, second
    connection.execute(text(f'DELETE FROM "{table}" WHERE ctid = CAST(:at AS tid)'), {"at": first})  # noqa: S608
    return ""


def _copy(connection: Connection, table: str, columns: tuple[Column, ...], first: str, second: str) -> str:
    """Insert a copy under another key and give that."""
    del second
    keys = [each for each in columns if each.is_key] or [columns[-1]]
    changed = [each for each in keys if each.type != "daterange"][-1]
    into = ", ".join(f'"{each.name}"' for each in columns)
    told = ", ".join(far_value(table, columns, each) if each is changed else f'"{each.name}"' for each in columns)
    key = connection.execute(text("SELECT trail_key(CAST(:table AS regclass))"), {"table": table}).scalar_one()
    query = (
        f'INSERT INTO "{table}" ({into}) SELECT {told} FROM "{table}" t WHERE ctid = CAST(:at AS tid)'  # noqa: S608
        f" RETURNING {key or _PENDING_KEY}"
    )
    return str(connection.execute(text(query), {"at": first}).scalar_one())


def _swap(connection: Connection, table: str, columns: tuple[Column, ...], first: str, second: str) -> str:
    """Give each of two rows what the other one says, beside their keys."""
    told = [each for each in columns if not each.is_key]
    into = ", ".join(f'"{each.name}" = o."{each.name}"' for each in told)
    query = (
        f'UPDATE "{table}" t SET {into} FROM "{table}" o WHERE t.ctid IN (CAST(:one AS tid), CAST(:other AS tid))'  # noqa: S608
        " AND o.ctid IN (CAST(:one AS tid), CAST(:other AS tid)) AND o.ctid <> t.ctid"
    )
    assert connection.execute(text(query), {"one": first, "other": second}).rowcount == 2
    return ""


DEEDS = {"deleted": _delete, "copied": _copy, "swapped": _swap}
