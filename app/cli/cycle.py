"""The payout cycle: ``cycle``."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.cycle_screen import cycle_json, show_cycle, show_preview, show_release
from app.cli.dates import day_from
from app.cli.moment import KnownAt, asked
from app.cli.screen import AsJson, AsUser, print_json, print_table, progress, warn
from app.session import Session, opened
from ingest.directory import find_member
from payouts.cycle import cycles, preview, voiding
from payouts.cycle.release import Released
from payouts.people.users import OPERATORS, require

cycle_commands = typer.Typer(
    help="Payout cycles: propose, look at them, approve by another person, release; or leave out, or void.",
    no_args_is_help=True,
)

CycleId = Annotated[int, typer.Argument(metavar="ID", help="Its number; see: centralpay cycle list.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; it is kept.")]
Details = Annotated[bool, typer.Option("--details", help="List the shares and own items that the hash covers.")]
Papers = Annotated[bool, typer.Option("--papers/--no-papers", help="Whether the notices are left as PDFs, too.")]
Day = Annotated[str, typer.Option("--date", metavar="YYYY-MM-DD", help="The banking day of the release.")]


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    app.add_typer(cycle_commands, name="cycle")


@cycle_commands.command("propose")
def propose(day: Day, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Propose to pay what is available by a day.

    Example: centralpay cycle propose --date 2026-11-20
    """
    business_date = day_from(day)
    with opened(as_user, warn) as session, progress("proposing", None), session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        cycle = cycles.propose(connection, business_date, session.originator, session.actor)
    show_cycle(cycle, as_json=as_json)


@cycle_commands.command("show")
def show(
    cycle_id: CycleId,
    details: Details = False,
    known_at: KnownAt = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Show a cycle with every payout, and what it tells beside them.

    Example: centralpay cycle show 1 --details
    """
    lines = None
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        cycle = cycles.show(connection, cycle_id)
        if details:
            shares, items = preview.told_shares(connection, cycle_id), preview.told_items(connection, cycle_id)
            lines = {
                "shares": [each.model_dump(mode="json") for each in shares],
                "own_items": [each.model_dump(mode="json") for each in items],
            }
    show_cycle(cycle, lines, moment, as_json=as_json)


@cycle_commands.command("preview")
def look(cycle_id: CycleId, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Show what to look at before approving: what differs from the last cycle, new accounts, holds, float, limits.

    Example: centralpay cycle preview 2
    """
    with opened(as_user, warn) as session, session.reading() as connection:
        seen = preview.preview(connection, cycle_id)
    show_preview(seen, as_json=as_json)


@cycle_commands.command("exclude")
def exclude(
    cycle_id: CycleId,
    member: Annotated[str, typer.Argument(metavar="MEMBER", help="NCPDP id or member id.")],
    reason: Reason,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Leave a member out of a cycle that is proposed or approved: it is neither paid nor told; its money waits.

    The approval stays good, for it binds the whole set. Proposing the same set again keeps the exclusion; another set
    is another cycle, and needs it anew.

    Example: centralpay cycle exclude 1 1234567 --reason 'asked to wait'
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        member_id = find_member(connection, member)
        cycle = voiding.exclude_member(connection, cycle_id, member_id, reason, session.actor)
    show_cycle(cycle, as_json=as_json)


@cycle_commands.command("void")
def void(cycle_id: CycleId, reason: Reason, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Void a cycle before its release; its money may be proposed anew. An approved one takes an approver.

    Example: centralpay cycle void 1 --reason 'wrong day' --as anna
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        cycle = voiding.void_cycle(connection, cycle_id, reason, session.actor)
    show_cycle(cycle, as_json=as_json)


@cycle_commands.command("approve")
def approve(cycle_id: CycleId, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Approve a cycle that another person proposed; where two have to, the first leaves it proposed.

    Example: centralpay cycle approve 1 --as anna
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        cycle = cycles.approve(connection, cycle_id, session.actor)
    if as_json:
        state = "pending" if cycle.state == "proposed" else "approved"
        print_json({"approval_id": cycle.approval_id, "state": state, "cycle": cycle_json(cycle)})
        return
    show_cycle(cycle, as_json=False)


@cycle_commands.command("release")
def release(
    cycle_id: CycleId,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the NACHA file, the members' 835s and their notices are left.")
    ],
    papers: Papers = True,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Release an approved cycle; again gives the same files and pays nothing twice.

    DIR gets the NACHA file; DIR/835 each member's own 835, and a CSV that lists what they say; DIR/notices a notice of
    each payment as PDF, and a CSV of the payments. What the notices say is kept: cycle papers makes them again.

    Example: centralpay cycle release 1 --out out
    """
    with opened(as_user, warn) as session:
        with session.begin() as connection:
            require(connection, session.actor, OPERATORS)
        released = release_showing(session, cycle_id, out, papers=papers)
    if as_json:
        print_json(released.model_dump(mode="json"))
        return
    show_release(released)


@cycle_commands.command("list")
def show_all(known_at: KnownAt = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """List the cycles.

    Example: centralpay cycle list
    """
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        found = cycles.list_cycles(connection)
    if as_json:
        print_json(moment.known | {"cycles": [each.model_dump(mode="json") for each in found]})
        return
    rows = [
        [each.cycle_id, each.business_date, each.effective_on, each.state, each.payouts, each.total_cents]
        for each in found
    ]
    print_table("Cycles", ["id#", "date", "effective", "state", "payouts#", "total"], rows)
    moment.say()


def release_showing(session: Session, cycle_id: int, out: Path, *, papers: bool = True) -> Released:
    """Release a cycle with a bar that tells how far it is."""
    with progress("releasing", None) as bar:

        def tell(step: str, done: int, total: int) -> None:
            bar.step(step)
            bar.at(done, total)

        return session.releaser().release(cycle_id, out, tell, papers=papers)
