"""SIGKILL in the midst of ``ingest`` and of ``cycle release``: nothing is torn; run again, they end as if undisturbed.

CENTRALPAY_LONG=1 kills larger ingests at 50 moments each.
"""

import os
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.cluster import Cluster
from app.demo.remittance import RemittanceSet
from tests.conftest import NewDatabase
from tests.support.bank import own_money, paid_in
from tests.support.command import Shell
from tests.support.killing import Scene, moments, work
from tests.support.office import MAKER, Office
from tests.support.trade import STRANGER, Part, pharmacy, remittance, remittance_file
from tests.support.whole_sets import flaws, wait_until_alone

LONG = os.environ.get("CENTRALPAY_LONG") == "1"
"""Several minutes."""

DAY = date(2026, 11, 20)
STORES = tuple(pharmacy(number) for number in range(1, 41))
SETS = 2_600 if LONG else 520
"""More than one of the groups (of 500) in which sets are committed, so that a kill can fall between commits."""
KILLS = 50 if LONG else 8

CLAIMS = 80_000 if LONG else 21_000
"""Of the large set: more than the 20,000 that are held in memory."""
KILLS_OF_THE_LARGE = 50 if LONG else 4

_MADE_AT = re.compile(rb"(?<=\*)(\d{6}|\d{8})\*\d{4}(?=\*)")
"""Date and time in ISA and GS."""

_COUNTED = (
    "advice",
    "claim_line",
    "plb_line",
    "advice_share",
    "share_to_remit",
    "remittance_set",
    "received_file",
    "journal_transaction",
    "line",
)


def test_killed_ingest_ends_as_if_undisturbed(before_ingest: Scene) -> None:
    """Ingest of many sets, killed at any moment, leaves whole sets only; run again, it gives the undisturbed books."""
    _kill_ingest(before_ingest, "many.835", KILLS)


def test_killed_ingest_of_a_large_set_ends_as_if_undisturbed(before_ingest: Scene) -> None:
    """The same for a set of so many claims that they are copied while they are read: all of it is there, or nothing."""
    _kill_ingest(before_ingest, "large.835", KILLS_OF_THE_LARGE)


def _kill_ingest(scene: Scene, name: str, kills: int) -> None:
    words = ("ingest", str(scene.folder / name), "--json")
    with scene.copy() as shell:
        outcome, duration_s = work(shell, words)
        assert outcome.code == 0
        undisturbed = _books(shell)
    killed = 0
    for moment in moments(20261120, kills, duration_s):
        with scene.copy() as shell:
            if work(shell, words, moment)[0].code == -9:
                killed += 1
                _sets_are_whole(shell)
            again = shell.run(words, user=MAKER)
            assert again.code == 0, again.err
            assert _books(shell) == undisturbed, f"killed after {moment:.3f} s"
    assert killed >= kills // 2


def _sets_are_whole(shell: Shell) -> None:
    """See that a killed ingest left whole sets and nothing of others, and that the vault has the file they came in."""
    wait_until_alone(shell.database_url)
    assert flaws(shell.database_url) == {}
    with psycopg.connect(shell.database_url, options="-c search_path=centralpay") as connection:
        files = connection.execute("SELECT encode(sha256, 'hex') FROM received_file").fetchall()
    for (sha256,) in files:
        assert list((shell.home / "vault").rglob(f"{sha256}*"))


def test_killed_release_pays_once(before_release: Scene) -> None:
    """Release of 40 payouts, killed at many moments and run again, gives the same books, payouts, NACHA file and 835s.

    Of the files, all is compared but what may differ in truth: the minute of its creation, and trace numbers, whose
    sequence a rolled-back release leaves a gap in. A third run gives the second run's file byte for byte.
    """
    with before_release.copy() as shell:
        outcome, duration_s = work(shell, _release(shell))
        assert outcome.code == 0
        undisturbed, payouts, paid, told = _books(shell), _payouts(shell), _payments(shell), _remittances(shell)
        assert len(paid) == 2 * len(STORES) + 4 + (-(2 * len(STORES) + 4) % 10)
    killed = 0
    for moment in moments(20261123, KILLS, duration_s):
        with before_release.copy() as shell:
            killed += work(shell, _release(shell), moment)[0].code == -9
            again = shell.run(_release(shell), user=MAKER)
            assert again.code == 0, again.err
            assert (_books(shell), _payouts(shell)) == (undisturbed, payouts), f"killed after {moment:.3f} s"
            assert _payments(shell) == paid
            assert _remittances(shell) == told
            (file,) = (shell.home / "sent").glob("*.ach")
            first = file.read_bytes()
            assert shell.run(_release(shell), user=MAKER).document == again.document
            assert file.read_bytes() == first
    assert killed >= KILLS // 2


