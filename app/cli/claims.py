"""Claims across files: ``claim find``, ``reversals list``, ``reversals pair``, ``forward-balances list``."""

from typing import Annotated

import typer

from app.cli.moment import KnownAt, asked
from app.cli.screen import SCREEN, AsJson, AsUser, print_json, print_table, warn
from app.session import opened
from app.work import readable
from ingest.forward_balances import ForwardBalance, forward_balances
from ingest.reversals import ClaimPlace, Reversal, choose_original, list_reversals
from payouts.claim_trail import AdvicePlace, CameBack, ClaimTrail, Funding, PaidOut, find_claims
from payouts.people.users import OPERATORS, require
from schemas.money import show_cents

claim = typer.Typer(help="Where the money of a prescription is.", no_args_is_help=True)
reversals = typer.Typer(help="Claims that payers took back, with their originals.", no_args_is_help=True)
carried = typer.Typer(help="What payers carried forward and have still to take.", no_args_is_help=True)

Open = Annotated[bool, typer.Option("--open", help="Only those that are not done.")]
PaidUntil = Annotated[
    str | None, typer.Option("--as-of", metavar="YYYY-MM-DD", help="By payment date; else everything received.")
]
Most = Annotated[int, typer.Option("--most", min=1, max=1_000_000, help="How many at most, the latest payments first.")]


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    app.add_typer(claim, name="claim")
    app.add_typer(reversals, name="reversals")
    app.add_typer(carried, name="forward-balances")


# Where the money is --------------------------------------------------------------------------------------------------


