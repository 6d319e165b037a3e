"""The certificate of all members: their figures added up, tied to the bank account and to the payers' 835s to the cent.

What came into the account less what left it is the change of what is owed to members and others, and of the PSAO's own
money in it: and of that, each cent has a name.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, Row

from payouts.certificates.errors import CertificateUnprovenError
from payouts.certificates.kinds import NOT_THEIRS, OWED, OWN_MOVES, PART_OF, PARTS
from payouts.certificates.model import (
    Bank,
    Figures,
    MemberMonths,
    Parts,
    PayerMonth,
    PayerRemitted,
    PopulationFigures,
    Roll,
)
from payouts.certificates.proving import Book
from payouts.certificates.reading import QUERIES, members_months
from schemas.money import show_cents

POPULATION: Final = "the population"
PROVEN: Final = (
    "The members' certificates of these months, every one of them proven, add up to these figures and to the journal.",
    "The bank's own statements open and close at the books' cash; in less out is the change of what is held for each.",
    "The 835s' payments (BPR02) are, to the cent, what was advised to members and to others.",
    "The PSAO's own money in the account changed by what it put in or took out, fees, bank charges and write-offs.",
    "The chart of accounts has one income account, the flat fee's, and none in the custodial ledger.",
)
_FEES: Final = ("due", "assessed", "waived", "collected", "refunded", "open")
_UNFUNDED: Final = frozenset({"advised", "due_unfunded", "unknown_payee_unfunded", "network_adjustment_unfunded"})
"""What no money is there for yet: no part of what the account holds."""
_INCOME: Final = ["operating fee_revenue"]

Told = Callable[[int], None]
"""Told how many members are read."""


class _Sums:
    """Figures of members, added up as they are read."""

    def __init__(self) -> None:
        self.members = 0
        self.opening: dict[str, int] = defaultdict(int)
        self.closing: dict[str, int] = defaultdict(int)
        self.changes = dict.fromkeys(PARTS, 0)
        self.retained_cents = 0
        self.fee_months = 0
        self.fees = dict.fromkeys(_FEES, 0)
        self.rolls: dict[str, list[Roll]] = defaultdict(list)
        self.advances: list[Roll] = []
        self.payers: dict[str, PayerMonth] = {}
        self.taken: dict[str, int] = defaultdict(int)
        self.advised_cents = 0

    def add(self, each: Figures) -> None:
        """Take a member's figures."""
        self.members += 1
        for sums, parts in ((self.opening, each.opening_parts_cents), (self.closing, each.closing_parts_cents)):
            for name, cents in parts.model_dump().items():
                sums[name] += cents
        for part, cents in each.changes_cents.items():
            self.changes[part] += cents
        self.retained_cents += each.retained_cents
        self.fee_months += len(each.fees)
        for fee in each.fees:
            for name in _FEES:
                self.fees[name] += getattr(fee, f"{name}_cents")
        for name, roll in each.on_the_way_cents.items():
            self.rolls[name] = [_together([*self.rolls[name], roll])]
        self.advances = [_together([*self.advances, each.advance_cents])]
        for payer in each.payers:
            before = self.payers.get(payer.payer_id)
            self.payers[payer.payer_id] = payer if before is None else _both(before, payer)
            self.advised_cents += payer.claims_cents + payer.taken_cents
        for taken in each.taken:
            self.taken[f"{taken.payer_name}: {taken.reason or taken.words}"] += taken.amount_cents


def population(
    connection: Connection, from_on: date, to_on: date, tell: Told = lambda _: None
) -> tuple[PopulationFigures, tuple[str, ...]]:
    """Add the members' months up and tie them to the bank and the 835s; give what of it is not proven, too.

    Args:
        connection: a snapshot, best as known at a checkpoint.
        from_on: first day of the first month.
        to_on: last day of the last one.
        tell: is told how many members are read.

    Raises:
        CertificateUnprovenError: a member's months are not proven.
    """
    sums = _Sums()
    for each in members_months(connection, None, from_on, to_on):
        if each.faults:
            raise CertificateUnprovenError(each.member.ncpdp_id, each.faults)
        sums.add(each.figures)
        if sums.members % 100 == 0:
            tell(sums.members)
    span = {"from_on": from_on, "to_on": to_on}
    rows = connection.execute(QUERIES["all_books"], span).all()
    theirs, house = Book([row for row in rows if not row.is_house]), Book([row for row in rows if row.is_house])
    remitted = connection.execute(QUERIES["remittances"], span).all()
    bank, later = _bank(connection, span, theirs, house)
    own, strange = _own_money(theirs, house)
    made = _figures(sums, remitted, bank=bank, own=own, held_for=_held_for(rows), income=_income(rows))
    incomes = list(connection.execute(QUERIES["income_accounts"]).scalars())
    lost = connection.execute(QUERIES["told_to_nobody"], span).scalar_one()
    faults = [
        *_against_journal(sums, theirs),
        *strange,
        *later,
        *_bank_ties(made),
        *_remittances_tie(remitted, sums.advised_cents),
        *_income_ties(made),
        *(f"{lost} lines of advices are of no advice" for _ in range(bool(lost))),
        *(f"the chart has other income than the flat fee: {', '.join(incomes)}" for _ in range(incomes != _INCOME)),
    ]
    return made, tuple(faults)


