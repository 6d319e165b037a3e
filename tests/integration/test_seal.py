"""The seal over a small story: what its leaves are the hash of, how it grows, and what it can prove."""

import base64
import json
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from app.database import reading, unit_of_work
from ledger.seal import checkpoints, proving, tree
from ledger.seal.canonical import entry_data, trail_data
from ledger.seal.errors import InstantToComeError, SealBrokenError, UnknownCheckpointError, UnknownLeafError
from ledger.seal.evidence import (
    entry_facts,
    evidence,
    leaf_of_entry,
    leaf_of_journal,
    leaf_of_row,
    trail_facts,
)
from ledger.seal.note import VerifierKey, parse_checkpoint, parse_note
from ledger.seal.sealer import Sealer
from tests.integration.ledger_story import Books
from tests.support.sealing import NOON, sealed, sealer_of

_TRAIL = text("INSERT INTO trail (table_name, row_key, content) VALUES ('nobody', '1|ü', CAST(:content AS jsonb))")


@pytest.fixture
def books(app: Engine, owner: Engine) -> Books:
    """Give a ledger with its story's float."""
    return Books(app, owner)


@pytest.fixture
def sealer(app: Engine, tmp_path: Path) -> Sealer:
    """Give a sealer whose key and folder are made when it first seals."""
    return sealer_of(app, tmp_path)


def read(engine: Engine, statement: str) -> list[tuple[object, ...]]:
    """Ask for rows."""
    with reading(engine) as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


# What is sealed ------------------------------------------------------------------------------------------------------


def test_every_leaf_is_the_hash_of_its_facts(books: Books, app: Engine, sealer: Sealer) -> None:
    """The database's leaves are those that Python makes of the same facts: entries, reversals and trail rows."""
    posted = books.pay("1", {"A": 500_00, "B": -30_00, "C": 700_00})
    books.reverse(posted.transaction_id, "undone", date(2026, 1, 11))
    made = sealed(sealer)
    with reading(app) as connection:
        rows = connection.execute(text("SELECT leaf_index, kind, leaf FROM seal_leaf ORDER BY leaf_index")).all()
        for row in rows:
            if row.kind == 1:
                data = entry_data(entry_facts(connection, row.leaf_index))
            else:
                data = trail_data(trail_facts(connection, row.leaf_index))
            assert tree.leaf_hash(data) == bytes(row.leaf), row.leaf_index
        kinds = {row.kind for row in rows}
    assert kinds == {1, 2}
    assert len(rows) == made.size
    assert tree.root([bytes(row.leaf) for row in rows]) == made.root_bytes


def test_awkward_text_is_sealed_as_it_is(app: Engine, owner: Engine, sealer: Sealer) -> None:
    """Nothing, empty text, newlines, quotes, other scripts and names in any order hash alike on both sides."""
    content = {"b": None, "a": "", "Z": 'x"\\\n|', "ä": "日本 🏦", "z": "null"}
    with unit_of_work(owner) as connection:
        connection.execute(_TRAIL, {"content": json.dumps(content)})
    made = sealed(sealer)
    with reading(app) as connection:
        found = evidence(connection, leaf_of_row(connection, "nobody", "1|ü", made), made)
    assert found.trail is not None
    assert found.trail["content"] == content
    assert list(found.trail["content"]) == ["Z", "a", "b", "z", "ä"]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.text(min_size=1, max_size=9), st.none() | st.text(max_size=20), max_size=5))
def test_any_content_is_sealed_as_it_is(
    app: Engine, owner: Engine, sealer: Sealer, content: dict[str, str | None]
) -> None:
    """Whatever text a row of the trail holds, both sides make the same leaf of it."""
    plain = {
        name.replace("\0", ""): value and value.replace("\0", "")
        for name, value in content.items()
        if name.isprintable() and (value is None or value.isprintable())
    }
    with unit_of_work(owner) as connection:
        connection.execute(_TRAIL, {"content": json.dumps(plain)})
    made = sealed(sealer)
    with reading(app) as connection:
        found = evidence(connection, leaf_of_row(connection, "nobody", "1|ü", made), made)
    assert found.trail is not None
    assert found.trail["content"] == plain


def test_the_journal_is_numbered_without_gaps(books: Books, app: Engine, sealer: Sealer) -> None:
    """Entries get numbers from 1 in the order of their transactions; trail rows get none; nothing waits afterwards."""
    books.pay("1", {"A": 500_00, "B": 300_00})
    first = sealed(sealer)
    books.pay("2", {"C": 100_00})
    second = sealed(sealer, 1)
    rows = read(app, "SELECT journal_no FROM seal_leaf WHERE kind = 1 ORDER BY leaf_index")
    assert [number for (number,) in rows] == list(range(1, second.journal_size + 1))
    assert read(app, "SELECT count(*) FROM entry") == [(second.journal_size,)]
    assert second.previous_size == first.size
    assert 0 < first.journal_size < second.journal_size
    assert read(app, "SELECT count(*) FROM trail") == [(second.size - second.journal_size,)]
    with reading(app) as connection:
        assert checkpoints.waiting(connection) == 0
    assert sealer.seal("sam", NOON) is None


