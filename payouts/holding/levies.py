"""Legal orders that send a member's money to a third party: kept back, taken as it comes up to the amount, paid.

The order is a hold of kind ``legal`` with the amount as its limit; who is paid stands beside it. What a member owes to
the PSAO is not repaid out of levied money: while it owes, nothing is taken.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ledger import activity
from ledger.balances import owner_balance
from ledger.batch import Batch
from ledger.chart import Account, Event
from ledger.decided import held, levied
from ledger.events import hold_lifted
from ledger.posting import post, reverse
from payouts.disbursing.disbursements import (
    DisbursementKind,
    DisbursementOrder,
    Method,
    free_cents,
    propose_disbursement,
)
from payouts.holding.errors import HoldOrderError, HoldStateError, LevyError
from payouts.holding.holds import QUERIES, HoldKind, HoldOrder, locked_hold, place_hold, stands_under
from payouts.people.notices import NoticeKind, give_notice
from schemas.money import show_cents


@dataclass(frozen=True, slots=True)
class LevyOrder:
    """A legal order as it was received: whose money, court and case, to whom, how many cents, when to look again."""

    member_id: UUID
    authority: str
    payee: str
    amount_cents: int
    review_on: date
    received_on: date


class Levy(BaseModel):
    """A legal order as it stands; money in cents: of ``amount_cents`` what is held, was taken, and was paid on."""

    model_config = ConfigDict(frozen=True)

    hold_id: int
    ncpdp_id: str
    authority: str
    payee: str
    amount_cents: int
    received_on: date
    review_on: date
    state: str
    held_cents: int
    taken_cents: int
    paid_cents: int


def receive_levy(connection: Connection, order: LevyOrder, actor: str) -> int:
    """Keep back what a legal order takes, as far as it is there, and tell the member; give the hold.

    Raises:
        HoldOrderError: the order can not be carried out.
        LevyError: it was received before.
    """
    if not order.payee.strip():
        raise HoldOrderError("A levy names who is paid")
    connection.execute(QUERIES["lock_levies"])
    known = ("member_id", "authority", "amount_cents", "payee")
    same = connection.execute(QUERIES["same_levy"], {name: getattr(order, name) for name in known}).scalar()
    if same is not None:
        raise LevyError(f"Levy {same} is this order already; another order of the authority has a number of its own")
    hold = HoldOrder(
        member_id=order.member_id,
        kind=HoldKind.LEGAL,
        reason=f"levy to {order.payee}",
        authority=order.authority,
        review_on=order.review_on,
        placed_on=order.received_on,
        limit_cents=order.amount_cents,
    )
    hold_id = place_hold(connection, hold, actor)
    connection.execute(QUERIES["add_levy"], {"hold_id": hold_id, "payee": order.payee})
    give_notice(
        connection,
        order.member_id,
        NoticeKind.LEVY_RECEIVED,
        subject=f"Levy {hold_id}: a legal order takes money of yours",
        body=f"{order.authority} orders {show_cents(order.amount_cents)} of what is due to you to be paid to "
        f"{order.payee}. It was received on {order.received_on}; money is kept back until the amount is reached. "
        "Objections go to the court or authority that gave the order.",
        on=order.received_on,
        actor=actor,
    )
    activity.record(connection, actor, "levy_received", str(hold_id), cents=order.amount_cents)
    return hold_id


def take_levy(connection: Connection, hold_id: int, on: date, actor: str) -> int:
    """Owe to the third party what the order keeps back, and what more of it is available; give the cents taken now.

    An order that is taken whole is over.

    Raises:
        UnknownHoldError, HoldStateError: there is no such order that is still open.
        LevyError: it is no levy, or the member owes.
    """
    row = locked_hold(connection, hold_id)
    _payee(connection, hold_id)
    if row["state"] != "active":
        raise HoldStateError(hold_id, row["state"])
    member_id: UUID = row["member_id"]
    kept = stands_under(connection, hold_id)
    owed = max(0, owner_balance(connection, member_id, Account.DUE_AVAILABLE))
    if kept and owed:
        raise LevyError(
            f"Hold {hold_id} keeps {show_cents(kept)}, but the member owes {show_cents(owed)}: "
            "nothing is levied before that is recovered or written off"
        )
    room = connection.execute(QUERIES["room"], {"hold_ids": [hold_id]}).first()
    fresh = 0 if room is None else int(room.cents)
    cents = kept + fresh
    batch = Batch()
    if room is not None:
        batch.add(held(f"held:{hold_id}:{room.times + 1}", on, member_id, fresh, hold_id, reason=row["reason"]))
    lifts = int(connection.execute(QUERIES["lifts"], {"hold_id": hold_id}).scalar_one())
    before = connection.execute(QUERIES["levied_ever"], {"hold_id": hold_id}).one()
    reason = f"to {_payee(connection, hold_id)}, by order of {row['authority']}"
    batch.add(hold_lifted(f"hold_lifted:{hold_id}:{lifts + 1}", on, member_id, cents, reason, hold_id=hold_id))
    batch.add(levied(f"levied:{hold_id}:{before.times + 1}", on, member_id, cents, hold_id, reason=reason))
    post(connection, batch, actor)
    if cents:
        activity.record(connection, actor, "levied", str(hold_id), cents=cents)
    if before.cents + cents >= row["limit_cents"]:
        connection.execute(QUERIES["end"], {"hold_id": hold_id, "state": "ended", "approval_id": None})
        activity.record(connection, actor, "hold_ended", str(hold_id), reason="the order is taken whole")
    return cents


def pay_levy(connection: Connection, hold_id: int, method: Method, actor: str) -> int:
    """Propose to pay the third party all that is levied and not on its way; give the disbursement.

    Raises:
        UnknownHoldError, LevyError: there is no such levy, or nothing to pay.
    """
    row = locked_hold(connection, hold_id)
    payee = _payee(connection, hold_id)
    cents = free_cents(connection, DisbursementKind.LEVY, row["member_id"], hold_id)
    if not cents:
        raise LevyError(f"Nothing is levied under hold {hold_id} that is not on its way; take it first: levies take")
    order = DisbursementOrder(DisbursementKind.LEVY, row["member_id"], str(hold_id), payee, method, cents)
    return propose_disbursement(connection, order, actor)


def turn_levy(connection: Connection, hold_id: int, reason: str, *, on: date, actor: str) -> int:
    """Turn what is levied under an order that was wrong; it is held again until two people lift it. Give the cents.

    What was paid on before is not turned: it is asked back from the payee.

    Raises:
        UnknownHoldError, LevyError: there is no such levy, nothing was levied, or it is on its way to the payee.
    """
    member_id: UUID = locked_hold(connection, hold_id)["member_id"]
    _payee(connection, hold_id)
    stands = stands_under(connection, hold_id, Account.LEVIED)
    if not stands or not reason.strip():
        raise LevyError(f"Nothing stands levied under hold {hold_id}, or no reason was given")
    if free_cents(connection, DisbursementKind.LEVY, member_id, hold_id) < stands:
        raise LevyError(
            f"What is levied under hold {hold_id} is proposed to be paid: make that void first "
            "(centralpay disbursements void)"
        )
    # The latest first, and each with the lift that fed it: nothing is available in between.
    for row in connection.execute(QUERIES["takings"], {"hold_id": hold_id}).all():
        if row.event == Event.LEVIED and not stands_under(connection, hold_id, Account.LEVIED):
            break
        key = f"levy_turned:{row.transaction_id}"
        reverse(connection, row.transaction_id, fact_key=key, fact_on=on, actor=actor, reason=reason)
    activity.record(connection, actor, "levy_turned", str(hold_id), cents=stands, reason=reason)
    return stands


def list_levies(connection: Connection, hold_id: int | None = None, *, everything: bool = False) -> list[Levy]:
    """List the legal orders that are not paid whole, or all, or one."""
    asked = {"hold_id": hold_id, "everything": everything or hold_id is not None}
    return [Levy(**row) for row in connection.execute(QUERIES["levies"], asked).mappings()]


def _payee(connection: Connection, hold_id: int) -> str:
    payee = connection.execute(QUERIES["levy"], {"hold_id": hold_id}).scalar()
    if payee is None:
        raise LevyError(f"Hold {hold_id} is no levy; see: centralpay levies list --all")
    return str(payee)
