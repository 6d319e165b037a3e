"""Runs of jobs: each moment once, tried again within bounds, taken over from the dead; the database holds the steps."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import ProgrammingError

from app.database import DatabaseError, Role, connected, reading, unit_of_work
from app.scheduler.job import Job, Outcome
from app.scheduler.runner import Runner
from app.session import Session
from app.settings import Settings
from ingest.cases import CaseKind, list_cases
from ledger.errors import DecidedOnceError, JournalAppendOnlyError
from payouts.errors import NothingToPayError, ProofGateError
from payouts.jobs.due import CatchUp, Due
from payouts.jobs.runs import Run, RunState, find_run, list_runs, open_runs
from payouts.jobs.timetable import HOURLY
from payouts.jobs.turn import MOST_DEATHS, Turn, take_lock
from payouts.people.users import UserRole, add_user
from tests.support.scheduling import HandClock, local

NINE = local("2026-11-20T09:00").astimezone(UTC)
TEN = NINE + timedelta(hours=1)
RUN_BY = "host:1"


@pytest.fixture
def clock() -> HandClock:
    """Give a clock that shows 09:00 on a Friday, by the bank's clock."""
    return HandClock(NINE)


@pytest.fixture
def session(app: Engine, database_url: str, quick_path: Path, clock: HandClock) -> Iterator[Session]:
    """Give a session of the user ``scheduler``, an operator, by that clock."""
    settings = Settings(home=quick_path, database_url=SecretStr(database_url))
    with unit_of_work(app) as connection:
        add_user(connection, "scheduler", UserRole.OPERATOR, "mary")
    with connected(database_url, Role.AUDITOR) as auditor:
        begin, look = partial(unit_of_work, app), partial(reading, auditor)
        yield Session(settings, "scheduler", begin, look, settings.keyring(), clock)


class Work:
    """A job's work that does as it is told, and counts."""

    def __init__(self, *ways: Exception | str) -> None:
        self.ways = list(ways)
        self.done: list[datetime] = []

    def __call__(self, session: Session, scheduled_for: datetime) -> Outcome:
        """Do the next of the ways: raise it, or say it."""
        assert session.clock() >= scheduled_for
        self.done.append(scheduled_for)
        way = self.ways.pop(0) if self.ways else "well"
        if isinstance(way, Exception):
            raise way
        return Outcome(way)


def _runner(session: Session, work: Callable[[Session, datetime], Outcome]) -> Runner:
    return Runner(session, [Job("hourly", "works", work, HOURLY, CatchUp.LATEST)])


def _run(session: Session, moment: datetime = NINE) -> Run:
    with session.reading() as connection:
        run = find_run(connection, "hourly", moment)
    assert run is not None
    return run


def _cases(session: Session) -> dict[str, str]:
    with session.reading() as connection:
        return {each.subject: each.detail for each in list_cases(connection) if each.kind is CaseKind.JOB_FAILED}


def _turn(connection: Connection, at: datetime = NINE) -> Turn:
    return Turn(connection, "hourly", NINE, at, RUN_BY, "scheduler")


# Runs ----------------------------------------------------------------------------------------------------------------


def test_a_moment_is_run_once(session: Session, clock: HandClock) -> None:
    """At 09:00 it runs, at 09:59 not again, at 10:00 the next; each run says when, by whom and what came of it."""
    work = Work("first", "second")
    runner = _runner(session, work)
    assert [each.said for each in runner.tick()] == ["first"]
    clock.set("2026-11-20T09:59")
    assert runner.tick() == []
    clock.set("2026-11-20T10:00")
    assert [each.said for each in runner.tick()] == ["second"]
    assert work.done == [NINE, TEN]
    run = _run(session)
    assert (run.state, run.attempt, run.outcome, run.error) == (RunState.DONE, 1, "first", None)
    assert [(each.attempt, each.ended, each.said) for each in run.attempts] == [(1, "done", "first")]


