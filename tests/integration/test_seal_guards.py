"""What the database refuses of the seal, whoever writes; each rule broken on purpose by raw SQL."""

from base64 import b64encode
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from app.database import reading, unit_of_work
from ledger.errors import JournalAppendOnlyError, SealRefusedError
from ledger.seal import checkpoints
from ledger.seal.errors import SealBrokenError
from ledger.seal.evidence import leaf_of_row, trail_facts
from ledger.seal.note import CheckpointNote
from ledger.seal.published import file_name
from ledger.seal.sealer import Sealer
from ledger.seal.verifying import verify_seal
from tests.integration.ledger_story import Books
from tests.support.sealing import NOON, sealed, sealer_of

TABLES = ("seal_pending", "trail", "seal_leaf", "seal_subtree", "seal_checkpoint", "seal_run", "seal_key")


@pytest.fixture
def books(app: Engine, owner: Engine) -> Books:
    """Give a ledger with its story's float and an advice."""
    books = Books(app, owner)
    books.pay("1", {"A": 500_00, "B": 300_00})
    return books


@pytest.fixture
def sealer(app: Engine, tmp_path: Path) -> Sealer:
    """Give a sealer."""
    return sealer_of(app, tmp_path)


def do(engine: Engine, *statements: str) -> None:
    """Do statements in one transaction."""
    with unit_of_work(engine) as connection:
        for statement in statements:
            connection.execute(text(statement))


def _leaf(index: str, journal_no: str, entry: str = "entry_id") -> str:
    return f"""
        INSERT INTO seal_leaf (leaf_index, kind, journal_no, owner_id, entry_id, leaf)
        SELECT {index}, 1, {journal_no}, owner_id, {entry}, sha256('x') FROM seal_leaf WHERE journal_no = 1"""  # noqa: S608


_ADD = text("SELECT seal_checkpoint_add(:size, :root, '{}', :note, :at, 'eve')")
_UNSIGNED = b64encode(bytes(68)).decode()
_NEXT = "(SELECT max(leaf_index) + 1 FROM seal_leaf)"
_NEXT_NO = "(SELECT max(journal_no) + 1 FROM seal_leaf)"


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        (_leaf(f"{_NEXT} + 1", _NEXT_NO, "-1"), "leaves_are_gapless"),
        (_leaf(_NEXT, f"{_NEXT_NO} + 1", "-1"), "journal_is_gapless"),
        (_leaf(_NEXT, _NEXT_NO), "leaf_of_entry"),
        (_leaf("0", _NEXT_NO, "-1"), "seal_leaf_pkey"),
        (_leaf(_NEXT, "1", "-1"), "leaf_of_journal_number"),
        (_leaf(_NEXT, _NEXT_NO, "-1"), "leaves_have_a_checkpoint"),
        (
            """INSERT INTO seal_leaf (leaf_index, kind, trail_id, leaf)
               SELECT (SELECT max(leaf_index) + 1 FROM seal_leaf), 2, trail_id, leaf FROM seal_leaf WHERE kind = 2
               LIMIT 1""",
            "leaf_of_trail",
        ),
        (
            """INSERT INTO seal_leaf (leaf_index, kind, trail_id, journal_no, leaf)
               SELECT (SELECT max(leaf_index) + 1 FROM seal_leaf), 2, -1, 99, sha256('x')""",
            "leaf_is_of_an_entry_or_of_the_trail",
        ),
        (
            """INSERT INTO seal_leaf (leaf_index, kind, journal_no, owner_id, entry_id, leaf)
               SELECT l.size + n, 1, l.no + 2 - n, house_id(), -n, sha256('x')
               FROM (SELECT max(leaf_index) + 1 AS size, max(journal_no) AS no FROM seal_leaf) l,
                    generate_series(0, 1) n""",
            "journal_is_gapless",
        ),
    ],
    ids=[
        "leaf_gap", "journal_gap", "entry_twice", "index_twice", "journal_no_twice", "no_checkpoint", "trail_twice",
        "neither", "order",
    ],
)  # fmt: skip
def test_leaves_that_break_the_tree_are_refused(
    books: Books, owner: Engine, sealer: Sealer, statement: str, rule: str
) -> None:
    """Not even the owner leaves a gap, gives a number or an entry twice, or leaves leaves without their checkpoint."""
    del books
    sealed(sealer)
    with pytest.raises(Exception, match=rule):
        do(owner, statement)


def test_nobody_writes_the_seal_but_its_functions(books: Books, app: Engine, auditor: Engine, sealer: Sealer) -> None:
    """The application and the auditor have no INSERT, UPDATE or DELETE on any table of the seal."""
    del books
    sealed(sealer)
    for engine in (app, auditor):
        for table in TABLES:
            for statement in (
                f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM {table}",  # noqa: S608
                f"DELETE FROM {table}",  # noqa: S608
                f"TRUNCATE {table}",
            ):
                with pytest.raises(Exception, match=r"permission denied|read-only"):
                    do(engine, statement)


