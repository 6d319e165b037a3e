"""Payments to others than members: ``disbursements``."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.dates import day_from
from app.cli.moment import KnownAt, Moment, asked
from app.cli.people import show_approval
from app.cli.screen import SCREEN, AsJson, AsUser, print_json, print_table, warn
from app.session import opened
from payouts.disbursing import disbursements
from payouts.disbursing.disbursements import Disbursement
from payouts.disbursing.settling import propose_settlement, settle_disbursements
from payouts.people.users import OPERATORS, require
from schemas.errors import WrongUseError

disbursement_commands = typer.Typer(
    help="Payments to others than members: levies, escheats, refunds.", no_args_is_help=True
)

Number = Annotated[int, typer.Argument(metavar="ID", help="Its number; see: centralpay disbursements list.")]
Day = Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="Business date; else today.")]
All = Annotated[bool, typer.Option("--all", help="Those that are done, too.")]


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    app.add_typer(disbursement_commands, name="disbursements")


@disbursement_commands.command("list")
def show_all(
    everything: All = False, known_at: KnownAt = None, as_json: AsJson = False, as_user: AsUser = None
) -> None:
    """List the disbursements on their way.

    Example: centralpay disbursements list
    """
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        found = disbursements.list_disbursements(connection, everything=everything)
    _print(found, moment, as_json=as_json)


@disbursement_commands.command("show")
def show(disbursement_id: Number, known_at: KnownAt = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Show a disbursement.

    Example: centralpay disbursements show 12
    """
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        found = disbursements.show_disbursement(connection, disbursement_id)
    if as_json:
        print_json(moment.known | found.model_dump(mode="json", exclude_none=True))
        return
    show_disbursements([found])
    print_table("By", ["proposed", "approved", "authority"], [[found.proposed_by, found.approved_by, found.authority]])
    moment.say()


@disbursement_commands.command("release")
def release(
    disbursement_id: Number,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the treasury's instruction is left.")],
    on: Day = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Release an approved disbursement; again it writes the same instruction and pays nothing twice.

    Example: centralpay disbursements release 12 --out out
    """
    with opened(as_user, warn) as session:
        with session.begin() as connection:
            require(connection, session.actor, OPERATORS)
        day = session.today if on is None else day_from(on)
        path = disbursements.release_disbursement(session.begin, disbursement_id, day, out, session.actor)
        with session.reading() as connection:
            found = disbursements.show_disbursement(connection, disbursement_id)
    if as_json:
        print_json(found.model_dump(mode="json") | {"reference": found.reference, "instruction": str(path)})
        return
    show_disbursements([found])
    SCREEN.print(f"Instruction for the treasury: {path}", soft_wrap=True)


@disbursement_commands.command("settle")
def settle(
    disbursement_id: Annotated[
        int | None, typer.Argument(metavar="ID", help="Its number; none: all that can be told by their reference.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option("--bank-reference", metavar="REF", help="Of the open debit that paid ID.")
    ] = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Settle what the bank has debited under its reference; with ID and REF ask a second person to.

    Example: centralpay disbursements settle 12 --bank-reference R9
    """
    if (disbursement_id is None) != (reference is None):
        raise WrongUseError("To settle one by a person's word give both: its ID and --bank-reference")
    with opened(as_user, warn) as session:
        with session.begin() as connection:
            require(connection, session.actor, OPERATORS)
            if disbursement_id is not None and reference is not None:
                approval_id = propose_settlement(connection, disbursement_id, reference, session.actor)
        if disbursement_id is not None:
            show_approval(approval_id, "pending", as_json=as_json)
            return
        found = settle_disbursements(session.begin, session.actor)
    _print(found, as_json=as_json)


@disbursement_commands.command("void")
def void(
    disbursement_id: Number,
    reason: Annotated[str, typer.Option(help="Why; it is kept.")],
    on: Day = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Make a disbursement void that will not be paid; what was released is reversed. Stop the check or wire first.

    Example: centralpay disbursements void 12 --reason 'check stopped'
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        day = session.today if on is None else day_from(on)
        disbursements.void_disbursement(connection, disbursement_id, reason, on=day, actor=session.actor)
        found = disbursements.show_disbursement(connection, disbursement_id)
    if as_json:
        print_json(found)
        return
    show_disbursements([found])


def show_disbursements(found: list[Disbursement]) -> None:
    """Print disbursements."""
    rows = [
        [
            each.disbursement_id,
            each.kind.value,
            each.owner,
            each.subject,
            each.payee,
            each.method.value,
            each.amount_cents,
            each.state,
            each.released_on,
        ]
        for each in found
    ]
    columns = ["id#", "kind", "of", "item", "payee", "method", "amount", "state", "released"]
    print_table("Disbursements", columns, rows)


def _print(found: list[Disbursement], moment: Moment | None = None, *, as_json: bool) -> None:
    if as_json:
        known = {} if moment is None else moment.known
        print_json(known | {"disbursements": [each.model_dump(mode="json") for each in found]})
        return
    show_disbursements(found)
    if moment is not None:
        moment.say()