def test_small_runs_make_the_same_tree(books: Books, app: Engine, tmp_path: Path) -> None:
    """Sealed a hundred things at a time, everything is sealed once, whole transactions at a time, each run signed."""
    books.pay("1", {"A": 500_00, "B": 300_00, "C": 100_00})
    told = list[tuple[int, int]]()
    small = sealer_of(app, tmp_path, most=100)
    made = small.seal("sam", NOON, lambda done, total: told.append((done, total)))
    assert made is not None
    with reading(app) as connection:
        assert checkpoints.waiting(connection) == 0
        chain = checkpoints.after(connection, 0)
        leaves = [bytes(row.leaf) for row in connection.execute(text("SELECT leaf FROM seal_leaf ORDER BY leaf_index"))]
        cut = connection.execute(_CUT).all()
    assert cut == []
    assert len(chain) == len(told) > 3
    assert told[-1][0] == told[-1][1]
    assert [each.root for each in chain] == [tree.root(leaves[: each.size]).hex() for each in chain]


_CUT = text("""
    SELECT transaction_id FROM seal_leaf JOIN entry USING (owner_id, entry_id)
    CROSS JOIN LATERAL (SELECT min(size) AS size FROM seal_checkpoint WHERE size > leaf_index) c
    GROUP BY transaction_id HAVING count(DISTINCT c.size) > 1""")
"""Transactions whose entries two checkpoints share."""


# What it proves ------------------------------------------------------------------------------------------------------


def test_each_checkpoint_continues_the_one_before(books: Books, app: Engine, sealer: Sealer) -> None:
    """The consistency proofs that are kept hold from checkpoint to checkpoint, and each note is signed by the key."""
    for number in range(4):
        books.pay(str(number), {"A": 100_00 + number})
        sealed(sealer, number)
    with reading(app) as connection:
        chain = checkpoints.after(connection, 0)
        (key,) = checkpoints.keys(connection)
        kept = connection.execute(text("SELECT consistency FROM seal_checkpoint ORDER BY size")).scalars().all()
        stored = proving.StoredTree(connection)
        for old in chain:
            for new in chain[chain.index(old) :]:
                proof = stored.consistency(old.size, new.size)
                assert tree.verify_consistency(old.size, old.root_bytes, new.size, new.root_bytes, proof)
    for (old, new), proof in zip(pairwise(chain), kept[1:], strict=True):
        hashes = [bytes(each) for each in proof]
        assert tree.verify_consistency(old.size, old.root_bytes, new.size, new.root_bytes, hashes)
    for each in chain:
        note = parse_note(each.note)
        said = parse_checkpoint(note.text)
        assert VerifierKey.parse(key.vkey).verifies(note)
        assert (said.origin, said.size, said.root, said.sealed_at) == (
            "test/seal", each.size, each.root_bytes, each.sealed_at,
        )  # fmt: skip


def test_stored_subtrees_give_every_proof(books: Books, app: Engine, owner: Engine, sealer: Sealer) -> None:
    """Over more than 2^8 leaves, sealed in uneven steps, stored subtrees give the roots and proofs of all leaves."""
    books.pay("1", {"A": 500_00})
    sizes = []
    for step, rows in enumerate((1, 700, 2, 255, 256)):
        with unit_of_work(owner) as connection:
            connection.execute(_MANY, {"rows": rows})
        sizes.append(sealed(sealer, step).size)
    size = sizes[-1]
    with reading(app) as connection:
        leaves = [bytes(row.leaf) for row in connection.execute(text("SELECT leaf FROM seal_leaf ORDER BY leaf_index"))]
        stored = proving.StoredTree(connection)
        heights = connection.execute(text("SELECT height, count(*) FROM seal_subtree GROUP BY 1")).all()
        assert [tuple(each) for each in heights] == [(8, size >> 8)]
        assert [stored.root(each) for each in sizes] == [tree.root(leaves[:each]) for each in sizes]
        for index in (0, 1, 255, 256, 511, 512, size - 2, size - 1):
            proof = stored.inclusion(index, size)
            assert proof == tree.inclusion_proof(leaves, index) == proving.inclusion(connection, index, size)
        for old in (1, 255, 256, 257, *sizes):
            assert stored.consistency(old, size) == tree.consistency_proof(leaves, old)
            assert proving.consistency(connection, old, size) == tree.consistency_proof(leaves, old)


_MANY = text("""
    INSERT INTO trail (table_name, row_key, content)
    SELECT 'nobody', n::text, jsonb_build_object('n', n::text) FROM generate_series(1, :rows) n""")