def test_an_error_is_tried_again_after_1_5_and_15_minutes(session: Session, clock: HandClock) -> None:
    """Three more attempts, each at its time and not before; then the run has failed, and a person is told."""
    work = Work(*[DatabaseError("The disk is full.")] * 4)
    runner = _runner(session, work)
    for minutes, state in ((0, RunState.WAITING), (1, RunState.WAITING), (6, RunState.WAITING), (21, RunState.FAILED)):
        clock.at = NINE + timedelta(minutes=minutes, seconds=-1)
        assert minutes == 0 or runner.tick() == []
        clock.at = NINE + timedelta(minutes=minutes)
        assert [each.state for each in runner.tick()] == [state]
    clock.at = NINE + timedelta(minutes=59)
    assert runner.tick() == []
    run = _run(session)
    assert (run.attempt, run.error) == (4, "DatabaseError: The disk is full.")
    assert [each.ended for each in run.attempts] == ["failed"] * 4
    assert list(_cases(session)) == ["hourly 2026-11-20T14:00:00Z"]
    assert "jobs run hourly --at 2026-11-20T14:00:00Z" in _cases(session)["hourly 2026-11-20T14:00:00Z"]


def test_a_later_run_that_is_done_resolves_the_case(session: Session, clock: HandClock) -> None:
    """The failed run stays as it is; the exception about it is over when the job works again."""
    runner = _runner(session, Work(*[OSError(28, "No space left on device")] * 4))
    for minutes in (0, 1, 6, 21):
        clock.at = NINE + timedelta(minutes=minutes)
        runner.tick()
    assert len(_cases(session)) == 1
    clock.at = TEN
    assert [each.state for each in runner.tick()] == [RunState.DONE]
    assert _cases(session) == {}
    assert _run(session).state is RunState.FAILED
    assert _run(session).error == "OSError: No space left on device"


def test_a_job_that_goes_on_failing_is_one_case(session: Session, clock: HandClock) -> None:
    """Two runs in a row fail for good: one exception, which tells the last of them."""
    runner = _runner(session, Work(*[OSError(5, "Input/output error")] * 8))
    for hours in (0, 1):
        for minutes in (0, 1, 6, 21):
            clock.at = NINE + timedelta(hours=hours, minutes=minutes)
            runner.tick()
    assert [(subject, "T15:00:00Z" in detail) for subject, detail in _cases(session).items()] == [
        ("hourly 2026-11-20T14:00:00Z", True)
    ]


@pytest.mark.parametrize(
    "refusal",
    [NothingToPayError(NINE.date()), ProofGateError("P4", "bank differs")],
    ids=["nothing_to_pay", "proof_gate"],
)
def test_a_refusal_is_an_answer(session: Session, clock: HandClock, refusal: Exception) -> None:
    """What a rule refuses is kept with its sentence, is no exception, and is not tried again."""
    runner = _runner(session, Work(refusal))
    assert [each.state for each in runner.tick()] == [RunState.REFUSED]
    clock.at = NINE + timedelta(minutes=30)
    assert runner.tick() == []
    assert _run(session).error == str(refusal)
    assert _cases(session) == {}


def test_what_others_libraries_say_is_not_kept(session: Session) -> None:
    """The text of an error that is none of ours may quote what it read: its class and place are kept, nothing else."""
    runner = _runner(session, Work(ValueError("JANE DOE 1950-01-01")))
    (run,) = runner.tick()
    assert run.error is not None
    assert run.error.startswith("ValueError at test_jobs.py:")
    assert "JANE" not in run.model_dump_json()


def test_a_person_can_try_again_what_failed(session: Session, clock: HandClock) -> None:
    """A run that has failed is begun anew when somebody asks, as its next attempt; what is done is not."""
    runner = _runner(session, Work(*[OSError(5, "Input/output error")] * 4))
    for minutes in (0, 1, 6, 21):
        clock.at = NINE + timedelta(minutes=minutes)
        runner.tick()
    job = runner.job("hourly")
    assert runner.run(job, Due(NINE)) is None
    again = runner.run(job, Due(NINE), again=True)
    assert again is not None
    assert (again.state, again.attempt) == (RunState.DONE, 5)
    assert runner.run(job, Due(NINE), again=True) is None
    assert _cases(session) == {}


def test_a_job_without_its_right_is_refused(session: Session, app: Engine) -> None:
    """A user who may only read runs nothing: the refusal is the run's answer."""
    with unit_of_work(app) as connection:
        add_user(connection, "audrey", UserRole.AUDITOR, "mary")
    work = Work()
    reader = Session(session.settings, "audrey", session.begin, session.reading, session.keyring, session.clock)
    (run,) = _runner(reader, work).tick()
    assert (run.state, work.done) == (RunState.REFUSED, [])


