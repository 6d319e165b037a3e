"""The scheduler at work: files from the inbox to a proposal that people approve, by a clock that the test turns."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from app.session import Session, opened
from app.settings import PREFIX, Settings
from payouts.jobs.timetable import is_quiet
from tests.support.bank import paid_in, paid_out
from tests.support.command import PROGRAM
from tests.support.office import CHECKER, MAKER, Office
from tests.support.scheduling import HandClock, local, runner_of
from tests.support.trade import A, B, C, Part, pharmacy, remittance, remittance_file, roster_file

MONDAY, FRIDAY = date(2026, 11, 23), date(2026, 11, 20)
_LONGEST_S = 60.0


class Desk:
    """The office's scheduler, by a clock of ours: one line for a time of day."""

    def __init__(self, office: Office, session: Session, clock: HandClock) -> None:
        self.office = office
        self.session = session
        self.clock = clock
        self.runner = runner_of(session)

    def at(self, moment: str) -> dict[str, str]:
        """Let it be a moment by the bank's clock; give what ran, and what it said."""
        self.clock.set(moment)
        return {run.job: f"{run.state.value}: {run.said}" for run in self.runner.drain()}

    def restarted(self) -> None:
        """Let another process take its place."""
        self.runner = runner_of(self.session)

    def put(self, name: str, content: bytes) -> None:
        """Put a file into the inbox, as a rename does."""
        path = self.session.settings.inbox_dir / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (1_700_000_000, 1_700_000_000))

    def files(self) -> list[str]:
        """Name the files in the inbox and its folders."""
        inbox = self.session.settings.inbox_dir
        return sorted(each.relative_to(inbox).as_posix() for each in inbox.rglob("*") if each.is_file())


@pytest.fixture
def desk(office: Office) -> Iterator[Desk]:
    """Give the office's scheduler on a Friday morning; its user is added, the proofs of the night have run."""
    office.run("users", "add", "scheduler", "--role", "operator")
    clock = HandClock(local("2026-11-20T08:00"))
    settings = Settings(home=office.shell.home, database_url=SecretStr(office.shell.database_url))
    with opened("scheduler", print, settings, clock=clock) as session:
        yield Desk(office, session, clock)


def test_a_day_by_the_clock(office: Office, desk: Desk) -> None:
    """Two files in the inbox become a proposal of 12,300.00 at 15:00, which another person approves.

    A is remitted 10,000.00 and B 2,700.00, and the bank has 12,700.00. November's fees of 200.00 each are assessed on
    the scheduler's first morning. Proposed are A 9,800.00 and B 2,500.00, fees 400.00. On Monday the bank debits
    12,300.00: settled.
    """
    first = desk.at("2026-11-20T08:00")
    assert first["fees"] == "done: 2026-11: 3 members, 600.00"
    assert first["verify"] == "done: all 11 proofs hold"
    # Nothing was available at 15:00 of the day before, which is looked back to on the first day.
    assert first["cycle"].startswith("refused: Nothing is available by 2026-11-20")
    desk.put("1-bank.bai", office.bank.statement(FRIDAY, paid_in("T1", 12_700_00)))
    sets = remittance("T1", FRIDAY, Part(A, (6_000_00, 4_000_00)), Part(B, (2_700_00,)))
    desk.put("2-remit.835", remittance_file(sets))
    desk.put("3-letter.pdf", b"%PDF-1.7")
    assert desk.at("2026-11-20T08:30") == {
        "inbox": "done: 1 bai2, 1 remittance_835, 1 unknown; 1 refused: see the exceptions",
        "match": "done: 1 funded, 12,700.00; 0 settled, 0.00; 0 returned, 0.00; 0 payments and 0 deposits parked",
    }
    assert desk.files() == [
        "done/2026-11-20/1-bank.bai",
        "done/2026-11-20/2-remit.835",
        "refused/3-letter.pdf",
    ]
    assert office.cases() == {("file_refused", "3-letter.pdf"): 0}
    assert "cycle" not in desk.at("2026-11-20T14:59")
    said = desk.at("2026-11-20T15:00")["cycle"]
    pattern = r"done: cycle (\d+) for 2026-11-20: 2 payouts, 12,300.00; fees 400.00; approval (\d+) waits .*"
    found = re.fullmatch(pattern, said)
    assert found is not None, said
    cycle_id, approval = found.groups()
    # Who proposed may not decide; another person does.
    office.run("approvals", "approve", approval, user="scheduler", code=5)
    office.ask("approvals", "approve", approval, user=CHECKER)
    assert office.release(int(cycle_id))["total_cents"] == 12_300_00
    desk.put("bank.bai", office.bank.statement(MONDAY, paid_out("OUT1", 12_300_00)))
    settled = desk.at("2026-11-23T09:00")
    assert settled["match"].startswith("done: 0 funded, 0.00; 1 settled, 12,300.00;")
    assert settled["verify"] == "done: all 11 proofs hold"
    office.prove()


