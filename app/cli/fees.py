"""The flat monthly fee: ``fees``."""

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.cli.dates import day_from, month_from
from app.cli.given import cents_given
from app.cli.leaving import leave
from app.cli.moment import AsOf, KnownAt, asked
from app.cli.people import show_approval
from app.cli.screen import SCREEN, AsJson, AsUser, print_json, print_table, progress, warn
from app.session import Session, opened
from ingest.directory import find_member
from payouts.fees.assessment import assess as assess_month
from payouts.fees.assessment import see_near
from payouts.fees.giving_back import propose_refund, propose_waiver
from payouts.fees.invoices import Invoice, issue_invoices, list_invoices
from payouts.fees.register import FeeSums, Register, register_csv, usual_months
from payouts.fees.register import register as read_register
from payouts.fees.truing_up import TruedUp, set_proration, true_up
from payouts.papers.invoices import leave_invoices
from payouts.people.users import OPERATORS, require
from schemas.errors import WrongUseError

fee_commands = typer.Typer(help="The flat monthly fee.", no_args_is_help=True)

MemberName = Annotated[str, typer.Argument(metavar="MEMBER", help="NCPDP id or member id.")]
Month = Annotated[str, typer.Option(metavar="YYYY-MM", help="The month.")]
Amount = Annotated[str | None, typer.Option(help="Dollars; else all of it.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; it is kept.")]
InvoiceFolder = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Leave each as PDF in this folder.")]
Day = Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="Business date; else today.")]


class Proration(StrEnum):
    """How a contract counts the months in which its member joins and leaves."""

    NONE = "none"
    """The first month whole, none in the exit month."""
    DAILY = "daily"
    """By day, in both."""


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    app.add_typer(fee_commands, name="fees")


