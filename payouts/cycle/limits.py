"""Limits of money, each in force from a day until a later one of its name: proposed by one person, approved by another.

The database asks them again when money leaves: ``payouts_are_approved`` takes a release only within the limits of the
cycle's day, and only by as many approvers as its total needs, whoever posts it.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ledger import activity
from ledger.queries import Queries
from payouts.cycle.errors import LimitAmountError, LimitPastError, LimitSetError
from payouts.people import approvals
from payouts.people.approvals import Approval, ApprovalKind
from schemas.money import MAX_CENTS

_QUERIES = Queries("payouts", "limits.sql")
_MOST_DAYS = 365


class LimitName(StrEnum):
    """What is limited."""

    TWO_APPROVERS_FROM = "two_approvers_from"
    """A cycle of this much or more is approved by two people."""
    ENTRY = "entry"
    """The most that one payout may be; a larger one is dropped at the release."""
    SAME_DAY_ENTRY = "same_day_entry"
    """The most that one entry of a same-day file may be, by the operators' rule (Nacha Operating Rules)."""
    CYCLE_TOTAL = "cycle_total"
    """The most that a cycle may pay; a larger one is not released."""
    PAYMENT_DAYS = "payment_days"
    """Banking days from remittance and money to the bank's debit, as contracts promise it: of days, not of money."""


class Limit(BaseModel):
    """A limit from a day on, of cents or, for ``payment_days``, of banking days; neither: from then there is none."""

    model_config = ConfigDict(frozen=True)

    name: LimitName
    since: date
    cents: int | None
    days: int | None = None
    set_by: str


@dataclass(frozen=True, slots=True)
class CycleLimits:
    """The limits of a day, in cents; None: there is none."""

    two_approvers_from: int | None
    entry: int | None
    cycle_total: int | None

    def approvers_needed(self, total_cents: int) -> int:
        """Say how many people approve a cycle of this total, beside the one who proposed it."""
        return 2 if self.two_approvers_from is not None and total_cents >= self.two_approvers_from else 1


def limits_on(connection: Connection, day: date) -> CycleLimits:
    """Give the limits that a cycle of this business date has."""
    row = connection.execute(_QUERIES["on"], {"day": day}).one()
    return CycleLimits(row.two_approvers_from, row.entry, row.cycle_total)


def list_limits(connection: Connection) -> list[Limit]:
    """List all limits that were ever set, by name and day."""
    return [Limit(**row) for row in connection.execute(_QUERIES["list"]).mappings()]


def propose_limit(
    connection: Connection,
    name: LimitName,
    cents: int | None,
    since: date,
    *,
    today: date,
    actor: str,
    days: int | None = None,
) -> int:
    """Ask a second person for a limit; give the approval.

    Args:
        connection: of a unit of work.
        name: what is limited.
        cents: the limit, above zero; None: none any more.
        since: the first day on which it holds.
        today: the business date; nothing is changed for days that are past.
        actor: who asks.
        days: the limit of ``payment_days``, which is none of money.

    Raises:
        LimitAmountError: it is zero, negative or beyond all amounts, or in the other unit than its name's.
        LimitPastError: its first day is past.
        LimitSetError: a limit of that name begins on that day.
    """
    if cents is not None and not 0 < cents < MAX_CENTS:
        raise LimitAmountError(f"{cents} cents")
    is_of_days = name is LimitName.PAYMENT_DAYS
    if (days is not None and not (is_of_days and 0 < days <= _MOST_DAYS)) or (cents is not None and is_of_days):
        raise LimitAmountError(f"{cents} cents" if days is None else f"{days} days")
    if since < today:
        raise LimitPastError(since, today)
    facts: dict[str, str | int | None] = {"name": name.value, "since": since.isoformat(), "cents": cents}
    if is_of_days:
        facts["days"] = days
    if connection.execute(_QUERIES["begins"], facts).first() is not None:
        raise LimitSetError(name.value, since)
    # The amount is part of the subject: who asks for another one is not given the approval of the first.
    said = "none" if cents is None and days is None else str(cents or days)
    return approvals.propose(connection, ApprovalKind.LIMIT, f"{name.value} {since} {said}", facts, actor)


def follow_approval(connection: Connection, approval: Approval) -> None:
    """Set the limit that was approved.

    Raises:
        LimitSetError: another one of that name and day was approved meanwhile.
    """
    if approval.state != "approved" or approval.decided_by is None:
        return
    facts = {"days": None} | approval.facts
    if not connection.execute(_QUERIES["set"], facts | {"actor": approval.decided_by}).rowcount:
        raise LimitSetError(facts["name"], date.fromisoformat(facts["since"]))
    activity.record(
        connection, approval.decided_by, "limit_set", facts["name"], since=facts["since"], cents=facts["cents"]
    )
