"""What follows from a decision: whatever was approved is carried out, in the transaction of the decision."""

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import Connection

from ingest.vault import Vault
from payouts import negatives, own_money, seal_keys
from payouts.accounts import changes as bank_details
from payouts.ach import reversals as ach_reversals
from payouts.answers import changes, returns
from payouts.closing import reopening
from payouts.cycle import cycles, limits, settlement
from payouts.disbursing import disbursements
from payouts.disbursing import settling as disbursement_settling
from payouts.fees import giving_back
from payouts.holding import lifts, unclaimed
from payouts.people import approvals
from payouts.people.approvals import Approval, ApprovalKind
from payouts.resolutions import (
    corrections,
    debits,
    excess,
    interest,
    matches,
    network,
    payees,
    replacement,
    short_funding,
    suspense,
    undo,
)

Follow = Callable[[Connection, Approval], None]
"""Carries out a decision, approved or rejected; ``decided_by`` acts. Not called while an approver is missing."""


def _follow_cycle(connection: Connection, approval: Approval) -> None:
    cycles.follow_approval(connection, int(approval.subject))


def _follow_bank_details(connection: Connection, approval: Approval) -> None:
    bank_details.follow_approval(connection, approval)
    # A notification of change that asked for it is done with it.
    changes.follow_changes(connection, approval.decided_by or approval.proposed_by)


def _follow_settlement(connection: Connection, approval: Approval) -> None:
    if approval.subject.startswith(disbursement_settling.SUBJECT):
        disbursement_settling.follow_settlement(connection, approval)
    else:
        settlement.follow_settlement(connection, approval)


FOLLOWERS: Final[Mapping[ApprovalKind, Follow]] = {
    ApprovalKind.CYCLE: _follow_cycle,
    ApprovalKind.FLOAT_DEPOSIT: own_money.follow_approval,
    ApprovalKind.FLOAT_WITHDRAWAL: own_money.follow_approval,
    ApprovalKind.BANK_DETAILS: _follow_bank_details,
    ApprovalKind.HOLD_LIFT: lifts.follow_approval,
    ApprovalKind.DISBURSEMENT: disbursements.follow_approval,
    ApprovalKind.MEMBER_PAYMENT: negatives.follow_approval,
    ApprovalKind.WRITE_OFF: negatives.follow_approval,
    ApprovalKind.UNCLAIMED: unclaimed.follow_approval,
    ApprovalKind.LIMIT: limits.follow_approval,
    ApprovalKind.ACH_REVERSAL: ach_reversals.follow_approval,
    ApprovalKind.SETTLEMENT: _follow_settlement,
    ApprovalKind.RETURNED_CREDIT: returns.follow_approval,
    ApprovalKind.MANUAL_MATCH: matches.follow_match,
    ApprovalKind.SHORT_FUNDING: short_funding.follow_short,
    ApprovalKind.RETURN_TO_PAYER: excess.follow_return,
    ApprovalKind.UNSUSPENSION: suspense.follow_unsuspend,
    ApprovalKind.REVERSAL: undo.follow_reversal,
    ApprovalKind.PAYEE_FOUND: payees.follow_assignment,
    ApprovalKind.PAYER_DEBIT: debits.follow_take_back,
    ApprovalKind.BANK_CHARGE: debits.follow_bank_charge,
    ApprovalKind.DEBIT_RETURNED: debits.follow_return,
    ApprovalKind.NETWORK_ALLOCATION: network.follow_allocation,
    ApprovalKind.MEMBER_CORRECTION: corrections.follow_correction,
    ApprovalKind.INTEREST: interest.follow_interest,
    ApprovalKind.FEE_WAIVER: giving_back.follow_approval,
    ApprovalKind.FEE_REFUND: giving_back.follow_approval,
    ApprovalKind.SEAL_KEY: seal_keys.follow_approval,
    ApprovalKind.REOPENING: reopening.follow_approval,
}
"""One function for each kind; here and nowhere else a kind meets what it does."""


def decide(
    connection: Connection,
    approval_id: int,
    actor: str,
    *,
    approve: bool,
    reason: str | None = None,
    vault: Vault | None = None,
) -> Approval:
    """Decide on whatever needs a second person and carry it out, in one transaction.

    ``vault``: where received files are read again; a replacement of an advice needs it.

    Raises:
        RefusedError: a subclass says why: the maker decides, it is decided already, the set changed, no role.
    """
    # The cycle before its approval, as everybody locks them who proposes or approves.
    cycle_id = approvals.cycle_of(connection, approval_id)
    if cycle_id is not None:
        cycles.locked(connection, cycle_id)
    approval = approvals.decide(connection, approval_id, actor, approve=approve, reason=reason)
    if approval.state != "pending":
        kind = ApprovalKind(approval.kind)
        if kind is ApprovalKind.ADVICE_REPLACEMENT:
            # The one that reads a file again: the vault is the caller's.
            replacement.follow_replacement(connection, approval, vault)
        else:
            FOLLOWERS[kind](connection, approval)
    return approval
