"""The flat monthly fee: assessed for each contract and month, idle members too; never a share of reimbursement."""

from collections import defaultdict
from datetime import date, timedelta
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ledger import activity
from ledger.batch import Batch
from ledger.events import fee_assessed, month_reference
from ledger.posting import post
from ledger.queries import Queries
from payouts.fees.errors import MonthAheadError

_QUERIES = Queries("payouts", "fees.sql")


class Assessed(BaseModel):
    """What an assessment made receivable; members assessed before are not counted."""

    model_config = ConfigDict(frozen=True)

    month: str
    members: int
    amount_cents: int


def assess(connection: Connection, month: date, actor: str) -> Assessed:
    """Assess the month's fee of every contract that asks one and was not assessed yet.

    Args:
        connection: of a unit of work.
        month: its first day.
        actor: who acts.
    """
    reference = month_reference(month)
    # Contracts that change meanwhile are waited for: their fee would be another one by the time that it is booked.
    connection.execute(_QUERIES["lock"])
    rows = connection.execute(_QUERIES["due"], {"month": month, "reference": reference}).all()
    fees: dict[int, list[tuple[UUID, int]]] = defaultdict(list)
    for row in rows:
        fees[row.times].append((row.member_id, row.cents))
    batch = Batch()
    for times, members in sorted(fees.items()):
        # One fact a month for all members that are assessed together; a member that joins later makes another.
        key = f"fee_assessed:{reference}:{times}:{min(member for member, _ in members)}"
        batch.add(fee_assessed(key, month, members))
    post(connection, batch, actor)
    total = sum(row.cents for row in rows)
    activity.record(connection, actor, "fees_assessed", f"{month:%Y-%m}", members=len(rows), cents=total)
    return Assessed(month=f"{month:%Y-%m}", members=len(rows), amount_cents=total)


def see_near(month: date, today: date) -> None:
    """See that a month that a person names has begun, or is the next one; a wrong year would be years of open fees.

    Args:
        month: its first day.
        today: the business date.

    Raises:
        MonthAheadError: it begins later.
    """
    next_month = (today.replace(day=1) + timedelta(days=31)).replace(day=1)
    if month > next_month:
        raise MonthAheadError(month, today)
