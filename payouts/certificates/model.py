"""What a pass-through certificate says. Cents; of what changes a balance negative lessens what is owed.

A certificate is about the balance that a statement is about (proof P5): what is owed to a member, be it available,
awaited from a payer, or held. Opening, every change by its kind, closing. What of it the PSAO kept is the flat fee;
nothing else has a place to stand in it.
"""

from datetime import date
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from payouts.statements.model import Movement

FORMAT: Final = "centralpay-certificate/1"


class Parts(BaseModel):
    """Of what a balance consists."""

    model_config = ConfigDict(frozen=True)

    available: int
    awaiting_payer: int
    held: int

    @property
    def total(self) -> int:
        """What is owed in all."""
        return self.available + self.awaiting_payer + self.held


class Taken(BaseModel):
    """What a payer took of a member (negative), or gave; never ours."""

    model_config = ConfigDict(frozen=True)

    date: date
    payer_id: str | None
    payer_name: str
    trace_number: str | None
    """Of the advice that told it; None: outside of any, by a debit or of the network as a whole."""
    reason: str | None
    """PLB03-1 of ASC X12 005010X221A1."""
    reference: str
    words: str
    amount_cents: int


class PayerMonth(BaseModel):
    """One payer: what it advised, what it took of it, what of its money arrived, what it was and is still to send.

    Awaited before, claims, taken and corrected, less what arrived, is awaited after.
    """

    model_config = ConfigDict(frozen=True)

    payer_id: str
    payer_name: str
    advices: int
    claims: int
    awaited_before_cents: int
    claims_cents: int
    taken_cents: int
    corrected_cents: int
    """Advices that were reversed, and what was advised under an identifier that was found to be another's."""
    funded_cents: int
    awaited_after_cents: int


class FeeMonth(BaseModel):
    """A month of the flat fee: what the contract asks, what became of it by the end, and what moved in between."""

    model_config = ConfigDict(frozen=True)

    month: str
    contract_id: int | None
    monthly_fee_cents: int | None
    proration: str | None
    due_cents: int
    assessed_cents: int
    waived_cents: int
    collected_cents: int
    refunded_cents: int
    open_cents: int
    collected_now_cents: int
    refunded_now_cents: int
    given_back_later_cents: int
    """Above the contract as it was changed since, and given back after the end."""
    to_give_back_cents: int
    """The same, not given back yet; nothing where all is well."""


class Roll(BaseModel):
    """An account that money goes through on its way: it came in, it went out, it is still there."""

    model_config = ConfigDict(frozen=True)

    opening_cents: int
    in_cents: int
    out_cents: int
    closing_cents: int


class PaidOut(BaseModel):
    """A payout, with what finds it at the member's bank."""

    model_config = ConfigDict(frozen=True)

    released_on: date
    effective_date: date
    amount_cents: int
    trace_number: str | None
    account_last_four: str | None


class Figures(BaseModel):
    """A member's months, in figures that foot."""

    model_config = ConfigDict(frozen=True)

    opening_cents: int
    opening_parts_cents: Parts
    changes_cents: dict[str, int]
    """By part (``payouts.certificates.kinds.PARTS``); the sum of all is closing less opening."""
    closing_cents: int
    closing_parts_cents: Parts
    retained_cents: int
    """What the PSAO kept: the flat fee collected, less refunds."""
    fees: tuple[FeeMonth, ...]
    on_the_way_cents: dict[str, Roll]
    """Not owed any more and still in the bank account: ``levied``, ``in_transit``, ``unclaimed``, ``fee_withheld``."""
    advance_cents: Roll
    """The PSAO's own money that covers a negative: lent (in) and repaid or written off (out), without interest."""
    payers: tuple[PayerMonth, ...]
    taken: tuple[Taken, ...]
    others: tuple[Movement, ...]
    """What else changed the balance, with who took what it takes."""
    payouts: tuple[PaidOut, ...]


class Certified(BaseModel):
    """Whom a certificate is about."""

    model_config = ConfigDict(frozen=True)

    member_id: UUID
    ncpdp_id: str
    legal_name: str
    dba_name: str


class MemberMonths(BaseModel):
    """A member with its figures, and what of them the books do not prove."""

    model_config = ConfigDict(frozen=True)

    member: Certified
    figures: Figures
    faults: tuple[str, ...]


class Bank(BaseModel):
    """What the custodial bank's own statements say, and the books' cash beside it."""

    model_config = ConfigDict(frozen=True)

    opening_cents: int
    in_cents: int
    out_cents: int
    closing_cents: int
    closing_on: date | None
    """Day of the last statement."""
    opening_dated_later_cents: int
    """Bank lines of before that the books date in these months, because theirs were closed when they came."""
    closing_dated_later_cents: int
    """Bank lines of these months that the books date after them."""
    books_opening_cents: int
    books_closing_cents: int


class PayerRemitted(BaseModel):
    """The 835s of one payer: what they pay (BPR02) less those that were reversed, and whose it is."""

    model_config = ConfigDict(frozen=True)

    payer_id: str
    payer_name: str
    advices: int
    payment_cents: int
    reversed_cents: int
    """BPR02 of those that gave way to another set, or to the one before; negative, in the month when they did."""
    members_cents: int
    others_cents: int
    """For identifiers that were no member's, and adjustments of the network as a whole."""


class PopulationFigures(BaseModel):
    """All members together, and how they tie to the bank account and to the payers' 835s."""

    model_config = ConfigDict(frozen=True)

    members: int
    opening_cents: int
    opening_parts_cents: Parts
    changes_cents: dict[str, int]
    closing_cents: int
    closing_parts_cents: Parts
    retained_cents: int
    fee_months: int
    """Months of members of which a fee was due, assessed or moved."""
    fees_cents: dict[str, int]
    """``due``, ``assessed``, ``waived``, ``collected``, ``refunded`` and ``open`` of those months, by the end."""
    on_the_way_cents: dict[str, Roll]
    advance_cents: Roll
    payers: tuple[PayerMonth, ...]
    taken_cents: dict[str, int]
    """By payer's name and reason."""
    remitted: tuple[PayerRemitted, ...]
    bank: Bank
    held_for_cents: dict[str, Roll]
    """For whom the account's money is held: members, others (not matched yet, unknown payees, payers), own."""
    own_cents: dict[str, int]
    """The PSAO's own money in the account: ``opening``, what changed it, ``closing``."""
    income_cents: dict[str, int]
    """Of the PSAO's own books: fee revenue, what of it was waived or refunded (negative), what is still open."""
