"""The end of a hold: asked for by one person, carried out when another approves."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection

from ledger import activity
from ledger.batch import Batch
from ledger.events import hold_lifted
from ledger.posting import post
from payouts.answers.again import may_pay_again
from payouts.holding.errors import HoldKeepsLessError, HoldOrderError, HoldStateError, LiftRefusedError
from payouts.holding.holds import QUERIES, locked_hold, stands_under
from payouts.people import approvals
from payouts.people.approvals import Approval, ApprovalKind


def ask_lift(connection: Connection, hold_id: int, cents: int | None, reason: str, actor: str, *, on: date) -> int:
    """Ask a second person to lift a hold; give the approval.

    Args:
        connection: of a unit of work.
        hold_id: which.
        cents: how much of what it keeps; None: all that it keeps then, and the hold ends.
        reason: why; it is kept.
        actor: who asks.
        on: the business date, on which it is posted.

    Raises:
        UnknownHoldError, HoldStateError, HoldKeepsLessError, LiftRefusedError: there is nothing to lift, or not yet.
        AskedOtherwiseError: another amount of it is asked for already.
    """
    if not reason.strip() or (cents is not None and cents <= 0):
        raise HoldOrderError("To lift a hold takes a reason, and an amount of more than nothing where one is given")
    row = locked_hold(connection, hold_id)
    kept = _see_liftable(connection, row, cents)
    facts = {
        "hold_id": hold_id,
        "member_id": str(row["member_id"]),
        "kind": row["kind"],
        "amount_cents": cents,
        "kept_cents": kept,
        "reason": reason,
        "on": on.isoformat(),
    }
    what = ("amount_cents",)
    return approvals.propose(connection, ApprovalKind.HOLD_LIFT, str(hold_id), facts, actor, alike=what)


def follow_approval(connection: Connection, approval: Approval) -> None:
    """Lift what was approved; a hold that keeps nothing afterwards is over.

    Raises:
        HoldStateError, HoldKeepsLessError, LiftRefusedError: the world has moved on since it was asked for.
    """
    if approval.state != "approved" or approval.decided_by is None:
        return
    hold_id, cents = int(approval.facts["hold_id"]), approval.facts["amount_cents"]
    row = locked_hold(connection, hold_id)
    kept = _see_liftable(connection, row, cents)
    lifted = kept if cents is None else int(cents)
    reason, day = str(approval.facts["reason"]), date.fromisoformat(approval.facts["on"])
    times = int(connection.execute(QUERIES["lifts"], {"hold_id": hold_id}).scalar_one())
    batch = Batch()
    batch.add(hold_lifted(f"hold_lifted:{hold_id}:{times + 1}", day, row["member_id"], lifted, reason, hold_id=hold_id))
    post(connection, batch, approval.decided_by)
    if lifted == kept:
        # After a reversal a hold that is over may keep money again; it stays over.
        parameters = {"hold_id": hold_id, "state": "lifted", "approval_id": approval.approval_id}
        connection.execute(QUERIES["end"], parameters)
    activity.record(connection, approval.decided_by, "hold_lifted", str(hold_id), cents=lifted, reason=reason)


def _see_liftable(connection: Connection, row: Mapping[str, Any], cents: int | None) -> int:
    """See that a hold may be lifted by so much; give what it keeps."""
    hold_id = int(row["hold_id"])
    kept = stands_under(connection, hold_id)
    if row["state"] != "active" and not kept:
        raise HoldStateError(hold_id, row["state"])
    if cents is not None and cents > kept:
        raise HoldKeepsLessError(hold_id, cents, kept)
    missing = may_pay_again(connection, hold_id)
    if missing is not None:
        raise LiftRefusedError(hold_id, missing)
    return kept