def test_a_weekend_and_a_holiday_are_left_out(office: Office, desk: Desk) -> None:
    """From Wednesday before Thanksgiving to Monday there are three proposals: Wednesday, Friday, Monday."""
    office.fund(remittance("T1", FRIDAY, Part(A, (900_00,))))
    desk.at("2026-11-24T18:00")
    proposed = []
    for day in range(25, 31):
        for hour in ("09:00", "15:00", "18:00"):
            said = desk.at(f"2026-11-{day}T{hour}").get("cycle")
            proposed += [(f"{day} {hour}", said.split(" for ")[1][:10])] if said else []
    assert proposed == [("25 15:00", "2026-11-25"), ("27 15:00", "2026-11-27"), ("30 15:00", "2026-11-30")]
    # What was only proposed is void when a later day's is: the money is in one of them.
    assert [each["state"] for each in office.ask("cycle", "list")["cycles"]].count("proposed") == 1


def test_a_missed_proposal_is_made_for_the_day_on_which_it_can_be_paid(office: Office, desk: Desk) -> None:
    """A scheduler that was off from Friday noon to Saturday proposes once, for Monday, and not for Friday."""
    desk.at("2026-11-20T11:00")
    office.fund(remittance("T1", FRIDAY, Part(A, (900_00,))))
    desk.restarted()
    assert desk.at("2026-11-21T10:00")["cycle"].partition(" for ")[2].startswith("2026-11-23: 1 payouts, 700.00")
    assert "cycle" not in desk.at("2026-11-21T11:00")
    runs = office.ask("jobs", "runs", "--job", "cycle")["runs"]
    assert [(each["state"], each["scheduled_for"]) for each in runs] == [
        ("done", "2026-11-20T20:00:00Z"),
        ("refused", "2026-11-19T20:00:00Z"),
    ]


def test_after_the_bank_s_cut_off_the_next_day_is_proposed(office: Office, desk: Desk) -> None:
    """At 17:00, from when on the bank takes no file as that day's, it proposes for Monday."""
    with psycopg.connect(office.shell.database_url, options="-c search_path=centralpay,pg_temp") as connection:
        connection.execute("INSERT INTO cut_off VALUES ('file_handover', '2026-11-01', '17:00', 'tests')")
    office.fund(remittance("T1", FRIDAY, Part(A, (900_00,))))
    assert "for 2026-11-20:" in desk.at("2026-11-20T16:59")["cycle"]
    desk.restarted()
    desk.clock.set("2026-11-20T17:00")
    run = desk.runner.run_now(desk.runner.job("cycle"))
    assert run is not None
    assert "for 2026-11-23:" in run.said


