"""Where members are paid: ``bank``."""

import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr, ValidationError

from app.cli.bank_screen import show_bank, show_changes
from app.cli.dates import day_from
from app.cli.screen import SCREEN, AsJson, AsUser, print_json, print_table, warn
from app.session import Session, opened
from ingest.directory import find_member
from ingest.roster import AccountType, account_number
from payouts.accounts import changes as bank_details
from payouts.accounts import live as live_accounts
from payouts.accounts import prenotes
from payouts.accounts.changes import ChangeRequest, ChangeSource
from payouts.accounts.errors import AccountNumberError
from payouts.accounts.history import list_changes, member_bank
from payouts.ach.outgoing import leave_file
from payouts.people.users import OPERATORS, require
from schemas.errors import WrongUseError
from schemas.identifiers import AbaRouting

bank = typer.Typer(
    help="Members' bank accounts: changed only with a call-back and a second person.", no_args_is_help=True
)

_LONGEST_FILE = 1024

MemberName = Annotated[str, typer.Argument(metavar="MEMBER", help="NCPDP id or member id.")]
ChangeId = Annotated[int, typer.Argument(metavar="CHANGE", help="Number of the change.")]
Day = Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="Business date; else today.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept.")]


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    app.add_typer(bank, name="bank")


@bank.command("ask")
def ask(
    member: MemberName,
    routing: Annotated[str, typer.Option("--routing", metavar="NUMBER", help="ABA routing number of the bank.")],
    account_type: Annotated[AccountType, typer.Option("--type", help="Kind of the account.")],
    reason: Reason,
    account_file: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="File that holds the account number alone; '-' reads standard input."),
    ] = None,
    day: Day = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Ask to pay a member into another account; the old contact is told, another person calls back, and one approves.

    The number is read from a file, from standard input, or typed unseen on a terminal; never given as an option.

    Example: centralpay bank ask 1400101 --routing 091000019 --type checking --account-file - --reason 'owner wrote'
    """
    if (problem := AbaRouting.problem(routing)) is not None:
        raise WrongUseError(f"--routing: {problem}")
    number = _account_number(account_file)
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        try:
            request = ChangeRequest(
                member_id=find_member(connection, member),
                routing=AbaRouting(routing),
                account_number=number,
                account_type=account_type,
                source=ChangeSource.MEMBER,
                reason=reason,
                requested_on=business_day(session, day),
                cooling_days=session.settings.bank_details_cooling_days,
            )
        except ValidationError:
            raise WrongUseError("--reason: say why in 1 to 500 characters") from None
        change_id = bank_details.ask_change(connection, request, session.keyring, session.actor)
        changes = [each for each in list_changes(connection, everything=True) if each.change_id == change_id]
    if as_json:
        print_json(changes[0])
        return
    show_changes(changes)


@bank.command("call-back")
def call_back(
    change_id: ChangeId,
    number: Annotated[str, typer.Option("--number", metavar="TELEPHONE", help="The number that was called.")],
    spoke_with: Annotated[str, typer.Option("--spoke-with", metavar="NAME", help="Who answered for the member.")],
    confirmed: Annotated[bool, typer.Option("--confirmed/--denied", help="Whether the member asked for it.")],
    day: Day = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Record that the member was called at its old number about a change; denied, the change is rejected.

    Example: centralpay bank call-back 3 --number 312-555-0100 --spoke-with 'Ada Owner' --confirmed --as clara
    """
    if not spoke_with.strip():
        raise WrongUseError("--spoke-with: say who answered")
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        called_on = business_day(session, day)
        bank_details.record_call_back(
            connection, change_id, number, spoke_with, session.actor, confirmed=confirmed, called_on=called_on
        )
    _say(change_id, "asked" if confirmed else "rejected", as_json=as_json)


