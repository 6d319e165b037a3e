"""What a statement says: opening, each advice by payer, what payers took, the fee, the payouts, closing. It foots."""

from datetime import date
from uuid import UUID

from pydantic import BaseModel, ConfigDict, model_validator


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