@fee_commands.command("assess")
def assess(month: Month, on: Day = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Assess the month's flat fee of every contract, once; and give back what contracts ask less than was assessed.

    Example: centralpay fees assess --month 2026-11
    """
    first = month_from(month)
    with opened(as_user, warn) as session, progress("assessing", None):
        day = _day(session, on)
        see_near(first, day)
        with session.begin() as connection:
            require(connection, session.actor, OPERATORS)
            assessed = assess_month(connection, first, session.actor)
        # A unit of work of its own: a posting locks balances in one sorted order, once.
        with session.begin() as connection:
            righted = true_up(connection, session.actor, day)
    if as_json:
        print_json(assessed.model_dump(mode="json") | {"given_back": righted.model_dump(mode="json")})
        return
    print_table("Fees assessed", ["month", "members#", "amount"], [[month, assessed.members, assessed.amount_cents]])
    _show_righted(righted)


@fee_commands.command("waive")
def waive(
    member: MemberName,
    month: Month,
    reason: Reason,
    amount: Amount = None,
    on: Day = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Ask to give up a fee that is open; another person approves.

    Example: centralpay fees waive 1234567 --month 2026-11 --reason 'first month free'
    """
    cents, first = cents_given(amount), month_from(month)
    with opened(as_user, warn) as session:
        approval_id = _asked(session, propose_waiver, member, first, cents, reason, on)
    show_approval(approval_id, "pending", as_json=as_json)


@fee_commands.command("refund")
def refund(
    member: MemberName,
    month: Month,
    reason: Reason,
    amount: Amount = None,
    on: Day = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Ask to give a collected fee back, out of the float; another person approves.

    Example: centralpay fees refund 1234567 --month 2026-11 --amount 50.00 --reason 'portal was down'
    """
    cents, first = cents_given(amount), month_from(month)
    with opened(as_user, warn) as session:
        approval_id = _asked(session, propose_refund, member, first, cents, reason, on)
    show_approval(approval_id, "pending", as_json=as_json)


@fee_commands.command("proration")
def proration(
    member: MemberName,
    rule: Annotated[Proration, typer.Option(help="Whole months, none in the exit month; or by day.")],
    on: Day = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Say how a member's contracts count the months in which it joins and leaves.

    Example: centralpay fees proration 1234567 --rule daily
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        member_id, day, actor = find_member(connection, member), _day(session, on), session.actor
        righted = set_proration(connection, member_id, rule.value, on=day, actor=actor)
    if as_json:
        print_json({"member": member, "proration": rule.value, "given_back": righted.model_dump(mode="json")})
        return
    print_table("Contract", ["member", "proration"], [[member, rule.value]])
    _show_righted(righted)


@fee_commands.command("register")
def show_register(
    month: Annotated[str | None, typer.Option(metavar="YYYY-MM", help="One month.")] = None,
    member: Annotated[str | None, typer.Option(help="NCPDP id or member id; else all members.")] = None,
    since: Annotated[str | None, typer.Option("--from", metavar="YYYY-MM", help="First month.")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="YYYY-MM", help="Last month; else this one.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE.csv", help="Write it as CSV.")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Show fees against contracts and months: due, assessed, waived, collected, refunded, open; differences come first.

    A member alone is shown from the month in which it joined, or the first that was assessed in these books, which is
    said; --from shows earlier ones. A difference below nothing is a fee that was not assessed; one above is more than
    the contract asks.

    Example: centralpay fees register --month 2026-11
    """
    if month is not None and (since is not None or until is not None):
        raise WrongUseError("Give --month, or --from and --to")
    with opened(as_user, warn) as session, asked(session, as_of, known_at) as (connection, moment):
        member_id = None if member is None else find_member(connection, member)
        last = month_from(month or until or f"{moment.day(session.today):%Y-%m}")
        begin = None
        if since is not None:
            first = month_from(since)
        else:
            # One month is one month, of a member too.
            first, begin = usual_months(connection, last, member_id=member_id if month is None else None)
        made = read_register(connection, first, last, member_id, as_of=moment.as_of)
    if begin is not None:
        warn(f"These books begin with the fees of {begin:%Y-%m}; for earlier months give --from and --to")
    if out is not None:
        leave(out, register_csv(made).encode())
    if as_json:
        rows = [row.model_dump(mode="json") | {"why": row.why} for row in made.rows]
        print_json(moment.facts | made.model_dump(mode="json") | {"rows": rows})
        return
    if out is not None:
        SCREEN.print(f"{out}: {len(made.rows)} fees, {first:%Y-%m} to {last:%Y-%m}")
        return
    _print_register(made)
    moment.say()


@fee_commands.command("invoices")
def invoices(
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="YYYY-MM-DD", help="The day; else today.")] = None,
    older_than: Annotated[int | None, typer.Option(min=0, max=3650, help="Days that a month is open.")] = None,
    out: InvoiceFolder = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Invoice the members whose fee is open for long and that have no balance to collect it from; once a set of months.

    Example: centralpay fees invoices --as-of 2027-01-15 --older-than 45
    """
    with opened(as_user, warn) as session, progress("invoicing", None) as bar:
        settings, day = session.settings, _day(session, as_of)
        with session.begin() as connection:
            require(connection, session.actor, OPERATORS)
            days = settings.fee_invoice_after_days if older_than is None else older_than
            payable = settings.fee_invoice_payable_days
            found = issue_invoices(connection, day, session.actor, older_than=days, payable_in=payable)
        if out is not None:
            bar.step("setting the invoices")
            leave_invoices([each.invoice for each in found if each.invoice], session.sender, out)
    if as_json:
        print_json({"as_of": day.isoformat(), "unpaid": [each.model_dump(mode="json") for each in found]})
        return
    rows = [
        [each.ncpdp_id, f"{each.since:%Y-%m}", each.open_cents, each.invoice and str(each.invoice.invoice_number)]
        for each in found
    ]
    print_table(f"Fees unpaid on {day}", ["NCPDP", "since", "open", "invoice"], rows)


@fee_commands.command("invoiced")
def invoiced(
    member: Annotated[str | None, typer.Option(help="NCPDP id or member id; else all members.")] = None,
    out: InvoiceFolder = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """List the invoices as they were issued.

    Example: centralpay fees invoiced --member 1234567
    """
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        found = list_invoices(connection, None if member is None else find_member(connection, member))
        if out is not None:
            leave_invoices(found, session.sender, out)
    if as_json:
        print_json(moment.known | {"invoices": [each.model_dump(mode="json") for each in found]})
        return
    columns = ["number#", "NCPDP", "issued", "due", "months", "total"]
    print_table("Invoices", columns, [_invoice_row(each) for each in found])
    moment.say()


def _invoice_row(each: Invoice) -> list[object]:
    months = ", ".join(f"{line.month:%Y-%m}" for line in each.lines)
    return [each.invoice_number, each.ncpdp_id, each.issued_on, each.due_on, months, each.total_cents]


def _asked(
    session: Session,
    propose: Callable[..., int],
    member: str,
    month: date,
    cents: int | None,
    reason: str,
    on: str | None,
) -> int:
    """Propose a waiver or a refund of a member's month; give the approval."""
    with session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        member_id, day = find_member(connection, member), _day(session, on)
        return propose(connection, member_id, month, cents, reason, on=day, actor=session.actor)


def _day(session: Session, given: str | None) -> date:
    return session.today if given is None else day_from(given)


def _show_righted(righted: TruedUp) -> None:
    """Show what was given back, where anything was."""
    rows: list[list[object]] = [
        ["waived", righted.waived, righted.waived_cents],
        ["refunded", righted.refunded, righted.refunded_cents],
        ["waits for float", righted.waiting, righted.waiting_cents],
    ]
    shown = [row for row in rows if row[1]]
    if shown:
        print_table("Contracts ask less", ["what", "months#", "amount"], shown)


def _print_register(made: Register) -> None:
    rows = [
        [
            f"{row.month:%Y-%m}",
            row.ncpdp_id,
            "" if row.contract_id is None else f"{row.contract_id} {row.proration}".removesuffix(" none"),
            *_sums(row),
            row.why,
        ]
        for row in made.rows
    ]
    columns = ["month", "NCPDP", "contract", *(name.removesuffix("_cents") for name in FeeSums.model_fields), "why"]
    total = [["total", "", "", *_sums(made.totals), ""]] if rows else []
    print_table(f"Fees {made.from_month:%Y-%m} to {made.to_month:%Y-%m}", columns, [*rows, *total])


def _sums(sums: FeeSums) -> list[int]:
    return [getattr(sums, name) for name in FeeSums.model_fields]
