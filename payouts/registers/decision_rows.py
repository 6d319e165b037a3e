"""Rows of the registers of what people decided: holds, corrections, approvals, users, bank details."""

from datetime import date

from payouts.registers.model import RegisterRow


class HoldRow(RegisterRow):
    """A hold or an order of law, and what of it stands; ``hold_id`` None: money held under none."""

    hold_id: int | None
    owner: str
    kind: str
    reason: str
    authority: str
    payee: str | None
    """To whom the order sends it."""
    only_payer: str | None
    limit_cents: int | None
    placed_on: date
    placed_by: str | None
    review_date: date | None
    state: str
    ended_on: date | None
    approval_id: int | None
    lift_asked_by: str | None
    lift_approved_by: str | None
    taken_cents: int
    held_cents: int
    levied_cents: int
    unclaimed_cents: int


class CorrectionRow(RegisterRow):
    """A reversal beside its original, or money moved between two members."""

    kind: str
    """reversal, replaced advice, member correction."""
    transaction_id: int
    effective_on: date
    entered_on: date
    original_id: int | None
    original_event: str | None
    original_on: date | None
    days_between: int | None
    members: str | None
    reason: str | None
    asked_by: str
    approved_by: str | None
    """None: it followed from a rule, and no second person was asked."""
    approval_id: int | None
    original_cents: int | None
    amount_cents: int
    original_debits_cents: int
    """All debits of both ledgers, cash included; so are those of the reversal."""
    reversed_debits_cents: int
    corrected_cents: int
    claims: str | None
    replaced: str | None


class ApprovalRow(RegisterRow):
    """What was asked of a second person, what was decided, and what left under it in the days."""

    approval_id: int
    kind: str
    subject: str
    asked_on: date
    proposed_by: str
    proposer_role: str | None
    state: str
    decided_on: date | None
    first_approver: str | None
    decided_by: str | None
    decider_role: str | None
    approvers_needed: int
    reason: str | None
    hours_between: int | None
    maker_is_checker: bool
    without_role: bool
    released_cents: int


class UserRow(RegisterRow):
    """Who may act, since when and by whom; and what the person did."""

    user_name: str
    role: str
    since: date | None
    added_by: str | None
    transactions: int
    last_on: date | None
    proposed: int
    decided: int
    no_user: bool
    """Posted, and is no user."""


class BankDetailsRow(RegisterRow):
    """A member's move to another account; of the account the last four digits only."""

    change_id: int
    owner: str
    source: str
    requested_on: date
    requested_by: str
    reason: str
    routing_number: str
    account_last_four: str
    called_on: date | None
    called_by: str | None
    approved_by: str | None
    approved_on: date | None
    cooling_until: date | None
    prenote_settles_on: date | None
    live_on: date | None
    state: str
    paid_into_cents: int
    one_person_twice: bool