def test_nothing_begins_in_the_hours_in_which_clocks_change(session: Session, clock: HandClock) -> None:
    """At 02:30 what was missed at 00:00 waits until 03:00."""
    runner = _runner(session, Work())
    clock.set("2026-11-21T02:30")
    assert runner.tick() == []
    clock.set("2026-11-21T03:00")
    assert [each.scheduled_for for each in runner.tick()] == [local("2026-11-21T03:00")]


def test_a_clock_that_went_wrong_stops_nothing(session: Session, clock: HandClock) -> None:
    """A run of the year 2030, made while the machine's clock said so, does not keep the next hours from being run."""
    runner = _runner(session, Work())
    clock.set("2030-01-02T09:00")
    assert len(runner.tick()) == 1
    clock.at = TEN
    assert [each.scheduled_for for each in runner.tick()] == [TEN]


def test_what_a_run_asks_for_follows_it(session: Session) -> None:
    """A job that names another one is followed by it at once, in a run of its own."""
    done: list[str] = []

    def first(session: Session, _: datetime) -> Outcome:
        done.append("first")
        return Outcome(session.actor, then=("second",))

    def second(session: Session, _: datetime) -> Outcome:
        done.append("second")
        return Outcome(session.actor)

    jobs = [Job("second", "follows", second, HOURLY), Job("first", "asks", first, HOURLY)]
    ran = Runner(session, jobs).tick()
    assert done == ["second", "first", "second"]
    assert [each.job for each in ran] == done


# Those who die, and those who work at once ---------------------------------------------------------------------------


def test_the_run_of_a_dead_process_is_taken_over(session: Session, clock: HandClock) -> None:
    """A row that says it runs, and nobody holds its lock: the next one does it, as another attempt of the same row."""
    with session.begin() as connection:
        assert _turn(connection).begin() == 1
    clock.at = NINE + timedelta(minutes=2)
    work = Work("after all")
    (run,) = _runner(session, work).tick()
    assert (run.scheduled_for, run.attempt, run.state) == (NINE, 2, RunState.DONE)
    assert [(each.attempt, each.ended) for each in run.attempts] == [(1, "died"), (2, "done")]
    assert run.attempts[0].run_by == RUN_BY
    assert work.done == [NINE]


def test_the_run_of_a_living_process_is_left_alone(session: Session) -> None:
    """While its lock is held nobody else touches a run, nor begins another of the same job."""
    work = Work()
    with session.begin() as guard:
        assert take_lock(guard, "hourly")
        with session.begin() as connection:
            assert _turn(connection).begin() == 1
        assert _runner(session, work).tick() == []
    assert work.done == []


def test_who_was_taken_over_writes_nothing(session: Session, clock: HandClock) -> None:
    """A process that lost its lock and comes to its end late changes neither the row nor the exceptions."""
    with session.begin() as connection:
        attempt = _turn(connection).begin()
    assert attempt == 1
    _runner(session, Work("the second's")).tick()
    with session.begin() as connection:
        late = _turn(connection, NINE + timedelta(minutes=5))
        assert not late.done(1, "the first's")
        assert late.failed(1, "late") is None
        assert not late.refused(1, "late")
    assert _run(session).outcome == "the second's"
    assert clock.at == NINE


def test_a_run_that_kills_its_process_is_given_up(session: Session) -> None:
    """After ten dead processes a person looks; the scheduler goes on with the rest."""
    for number in range(1, MOST_DEATHS + 1):
        with session.begin() as connection:
            assert _turn(connection).begin() == number
    work = Work()
    assert _runner(session, work).tick() == []
    assert work.done == []
    assert (_run(session).state, _run(session).attempt) == (RunState.FAILED, MOST_DEATHS)
    assert list(_cases(session)) == ["hourly 2026-11-20T14:00:00Z"]


def test_two_at_once_run_each_moment_once(session: Session, clock: HandClock) -> None:
    """Two schedulers tick together through two days of hours: 44 moments, 44 runs, every one of them done once."""
    work = Work()
    runners = [_runner(session, work), _runner(session, work)]
    begin = local("2026-11-20T09:00")
    with ThreadPoolExecutor(2) as pool:
        for hour in range(48):
            clock.at = begin + timedelta(hours=hour)
            barrier = Barrier(2)

            def tick(runner: Runner, together: Barrier = barrier) -> list[Run]:
                together.wait()
                return runner.tick()

            ran = [run for found in pool.map(tick, runners) for run in found]
            if not ran and clock.at.hour not in (1, 2):
                raise AssertionError(f"nobody ran at {clock.at}")
    expected = [each.replace(tzinfo=UTC) for each in HOURLY.moments(begin - timedelta(seconds=1), clock.at)]
    assert len(expected) == 44
    assert sorted(work.done) == expected
    with session.reading() as connection:
        assert open_runs(connection) == []
        assert {(each.state, each.attempt) for each in list_runs(connection)} == {(RunState.DONE, 1)}