def test_the_cut_off_is_data(office: Office, desk: Desk) -> None:
    """From Tuesday on the day is proposed at 14:00 instead of 15:00: Monday's at 15:00, Tuesday's at 14:00."""
    with psycopg.connect(office.shell.database_url, options="-c search_path=centralpay,pg_temp") as connection:
        connection.execute("INSERT INTO cut_off VALUES ('cycle_proposal', '2026-11-24', '14:00', 'tests')")
    desk.at("2026-11-20T16:00")
    hours = [f"2026-11-{day}T{hour}" for day in (23, 24) for hour in ("13:59", "14:00", "14:59", "15:00")]
    assert [moment for moment in hours if "cycle" in desk.at(moment)] == ["2026-11-23T15:00", "2026-11-24T14:00"]


def test_a_cut_off_that_can_not_be_stops_nothing_else(office: Office, desk: Desk) -> None:
    """A cut-off at 02:30, which a day in March lacks, is refused by the database.

    Were it there all the same, no cycle would be proposed, all other jobs would run, and it would be told.
    """
    desk.at("2026-11-20T16:00")
    impossible = "INSERT INTO cut_off VALUES ('cycle_proposal', '2000-01-02', '02:30', 'tests')"
    with psycopg.connect(office.shell.database_url, options="-c search_path=centralpay,pg_temp") as connection:
        with pytest.raises(psycopg.errors.CheckViolation), connection.transaction():
            connection.execute(impossible)
        connection.execute("ALTER TABLE cut_off DROP CONSTRAINT cycle_is_proposed_once_a_day")
        connection.execute(impossible)
    ran = desk.at("2026-11-23T16:00")
    assert "cycle" not in ran
    assert {"match", "verify", "accounts", "reviews", "letters"} <= set(ran)
    shown = office.run("jobs", "list")
    assert "cycle is never run: No job is due between 01:00 and 03:00" in shown.err


def test_what_needs_no_person_is_done_each_morning(office: Office, desk: Desk) -> None:
    """A member that joins late is assessed, a hold is remembered on its day, the letter about it lies in out/letters.

    November is assessed for three members, 600.00. D joins on 10 November and is in the roster of the 20th: 200.00 more
    on Monday, its first month whole.
    """
    assert desk.at("2026-11-20T08:00")["fees"] == "done: 2026-11: 3 members, 600.00"
    late = pharmacy(4, since=date(2026, 11, 10))
    office.run("members", "import", str(roster_file(office.folder / "roster-2.csv", (A, B, C, late))))
    why = ("--kind", "dispute", "--reason", "audit", "--authority", "clause 7", "--review-on", "2026-11-24")
    office.run("holds", "place", A.ncpdp_id, *why, "--date", "2026-11-20")
    monday = desk.at("2026-11-23T08:00")
    assert monday["fee_upkeep"].startswith("done: 2026-11: 1 members that joined since, 200.00;")
    assert monday["reviews"] == "done: 0 holds to look at; 0 owners of unclaimed money written to"
    assert monday["letters"].startswith("done: 1 letters left in ")
    (letter,) = (office.shell.home / "out" / "letters").iterdir()
    assert letter.name == f"letter-000001-{A.ncpdp_id}.txt"
    assert desk.at("2026-11-24T08:00")["reviews"].startswith("done: 1 holds to look at;")
    assert ("hold_review", "hold 1") in office.cases()


def test_a_proof_that_fails_is_an_exception_until_it_holds(office: Office, desk: Desk) -> None:
    """The night's run says that P10 fails and opens a case; the next one that finds it holding resolves it.

    The stored balances are made wrong behind the guards' back, by one cent, and put right again.
    """
    office.fund(remittance("T1", FRIDAY, Part(A, (900_00,))))
    desk.at("2026-11-20T09:00")
    with _behind_the_guards(office) as shift:
        shift(1)
        said = desk.at("2026-11-21T04:00")["verify"]
        assert said.startswith("done: ")
        assert "P10 fails, balances rebuilt from the lines are the stored ones" in said
        # Cash that no line made is found by the proof of coverage, too.
        failing = {subject for kind, subject in office.cases() if kind == "proof_failed"}
        assert failing == {"P3", "P10"}
        assert office.ask("jobs", "run", "verify", code=4)["state"] == "done"
        shift(-1)
    assert desk.at("2026-11-22T04:00")["verify"] == "done: all 11 proofs hold"
    assert [kind for kind, _ in office.cases() if kind == "proof_failed"] == []


