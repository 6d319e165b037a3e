"""A member's statement: opening, each advice by payer, what payers took, the fee, the payouts, closing. It foots."""

import csv
import io
from collections import defaultdict
from datetime import date
from io import BytesIO
from uuid import UUID

from pydantic import BaseModel, ConfigDict, model_validator
from sqlalchemy import Connection

from ingest.vault import Vault
from ingest.x12.reason_words import plb_words
from ledger import activity
from ledger.queries import Queries
from payouts.spreadsheet import plain_cell
from schemas.errors import WrongUseError
from schemas.money import text_from_cents

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


class PayerAdjustment(BaseModel):
    """A PLB amount: the payer's, not ours. Negative takes from the pharmacy."""

    model_config = ConfigDict(frozen=True)

    reason: str
    reference: str
    amount_cents: int
    label: str


class AdviceRow(BaseModel):
    """What one payer advised under one trace: claims less its adjustments."""

    model_config = ConfigDict(frozen=True)

    date: date
    payer_id: str
    payer_name: str
    trace_number: str
    state: str
    claim_count: int
    claims_cents: int
    adjustments: tuple[PayerAdjustment, ...]
    amount_cents: int


class Movement(BaseModel):
    """Anything else that changed what is owed to the member; negative lessens it."""

    model_config = ConfigDict(frozen=True)

    date: date
    event: str
    description: str
    amount_cents: int


class PayoutPaid(BaseModel):
    """A payout with what identifies it at the bank."""

    model_config = ConfigDict(frozen=True)

    released_on: date
    effective_date: date
    amount_cents: int
    state: str
    trace_number: str | None
    account_last_four: str | None


class Statement(BaseModel):
    """A statement of what is owed to a member: available, awaiting the payer's money, or held. Cents.

    It can only be made when it foots: opening + advices + movements = closing = available + awaiting + held.
    """

    model_config = ConfigDict(frozen=True)

    member_id: UUID
    ncpdp_id: str
    legal_name: str
    from_date: date
    to_date: date
    opening_cents: int
    advices: tuple[AdviceRow, ...]
    movements: tuple[Movement, ...]
    closing_cents: int
    available_cents: int
    awaiting_payer_cents: int
    held_cents: int
    payouts: tuple[PayoutPaid, ...]
    retained_cents: int
    """What the PSAO kept in the range: the flat fee and nothing else."""

    @model_validator(mode="after")
    def _foots(self) -> "Statement":
        moved = sum(row.amount_cents for row in self.advices) + sum(row.amount_cents for row in self.movements)
        if self.opening_cents + moved != self.closing_cents:
            raise ValueError("the statement does not foot")
        if self.closing_cents != self.available_cents + self.awaiting_payer_cents + self.held_cents:
            raise ValueError("the closing balance is not the sum of its parts")
        for row in self.advices:
            if row.claims_cents + sum(each.amount_cents for each in row.adjustments) != row.amount_cents:
                raise ValueError(f"advice {row.trace_number} does not foot")
        return self


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


def issue(connection: Connection, vault: Vault, made: Statement, content: bytes, actor: str) -> str:
    """Keep an issued statement's bytes as they are, whatever is posted later; give their SHA-256."""
    name = f"statement {made.ncpdp_id} {made.from_date} {made.to_date}"
    sha256 = vault.store(BytesIO(content), name, unpack=False).sha256
    facts = {"from": made.from_date.isoformat(), "to": made.to_date.isoformat(), "sha256": sha256}
    activity.record(connection, actor, "statement_issued", made.ncpdp_id, **facts)
    return sha256


def statement_csv(made: Statement) -> str:
    """Write a statement as CSV: date, what, payer, trace, amount in dollars, running balance."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["date", "entry", "payer", "trace", "amount", "balance"])
    balance = made.opening_cents
    writer.writerow([made.from_date, "opening balance", "", "", "", text_from_cents(balance)])
    for day, entry, payer, trace, cents in sorted(_csv_rows(made), key=lambda row: row[0]):
        balance += cents
        amounts = [text_from_cents(cents), text_from_cents(balance)]
        writer.writerow([day, *(plain_cell(cell) for cell in (entry, payer, trace)), *amounts])
    writer.writerow([made.to_date, "closing balance", "", "", "", text_from_cents(made.closing_cents)])
    return text.getvalue()


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


def _csv_rows(made: Statement) -> list[tuple[date, str, str, str, int]]:
    rows = []
    for advice in made.advices:
        facts = (advice.payer_name, advice.trace_number)
        rows.append((advice.date, f"{advice.claim_count} claims", *facts, advice.claims_cents))
        rows += [(advice.date, each.label, *facts, each.amount_cents) for each in advice.adjustments]
    rows += [(each.date, each.description, "", "", each.amount_cents) for each in made.movements]
    return rows


def _words(event: str, reversed_event: str | None, reason: str | None) -> str:
    if reversed_event is not None:
        return f"reversal: {_WORDS.get(reversed_event, reversed_event)}" + (f" ({reason})" if reason else "")
    return _WORDS.get(event, event.replace("_", " "))
