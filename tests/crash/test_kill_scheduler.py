"""SIGKILL in the midst of a scheduler's day, and two schedulers at once: no job is lost, none is done twice.

The first of December 2026, from 23:30 of the day before to 15:30, in some seconds: proofs at 04:00, the month's fees at
06:00, a match every hour, files in the inbox, the cycle's proposal at 15:00. CENTRALPAY_LONG=1 kills at 52 moments of
13 such days.
"""

import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest

from app.cluster import Cluster
from ingest.bank.bai2_writer import StatementLine
from tests.conftest import NewDatabase
from tests.support.bank import ACH_CREDIT, Bank, paid_in
from tests.support.command import Shell
from tests.support.compressed_day import (
    Arrival,
    Day,
    Schedulers,
    died,
    end,
    kill,
    live_undisturbed,
    lived,
    moments_of,
    runs_of,
    session_at,
    stood_for,
    wait_until_done,
)
from tests.support.killing import Scene, moments
from tests.support.office import Office
from tests.support.scheduling import local, runner_of
from tests.support.trade import Part, pharmacy, remittance, remittance_file

LONG = os.environ.get("CENTRALPAY_LONG") == "1"
"""Some ten minutes."""
DAYS = 13 if LONG else 1
KILLS = 4
"""Of each day, one in each quarter of it."""
BEFORE, TODAY = date(2026, 11, 30), date(2026, 12, 1)
_LONGEST_S = 60.0
"""So long a scheduler may take on a slow machine until a job is at work; many times what it takes."""
STORES = tuple(pharmacy(number) for number in range(1, 13))

_COUNTED = (
    "advice",
    "approval",
    "bank_line",
    "claim_line",
    "cycle",
    "cycle_omission",
    "cycle_share",
    "fee_invoice",
    "journal_transaction",
    "line",
    "notice",
    "payout",
    "payout_fee",
    "received_file",
    "remittance_set",
)
_ONCE = ("cycle_proposed", "cycle_voided", "funded", "inbox_refused")
"""What stands in the record as often as it was done, however often it was tried."""


def test_a_killed_scheduler_loses_and_doubles_nothing(scene: Scene) -> None:
    """Killed four times in a day and started again: each moment of each job has one run; the books are the same."""
    undisturbed, deaths = _undisturbed(scene), 0
    for seed in range(DAYS):
        with scene.copy() as shell:
            _live_killed(shell, _day(2700.0), 20261201 + seed)
            _see_all_moments_once(shell, _day(2700.0))
            assert _world(shell) == undisturbed, f"seed {20261201 + seed}"
            deaths += died(shell)
    # Two of the four kills of a day wait for a job to be at work.
    assert deaths >= DAYS


@pytest.mark.parametrize("loses_one", [False, True], ids=["both-live", "one-is-killed"])
def test_two_schedulers_do_each_job_once(scene: Scene, *, loses_one: bool) -> None:
    """Two on one database and inbox, and one of them killed at noon: each moment has a run, the books are the same."""
    undisturbed, day = _undisturbed(scene), _day(5400.0)
    with scene.copy() as shell:
        with lived(shell, day) as schedulers:
            both = [schedulers.start(), schedulers.start()]
            if loses_one:
                schedulers.sleep_until(day.seconds_until(local("2026-12-01T12:00")))
                kill(both.pop())
            wait_until_done(shell, day)
            for each in both:
                end(each)
        expected, runs = moments_of(shell, day), runs_of(shell, day)
        for job, due in expected.items():
            assert {state for _, _, state in runs[job]} == {"done"}
            assert set(stood_for(runs[job], due)) == set(due), job
        assert _world(shell) == undisturbed


# The day -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def scene(cluster: Cluster, new_database: NewDatabase, tmp_path: Path) -> Iterator[Scene]:
    """Give an office whose scheduler has run until the evening before; of it any number of copies."""
    with new_database() as url:
        office = Office(Shell(tmp_path / "home", url), tmp_path)
        office.found(*STORES)
        office.run("users", "add", "scheduler", "--role", "operator")
        with session_at(office.shell, local("2026-11-30T23:30")) as (session, _):
            ran = runner_of(session).drain()
        # There is nothing to pay yet.
        assert {run.state.value for run in ran if run.job != "cycle"} == {"done"}
        name = str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])
        yield Scene(cluster, tmp_path, name, office.shell.home)


