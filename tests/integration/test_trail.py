"""The trail: every version of every row that has one, in a form of its own that no setting changes."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, text

from app.cluster import Cluster
from app.database import unit_of_work
from tests.support.books import Books
from tests.support.logins import Login, login

_PAGE = Path(__file__).parents[2] / "docs" / "security.md"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+00")


@pytest.fixture
def superuser(cluster: Cluster, database_url: str) -> Iterator[Login]:
    """Give the superuser's connection, for looking things up."""
    with login(cluster, database_url, "centralpay_admin") as connection:
        yield connection


def _versions(asked: Login, table: str) -> list[tuple[object, object]]:
    statement = f"SELECT row_key, content FROM trail WHERE table_name = '{table}' ORDER BY trail_id"  # noqa: S608 (our own words)
    return [(key, content) for key, content in asked.ask(statement)]


def _documented(heading: str) -> dict[str, tuple[str, str]]:
    """Read a table of the page: its first column, and the two that follow."""
    lines = _PAGE.read_text(encoding="utf-8").partition(heading)[2].splitlines()
    rows = {}
    for line in lines[2:]:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        rows[cells[0].strip("`")] = (cells[1], cells[2] if len(cells) > 2 else "")
    return rows


def test_every_table_is_in_one_list_of_the_documentation(superuser: Login) -> None:
    """docs/security.md says of every table that it has a trail, and what it tells by a digest, or why it has none."""
    trailed = {
        str(name): (", ".join(digested), "")  # type: ignore[arg-type]
        for name, digested in superuser.ask("SELECT table_name, digested FROM trailed_table")
    }
    tables = superuser.names("""
        SELECT relname FROM pg_class WHERE relnamespace = 'centralpay'::regnamespace AND relkind IN ('r', 'p')
          AND NOT relispartition""")
    without = _documented("| table | why not |")
    assert _documented("| table | told by a digest |") == trailed
    assert all(why for why, _ in without.values())
    assert set(without) | set(trailed) == tables
    assert not set(without) & set(trailed)


def test_every_column_is_told(superuser: Login) -> None:
    """The triggers tell all columns that a table has now; one that was added to it later would be missed here."""
    rows = superuser.ask("""
        SELECT t.table_name, trail_key(t.table_name::regclass),
            trail_content(t.table_name::regclass, t.digested),
            (SELECT array_agg(g.tgname || ': ' || encode(g.tgargs, 'escape') ORDER BY g.tgname) FROM pg_trigger g
             WHERE g.tgrelid = t.table_name::regclass AND g.tgenabled = 'O' AND g.tgfoid = 'write_trail'::regproc)
        FROM trailed_table t""")
    assert len(rows) > 50
    for table, key, content, triggers in rows:
        end = r"\000"
        escaped = str(content).replace("\\", "\\\\")
        assert triggers == [
            f"trail_of_change: {key}{end}{escaped}{end}",
            f"trail_of_new: {key}{end}{escaped}{end}",
            f"trail_of_removal: {key}{end}",
        ], table


def test_each_version_of_a_row_is_told_once(owner: Engine, superuser: Login) -> None:
    """Made, changed, changed to the same, taken away: three versions, the last one empty; nothing for no change."""
    with unit_of_work(owner) as connection:
        for statement in (
            "INSERT INTO app_user (user_name, role, added_by) VALUES ('ann', 'operator', 'x'), ('bob', 'auditor', 'x')",
            "UPDATE app_user SET role = 'approver' WHERE user_name = 'ann'",
            "UPDATE app_user SET role = role",
            "DELETE FROM app_user WHERE user_name = 'ann'",
        ):
            connection.execute(text(statement))
    versions = _versions(superuser, "app_user")
    assert sorted(str(key) for key, _ in versions) == ["ann", "ann", "ann", "bob"]
    roles = [content.get("role") for key, content in versions if key == "ann" and isinstance(content, dict)]
    assert roles == ["operator", "approver", None]
    assert versions[-1] == ("ann", {})
    with pytest.raises(psycopg.DatabaseError, match="TRUNCATE of app_user is refused"):
        superuser.connection.execute("TRUNCATE app_user CASCADE")


def test_an_upsert_tells_what_it_did(books: Books, superuser: Login) -> None:
    """INSERT … ON CONFLICT DO UPDATE fires both triggers: what is new and what is changed is told, each once."""
    before = len(_versions(superuser, "payer"))
    with unit_of_work(books.engine) as connection:
        connection.execute(
            text("""
            INSERT INTO payer (payer_id, name)
            SELECT payer_id, name || ' Inc.' FROM payer UNION ALL VALUES ('1999999999', 'New')
            ON CONFLICT (payer_id) DO UPDATE SET name = EXCLUDED.name""")
        )
    told = [content["name"] for _, content in _versions(superuser, "payer")[before:] if isinstance(content, dict)]
    stored = superuser.names("SELECT name FROM payer")
    assert set(told) == stored
    assert len(told) == len(stored)


