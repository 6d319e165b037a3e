"""What follows from a decision: an approved cycle may be released, an approved float movement is posted."""

from sqlalchemy import Connection

from payouts import approvals, cycles, own_money
from payouts.approvals import Approval, ApprovalKind


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
    if approval.kind == ApprovalKind.CYCLE:
        cycles.follow_approval(connection, int(approval.subject))
    elif approve:
        own_money.carry_out(connection, approval.kind, approval.facts, actor)
    return approval
