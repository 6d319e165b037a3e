"""SIGKILL in the midst of a seal: leaves and their checkpoint are there together or not at all; the next one goes on.

CENTRALPAY_LONG=1 kills at 50 moments.
"""

import os
from datetime import date
from pathlib import Path

import psycopg

from app.cluster import Cluster
from ledger.seal import tree
from ledger.seal.note import VerifierKey, parse_checkpoint, parse_note
from ledger.seal.published import LATEST, VKEY, file_name
from tests.conftest import NewDatabase
from tests.support.command import Shell
from tests.support.killing import Scene, moments, work
from tests.support.office import MAKER, Office
from tests.support.trade import A, B, C, Part, remittance

KILLS = 50 if os.environ.get("CENTRALPAY_LONG") == "1" else 4
FRIDAY = date(2026, 11, 20)
SEAL = ("ledger", "seal")
_MANY = """
    INSERT INTO centralpay.trail (table_name, row_key, content)
    SELECT 'nobody', n::text, jsonb_build_object('n', n::text) FROM generate_series(1, 60000) n"""
"""So much that a seal takes a while; only the owner of the tables can write it."""


def test_killed_seal_seals_everything_once(cluster: Cluster, new_database: NewDatabase, tmp_path: Path) -> None:
    """Whenever it is killed, the next seal gives a tree with everything in it once, and the folder agrees with it."""
    with new_database() as url:
        office = Office(Shell(tmp_path / "home", url), tmp_path)
        office.found(A, B, C)
        office.run(*SEAL)
        office.remit(remittance("KILL1", FRIDAY, Part(A, (500_00,)), Part(B, (70_00,))))
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            connection.execute(_MANY)
        name = str(psycopg.conninfo.conninfo_to_dict(url.replace("+psycopg", ""))["dbname"])
        scene = Scene(cluster, tmp_path, name, office.shell.home)
        with scene.copy() as shell:
            outcome, duration_s = work(shell, SEAL)
            assert outcome.code == 0, outcome.err
            _assert_sealed_once(shell)
        killed = 0
        for moment in moments(20261122, KILLS, duration_s):
            with scene.copy() as shell:
                killed += work(shell, SEAL, moment)[0].code == -9
                _assert_all_or_nothing(shell)
                again = shell.run(SEAL, user=MAKER)
                assert again.code == 0, f"killed after {moment:.3f} s: {again.err}"
                _assert_sealed_once(shell)
        assert killed >= KILLS // 2


def _assert_all_or_nothing(shell: Shell) -> None:
    """See that no leaf is without its checkpoint, and that what is published is what the database says."""
    with psycopg.connect(shell.database_url, options="-c search_path=centralpay") as connection:
        leaves = connection.execute("SELECT count(*) FROM seal_leaf").fetchone()
        covered = connection.execute("SELECT max(size) FROM seal_checkpoint").fetchone()
        notes: dict[int, str] = dict(connection.execute("SELECT size, note FROM seal_checkpoint").fetchall())
    assert leaves == covered
    folder = shell.home / "checkpoints"
    published = {int(path.stem): path.read_text() for path in folder.glob("*.checkpoint")}
    assert published.items() <= notes.items()


def _assert_sealed_once(shell: Shell) -> None:
    """See that everything is a leaf once, that the roots are those of the leaves, and that the folder has them all."""
    with psycopg.connect(shell.database_url, options="-c search_path=centralpay") as connection:
        leaves = [row[0] for row in connection.execute("SELECT leaf FROM seal_leaf ORDER BY leaf_index")]
        counts = connection.execute(
            """SELECT (SELECT count(*) FROM entry), (SELECT count(*) FROM trail), (SELECT count(*) FROM seal_pending),
                      count(DISTINCT entry_id), count(DISTINCT trail_id), max(journal_no), max(leaf_index) + 1
               FROM seal_leaf"""
        ).fetchone()
        notes: dict[int, str] = dict(
            connection.execute("SELECT size, note FROM seal_checkpoint ORDER BY size").fetchall()
        )
    assert counts is not None
    entries, trail, waiting, sealed_entries, sealed_trail, last_no, size = counts
    assert (sealed_entries, sealed_trail, waiting) == (entries, trail, 0)
    assert (last_no, size, len(leaves)) == (entries, entries + trail, entries + trail)
    folder = shell.home / "checkpoints"
    key = VerifierKey.parse((folder / VKEY).read_text())
    for at, note in notes.items():
        assert (folder / file_name(at)).read_text() == note
        signed = parse_note(note)
        assert key.verifies(signed)
        assert parse_checkpoint(signed.text).root == tree.root(leaves[:at])
    assert (folder / LATEST).read_text() == notes[size]
