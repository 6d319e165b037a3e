"""Closing months: ``close``, ``periods``."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.dates import day_from, month_from
from app.cli.moment import KnownAt, asked
from app.cli.people import show_approval
from app.cli.screen import SCREEN, AsJson, AsUser, Bar, print_json, print_table, progress, warn
from app.exit_codes import ExitCode
from app.packages import closer
from app.session import opened
from payouts.closing.carrying import Carry
from payouts.closing.errors import MonthBlockedError, MonthNotProvenError
from payouts.closing.model import STEP_LEFT, Carried, Check, Close, Step, Tell, Verdict
from payouts.closing.reading import Told, closes, open_months, standing, told
from payouts.closing.reopening import propose_reopening
from schemas.errors import WrongUseError

periods = typer.Typer(help="Accounting months, open and closed.", no_args_is_help=True)

MonthName = Annotated[str, typer.Argument(metavar="YYYY-MM", help="The month.")]
PackageFolder = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Where its package comes; else 'closed' in the home.")
]


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    app.command("close")(close_month)
    app.add_typer(periods, name="periods")


def close_month(
    month: Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="The month.")],
    out: PackageFolder = None,
    carry: Annotated[
        list[str] | None,
        typer.Option("--carry", metavar="CASE", help="Carry over an open exception (its number), or a check by name."),
    ] = None,
    reason: Annotated[
        list[str] | None, typer.Option("--reason", metavar="TEXT", help="Why, one for each --carry, or one for all.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only look: what would stand in the way.")] = False,
    on: Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="Business date; else today.")] = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Close a month: check, lock it in the database, seal, write its package. Run again, it does what is missing.

    An approver's act. Exit code 4: a proof or the bank's tie-out fails; 5: a rule refuses, or something open blocks.

    Example: centralpay close --month 2026-10 --check
    """
    first, carries = month_from(month), _carries(carry or [], reason or [])
    with opened(as_user, warn) as session, _telling(as_json=as_json), progress("checking", None) as bar:
        tell, closing = _steps(bar), closer(session)
        if check:
            found = closing.check(first, carries, tell)
        else:
            folder = (out or session.settings.closed_dir).absolute()
            made = closing.close(first, session.today if on is None else day_from(on), carries, folder, tell)
            with session.reading() as connection:
                said = told(connection, made)
    if check:
        _show_findings(month, found.checks, found.carried, as_json=as_json)
        if found.of(Verdict.FAILS):
            raise typer.Exit(ExitCode.PROOF_FAILED)
        if found.of(Verdict.BLOCKS):
            raise typer.Exit(ExitCode.REFUSED)
        return
    if as_json:
        print_json(_json(said) | {"package": str(folder / made.folder)})
        return
    _show_closes([made])
    print_table("Checks", _CHECK_COLUMNS, [_check_row(each) for each in said.checks])
    SCREEN.print(f"Package: {folder / made.folder}", soft_wrap=True)
    SCREEN.print(f"Manifest SHA-256: {made.manifest_sha256}", soft_wrap=True)