@contextmanager
def _behind_the_guards(office: Office) -> Iterator[Callable[[int], None]]:
    def shift(cents: int) -> None:
        with psycopg.connect(office.shell.database_url, options="-c search_path=centralpay,pg_temp") as connection:
            # A trigger of the balances refuses any hand but the lines'; only a superuser can pass it by.
            connection.execute("SET session_replication_role = replica")
            connection.execute("UPDATE balance SET debit_cents = debit_cents + %s WHERE account = 'cash'", [cents])

    yield shift


# The commands --------------------------------------------------------------------------------------------------------


def test_jobs_are_commands(office: Office) -> None:
    """Each job runs when a person asks, as that person; what it said is a row with times and attempts."""
    listed = office.ask("jobs", "list")["jobs"]
    names = [each["job"] for each in listed]
    assert names == [
        "inbox", "match", "verify", "seal", "accounts", "fees", "fee_upkeep", "invoices", "reviews", "letters", "cycle",
    ]  # fmt: skip
    assert {each["last"] for each in listed} == {None}
    for name in names[:-1]:
        ran = office.ask("jobs", "run", name)
        assert (ran["state"], ran["attempt"]) == ("done", 1), ran
    ran = office.ask("jobs", "run", "cycle", code=5)
    assert (ran["state"], ran["error"][:20]) == ("refused", "Nothing is available")
    assert [each["job"] for each in office.ask("jobs", "runs")["runs"]] == names[::-1]
    assert office.ask("jobs", "runs", "--failed")["runs"] == []
    assert [each["job"] for each in office.ask("jobs", "runs", "--job", "match")["runs"]] == ["match"]
    assert "Jobs, by the bank's clock" in office.run("jobs", "list").out


def test_a_moment_can_be_made_up_for_by_hand(office: Office) -> None:
    """``--at`` runs a job for a moment of the past: October's fees; the second time it is done already, and says so."""
    first = office.ask("jobs", "run", "fees", "--at", "2026-10-01T06:00")
    assert (first["state"], first["outcome"]) == ("done", "2026-10: 3 members, 600.00")
    assert office.ask("jobs", "run", "fees", "--at", "2026-10-01T10:00:00Z") == first


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("jobs", "run", "nothing"), 2, "There is no job 'nothing'; there are inbox, match,"),
        (("jobs", "runs", "--job", "nothing"), 2, "There is no job 'nothing'"),
        (("jobs", "run", "fees", "--at", "tomorrow"), 2, "'tomorrow' is no moment"),
        (("jobs", "run", "fees", "--at", "2098-01-01T06:00"), 2, "has not come yet"),
        (("jobs", "run", "fees", "--at", "0001-01-01T06:00"), 2, "covers 1999 to 2099"),
        (("scheduler", "--once"), 5, "centralpay users add scheduler --role operator"),
        (("scheduler", "--once", "--as", CHECKER), 5, "charles is approver"),
        (("scheduler", "--once", "--as", MAKER), 5, "mary is admin"),
    ],
    ids=["no_job", "no_job_to_list", "no_moment", "future", "no_calendar", "no_user", "an_approver", "an_admin"],
)
def test_wrong_use_is_a_sentence(office: Office, words: tuple[str, ...], code: int, said: str) -> None:
    """What can not be is refused in one sentence, before anything is run."""
    assert said in office.run(*words, code=code).err
    assert office.ask("jobs", "runs")["runs"] == []


