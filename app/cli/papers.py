"""Papers of a cycle, again: ``cycle papers``."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.cycle import CycleId, cycle_commands
from app.cli.screen import AsJson, AsUser, print_json, print_table, progress, warn
from app.session import opened
from payouts.papers.again import leave_papers
from payouts.people.users import OPERATORS, require


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line; the group of cycles is there already."""
    del app
    cycle_commands.command("papers")(papers)


def papers(
    cycle_id: CycleId,
    out: Annotated[Path, typer.Option(metavar="DIR", help="DIR/notices gets them.")],
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Leave the notices of a released cycle's payments again: what they say is what the release kept.

    DIR/notices gets a PDF for each payment and a CSV of all, the same bytes as at the release under the same version.

    Example: centralpay cycle papers 1 --out out
    """
    with opened(as_user, warn) as session, progress("setting the notices", None) as bar:
        with session.begin() as connection:
            require(connection, session.actor, OPERATORS)
        left = leave_papers(session.begin, session.vault, cycle_id, out, lambda _, done, total: bar.at(done, total))
    if as_json:
        print_json(left)
        return
    print_table("Notices", ["cycle#", "notices#", "folder"], [[left.cycle_id, left.count, left.folder]])
