"""Unclaimed property: ``unclaimed``."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.dates import day_from
from app.cli.moment import KnownAt, Moment, asked
from app.cli.people import show_approval
from app.cli.screen import AsJson, AsUser, print_json, print_table, warn
from app.session import opened
from payouts.disbursing.disbursements import Method, show_disbursement
from payouts.holding import dormancy, unclaimed
from payouts.holding.unclaimed import Dormant
from payouts.people.users import OPERATORS, require
from schemas.errors import WrongUseError

unclaimed_commands = typer.Typer(help="Unclaimed property: letters, declaration, escheat.", no_args_is_help=True)
rules = typer.Typer(help="When states count property as abandoned.", no_args_is_help=True)

HoldId = Annotated[int, typer.Argument(metavar="HOLD", help="Its number; see: centralpay unclaimed due.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept.")]
AsOf = Annotated[str | None, typer.Option("--as-of", metavar="YYYY-MM-DD", help="The day; else today.")]
Day = Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="Business date; else today.")]
Kind = Annotated[str | None, typer.Option("--property", help="Kind of property, where a state has several.")]


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    unclaimed_commands.add_typer(rules, name="rules")
    app.add_typer(unclaimed_commands, name="unclaimed")


@rules.command("import")
def import_rules(
    path: Annotated[Path, typer.Argument(metavar="FILE.csv", help="With the columns above.")],
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Take the states' rules over, whole or not at all.

    Columns: state,property,months,letter_from_days,letter_until_days,since,source.

    Example: centralpay unclaimed rules import rules.csv
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        try:
            with path.open("rb") as stream:
                found = dormancy.read_rules(stream, str(path))
        except OSError as error:
            raise WrongUseError(f"{path}: {error.strerror}") from error
        added = dormancy.import_rules(connection, found, session.actor)
    if as_json:
        print_json({"rules": len(found), "new": added})
        return
    print_table("Rules", ["in the file#", "new#"], [[len(found), added]])


@rules.command("list")
def show_rules(known_at: KnownAt = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """List the states' rules.

    Example: centralpay unclaimed rules list
    """
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        found = dormancy.list_rules(connection)
    if as_json:
        print_json(moment.known | {"rules": [each.model_dump(mode="json") for each in found]})
        return
    columns = ["state", "property", "months#", "letter from#", "letter until#", "since", "source"]
    rows = [
        [
            each.state,
            each.property,
            each.months,
            each.letter_from_days,
            each.letter_until_days,
            each.since,
            each.source,
        ]
        for each in found
    ]
    print_table("Dormancy rules", columns, rows)
    moment.say()


@unclaimed_commands.command("due")
def due(
    as_of: AsOf = None,
    kind: Kind = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """List held money of returned payouts and of members that are gone, with its days.

    Example: centralpay unclaimed due --as-of 2029-11-20
    """
    with opened(as_user, warn) as session, asked(session, as_of, known_at) as (connection, moment):
        day = moment.day(session.today)
        found = unclaimed.list_dormant(connection, day, kind=kind)
    _print(f"Held on {day}", found, moment, as_json=as_json)


@unclaimed_commands.command("letters")
def letters(as_of: AsOf = None, kind: Kind = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Write the letters that are due, once for a hold and period.

    Example: centralpay unclaimed letters --as-of 2029-07-20
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        day = session.today if as_of is None else day_from(as_of)
        found = unclaimed.write_letters(connection, day, session.actor, kind=kind)
    _print(f"Letters of {day}", found, as_json=as_json)


@unclaimed_commands.command("heard")
def heard(hold_id: HoldId, reason: Reason, on: Day = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Write down that the owner was heard of: dormancy counts anew from that day.

    Example: centralpay unclaimed heard 3 --reason 'answered our letter, sends new bank details'
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        day = session.today if on is None else day_from(on)
        unclaimed.record_heard(connection, hold_id, reason, on=day, actor=session.actor)
        found = unclaimed.list_dormant(connection, day, hold_id=hold_id)
    _print(f"Held on {day}", found, as_json=as_json)


@unclaimed_commands.command("declare")
def declare(
    hold_id: HoldId,
    reason: Reason,
    on: Day = None,
    kind: Kind = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Ask to declare what a hold keeps unclaimed property; another person approves.

    Example: centralpay unclaimed declare 3 --reason 'no answer to our letter'
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        day, actor = session.today if on is None else day_from(on), session.actor
        approval_id = unclaimed.propose_declaration(connection, hold_id, reason, on=day, actor=actor, kind=kind)
    show_approval(approval_id, "pending", as_json=as_json)


@unclaimed_commands.command("escheat")
def escheat(
    hold_id: HoldId,
    payee: Annotated[str, typer.Option(help="The state's office that is paid.")],
    method: Annotated[Method, typer.Option(help="How the treasury pays it.")] = Method.CHECK,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Propose to pay a state what was declared; another person approves the disbursement.

    Example: centralpay unclaimed escheat 3 --payee 'Illinois State Treasurer'
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        number = unclaimed.propose_escheat(connection, hold_id, payee, method, session.actor)
        made = show_disbursement(connection, number)
    if as_json:
        print_json(made)
        return
    row = [made.disbursement_id, made.payee, made.method.value, made.amount_cents, made.state]
    print_table("Disbursement", ["id#", "payee", "method", "amount", "state"], [row])


@unclaimed_commands.command("claimed")
def claimed(hold_id: HoldId, reason: Reason, on: Day = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Turn a declaration: the owner was heard of; the money is held again until it is lifted.

    Example: centralpay unclaimed claimed 3 --reason 'the owner answered'
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        day = session.today if on is None else day_from(on)
        cents = unclaimed.reclaim(connection, hold_id, reason, on=day, actor=session.actor)
    if as_json:
        print_json({"hold_id": hold_id, "held_cents": cents})
        return
    print_table("Held again", ["hold#", "amount"], [[hold_id, cents]])


def _print(title: str, found: list[Dormant], moment: Moment | None = None, *, as_json: bool) -> None:
    if as_json:
        known = {} if moment is None else moment.known
        print_json(known | {"holds": [each.model_dump(mode="json") for each in found]})
        return
    columns = ["hold#", "NCPDP", "state", "held", "unclaimed", "last activity", "dormant", "letter", "sent", "problem"]
    rows = [
        [
            each.hold_id,
            each.ncpdp_id,
            each.state,
            each.held_cents,
            each.unclaimed_cents,
            each.last_activity,
            each.dormant_on,
            "" if each.letter_from is None else f"{each.letter_from} to {each.letter_until}",
            each.letter_on,
            each.problem,
        ]
        for each in found
    ]
    print_table(title, columns, rows)
    if moment is not None:
        moment.say()
