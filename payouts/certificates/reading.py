"""Members' certificates, read from their own books and proven as they are read.

The figures come from the statement's reading of advices, adjustments and payouts, and once more from the journal's
lines alone, account by account; where the two differ, or a line is of a kind that the books of members do not have, the
certificate says so and none is made.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import islice
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row

from ledger.queries import Queries
from payouts.certificates.errors import MonthsError
from payouts.certificates.kinds import PART_OF, PARTS
from payouts.certificates.model import (
    Certified,
    FeeMonth,
    Figures,
    MemberMonths,
    PaidOut,
    Parts,
    PayerMonth,
    Taken,
)
from payouts.certificates.proving import Book, faults_of
from payouts.fees.register import RegisterRow, fee_rows
from payouts.statements.model import AdviceRow, Statement
from payouts.statements.reading import BATCH, by_owner, statements

QUERIES: Final = Queries("payouts", "certificates.sql")
_ROLLED: Final = ("levied", "in_transit", "unclaimed", "fee_withheld")
_FEES: Final = frozenset({"flat_fee", "payouts", "taken_by_payers"})
"""Parts of movements that are told elsewhere, one by one."""


def month_ends(from_month: date, to_month: date) -> tuple[date, date]:
    """Give the first and the last day of whole months, by the first day of each.

    Raises:
        MonthsError: they run backwards.
    """
    if to_month < from_month:
        raise MonthsError(from_month, to_month)
    after = date(to_month.year + to_month.month // 12, to_month.month % 12 + 1, 1)
    return from_month.replace(day=1), date.fromordinal(after.toordinal() - 1)


def members_months(
    connection: Connection, member_ids: Iterable[UUID] | None, from_on: date, to_on: date
) -> Iterator[MemberMonths]:
    """Read and prove the months of members, by accounting date, in the order in which they are asked for.

    Args:
        connection: a snapshot, best as known at a checkpoint.
        member_ids: whose; None: of everybody to whom the range says anything, by NCPDP id.
        from_on: first day of the first month.
        to_on: last day of the last one.
    """
    span = {"from_on": from_on, "to_on": to_on}
    if member_ids is None:
        member_ids = connection.execute(QUERIES["everybody"], span).scalars().all()
    waiting = iter(member_ids)
    while some := list(islice(waiting, BATCH)):
        yield from _batch(connection, some, span)


def _batch(connection: Connection, member_ids: Sequence[UUID], span: dict[str, Any]) -> Iterator[MemberMonths]:
    asked = span | {"member_ids": list(member_ids)}
    members = {row.member_id: row for row in connection.execute(QUERIES["members"], asked)}
    books = by_owner(connection.execute(QUERIES["books"], asked))
    payers = by_owner(connection.execute(QUERIES["payers"], asked))
    fees: dict[UUID, list[RegisterRow]] = defaultdict(list)
    first, last = span["from_on"], span["to_on"].replace(day=1)
    for fee in sorted(fee_rows(connection, first, last, member_ids, as_of=span["to_on"], since=first), key=_fee_order):
        fees[fee.member_id].append(fee)
    for told in statements(connection, member_ids, span["from_on"], span["to_on"]):
        book = Book(books.get(told.member_id, []))
        months = tuple(_fee_month(connection, fee) for fee in fees[told.member_id])
        figures = figures_of(told, book, payers.get(told.member_id, []), months)
        row = members[told.member_id]
        yield MemberMonths(
            member=Certified(
                member_id=row.member_id, ncpdp_id=row.ncpdp_id, legal_name=row.legal_name, dba_name=row.dba_name
            ),
            figures=figures,
            faults=faults_of(connection, told, book, figures),
        )


def _fee_order(fee: RegisterRow) -> date:
    return fee.month


def figures_of(told: Statement, book: Book, payers: Sequence[Row[Any]], fees: tuple[FeeMonth, ...]) -> Figures:
    """Put a member's figures together; nothing is proven by it."""
    changes = dict.fromkeys(PARTS, 0)
    changes["claims"] = told.claims_cents
    changes["taken_by_payers"] = told.adjustments_cents
    for row in told.movements:
        # What has no part of its own is found by the proof that every line is of a kind that is known.
        part = PART_OF.get(row.reversed_event or row.event)
        if part is not None:
            changes[part] += row.amount_cents
    return Figures(
        opening_cents=told.opening_cents,
        opening_parts_cents=book.parts_before,
        changes_cents=changes,
        closing_cents=told.closing_cents,
        closing_parts_cents=Parts(
            available=told.available_cents, awaiting_payer=told.awaiting_payer_cents, held=told.held_cents
        ),
        retained_cents=told.retained_cents,
        fees=fees,
        on_the_way_cents={name: book.roll(name) for name in _ROLLED},
        advance_cents=book.roll("operating_advance"),
        payers=_payers(told.advices, payers),
        taken=_taken(told),
        others=tuple(row for row in told.movements if PART_OF.get(row.reversed_event or row.event) not in _FEES),
        payouts=tuple(
            PaidOut(
                released_on=each.released_on,
                effective_date=each.effective_date,
                amount_cents=each.amount_cents,
                trace_number=each.trace_number,
                account_last_four=each.account_last_four,
            )
            for each in told.payouts
        ),
    )