@claim.command("find")
def find(
    rx: Annotated[str, typer.Option("--rx", metavar="N", help="Prescription number, with or without zeros, suffix.")],
    member: Annotated[str | None, typer.Option("--member", metavar="NCPDP", help="NCPDP id, or member id.")] = None,
    most: Most = 50,
    known_at: KnownAt = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Follow a prescription: promised, advised, funded, paid, and what is missing.

    Of the past it says all but which claim takes back which: that is found anew with every file.

    Example: centralpay claim find --rx 6000123 --member 1234567
    """
    rx, member = readable(rx), member and readable(member)
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        found = find_claims(connection, rx, member, most=most, paired=moment.checkpoint is None)
    if as_json:
        print_json(moment.known | {"rx": rx, "claims": [each.model_dump(mode="json") for each in found]})
        return
    if not found:
        where = "" if member is None else f" of {member}"
        SCREEN.print(f"No remittance names prescription {rx}{where}.", markup=False)
    for each in found:
        _show_claim(each)
    if len(found) == most:
        warn(f"These are the latest {most}; there may be more: --most")
    moment.say()


def _show_claim(found: ClaimTrail) -> None:
    funded, paid = found.funded, found.paid
    rows: list[list[object]] = [
        ["promised", None, "not known: no dispensing record"],
        ["advised", found.advice.paid_on, "\n".join(_advised(found))],
        ["funded", funded and funded.funded_on, funded and _funded(funded)],
        ["paid", paid and paid.effective_date, paid and _payout(paid, found.paid_cents)],
    ]
    if found.paid_directly:
        rows[2:] = [["paid", found.advice.paid_on, "by the payer directly, not through us"]]
    if paid and paid.returned:
        rows.append(["returned", paid.returned.received_on, _returned(paid.returned)])
    if found.takes_back and found.takes_back.original:
        rows.append(_linked("takes back", found.takes_back.original))
    if found.taken_back_by:
        rows.append(_linked("taken back", found.taken_back_by))
    rows.append(["missing", None, found.missing or "nothing"])
    filled = f", filled {found.fill_on}" if found.fill_on else ""
    title = f"Rx {found.rx_number} of {found.ncpdp_id or found.identifier}{filled}"
    print_table(title, ["step", "date", "what"], rows)


def _advised(found: ClaimTrail) -> list[str]:
    amounts = [
        f"{show_cents(found.paid_cents)} paid of {show_cents(found.charge_cents)}",
        f"patient {show_cents(found.patient_cents)}",
    ]
    said = [f"{found.payer_name}, trace {found.advice.trace_number}", f"{found.status_words}: {', '.join(amounts)}"]
    said += [f"{show_cents(each.amount_cents)} {each.words} {each.group}{each.reason}" for each in found.adjustments]
    return said + [f"{each.words} ({each.code})" for each in found.reasons]


def _funded(funded: Funding) -> str:
    said = [f"bank line {each.bank_line_id} of {each.booked_on}" for each in funded.deposits]
    return ", ".join(said) or "no deposit needed"


def _payout(paid: PaidOut, claim_cents: int) -> str:
    if paid.amount_cents is None or not claim_cents:
        return f"told by cycle {paid.cycle_id}"
    traced = f", trace {paid.ach_trace}" if paid.ach_trace else ""
    return f"cycle {paid.cycle_id}, payout of {show_cents(paid.amount_cents)} {paid.state}{traced}"


def _returned(back: CameBack) -> str:
    said = f"{back.code}, answer {back.answer_id}"
    if back.paid_again_cycle_id is None:
        return said
    return f"{said}; paid again in cycle {back.paid_again_cycle_id}, trace {back.paid_again_trace}"


def _linked(step: str, place: AdvicePlace) -> list[object]:
    said = f"trace {place.trace_number}: advice {place.advice_id}, segment {place.segment}"
    return [step, place.paid_on, said]


# Reversals -----------------------------------------------------------------------------------------------------------


@reversals.command("list")
def show_reversals(only_open: Open = False, most: Most = 1000, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """List the claims that payers took back, with the originals, or the candidates to choose from.

    Example: centralpay reversals list --open
    """
    with opened(as_user, warn) as session, session.reading() as connection:
        found = list_reversals(connection, only_open=only_open, most=most)
    if as_json:
        print_json({"reversals": [each.model_dump(mode="json") for each in found]})
        return
    rows = [
        [
            f"{each.advice_id} {each.segment}",
            f"{each.payer_name}\n{each.trace_number}",
            f"{each.rx_number}\n{each.fill_on or ''}",
            each.paid_cents,
            _originals(each),
        ]
        for each in found
    ]
    print_table("Reversals", ["advice, segment", "payer, trace", "Rx, filled", "paid", "original"], rows)


def _originals(reversal: Reversal) -> str:
    if reversal.original:
        return f"{reversal.original.advice_id} {reversal.original.segment}"
    named = [f"{each.advice_id} {each.segment}" for each in reversal.candidates]
    return "\n".join([reversal.state.value, *named])


@reversals.command("pair")
def pair(
    advice: Annotated[int, typer.Argument(metavar="ADVICE", help="Advice of the reversal.")],
    segment: Annotated[int, typer.Argument(metavar="SEGMENT", help="Its segment in that set.")],
    original: Annotated[
        tuple[int, int], typer.Option("--with", metavar="ADVICE SEGMENT", help="The candidate that it takes back.")
    ],
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Choose which of the listed candidates a reversal takes back.

    Example: centralpay reversals pair 7 31 --with 3 12 --as anna
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        choose_original(connection, ClaimPlace(advice, segment), ClaimPlace(*original), session.actor)
    if as_json:
        chosen = {"advice_id": original[0], "segment": original[1]}
        print_json({"advice_id": advice, "segment": segment, "state": "paired", "original": chosen})
        return
    print_table(
        "Paired",
        ["advice, segment", "original: advice, segment"],
        [[f"{advice} {segment}", f"{original[0]} {original[1]}"]],
    )


# Forward balances ----------------------------------------------------------------------------------------------------


@carried.command("list")
def show_forward_balances(
    only_open: Open = False,
    as_of: PaidUntil = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """List what payers carried forward: each reference, and the total by payer and pharmacy, which must become zero.

    Example: centralpay forward-balances list --open --as-of 2026-11-30
    """
    with opened(as_user, warn) as session, asked(session, as_of, known_at) as (connection, moment):
        found = forward_balances(connection, as_of=moment.as_of, today=moment.day(session.today), only_open=only_open)
    if as_json:
        print_json(moment.facts | {"forward_balances": [each.model_dump(mode="json") for each in found]})
        return
    columns = ["payer, payee", "reference", "last", "open", "total", "days#"]
    print_table("Forward balances", columns, [row for each in found for row in _forward_rows(each)])
    moment.say()


def _forward_rows(balance: ForwardBalance) -> list[list[object]]:
    payee = balance.ncpdp_id or balance.identifier or "network"
    whose = f"{balance.payer_name}\n{payee}"
    return [
        [whose, each.reference, each.last_on, each.open_cents, balance.open_cents, balance.age_days]
        for each in balance.references
    ]
