"""Limits of money: ``limits``."""

from typing import Annotated

import typer

from app.cli.bank_details import business_day
from app.cli.dates import day_from
from app.cli.given import cents_from
from app.cli.moment import KnownAt, asked
from app.cli.people import show_approval
from app.cli.screen import AsJson, AsUser, print_json, print_table, warn
from app.session import opened
from payouts.cycle.limits import Limit, LimitName, list_limits, propose_limit
from payouts.people.users import OPERATORS, require
from schemas.errors import WrongUseError

limit_commands = typer.Typer(help="Limits of money, each from a day on.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    app.add_typer(limit_commands, name="limits")


@limit_commands.command("list")
def show(known_at: KnownAt = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """List the limits that were ever set; of each name the last one that has begun holds.

    Example: centralpay limits list
    """
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        found = list_limits(connection)
    if as_json:
        print_json(moment.known | {"limits": [each.model_dump(mode="json") for each in found]})
        return
    rows = [[each.name.value, each.since, _said(each), each.set_by] for each in found]
    print_table("Limits", ["name", "since", "limit", "approved by"], rows)
    moment.say()


@limit_commands.command("set")
def set_limit(
    name: Annotated[LimitName, typer.Argument(metavar="NAME", help=", ".join(LimitName))],
    amount: Annotated[
        str, typer.Argument(metavar="AMOUNT|none", help="Dollars, such as 250000.00, or banking days; none: no limit.")
    ],
    since: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The first day on which it holds.")],
    on: Annotated[
        str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="The day of asking; else today.")
    ] = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Ask for a limit from a day on; another person approves.

    Example: centralpay limits set two_approvers_from 250000.00 --since 2026-12-01
    """
    days = _days_from(amount) if name is LimitName.PAYMENT_DAYS else None
    cents = None if amount == "none" or days is not None else cents_from(amount)
    first = day_from(since)
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        today = business_day(session, on)
        approval_id = propose_limit(connection, name, cents, first, today=today, actor=session.actor, days=days)
    show_approval(approval_id, "pending", as_json=as_json)


def _days_from(text: str) -> int | None:
    if text == "none":
        return None
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10):
        raise WrongUseError(f"{text!r} is no number of banking days; write it as 5")
    return int(text)


def _said(limit: Limit) -> str | int:
    if limit.days is not None:
        return f"{limit.days} banking days"
    return "none" if limit.cents is None else limit.cents