def test_what_is_told_by_a_digest_stays_so(owner: Engine, superuser: Login) -> None:
    """A later step that takes a table up anew, after adding a column, need not name again what must not be clear."""
    before = _versions(superuser, "member")
    with unit_of_work(owner) as connection:
        connection.execute(text("SELECT add_trail('member')"))
    assert superuser.ask("SELECT digested FROM trailed_table WHERE table_name = 'member'") == [(["tin", "tin_salt"],)]
    assert _versions(superuser, "member") == before


def test_how_a_file_was_found_is_told(books: Books, superuser: Login) -> None:
    """A received file is told as it is begun and as it ended, its findings by a digest: no word of them is there.

    Once neither was told, and a file that was quarantined could be said to be accepted.
    """
    digest = "sha256 of findings"
    with unit_of_work(books.engine) as connection:
        connection.execute(text("UPDATE received_file SET status = 'quarantined', findings = '[\"a word\"]'"))
    versions = [content for _, content in _versions(superuser, "received_file") if isinstance(content, dict)]
    assert [each["status"] for each in versions] == ["reading", "accepted", "quarantined"]
    assert len({each[digest] for each in versions}) == 2
    assert "a word" not in str(versions)


def test_a_tax_number_can_not_be_guessed_from_its_digest(books: Books, superuser: Login) -> None:
    """Its digest is of the number and of a random one beside it: known to the database, and told in no trail.

    Once it was left out of the trail, and could be changed unseen; of nine digits a bare digest is soon guessed.
    """
    del books
    rows = superuser.ask("SELECT member_id::text, tin, tin_salt::text FROM member")
    told = {str(key): content for key, content in _versions(superuser, "member") if isinstance(content, dict)}
    assert len({salt for _, _, salt in rows}) == len(rows) > 1
    for key, tin, salt in rows:
        content = told[str(key)]
        assert not {"tin", "tin_salt"} & set(content)
        both = hashlib.sha256(f'["{tin}", "{salt}"]'.encode()).hexdigest()
        assert content["sha256 of tin, tin_salt"] == both
        assert str(salt) not in str(content)
        assert hashlib.sha256(f'["{tin}"]'.encode()).hexdigest() not in str(content)


def test_a_validity_that_ends_keeps_its_name(books: Books, superuser: Login) -> None:
    """Of a key with a time of validity only the first day counts: an account that ends is the same row."""
    with unit_of_work(books.engine) as connection:
        connection.execute(text("UPDATE contract SET in_force = daterange(lower(in_force), '2026-12-01')"))
    versions = _versions(superuser, "contract")
    members = len(superuser.ask("SELECT FROM contract"))
    assert len(versions) == 2 * members
    assert len({key for key, _ in versions}) == members
    ended = [content["in_force"] for _, content in versions[members:] if isinstance(content, dict)]
    assert ended == ["[2024-01-01,2026-12-01)"] * members


@pytest.mark.usefixtures("books")
def test_no_setting_changes_how_a_row_is_told(superuser: Login) -> None:
    """Whatever the connection's formats of days, bytes and zones, the same row is told in the same words."""
    told = "SELECT row_key, content FROM trail_now('{}') ORDER BY row_key"
    tables = (
        "bank_account",
        "contract",
        "app_user",
        "activity",
        "cut_off",
        "same_day_window",
        "received_file",
        "approval",
    )
    plain = {table: superuser.ask(told.format(table)) for table in tables}
    for setting in (
        "TimeZone TO 'America/New_York'", "DateStyle TO 'German'", "IntervalStyle TO 'iso_8601'",
        "bytea_output TO 'escape'", "extra_float_digits TO -5",
    ):  # fmt: skip
        superuser.connection.execute(f"SET {setting}".encode())
    assert {table: superuser.ask(told.format(table)) for table in tables} == plain
    superuser.connection.execute("INSERT INTO app_user VALUES ('zoe', 'auditor', 'x', '2026-07-01 12:00:00.5-04')")
    ((_, content),) = [each for each in _versions(superuser, "app_user") if each[0] == "zoe"]
    assert content == {"user_name": "zoe", "role": "auditor", "added_by": "x", "added_at": "2026-07-01 16:00:00.5+00"}
    assert all(_MOMENT.fullmatch(str(row["added_at"])) for _, row in plain["app_user"] if isinstance(row, dict))


