"""What else belongs to members' bank details: stops, ``bank stop`` and ``bank lift``; ``members contact``."""

from typing import Annotated
from uuid import UUID

import typer

from app.cli.bank_details import Day, MemberName, Reason, bank, business_day, see_reason
from app.cli.dates import day_from
from app.cli.files import members
from app.cli.screen import AsJson, AsUser, print_json, print_table, warn
from app.session import opened
from ingest.directory import find_member
from payouts.accounts import stops as account_stops
from payouts.people.contacts import Contact
from payouts.people.notices import change_contact
from payouts.people.users import OPERATORS, require
from schemas.errors import WrongUseError


def register(app: typer.Typer) -> None:
    """Hang these commands into their groups, which hang in the command line."""
    del app
    members.command("contact")(set_contact)
    bank.command("stop")(stop)
    bank.command("lift")(lift)


def stop(member: MemberName, reason: Reason, day: Day = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Pay nothing into a member's account until an approver lifts it, or another account is live.

    Example: centralpay bank stop 1400101 --reason 'the owner says that it is closed'
    """
    see_reason(reason)
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        account = account_stops.account_in_use(connection, find_member(connection, member))
        account_stops.stop_account(connection, account, reason, on=business_day(session, day), actor=session.actor)
    _say_stopped(account, "stopped", as_json=as_json)


def lift(
    member: MemberName,
    reason: Reason,
    account: Annotated[str | None, typer.Option(metavar="ID", help="Which account, where several are stopped.")] = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Let payments go into a stopped account again; an approver does, with a reason.

    Example: centralpay bank lift 1400101 --reason 'its bank confirmed that it is open' --as anna
    """
    see_reason(reason)
    with opened(as_user, warn) as session, session.begin() as connection:
        member_id = find_member(connection, member)
        stopped = account_stops.stopped_accounts(connection, member_id)
        fitting = [each for each in stopped if account in {None, str(each)}]
        if len(fitting) > 1:
            raise WrongUseError(f"Several accounts are stopped; say which: --account {' or '.join(map(str, fitting))}")
        chosen = fitting[0] if fitting else account_stops.account_in_use(connection, member_id)
        account_stops.lift_stop(connection, chosen, reason, session.actor)
    _say_stopped(chosen, "open", as_json=as_json)


def set_contact(
    member: MemberName,
    name: Annotated[str, typer.Option(help="Who speaks for the member.")],
    telephone: Annotated[str, typer.Option(help="Ten digits; call-backs go there.")],
    email: Annotated[str, typer.Option(help="E-mail address.")],
    address: Annotated[list[str] | None, typer.Option(help="A line of the postal address; may be repeated.")] = None,
    since: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="First day in force; else the date.")] = None,
    day: Day = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Write down whom to call and write to at a member; the contact before ends, and stays in the history.

    Example: centralpay members contact 1400101 --name 'Ada Owner' --telephone 312-555-0100 --email ada@example.com
    """
    contact = Contact(name=name, telephone=telephone, email=email, postal_address="\n".join(address or []))
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        on = business_day(session, day)
        begins = on if since is None else day_from(since)
        member_id = find_member(connection, member)
        kept = change_contact(connection, member_id, contact, since=begins, on=on, actor=session.actor)
    if as_json:
        print_json(kept.model_dump(mode="json"))
        return
    print_table(
        "Contact", ["name", "telephone", "e-mail", "since"], [[kept.name, kept.telephone, kept.email, kept.since]]
    )


def _say_stopped(account: UUID, state: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"bank_account_id": str(account), "state": state})
        return
    print_table("Account", ["id", "state"], [[account, state]])
