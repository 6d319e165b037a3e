"""Where the money of a prescription is: promised, advised, funded, paid, and what is missing.

A claim line is found by its prescription number in the normal form of ``rx_normal``, whatever zeros or suffix a payer
adds. What was promised at the counter comes with dispensing files; until there are any it is not known.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, RowMapping

from ingest.errors import UnknownMemberError
from ingest.reversals import ReversalState
from ingest.x12.reason_words import Adjustment, Reason, adjustments_in_words, reasons_in_words, status_words
from ledger.queries import Queries
from schemas.money import show_cents

_QUERIES = Queries("payouts", "claim_trail.sql")

_DENIED = "4"


class AdvicePlace(BaseModel):
    """Where a line stands among the payers' words: the trace and day of its payment, advice and segment."""

    model_config = ConfigDict(frozen=True)

    advice_id: int
    segment: int
    trace_number: str
    paid_on: date


class Deposit(BaseModel):
    """A bank line whose money funded an advice, with its whole amount; cents."""

    model_config = ConfigDict(frozen=True)

    bank_line_id: int
    booked_on: date
    bank_reference: str
    amount_cents: int


class Funding(BaseModel):
    """When an advice's money was there, and the bank lines that brought it: none for an advice of zero."""

    model_config = ConfigDict(frozen=True)

    funded_on: date | None
    """None where nothing of the advice had to be posted."""
    deposits: tuple[Deposit, ...]


class CameBack(BaseModel):
    """The return of a payout, and the payment by which the money left again; None: it did not yet."""

    model_config = ConfigDict(frozen=True)

    answer_id: int
    code: str
    received_on: date
    paid_again_cycle_id: int | None
    paid_again_state: str | None
    paid_again_trace: str | None


class PaidOut(BaseModel):
    """The cycle that told the member of this advice, and the payout that paid it; cents, of the payout as a whole.

    ``remittance_trace`` is the trace of the member's own 835 (TRN02). Where no payout went with it, the payout's facts
    are None.
    """

    model_config = ConfigDict(frozen=True)

    cycle_id: int
    business_date: date
    effective_date: date
    remittance_trace: str | None
    state: str | None
    ach_trace: str | None
    amount_cents: int | None
    returned: CameBack | None = None


class TakesBack(BaseModel):
    """For a reversal: the line that it takes back, or how many it could."""

    model_config = ConfigDict(frozen=True)

    state: ReversalState
    candidate_count: int
    original: AdvicePlace | None


class ClaimTrail(BaseModel):
    """A claim line from promise to payout; cents.

    ``ncpdp_id`` is the member's; where the payer named none of ours, ``identifier`` is what it named.
    """

    model_config = ConfigDict(frozen=True)

    rx_number: str
    ncpdp_id: str | None
    identifier: str | None
    payer_id: str
    payer_name: str
    payer_claim_number: str
    fill_on: date | None
    ndc: str | None
    status: str
    status_words: str
    charge_cents: int
    paid_cents: int
    patient_cents: int
    adjustments: tuple[Adjustment, ...]
    reasons: tuple[Reason, ...]
    promised_cents: int | None
    """What the payer promised at the counter; None: there is no dispensing record."""
    advice: AdvicePlace
    advice_state: str
    funded: Funding | None
    paid: PaidOut | None
    takes_back: TakesBack | None
    taken_back_by: AdvicePlace | None
    missing: str | None
    """What is not there yet, in a sentence; None: nothing."""
    paid_directly: bool
    """Its payer paid the pharmacy by itself: no money of it passes our account."""


def find_claims(
    connection: Connection, rx: str, member: str | None = None, *, most: int, paired: bool = True
) -> list[ClaimTrail]:
    """Find the claim lines of a prescription number, the latest payment first.

    Args:
        connection: to read from.
        rx: the prescription number, with or without zeros in front and suffix.
        member: NCPDP id of the pharmacy, under any ownership, or a member id; None: all pharmacies.
        most: how many lines at most.
        paired: say which claim takes back which. The pairs are those of now, whatever past the connection reads:
            a later file or a person may have found others since, so an answer of the past is better without them.

    Raises:
        UnknownMemberError: there is no such member.
    """
    members = None if member is None else _members(connection, member)
    found = connection.execute(_QUERIES["trail"], {"rx": rx, "members": members, "most": most, "paired": paired})
    return [_trail(row) for row in found.mappings()]


def _members(connection: Connection, asked: str) -> Sequence[UUID]:
    members = connection.execute(_QUERIES["members"], {"asked": asked}).scalars().all()
    if not members:
        raise UnknownMemberError(asked)
    return members


