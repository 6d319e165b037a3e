"""What ties the sum of all certificates to the journal, to the bank's statements and to the payers' 835s.

Each rule once, each fault as a sentence; what is reckoned on the way, the bank and the PSAO's own money, is told too.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row

from payouts.certificates.kinds import NOT_THEIRS, OWED, OWN_MOVES, PART_OF
from payouts.certificates.model import Bank, PopulationFigures, Roll
from payouts.certificates.proving import Book
from payouts.certificates.reading import QUERIES
from payouts.certificates.sums import Sums
from schemas.money import show_cents

_UNFUNDED: Final = frozenset({"advised", "due_unfunded", "unknown_payee_unfunded", "network_adjustment_unfunded"})
"""What no money is there for yet: no part of what the account holds."""


def against_journal(sums: Sums, theirs: Book) -> Iterator[str]:
    """Hold the sum of the certificates against the lines of all members' books: nobody was left out."""
    opening, closing = (sum(of.values()) for of in (sums.opening, sums.closing))
    if (opening, closing) != (theirs.before(*OWED), theirs.after(*OWED)):
        yield (
            f"the certificates open at {show_cents(opening)} and close at {show_cents(closing)}, the members' books at "
            f"{show_cents(theirs.before(*OWED))} and {show_cents(theirs.after(*OWED))}"
        )
    if opening + sum(sums.changes.values()) != closing:
        yield "opening and changes of all members are not their closing balance"
    booked: dict[str, int] = defaultdict(int)
    for event in theirs.events(*OWED):
        booked[PART_OF.get(event, "moves within what is owed")] += theirs.moved(event, *OWED)
    listed: Mapping[str, int] = sums.changes
    told = listed["claims"] + listed["taken_by_payers"] + listed["advices_reversed"]
    if told != booked["advices_reversed"] + booked["taken_by_payers"]:
        yield "what payers advised and took is not what is in the members' books"
    for part in sorted({*booked, *listed} - {"claims", "taken_by_payers", "advices_reversed"}):
        if booked[part] != listed.get(part, 0):
            told_cents = show_cents(listed.get(part, 0))
            yield f"{part.replace('_', ' ')}: {told_cents} certified, {show_cents(booked[part])} in the books"


def own_money(theirs: Book, house: Book) -> tuple[dict[str, int], list[str]]:
    """Roll the PSAO's own money in the account forward, by what changed it."""
    own = {"opening": theirs.before(*NOT_THEIRS) + house.before(*NOT_THEIRS)}
    own |= dict.fromkeys(dict.fromkeys(OWN_MOVES.values()), 0)
    faults: list[str] = []
    for event in sorted(theirs.events(*NOT_THEIRS) | house.events(*NOT_THEIRS)):
        cents = theirs.moved(event, *NOT_THEIRS) + house.moved(event, *NOT_THEIRS)
        name = OWN_MOVES.get(event)
        if name is not None:
            own[name] += cents
        elif cents:
            faults.append(f"{event} changed the PSAO's own money in the account by {show_cents(cents)}")
    own["closing"] = sum(own.values())
    collected = -theirs.moved("fee_collected", *OWED) - theirs.moved("fee_refunded", *OWED)
    if own["flat_fee"] != collected:
        faults.append(
            f"the PSAO's own money grew by {show_cents(own['flat_fee'])} of fees; members paid {show_cents(collected)}"
        )
    swept = -theirs.moved("fee_swept", "fee_withheld")
    if house.moved("fee_swept", "operating_float") != swept:
        faults.append(
            f"{show_cents(swept)} of fees were swept, {show_cents(house.moved('fee_swept', 'operating_float'))} arrived"
        )
    return own, faults


def held_for(rows: Sequence[Row[Any]]) -> dict[str, Roll]:
    """Say for whom the account's money is held, before and after: what cash stands for."""
    opening, moved = defaultdict[str, int](int), defaultdict[str, int](int)
    came, went = defaultdict[str, int](int), defaultdict[str, int](int)
    by_event: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        if row.ledger != "custody" or row.account == "cash" or row.account in _UNFUNDED:
            continue
        whose = "own" if row.account in NOT_THEIRS else "others" if row.is_house else "members"
        opening[whose] += row.before_cents
        by_event[whose, row.event] += row.moved_cents
    for (whose, _), cents in by_event.items():
        moved[whose] += cents
        came[whose] += max(cents, 0)
        went[whose] += max(-cents, 0)
    return {
        whose: Roll(
            opening_cents=opening[whose],
            in_cents=came[whose],
            out_cents=went[whose],
            closing_cents=opening[whose] + moved[whose],
        )
        for whose in ("members", "others", "own")
    }


