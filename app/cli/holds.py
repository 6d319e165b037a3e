"""Money kept back and legal orders: ``holds``, ``levies``."""

from datetime import date
from typing import Annotated, Any

import typer

from app.cli.dates import day_from
from app.cli.given import cents_from
from app.cli.moment import KnownAt, Moment, asked
from app.cli.people import show_approval
from app.cli.screen import SCREEN, AsJson, AsUser, print_json, print_table, warn
from app.session import Session, opened
from ingest.directory import find_member
from payouts.disbursing.disbursements import Method, show_disbursement
from payouts.holding import holds, levies, lifts
from payouts.holding.holds import UNTOLD, Hold, HoldKind, HoldOrder
from payouts.holding.levies import Levy, LevyOrder
from payouts.people.users import OPERATORS, require

hold_commands = typer.Typer(help="Money kept back from members: place, look again, lift.", no_args_is_help=True)
levy_commands = typer.Typer(help="Legal orders that send a member's money to a third party.", no_args_is_help=True)

MemberName = Annotated[str, typer.Argument(metavar="MEMBER", help="NCPDP id or member id.")]
HoldId = Annotated[int, typer.Argument(metavar="HOLD", help="Its number; see: centralpay holds list.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept.")]
Day = Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="Business date; else today.")]
ReviewOn = Annotated[str, typer.Option("--review-on", metavar="YYYY-MM-DD", help="When a person looks again.")]
All = Annotated[bool, typer.Option("--all", help="Those that are done, too.")]


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    app.add_typer(hold_commands, name="holds")
    app.add_typer(levy_commands, name="levies")