@periods.command("list")
def list_periods(known_at: KnownAt = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """List the months that were closed, every version, and the open ones in which something was posted.

    Example: centralpay periods list
    """
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        found, still_open = closes(connection), open_months(connection)
    if as_json:
        months = [each.model_dump(mode="json") for each in still_open]
        print_json(moment.known | {"closes": [_close_json(each) for each in found], "open": months})
        return
    _show_closes(found)
    rows = [[f"{each.month:%Y-%m}", each.transactions] for each in still_open]
    print_table("Open months", ["month", "transactions#"], rows)
    moment.say()


@periods.command("show")
def show_period(month: MonthName, known_at: KnownAt = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Show a month: its closes, what each rests on, what was carried over, and which step is missing.

    Example: centralpay periods show 2026-10
    """
    first = month_from(month)
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        state = "open" if standing(connection, first) is None else "closed"
        found = [told(connection, each) for each in closes(connection, first)]
    if as_json:
        print_json(moment.known | {"month": month, "state": state, "closes": [_json(each) for each in found]})
        return
    SCREEN.print(f"{month} is {state}")
    for each in found:
        close = each.close
        _show_closes([close])
        if left := STEP_LEFT[close.step]:
            SCREEN.print(f"Missing: {left} --month {month}", soft_wrap=True)
        if close.edition > 1:
            SCREEN.print(f"Package: edition {close.edition}, {close.edition_reason}", markup=False)
        if close.step is Step.REOPENED:
            who = f"{close.requested_by} asked, {close.approved_by} approved"
            SCREEN.print(f"Reopened {_moment(close.reopened_at)}: {close.reopened_reason} ({who})", markup=False)
        print_table("Checks", _CHECK_COLUMNS, [_check_row(check) for check in each.checks])
        _show_carried(each.carried)
        rows = [
            [
                day.custodial_account_id,
                day.as_of,
                day.closing_cents,
                day.booked_cents,
                day.difference_cents,
            ]
            for day in each.days
        ]
        print_table("Bank tie-out (P4)", ["account#", "day", "bank closes", "books", "difference"], rows)
    moment.say()


@periods.command("reopen")
def reopen(
    month: MonthName,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept, and told in the package.")],
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Ask a second person to open a closed month again; what was written of it stays, its next close supersedes it.

    Example: centralpay periods reopen 2026-10 --reason 'a deposit was booked twice' --as olga
    """
    first = month_from(month)
    with opened(as_user, warn) as session, session.begin() as connection:
        approval_id = propose_reopening(connection, first, reason, session.actor)
    show_approval(approval_id, "pending", as_json=as_json)


@periods.command("repack")
def repack(
    month: MonthName,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept, and told in the package.")],
    out: PackageFolder = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Write a closed month's package that was lost; where this program gives other bytes, as another edition of it.

    An approver's act. The edition is of the same close and checkpoint, and names the package that it takes the place
    of. Exit code 4: the seal does not hold, or something else stands there.

    Example: centralpay periods repack 2026-10 --reason 'the disk with the packages was lost' --as charles
    """
    first = month_from(month)
    with opened(as_user, warn) as session, progress("checking the seal", None) as bar:
        folder = (out or session.settings.closed_dir).absolute()
        made = closer(session).repack(first, reason, folder, _steps(bar))
    if as_json:
        print_json(_close_json(made) | {"package": str(folder / made.folder)})
        return
    _show_closes([made])
    SCREEN.print(f"Package: {folder / made.folder}", soft_wrap=True)
    SCREEN.print(f"Manifest SHA-256: {made.manifest_sha256}", soft_wrap=True)


_HOW = {True: "by name", False: "by its kind"}
_CHECK_COLUMNS = ["check", "verdict", "looked at#", "found#", "amount", "what"]


def _steps(bar: Bar) -> Tell:
    def tell(step: str, done: int, total: int | None) -> None:
        bar.step(step)
        bar.at(done, total)

    return tell


def _carries(subjects: Sequence[str], reasons: Sequence[str]) -> list[Carry]:
    if reasons and not subjects:
        raise WrongUseError("--reason says why something is carried over: say --carry CASE too")
    if len(reasons) not in (1, len(subjects)):
        raise WrongUseError("Say a --reason for each --carry, or one for all of them")
    return [Carry(each, reasons[place if len(reasons) > 1 else 0]) for place, each in enumerate(subjects)]


@contextmanager
def _telling(*, as_json: bool) -> Iterator[None]:
    """Print the table of what stands in the way, for people, before the error is said."""
    try:
        yield
    except (MonthNotProvenError, MonthBlockedError) as error:
        if not as_json:
            print_table(
                "What stands in the way", [*_CHECK_COLUMNS, "what to do"], [_todo_row(each) for each in error.checks]
            )
        raise


def _show_findings(month: str, checks: Sequence[Check], carried: Sequence[Carried], *, as_json: bool) -> None:
    if as_json:
        rows = [each.model_dump(mode="json") for each in checks]
        print_json({"month": month, "checks": rows, "carried": [each.model_dump(mode="json") for each in carried]})
        return
    print_table(f"Closing {month}", [*_CHECK_COLUMNS, "what to do"], [_todo_row(each) for each in checks])
    _show_carried(carried)


def _show_carried(carried: Sequence[Carried]) -> None:
    rows = [
        [
            each.subject,
            each.kind,
            each.about,
            each.amount_cents,
            _HOW[each.by_name],
            each.reason,
        ]
        for each in carried
    ]
    print_table("Carried over", ["what", "kind", "about", "amount", "how", "why"], rows)


def _check_row(check: Check) -> list[object]:
    said = check.verdict.value.upper() if check.verdict in (Verdict.FAILS, Verdict.BLOCKS) else check.verdict.value
    return [check.name, said, check.checked, check.found, check.amount_cents, check.detail]


def _todo_row(check: Check) -> list[object]:
    return [*_check_row(check), check.todo]


def _show_closes(found: Sequence[Close]) -> None:
    rows = [
        [
            f"{each.month:%Y-%m}",
            each.version,
            each.step.value,
            _moment(each.closed_at),
            each.closed_by,
            None if each.checkpoint_size is None else str(each.checkpoint_size),
            (each.manifest_sha256 or "")[:16],
            (each.supersedes or "")[:16],
        ]
        for each in found
    ]
    columns = ["month", "version#", "is", "closed (UTC)", "by", "checkpoint", "manifest", "supersedes"]
    print_table("Closed months", columns, rows)


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


def _close_json(close: Close) -> dict[str, Any]:
    month: date = close.month
    return close.model_dump(mode="json") | {"month": f"{month:%Y-%m}", "step": close.step.value}


def _json(said: Told) -> dict[str, Any]:
    return _close_json(said.close) | {
        "checks": [each.model_dump(mode="json", exclude={"todo"}) for each in said.checks],
        "carried": [each.model_dump(mode="json") for each in said.carried],
        "tie_out": [each.model_dump(mode="json") for each in said.days],
    }
