"""SIGKILL in the midst of release, settlement and return handling: nothing is torn; run again, all ends as undisturbed.

CENTRALPAY_LONG=1 kills each at 50 moments.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.cluster import Cluster
from app.demo.simulator.rules import Return, ReturnCredits, Rules, Settlement
from tests.conftest import NewDatabase
from tests.support.command import Shell
from tests.support.killing import Scene, moments, work
from tests.support.office import MAKER, Office
from tests.support.trade import Part, pharmacy, remittance

LONG = os.environ.get("CENTRALPAY_LONG") == "1"
"""Several minutes."""
KILLS = 50 if LONG else 4
STORES = tuple(pharmacy(number) for number in range(1, 41))
MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (date(2026, 11, day) for day in (16, 17, 18, 19, 20))

_COUNTED = (
    "ach_answer",
    "ach_entry",
    "ach_file",
    "bank_account_stop",
    "hold",
    "journal_transaction",
    "line",
    "notice",
    "received_file",
)


def test_killed_release_sends_once(scene_of: Callable[..., Any]) -> None:
    """40 payouts released: one file, recorded entry by entry, the same payments whatever was killed before."""
    with scene_of(_approved, lambda shell: ("cycle", "release", "1", "--out", str(shell.home / "sent"))) as kill:
        kill(20261201)


def test_killed_settlement_by_total_settles_once(scene_of: Callable[..., Any]) -> None:
    """The file's one debit: the cycle is settled with all of its payouts, or with none until it is run again."""
    with scene_of(_debited_as_one, _match) as kill:
        kill(20261202)


def test_killed_settlement_by_entry_settles_once(scene_of: Callable[..., Any]) -> None:
    """40 debits, each of its own entry."""
    with scene_of(_debited_apart, _match) as kill:
        kill(20261203)


def test_killed_receipt_of_returns_takes_all_or_nothing(scene_of: Callable[..., Any]) -> None:
    """A file of 40 returns that stop accounts and write letters: all of it is there once, or nothing."""
    with scene_of(_answered, lambda shell: ("ingest", str(shell.home.parent / "answers.ach"))) as kill:
        kill(20261204)


def test_killed_posting_of_returns_posts_each_once(scene_of: Callable[..., Any]) -> None:
    """40 credits, each of its own return: those that were posted stay, the others follow."""
    with scene_of(_credited, _match) as kill:
        kill(20261205)


def _match(_: Shell) -> tuple[str, ...]:
    return ("match",)


# The scenes ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def scene_of(cluster: Cluster, new_database: NewDatabase, tmp_path: Path) -> Callable[..., Any]:
    """Give a maker of scenes: a life up to a command, and the killing of that command."""

    @contextmanager
    def make(live: Callable[[Office], None], words: Callable[[Shell], tuple[str, ...]]) -> Iterator[Any]:
        with new_database() as url:
            office = Office(Shell(tmp_path / "home", url), tmp_path)
            office.found(*STORES)
            live(office)
            name = str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])
            scene = Scene(cluster, tmp_path, name, office.shell.home)
            yield lambda seed: _kill(scene, words, seed)

    return make


def _kill(scene: Scene, words: Callable[[Shell], tuple[str, ...]], seed: int) -> None:
    """Kill the command at moments of its work, run it again, and compare with the undisturbed run."""
    with scene.copy() as shell:
        outcome, duration_s = work(shell, words(shell))
        assert outcome.code == 0, outcome.err
        undisturbed = _world(shell)
    killed = 0
    for moment in moments(seed, KILLS, duration_s):
        with scene.copy() as shell:
            killed += work(shell, words(shell), moment)[0].code == -9
            again = shell.run(words(shell), user=MAKER)
            assert again.code == 0, again.err
            assert _world(shell) == undisturbed, f"killed after {moment:.3f} s"
    assert killed >= KILLS // 2


def _approved(office: Office) -> None:
    paid = remittance("KILL1", MONDAY, *(Part(store, (500_00 + place,)) for place, store in enumerate(STORES)))
    office.fund(paid)
    assert office.approved(TUESDAY) == 1


def _sent(office: Office, rules: Rules) -> None:
    _approved(office)
    office.bank.rules = rules
    released = office.release(1)
    office.bank.send(Path(released["nacha_file"]).read_bytes(), TUESDAY)


def _debited_as_one(office: Office) -> None:
    _sent(office, Rules())
    _take(office, WEDNESDAY)


def _debited_apart(office: Office) -> None:
    _sent(office, Rules(settlement=Settlement.BY_ENTRY))
    _take(office, WEDNESDAY)


def _answered(office: Office) -> None:
    _sent(office, Rules(returns=[Return(code="R02")], return_credits=ReturnCredits.SINGLE))
    for day in (WEDNESDAY, THURSDAY):
        _take(office, day)
    office.match()
    done = office.bank.close(FRIDAY)
    assert office.receive(done.bai2)["status"] == "accepted"
    (answers,) = done.answers
    (office.folder / "answers.ach").write_bytes(answers)


def _credited(office: Office) -> None:
    _answered(office)
    assert office.ask("ingest", str(office.folder / "answers.ach"))["files"][0]["status"] == "accepted"


def _take(office: Office, day: date) -> None:
    assert office.receive(office.bank.close(day).bai2)["status"] == "accepted"


# What is compared ----------------------------------------------------------------------------------------------------


def _world(shell: Shell) -> dict[str, Any]:
    """Give books, states, cases and files, without numbers that a rolled-back try leaves a gap in; all proofs hold."""
    office = Office(shell, shell.home)
    office.prove()
    with psycopg.connect(shell.database_url, options="-c search_path=centralpay") as connection:
        counts = {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in _COUNTED}  # noqa: S608 (our own names)
        states = {
            table: Counter(connection.execute(f"SELECT state FROM {table}").fetchall())  # noqa: S608 (our own names)
            for table in ("payout", "cycle", "ach_answer", "hold", "bank_line")
        }
    return {
        "balance": office.ask("ledger", "trial-balance")["rows"],
        "rows": counts,
        "states": states,
        "cases": Counter((kind, cents) for (kind, _), cents in office.cases().items()),
        "files": [_payments(path) for path in sorted((shell.home / "sent").glob("*.ach"))],
    }


def _payments(path: Path) -> list[str]:
    """Give a file's lines without its time of making and without trace numbers, which ascend."""
    lines = path.read_text("ascii").splitlines()
    traces = [line[79:94] for line in lines if line.startswith("6")]
    assert traces == sorted(set(traces))
    return [_without_chance(line) for line in lines]


def _without_chance(line: str) -> str:
    if line.startswith("101"):
        return line[:29] + line[33:]
    if line.startswith("6"):
        return line[:79]
    return line[:87] if line.startswith("705") else line