def test_evidence_stands_by_itself(books: Books, app: Engine, sealer: Sealer) -> None:
    """A proof of an entry, in an older checkpoint too, is checked with nothing but itself and the public key."""
    books.pay("1", {"A": 500_00})
    first = sealed(sealer)
    books.pay("2", {"A": 70_00})
    last = sealed(sealer, 1)
    with reading(app) as connection:
        whose = connection.execute(text("SELECT owner_id, entry_id FROM seal_leaf WHERE journal_no = 2")).one()
        place = leaf_of_journal(connection, 2)
        assert place == leaf_of_entry(connection, whose.owner_id, whose.entry_id)
        for checkpoint in (first, last):
            found = evidence(connection, place, checkpoint)
            note = parse_note(found.note)
            assert VerifierKey.parse(found.vkey).verifies(note)
            leaf = tree.leaf_hash(base64.b64decode(found.data))
            proof = [bytes.fromhex(each) for each in found.proof]
            root = parse_checkpoint(note.text).root
            assert tree.verify_inclusion(leaf, found.leaf_index, found.size, proof, root)
            assert f"\nindex {place}\n" in found.text()
            assert found.text().endswith(found.note)
        with pytest.raises(UnknownLeafError, match="does not cover it"):
            evidence(connection, leaf_of_journal(connection, last.journal_size), first)
        with pytest.raises(UnknownLeafError, match="it is not sealed"):
            leaf_of_journal(connection, last.journal_size + 1)


def test_checkpoints_are_found_by_size_and_instant(books: Books, app: Engine, sealer: Sealer) -> None:
    """A size names one, ``latest`` the last, an instant or a day the last by then; anything else says what there is."""
    with reading(app) as connection, pytest.raises(UnknownCheckpointError, match="nothing is sealed yet"):
        checkpoints.named(connection, "latest", NOON)
    first = sealed(sealer)
    books.pay("1", {"A": 500_00})
    second = sealed(sealer, 60)
    with reading(app) as connection:
        for asked, found in (
            ("latest", second),
            (str(first.size), first),
            ("2026-11-22T12:00:00Z", first),
            ("2026-11-22T12:59:59+00:00", first),
            ("2026-11-22 13:00:00", second),
            ("2026-11-22T08:30-04:00", first),
            ("2026-11-22", second),
        ):
            assert checkpoints.named(connection, asked, NOON + timedelta(days=1)) == found, asked
        for asked in ("7", "2026-11-22T11:59:59Z", "2026-11-21", "yesterday", "2026-13-01", "", "9" * 30):
            with pytest.raises(UnknownCheckpointError, match=f"there are 2, from {first.size}"):
                checkpoints.named(connection, asked, NOON + timedelta(days=1))


def test_an_instant_to_come_names_no_checkpoint(sealer: Sealer, app: Engine) -> None:
    """Asked at 12:30 for 12:30 it is the checkpoint of noon; for a second later, or for that day, it is refused.

    The last checkpoint was given for an instant to come: asked again after another one the answer was another.
    """
    first, now = sealed(sealer), NOON + timedelta(minutes=30)
    with reading(app) as connection:
        assert checkpoints.named(connection, "2026-11-22T12:30:00Z", now) == first
        assert checkpoints.named(connection, "2026-11-22T07:30:00-05:00", now) == first
        for asked in ("2026-11-22T12:30:01Z", "2026-11-22T13:00:00", "2026-11-22", "2099-01-01"):
            with pytest.raises(InstantToComeError, match="is not over: it is 2026-11-22T12:30:00Z"):
                checkpoints.named(connection, asked, now)


def test_a_clock_set_back_does_not_reorder(books: Books, sealer: Sealer) -> None:
    """A checkpoint is never of an earlier time than the one that it continues."""
    first = sealed(sealer, 60)
    books.pay("1", {"A": 500_00})
    assert sealed(sealer, 0).sealed_at == first.sealed_at == NOON + timedelta(hours=1)


def test_nothing_is_signed_on_what_was_changed(books: Books, app: Engine, sealer: Sealer, database_url: str) -> None:
    """Where a stored subtree or leaf does not give the last root any more, the sealer refuses and says which."""
    first = sealed(sealer)
    url = database_url.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(url, options="-c search_path=centralpay -c session_replication_role=replica") as connection:
        connection.execute("UPDATE seal_leaf SET leaf = sha256('x') WHERE leaf_index = %s", [first.size - 1])
    books.pay("1", {"A": 500_00})
    with pytest.raises(SealBrokenError, match=f"Checkpoint {first.size}: what is stored gives another root"):
        sealer.seal("sam", NOON)
    with reading(app) as connection:
        assert checkpoints.latest(connection) == first
        assert checkpoints.waiting(connection) > 0