def _day(speed: float) -> Day:
    """Lay out the day: two remittances, one of them with a set that does not foot, and the bank's two days."""
    paid = [
        remittance(f"DAY{number}", BEFORE, *(Part(store, (700_00 + number, 3_00)) for store in STORES[number::3]))
        for number in range(3)
    ]
    late = remittance("LATE", TODAY, *(Part(store, (90_00,)) for store in STORES))
    wrong = remittance("WRONG", TODAY, Part(STORES[0], (5_00,)), payment_cents=6_00)
    bank = Bank()
    deposits = [paid_in(each.trace_number, each.payment_cents) for each in paid[:2]]
    stray = StatementLine(ACH_CREDIT, 44_00, "STRAY", "", "SOMEBODY")
    before = bank.statement(BEFORE, *deposits, stray)
    today = bank.statement(TODAY, *(paid_in(each.trace_number, each.payment_cents) for each in (paid[2], late)))
    arrivals = (
        Arrival(local("2026-12-01T05:50"), "one.835", remittance_file(*paid)),
        Arrival(local("2026-12-01T08:20"), "before.bai", before),
        Arrival(local("2026-12-01T11:10"), "two.835", remittance_file(late, wrong, control_number=2)),
        Arrival(local("2026-12-01T13:40"), "today.bai", today),
    )
    return Day(local("2026-11-30T23:30"), local("2026-12-01T15:30"), arrivals, speed)


def _live_killed(shell: Shell, day: Day, seed: int) -> None:
    """Live the day with a scheduler that is killed once in each quarter, every other time when a job is at work."""
    chance = Random(seed)
    with lived(shell, day) as schedulers, _watching(shell) as watching:
        process = schedulers.start()
        for number, moment in enumerate(moments(seed, KILLS, day.duration_s)):
            schedulers.sleep_until(moment)
            if number % 2:
                _kill_at_work(schedulers, process, watching, chance)
            else:
                kill(process)
            process = schedulers.start()
        wait_until_done(shell, day)
        end(process)


def _kill_at_work(
    schedulers: Schedulers, process: "subprocess.Popen[bytes]", watching: psycopg.Connection, chance: Random
) -> None:
    """Kill a scheduler while a job is at work; where that has ended meanwhile, another one, three times at most."""
    for attempt in range(3):
        if attempt:
            process = schedulers.start()
        schedulers.wait_for_work(watching, _LONGEST_S)
        time.sleep(chance.random() * 0.02)
        kill(process)
        if schedulers.is_at_work(watching):
            return


@contextmanager
def _watching(shell: Shell) -> Iterator[psycopg.Connection]:
    with psycopg.connect(shell.database_url, autocommit=True) as connection:
        yield connection


def _undisturbed(scene: Scene) -> dict[str, Any]:
    with scene.copy() as shell:
        day = _day(1.0)
        live_undisturbed(shell, day)
        _see_all_moments_once(shell, day)
        return _world(shell)


# What is compared ----------------------------------------------------------------------------------------------------


def _see_all_moments_once(shell: Shell, day: Day) -> None:
    """See that each moment of each timetable is stood for by one run, and that all runs are done."""
    expected, runs = moments_of(shell, day), runs_of(shell, day)
    assert {name: len(due) for name, due in expected.items() if name in {"match", "verify", "fees", "cycle"}} == {
        "match": 14,
        "verify": 1,
        "fees": 1,
        "cycle": 1,
    }
    for job, due in expected.items():
        assert {state for _, _, state in runs[job]} == {"done"}, job
        assert stood_for(runs[job], due) == Counter(due), job


def _world(shell: Shell) -> dict[str, Any]:
    """Give books, states, cases, record and files, without numbers that a rolled-back try leaves a gap in."""
    office = Office(shell, shell.home)
    office.prove()
    with psycopg.connect(shell.database_url, options="-c search_path=centralpay") as connection:
        counts = {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in _COUNTED}  # noqa: S608 (our own names)
        payouts = connection.execute("""
            SELECT p.ncpdp_id, o.amount_cents, o.fee_cents, o.state FROM payout o JOIN member m USING (member_id)
            JOIN pharmacy p USING (pharmacy_id) ORDER BY 1""").fetchall()
        # A cycle's number says how often it was tried.
        said = (
            "SELECT action, CASE WHEN action NOT LIKE 'cycle%%' THEN subject END FROM activity WHERE action = ANY (%s)"
        )
        done = connection.execute(said, [list(_ONCE)])
        recorded = Counter(done.fetchall())
    inbox = shell.home / "inbox"
    return {
        "balance": office.ask("ledger", "trial-balance")["rows"],
        "rows": counts,
        "payouts": payouts,
        "record": recorded,
        "cases": Counter((kind, cents) for (kind, _), cents in office.cases().items()),
        "files": sorted(each.relative_to(inbox).as_posix() for each in inbox.rglob("*") if each.is_file()),
    }