def _fee_month(connection: Connection, row: RegisterRow) -> FeeMonth:
    over, still = max(row.difference_cents, 0), 0
    if over:
        # An exit that is recorded late is given back on its own day, which may be after the end.
        (now,) = fee_rows(connection, row.month, row.month, [row.member_id])
        still = max(now.difference_cents, 0)
    return FeeMonth(
        month=f"{row.month:%Y-%m}",
        contract_id=row.contract_id,
        monthly_fee_cents=row.monthly_fee_cents,
        proration=row.proration,
        due_cents=row.due_cents,
        assessed_cents=row.assessed_cents,
        waived_cents=row.waived_cents,
        collected_cents=row.collected_cents,
        refunded_cents=row.refunded_cents,
        open_cents=row.open_cents,
        collected_now_cents=row.collected_since_cents,
        refunded_now_cents=row.refunded_since_cents,
        given_back_later_cents=over - still,
        to_give_back_cents=still,
    )


def _payers(advices: Sequence[AdviceRow], rows: Sequence[Row[Any]]) -> tuple[PayerMonth, ...]:
    told: dict[str, list[AdviceRow]] = defaultdict(list)
    names = {row.payer_id: row.payer_name for row in rows}
    for row in advices:
        told[row.payer_id].append(row)
        names.setdefault(row.payer_id, row.payer_name)
    moved = {row.payer_id: row for row in rows}
    return tuple(
        PayerMonth(
            payer_id=payer_id,
            payer_name=name,
            advices=len(told[payer_id]),
            claims=sum(row.claim_count for row in told[payer_id]),
            awaited_before_cents=moved[payer_id].before_cents if payer_id in moved else 0,
            claims_cents=sum(row.claims_cents for row in told[payer_id]),
            taken_cents=sum(each.amount_cents for row in told[payer_id] for each in row.adjustments),
            corrected_cents=moved[payer_id].corrected_cents if payer_id in moved else 0,
            funded_cents=moved[payer_id].funded_cents if payer_id in moved else 0,
            awaited_after_cents=moved[payer_id].after_cents if payer_id in moved else 0,
        )
        for payer_id, name in sorted(names.items(), key=lambda each: (each[1], each[0]))
    )


def _taken(told: Statement) -> tuple[Taken, ...]:
    """List what payers took or gave: by their advices, then outside of them."""
    by_advice = [
        Taken(
            date=row.date,
            payer_id=row.payer_id,
            payer_name=row.payer_name,
            trace_number=row.trace_number,
            reason=each.reason,
            reference=each.reference,
            words=each.label,
            amount_cents=each.amount_cents,
        )
        for row in told.advices
        for each in row.adjustments
    ]
    outside = [
        Taken(
            date=row.date,
            payer_id=None,
            payer_name=(row.taken_by or "the payer").removeprefix("payer "),
            trace_number=None,
            reason=None,
            reference="",
            words=row.description,
            amount_cents=row.amount_cents,
        )
        for row in told.movements
        if PART_OF.get(row.reversed_event or row.event) == "taken_by_payers"
    ]
    return (*by_advice, *outside)
