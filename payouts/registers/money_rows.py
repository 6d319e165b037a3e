"""Rows of the registers of money: remittances, payouts, what is owed, what is nobody's yet, what members owe."""

from datetime import date

from payouts.registers.model import RegisterRow


class RemittanceRow(RegisterRow):
    """An advice: one ST of an 835. Its state is as the journal had it at the end of the days."""

    advice_id: int
    received_on: date
    advised_on: date
    """The accounting date of its posting; of one that is nothing for everybody, the date of payment."""
    paid_on: date
    """BPR16."""
    payer_id: str
    payer_name: str
    trace_number: str
    """TRN02."""
    file_sha256: str
    set_ordinal: int
    claim_count: int
    members: int
    payment_cents: int
    """BPR02."""
    claims_cents: int
    plb_cents: int
    state: str
    """accepted, partly funded, funded, replaced, direct."""
    standing_cents: int
    """BPR02 of one that was neither replaced nor paid directly."""
    funded_cents: int
    waiting_cents: int
    funded_on: date | None
    bank_references: str | None
    """Of the deposits that funded it."""
    days_to_funding: int | None


class PayoutRow(RegisterRow):
    """A payout or a disbursement: what left, which debit it was, what came back."""

    payout_id: int
    kind: str
    """payout, levy, escheat, refund."""
    owner: str
    cycle_id: int | None
    released_on: date
    trace_number: str | None
    account_last_four: str | None
    state: str
    """in transit, settled, returned, voided."""
    amount_cents: int
    voided_cents: int
    settled_on: date | None
    bank_references: str | None
    settled_cents: int
    returned_on: date | None
    return_code: str | None
    returned_cents: int
    outstanding_cents: int
    released_in_range_cents: int
    settled_in_range_cents: int
    returned_in_range_cents: int
    days_outstanding: int | None


class OutstandingRow(RegisterRow):
    """Something that a member is owed and has not; each amount also stands in the column of its class."""

    owner: str
    name: str
    kind: str
    """not funded, available, held, levied, unclaimed, in transit."""
    item: str
    since: date
    days: int
    amount_cents: int
    unfunded_cents: int
    available_cents: int
    held_cents: int
    others_cents: int
    in_transit_cents: int


class SuspenseRow(RegisterRow):
    """Money of nobody yet, or a debit that nothing explains; the amount also stands in the column of its age."""

    account: str
    item: str
    says: str
    since: date
    days: int
    amount_cents: int
    to_7_cents: int
    to_30_cents: int
    to_60_cents: int
    to_90_cents: int
    over_90_cents: int
    owed_cents: int
    unexplained_cents: int


class NegativeRow(RegisterRow):
    """A member that owed, and the PSAO's own money that stood in for it: opening and movements make the closing."""

    owner: str
    name: str
    since: date | None
    days: int | None
    opening_cents: int
    advanced_cents: int
    recovered_cents: int
    """From later remittances."""
    paid_back_cents: int
    """By the member itself."""
    written_off_cents: int
    turned_cents: int
    closing_cents: int


class PaymentDaysRow(RegisterRow):
    """A member's share of an advice: from the day when remittance and money were both there to the bank's debit."""

    owner: str
    payer_name: str
    trace_number: str
    ready_on: date
    amount_cents: int
    cycle_id: int | None
    released_on: date | None
    settled_on: date | None
    state: str
    """paid, in transit, waits; returned by the member's bank, since then held or paid by another payout; or told with
    nothing to pay: its remittance says what used it up."""
    limit_days: int | None
    days_to_release: int | None = None
    days: int | None = None
    """To the debit; until then, so far. None: there is nothing to pay."""
    banking_days: int | None = None
    is_over: bool = False
