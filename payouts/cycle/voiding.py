"""A cycle that is not released yet: voided as a whole, or paid without a member. Each with a reason, kept for ever."""

from uuid import UUID

from sqlalchemy import Connection

from ledger import activity
from payouts.cycle.cycles import QUERIES, Cycle, locked, show, void
from payouts.cycle.errors import AlreadyExcludedError, MemberNotPaidError, ReasonMissingError
from payouts.errors import CycleStateError
from payouts.people.users import APPROVERS, OPERATORS, require


def void_cycle(connection: Connection, cycle_id: int, reason: str, actor: str) -> Cycle:
    """Void a cycle before its release; its money, and what it would have told, are free for another proposal.

    A proposed one may be voided by an operator, an approved one by an approver: what a second person has approved is
    not undone without one.

    Raises:
        ReasonMissingError: nothing is said why.
        UnknownCycleError, CycleStateError: there is none, or it is released, settled or void.
        RoleMissingError: who acts may not.
    """
    reason = _said(reason, "To void a cycle")
    require(connection, actor, OPERATORS)
    cycle = locked(connection, cycle_id)
    if cycle["state"] not in {"proposed", "approved"}:
        raise CycleStateError(cycle_id, cycle["state"], "proposed or approved")
    if cycle["state"] == "approved":
        require(connection, actor, APPROVERS)
    void(connection, cycle_id, reason, actor)
    activity.record(connection, actor, "cycle_voided", str(cycle_id), state=cycle["state"], reason=reason)
    return show(connection, cycle_id)


def exclude_member(connection: Connection, cycle_id: int, member_id: UUID, reason: str, actor: str) -> Cycle:
    """Leave a member out of a proposed or approved cycle: all its payouts, and its remittance.

    The hash stays, for it covers the payouts whatever their state; totals leave it out. Its shares stay to be told.
    Excluding again for the same reason changes nothing. A later proposal of the same set keeps the exclusion.

    Raises:
        ReasonMissingError: nothing is said why.
        UnknownCycleError, CycleStateError: there is none, or it is released, settled or void.
        MemberNotPaidError: the cycle does not pay the member.
        AlreadyExcludedError: it is excluded for another reason.
        RoleMissingError: who acts may not.
    """
    reason = _said(reason, "To exclude a member")
    require(connection, actor, OPERATORS)
    cycle = locked(connection, cycle_id)
    if cycle["state"] not in {"proposed", "approved"}:
        raise CycleStateError(cycle_id, cycle["state"], "proposed or approved")
    facts = {"cycle_id": cycle_id, "member_id": member_id}
    rows = connection.execute(QUERIES["payouts_of_member"], facts).all()
    if not rows:
        raise MemberNotPaidError(cycle_id, str(member_id))
    if rows[0].state == "excluded" and rows[0].reason != reason:
        raise AlreadyExcludedError(cycle_id, rows[0].ncpdp_id, rows[0].reason)
    if connection.execute(QUERIES["exclude"], facts | {"reason": reason}).rowcount:
        cents = sum(row.amount_cents for row in rows)
        subject = f"cycle {cycle_id} {rows[0].ncpdp_id}"
        activity.record(connection, actor, "member_excluded", subject, cents=cents, reason=reason)
    return show(connection, cycle_id)


def _said(reason: str, step: str) -> str:
    """Give the reason without blanks around it.

    Raises:
        ReasonMissingError: nothing is left.
    """
    said = " ".join(reason.split())
    if not said:
        raise ReasonMissingError(step)
    return said
