"""Money between members: ``corrections propose``, ``list``, ``show``; ``interest allocate``; ``approvals rows``."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.dates import day_from
from app.cli.given import cents_given, table_given
from app.cli.moment import KnownAt, asked
from app.cli.people import approvals, show_approval
from app.cli.screen import SCREEN, AsJson, AsUser, print_json, print_table, warn
from app.session import opened
from payouts.people.users import OPERATORS, require
from payouts.resolutions.correction_list import ShownCorrection, list_corrections, show_correction
from payouts.resolutions.corrections import Correction, propose
from payouts.resolutions.interest import propose_division
from payouts.resolutions.rows import shown
from schemas.errors import WrongUseError

corrections = typer.Typer(help="Money moved from one member to another; a second person decides.", no_args_is_help=True)
interest = typer.Typer(help="The bank's interest: all of it belongs to the members.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(metavar="ID", help="Of the approval that was asked for.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept.")]
Day = Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="Business day; else today.")]


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    approvals.command("rows")(show_rows)
    app.add_typer(corrections, name="corrections")
    app.add_typer(interest, name="interest")


@corrections.command("propose")
def propose_correction(
    source: Annotated[str, typer.Option("--from", metavar="MEMBER", help="From whom: NCPDP id or member id.")],
    target: Annotated[str, typer.Option("--to", metavar="MEMBER", help="To whom.")],
    reason: Reason,
    claims: Annotated[
        Path | None, typer.Option("--claims", metavar="FILE.csv", help="advice_trace,rx_number,amount: a claim a line.")
    ] = None,
    amount: Annotated[
        str | None, typer.Option("--amount", metavar="X", help="Dollars; else what the claims come to.")
    ] = None,
    float_covers: Annotated[
        bool,
        typer.Option(
            "--float-covers/--only-if-available", help="Whether the PSAO's own money covers what the first lacks."
        ),
    ] = False,
    day: Day = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Ask to move money between members; another person approves.

    Example: centralpay corrections propose --from 1234567 --to 2345678 --claims claims.csv --reason 'wrong store'
    """
    table, cents = table_given(claims), cents_given(amount)
    posted_on = None if day is None else day_from(day)
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        correction = Correction(
            source=source,
            target=target,
            day=posted_on or session.today,
            reason=reason,
            amount_cents=cents,
            claims=table,
            float_covers=float_covers,
        )
        approval_id = propose(connection, correction, session.actor)
    show_approval(approval_id, "pending", as_json=as_json)


@corrections.command("list")
def show_corrections(known_at: KnownAt = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """List the corrections between members, and what became of each.

    Example: centralpay corrections list
    """
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        found = list_corrections(connection)
    if as_json:
        print_json(moment.known | {"corrections": [each.model_dump(mode="json", exclude={"claims"}) for each in found]})
        return
    _show(found)
    moment.say()


@corrections.command("show")
def show_one(approval_id: Number, known_at: KnownAt = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Show a correction with the claims that it names.

    Example: centralpay corrections show 7
    """
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        found = show_correction(connection, approval_id)
    if as_json:
        print_json(moment.known | found.model_dump(mode="json", exclude_none=True))
        return
    _show([found])
    SCREEN.print(found.reason, markup=False)
    rows = [
        [each.trace_number, each.payer_id, each.rx_number, each.amount_cents, each.standing] for each in found.claims
    ]
    print_table("Claims", ["trace", "payer", "prescription", "amount", "stands"], rows)
    moment.say()


@interest.command("allocate")
def allocate_interest(
    reason: Reason,
    rows: Annotated[
        Path | None, typer.Option("--rows", metavar="FILE.csv", help="member,amount,claim: to the cent.")
    ] = None,
    by_balance: Annotated[bool, typer.Option("--by-balance", help="By average daily balance of the period.")] = False,
    since: Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="First day of the period.")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="Last day of the period.")] = None,
    day: Day = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Ask to divide all interest that has gathered among the members; another person approves.

    Example: centralpay interest allocate --by-balance --from 2026-10-01 --to 2026-10-31 --reason 'October'
    """
    if by_balance is not (since is not None and until is not None):
        raise WrongUseError("A division by balance names its period: --by-balance --from D --to D")
    period = None if since is None or until is None else (day_from(since), day_from(until))
    table, posted_on = table_given(rows), None if day is None else day_from(day)
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        approval_id = propose_division(
            connection,
            day=posted_on or session.today,
            reason=reason,
            actor=session.actor,
            rows=table,
            period=period,
        )
    show_approval(approval_id, "pending", as_json=as_json)


def show_rows(approval_id: Number, known_at: KnownAt = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Show the members and amounts that an approval would post.

    Example: centralpay approvals rows 7
    """
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        found = shown(connection, approval_id)
    if as_json:
        rows_json = [each.model_dump(mode="json") for each in found]
        print_json(moment.known | {"approval_id": approval_id, "rows": rows_json})
        return
    rows = [[each.ncpdp_id, each.amount_cents, each.claim_reference] for each in found]
    print_table(f"Approval {approval_id}", ["member", "amount", "claim"], rows)
    moment.say()


def _show(found: list[ShownCorrection]) -> None:
    rows = [
        [
            each.approval_id,
            each.state,
            each.source,
            each.target,
            each.amount_cents,
            each.claim_count,
            each.proposed_by,
            each.decided_by,
            each.transaction_id and str(each.transaction_id),
        ]
        for each in found
    ]
    columns = ["id#", "state", "from", "to", "amount", "claims#", "asked by", "decided by", "transaction"]
    print_table("Corrections", columns, rows)
