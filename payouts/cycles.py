"""A payout cycle up to its release: proposed by one person, approved by another, bound to the hash of the exact set."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ledger import activity
from ledger.events import month_reference
from ledger.queries import Queries
from payouts import approvals
from payouts.approvals import ApprovalKind
from payouts.calendar import is_banking_day, next_banking_day
from payouts.errors import (
    CycleOpenError,
    CycleStateError,
    NotABankingDayError,
    NothingToPayError,
    SetChangedError,
    UnknownCycleError,
)
from payouts.remittances import shares

QUERIES = Queries("payouts", "cycles.sql")


@dataclass(frozen=True, slots=True)
class Originator:
    """Who sends the ACH file: all of it is part of what is approved."""

    odfi_routing: str
    company_id: str
    company_name: str
    entry_description: str


class PayoutRow(BaseModel):
    """A payment of a cycle to a member; the amount is net of the fee."""

    model_config = ConfigDict(frozen=True)

    member_id: UUID
    ncpdp_id: str
    amount_cents: int
    fee_cents: int
    state: str
    reason: str | None = None
    payer_trace: str | None = None
    """The advice that it is for, where the member is paid for each; then a member may have several."""


class OmissionRow(BaseModel):
    """A member that the cycle does not pay, and why."""

    model_config = ConfigDict(frozen=True)

    member_id: UUID
    ncpdp_id: str
    available_cents: int
    reason: str


class Cycle(BaseModel):
    """A cycle with its payouts and the members left out."""

    model_config = ConfigDict(frozen=True)

    cycle_id: int
    business_date: date
    effective_date: date
    state: str
    set_hash: str
    approval_id: int | None
    payouts: tuple[PayoutRow, ...]
    omitted: tuple[OmissionRow, ...]
    total_cents: int
    fee_cents: int


def propose(connection: Connection, business_date: date, originator: Originator, actor: str) -> Cycle:
    """Propose to pay what is available by a banking day; a cycle that is only proposed is replaced.

    Proposing the same again, with nothing changed, gives the same cycle.

    Raises:
        NotABankingDayError: no file can be handed over on that day.
        CycleOpenError: an approved cycle waits for release.
        NothingToPayError: there is nothing to pay and no fee to collect.
    """
    if not is_banking_day(business_date):
        raise NotABankingDayError(business_date, next_banking_day(business_date))
    connection.execute(QUERIES["lock_cycles"])
    before = connection.execute(QUERIES["open_cycle"]).first()
    if before is not None and before.state == "approved":
        raise CycleOpenError(before.cycle_id)
    if before is not None:
        nested = connection.begin_nested()
        _void(connection, before.cycle_id)
    cycle_id = _add(connection, business_date, originator, actor)
    if before is not None:
        if _same_set(connection, before.cycle_id, cycle_id):
            nested.rollback()
            return show(connection, before.cycle_id)
        nested.commit()
        activity.record(connection, actor, "cycle_voided", str(before.cycle_id), replaced_by=cycle_id)
    set_hash = bytes(connection.execute(QUERIES["set_hash"], {"cycle_id": cycle_id}).scalar_one())
    cycle = show(connection, cycle_id)
    facts = {
        "business_date": business_date.isoformat(),
        "payouts": sum(payout.amount_cents > 0 for payout in cycle.payouts),
        "total_cents": cycle.total_cents,
        "fee_cents": cycle.fee_cents,
    }
    approval_id = approvals.propose(connection, ApprovalKind.CYCLE, str(cycle_id), facts, actor, set_hash=set_hash)
    connection.execute(QUERIES["attach_approval"], {"cycle_id": cycle_id, "approval_id": approval_id})
    activity.record(connection, actor, "cycle_proposed", str(cycle_id), total_cents=cycle.total_cents)
    return cycle.model_copy(update={"approval_id": approval_id})


def approve(connection: Connection, cycle_id: int, actor: str) -> Cycle:
    """Approve a proposed cycle as it stands; another person than the one who proposed it.

    Raises:
        UnknownCycleError, CycleStateError, SetChangedError: there is nothing to approve.
        MakerIsCheckerError: from the database.
    """
    cycle = locked(connection, cycle_id)
    if cycle["state"] != "proposed":
        raise CycleStateError(cycle_id, cycle["state"], "proposed")
    approval = approvals.decide(connection, cycle["approval_id"], actor, approve=True)
    if approval.state != "pending":
        follow_approval(connection, cycle_id)
    return show(connection, cycle_id)


def follow_approval(connection: Connection, cycle_id: int) -> None:
    """Carry a decision over to the cycle: its set must be the one that was approved.

    Raises:
        SetChangedError, CycleStateError: it is not, or the cycle has moved on.
    """
    cycle = locked(connection, cycle_id)
    if cycle["state"] != "proposed":
        raise CycleStateError(cycle_id, cycle["state"], "proposed")
    see_unchanged(connection, cycle)
    if cycle["approval_state"] == "rejected":
        _void(connection, cycle_id)
        return
    connection.execute(QUERIES["approve_cycle"], {"cycle_id": cycle_id})
    connection.execute(QUERIES["approve_payouts"], {"cycle_id": cycle_id})


def see_unchanged(connection: Connection, cycle: Mapping[str, Any]) -> None:
    """See that a cycle's payouts, and what it tells of them, are still those that were proposed for approval.

    Raises:
        SetChangedError: they are not.
    """
    set_hash = connection.execute(QUERIES["set_hash"], {"cycle_id": cycle["cycle_id"]}).scalar_one()
    if bytes(set_hash) != bytes(cycle["set_hash"]):
        raise SetChangedError(cycle["cycle_id"])


def locked(connection: Connection, cycle_id: int) -> Mapping[str, Any]:
    """Take a cycle's turn and give its row.

    Raises:
        UnknownCycleError: there is none.
    """
    connection.execute(QUERIES["lock_cycle"], {"cycle_id": cycle_id})
    row = connection.execute(QUERIES["cycle"], {"cycle_id": cycle_id}).mappings().first()
    if row is None:
        raise UnknownCycleError(cycle_id)
    return dict(row)


def show(connection: Connection, cycle_id: int) -> Cycle:
    """Give a cycle with all its payouts.

    Raises:
        UnknownCycleError: there is none.
    """
    row = connection.execute(QUERIES["cycle"], {"cycle_id": cycle_id}).first()
    if row is None:
        raise UnknownCycleError(cycle_id)
    payouts = tuple(
        PayoutRow(
            member_id=each.member_id,
            ncpdp_id=each.ncpdp_id,
            amount_cents=each.amount_cents,
            fee_cents=each.fee_cents,
            state=each.state,
            reason=each.reason,
            payer_trace=each.payer_trace,
        )
        for each in connection.execute(QUERIES["payouts"], {"cycle_id": cycle_id})
    )
    omitted = tuple(
        OmissionRow(**each) for each in connection.execute(QUERIES["omissions"], {"cycle_id": cycle_id}).mappings()
    )
    set_hash = row.set_hash or connection.execute(QUERIES["set_hash"], {"cycle_id": cycle_id}).scalar_one()
    paid = [payout for payout in payouts if payout.state != "excluded"]
    return Cycle(
        cycle_id=cycle_id,
        business_date=row.business_date,
        effective_date=row.effective_on,
        state=row.state,
        set_hash=bytes(set_hash).hex(),
        approval_id=row.approval_id,
        payouts=payouts,
        omitted=omitted,
        total_cents=sum(payout.amount_cents for payout in paid),
        fee_cents=sum(payout.fee_cents for payout in paid),
    )


class CycleSummary(BaseModel):
    """A line of the list of cycles."""

    model_config = ConfigDict(frozen=True)

    cycle_id: int
    business_date: date
    effective_on: date
    state: str
    payouts: int
    total_cents: int


def list_cycles(connection: Connection) -> list[CycleSummary]:
    """List all cycles, oldest first."""
    return [CycleSummary(**row) for row in connection.execute(QUERIES["cycles"]).mappings()]


def _add(connection: Connection, business_date: date, originator: Originator, actor: str) -> int:
    facts = {
        "business_date": business_date,
        "effective_on": next_banking_day(business_date),
        "odfi_routing": originator.odfi_routing,
        "company_id": originator.company_id,
        "company_name": originator.company_name,
        "entry_description": originator.entry_description,
    }
    cycle_id = int(connection.execute(QUERIES["add_cycle"], facts | {"actor": actor}).scalar_one())
    selection = {"business_date": business_date, "effective_on": facts["effective_on"]}
    made = connection.execute(
        QUERIES["fill_cycle"], selection | {"cycle_id": cycle_id, "reference": month_reference(business_date)}
    ).scalar_one()
    if not made:
        raise NothingToPayError(business_date)
    shares.tell(connection, cycle_id, business_date)
    return cycle_id


def _void(connection: Connection, cycle_id: int) -> None:
    connection.execute(QUERIES["void"], {"cycle_id": cycle_id})
    approvals.withdraw(connection, ApprovalKind.CYCLE, str(cycle_id), "replaced by a later proposal")


def _same_set(connection: Connection, one: int, other: int) -> bool:
    return bool(connection.execute(QUERIES["same_set"], {"one": one, "other": other}).scalar_one())
