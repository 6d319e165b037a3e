"""SIGKILL in the midst of issuing everybody's statements: all of them or none; run again, it ends as undisturbed.

CENTRALPAY_LONG=1 kills at 50 moments.
"""

import os
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from app.cluster import Cluster
from ingest.encryption import load_keyring
from ingest.vault import Vault
from tests.conftest import NewDatabase
from tests.support.command import Shell
from tests.support.killing import Scene, moments, work
from tests.support.office import MAKER, Office
from tests.support.trade import Part, pharmacy, remittance

KILLS = 50 if os.environ.get("CENTRALPAY_LONG") == "1" else 3
STORES = tuple(pharmacy(number) for number in range(1, 111))
"""As many as several processes share."""
MONDAY = date(2026, 11, 16)


def _words(shell: Shell) -> tuple[str, ...]:
    month = ("--from", "2026-11-01", "--to", "2026-11-30")
    return ("statements", "issue", *month, "--format", "xlsx", "--out", str(shell.home / "issued"))


def test_killed_issue_keeps_each_statement_once(cluster: Cluster, new_database: NewDatabase, tmp_path: Path) -> None:
    """110 statements as workbooks: whenever it is killed, the next run leaves the same 110 files, issued once."""
    with new_database() as url:
        office = Office(Shell(tmp_path / "home", url), tmp_path)
        office.found(*STORES)
        office.remit(remittance("KILL1", MONDAY, *(Part(store, (500_00 + at,)) for at, store in enumerate(STORES))))
        # Statements name the checkpoint that they are read at: it is the same one for every run.
        office.run("ledger", "seal")
        name = str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])
        scene = Scene(cluster, tmp_path, name, office.shell.home)
        with scene.copy() as shell:
            outcome, duration_s = work(shell, _words(shell))
            assert outcome.code == 0, outcome.err
            undisturbed = _world(shell)
        assert len(undisturbed["files"]) == len(STORES)
        killed = 0
        for moment in moments(20261205, KILLS, duration_s):
            with scene.copy() as shell:
                killed += work(shell, _words(shell), moment)[0].code == -9
                again = shell.run(_words(shell), user=MAKER)
                assert again.code == 0, again.err
                assert _world(shell) == undisturbed, f"killed after {moment:.3f} s"
        assert killed >= KILLS // 2


def _world(shell: Shell) -> dict[str, Any]:
    """Give the files that were left, what is written down of them, and that the vault has what is."""
    with psycopg.connect(shell.database_url, options="-c search_path=centralpay") as connection:
        issues = connection.execute("SELECT version, members, encode(sha256, 'hex') FROM statement_issue").fetchall()
        rows = connection.execute(
            "SELECT file_name, byte_start, byte_end, encode(sha256, 'hex') FROM issued_statement ORDER BY byte_start"
        ).fetchall()
        told = connection.execute("SELECT count(*) FROM activity WHERE action = 'statement_issued'").fetchall()
    vault = Vault(
        shell.home / "vault", load_keyring(environment_key=None, key_file=None, home_keys=shell.home / "keys")
    )
    with vault.open(issues[0][2]) as kept:
        size = len(kept.read())
    files = {path.name: path.read_bytes() for path in (shell.home / "issued").iterdir()}
    return {"issues": issues, "rows": rows, "told": told, "size": size, "files": files}
