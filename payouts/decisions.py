"""What follows from a decision: whatever was approved is carried out, in the transaction of the decision."""

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import Connection

from payouts import approvals, cycles, own_money
from payouts.approvals import Approval, ApprovalKind

Follow = Callable[[Connection, Approval], None]
"""Carries out a decision, approved or rejected; ``decided_by`` acts. Not called while an approver is missing."""


def _follow_cycle(connection: Connection, approval: Approval) -> None:
    cycles.follow_approval(connection, int(approval.subject))


FOLLOWERS: Final[Mapping[ApprovalKind, Follow]] = {
    ApprovalKind.CYCLE: _follow_cycle,
    ApprovalKind.FLOAT_DEPOSIT: own_money.follow_approval,
    ApprovalKind.FLOAT_WITHDRAWAL: own_money.follow_approval,
}
"""One function for each kind; here and nowhere else a kind meets what it does."""


def decide(
    connection: Connection, approval_id: int, actor: str, *, approve: bool, reason: str | None = None
) -> Approval:
    """Decide on whatever needs a second person and carry it out, in one transaction.

    Raises:
        RefusedError: a subclass says why: the maker decides, it is decided already, the set changed, no role.
    """
    # The cycle before its approval, as everybody locks them who proposes or approves.
    cycle_id = approvals.cycle_of(connection, approval_id)
    if cycle_id is not None:
        cycles.locked(connection, cycle_id)
    approval = approvals.decide(connection, approval_id, actor, approve=approve, reason=reason)
    if approval.state != "pending":
        FOLLOWERS[ApprovalKind(approval.kind)](connection, approval)
    return approval
