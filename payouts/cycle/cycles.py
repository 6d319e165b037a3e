"""A payout cycle up to its release: proposed by one person, approved by another, bound to the hash of the exact set."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ledger import activity
from ledger.events import month_reference
from ledger.queries import Queries
from payouts.accounts.live import make_live
from payouts.cycle.errors import ApproversMissingError, NobodyDueError
from payouts.cycle.limits import limits_on
from payouts.errors import (
    CycleOpenError,
    CycleStateError,
    NotABankingDayError,
    NothingToPayError,
    SetChangedError,
    UnknownCycleError,
)
from payouts.holding.holds import apply_holds
from payouts.people import approvals
from payouts.people.approvals import ApprovalKind
from payouts.remittances import shares
from schemas.calendar import add_banking_days, is_banking_day, next_banking_day

QUERIES = Queries("payouts", "cycles.sql")
_ANSWERS = Queries("payouts", "answers.sql")
REPLACED = "replaced by a later proposal"


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
    returned_by: int | None = None
    """The bank's answer whose money came back."""
    paid_again_in: int | None = None
    """The cycle in which that money left again."""
    pays_again: tuple[int, ...] | None = None
    """The answers whose money left with this payout."""

    @property
    def chain(self) -> str | None:
        """Say what came back of it and how it left again; None: nothing did."""
        back = f"came back, answer {self.returned_by}" if self.returned_by else None
        again = f"paid again in cycle {self.paid_again_in}" if self.paid_again_in else None
        other = f"pays again what answer {', '.join(map(str, self.pays_again))} brought" if self.pays_again else None
        return "; ".join(each for each in (back, again, other) if each) or None


class OmissionRow(BaseModel):
    """A member that the cycle does not pay, and why."""

    model_config = ConfigDict(frozen=True)

    member_id: UUID
    ncpdp_id: str
    available_cents: int
    reason: str


class Told(BaseModel):
    """What a cycle tells beside its payouts, all of it covered by the hash: counts and sums in cents."""

    model_config = ConfigDict(frozen=True)

    shares: int
    """Members' shares of payers' advices."""
    share_cents: int
    own_items: int
    """The PSAO's own items between shares and payments: fees, and what else is told by name."""
    own_cents: int
    """As in a PLB: positive reduces the payment."""


class Cycle(BaseModel):
    """A cycle with its payouts and the members left out."""

    model_config = ConfigDict(frozen=True)

    cycle_id: int
    business_date: date
    effective_date: date
    state: str
    cut_off_at: datetime
    """What was recorded later is not in it."""
    set_hash: str
    approval_id: int | None
    approvers_needed: int
    first_approved_by: str | None
    void_reason: str | None
    told: Told
    payouts: tuple[PayoutRow, ...]
    omitted: tuple[OmissionRow, ...]
    total_cents: int
    fee_cents: int


def propose(connection: Connection, business_date: date, originator: Originator, actor: str) -> Cycle:
    """Propose to pay what is available by a banking day to whom it is due; a cycle that is only proposed is replaced.

    Proposing the same again, with nothing changed, gives the same cycle.

    Raises:
        NotABankingDayError: no file can be handed over on that day.
        CycleOpenError: an approved cycle waits for release.
        NothingToPayError: there is nothing to pay and no fee to collect.
        NobodyDueError: there is, and all of it waits for the days and the minimums of its members.
    """
    if not is_banking_day(business_date):
        raise NotABankingDayError(business_date, next_banking_day(business_date))
    connection.execute(QUERIES["lock_cycles"])
    before = connection.execute(QUERIES["open_cycle"]).first()
    if before is not None and before.state == "approved":
        raise CycleOpenError(before.cycle_id)
    apply_holds(connection, business_date, actor)
    # Accounts that have waited by the day of settlement are paid into from this proposal on.
    make_live(connection, next_banking_day(business_date), actor, told_on=business_date)
    if before is not None:
        nested = connection.begin_nested()
        void(connection, before.cycle_id, REPLACED, actor)
    cycle_id = _add(connection, business_date, originator, actor)
    needed = limits_on(connection, business_date).approvers_needed(_leaving_cents(connection, cycle_id))
    if before is not None:
        # What more people have to approve than were asked is asked anew, though it is the same set.
        if needed <= before.approvers_needed and _same_set(connection, before.cycle_id, cycle_id):
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
    kind = ApprovalKind.CYCLE
    approval_id = approvals.propose(
        connection, kind, str(cycle_id), facts, actor, set_hash=set_hash, approvers_needed=needed
    )
    connection.execute(QUERIES["attach_approval"], {"cycle_id": cycle_id, "approval_id": approval_id})
    activity.record(connection, actor, "cycle_proposed", str(cycle_id), total_cents=cycle.total_cents)
    return cycle.model_copy(update={"approval_id": approval_id, "approvers_needed": needed})


