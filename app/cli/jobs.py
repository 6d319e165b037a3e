"""What runs by the clock: ``scheduler``, ``jobs``."""

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from app.cli.dates import known
from app.cli.screen import AsJson, AsUser, print_json, print_table, warn
from app.exit_codes import ExitCode
from app.running.health import serving
from app.scheduler.inbox import Inbox
from app.scheduler.job import Job
from app.scheduler.jobs import declared
from app.scheduler.runner import Runner
from app.scheduler.service import SCHEDULER_USER, see_scheduler_user, serve, stopping_on_signals
from app.session import Session, opened
from payouts.jobs.due import Due, next_moment
from payouts.jobs.errors import FutureRunError, JobRunningError, QuietHoursError
from payouts.jobs.runs import Run, RunState, find_run, last_runs, list_runs
from payouts.people.users import OPERATORS, require
from schemas.calendar import BANK_ZONE
from schemas.errors import WrongUseError

jobs = typer.Typer(help="What the scheduler runs by the clock, and what came of it.", no_args_is_help=True)

_EXIT = {RunState.DONE: ExitCode.DONE, RunState.REFUSED: ExitCode.REFUSED}
_MOST = 10_000


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    app.command("scheduler")(scheduler)
    app.add_typer(jobs, name="jobs")


def scheduler(
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, and end.")] = False,
    port: Annotated[
        int | None, typer.Option(metavar="N", help="Serve health and metrics on this port of 127.0.0.1; 0: a free one.")
    ] = None,
    as_json: AsJson = False,
    as_user: Annotated[
        str, typer.Option("--as", metavar="USER", help="Who acts: an operator of the scheduler's own.")
    ] = SCHEDULER_USER,
) -> None:
    """Run the jobs by the bank's clock until told to stop (SIGTERM, Ctrl-C); what was missed is made up for.

    It proposes and never approves. Two schedulers at once do no harm: each moment of a job is run once.

    Example: centralpay scheduler --once
    """
    # Signals first: who is told to stop while the database starts lets it start, and stops it.
    with stopping_on_signals() as stop, opened(as_user, warn) as session, ExitStack() as stack:
        see_scheduler_user(session)
        if port is not None:
            warn(f"Health and metrics on http://127.0.0.1:{stack.enter_context(serving(session, port))}")
        runner, inbox = _runner(session, stop)
        if not once:
            inbox.look()  # where the folder is not fit this says so at once
            serve(runner, stop)
            return
        inbox.look_twice()
        ran = runner.drain()
    if as_json:
        print_json({"runs": [_run_json(each) for each in ran]})
    else:
        _show_runs("Runs", ran, empty="nothing is due")
    if any(each.state in (RunState.WAITING, RunState.FAILED) for each in ran):
        raise typer.Exit(ExitCode.FAILED)
    if runner.proof_failed:
        raise typer.Exit(ExitCode.PROOF_FAILED)


@jobs.command("list")
def show_jobs(as_json: AsJson = False, as_user: AsUser = None) -> None:
    """List the jobs: when each is due, what its last run said, when the next one is.

    Example: centralpay jobs list
    """
    with opened(as_user, warn) as session:
        runner, _ = _runner(session)
        with session.reading() as connection:
            last = last_runs(connection, list(runner.jobs))
        rows = [(each, last.get(each.name), _next(each, session.now)) for each in runner.jobs.values()]
    if as_json:
        print_json({"jobs": [_job_json(*row) for row in rows]})
        return
    table = [
        [job.name, job.says, job.when, *_last(run), _local(coming) or "at the next look"] for job, run, coming in rows
    ]
    print_table("Jobs, by the bank's clock", ["job", "does", "when", "last", "state", "next"], table)


