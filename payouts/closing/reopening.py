"""Opening a closed month again: asked for by one person, approved by another, and never below a closed month.

Nothing that was written of the close is touched. What is posted into the month then, and its next close, are a new
version, whose package names the manifest that it supersedes and lists what was posted since. Later months are reopened
first: a closed month's package says what it begins with, which is what the month before ends with.
"""

from datetime import date

from sqlalchemy import Connection

from ledger import activity
from payouts.closing.checks import QUERIES
from payouts.closing.errors import CloseUnfinishedError, LaterMonthClosedError, NotClosedError, ReasonMissingError
from payouts.closing.model import Close
from payouts.closing.reading import closed_with, standing
from payouts.people import approvals
from payouts.people.approvals import Approval, ApprovalKind
from payouts.people.users import OPERATORS, require


def propose_reopening(connection: Connection, month: date, reason: str, actor: str) -> int:
    """Ask a second person to open a closed month again; give the approval.

    Args:
        connection: of a unit of work.
        month: its first day.
        reason: why; it is kept, and stands in the next package.
        actor: who asks.

    Raises:
        ReasonMissingError: no reason is given.
        NotClosedError, CloseUnfinishedError, LaterMonthClosedError: there is nothing to reopen, or not yet.
    """
    require(connection, actor, OPERATORS)
    if not reason.strip():
        raise ReasonMissingError("reopen a month")
    close = _reopenable(connection, month)
    facts = {"month": f"{month:%Y-%m}", "version": close.version, "reason": reason.strip()}
    return approvals.propose(connection, ApprovalKind.REOPENING, f"{month:%Y-%m}", facts, actor, alike=("version",))


def follow_approval(connection: Connection, approval: Approval) -> None:
    """Open the month that was approved; the database asks everything again, under its locks.

    Raises:
        NotClosedError, LaterMonthClosedError, CloseUnfinishedError: the world has moved on since it was asked for.
        PeriodClosedError: the same, said by the database.
    """
    if approval.state != "approved" or approval.decided_by is None:
        return
    month = date.fromisoformat(f"{approval.subject}-01")
    _reopenable(connection, month)
    row = connection.execute(QUERIES["reopen"], {"approval_id": approval.approval_id}).one()
    reason = str(approval.facts["reason"])
    facts = {"version": row.version, "approval": approval.approval_id, "reason": reason}
    activity.record(connection, approval.decided_by, "month_reopened", approval.subject, **facts)


def _reopenable(connection: Connection, month: date) -> Close:
    close = standing(connection, month)
    if close is None:
        raise NotClosedError(month, closed_with(connection, month))
    later = connection.execute(QUERIES["later_closed"], {"month": month}).scalar()
    if isinstance(later, date):
        raise LaterMonthClosedError(month, later)
    if close.manifest_sha256 is None:
        raise CloseUnfinishedError(month)
    return close