@bank.command("withdraw")
def withdraw(change_id: ChangeId, reason: Reason, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Take an open change back, whatever its state; the account in use stays.

    Example: centralpay bank withdraw 3 --reason 'the owner has thought better of it'
    """
    see_reason(reason)
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        bank_details.withdraw_change(connection, change_id, reason, session.actor)
    _say(change_id, "withdrawn", as_json=as_json)


@bank.command("close")
def close(change_id: ChangeId, reason: Reason, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Close the case of a change that was denied, or whose prenote came back, when a person has seen to it.

    Example: centralpay bank close 3 --reason 'reported to the police, the owner warned'
    """
    see_reason(reason)
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        bank_details.close_matter(connection, change_id, reason, session.actor)
    _say(change_id, "closed", as_json=as_json)


@bank.command("list")
def show_all(
    everything: Annotated[bool, typer.Option("--all", help="Those that are done, too.")] = False,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """List the open changes of bank details, and the number to call for each.

    Example: centralpay bank list
    """
    with opened(as_user, warn) as session, session.reading() as connection:
        changes = list_changes(connection, everything=everything)
    if as_json:
        print_json({"changes": [each.model_dump(mode="json") for each in changes]})
        return
    show_changes(changes)


@bank.command("show")
def show(member: MemberName, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Show where a member is and was paid, every change, who called whom and who approved, stops and contacts.

    Example: centralpay bank show 1400101
    """
    with opened(as_user, warn) as session, session.reading() as connection:
        found = member_bank(connection, find_member(connection, member))
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    show_bank(found)


@bank.command("prenotes")
def send(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the file for the bank is left.")],
    day: Day = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Write one file of prenotes for all approved changes; from the third banking day after it settles they are usable.

    Example: centralpay bank prenotes --out out --date 2026-11-17
    """
    with opened(as_user, warn) as session:
        with session.begin() as connection:
            require(connection, session.actor, OPERATORS)
            courier = session.courier(connection)
            file, sent = prenotes.send_prenotes(courier, session.keyring, business_day(session, day))
        path = None if file is None else leave_file(session.vault, file, out)
    if as_json:
        told = [each.model_dump(mode="json") for each in sent]
        print_json({"file": None if path is None else str(path), "prenotes": told})
        return
    rows = [[each.change_id, each.ncpdp_id, f"…{each.last_four}", each.settles_on, each.usable_from] for each in sent]
    print_table("Prenotes", ["change#", "NCPDP", "account", "settles", "usable from"], rows)
    if path is not None:
        SCREEN.print(f"For the bank: {path}", soft_wrap=True)


@bank.command("live")
def go_live(day: Day = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Pay from a day on into the accounts that have waited until then; every proposal of a cycle does so by itself.

    Example: centralpay bank live --date 2026-11-23
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        live = live_accounts.make_live(connection, business_day(session, day), session.actor)
    if as_json:
        print_json({"live": [each.model_dump(mode="json") for each in live]})
        return
    rows = [[each.change_id, each.ncpdp_id, f"…{each.last_four}", each.since] for each in live]
    print_table("Live", ["change#", "NCPDP", "account", "from"], rows)


def business_day(session: Session, text: str | None) -> date:
    """Give the day that was said, else today."""
    return session.today if text is None else day_from(text)


def see_reason(reason: str) -> None:
    """See that a reason says something.

    Raises:
        WrongUseError: it does not.
    """
    if not reason.strip():
        raise WrongUseError("--reason: say why")


def _account_number(file: str | None) -> SecretStr:
    """Read an account number that must stand in no shell's history: a file, standard input, or typed unseen.

    Raises:
        WrongUseError: there is none to read.
        AccountNumberError: it is none.
    """
    if file in {None, "-"} and sys.stdin.isatty():
        asked = typer.prompt("Account number", hide_input=True, confirmation_prompt=True, err=True)
        place, text = "the terminal", str(asked)
    elif file is None:
        raise WrongUseError("Give the account number by --account-file FILE, or '-' for standard input")
    else:
        place = "standard input" if file == "-" else file
        try:
            raw = sys.stdin.buffer.read(_LONGEST_FILE) if file == "-" else Path(file).read_bytes()[:_LONGEST_FILE]
        except OSError as error:
            raise WrongUseError(f"{file}: {error.strerror}") from error
        text = raw.decode("ascii", "replace")
    try:
        return account_number(text.strip())
    except ValueError:
        raise AccountNumberError(place) from None


def _say(change_id: int, state: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"change_id": change_id, "state": state})
        return
    print_table("Change", ["id#", "state"], [[change_id, state]])
