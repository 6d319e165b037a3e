"""Members that owe, and the float that covers them: ``negatives``, ``float show``."""

from typing import Annotated

import typer

from app.cli.dates import day_from
from app.cli.given import cents_from
from app.cli.moment import KnownAt, asked
from app.cli.people import own, show_approval
from app.cli.screen import AsJson, AsUser, print_json, print_table, warn
from app.session import opened
from ingest.directory import find_member
from payouts import negatives
from payouts.float_cover import float_cover
from payouts.people.users import OPERATORS, require

negative_commands = typer.Typer(help="Members that owe, and how it comes back.", no_args_is_help=True)

MemberName = Annotated[str, typer.Argument(metavar="MEMBER", help="NCPDP id or member id.")]


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    app.add_typer(negative_commands, name="negatives")
    own.command("show")(show_float)


@negative_commands.command("list")
def show_all(
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="YYYY-MM-DD", help="The day; else today.")] = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """List who owes how much since when, and what came back of it.

    Example: centralpay negatives list --as-of 2026-11-30
    """
    with opened(as_user, warn) as session, asked(session, as_of, known_at) as (connection, moment):
        day = moment.day(session.today)
        found = negatives.list_negatives(connection, day)
    if as_json:
        rows_json = [each.model_dump(mode="json") for each in found]
        print_json(moment.known | {"as_of": day.isoformat(), "negatives": rows_json})
        return
    rows = [
        [
            each.ncpdp_id,
            each.owed_cents,
            each.since,
            each.bucket,
            each.advanced_cents,
            each.recovered_cents,
            each.paid_cents,
            each.written_off_cents,
        ]
        for each in found
    ]
    columns = ["NCPDP", "owes", "since", "days", "advanced", "recovered", "paid", "written off"]
    print_table(f"Negatives on {day}", columns, rows)
    moment.say()


@negative_commands.command("paid")
def paid(
    member: MemberName,
    reference: Annotated[str, typer.Option("--bank-reference", metavar="REF", help="Reference of the open deposit.")],
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Take a deposit as a member paying back what it owes; another person approves.

    Example: centralpay negatives paid 1234567 --bank-reference R7
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        member_id = find_member(connection, member)
        approval_id = negatives.propose_payment(connection, member_id, reference, session.actor)
    show_approval(approval_id, "pending", as_json=as_json)


@negative_commands.command("write-off")
def write_off(
    member: MemberName,
    amount: Annotated[str, typer.Option(help="Dollars, at most what it owes.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept.")],
    on: Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="Business date; else today.")] = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Give up part of what a member owes: the PSAO's loss; another person approves.

    Example: centralpay negatives write-off 1234567 --amount 120.00 --reason 'closed, no estate'
    """
    cents = cents_from(amount)
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        member_id = find_member(connection, member)
        day = session.today if on is None else day_from(on)
        actor = session.actor
        approval_id = negatives.propose_write_off(connection, member_id, cents, reason, on=day, actor=actor)
    show_approval(approval_id, "pending", as_json=as_json)


def show_float(known_at: KnownAt = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Show what the float holds, covers and lacks, and what may be withdrawn.

    Example: centralpay float show
    """
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        cover = float_cover(connection)
    if as_json:
        sums = {"advanced_cents": cover.advanced_cents, "withdrawable_cents": cover.withdrawable_cents}
        print_json(moment.known | cover.model_dump(mode="json") | sums)
        return
    rows = [["in the account", cover.float_cents]]
    rows += [[f"unknown payee {each.what} owes", each.cents] for each in cover.unknown_payees]
    rows += [["the network owes", cover.network_cents], ["unexplained debits", cover.unexplained_debit_cents]]
    print_table("Float", ["what", "amount"], [*rows, ["may be withdrawn", cover.withdrawable_cents]])
    advances = [[each.what, each.cents] for each in cover.advances]
    print_table("Advanced to members", ["NCPDP", "amount"], advances)
    print_table("Missing", ["payment that waits", "amount"], [[each.what, each.cents] for each in cover.missing])
    moment.say()
