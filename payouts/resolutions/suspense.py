"""Deposits that wait aside, and cases that are left as they are.

The actions ``suspend``, ``unsuspend``, ``refuse``, ``dismiss`` and ``wait``.
"""

from sqlalchemy import Connection

from ingest.cases import Case
from ledger import activity
from ledger.batch import Batch
from ledger.decided import suspended, unsuspended
from ledger.posting import post
from ledger.queries import Queries
from payouts.people.approvals import Approval, ApprovalKind
from payouts.resolutions.errors import MovedOnError, NotOpenError, TooEarlyError
from payouts.resolutions.facts import lines_by_id, open_deposits, subjects_of
from payouts.resolutions.frame import QUERIES, Resolution, ask, carried_out, day_of, decider, end_case

_MATCHING = Queries("ingest", "matching.sql")


def suspend(connection: Connection, case: Case, request: Resolution, actor: str) -> None:
    """Set deposits without advice aside at once; the case stays open until someone knows whose they are.

    Raises:
        TooEarlyError: the day of the deposit is not over: its advice may still come.
        SubjectMissingError, UnknownNumberError, NotOpenError: as the request names them.
    """
    batch = Batch()
    lines = open_deposits(connection, case, request)
    for line in lines:
        if line.as_of >= request.day:
            raise TooEarlyError(line.bank_line_id, line.as_of)
        before = connection.execute(QUERIES["count_suspensions"], {"line": line.bank_line_id}).scalar_one()
        key = f"suspended:{line.bank_line_id}:{before}"
        batch.add(suspended(key, request.day, line.bank_line_id, line.open_cents, reason=request.reason))
    post(connection, batch, actor)
    connection.execute(_MATCHING["follow_lines"], {"lines": [line.bank_line_id for line in lines]})
    for line in lines:
        activity.record(connection, actor, "suspended", f"bank line {line.bank_line_id}", cents=line.open_cents)


def propose_unsuspend(connection: Connection, case: Case, request: Resolution, actor: str) -> int:
    """Ask a second person to let a deposit be matched again; give the approval.

    Raises:
        NotOpenError: it is not set aside.
    """
    lines = lines_by_id(connection, request.bank_lines) or subjects_of(connection, case)[0]
    if len(lines) != 1 or lines[0].state != "suspended":
        raise NotOpenError("The deposit", "it is not set aside")
    line = lines[0]
    facts = {"bank_line_id": line.bank_line_id, "amount_cents": line.open_cents}
    return ask(connection, ApprovalKind.UNSUSPENSION, str(line.bank_line_id), request, facts, actor=actor)


def follow_unsuspend(connection: Connection, approval: Approval) -> None:
    """Let a deposit be matched again; the next sweep does, or lists it.

    Raises:
        MovedOnError: another amount is set aside.
    """
    if approval.state != "approved":
        return
    line_id, cents, actor = approval.facts["bank_line_id"], approval.facts["amount_cents"], decider(approval)
    (line,) = lines_by_id(connection, [line_id])
    if line.state != "suspended" or line.open_cents != cents:
        raise MovedOnError(f"Bank line {line_id} is {line.state} with another amount set aside than proposed")
    batch = Batch()
    key = f"unsuspended:{approval.approval_id}"
    batch.add(unsuspended(key, day_of(approval), line_id, cents, reason=approval.facts["reason"]))
    post(connection, batch, actor)
    connection.execute(_MATCHING["follow_lines"], {"lines": [line_id]})
    activity.record(connection, actor, "unsuspended", f"bank line {line_id}", cents=cents)
    carried_out(connection, approval)


def leave_out(connection: Connection, case: Case, request: Resolution, actor: str) -> None:
    """Do not take what a case offers, or what was not taken in: what is accepted stays, the rest is on record."""
    end_case(connection, case.id, f"{request.action.value} by {actor}: {request.reason}", actor)


def wait(_connection: Connection, _case: Case, _request: Resolution, _actor: str) -> None:
    """Do nothing yet: the reason is recorded, and the case stays open."""
