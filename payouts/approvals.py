"""What needs a second person: proposed by one, decided by another. The database holds that the two differ."""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ledger import activity
from ledger.queries import Queries
from payouts.errors import UnknownApprovalError
from payouts.users import APPROVERS, require

_QUERIES = Queries("payouts", "people.sql")


class ApprovalKind(StrEnum):
    """What is to be approved."""

    CYCLE = "cycle"
    """The exact set of a payout cycle; the subject is the cycle."""
    FLOAT_DEPOSIT = "float_deposit"
    """A deposit taken as the PSAO's own money; the subject is the bank line."""
    FLOAT_WITHDRAWAL = "float_withdrawal"
    """A debit explained as the PSAO's own money leaving; the subject is the bank line."""


class Approval(BaseModel):
    """An approval as it stands: pending, approved, rejected, or withdrawn for a newer one."""

    model_config = ConfigDict(frozen=True)

    approval_id: int
    kind: str
    subject: str
    facts: dict[str, Any]
    state: str
    proposed_by: str
    decided_by: str | None = None
    reason: str | None = None


def propose(
    connection: Connection,
    kind: ApprovalKind,
    subject: str,
    facts: Mapping[str, Any],
    actor: str,
    *,
    set_hash: bytes | None = None,
) -> int:
    """Ask for a second person; asking again while it is pending gives the same approval."""
    parameters = {"kind": kind.value, "subject": subject, "set_hash": set_hash}
    row = connection.execute(_QUERIES["propose"], parameters | {"facts": json.dumps(facts), "actor": actor}).first()
    if row is None:
        return int(connection.execute(_QUERIES["pending"], parameters).scalar_one())
    activity.record(connection, actor, "approval_asked", f"{kind.value} {subject}", approval=row.approval_id)
    return int(row.approval_id)


def decide(
    connection: Connection, approval_id: int, actor: str, *, approve: bool, reason: str | None = None
) -> Approval:
    """Decide, and give the approval as it stands then; what follows from it is the caller's to do, in this transaction.

    Raises:
        UnknownApprovalError: there is none of that number.
        RoleMissingError: who decides is no approver.
        MakerIsCheckerError: who decides has proposed it (from the database).
        DecidedOnceError: it is decided already (from the database).
    """
    require(connection, actor, APPROVERS)
    row = connection.execute(_QUERIES["lock"], {"approval_id": approval_id}).mappings().first()
    if row is None:
        raise UnknownApprovalError(approval_id)
    state = "approved" if approve else "rejected"
    facts = {"approval_id": approval_id, "state": state, "actor": actor, "reason": reason}
    connection.execute(_QUERIES["decide"], facts)
    activity.record(connection, actor, state, f"{row['kind']} {row['subject']}", approval=approval_id, reason=reason)
    kept = {name: row[name] for name in ("approval_id", "kind", "subject", "facts", "proposed_by")}
    return Approval(state=state, decided_by=actor, reason=reason, **kept)


def cycle_of(connection: Connection, approval_id: int) -> int | None:
    """Give the cycle that an approval is about, or None when it is about something else."""
    row = connection.execute(_QUERIES["subject"], {"approval_id": approval_id}).first()
    return int(row.subject) if row is not None and row.kind == ApprovalKind.CYCLE else None


def withdraw(connection: Connection, kind: ApprovalKind, subject: str, reason: str) -> None:
    """Take back what is pending on a subject, because something newer takes its place."""
    connection.execute(_QUERIES["withdraw"], {"kind": kind.value, "subject": subject, "reason": reason})


def list_approvals(connection: Connection, state: str | None = "pending") -> list[Approval]:
    """List the approvals of a state, or all."""
    return [Approval(**row) for row in connection.execute(_QUERIES["list"], {"state": state}).mappings()]
