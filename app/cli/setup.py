"""``centralpay db`` and ``centralpay demo``."""

from datetime import date
from typing import Annotated, Final

import typer

from app import database
from app.cli.dates import day_from
from app.cli.screen import SCREEN, AsJson, AsUser, print_json, print_table
from app.session import note_read
from app.settings import Settings
from ledger.reads import AuditorLogin, auditor_logins
from schemas.errors import WrongUseError

_FIRST_YEAR: Final = 2001
_LAST_YEAR: Final = 2048
"""Books have accounting periods from 2000 to 2049."""

db = typer.Typer(help="The database: its schema, backups, and what is restored from them.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    app.add_typer(db, name="db")
    app.command("demo")(demo)


@db.command("upgrade")
def upgrade(as_json: AsJson = False) -> None:
    """Bring the schema up to date.

    Example: centralpay db upgrade
    """
    settings = Settings.from_environment()
    settings.make_folders()
    with database.opened(settings) as url:
        database.upgrade(url)
        _show(database.status(url), as_json=as_json)


@db.command("status")
def status(as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Say which server and which schema there is, and whether the server logs what auditors ask it by SQL.

    Example: centralpay db status
    """
    settings = Settings.from_environment()
    settings.make_folders()
    with database.opened(settings) as url:
        note_read(settings, url, as_user)
        found = database.status(url)
        with database.connected(url, None) as engine, database.reading(engine) as connection:
            auditors = auditor_logins(connection)
    if not as_json:
        _show(found, as_json=False)
        _show_auditors(auditors)
        return
    print_json(_facts(found) | {"auditor_logins": [each._asdict() for each in auditors]})


def demo(
    days: Annotated[
        int, typer.Option(min=1, max=31, help="Banking days: 1 is a day with all kinds of files, more are a week.")
    ] = 1,
    pharmacies: Annotated[
        int | None, typer.Option(help="How many pharmacies.", show_default="200; of a week 60")
    ] = None,
    claims: Annotated[
        int | None, typer.Option(help="How many claims a day.", show_default="20000; of a week 1000")
    ] = None,
    payers: Annotated[int | None, typer.Option(help="How many payers; a week has six.", show_default="6")] = None,
    seed: Annotated[int, typer.Option(help="The same seed makes the same files.")] = 20261120,
    day: Annotated[
        str | None,
        typer.Option("--date", help="The first day.", show_default="2026-11-20; of a week 2026-11-23"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a whole payment day, or a week, on generated files in HOME/demo; ends with the proofs.

    A week goes day by day: returns, a correction, a negative recovered, a holiday, a month's end with fees.

    Example: centralpay demo --days 7
    """
    if days == 1:
        from app.demo.run import DemoSize, run_demo  # noqa: PLC0415 (the generator is of no use to any other command)

        size = DemoSize(_said(pharmacies, 200), _said(claims, 20_000), _said(payers, 6), seed)
        run_demo(size, _begins(day or "2026-11-20"), as_json=as_json)
        return
    if payers is not None:
        raise WrongUseError("--payers: a week of the demonstration always has six")
    from app.demo.week.plan import WeekSize  # noqa: PLC0415 (see above)
    from app.demo.week.run import run_week  # noqa: PLC0415 (see above)

    size_of_week = WeekSize(days, _said(pharmacies, 60), _said(claims, 1_000), seed)
    run_week(size_of_week, _begins(day or "2026-11-23"), as_json=as_json)


def _begins(text: str) -> date:
    """Read the first day; the demonstration also needs the days around it.

    Raises:
        WrongUseError: it is none, or in a year that has no accounting periods before and after it.
    """
    day = day_from(text)
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise WrongUseError(f"--date: a demonstration begins in the years {_FIRST_YEAR} to {_LAST_YEAR}, not {day}")
    return day


def _said(number: int | None, otherwise: int) -> int:
    return otherwise if number is None else number


def _show(found: database.SchemaStatus, *, as_json: bool) -> None:
    if as_json:
        print_json(_facts(found))
        return
    rows = [[found.server, found.current or "empty", ", ".join(found.pending) or "up to date"]]
    print_table("Database", ["PostgreSQL", "schema", "pending"], rows)


def _facts(found: database.SchemaStatus) -> dict[str, object]:
    return {"server": found.server, "current": found.current, "pending": list(found.pending)}


def _show_auditors(auditors: list[AuditorLogin]) -> None:
    if not auditors:
        return
    rows = [[each.name, "logged" if each.is_logged else "NOT LOGGED"] for each in auditors]
    print_table("Auditors with a login of their own", ["login", "its SQL is"], rows)
    if not all(each.is_logged for each in auditors):
        SCREEN.print("To have it logged, as a superuser: ALTER ROLE … SET log_statement = 'all'", soft_wrap=True)
