"""The certificate of all members: their figures added up, tied to the bank account and to the payers' 835s to the cent.

What came into the account less what left it is the change of what is owed to members and others, and of the PSAO's own
money in it: and of that, each cent has a name.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, Row

from payouts.certificates.errors import CertificateUnprovenError
from payouts.certificates.model import Bank, MemberMonths, Parts, PayerRemitted, PopulationFigures, Roll
from payouts.certificates.proving import Book
from payouts.certificates.reading import QUERIES, members_months
from payouts.certificates.sums import Sums, together
from payouts.certificates.tying import (
    against_journal,
    bank_ties,
    earned,
    held_for,
    income_ties,
    own_money,
    read_bank,
    remittances_tie,
)

POPULATION: Final = "the population"
PROVEN: Final = (
    "The members' certificates of these months, every one of them proven, add up to these figures and to the journal.",
    "The bank's own statements open and close at the books' cash; in less out is the change of what is held for each.",
    "The 835s' payments (BPR02) are, to the cent, what was advised to members and to others.",
    "The PSAO's own money in the account changed by what it put in or took out, fees, bank charges and write-offs.",
    "The chart of accounts has one income account, the flat fee's, and none in the custodial ledger.",
)
_INCOME: Final = ["operating fee_revenue"]

Told = Callable[[int], None]
"""Told how many members are read."""


def population(
    connection: Connection,
    from_on: date,
    to_on: date,
    tell: Told = lambda _: None,
    *,
    seen: Callable[[MemberMonths], object] = lambda _: None,
) -> tuple[PopulationFigures, tuple[str, ...]]:
    """Add the members' months up and tie them to the bank and the 835s; give what of it is not proven, too.

    Args:
        connection: a snapshot, best as known at a checkpoint.
        from_on: first day of the first month.
        to_on: last day of the last one.
        tell: is told how many members are read.
        seen: is given each member's months as they are added.

    Raises:
        CertificateUnprovenError: a member's months are not proven.
    """
    sums = Sums()
    for each in members_months(connection, None, from_on, to_on):
        if each.faults:
            raise CertificateUnprovenError(each.member.ncpdp_id, each.faults)
        sums.add(each.figures)
        seen(each)
        if sums.members % 100 == 0:
            tell(sums.members)
    span = {"from_on": from_on, "to_on": to_on}
    rows = connection.execute(QUERIES["all_books"], span).all()
    theirs, house = Book([row for row in rows if not row.is_house]), Book([row for row in rows if row.is_house])
    remitted = connection.execute(QUERIES["remittances"], span).all()
    bank, later = read_bank(connection, span, theirs, house)
    own, strange = own_money(theirs, house)
    made = _figures(sums, remitted, bank=bank, own=own, held_for=held_for(rows), income=earned(rows))
    incomes = list(connection.execute(QUERIES["income_accounts"]).scalars())
    lost = connection.execute(QUERIES["told_to_nobody"], span).scalar_one()
    faults = [
        *against_journal(sums, theirs),
        *strange,
        *later,
        *bank_ties(made),
        *remittances_tie(remitted, sums.advised_cents, sums.changes["advices_reversed"]),
        *income_ties(made),
        *(f"{lost} lines of advices are of no advice" for _ in range(bool(lost))),
        *(f"the chart has other income than the flat fee: {', '.join(incomes)}" for _ in range(incomes != _INCOME)),
    ]
    return made, tuple(faults)


def proven_population(
    connection: Connection,
    from_on: date,
    to_on: date,
    tell: Told = lambda _: None,
    *,
    seen: Callable[[MemberMonths], object] = lambda _: None,
) -> PopulationFigures:
    """Give the population's figures; ``seen`` is given each member's months as they are added.

    Raises:
        CertificateUnprovenError: the books do not prove them.
    """
    made, faults = population(connection, from_on, to_on, tell, seen=seen)
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
    sums: Sums,
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
        on_the_way_cents={name: together(rolls) for name, rolls in sums.rolls.items()},
        advance_cents=together(sums.advances),
        payers=tuple(sorted(sums.payers.values(), key=lambda each: (each.payer_name, each.payer_id))),
        taken_cents=dict(sums.taken),
        remitted=tuple(
            PayerRemitted(
                payer_id=row.payer_id,
                payer_name=row.payer_name,
                advices=row.advices,
                payment_cents=row.payment_cents,
                reversed_cents=row.reversed_cents,
                members_cents=row.members_cents,
                others_cents=row.payment_cents + row.reversed_cents - row.members_cents,
            )
            for row in remitted
        ),
        bank=bank,
        held_for_cents=held_for,
        own_cents=own,
        income_cents=income,
    )