def test_nobody_becomes_an_admin_by_starting_a_scheduler(empty_office: Office) -> None:
    """In an installation where nobody has acted the first to act becomes admin: never the scheduler."""
    empty_office.run("scheduler", "--once", code=5)
    assert empty_office.ask("users", "list")["users"] == []


def test_once_does_what_is_due_and_ends(office: Office) -> None:
    """For those who have cron: what is due is done, and the second time nothing is."""
    office.run("users", "add", "scheduler", "--role", "operator")
    quiet = is_quiet(datetime.now(UTC))
    ran = {each["job"]: each["state"] for each in office.ask("scheduler", "--once")["runs"]}
    if not quiet:
        assert {"match": "done", "verify": "done", "accounts": "done", "reviews": "done"}.items() <= ran.items()
    # A full hour may strike between the two.
    assert {each["job"] for each in office.ask("scheduler", "--once")["runs"]} <= {"match"}


# The process ---------------------------------------------------------------------------------------------------------


def _process(office: Office, moment: datetime, *words: str) -> "subprocess.Popen[str]":
    """Start the scheduler as a process by a clock that shows this moment now."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    begun = ["--start", moment.isoformat(), "--begun", f"{time.time()}"]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.scheduling", *begun, *words],
        env=clean | office.shell.environment(None),
        stderr=subprocess.PIPE,
        text=True,
    )


def _wait_for(condition: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + _LONGEST_S
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
def test_a_signal_ends_it_cleanly(office: Office, number: signal.Signals) -> None:
    """SIGTERM and Ctrl-C: the run at work is finished, the process ends with 0, no run is left open."""
    office.run("users", "add", "scheduler", "--role", "operator")
    process = _process(office, local("2026-11-20T08:00"))
    _wait_for(lambda: len(office.ask("jobs", "runs")["runs"]) >= 3, process)
    process.send_signal(number)
    _, err = process.communicate(timeout=_LONGEST_S)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert {each["state"] for each in office.ask("jobs", "runs")["runs"]} <= {"done", "refused"}


_SLOW = """
import time
from app.scheduler.service import stopping_on_signals
with stopping_on_signals() as stop:
    print("up", flush=True)
    stop.wait()
    print("asked", flush=True)
    time.sleep(600)
"""


def test_a_second_signal_does_not_wait() -> None:
    """Who asks twice does not wait for the run at work: the process ends at once, with the signal's code."""
    process = subprocess.Popen([sys.executable, "-c", _SLOW], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for said in ("up", "asked"):
        assert process.stdout.readline().strip() == said
        process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=_LONGEST_S) == 128 + signal.SIGTERM
    process.stdout.close()


def test_a_database_that_was_away_is_found_again(office: Office) -> None:
    """All its connections are cut in the midst of the day: it says so, and the next hours are run as before."""
    office.run("users", "add", "scheduler", "--role", "operator")
    # An hour takes a second.
    process = _process(office, local("2026-11-20T08:00"), "--speed", "3600")
    _wait_for(lambda: len(_runs_of(office, "match")) >= 2, process)
    with psycopg.connect(office.shell.database_url, autocommit=True) as server:
        cut = server.execute("""
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()""").fetchall()
    before = len(_runs_of(office, "match"))
    _wait_for(lambda: len(_runs_of(office, "match")) >= before + 3, process)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=_LONGEST_S)
    assert cut
    assert process.returncode == 0, err
    assert "Traceback" not in err
    # A run that was cut off in its midst was taken over, and is done like the others.
    assert {each["state"] for each in _runs_of(office, "match")} == {"done"}


def _runs_of(office: Office, job: str) -> list[dict[str, Any]]:
    found = office.ask("jobs", "runs", "--job", job)["runs"]
    assert isinstance(found, list)
    return found