def approve(connection: Connection, cycle_id: int, actor: str) -> Cycle:
    """Approve a proposed cycle as it stands; another person than the one who proposed it.

    Where two approvers are needed, the first one leaves it proposed.

    Raises:
        UnknownCycleError, CycleStateError, SetChangedError: there is nothing to approve.
        ApproversMissingError: two people have to approve, and one was asked for.
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
    """Carry a decision over to the cycle: its set must be the one that was approved, by as many as it needs.

    Raises:
        SetChangedError, CycleStateError: it is not, or the cycle has moved on.
        ApproversMissingError: since the proposal a limit asks for two.
    """
    cycle = locked(connection, cycle_id)
    if cycle["state"] != "proposed":
        raise CycleStateError(cycle_id, cycle["state"], "proposed")
    see_unchanged(connection, cycle)
    if cycle["approval_state"] == "rejected":
        void(connection, cycle_id, f"rejected: {cycle['approval_reason']}", cycle["decided_by"])
        activity.record(connection, cycle["decided_by"], "cycle_voided", str(cycle_id), reason=cycle["approval_reason"])
        return
    limits, total = limits_on(connection, cycle["business_date"]), _leaving_cents(connection, cycle_id)
    if limits.approvers_needed(total) > 1 and cycle["first_approved_by"] is None:
        raise ApproversMissingError(cycle_id, total, limits.two_approvers_from or 0)
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
    links = {link.payout_id: link for link in connection.execute(_ANSWERS["links_of_cycle"], {"cycle_id": cycle_id})}
    payouts = tuple(
        PayoutRow(
            returned_by=links[each.payout_id].returned_by if each.payout_id in links else None,
            paid_again_in=links[each.payout_id].paid_again_in if each.payout_id in links else None,
            pays_again=links[each.payout_id].pays_again if each.payout_id in links else None,
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
    told = connection.execute(QUERIES["told"], {"cycle_id": cycle_id}).mappings().one()
    set_hash = row.set_hash or connection.execute(QUERIES["set_hash"], {"cycle_id": cycle_id}).scalar_one()
    paid = [payout for payout in payouts if payout.state != "excluded"]
    return Cycle(
        cycle_id=cycle_id,
        business_date=row.business_date,
        effective_date=row.effective_on,
        state=row.state,
        cut_off_at=row.cut_off_at,
        set_hash=bytes(set_hash).hex(),
        approval_id=row.approval_id,
        approvers_needed=row.approvers_needed or 1,
        first_approved_by=row.first_approved_by,
        void_reason=row.void_reason,
        told=Told(**told),
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
    selection = {
        "business_date": business_date,
        "day_before": add_banking_days(business_date, -1),
        "effective_on": facts["effective_on"],
    }
    made = connection.execute(
        QUERIES["fill_cycle"], selection | {"cycle_id": cycle_id, "reference": month_reference(business_date)}
    ).one()
    if not made.paid and made.not_due + made.below_minimum:
        raise NobodyDueError(business_date, made.not_due, made.below_minimum)
    if not made.paid:
        raise NothingToPayError(business_date)
    connection.execute(QUERIES["keep_seen"], {"cycle_id": cycle_id, "seen": made.seen})
    shares.tell(connection, cycle_id, business_date, made.seen)
    return cycle_id


def void(connection: Connection, cycle_id: int, reason: str, actor: str) -> None:
    """Make a locked cycle void, with its reason; what waits for approval is withdrawn."""
    connection.execute(QUERIES["void"], {"cycle_id": cycle_id, "reason": reason, "actor": actor})
    approvals.withdraw(connection, ApprovalKind.CYCLE, str(cycle_id), reason)


def _leaving_cents(connection: Connection, cycle_id: int) -> int:
    return int(connection.execute(QUERIES["leaving_cents"], {"cycle_id": cycle_id}).scalar_one())


def _same_set(connection: Connection, one: int, other: int) -> bool:
    return bool(connection.execute(QUERIES["same_set"], {"one": one, "other": other}).scalar_one())