# What the database refuses -------------------------------------------------------------------------------------------

_ADD = "INSERT INTO job_run (job, scheduled_for, started_at, run_by) VALUES ('j', now(), now(), 'h:1')"
_DONE = "UPDATE job_run SET state = 'done', finished_at = now(), outcome = 'well'"


_AGAIN = "UPDATE job_run SET state = 'running', attempt = 2, finished_at = NULL, outcome = NULL"
_LATE = "INSERT INTO job_run (job, scheduled_for, started_at, run_by, attempt) VALUES ('j', now(), now(), 'h', 2)"
_OTHER = "UPDATE job_run SET run_by = 'x', state = 'done', finished_at = now(), outcome = 'o'"


@pytest.mark.parametrize(
    ("statements", "error"),
    [
        ([_LATE], DecidedOnceError),
        ([_ADD, _DONE, _AGAIN], DecidedOnceError),
        ([_ADD, _DONE, "UPDATE job_run SET outcome = 'better'"], DecidedOnceError),
        ([_ADD, "UPDATE job_run SET attempt = 3"], DecidedOnceError),
        ([_ADD, "UPDATE job_run SET state = 'running'"], DecidedOnceError),
        ([_ADD, _OTHER], JournalAppendOnlyError),
        ([_ADD, "UPDATE job_run SET scheduled_for = '2027-01-01', attempt = 2"], JournalAppendOnlyError),
        ([_ADD, "UPDATE job_run SET moments = 2, attempt = 2"], JournalAppendOnlyError),
        ([_ADD, "DELETE FROM job_run"], JournalAppendOnlyError),
        ([_ADD, _DONE, "UPDATE job_attempt SET said = 'x'"], JournalAppendOnlyError),
        ([_ADD, _DONE, "DELETE FROM job_attempt"], JournalAppendOnlyError),
        ([_ADD, "TRUNCATE job_run, job_attempt"], JournalAppendOnlyError),
    ],
    ids=[
        "begins_late", "done_stays", "outcome_stays", "attempt_skipped", "attempt_repeated", "another_ends_it",
        "moment_changed", "moments_changed", "deleted", "attempt_changed", "attempt_deleted", "truncated",
    ],
)  # fmt: skip
def test_steps_that_are_refused_whoever_writes(owner: Engine, statements: list[str], error: type[Exception]) -> None:
    """Even the owner of the tables can not write what no run does."""
    with pytest.raises(error):
        _execute(owner, *statements)


def _execute(engine: Engine, *statements: str) -> None:
    with unit_of_work(engine) as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_every_end_of_an_attempt_is_kept_by_the_database(owner: Engine) -> None:
    """Whoever ends or takes over an attempt, by whatever statement, its row of the past is there."""
    _execute(
        owner,
        _ADD,
        "UPDATE job_run SET attempt = 2, run_by = 'h:2', started_at = now()",
        "UPDATE job_run SET state = 'waiting', finished_at = now(), retry_at = now(), error = 'E: no'",
        "UPDATE job_run SET state = 'running', attempt = 3, finished_at = NULL, retry_at = NULL, error = NULL",
        _DONE,
    )
    with unit_of_work(owner) as connection:
        rows = connection.execute(text("SELECT attempt, ended, said, run_by FROM job_attempt ORDER BY 1")).all()
    assert [tuple(row) for row in rows] == [
        (1, "died", "its process ended before it did", "h:1"),
        (2, "failed", "E: no", "h:2"),
        (3, "done", "well", "h:2"),
    ]


def test_the_application_writes_no_attempts(app: Engine) -> None:
    """What was tried is written by the database alone."""
    chosen = "SELECT job, scheduled_for, 1, now(), now(), 'h', 'done', 'x'"
    with pytest.raises(ProgrammingError, match="permission denied"):
        _execute(app, _ADD, f"INSERT INTO job_attempt {chosen} FROM job_run")