@jobs.command("runs")
def show_runs(
    job: Annotated[str | None, typer.Option(metavar="NAME", help="Only this job's.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only those of which an attempt failed or died.")] = False,
    most: Annotated[int, typer.Option(metavar="N", min=1, max=_MOST, help="No more than that, the latest.")] = 50,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """List runs, the last begun first, with what came of them.

    Example: centralpay jobs runs --job match
    """
    with opened(as_user, warn) as session:
        if job is not None:
            _runner(session)[0].job(job)
        with session.reading() as connection:
            found = list_runs(connection, job=job, failed=failed, most=most)
    if as_json:
        print_json({"runs": [_run_json(each) for each in found]})
        return
    _show_runs("Runs, by the bank's clock", found, empty="none yet")


@jobs.command("run")
def run_job(
    name: Annotated[str, typer.Argument(metavar="NAME", help="See: centralpay jobs list.")],
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="For a moment that was missed or failed, as jobs runs --json says it."),
    ] = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Run a job now, as yourself, due or not; or for a moment that was missed. What is done already is not done again.

    Example: centralpay jobs run match
    """
    with opened(as_user, warn) as session:
        runner, inbox = _runner(session)
        job = runner.job(name)
        with session.begin() as connection:
            # Before a row of the run is there: the runner itself writes a refusal down, for it is the clock's.
            require(connection, session.actor, OPERATORS)
        if job.ready is not None:
            inbox.look_twice()
        run = runner.run_now(job) if at is None else _run_at(session, runner, job, _moment(at, session))
        if run is None:
            raise JobRunningError(name)
    if as_json:
        print_json(_run_json(run))
    else:
        _show_runs("Run", [run], empty="none")
    code = ExitCode.PROOF_FAILED if runner.proof_failed else _EXIT.get(run.state, ExitCode.FAILED)
    if code is not ExitCode.DONE:
        raise typer.Exit(code)


def _runner(session: Session, stop: threading.Event | None = None) -> tuple[Runner, Inbox]:
    inbox = Inbox(session.settings.inbox_dir)
    stopping = (stop or threading.Event()).is_set
    return Runner(session, declared(session, inbox, stopping), stopping=stopping), inbox


def _run_at(session: Session, runner: Runner, job: Job, moment: datetime) -> Run | None:
    run = runner.run(job, Due(moment), again=True)
    if run is not None:
        return run
    with session.reading() as connection:
        before = find_run(connection, job.name, moment)
    return before if before is not None and before.state is RunState.DONE else None


def _moment(text: str, session: Session) -> datetime:
    """Read a moment; without a time zone it is one of the bank's clock.

    Raises:
        WrongUseError: it is none, or in no year of the banking calendar.
        FutureRunError: it has not come yet.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise WrongUseError(
            f"{text!r} is no moment; write it as 2026-11-20T15:00, or as jobs runs --json says it"
        ) from None
    known(moment.date())
    moment = moment.replace(tzinfo=BANK_ZONE) if moment.tzinfo is None else moment
    if moment > session.now:
        raise FutureRunError(moment.astimezone(BANK_ZONE))
    return moment.astimezone(UTC)


def _next(job: Job, now: datetime) -> datetime | None:
    try:
        return None if job.timetable is None else next_moment(job.timetable, now)
    except QuietHoursError as error:
        warn(f"{job.name} is never run: {error}")
        return None


def _last(run: Run | None) -> tuple[str | None, str]:
    return (None, "never ran") if run is None else (_local(run.scheduled_for), run.state.value)


def _local(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(BANK_ZONE):%Y-%m-%d %H:%M}"


def _show_runs(title: str, found: Sequence[Run], *, empty: str) -> None:
    rows = [
        [each.job, _local(each.scheduled_for), each.state.value, each.attempt, _took(each), each.said] for each in found
    ]
    columns = ["job", "for", "state", "try#", "seconds", "what"]
    print_table(title, columns, rows, empty=empty)


def _took(run: Run) -> str:
    return "" if run.finished_at is None else f"{(run.finished_at - run.started_at).total_seconds():.1f}"


def _run_json(run: Run) -> dict[str, Any]:
    return run.model_dump(mode="json")


def _job_json(job: Job, run: Run | None, coming: datetime | None) -> dict[str, Any]:
    return {
        "job": job.name,
        "does": job.says,
        "when": job.when,
        "last": None if run is None else _run_json(run),
        "next_at": None if coming is None else coming.isoformat(),
    }
