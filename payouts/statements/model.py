"""What a statement says: opening, each advice by payer, what payers took, the fee, the payouts, closing. It foots.

Amounts are integer cents. Of what changes the balance they are signed: negative lessens what is owed to the member.
"""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, model_validator

US: Final = "us: the flat fee"
"""Who took the fee; nothing else is ever taken by us."""
NOT_TAKEN: Final = frozenset({"payout_released", "funded"})
"""Events that lessen a balance and take nothing: the money is paid to the member, or becomes payable to it."""


class PayerAdjustment(BaseModel):
    """A PLB amount: the payer's, not ours. Negative takes from the pharmacy."""

    model_config = ConfigDict(frozen=True)

    reason: str
    reference: str
    amount_cents: int
    label: str
    taken_by: str | None
    """``payer NAME``; None: the payer gives."""


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
    paid_in: str | None
    """Trace number of the ACH entry whose 835 told it to the member; None: no payment did, or not yet."""


class Movement(BaseModel):
    """Anything else that changed what is owed to the member; negative lessens it."""

    model_config = ConfigDict(frozen=True)

    date: date
    event: str
    reversed_event: str | None
    """What a ``reversed`` takes back."""
    description: str
    amount_cents: int
    taken_by: str | None
    """Who took it: ``payer NAME``, ``us: the flat fee``, ``a legal order``, ``the state (unclaimed property)``.

    None: nothing is taken, or it is paid to the member itself.
    """

    @model_validator(mode="after")
    def _says_who(self) -> "Movement":
        if self.amount_cents < 0 and self.event not in NOT_TAKEN and self.taken_by is None:
            raise ValueError(f"a deduction says who took it: {self.description}")
        return self


class PayoutPaid(BaseModel):
    """A payout with what identifies it at the bank and in the member's own 835."""

    model_config = ConfigDict(frozen=True)

    released_on: date
    effective_date: date
    amount_cents: int
    state: str
    trace_number: str | None
    """Of its ACH entry: fifteen digits."""
    account_last_four: str | None
    remittance_trace: str | None
    """TRN02 of the member's own 835 that tells it; the BPR02 of its sets sum to the amount."""


class RecentPayout(BaseModel):
    """One of the last payments, for a glance at how they went: cents, positive."""

    model_config = ConfigDict(frozen=True)

    business_date: date
    effective_date: date
    amount_cents: int
    state: str
    """released, settled or returned."""


class DirectAdvice(BaseModel):
    """What a payer paid to the member directly, for information: none of it is in our balance."""

    model_config = ConfigDict(frozen=True)

    date: date
    payer_id: str
    payer_name: str
    trace_number: str
    claim_count: int
    claims_cents: int
    adjustments_cents: int
    """What the payer took (negative) or gave."""
    amount_cents: int


class YearTotals(BaseModel):
    """A calendar year up to a day, signed as they change what is owed: opening and all parts sum to the closing."""

    model_config = ConfigDict(frozen=True)

    year: int
    to_date: date
    opening_cents: int
    claims_cents: int
    payer_taken_cents: int
    """By adjustments in their advices, by debit, or of the network; not by us."""
    advices_reversed_cents: int
    """Advices taken back since, as when a payer replaced one."""
    fee_cents: int
    """The flat fee, less refunds: all that the PSAO kept."""
    paid_cents: int
    returned_cents: int
    """Payouts that came back from the bank, and are owed again."""
    levied_cents: int
    unclaimed_cents: int
    corrected_cents: int
    """Found to be the member's, or another's."""
    other_cents: int
    """Interest, what the member paid back, what was written off, balances taken over at the start."""
    funded_cents: int
    """Of one payer: its money arrived and became payable. Zero where all are combined: as much is owed as before."""
    closing_cents: int

    @property
    def parts(self) -> dict[str, int]:
        """Give what changed the balance, by name."""
        framed = {"year", "to_date", "opening_cents", "closing_cents"}
        return {name: cents for name, cents in self.model_dump().items() if name not in framed}

    @model_validator(mode="after")
    def _foots(self) -> "YearTotals":
        if self.opening_cents + sum(self.parts.values()) != self.closing_cents:
            raise ValueError("the year does not foot")
        return self


class KnownAt(BaseModel):
    """The checkpoint of the seal that a statement was read at: what was sealed by then, and nothing later.

    Args:
        size: leaves that it covers: its name.
        root: 64 hex digits.
        sealed_at: moment of its signature.
    """

    model_config = ConfigDict(frozen=True)

    size: int
    root: str
    sealed_at: datetime

    @property
    def words(self) -> str:
        """Say it as the foot of a paper does."""
        return f"checkpoint {self.size}, root {self.root[:16]}, sealed {self.sealed_at:%Y-%m-%d %H:%M:%S} UTC"


class Statement(BaseModel):
    """A statement of what is owed to a member: available, awaiting the payer's money, or held. Cents.

    It can only be made when it foots: opening + advices + movements = closing = available + awaiting + held.

    A statement of one payer follows that payer's advices alone, from advised to funded: its opening and closing are
    what the payer still has to send. What is funded joins the member's one balance, and payouts are paid from that:
    they are no payer's, so those that told an advice of the payer are listed whole, and are no part of its footing.
    """

    model_config = ConfigDict(frozen=True)

    member_id: UUID
    ncpdp_id: str
    legal_name: str
    dba_name: str
    payer_id: str | None
    """None: all payers combined."""
    payer_name: str | None
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
    recent_payouts: tuple[RecentPayout, ...]
    """The last twelve up to the last day, the oldest first."""
    year: YearTotals
    """From 1 January of the last day's year."""
    direct: tuple[DirectAdvice, ...]
    retained_cents: int
    """What the PSAO kept in the range: the flat fee and nothing else."""
    known_at: KnownAt | None = None
    """What was sealed at this checkpoint; None: everything recorded when it was read."""

    @property
    def claims_cents(self) -> int:
        """Sum of the claims that payers advised."""
        return sum(row.claims_cents for row in self.advices)

    @property
    def adjustments_cents(self) -> int:
        """Sum of what payers took (negative) or gave in their advices."""
        return sum(each.amount_cents for row in self.advices for each in row.adjustments)

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
        if (self.year.to_date, self.year.closing_cents) != (self.to_date, self.closing_cents):
            raise ValueError("the year does not end where the statement does")
        return self