@pytest.mark.usefixtures("books")
def test_bytes_and_persons_are_told_by_digests(superuser: Login) -> None:
    """Sealed numbers go as their SHA-256, digests as they are, a contact as one digest; a tax number not at all."""
    ((key, content),) = superuser.ask("SELECT row_key, content FROM trail WHERE table_name = 'bank_account' LIMIT 1")
    of_key = f"FROM bank_account WHERE member_id || '|' || lower(in_use) = '{key}'"
    ((sealed,),) = superuser.ask(f"SELECT sealed_number {of_key}")
    assert isinstance(content, dict)
    assert isinstance(sealed, bytes)
    assert content["sealed_number"] == f"sha256:{hashlib.sha256(sealed).hexdigest()}"
    ((digest, content),) = superuser.ask("""
        SELECT encode(f.sha256, 'hex'), t.content FROM trail t JOIN received_file f ON f.file_id::text = t.row_key
        WHERE t.table_name = 'received_file' LIMIT 1""")
    assert isinstance(content, dict)
    assert content["sha256"] == digest
    assert all("tin" not in content for _, content in _versions(superuser, "member") if isinstance(content, dict))
    superuser.connection.execute("""
        INSERT INTO member_contact (member_id, in_use, name, telephone, email, postal_address, recorded_by, recorded_on)
        SELECT member_id, '[2026-01-01,)',
            'Ada', '3125550100', 'ada@example.com', '', 'x', '2026-01-01' FROM member LIMIT 1""")
    ((_, content),) = _versions(superuser, "member_contact")
    assert isinstance(content, dict)
    said = hashlib.sha256(b'["Ada", "3125550100", "ada@example.com", ""]').hexdigest()
    assert content["sha256 of name, telephone, email, postal_address"] == said
    assert not {"name", "telephone", "email", "postal_address"} & set(content)


def test_the_trail_says_what_the_tables_say(books: Books, superuser: Login) -> None:
    """The last version of every row is the row as it is now, in every table that has a trail; no row lacks one."""
    with unit_of_work(books.engine) as connection:
        connection.execute(text("UPDATE member SET dba_name = upper(dba_name)"))
    for table in superuser.names("SELECT table_name FROM trailed_table"):
        differing = superuser.ask(f"""
            SELECT coalesce(n.row_key, t.row_key) FROM trail_now('{table}') n FULL JOIN (
                SELECT DISTINCT ON (row_key) row_key, content FROM trail WHERE table_name = '{table}'
                ORDER BY row_key, trail_id DESC) t USING (row_key)
            WHERE coalesce(n.content, '{{}}') IS DISTINCT FROM t.content""")  # noqa: S608 (our own words)
        assert differing == [], table


def test_a_table_put_under_the_trail_tells_the_rows_that_it_has(owner: Engine, superuser: Login) -> None:
    """Rows from before are told at once; asked again after a column came, they are told anew, and only then."""
    with unit_of_work(owner) as connection:
        connection.execute(text("CREATE TABLE later (a int, b text, PRIMARY KEY (b, a))"))
        connection.execute(text("INSERT INTO later VALUES (1, 'x'), (2, 'y')"))
        connection.execute(text("SELECT add_trail('later')"))
        connection.execute(text("SELECT add_trail('later')"))
    assert _versions(superuser, "later") == [("x|1", {"a": "1", "b": "x"}), ("y|2", {"a": "2", "b": "y"})]
    with unit_of_work(owner) as connection:
        connection.execute(text("ALTER TABLE later ADD COLUMN c bytea"))
        connection.execute(text("SELECT add_trail('later')"))
        connection.execute(text("INSERT INTO later VALUES (3, 'z', '\\x00')"))
    third = {"a": "3", "b": "z", "c": "sha256:" + hashlib.sha256(b"\0").hexdigest()}
    again = [("x|1", {"a": "1", "b": "x", "c": None}), ("y|2", {"a": "2", "b": "y", "c": None})]
    assert _versions(superuser, "later")[2:] == [*again, ("z|3", third)]


def test_a_trail_needs_names_for_rows_and_columns_that_there_are(owner: Engine) -> None:
    """A table without a primary key, and a column that is not there, are refused by name."""
    with pytest.raises(Exception, match="table seal_pending has no primary key"), unit_of_work(owner) as connection:
        connection.execute(text("SELECT add_trail('seal_pending')"))
    with pytest.raises(Exception, match="table payer has no column nmae"), unit_of_work(owner) as connection:
        connection.execute(text("SELECT add_trail('payer', '{nmae}')"))


def test_nobody_writes_the_trail_by_hand(cluster: Cluster, database_url: str, superuser: Login) -> None:
    """The application can neither write nor change a version; its owner can not change one either."""
    for role in ("centralpay_app", "centralpay_auditor"):
        with login(cluster, database_url, role) as asked:
            assert asked.is_denied("INSERT INTO trail (table_name, row_key, content) VALUES ('payer', 'x', '{}')")
            assert asked.is_denied("UPDATE trail SET content = '{}'")
            assert asked.is_denied("SELECT add_trail('payer', '{name}')")
            assert asked.is_denied("UPDATE trailed_table SET digested = '{name}'")
    for change in ("UPDATE trail SET content = '{}'", "DELETE FROM trail", "TRUNCATE trail"):
        with pytest.raises(psycopg.DatabaseError, match="of trail is refused"):
            superuser.connection.execute(change.encode())