# The scenes ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def before_ingest(
    cluster: Cluster, new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """Give a founded office that is about to ingest a file of many sets."""
    with new_database() as url:
        folder = tmp_path_factory.mktemp("ingest")
        office = _founded(folder, url)
        (folder / "many.835").write_bytes(remittance_file(*map(_small, range(SETS))))
        large = remittance("KILLLARGE", DAY, *(Part(store, (1_00,) * (CLAIMS // len(STORES))) for store in STORES))
        (folder / "large.835").write_bytes(remittance_file(_small(0), large, _small(1)))
        yield Scene(cluster, folder, _name(url), office.shell.home)


@pytest.fixture(scope="module")
def before_release(
    cluster: Cluster, new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """Give an office whose cycle of 40 payouts with their fees is approved."""
    with new_database() as url:
        folder = tmp_path_factory.mktemp("release")
        office = _founded(folder, url)
        parts = (Part(store, (500_00 + place, 123_45)) for place, store in enumerate(STORES))
        paid = remittance("KILL1", DAY, *parts)
        office.remit(paid)
        office.book(DAY, own_money("OWN1", 1_000_00), paid_in("KILL1", paid.payment_cents))
        office.accept_own_money("OWN1")
        assert len(office.match()["funded"]) == 1
        office.ask("fees", "assess", "--month", "2026-11")
        assert office.approved(DAY) == 1
        yield Scene(cluster, folder, _name(url), office.shell.home)


def _small(number: int) -> RemittanceSet:
    """Lay out a set with a member and, each tenth time, a stranger, whose money the house keeps."""
    parts = [Part(STORES[number % len(STORES)], (number + 1_00, 2_00), (("WO", 50),))]
    if number % 10 == 0:
        parts.append(Part(STRANGER, (7,)))
    return remittance(f"KILL{number:06d}", DAY, *parts)


def _founded(folder: Path, url: str) -> Office:
    office = Office(Shell(folder / "home", url), folder)
    office.found(*STORES)
    return office


def _name(url: str) -> str:
    return str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])


# What is compared ----------------------------------------------------------------------------------------------------


def _release(shell: Shell) -> tuple[str, ...]:
    return ("cycle", "release", "1", "--out", str(shell.home / "sent"), "--json")


def _books(shell: Shell) -> dict[str, Any]:
    """Give the trial balance with its turnovers, the open exceptions, and how many rows there are; all proofs hold."""
    office = Office(shell, shell.home)
    office.prove()
    balance = office.ask("ledger", "trial-balance")["rows"]
    with psycopg.connect(shell.database_url, options="-c search_path=centralpay") as connection:
        counts = {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in _COUNTED}  # noqa: S608 (our own names)
    return {"balance": balance, "cases": office.cases(), "rows": counts}


def _payouts(shell: Shell) -> list[dict[str, Any]]:
    shown = Office(shell, shell.home).ask("cycle", "show", "1")["payouts"]
    assert isinstance(shown, list)
    return shown


def _payments(shell: Shell) -> list[str]:
    """Give the lines of the one file that was sent, without creation time and trace numbers, which ascend."""
    (file,) = (shell.home / "sent").glob("*.ach")
    lines = file.read_text("ascii").splitlines()
    traces = [line[79:94] for line in lines if line.startswith("6")]
    assert traces == sorted(set(traces))
    return [_without_chance(line) for line in lines]


def _remittances(shell: Shell) -> dict[str, bytes]:
    """Give the members' 835s and their list without the moment of making, and whatever else lies beside them."""
    files = sorted((shell.home / "sent" / "835").iterdir())
    return {path.name: _MADE_AT.sub(b"", path.read_bytes()) for path in files}


def _without_chance(line: str) -> str:
    if line.startswith("101"):
        return line[:29] + line[33:]
    if line.startswith("6"):
        return line[:79]
    return line[:87] if line.startswith("705") else line
