"""``centralpay db`` and ``centralpay demo``."""

from typing import Annotated

import typer

from app import database
from app.cli.dates import day_from
from app.cli.screen import AsJson, print_json, print_table
from app.settings import Settings

db = typer.Typer(help="The database's schema.", no_args_is_help=True)


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
def status(as_json: AsJson = False) -> None:
    """Say which server and which schema there is.

    Example: centralpay db status
    """
    settings = Settings.from_environment()
    settings.make_folders()
    with database.opened(settings) as url:
        _show(database.status(url), as_json=as_json)


def demo(
    pharmacies: Annotated[int, typer.Option(help="How many pharmacies.")] = 200,
    claims: Annotated[int, typer.Option(help="How many claims.")] = 20_000,
    payers: Annotated[int, typer.Option(help="How many payers.")] = 6,
    seed: Annotated[int, typer.Option(help="The same seed makes the same day.")] = 20261120,
    day: Annotated[str, typer.Option("--date", help="The banking day.")] = "2026-11-20",
    as_json: AsJson = False,
) -> None:
    """Run a whole payment day on generated files in HOME/demo; ends with the proofs.

    Example: centralpay demo
    """
    from app.demo.run import DemoSize, run_demo  # noqa: PLC0415 (the generator is of no use to any other command)

    run_demo(DemoSize(pharmacies, claims, payers, seed), day_from(day), as_json=as_json)


def _show(found: database.SchemaStatus, *, as_json: bool) -> None:
    if as_json:
        print_json({"server": found.server, "current": found.current, "pending": list(found.pending)})
        return
    rows = [[found.server, found.current or "empty", ", ".join(found.pending) or "up to date"]]
    print_table("Database", ["PostgreSQL", "schema", "pending"], rows)
