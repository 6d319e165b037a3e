"""Members' statements, read from their own books: a fixed number of statements of SQL for a thousand members."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import islice
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row

from ingest import direct_pay
from ingest.x12.reason_words import plb_words
from ledger.known import known_at
from ledger.queries import Queries
from ledger.seal.checkpoints import Checkpoint
from payouts.statements.errors import PayerUnknownError, RangeError
from payouts.statements.model import (
    NOT_TAKEN,
    AdviceRow,
    DirectAdvice,
    KnownAt,
    Movement,
    PayerAdjustment,
    PayoutPaid,
    RecentPayout,
    Statement,
    YearTotals,
)
from payouts.statements.words import KEPT, described, taken_by, total_of

QUERIES = Queries("payouts", "statements.sql")

BATCH: Final = 1_000
"""Members read at once."""
RECENT: Final = 12
"""Payments that a statement shows at a glance."""

_Rows = dict[UUID, list[Row[Any]]]


def statement(
    connection: Connection,
    member_id: UUID,
    from_on: date,
    to_on: date,
    payer_id: str | None = None,
    *,
    checkpoint: Checkpoint | None = None,
) -> Statement:
    """Read a member's statement from its own book, by accounting date, both ends inclusive.

    Raises:
        RangeError, PayerUnknownError: see ``statements``.
    """
    (made,) = statements(connection, [member_id], from_on, to_on, payer_id, checkpoint=checkpoint)
    return made


def statements(
    connection: Connection,
    member_ids: Iterable[UUID] | None,
    from_on: date,
    to_on: date,
    payer_id: str | None = None,
    *,
    checkpoint: Checkpoint | None = None,
) -> Iterator[Statement]:
    """Read the statements of members, in the order in which they are asked for.

    Args:
        connection: a snapshot, so that all of them are of one moment.
        member_ids: whose; None: of everybody to whom the range says anything, by NCPDP id.
        from_on: first accounting date.
        to_on: last accounting date.
        payer_id: of this payer's advices alone; None: all payers combined.
        checkpoint: read what was sealed by then, from here to the end of the transaction; the statements name it.

    Raises:
        RangeError: the range ends before it begins.
        PayerUnknownError: no payer has this id.
    """
    if to_on < from_on:
        raise RangeError(from_on, to_on)
    if checkpoint is not None:
        known_at(connection, checkpoint)
    span = {"from_on": from_on, "to_on": to_on, "year_on": date(to_on.year, 1, 1), "payer_id": payer_id}
    known = None if checkpoint is None else known_as(checkpoint)
    payer_name = None if payer_id is None else _payer_name(connection, payer_id)
    if member_ids is None:
        member_ids = connection.execute(QUERIES["everybody"], span).scalars().all()
    waiting = iter(member_ids)
    while some := list(islice(waiting, BATCH)):
        yield from _batch(connection, some, span, payer_name, known)


def known_as(checkpoint: Checkpoint) -> KnownAt:
    """Name a checkpoint as a statement does."""
    return KnownAt(size=checkpoint.size, root=checkpoint.root, sealed_at=checkpoint.sealed_at)


def _payer_name(connection: Connection, payer_id: str) -> str:
    name = connection.execute(QUERIES["payer"], {"payer_id": payer_id}).scalar_one()
    if name is None:
        raise PayerUnknownError(payer_id)
    return str(name)


def _batch(
    connection: Connection,
    member_ids: Sequence[UUID],
    span: dict[str, Any],
    payer_name: str | None,
    known: KnownAt | None,
) -> Iterator[Statement]:
    asked = span | {"member_ids": list(member_ids), "most": RECENT}
    members = {row.member_id: row for row in connection.execute(QUERIES["members"], asked)}
    names = ("balances", "movements", "advices", "year_advices", "payouts", "recent_payouts")
    read = {name: by_owner(connection.execute(QUERIES[name], asked).all()) for name in names}
    read["adjustments"] = _adjustments(connection, read["advices"])
    direct: dict[UUID, list[direct_pay.DirectAdvice]] = defaultdict(list)
    for each in direct_pay.direct_advices(connection, member_ids, span["from_on"], span["to_on"]):
        if span["payer_id"] in {None, each.payer_id}:
            direct[each.member_id].append(each)
    for member_id in member_ids:
        rows = {name: of.get(member_id, []) for name, of in read.items()}
        made = _made(members[member_id], rows, direct[member_id], span=span, payer_name=payer_name)
        yield made if known is None else made.model_copy(update={"known_at": known})


def by_owner(rows: Iterable[Row[Any]]) -> _Rows:
    """Gather rows under their ``owner_id``, in their order."""
    of: _Rows = defaultdict(list)
    for row in rows:
        of[row.owner_id].append(row)
    return of


def _adjustments(connection: Connection, advices: _Rows) -> _Rows:
    pairs = list({(row.owner_id, row.advice_id) for rows in advices.values() for row in rows})
    if not pairs:
        return {}
    owner_ids, advice_ids = zip(*pairs, strict=True)
    asked = {"owner_ids": list(owner_ids), "advice_ids": list(advice_ids)}
    return by_owner(connection.execute(QUERIES["adjustments"], asked).all())


def _made(
    member: Row[Any],
    rows: dict[str, list[Row[Any]]],
    direct: Sequence[direct_pay.DirectAdvice],
    *,
    span: dict[str, Any],
    payer_name: str | None,
) -> Statement:
    balances, moved = rows["balances"], rows["movements"]
    available, awaiting, held = (
        sum(getattr(row, name) for row in balances) for name in ("available_cents", "awaiting_cents", "held_cents")
    )
    return Statement(
        member_id=member.member_id,
        ncpdp_id=member.ncpdp_id,
        legal_name=member.legal_name,
        dba_name=member.dba_name,
        payer_id=span["payer_id"],
        payer_name=payer_name,
        from_date=span["from_on"],
        to_date=span["to_on"],
        opening_cents=sum(row.opening_cents for row in balances),
        advices=_advices(rows["advices"], rows["adjustments"]),
        movements=tuple(_movement(row) for row in moved),
        closing_cents=available + awaiting + held,
        available_cents=available,
        awaiting_payer_cents=awaiting,
        held_cents=held,
        payouts=tuple(_payout(row) for row in rows["payouts"]),
        recent_payouts=tuple(_recent(row) for row in reversed(rows["recent_payouts"])),
        year=year_of(balances, rows["year_advices"], span["to_on"]),
        direct=tuple(_direct(row) for row in direct),
        retained_cents=-sum(row.amount_cents for row in moved if (row.reversed_event or row.event) in KEPT),
    )


def _movement(row: Row[Any]) -> Movement:
    takes = row.amount_cents < 0 and row.event not in NOT_TAKEN
    return Movement(
        date=row.effective_on,
        event=row.event,
        reversed_event=row.reversed_event,
        description=described(row.event, row.reversed_event, row.reason),
        amount_cents=row.amount_cents,
        taken_by=taken_by(row.event, row.reversed_event, row.payer_name) if takes else None,
    )


def _advices(rows: Sequence[Row[Any]], adjustments: Sequence[Row[Any]]) -> tuple[AdviceRow, ...]:
    names = {row.advice_id: row.payer_name for row in rows}
    of: dict[int, list[PayerAdjustment]] = defaultdict(list)
    for plb in adjustments:
        of[plb.advice_id].append(_adjustment(plb, names[plb.advice_id]))
    return tuple(
        AdviceRow(
            date=row.effective_on,
            payer_id=row.payer_id,
            payer_name=row.payer_name,
            trace_number=row.trace_number,
            state=row.state,
            claim_count=row.claim_count,
            claims_cents=row.claims_cents,
            adjustments=tuple(of[row.advice_id]),
            amount_cents=row.amount_cents,
            paid_in=row.paid_in,
        )
        for row in rows
    )


def _adjustment(plb: Row[Any], payer_name: str) -> PayerAdjustment:
    did = "taken" if plb.amount_cents > 0 else "given"
    return PayerAdjustment(
        reason=plb.reason,
        reference=plb.reference,
        amount_cents=-plb.amount_cents,
        label=f"{did} by payer {payer_name}, not by us: {plb_words(plb.reason)} ({plb.reason})",
        taken_by=f"payer {payer_name}" if plb.amount_cents > 0 else None,
    )


def _payout(row: Row[Any]) -> PayoutPaid:
    return PayoutPaid(
        released_on=row.business_date,
        effective_date=row.effective_on,
        amount_cents=row.amount_cents,
        state=row.state,
        trace_number=row.trace_number,
        account_last_four=row.last_four,
        remittance_trace=row.remittance_trace,
    )


def _recent(row: Row[Any]) -> RecentPayout:
    return RecentPayout(
        business_date=row.business_date,
        effective_date=row.effective_on,
        amount_cents=row.amount_cents,
        state=row.state,
    )


def _direct(row: direct_pay.DirectAdvice) -> DirectAdvice:
    return DirectAdvice(
        date=row.paid_on,
        payer_id=row.payer_id,
        payer_name=row.payer_name,
        trace_number=row.trace_number,
        claim_count=row.claim_count,
        claims_cents=row.claims_cents,
        adjustments_cents=-row.plb_cents,
        amount_cents=row.paid_cents,
    )


def year_of(balances: Sequence[Row[Any]], advised: Sequence[Row[Any]], to_on: date) -> YearTotals:
    """Total a member's year from its rows of ``balances`` and ``year_advices``."""
    parts = dict.fromkeys((name for name in YearTotals.model_fields if name.endswith("_cents")), 0)
    for row in balances:
        parts["opening_cents"] += row.year_opening_cents
        parts["closing_cents"] += row.available_cents + row.awaiting_cents + row.held_cents
        # What payers advised is told as claims and what they took of them; funding moves nothing of a combined balance.
        if row.event != "advised" and row.year_cents:
            parts[total_of(row.event, row.reversed_event)] += row.year_cents
    for row in advised:
        parts["claims_cents"] += row.claims_cents
        parts["payer_taken_cents"] += row.plb_cents
    return YearTotals(year=to_on.year, to_date=to_on, **parts)
