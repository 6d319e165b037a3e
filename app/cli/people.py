"""People and what they decide: ``users``, ``approvals``, ``float``, ``members remittance``."""

from enum import StrEnum
from typing import Annotated

import typer

from app.cli.files import members
from app.cli.moment import KnownAt, asked
from app.cli.screen import AsJson, AsUser, print_json, print_table, warn
from app.session import opened
from ingest.directory import find_member
from payouts import decisions, own_money
from payouts.children.model import Form
from payouts.people.approvals import list_approvals
from payouts.people.users import OPERATORS, UserRole, add_user, list_users, require
from payouts.remittances.shares import set_form

users = typer.Typer(help="Who may act, in which role.", no_args_is_help=True)
approvals = typer.Typer(help="Whatever needs a second person.", no_args_is_help=True)
own = typer.Typer(help="The PSAO's own money in the custodial account.", no_args_is_help=True)

Reference = Annotated[str, typer.Option("--bank-reference", metavar="REF", help="Reference of the open bank line.")]
Number = Annotated[int, typer.Argument(metavar="ID", help="Its number; see: centralpay approvals list.")]
MemberName = Annotated[str, typer.Argument(metavar="NCPDP", help="NCPDP id or member id.")]
All = Annotated[bool, typer.Option("--all", help="Those that are done, too.")]


class RemittanceForm(StrEnum):
    """How a member is paid and told."""

    COMBINED = "combined"
    """One payment of a cycle for all advices, with one trace number."""
    PER_ADVICE = "per-advice"
    """A payment for each advice, each with its own."""


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    members.command("remittance")(choose_remittance)
    app.add_typer(users, name="users")
    app.add_typer(approvals, name="approvals")
    app.add_typer(own, name="float")


def choose_remittance(
    member: MemberName,
    form: Annotated[
        RemittanceForm, typer.Argument(metavar="FORM", help="combined: one payment; per-advice: one for each 835.")
    ],
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Choose how a member is paid and told from the next proposal on: combined, or a payment for each advice.

    Example: centralpay members remittance 1234567 per-advice --as olga
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        set_form(connection, find_member(connection, member), Form(form.name.lower()), session.actor)
    if as_json:
        print_json({"member": member, "remittance": form.value})
        return
    print_table("Remittance", ["member", "form"], [[member, form.value]])


@users.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who; it stands in every record of what is done.")],
    role: Annotated[
        UserRole,
        typer.Option(help="Operators propose; approvers also decide; auditors read; admins also add users."),
    ],
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Add a user; the first who acts is an admin.

    Example: centralpay users add anna --role approver
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        user = add_user(connection, name, role, session.actor)
    if as_json:
        print_json(user)
        return
    print_table("User", ["name", "role"], [[user.name, user.role.value]])


@users.command("list")
def show_users(known_at: KnownAt = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """List the users.

    Example: centralpay users list
    """
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        found = list_users(connection)
    if as_json:
        print_json(moment.known | {"users": [each.model_dump(mode="json") for each in found]})
        return
    print_table("Users", ["name", "role", "added by"], [[each.name, each.role.value, each.added_by] for each in found])
    moment.say()


@approvals.command("list")
def show_approvals(
    everything: All = False, known_at: KnownAt = None, as_json: AsJson = False, as_user: AsUser = None
) -> None:
    """List what waits for a second person.

    Example: centralpay approvals list
    """
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        found = list_approvals(connection, None if everything else "pending")
    if as_json:
        print_json(moment.known | {"approvals": [each.model_dump(mode="json") for each in found]})
        return
    rows = [
        [
            each.approval_id,
            each.kind,
            each.subject,
            each.state,
            each.proposed_by,
            each.first_approved_by,
            each.decided_by,
        ]
        for each in found
    ]
    print_table("Approvals", ["id#", "kind", "subject", "state", "proposed by", "first of two", "decided by"], rows)
    moment.say()


@approvals.command("approve")
def approve(approval_id: Number, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Approve what another person proposed.

    Example: centralpay approvals approve 3 --as anna
    """
    _decide(approval_id, as_user, as_json=as_json, approve=True)


@approvals.command("reject")
def reject(
    approval_id: Number,
    reason: Annotated[str, typer.Option(help="Why; it is kept.")],
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Reject what another person proposed.

    Example: centralpay approvals reject 3 --reason 'wrong day' --as anna
    """
    _decide(approval_id, as_user, as_json=as_json, approve=False, reason=reason)


def _decide(approval_id: int, as_user: str | None, *, as_json: bool, approve: bool, reason: str | None = None) -> None:
    with opened(as_user, warn) as session, session.begin() as connection:
        approval = decisions.decide(
            connection, approval_id, session.actor, approve=approve, reason=reason, vault=session.vault
        )
    show_approval(approval.approval_id, approval.state, as_json=as_json)


def show_approval(approval_id: int, state: str, *, as_json: bool) -> None:
    """Print an approval's number and state."""
    if as_json:
        print_json({"approval_id": approval_id, "state": state})
        return
    print_table("Approval", ["id#", "state"], [[approval_id, state]])


@own.command("deposit")
def deposit(bank_reference: Reference, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Take a deposit as the PSAO's own money; another person approves.

    Example: centralpay float deposit --bank-reference R1
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        approval_id = own_money.propose_deposit(connection, bank_reference, session.actor)
    show_approval(approval_id, "pending", as_json=as_json)


@own.command("withdraw")
def withdraw(bank_reference: Reference, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Explain a debit as own money leaving; another person approves.

    Example: centralpay float withdraw --bank-reference R2
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        approval_id = own_money.propose_withdrawal(connection, bank_reference, session.actor)
    show_approval(approval_id, "pending", as_json=as_json)
