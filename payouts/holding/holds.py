"""Money kept back from a member: a hold with its reason, authority, scope and review date.

One person may keep money back; to lift a hold takes two (``payouts.holding.lifts``). A hold stays as it was placed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ingest.cases import CaseKind, settle_cases
from ledger import activity
from ledger.batch import Batch
from ledger.chart import Account
from ledger.decided import held
from ledger.posting import post
from ledger.queries import Queries
from payouts.holding.errors import HoldOrderError, HoldStateError, UnknownHoldError
from payouts.people.notices import NoticeKind, give_notice
from schemas.money import show_cents

QUERIES = Queries("payouts", "holds.sql")


class HoldKind(StrEnum):
    """Why money is kept back."""

    REVIEW = "review"
    """The PSAO looks at something: a credential, a contract."""
    DISPUTE = "dispute"
    """A payer or another member disputes what was paid."""
    LEGAL = "legal"
    """A court, a tax authority or a sanctions list orders it."""
    FRAUD = "fraud"
    """Fraud is suspected."""
    RETURNED = "returned"
    """A bank returned a payout: it keeps what came back and nothing else."""


UNTOLD = frozenset({HoldKind.LEGAL, HoldKind.FRAUD})
"""Kinds of which the member is not told by us: the order or an investigation may forbid it; a person decides."""


@dataclass(frozen=True, slots=True)
class HoldOrder:
    """An order to keep money back.

    Args:
        member_id: whose money.
        kind: why.
        reason: why, in words.
        authority: who may order it: a court and its case, a contract's clause, a bank's return code.
        review_on: when a person looks again.
        placed_on: the business date.
        payer_id: only what this payer brings; None: whoever brings it.
        limit_cents: at most so much; None: all.
    """

    member_id: UUID
    kind: HoldKind
    reason: str
    authority: str
    review_on: date
    placed_on: date
    payer_id: str | None = None
    limit_cents: int | None = None


class Hold(BaseModel):
    """A hold as it stands; money in cents. ``held_cents`` is kept now, the others have gone on from it."""

    model_config = ConfigDict(frozen=True)

    hold_id: int
    member_id: UUID
    ncpdp_id: str
    kind: HoldKind
    reason: str
    authority: str
    payer_id: str | None
    limit_cents: int | None
    review_on: date
    placed_on: date
    placed_by: str
    state: str
    held_cents: int
    levied_cents: int
    unclaimed_cents: int


def place_hold(connection: Connection, order: HoldOrder, actor: str) -> int:
    """Place a hold, take at once what of its scope is available, and tell the member where that is allowed.

    Give its number.

    Raises:
        HoldOrderError: the order can not be carried out.
    """
    hold_id = open_hold(connection, order, actor)
    taken = _take(connection, [hold_id], order.placed_on, actor) if order.kind is not HoldKind.RETURNED else {}
    if order.kind not in UNTOLD | {HoldKind.RETURNED}:
        cents = taken.get(hold_id, 0)
        give_notice(
            connection,
            order.member_id,
            NoticeKind.HOLD_PLACED,
            subject=f"Hold {hold_id}: money of yours is kept back",
            body=f"{_scope(order)} is kept back from {order.placed_on} on; {show_cents(cents)} of it at once. "
            f"Reason: {order.reason}. Authority: {order.authority}. It is looked at again on {order.review_on}.",
            on=order.placed_on,
            actor=actor,
        )
    return hold_id


def open_hold(connection: Connection, order: HoldOrder, actor: str) -> int:
    """Record a hold and take nothing yet: for money that comes into it by itself, as a returned payout does.

    ``apply_holds`` fills it later unless it is of kind ``returned``; what came back counts against its limit.

    Raises:
        HoldOrderError: the order can not be carried out.
    """
    _see_sense(connection, order)
    facts = {
        "member_id": order.member_id,
        "kind": order.kind.value,
        "reason": order.reason,
        "authority": order.authority,
        "payer_id": order.payer_id,
        "limit_cents": order.limit_cents,
        "review_on": order.review_on,
        "placed_on": order.placed_on,
    }
    hold_id = int(connection.execute(QUERIES["add"], facts | {"actor": actor}).scalar_one())
    activity.record(
        connection,
        actor,
        "hold_placed",
        str(hold_id),
        kind=order.kind.value,
        reason=order.reason,
        authority=order.authority,
    )
    return hold_id


def apply_holds(connection: Connection, on: date, actor: str) -> dict[int, int]:
    """Move what became available meanwhile into the active holds with room; a member's older hold takes first.

    What was lifted and has not been paid yet is left alone. Give what was taken: hold to cents.
    """
    active = connection.execute(QUERIES["lock_active"], {"hold_id": None}).scalars().all()
    return _take(connection, active, on, actor) if active else {}


def _take(connection: Connection, hold_ids: Sequence[int], on: date, actor: str) -> dict[int, int]:
    rows = connection.execute(QUERIES["room"], {"hold_ids": list(hold_ids)}).all()
    batch = Batch()
    for row in rows:
        key = f"held:{row.hold_id}:{row.times + 1}"
        batch.add(held(key, on, row.member_id, row.cents, row.hold_id, reason=row.reason))
    post(connection, batch, actor)
    for row in rows:
        activity.record(connection, actor, "held", str(row.hold_id), cents=row.cents)
    return {row.hold_id: row.cents for row in rows}


def locked_hold(connection: Connection, hold_id: int) -> Mapping[str, Any]:
    """Take a hold's turn and give its row.

    Raises:
        UnknownHoldError: there is none.
    """
    row = connection.execute(QUERIES["lock"], {"hold_id": hold_id}).mappings().first()
    if row is None:
        raise UnknownHoldError(hold_id)
    return dict(row)


def stands_under(connection: Connection, hold_id: int, account: Account = Account.HELD) -> int:
    """Give what stands under a hold in one account (held, levied, unclaimed), in cents."""
    parameters = {"hold_id": hold_id, "account": account.value}
    return int(connection.execute(QUERIES["kept"], parameters).scalar_one())


def list_holds(connection: Connection, member_id: UUID | None = None, *, everything: bool = False) -> list[Hold]:
    """List the holds that are active or still keep money, or all; of one member or of everybody."""
    return _holds(connection, member_id=member_id, everything=everything)


def show_hold(connection: Connection, hold_id: int) -> Hold:
    """Give a hold.

    Raises:
        UnknownHoldError: there is none.
    """
    found = _holds(connection, hold_id=hold_id, everything=True)
    if not found:
        raise UnknownHoldError(hold_id)
    return found[0]


def review_holds(connection: Connection, on: date) -> list[Hold]:
    """List the holds whose day of review has come, with an open case for each; other such cases are resolved."""
    due = _holds(connection, review_by=on)
    standing = {
        f"hold {each.hold_id}": (each.held_cents, f"{each.ncpdp_id}: {each.reason}; review was due on {each.review_on}")
        for each in due
    }
    settle_cases(connection, CaseKind.HOLD_REVIEW, standing, "looked at, extended or over")
    return due


def extend_hold(connection: Connection, hold_id: int, review_on: date, reason: str, *, on: date, actor: str) -> Hold:
    """Keep a hold after its review; its next day of review is a later one.

    Raises:
        UnknownHoldError, HoldStateError: there is no such active hold.
        HoldOrderError: the day is not later, or no reason is given.
    """
    row = locked_hold(connection, hold_id)
    if row["state"] != "active":
        raise HoldStateError(hold_id, row["state"])
    if review_on <= on or not reason.strip():
        raise HoldOrderError(f"Hold {hold_id} is extended with a reason and to a day after {on}, not to {review_on}")
    connection.execute(QUERIES["extend"], {"hold_id": hold_id, "review_on": review_on})
    activity.record(connection, actor, "hold_extended", str(hold_id), review_on=review_on.isoformat(), reason=reason)
    review_holds(connection, on)
    return show_hold(connection, hold_id)


def _holds(
    connection: Connection,
    *,
    member_id: UUID | None = None,
    hold_id: int | None = None,
    review_by: date | None = None,
    everything: bool = False,
) -> list[Hold]:
    asked = {"member_id": member_id, "hold_id": hold_id, "review_by": review_by, "everything": everything}
    return [Hold(**row) for row in connection.execute(QUERIES["list"], asked).mappings()]


def _see_sense(connection: Connection, order: HoldOrder) -> None:
    if not order.reason.strip() or not order.authority.strip():
        raise HoldOrderError("A hold needs a reason and an authority: who may order it")
    if order.review_on <= order.placed_on:
        raise HoldOrderError(f"A hold of {order.placed_on} is looked at again on a later day, not on {order.review_on}")
    if order.limit_cents is not None and order.limit_cents <= 0:
        raise HoldOrderError("The amount of a hold is more than nothing")
    if order.payer_id is not None:
        if order.kind is HoldKind.RETURNED:
            raise HoldOrderError("A hold for a returned payout keeps what came back, whichever payer brought it")
        if not connection.execute(QUERIES["payer_is_known"], {"payer_id": order.payer_id}).scalar_one():
            raise HoldOrderError(f"{order.payer_id} is no payer of ours; see: centralpay payers import")


def _scope(order: HoldOrder) -> str:
    amount = "All" if order.limit_cents is None else f"Up to {show_cents(order.limit_cents)}"
    return f"{amount} that payer {order.payer_id} brings" if order.payer_id else f"{amount} that is due to you"