@pytest.mark.parametrize("table", [table for table in TABLES if table != "seal_pending"])
def test_what_is_sealed_stays(books: Books, owner: Engine, sealer: Sealer, table: str) -> None:
    """The owner of the tables can not change or take away a row of them either."""
    del books
    sealed(sealer)
    column = {"seal_key": "name", "trail": "row_key", "seal_checkpoint": "note"}.get(table)
    with pytest.raises(JournalAppendOnlyError):
        do(owner, f"DELETE FROM {table}")  # noqa: S608
    with pytest.raises(JournalAppendOnlyError):
        do(owner, f"TRUNCATE {table} CASCADE")
    if column is not None:
        with pytest.raises((JournalAppendOnlyError, SealRefusedError)):
            do(owner, f"UPDATE {table} SET {column} = {column} || 'x'")  # noqa: S608


def test_what_waits_leaves_by_being_sealed(books: Books, owner: Engine) -> None:
    """Nothing is taken out of what waits but by the transaction that seals it."""
    del books
    for statement in ("DELETE FROM seal_pending", "UPDATE seal_pending SET id = id + 1", "TRUNCATE seal_pending"):
        with pytest.raises(SealRefusedError, match="what waits leaves by being sealed"):
            do(owner, statement)


def test_half_a_seal_does_not_commit(books: Books, app: Engine, sealer: Sealer) -> None:
    """The application can not commit leaves without their checkpoint; all of it waits as before."""
    del books
    sealed(sealer)
    with unit_of_work(app) as connection:
        connection.execute(text("INSERT INTO activity (actor, action, subject, detail) VALUES ('a', 'b', 'c', '{}')"))
    with pytest.raises(SealRefusedError, match="leaves are sealed with their checkpoint or not at all"):
        do(app, "SELECT seal_batch(100)")
    with reading(app) as connection:
        assert checkpoints.waiting(connection) > 0


def test_checkpoints_that_break_the_chain_are_refused(books: Books, app: Engine, owner: Engine, sealer: Sealer) -> None:
    """A checkpoint of another size, a second one after the same one, or a note that says otherwise is refused."""
    del books
    first = sealed(sealer)
    note = CheckpointNote("test/seal", first.size + 1, bytes(32), NOON, "eve").text() + "\n— test/seal AAAA\n"
    good = {"size": first.size + 1, "root": bytes(32), "note": note, "at": NOON}
    with pytest.raises(SealRefusedError, match="checkpoint_covers_all_leaves"), unit_of_work(app) as connection:
        connection.execute(_ADD, good)
    again = """
        INSERT INTO seal_checkpoint
        SELECT size, journal_size, root, NULL, consistency, note, sealed_at, sealed_by FROM seal_checkpoint"""
    with pytest.raises(SealRefusedError, match="checkpoint_continues_the_last"):
        do(owner, again)
    more = "INSERT INTO activity (actor, action, subject, detail) VALUES ('a', 'b', 'c', '{}')"
    for changed, rule in (
        ({"root": b"\1" * 32}, "note_says_the_checkpoint"),
        ({"name": "evil/seal"}, "note_says_the_checkpoint"),
        ({"at": NOON.replace(minute=1)}, "note_says_the_checkpoint"),
        ({"at": NOON.replace(microsecond=1)}, "note_says_the_checkpoint"),
        ({"at": NOON.replace(year=2020)}, "checkpoint_continues_the_last"),
    ):
        do(app, more)
        with pytest.raises(SealRefusedError, match=rule):
            _seal_by_hand(app, **changed)


def test_whoever_has_the_application_s_login_can_end_the_seal_and_not_forge_it(
    books: Books, app: Engine, sealer: Sealer, tmp_path: Path
) -> None:
    """A checkpoint with a signature that is none, and a root of nothing: not signed on, not published, and named."""
    sealed(sealer)
    books.pay("2", {"A": 10_00})
    forged = _seal_by_hand(app)
    books.pay("3", {"A": 10_00})
    with pytest.raises(SealBrokenError):
        sealer.seal("sam", NOON)
    with pytest.raises(SealBrokenError, match="signed by none of the keys"):
        sealer.publish()
    assert not (tmp_path / "checkpoints" / file_name(forged)).exists()
    with reading(app) as connection:
        said = [str(each) for each in verify_seal(connection).findings]
    assert any(f"seal_checkpoint {forged}: its root is" in each for each in said)
    assert any(f"seal_checkpoint {forged}: its note is signed by none of the keys" in each for each in said)


