"""SIGKILL in the midst of closing a month: run again it goes on where it was, and ends with one close and one package.

CENTRALPAY_LONG=1 kills at 50 moments.
"""

import hashlib
import os
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from app.cluster import Cluster
from tests.conftest import NewDatabase
from tests.support.bank import own_money, paid_in
from tests.support.closing import book_days
from tests.support.command import Shell
from tests.support.killing import Scene, moments, work
from tests.support.office import MAKER, Office
from tests.support.trade import Part, pharmacy, remittance

KILLS = 50 if os.environ.get("CENTRALPAY_LONG") == "1" else 4
STORES = tuple(pharmacy(number) for number in range(1, 41))
MONDAY = date(2026, 10, 5)
CLOSE = ("close", "--month", "2026-10", "--date", "2026-11-03")


def test_killed_close_is_finished_by_the_next(cluster: Cluster, new_database: NewDatabase, tmp_path: Path) -> None:
    """40 stores' October: whenever it is killed, the next run leaves the month closed once, sealed, packed once."""
    with new_database() as url:
        office = Office(Shell(tmp_path / "home", url), tmp_path)
        office.found(*STORES)
        paid = sum(500_00 + at for at in range(len(STORES)))
        office.remit(remittance("KILL1", MONDAY, *(Part(store, (500_00 + at,)) for at, store in enumerate(STORES))))
        lines = {date(2026, 10, 2): [own_money("OWN1", 100_00)], MONDAY: [paid_in("KILL1", paid)]}
        book_days(office, date(2026, 10, 1), date(2026, 10, 31), lines)
        office.accept_own_money("OWN1")
        office.match()
        office.ask("fees", "assess", "--month", "2026-10", "--date", "2026-10-05")
        name = str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])
        scene = Scene(cluster, tmp_path, name, office.shell.home)
        with scene.copy() as shell:
            outcome, duration_s = work(shell, CLOSE)
            assert outcome.code == 0, outcome.err
            undisturbed = _world(shell)
        killed, reached = 0, set[str]()
        for moment in moments(20261206, KILLS, duration_s):
            with scene.copy() as shell:
                killed += work(shell, CLOSE, moment)[0].code == -9
                before = _closed_at(shell)
                reached.add("closed" if before else "open")
                again = shell.run(CLOSE, user=MAKER)
                assert again.code == 0, f"killed after {moment:.3f} s: {again.err}"
                assert _world(shell) == undisturbed, f"killed after {moment:.3f} s"
                assert before in (None, _closed_at(shell)), "what was locked was locked once"
                manifest = _manifest(shell)
                assert shell.run(CLOSE, user=MAKER).code == 0
                assert _manifest(shell) == manifest
        assert killed >= KILLS // 2
        assert "open" in reached


def _world(shell: Shell) -> dict[str, Any]:
    """Give what there is of the close, but the moments; and see that the package is the one that the books name."""
    with psycopg.connect(shell.database_url, options="-c search_path=centralpay") as connection:
        rows = connection.execute("""
            SELECT c.month, c.version, c.from_month, p.state, k.checkpoint_size IS NOT NULL, g.supersedes
            FROM period_close c JOIN period p USING (month) LEFT JOIN period_checkpoint k USING (month, version)
            LEFT JOIN period_package g USING (month, version)""").fetchall()
        checks = connection.execute(
            "SELECT version, place, name, verdict, checked, found FROM period_check WHERE name <> 'P11' ORDER BY 1, 2"
        ).fetchall()
        tied = connection.execute("SELECT count(*), sum(closing_cents) FROM period_tie_out").fetchall()
        told = connection.execute(
            "SELECT action, count(*) FROM activity WHERE action LIKE 'month_%' GROUP BY action ORDER BY action"
        ).fetchall()
        waiting = connection.execute("SELECT count(*) FROM seal_pending").fetchall()
        recorded = connection.execute("SELECT encode(manifest_sha256, 'hex') FROM period_package").fetchall()
    assert recorded == [(_manifest(shell),)]
    folder = shell.home / "closed"
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return {"rows": rows, "checks": checks, "tied": tied, "told": told, "waiting": waiting, "files": files}


def _manifest(shell: Shell) -> str:
    return hashlib.sha256((shell.home / "closed" / "close-2026-10-v1" / "manifest.json").read_bytes()).hexdigest()


def _closed_at(shell: Shell) -> object:
    with psycopg.connect(shell.database_url, options="-c search_path=centralpay") as connection:
        row = connection.execute("SELECT closed_at FROM period_close").fetchone()
    return None if row is None else row[0]
