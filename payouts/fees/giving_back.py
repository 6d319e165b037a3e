"""A fee waived while it is open, or refunded once it is collected: with a reason, by two people.

The database explains every cent that is given back by the contract or by an approval that names it
(``fee_given_back_is_explained``); a waiver never touches what is withheld, a refund comes out of the PSAO's own money.
"""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row

from ledger import activity
from ledger.batch import Batch
from ledger.decided import fee_refunded
from ledger.events import fee_waived, month_reference
from ledger.posting import post
from ledger.queries import Queries
from payouts.fees.errors import FeeNotCollectedError, FeeNotOpenError, FeeOrderError
from payouts.fees.unpaid import settle_paid
from payouts.people import approvals
from payouts.people.approvals import Approval, ApprovalKind

QUERIES = Queries("payouts", "fees.sql")


def propose_waiver(
    connection: Connection, member_id: UUID, month: date, cents: int | None, reason: str, *, on: date, actor: str
) -> int:
    """Ask a second person to waive a month's fee; give the approval.

    Args:
        connection: of a unit of work.
        member_id: whose fee.
        month: its first day.
        cents: how much; None: all that is open.
        reason: why; it is kept.
        on: the business date on which it is posted.
        actor: who asks.

    Raises:
        FeeOrderError: no reason, or an amount of nothing.
        FeeNotOpenError: less is open.
        AskedOtherwiseError: another amount is asked for already.
    """
    return _propose(connection, ApprovalKind.FEE_WAIVER, (member_id, month, cents), reason, on=on, actor=actor)


def propose_refund(
    connection: Connection, member_id: UUID, month: date, cents: int | None, reason: str, *, on: date, actor: str
) -> int:
    """Ask a second person to refund a collected fee out of the float; give the approval.

    Arguments as of ``propose_waiver``; without an amount it is all that was collected and not refunded.

    Raises:
        FeeOrderError: no reason, or an amount of nothing.
        FeeNotCollectedError: less was collected.
        AskedOtherwiseError: another amount is asked for already.
    """
    return _propose(connection, ApprovalKind.FEE_REFUND, (member_id, month, cents), reason, on=on, actor=actor)


def follow_approval(connection: Connection, approval: Approval) -> None:
    """Post the approved waiver or refund, if so much is still open, or collected.

    Raises:
        FeeNotOpenError, FeeNotCollectedError: it is less by now.
        FloatMissingError: the float does not hold the refund (from the database).
    """
    if approval.state != "approved" or approval.decided_by is None:
        return
    facts = approval.facts
    kind, member_id, cents = ApprovalKind(approval.kind), UUID(facts["member_id"]), int(facts["amount_cents"])
    month, day = date.fromisoformat(f"{facts['month']}-01"), date.fromisoformat(facts["on"])
    connection.execute(QUERIES["lock"])
    _see_possible(kind, _fee_of(connection, member_id, month), month, cents)
    fee, key, reason = (member_id, month, cents), str(facts["fact_key"]), str(facts["reason"])
    batch = Batch()
    if kind is ApprovalKind.FEE_WAIVER:
        batch.add(fee_waived(key, day, fee, reason))
    else:
        batch.add(fee_refunded(key, day, fee, reason=reason))
    post(connection, batch, approval.decided_by)
    settle_paid(connection)
    subject = f"{facts['ncpdp_id']} {facts['month']}"
    activity.record(connection, approval.decided_by, kind, subject, cents=cents, reason=reason)


def _propose(
    connection: Connection,
    kind: ApprovalKind,
    fee: tuple[UUID, date, int | None],
    reason: str,
    *,
    on: date,
    actor: str,
) -> int:
    member_id, month, asked = fee
    if not reason.strip():
        raise FeeOrderError("To give a fee back takes a reason")
    if asked is not None and asked <= 0:
        raise FeeOrderError("To give a fee back takes an amount of more than nothing")
    found = _fee_of(connection, member_id, month)
    cents = _most(kind, found) if asked is None else asked
    _see_possible(kind, found, month, cents)
    subject = f"{member_id} {month:%Y-%m}"
    # Every asking has a fact of its own: what was reversed may be given back again, what was approved is posted once.
    times = connection.execute(QUERIES["times_asked"], {"kind": kind.value, "subject": subject}).scalar_one()
    facts = {
        "member_id": str(member_id),
        "ncpdp_id": found.ncpdp_id,
        "month": f"{month:%Y-%m}",
        "amount_cents": cents,
        "reason": reason,
        "on": on.isoformat(),
        "fact_key": f"{kind.value}:{month_reference(month)}:{member_id}:{times}",
    }
    return approvals.propose(connection, kind, subject, facts, actor, alike=("amount_cents",))


def _fee_of(connection: Connection, member_id: UUID, month: date) -> Row[Any]:
    asked = {"member_id": member_id, "reference": month_reference(month)}
    return connection.execute(QUERIES["fee_of"], asked).one()


def _most(kind: ApprovalKind, found: Row[Any]) -> int:
    return int(found.open_cents if kind is ApprovalKind.FEE_WAIVER else found.kept_cents)


def _see_possible(kind: ApprovalKind, found: Row[Any], month: date, cents: int) -> None:
    most = _most(kind, found)
    if 0 < cents <= most:
        return
    if kind is ApprovalKind.FEE_WAIVER:
        raise FeeNotOpenError(found.ncpdp_id, month, most)
    raise FeeNotCollectedError(found.ncpdp_id, month, most)