def read_bank(connection: Connection, span: dict[str, Any], theirs: Book, house: Book) -> tuple[Bank, list[str]]:
    """Read what the bank's own statements say, the books' cash beside it; and what of it is in no book."""
    row = connection.execute(QUERIES["bank"], span).one()
    bank = Bank(
        opening_cents=row.opening_cents,
        in_cents=row.in_cents,
        out_cents=row.out_cents,
        closing_cents=row.closing_cents,
        closing_on=row.closing_on,
        opening_dated_later_cents=row.opening_later_cents,
        closing_dated_later_cents=row.closing_later_cents,
        books_opening_cents=-theirs.before("cash") - house.before("cash"),
        books_closing_cents=-theirs.after("cash") - house.after("cash"),
    )
    return bank, [f"{row.not_posted} lines of the bank are not in the books"] if row.not_posted else []


def bank_ties(made: PopulationFigures) -> Iterator[str]:
    """Hold the bank's balances against the books' cash, and that against whom it is held for."""
    bank = made.bank
    if bank.opening_cents + bank.in_cents - bank.out_cents != bank.closing_cents:
        yield (
            f"the bank opens at {show_cents(bank.opening_cents)}, {show_cents(bank.in_cents)} came in and "
            f"{show_cents(bank.out_cents)} went out: it does not close at {show_cents(bank.closing_cents)}"
        )
    for when, said, booked in (
        ("opens", bank.opening_cents - bank.opening_dated_later_cents, bank.books_opening_cents),
        ("closes", bank.closing_cents - bank.closing_dated_later_cents, bank.books_closing_cents),
    ):
        if said != booked:
            yield f"the bank {when} at {show_cents(said)}, the books at {show_cents(booked)}"
    held = made.held_for_cents.values()
    if sum(each.closing_cents for each in held) != bank.books_closing_cents:
        yield "what the account holds is not what it is held for"
    moved = bank.books_closing_cents - bank.books_opening_cents
    if sum(each.closing_cents - each.opening_cents for each in held) != moved:
        yield "what came in less what went out is not the change of what is held"
    if (made.own_cents["opening"], made.own_cents["closing"]) != (
        made.held_for_cents["own"].opening_cents,
        made.held_for_cents["own"].closing_cents,
    ):
        yield "the PSAO's own money does not roll forward"


def earned(rows: Sequence[Row[Any]]) -> dict[str, int]:
    """Sum the PSAO's own books: what it earned, what of it it gave up or back, and what is still to be collected."""
    moved, before = defaultdict[str, int](int), defaultdict[str, int](int)
    for row in rows:
        if row.ledger == "operating":
            moved[row.account] += row.moved_cents
            before[row.account] += row.before_cents
    opening = -before["fee_receivable"]
    return {
        "fee_revenue": moved["fee_revenue"],
        "waived_and_refunded": moved["fee_waived"],
        "receivable_opening": opening,
        "receivable_closing": opening - moved["fee_receivable"],
    }


def income_ties(made: PopulationFigures) -> Iterator[str]:
    """Hold the PSAO's income against what it kept: earned, less given up, is kept or still to be collected."""
    income, withheld = made.income_cents, made.on_the_way_cents.get("fee_withheld")
    waits = 0 if withheld is None else withheld.closing_cents - withheld.opening_cents
    earned = income["fee_revenue"] + income["waived_and_refunded"]
    kept = income["receivable_closing"] - income["receivable_opening"] + made.retained_cents - waits
    if earned != kept:
        yield f"the PSAO's books earned {show_cents(earned)}; kept, and still to be collected, are {show_cents(kept)}"


def remittances_tie(remitted: Sequence[Row[Any]], advised_cents: int, turned_cents: int) -> Iterator[str]:
    """Hold what the 835s pay against what was advised, to members and others, and what was reversed of it."""
    for row in remitted:
        if row.wrong:
            yield f"{row.wrong} 835s of {row.payer_name} pay otherwise than was advised, first {row.wrong_trace}"
    turned = sum(row.members_reversed_cents for row in remitted)
    told = sum(row.members_cents for row in remitted) - turned
    for what, said, listed in (("advised", told, advised_cents), ("reversed", turned, turned_cents)):
        if said != listed:
            yield f"835s {what}: {show_cents(said)} to members, their certificates list {show_cents(listed)}"
