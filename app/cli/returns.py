"""What banks answered: ``returns``; and ``cycle settle``, where a person says which debit a cycle's is."""

from datetime import date
from typing import Annotated

import typer

from app.cli.cycle import cycle_commands
from app.cli.dates import day_from
from app.cli.moment import KnownAt, asked
from app.cli.people import show_approval
from app.cli.screen import SCREEN, AsJson, AsUser, print_json, print_table, warn
from app.session import Session, opened
from payouts.answers import again, returns
from payouts.answers.reversed import propose_reversed
from payouts.answers.trail import ALL, AnswerRow, list_answers, show_answer
from payouts.cycle import settlement
from payouts.people.users import OPERATORS, require
from schemas.money import show_cents

answers = typer.Typer(help="What banks answered: returns, notifications of change, disputes.", no_args_is_help=True)

AnswerId = Annotated[int, typer.Argument(metavar="ANSWER", help="Number of the answer; see: returns list.")]
Reference = Annotated[str, typer.Option("--bank-reference", metavar="REF", help="Reference of the open bank line.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept.")]
Day = Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="Business date; else today.")]


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    app.add_typer(answers, name="returns")
    cycle_commands.command("settle")(settle_cycle)


@answers.command("list")
def show_all(
    everything: Annotated[bool, typer.Option("--all", help="Those that nothing follows from, too.")] = False,
    most: Annotated[int, typer.Option("--most", min=1, max=ALL, help="How many at most, the oldest first.")] = 1000,
    known_at: KnownAt = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """List what banks answered and what comes next: until its money is there, and until it is paid again.

    Example: centralpay returns list --all
    """
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        found = list_answers(connection, everything=everything, most=most)
    if as_json:
        print_json(moment.known | {"answers": [each.model_dump(mode="json") for each in found]})
        return
    rows = [
        [
            each.answer_id,
            each.received_on,
            f"{each.kind} {each.code}",
            each.ncpdp_id,
            each.original_trace,
            each.amount_cents,
            each.treatment,
            each.state,
            each.next_step,
        ]
        for each in found
    ]
    columns = ["id#", "received", "answer", "NCPDP", "trace", "amount", "treatment", "state", "next"]
    print_table("Answers", columns, rows)
    moment.say()


@answers.command("show")
def show(answer_id: AnswerId, known_at: KnownAt = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Show an answer with its chain: the payment, all answers to it, their money, hold, and the payment made again.

    Example: centralpay returns show 3
    """
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        chain = show_answer(connection, answer_id)
    if as_json:
        listed = [each.model_dump(mode="json") for each in chain]
        print_json(moment.known | {"answer_id": answer_id, "chain": listed})
        return
    show_chain(chain)
    moment.say()


def show_chain(chain: list[AnswerRow]) -> None:
    """Print the answers about one payment, what was done about each, and what comes next."""
    original = chain[0].original
    if original is not None:
        said = f"cycle {original.cycle_id}, {show_cents(original.amount_cents)}, trace {original.ach_trace}"
        SCREEN.print(f"Payout {original.payout_id} to {chain[0].ncpdp_id}: {said}, {original.state}")
    for each in chain:
        about = f", about answer {each.about_answer_id}" if each.about_answer_id else ""
        rows: list[list[object]] = [
            ["said", f"{each.code}: {each.meaning}{about}"],
            ["text", each.text or None],
            ["treated as", each.treatment],
            ["state", each.state + (f": {each.close_reason}" if each.close_reason else "")],
            ["money", each.money and f"bank line {each.money.bank_line_id}, {each.money.bank_reference}"],
            ["hold", each.hold and f"{each.hold.hold_id} {each.hold.state}, keeps {show_cents(each.hold.held_cents)}"],
            ["bank details", each.asked_change_id and f"change {each.asked_change_id}"],
            ["apply by", each.apply_by and str(each.apply_by)],
            ["paid again", each.paid_again and _again(each)],
            ["next", each.next_step],
        ]
        title = f"Answer {each.answer_id}: {each.kind} of {show_cents(each.amount_cents)}, {each.received_on}"
        print_table(title, ["what", ""], [row for row in rows if row[1] is not None])


def _again(row: AnswerRow) -> str:
    link = row.paid_again
    if link is None:
        return ""
    return f"payout {link.payout_id} of cycle {link.cycle_id}, trace {link.ach_trace}, {link.state}"


@answers.command("match")
def match(answer_id: AnswerId, bank_reference: Reference, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Say which bank line moved an answer's money, where the rules can not tell; another person approves.

    The line may hold more, such as a day's total of returns: so much of it is taken.

    Example: centralpay returns match 3 --bank-reference 20261124RTN257
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        approval_id = returns.propose_match(connection, answer_id, bank_reference, session.actor)
    show_approval(approval_id, "pending", as_json=as_json)


@answers.command("reversed")
def reversed_payout(
    payout_id: Annotated[int, typer.Argument(metavar="PAYOUT", help="The payout that was asked back; see: ach list.")],
    bank_reference: Reference,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Say which credit is the money of a payment that was asked back; another person approves. It is then held.

    A credit that names the reversing entry's trace is found by itself.

    Example: centralpay returns reversed 12 --bank-reference 20261124ACH0002
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        approval_id = propose_reversed(connection, payout_id, bank_reference, session.actor)
    show_approval(approval_id, "pending", as_json=as_json)


@answers.command("release")
def release(
    answer_id: AnswerId,
    authority: Annotated[str, typer.Option(help="Who releases: the court, its case number.")],
    said: Annotated[str, typer.Option("--text", help="The words of the release.")],
    day: Day = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Record an authority's release of what a legal return froze; then the hold can be lifted by two people.

    Example: centralpay returns release 3 --authority 'Circuit Court, 26-CV-17' --text 'Garnishment released'
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        again.record_release(connection, answer_id, authority, said, on=_day(session, day), actor=session.actor)
    _print_state(answer_id, "released", as_json=as_json)


@answers.command("close")
def close(answer_id: AnswerId, reason: Reason, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Put an open answer aside: a correction of a name, a return of nothing of ours, one that the bank took back.

    Example: centralpay returns close 5 --reason 'name corrected in the roster'
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        returns.close_answer(connection, answer_id, reason, session.actor)
    _print_state(answer_id, "closed", as_json=as_json)


def settle_cycle(
    cycle_id: Annotated[int, typer.Argument(metavar="ID", help="Its number; see: centralpay cycle list.")],
    bank_reference: Reference,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Say which debit a released cycle's is, where the rules can not tell; another person approves.

    Example: centralpay cycle settle 4 --bank-reference 20261124ACH0001
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        approval_id = settlement.propose_settlement(connection, cycle_id, bank_reference, session.actor)
    show_approval(approval_id, "pending", as_json=as_json)


def _day(session: Session, text: str | None) -> date:
    return session.today if text is None else day_from(text)


def _print_state(answer_id: int, state: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"answer_id": answer_id, "state": state})
        return
    print_table("Answer", ["id#", "state"], [[answer_id, state]])