def proven_population(
    connection: Connection, from_on: date, to_on: date, tell: Told = lambda _: None
) -> PopulationFigures:
    """Give the population's figures.

    Raises:
        CertificateUnprovenError: the books do not prove them.
    """
    made, faults = population(connection, from_on, to_on, tell)
    if faults:
        raise CertificateUnprovenError(POPULATION, faults)
    return made


def proven_members(months: Iterable[MemberMonths]) -> Iterator[MemberMonths]:
    """Let members' months through that are proven.

    Raises:
        CertificateUnprovenError: at the first that is not.
    """
    for each in months:
        if each.faults:
            raise CertificateUnprovenError(each.member.ncpdp_id, each.faults)
        yield each


def _figures(
    sums: _Sums,
    remitted: Sequence[Row[Any]],
    *,
    bank: Bank,
    own: dict[str, int],
    held_for: dict[str, Roll],
    income: dict[str, int],
) -> PopulationFigures:
    opening, closing = (Parts(**{name: of[name] for name in Parts.model_fields}) for of in (sums.opening, sums.closing))
    return PopulationFigures(
        members=sums.members,
        opening_cents=opening.total,
        opening_parts_cents=opening,
        changes_cents=sums.changes,
        closing_cents=closing.total,
        closing_parts_cents=closing,
        retained_cents=sums.retained_cents,
        fee_months=sums.fee_months,
        fees_cents=sums.fees,
        on_the_way_cents={name: _together(rolls) for name, rolls in sums.rolls.items()},
        advance_cents=_together(sums.advances),
        payers=tuple(sorted(sums.payers.values(), key=lambda each: (each.payer_name, each.payer_id))),
        taken_cents=dict(sums.taken),
        remitted=tuple(
            PayerRemitted(
                payer_id=row.payer_id,
                payer_name=row.payer_name,
                advices=row.advices,
                payment_cents=row.payment_cents,
                members_cents=row.members_cents,
                others_cents=row.payment_cents - row.members_cents,
            )
            for row in remitted
        ),
        bank=bank,
        held_for_cents=held_for,
        own_cents=own,
        income_cents=income,
    )


def _together(rolls: Sequence[Roll]) -> Roll:
    return Roll(**{name: sum(getattr(each, name) for each in rolls) for name in Roll.model_fields})


def _both(one: PayerMonth, other: PayerMonth) -> PayerMonth:
    named = {"payer_id", "payer_name"}
    sums = {name: getattr(one, name) + getattr(other, name) for name in PayerMonth.model_fields if name not in named}
    return PayerMonth(payer_id=one.payer_id, payer_name=one.payer_name, **sums)


def _against_journal(sums: _Sums, theirs: Book) -> Iterator[str]:
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


def _own_money(theirs: Book, house: Book) -> tuple[dict[str, int], list[str]]:
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


def _held_for(rows: Sequence[Row[Any]]) -> dict[str, Roll]:
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


def _bank(connection: Connection, span: dict[str, Any], theirs: Book, house: Book) -> tuple[Bank, list[str]]:
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


def _bank_ties(made: PopulationFigures) -> Iterator[str]:
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


def _income(rows: Sequence[Row[Any]]) -> dict[str, int]:
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


def _income_ties(made: PopulationFigures) -> Iterator[str]:
    """Hold the PSAO's income against what it kept: earned, less given up, is kept or still to be collected."""
    income, withheld = made.income_cents, made.on_the_way_cents.get("fee_withheld")
    waits = 0 if withheld is None else withheld.closing_cents - withheld.opening_cents
    earned = income["fee_revenue"] + income["waived_and_refunded"]
    kept = income["receivable_closing"] - income["receivable_opening"] + made.retained_cents - waits
    if earned != kept:
        yield f"the PSAO's books earned {show_cents(earned)}; kept, and still to be collected, are {show_cents(kept)}"


def _remittances_tie(remitted: Sequence[Row[Any]], advised_cents: int) -> Iterator[str]:
    for row in remitted:
        if row.wrong:
            yield f"{row.wrong} 835s of {row.payer_name} pay otherwise than was advised, first {row.wrong_trace}"
    members = sum(row.members_cents for row in remitted)
    if members != advised_cents:
        yield f"835s advised {show_cents(members)} to members, their certificates list {show_cents(advised_cents)}"