def test_two_processes_propose_once(office: Office) -> None:
    """Two schedulers from 14:59:57 on, until both have seen 15:00: one run of the cycle, one cycle, 700.00."""
    office.run("users", "add", "scheduler", "--role", "operator")
    office.fund(remittance("T1", FRIDAY, Part(A, (900_00,))))
    office.ask("fees", "assess", "--month", "2026-11")
    pair = [_process(office, local("2026-11-20T14:59:57")) for _ in range(2)]
    for process in pair:
        assert process.stderr is not None
        assert any("scheduler begins" in line for line in iter(process.stderr.readline, ""))
    _wait_for(lambda: any(each["said"] for each in _cycles(office)), pair[0])
    time.sleep(1)
    for process in pair:
        process.send_signal(signal.SIGTERM)
    ended = [process.communicate(timeout=_LONGEST_S) for process in pair]
    assert [process.returncode for process in pair] == [0, 0], ended
    at_cut_off = [each for each in _cycles(office) if each["scheduled_for"] == "2026-11-20T20:00:00Z"]
    assert [(each["state"], each["attempt"]) for each in at_cut_off] == [("done", 1)]
    assert "1 payouts, 700.00" in at_cut_off[0]["outcome"]
    assert [each["state"] for each in office.ask("cycle", "list")["cycles"]].count("proposed") == 1


def _cycles(office: Office) -> list[dict[str, Any]]:
    runs = office.ask("jobs", "runs", "--job", "cycle")["runs"]
    return [
        {**each, "said": each["outcome"] if each["scheduled_for"].startswith("2026-11-20") else ""} for each in runs
    ]


def test_an_embedded_database_that_died_is_started_again(quick_path: Path) -> None:
    """Killed under the scheduler, as for want of memory: the next look starts it, and the jobs go on."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    home = clean | {f"{PREFIX}HOME": str(quick_path / "home"), f"{PREFIX}USER": MAKER}
    for words in (["users", "add", CHECKER, "--role", "approver"], ["users", "add", "scheduler", "--role", "operator"]):
        subprocess.run([PROGRAM, *words], env=home, check=True, capture_output=True, timeout=_LONGEST_S)
    lock = quick_path / "home" / "postgres" / "postmaster.pid"
    moment = ["--start", local("2026-11-20T08:00").isoformat(), "--begun", f"{time.time()}"]
    words = [sys.executable, "-m", "tests.support.scheduling", *moment]
    process = subprocess.Popen(words, env=home, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = iter(process.stderr.readline, "")
    assert any("scheduler begins" in line for line in said)
    died = int(lock.read_text(encoding="ascii").split()[0])
    os.kill(died, signal.SIGKILL)
    (quick_path / "home" / "inbox").mkdir(exist_ok=True)
    (quick_path / "home" / "inbox" / "late.txt").write_bytes(b"nothing of ours")
    assert any('"job": "inbox"' in line for line in said)
    assert int(lock.read_text(encoding="ascii").split()[0]) != died
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=_LONGEST_S)
    assert process.returncode == 0, err
    assert not lock.exists()


def test_the_embedded_database_is_stopped_with_it(quick_path: Path) -> None:
    """SIGTERM ends the scheduler of an installation with its own server, and the server with it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    home = clean | {f"{PREFIX}HOME": str(quick_path / "home"), f"{PREFIX}USER": MAKER}
    for words in (["users", "add", CHECKER, "--role", "approver"], ["users", "add", "scheduler", "--role", "operator"]):
        subprocess.run([PROGRAM, *words], env=home, check=True, capture_output=True, timeout=_LONGEST_S)
    postmaster = quick_path / "home" / "postgres" / "postmaster.pid"
    assert not postmaster.exists()
    process = subprocess.Popen([PROGRAM, "scheduler", "--port", "0"], env=home, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = iter(process.stderr.readline, "")
    assert any("scheduler begins" in line for line in said)
    assert postmaster.exists()
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=_LONGEST_S)
    assert process.returncode == 0, err
    assert not postmaster.exists()
