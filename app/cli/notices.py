"""Letters to members: ``notices``."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.moment import KnownAt, asked
from app.cli.screen import AsJson, AsUser, print_json, print_table, warn
from app.session import opened
from app.work import leave_letters
from payouts.people.letters import list_notices

notices = typer.Typer(help="Letters to members.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    app.add_typer(notices, name="notices")


@notices.command("list")
def show_all(
    everything: Annotated[bool, typer.Option("--all", help="Those that are written, too.")] = False,
    known_at: KnownAt = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """List the letters that wait for being written.

    Example: centralpay notices list
    """
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        found = list_notices(connection, everything=everything)
    if as_json:
        print_json(moment.known | {"notices": [each.model_dump(mode="json") for each in found]})
        return
    rows = [
        [
            each.notice_id,
            each.ncpdp_id,
            each.kind,
            (each.recipient.splitlines() or ["nobody on file"])[0],
            each.subject,
            each.made_on,
            each.written_at is not None,
        ]
        for each in found
    ]
    print_table("Letters", ["id#", "NCPDP", "kind", "to", "subject", "made", "written"], rows)
    moment.say()


@notices.command("write")
def write(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the letters are left, one file each.")],
    again: Annotated[int | None, typer.Option(metavar="NUMBER", help="Only this one, written before or not.")] = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Write the letters that wait as text files; the next time there are only newer ones.

    Example: centralpay notices write --out letters
    """
    with opened(as_user, warn) as session:
        written = leave_letters(session, out, again=again)
    if as_json:
        print_json({"letters": [each.model_dump(mode="json") for each in written]})
        return
    rows = [[each.notice_id, each.ncpdp_id, each.kind, each.path] for each in written]
    print_table("Letters written", ["id#", "NCPDP", "kind", "file"], rows)