def _trail(row: RowMapping) -> ClaimTrail:
    funded, paid, takes_back, taken_back_by = _funding(row), _paid_out(row), _takes_back(row), _taken_back_by(row)
    return ClaimTrail(
        **{name: row[name] for name in ClaimTrail.model_fields.keys() & row.keys()},
        status_words=status_words(row["status"]),
        adjustments=adjustments_in_words(row["said_adjustments"]),
        reasons=reasons_in_words(row["said_reasons"]),
        promised_cents=None,
        paid_directly=row["advice_state"] == "direct",
        advice=AdvicePlace(**row),
        funded=funded,
        paid=paid,
        takes_back=takes_back,
        taken_back_by=taken_back_by,
        missing=_of_the_claim(row, takes_back, taken_back_by) or _of_the_money(row, funded, paid),
    )


def _funding(row: RowMapping) -> Funding | None:
    if row["advice_state"] != "funded":
        return None
    deposits = tuple(Deposit(**deposit) for deposit in row["deposits"] or ())
    return Funding(funded_on=row["funded_on"], deposits=deposits)


def _paid_out(row: RowMapping) -> PaidOut | None:
    if row["cycle_id"] is None:
        return None
    return PaidOut(
        cycle_id=row["cycle_id"],
        business_date=row["business_date"],
        effective_date=row["effective_on"],
        remittance_trace=row["remittance_trace"],
        state=row["payout_state"],
        ach_trace=row["ach_trace"],
        amount_cents=row["payout_cents"],
        returned=None if row["answer_id"] is None else CameBack(**row),
    )


def _takes_back(row: RowMapping) -> TakesBack | None:
    if row["reversal_state"] is None:
        return None
    original = None
    if row["original_advice_id"] is not None:
        original = AdvicePlace(
            advice_id=row["original_advice_id"],
            segment=row["original_segment"],
            trace_number=row["original_trace"],
            paid_on=row["original_paid_on"],
        )
    return TakesBack(state=row["reversal_state"], candidate_count=row["candidate_count"], original=original)


def _taken_back_by(row: RowMapping) -> AdvicePlace | None:
    if row["reversal_advice_id"] is None:
        return None
    return AdvicePlace(
        advice_id=row["reversal_advice_id"],
        segment=row["reversal_segment"],
        trace_number=row["reversal_trace"],
        paid_on=row["reversal_paid_on"],
    )


def _of_the_claim(row: RowMapping, takes_back: TakesBack | None, taken_back_by: AdvicePlace | None) -> str | None:
    """Say why the claim itself is not, or not simply, to be paid."""
    if row["advice_state"] == "replaced":
        return "The payer's remittance was replaced; another line stands for this one."
    if taken_back_by is not None:
        return f"Taken back by the payer on {taken_back_by.paid_on} under trace {taken_back_by.trace_number}."
    if takes_back is not None and takes_back.state is not ReversalState.PAIRED:
        return _of_the_reversal(takes_back)
    if row["paid_cents"] == 0:
        return "Denied: nothing to pay." if row["status"] == _DENIED else "The payer's part is zero: nothing to pay."
    if row["identifier"] is not None:
        return f"{row['identifier']} names no member on the claim's date; the money waits until one is found."
    return None


def _of_the_reversal(takes_back: TakesBack) -> str:
    if takes_back.state is ReversalState.SEVERAL:
        return f"It could take back {takes_back.candidate_count} claims; a person has to choose."
    return "The claim that it takes back is not in the books."


def _of_the_money(row: RowMapping, funded: Funding | None, paid: PaidOut | None) -> str | None:
    """Say how far the money has come; what the payer paid directly does not come here."""
    if row["advice_state"] == "direct":
        return None
    if funded is None and row["funded_cents"]:
        came, advised = show_cents(row["funded_cents"]), show_cents(row["advised_cents"])
        return f"Of the remittance's {advised} came {came}, divided among its members; the rest is not here yet."
    if funded is None:
        return "The remittance is here, its money is not matched yet."
    if paid is None:
        return "The money is here, not yet paid out."
    return _of_the_payout(paid)


def _of_the_payout(paid: PaidOut) -> str | None:
    if paid.state is None:
        return f"Cycle {paid.cycle_id} told of it and paid nothing: what was due was negative, held or the fee's."
    back = paid.returned
    if back is not None and back.paid_again_cycle_id is not None:
        again = f"returned ({back.code}) and paid again in cycle {back.paid_again_cycle_id}"
        return None if back.paid_again_state == "settled" else f"The payout was {again}, which is not settled yet."
    if paid.state == "returned":
        return "The bank sent the payout back; it is held until it is paid again."
    return None if paid.state == "settled" else f"On its way to the bank for {paid.effective_date}, not settled yet."