def test_a_transaction_seals_once(books: Books, app: Engine) -> None:
    """A second batch in a run could take lower numbers; what is known at the checkpoint is told by their bounds."""
    del books
    with pytest.raises(SealRefusedError, match="seals once"):
        do(app, "SELECT seal_batch(1)", "SELECT seal_batch(1)")


def test_subtrees_are_of_the_leaves_that_are_sealed_with_them(books: Books, app: Engine, sealer: Sealer) -> None:
    """A subtree beforehand would stop the next sealer: refused, but of leaves that its own transaction makes."""
    sealed(sealer)
    add = "SELECT seal_subtrees_add(8::smallint, 1000, ARRAY[sha256('x')])"
    with pytest.raises(SealRefusedError, match="not one that this transaction filled"):
        do(app, add)
    books.pay("2", {"A": 10_00})
    with pytest.raises(SealRefusedError, match="not one that this transaction filled"):
        do(app, "SELECT seal_batch(100000)", add)


def _seal_by_hand(
    app: Engine, *, root: bytes = bytes(32), name: str = "test/seal", at: datetime = NOON, hand: str = "eve"
) -> int:
    """Seal what waits as the application could, with a note of the root zero in the name of the key."""
    with unit_of_work(app) as connection:
        size = connection.execute(text("SELECT first_leaf + leaves FROM seal_batch(100000)")).scalar_one()
        note = CheckpointNote(name, size, bytes(32), NOON, hand).text() + f"\n— {name} {_UNSIGNED}\n"
        connection.execute(_ADD, {"size": size, "root": root, "note": note, "at": at})
    return int(size)


def test_keys_begin_and_end_by_the_rules(books: Books, app: Engine, owner: Engine, sealer: Sealer) -> None:
    """A second key needs its approval; a key ends once, at the last checkpoint; nothing else of it changes."""
    del books
    sealed(sealer)
    with pytest.raises(Exception, match=r"one_key_signs|key_is_approved"):
        do(app, "SELECT seal_key_add('eve', 'eve+00000000+AAAA', NULL, 'eve')")
    with pytest.raises(SealRefusedError, match="key_is_approved"):
        do(app, "SELECT seal_key_add('eve', 'eve+00000000+AAAA', 99, 'eve')")
    for change in ("until_size = 1", "since_size = 1", "name = 'test/seal', recorded_by = 'eve'"):
        with pytest.raises(SealRefusedError, match="key_ends_once"):
            do(owner, f"UPDATE seal_key SET {change}")  # noqa: S608


def test_a_run_leaves_no_number_of_its_transaction(books: Books, app: Engine, sealer: Sealer) -> None:
    """What a run hangs on goes with its commit: books that are moved to another server bring no numbers of this one.

    Once every run stayed with the number of its transaction. A server that takes the books from a dump begins with
    lower numbers: `verify` told each later run as out of turn, and one that drew a number of before had no run.
    """
    sealed(sealer)
    books.pay("2", {"A": 10_00})
    sealed(sealer, 1)
    with reading(app) as connection:
        assert connection.execute(text("SELECT count(*) FROM seal_run")).scalar_one() == 0
        assert "seal_run" not in {each.table for each in verify_seal(connection).findings}


def test_the_first_key_is_sealed_with_the_first_checkpoint(books: Books, app: Engine, sealer: Sealer) -> None:
    """Who recorded the first key, and when, is a row of the trail that the checkpoint covers which it signs."""
    del books
    made = sealed(sealer)
    with reading(app) as connection:
        (key,) = checkpoints.keys(connection)
        row = trail_facts(connection, leaf_of_row(connection, "seal_key", key.vkey, made))
    assert (row.content["recorded_by"], row.content["since_size"], row.content["until_size"]) == ("sam", "0", None)


def test_who_sealed_stands_in_what_is_signed(books: Books, app: Engine, sealer: Sealer) -> None:
    """The note names the user on a line of its own; a row that names another, or a name of two lines, is refused."""
    del books
    made = sealed(sealer)
    assert "\nby sam\n\n" in made.note
    do(app, "INSERT INTO activity (actor, action, subject, detail) VALUES ('a', 'b', 'c', '{}')")
    with pytest.raises(SealRefusedError, match="note_says_the_checkpoint"):
        _seal_by_hand(app, hand="mary")
    with pytest.raises(Exception, match="seal_checkpoint_sealed_by_check"):
        sealer.seal("sam\nwitness", NOON)


def test_members_see_nothing_of_the_seal(books: Books, owner: Engine) -> None:
    """The role of members has no right on any table of the seal."""
    del books
    with unit_of_work(owner) as connection:
        for table in TABLES:
            asked = text(f"SELECT has_table_privilege('centralpay_member', '{table}', 'SELECT')")
            assert connection.execute(asked).scalar_one() is False