@hold_commands.command("place")
def place(
    member: MemberName,
    kind: Annotated[HoldKind, typer.Option(help="Why money is kept back.")],
    reason: Reason,
    authority: Annotated[str, typer.Option(help="Who may order it: court and case, clause of a contract.")],
    review_on: ReviewOn,
    payer: Annotated[str | None, typer.Option(metavar="PAYER_ID", help="Only what this payer brings.")] = None,
    amount: Annotated[str | None, typer.Option(help="At most so many dollars; else all.")] = None,
    on: Day = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Keep money of a member back; one person may do that.

    Example: centralpay holds place 1234567 --kind dispute --reason 'audit' --authority '§7' --review-on 2026-12-15
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        order = HoldOrder(
            member_id=find_member(connection, member),
            kind=kind,
            reason=reason,
            authority=authority,
            review_on=day_from(review_on),
            placed_on=_day(session, on),
            payer_id=payer,
            limit_cents=None if amount is None else cents_from(amount),
        )
        hold = holds.show_hold(connection, holds.place_hold(connection, order, session.actor))
    if as_json:
        print_json(hold_json(hold))
        return
    show_holds([hold])
    if kind in UNTOLD:
        SCREEN.print(
            f"The member was not told: the law may forbid it for a hold of kind {kind.value}. A person decides."
        )


@hold_commands.command("list")
def show_all(
    member: Annotated[str | None, typer.Option(metavar="MEMBER", help="Only this member's.")] = None,
    everything: All = False,
    known_at: KnownAt = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """List the holds that are active or still keep money.

    Example: centralpay holds list --member 1234567
    """
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        whose = None if member is None else find_member(connection, member)
        found = holds.list_holds(connection, whose, everything=everything)
    _print_holds(found, moment, as_json=as_json)


@hold_commands.command("show")
def show(hold_id: HoldId, known_at: KnownAt = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Show a hold with its reason, authority and scope.

    Example: centralpay holds show 3
    """
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        hold = holds.show_hold(connection, hold_id)
    if as_json:
        print_json(moment.known | hold_json(hold))
        return
    show_holds([hold])
    print_table("Why", ["reason", "authority", "placed by"], [[hold.reason, hold.authority, hold.placed_by]])
    moment.say()


@hold_commands.command("lift")
def lift(
    hold_id: HoldId,
    reason: Reason,
    amount: Annotated[str | None, typer.Option(help="So many dollars; else all, and the hold ends.")] = None,
    on: Day = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Ask to lift a hold, whole or in part; another person approves.

    Example: centralpay holds lift 3 --reason 'audit closed'
    """
    cents = None if amount is None else cents_from(amount)
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        approval_id = lifts.ask_lift(connection, hold_id, cents, reason, session.actor, on=_day(session, on))
    show_approval(approval_id, "pending", as_json=as_json)


@hold_commands.command("review")
def review(on: Day = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """List the holds whose day of review has come, each with an open exception.

    Example: centralpay holds review --date 2026-12-15
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        found = holds.review_holds(connection, _day(session, on))
    _print_holds(found, as_json=as_json)


@hold_commands.command("extend")
def extend(
    hold_id: HoldId,
    review_on: ReviewOn,
    reason: Reason,
    on: Day = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Keep a hold after its review, and look again later.

    Example: centralpay holds extend 3 --review-on 2027-01-15 --reason 'papers asked for'
    """
    later = day_from(review_on)
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        hold = holds.extend_hold(connection, hold_id, later, reason, on=_day(session, on), actor=session.actor)
    _print_holds([hold], as_json=as_json)


@levy_commands.command("receive")
def receive(
    member: MemberName,
    authority: Annotated[str, typer.Option(help="Court or authority, and its case.")],
    payee: Annotated[str, typer.Option(help="The third party that is paid.")],
    amount: Annotated[str, typer.Option(help="Dollars that the order takes.")],
    review_on: ReviewOn,
    on: Day = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Receive a legal order: keep back what is there, up to its amount, and tell the member.

    Example: centralpay levies receive 1234567 --authority 'Court, 26-1' --payee P --amount 900 --review-on 2027-01-15
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        order = LevyOrder(
            member_id=find_member(connection, member),
            authority=authority,
            payee=payee,
            amount_cents=cents_from(amount),
            review_on=day_from(review_on),
            received_on=_day(session, on),
        )
        hold_id = levies.receive_levy(connection, order, session.actor)
        found = levies.list_levies(connection, hold_id)
    _print_levies(found, as_json=as_json)


@levy_commands.command("take")
def take(hold_id: HoldId, on: Day = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Owe to the third party what its order keeps back and what more is available, up to the amount.

    Example: centralpay levies take 3
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        cents = levies.take_levy(connection, hold_id, _day(session, on), session.actor)
        found = levies.list_levies(connection, hold_id)
    if as_json:
        print_json({"taken_cents": cents, "levy": found[0].model_dump(mode="json")})
        return
    print_table("Taken now", ["hold#", "amount"], [[hold_id, cents]])
    _print_levies(found, as_json=False)


@levy_commands.command("pay")
def pay(
    hold_id: HoldId,
    method: Annotated[Method, typer.Option(help="How the treasury pays it.")] = Method.CHECK,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Propose to pay the third party what is levied; another person approves the disbursement.

    Example: centralpay levies pay 3 --method wire
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        made = show_disbursement(connection, levies.pay_levy(connection, hold_id, method, session.actor))
    if as_json:
        print_json(made)
        return
    row = [made.disbursement_id, made.payee, made.method.value, made.amount_cents, made.state]
    print_table("Disbursement", ["id#", "payee", "method", "amount", "state"], [row])


@levy_commands.command("turn")
def turn(hold_id: HoldId, reason: Reason, on: Day = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Turn what was levied under an order that was wrong; it is held again until another person approves its lift.

    Example: centralpay levies turn 3 --reason 'order quashed'
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        levies.turn_levy(connection, hold_id, reason, on=_day(session, on), actor=session.actor)
        found = levies.list_levies(connection, hold_id)
    _print_levies(found, as_json=as_json)


@levy_commands.command("list")
def show_levies(
    everything: All = False, known_at: KnownAt = None, as_json: AsJson = False, as_user: AsUser = None
) -> None:
    """List the legal orders that are not paid whole.

    Example: centralpay levies list
    """
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        found = levies.list_levies(connection, everything=everything)
    _print_levies(found, moment, as_json=as_json)


def hold_json(hold: Hold) -> dict[str, Any]:
    """Give a hold as its JSON document."""
    return hold.model_dump(mode="json")


def show_holds(found: list[Hold]) -> None:
    """Print holds."""
    rows = [
        [
            each.hold_id,
            each.ncpdp_id,
            each.kind.value,
            each.state,
            each.payer_id or "any",
            "all" if each.limit_cents is None else each.limit_cents,
            each.held_cents,
            each.levied_cents,
            each.unclaimed_cents,
            each.placed_on,
            each.review_on,
        ]
        for each in found
    ]
    columns = ["id#", "NCPDP", "kind", "state", "payer", "limit", "held", "levied", "unclaimed", "placed", "review"]
    print_table("Holds", columns, rows)


def _print_holds(found: list[Hold], moment: Moment | None = None, *, as_json: bool) -> None:
    if as_json:
        known = {} if moment is None else moment.known
        print_json(known | {"holds": [hold_json(each) for each in found]})
        return
    show_holds(found)
    if moment is not None:
        moment.say()


def _print_levies(found: list[Levy], moment: Moment | None = None, *, as_json: bool) -> None:
    if as_json:
        known = {} if moment is None else moment.known
        print_json(known | {"levies": [each.model_dump(mode="json") for each in found]})
        return
    rows = [
        [
            each.hold_id,
            each.ncpdp_id,
            each.payee,
            each.authority,
            each.amount_cents,
            each.held_cents,
            each.taken_cents,
            each.paid_cents,
            each.state,
        ]
        for each in found
    ]
    columns = ["hold#", "NCPDP", "payee", "authority", "amount", "held", "taken", "paid", "state"]
    print_table("Levies", columns, rows)
    if moment is not None:
        moment.say()


def _day(session: Session, text: str | None) -> date:
    return session.today if text is None else day_from(text)
