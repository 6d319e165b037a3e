"""What was assessed beyond the contract, put right: it is the contract's amount and nobody's judgement.

A member's exit may be recorded after the month was assessed; then the contract asks less than was assessed (whole
months: nothing; by day: the days of membership). What is open of the difference is waived, what was collected is
refunded out of the float, and where the float lacks the money a case says so until it is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from ingest.cases import CaseKind, settle_cases
from ledger import activity
from ledger.batch import Batch
from ledger.decided import fee_refunded
from ledger.errors import FloatMissingError, translate
from ledger.events import fee_waived
from ledger.posting import post
from ledger.queries import Queries
from payouts.fees.errors import FeeOrderError
from payouts.fees.unpaid import settle_paid
from payouts.float_cover import float_cover
from schemas.money import show_cents

_QUERIES = Queries("payouts", "fees.sql")
_REASON = "the contract asks less than was assessed"
_GIVEN_BACK = "what the contract does not ask is given back"


class TruedUp(BaseModel):
    """What was given back because the contract asks less: months and cents; what waits lacks float."""

    model_config = ConfigDict(frozen=True)

    waived: int
    waived_cents: int
    refunded: int
    refunded_cents: int
    waiting: int
    waiting_cents: int


@dataclass(frozen=True, slots=True)
class _Over:
    """A month assessed beyond its contract: what of it is waived, what refunded."""

    ncpdp_id: str
    member_id: UUID
    month: date
    key: str
    waive_cents: int
    refund_cents: int
    due_cents: int


def true_up(connection: Connection, actor: str, on: date) -> TruedUp:
    """Give back what was assessed beyond the contracts as they stand, in this transaction.

    Args:
        connection: of a unit of work that has not posted yet.
        actor: who acts.
        on: the business date of what is posted.

    Returns:
        What was waived, refunded, and waits for float; the cases ``FEE_OVER_CONTRACT`` are those that wait.
    """
    connection.execute(_QUERIES["lock"])
    over = [_over(row) for row in connection.execute(_QUERIES["over_contract"]).mappings()]
    if not _tried(connection, over, [], actor, on):
        waiting = _without_float(over, float_cover(connection).withdrawable_cents)
        if not _tried(connection, over, waiting, actor, on):
            # Somebody else took from the float at this moment.
            waiting = [each for each in over if each.refund_cents]
            _post(connection, over, waiting, actor, on)
        return _result(over, waiting)
    return _result(over, [])


def set_proration(connection: Connection, member_id: UUID, proration: str, *, on: date, actor: str) -> TruedUp:
    """Say how a member's contracts count its first and last month, and give back what that makes too much.

    Args:
        connection: of a unit of work.
        member_id: whose contracts.
        proration: ``none``: the first month whole, none in the exit month; ``daily``: by day in both.
        on: the business date of what is posted.
        actor: who acts.

    Raises:
        FeeOrderError: there is no such way to count.
        FeeNotDueError: a month that was assessed would be asked more for (from the database).
    """
    if proration not in {"none", "daily"}:
        raise FeeOrderError(f"{proration!r} is no way to count a month; say none or daily")
    changed = connection.execute(_QUERIES["set_proration"], {"member_id": member_id, "proration": proration}).rowcount
    if changed:
        activity.record(connection, actor, "fee_proration_set", str(member_id), proration=proration)
    return true_up(connection, actor, on)


def _over(row: Any) -> _Over:  # noqa: ANN401 (a row of the query)
    waive = min(row["over_cents"], row["open_cents"]) if row["withheld_cents"] == 0 else 0
    return _Over(
        ncpdp_id=row["ncpdp_id"],
        member_id=row["member_id"],
        month=row["month"],
        key=f"fee_over_contract:{row['reference']}:{row['member_id']}:{row['times']}",
        waive_cents=waive,
        refund_cents=row["over_cents"] - waive,
        due_cents=row["due_cents"],
    )


def _without_float(over: Sequence[_Over], room_cents: int) -> list[_Over]:
    """Give those whose refund the float does not reach; the oldest months are served first."""
    waiting = []
    for each in sorted(over, key=lambda one: (one.month, one.ncpdp_id)):
        if each.refund_cents > room_cents:
            waiting.append(each)
        else:
            room_cents -= each.refund_cents
    return waiting


def _tried(connection: Connection, over: Sequence[_Over], waiting: Sequence[_Over], actor: str, on: date) -> bool:
    """Post, and undo it when the float lacks the money; say whether it stands."""
    try:
        with connection.begin_nested():
            _post(connection, over, waiting, actor, on)
    except DBAPIError as error:
        if not isinstance(translate(error), FloatMissingError):
            raise
        return False
    return True


def _post(connection: Connection, over: Sequence[_Over], waiting: Sequence[_Over], actor: str, on: date) -> None:
    # The cases first: the database takes what is over the contract when it is given back or declared.
    standing: dict[str, tuple[int, str]] = {}
    for each in waiting:
        subject = f"{each.ncpdp_id} {each.month:%Y-%m}"
        cents = each.refund_cents + standing.get(subject, (0, ""))[0]
        said = f"the contract asks {show_cents(each.due_cents)}; {show_cents(cents)} can not be refunded without float"
        standing[subject] = (cents, said)
    settle_cases(connection, CaseKind.FEE_OVER_CONTRACT, standing, _GIVEN_BACK)
    late = {(each.member_id, each.month) for each in waiting}
    batch = Batch()
    for each in over:
        if each.waive_cents:
            batch.add(fee_waived(f"{each.key}:waived", on, (each.member_id, each.month, each.waive_cents), _REASON))
        if each.refund_cents and (each.member_id, each.month) not in late:
            fee = (each.member_id, each.month, each.refund_cents)
            batch.add(fee_refunded(f"{each.key}:refunded", on, fee, reason=_REASON))
    post(connection, batch, actor)
    for each in over:
        subject = f"{each.ncpdp_id} {each.month:%Y-%m}"
        cents = each.waive_cents + (0 if (each.member_id, each.month) in late else each.refund_cents)
        if cents:
            activity.record(connection, actor, "fee_trued_up", subject, cents=cents, due_cents=each.due_cents)
    settle_paid(connection)


def _result(over: Sequence[_Over], waiting: Sequence[_Over]) -> TruedUp:
    late = {(each.member_id, each.month) for each in waiting}
    refunds = [each.refund_cents for each in over if each.refund_cents and (each.member_id, each.month) not in late]
    waivers = [each.waive_cents for each in over if each.waive_cents]
    return TruedUp(
        waived=len(waivers),
        waived_cents=sum(waivers),
        refunded=len(refunds),
        refunded_cents=sum(refunds),
        waiting=len(waiting),
        waiting_cents=sum(each.refund_cents for each in waiting),
    )
