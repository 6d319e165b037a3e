"""A member's statement, read from its own book."""

from collections import defaultdict
from datetime import date
from uuid import UUID

from sqlalchemy import Connection

from ingest.x12.reason_words import plb_words
from ledger.queries import Queries
from payouts.statements.model import AdviceRow, Movement, PayerAdjustment, PayoutPaid, Statement
from schemas.errors import WrongUseError

_QUERIES = Queries("payouts", "statements.sql")

_WORDS = {
    "fee_collected": "flat monthly fee",
    "payout_released": "payout",
    "payout_returned": "payout returned by the bank, held",
    "levied": "levy under a legal order",
    "unclaimed": "turned over as unclaimed property",
    "fee_refunded": "flat fee refunded",
    "payee_found": "assigned from an unknown identifier",
    "payee_found_unfunded": "assigned from an unknown identifier",
    "payer_debited": "taken by the payer by debit, not by us",
    "interest_allocated": "bank interest",
    "network_adjustment_allocated": "payer's adjustment of the network, your part",
    "member_corrected": "correction between pharmacies",
    "member_paid": "paid back by you",
    "advance_written_off": "negative written off by us",
    "opened": "balance at the start",
}


_KEPT = frozenset({"fee_collected", "fee_refunded"})
"""Events, and their reversals, that say what the PSAO keeps."""


def statement(connection: Connection, member_id: UUID, from_on: date, to_on: date) -> Statement:
    """Read a member's statement from its own book, by accounting date, both ends inclusive.

    Raises:
        WrongUseError: the range ends before it begins.
    """
    if to_on < from_on:
        raise WrongUseError(f"The statement would end on {to_on}, before it begins on {from_on}")
    span = {"member_id": member_id, "from_on": from_on, "to_on": to_on}
    member = connection.execute(_QUERIES["member"], span).one()
    closing = connection.execute(_QUERIES["closing"], span).one()
    moved = connection.execute(_QUERIES["movements"], span).all()
    movements = tuple(
        Movement(
            date=row.effective_on,
            event=row.event,
            description=_words(row.event, row.reversed_event, row.reason),
            amount_cents=row.amount_cents,
        )
        for row in moved
    )
    return Statement(
        member_id=member_id,
        ncpdp_id=member.ncpdp_id,
        legal_name=member.legal_name,
        from_date=from_on,
        to_date=to_on,
        opening_cents=connection.execute(_QUERIES["opening"], span).scalar_one(),
        advices=_advices(connection, span),
        movements=movements,
        closing_cents=closing.total_cents,
        available_cents=closing.available_cents,
        awaiting_payer_cents=closing.awaiting_cents,
        held_cents=closing.held_cents,
        payouts=tuple(
            PayoutPaid(
                released_on=row.business_date,
                effective_date=row.effective_on,
                amount_cents=row.amount_cents,
                state=row.state,
                trace_number=row.trace_number,
                account_last_four=row.last_four,
            )
            for row in connection.execute(_QUERIES["payouts"], span)
            if row.amount_cents
        ),
        retained_cents=-sum(row.amount_cents for row in moved if (row.reversed_event or row.event) in _KEPT),
    )


def _advices(connection: Connection, span: dict[str, object]) -> tuple[AdviceRow, ...]:
    rows = connection.execute(_QUERIES["advices"], span).all()
    ids = {"advice_ids": [row.advice_id for row in rows]}
    adjustments: dict[int, list[PayerAdjustment]] = defaultdict(list)
    payer_names = {row.advice_id: row.payer_name for row in rows}
    for plb in connection.execute(_QUERIES["adjustments"], span | ids):
        did = "taken" if plb.amount_cents > 0 else "given"
        adjustments[plb.advice_id].append(
            PayerAdjustment(
                reason=plb.reason,
                reference=plb.reference,
                amount_cents=-plb.amount_cents,
                label=f"{did} by payer {payer_names[plb.advice_id]}, not by us: {plb_words(plb.reason)} ({plb.reason})",
            )
        )
    return tuple(
        AdviceRow(
            date=row.effective_on,
            payer_id=row.payer_id,
            payer_name=row.payer_name,
            trace_number=row.trace_number,
            state=row.state,
            claim_count=row.claim_count,
            claims_cents=row.claims_cents,
            adjustments=tuple(adjustments[row.advice_id]),
            amount_cents=row.amount_cents,
        )
        for row in rows
    )


def _words(event: str, reversed_event: str | None, reason: str | None) -> str:
    if reversed_event is not None:
        return f"reversal: {_WORDS.get(reversed_event, reversed_event)}" + (f" ({reason})" if reason else "")
    return _WORDS.get(event, event.replace("_", " "))
