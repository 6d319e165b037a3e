"""SIGKILL in the midst of issuing everybody's certificates: run again, each member has one, sealed, none torn.

CENTRALPAY_LONG=1 kills at 50 moments.
"""

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from app.cluster import Cluster
from payouts.certificates.bodies import canonical, digest
from tests.conftest import NewDatabase
from tests.support.command import Shell
from tests.support.killing import Scene, moments, work
from tests.support.office import MAKER, Office
from tests.support.trade import Part, pharmacy, remittance

KILLS = 50 if os.environ.get("CENTRALPAY_LONG") == "1" else 3
STORES = tuple(pharmacy(number) for number in range(1, 111))
MONDAY = date(2026, 11, 16)


def _words(shell: Shell) -> tuple[str, ...]:
    return ("certificates", "issue", "--month", "2026-11", "--out", str(shell.home / "certificates"))


def test_killed_issue_certifies_each_member_once(cluster: Cluster, new_database: NewDatabase, tmp_path: Path) -> None:
    """110 certificates: whenever it is killed, the next run leaves 110 files that say what an undisturbed run says."""
    with new_database() as url:
        office = Office(Shell(tmp_path / "home", url), tmp_path)
        office.found(*STORES)
        office.remit(remittance("KILL1", MONDAY, *(Part(store, (500_00 + at,)) for at, store in enumerate(STORES))))
        name = str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])
        scene = Scene(cluster, tmp_path, name, office.shell.home)
        with scene.copy() as shell:
            outcome, duration_s = work(shell, _words(shell))
            assert outcome.code == 0, outcome.err
            undisturbed = _figures(shell)
        assert len(undisturbed) == len(STORES)
        killed = 0
        for moment in moments(20261206, KILLS, duration_s):
            with scene.copy() as shell:
                killed += work(shell, _words(shell), moment)[0].code == -9
                again = shell.run(_words(shell), user=MAKER)
                assert again.code == 0, again.err
                assert _figures(shell) == undisturbed, f"killed after {moment:.3f} s"
                with psycopg.connect(shell.database_url) as connection:
                    [(first,)] = connection.execute("SELECT min(certificate_id) FROM centralpay.certificate").fetchall()
                # Not number 1: a run that was killed keeps the number it drew, as sequences do.
                checked = shell.run(("certificates", "check", f"{first}"), user=MAKER)
                assert checked.code == 0, checked.out
        assert killed >= KILLS // 2


def _figures(shell: Shell) -> dict[str, Any]:
    """Give what each file certifies; its digest is the row's, each row is a member's only one, its leaf is sealed."""
    with psycopg.connect(shell.database_url, options="-c search_path=centralpay") as connection:
        rows = connection.execute("SELECT encode(body_sha256, 'hex') FROM certificate").fetchall()
        members = connection.execute("SELECT count(DISTINCT member_id) FROM certificate").fetchall()
        sealed = connection.execute("""SELECT count(*) FROM trail JOIN seal_leaf USING (trail_id)
            WHERE table_name = 'certificate' AND leaf_index < (SELECT max(size) FROM seal_checkpoint)""").fetchall()
    assert (len(rows), members, sealed) == (len(STORES), [(len(STORES),)], [(len(STORES),)])
    folder = shell.home / "certificates"
    told = {path.name: json.loads(path.read_bytes()) for path in folder.iterdir()}
    digests = {digest(canonical(each["certificate"])) for each in told.values()}
    assert digests == {row[0] for row in rows}
    return {name: each["certificate"]["figures"] for name, each in told.items()}
