"""What needs a second person: proposed by one, decided by another. The database holds that the two differ."""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ledger import activity
from ledger.queries import Queries
from payouts.errors import AskedOtherwiseError, UnknownApprovalError
from payouts.people.users import APPROVERS, require

_QUERIES = Queries("payouts", "people.sql")


class ApprovalKind(StrEnum):
    """What is to be approved."""

    CYCLE = "cycle"
    """The exact set of a payout cycle; the subject is the cycle."""
    FLOAT_DEPOSIT = "float_deposit"
    """A deposit taken as the PSAO's own money; the subject is the bank line."""
    FLOAT_WITHDRAWAL = "float_withdrawal"
    """A debit explained as the PSAO's own money leaving; the subject is the bank line."""
    BANK_DETAILS = "bank_details"
    """A member's other bank account; the subject is the change."""
    HOLD_LIFT = "hold_lift"
    """The end of a hold; the subject is the hold."""
    DISBURSEMENT = "disbursement"
    """A payment to another than the member: levy, escheat, refund; the subject is the disbursement."""
    WRITE_OFF = "write_off"
    """A member's negative given up; the subject is the member."""
    UNCLAIMED = "unclaimed"
    """Money declared unclaimed property; the subject is the hold."""
    MANUAL_MATCH = "manual_match"
    """Deposits that a person says pay these advices."""
    SHORT_FUNDING = "short_funding"
    """A payment that came short, divided pro rata."""
    RETURN_TO_PAYER = "return_to_payer"
    """A deposit, or what is left of it, owed back to who paid it; the subject is the bank line."""
    PAYEE_FOUND = "payee_found"
    """An unknown identifier is a member's; the subject is the identifier."""
    ADVICE_REPLACEMENT = "advice_replacement"
    """A set in conflict takes the place of an accepted advice."""
    PAYER_DEBIT = "payer_debit"
    """A debit is a payer's take-back from members; the subject is the bank line."""
    BANK_CHARGE = "bank_charge"
    """A debit is the bank's charge; the subject is the bank line."""
    DEBIT_RETURNED = "debit_returned"
    """A deposit brings a debit back; the subject is the debit's bank line."""
    NETWORK_ALLOCATION = "network_allocation"
    """A payer's adjustment of the network, divided by claim; the subject is the advice."""
    MEMBER_CORRECTION = "member_correction"
    """Money moved between two members, the claims named."""
    MEMBER_PAYMENT = "member_payment"
    """A deposit is a member paying its negative back; the subject is the bank line."""
    INTEREST = "interest"
    """A deposit is interest, or interest is divided."""
    UNSUSPENSION = "unsuspension"
    """A deposit that was set aside is matched again; the subject is the bank line."""
    REVERSAL = "reversal"
    """A whole transaction turned; the subject is the transaction."""
    SETTLEMENT = "settlement"
    """A debit is a cycle's or a disbursement's, by a person's word; the subject is what settles."""
    RETURNED_CREDIT = "returned_credit"
    """A credit is a return's money, by a person's word; the subject is the answer."""
    ACH_REVERSAL = "ach_reversal"
    """A payment asked back from its bank by a reversing entry; the subject is the payout."""
    LIMIT = "limit"
    """A limit of money from a day on; the subject is its name and day."""
    FEE_WAIVER = "fee_waiver"
    """An open fee given up; the subject is the member and the month."""
    FEE_REFUND = "fee_refund"
    """A collected fee given back from the float; the subject is the member and the month."""
    REOPENING = "reopening"
    """A closed month opened again; the subject is the month, the facts its version and the reason."""
    SEAL_KEY = "seal_key"
    """Another key that signs the seal's checkpoints; the subject is its verifier key."""


class Approval(BaseModel):
    """An approval as it stands: pending, approved, rejected, or withdrawn for a newer one."""

    model_config = ConfigDict(frozen=True)

    approval_id: int
    kind: str
    subject: str
    facts: dict[str, Any]
    state: str
    proposed_by: str
    approvers_needed: int = 1
    first_approved_by: str | None = None
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
    approvers_needed: int = 1,
    alike: Sequence[str] = (),
) -> int:
    """Ask for a second person, or for two; asking again while it is pending gives the same approval.

    Args:
        connection: of a unit of work.
        kind: what is to be approved.
        subject: of what.
        facts: what will be carried out, as JSON holds it.
        actor: who asks.
        set_hash: of the exact set, where there is one.
        approvers_needed: one, or two beside who asks.
        alike: names of the facts that asking again may not say otherwise.

    Raises:
        AskedOtherwiseError: what is pending on the subject says something else.
    """
    parameters = {"kind": kind.value, "subject": subject, "set_hash": set_hash, "approvers_needed": approvers_needed}
    row = connection.execute(_QUERIES["propose"], parameters | {"facts": json.dumps(facts), "actor": actor}).first()
    if row is None:
        pending = connection.execute(_QUERIES["pending"], parameters).one()
        if any(pending.facts.get(name) != facts[name] for name in alike):
            raise AskedOtherwiseError(pending.approval_id, f"{kind.value} {subject}")
        return int(pending.approval_id)
    activity.record(connection, actor, "approval_asked", f"{kind.value} {subject}", approval=row.approval_id)
    return int(row.approval_id)


def decide(
    connection: Connection, approval_id: int, actor: str, *, approve: bool, reason: str | None = None
) -> Approval:
    """Decide, and give the approval as it stands then; what follows from it is the caller's to do, in this transaction.

    Where two approvers are needed the first one leaves it pending.

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
    facts = {"approval_id": approval_id, "actor": actor}
    is_first = approve and row["state"] == "pending" and row["approvers_needed"] > 1 and not row["first_approved_by"]
    if is_first:
        state, said = "pending", "approved_first"
        connection.execute(_QUERIES["decide_first"], facts)
    else:
        state = said = "approved" if approve else "rejected"
        connection.execute(_QUERIES["decide"], facts | {"state": state, "reason": reason})
    activity.record(connection, actor, said, f"{row['kind']} {row['subject']}", approval=approval_id, reason=reason)
    kept = {name: row[name] for name in ("approval_id", "kind", "subject", "facts", "proposed_by", "approvers_needed")}
    first = actor if is_first else row["first_approved_by"]
    decided_by = None if is_first else actor
    return Approval(state=state, first_approved_by=first, decided_by=decided_by, reason=reason, **kept)


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
