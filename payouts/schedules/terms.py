"""On what terms a member is paid: its schedule and the least that it is paid; asked for, and changed with a letter."""

from datetime import date
from itertools import islice
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ingest.roster import MAX_PAYOUT_MINIMUM_CENTS
from ledger import activity
from ledger.queries import Queries
from payouts.cycle.errors import ReasonMissingError
from payouts.people.notices import NoticeKind, give_notice
from payouts.schedules.errors import MinimumError
from payouts.schedules.schedule import in_words, payout_days
from schemas.calendar import add_banking_days
from schemas.money import show_cents
from schemas.schedules import PayoutSchedule

_QUERIES = Queries("payouts", "schedules.sql")
_DAYS_SHOWN = 5
_EVERY_DAY = PayoutSchedule("daily")


class PayoutTerms(BaseModel):
    """When a member is paid, and from how much on."""

    model_config = ConfigDict(frozen=True)

    member_id: UUID
    ncpdp_id: str
    legal_name: str
    schedule: str
    minimum_cents: int
    """Less is not paid, but waits; zero: whatever there is."""
    has_left: bool
    """Its membership has ended: it is paid in every cycle, whatever there is."""
    next_days: tuple[date, ...]
    """The next five banking days on which it is due, when a cycle runs on each."""


def payout_terms(connection: Connection, member_id: UUID, today: date) -> PayoutTerms:
    """Give a member's terms, and its next payout days from today on.

    What was due on a day without a cycle is due in the next one: the first of the days is today, or the next banking
    day.
    """
    row = connection.execute(_QUERIES["member"], {"member_id": member_id}).one()
    has_left = row.member_until is not None and row.member_until < today
    last = connection.execute(_QUERIES["last_cycle"], {"on": today}).scalar() or add_banking_days(today, -1)
    schedule = _EVERY_DAY if has_left else PayoutSchedule(row.schedule)
    first = add_banking_days(today, 0)
    later = payout_days(schedule, last)
    # Days that went by without a cycle are made up by one payment.
    days = [max(next(later), first)]
    days += islice((day for day in later if day > days[0]), _DAYS_SHOWN - 1)
    return PayoutTerms(
        member_id=member_id,
        ncpdp_id=row.ncpdp_id,
        legal_name=row.legal_name,
        schedule=row.schedule,
        minimum_cents=row.minimum_cents,
        has_left=has_left,
        next_days=tuple(days),
    )


def change_terms(
    connection: Connection,
    member_id: UUID,
    *,
    schedule: PayoutSchedule | None = None,
    minimum_cents: int | None = None,
    reason: str,
    on: date,
    actor: str,
) -> PayoutTerms:
    """Change when a member is paid, or from how much on, and write to it; the next proposal asks the new terms.

    The same terms again change nothing, and nobody is written to.

    Args:
        connection: of a unit of work.
        member_id: whose.
        schedule: the new one; None: as it is.
        minimum_cents: the new least payment, 0 to ``MAX_PAYOUT_MINIMUM_CENTS``; None: as it is.
        reason: why; it is kept.
        on: the business date.
        actor: who acts.

    Raises:
        ReasonMissingError: nothing is said of why.
        MinimumError: the least payment is below zero, or too much.
    """
    reason = " ".join(reason.split())
    if not reason:
        raise ReasonMissingError("Changing a schedule")
    if minimum_cents is not None and not 0 <= minimum_cents <= MAX_PAYOUT_MINIMUM_CENTS:
        raise MinimumError(show_cents(minimum_cents), show_cents(MAX_PAYOUT_MINIMUM_CENTS))
    connection.execute(_QUERIES["lock_member"], {"member_id": member_id})
    before = payout_terms(connection, member_id, on)
    wanted = before.schedule if schedule is None else str(schedule)
    least = before.minimum_cents if minimum_cents is None else minimum_cents
    if (wanted, least) == (before.schedule, before.minimum_cents):
        return before
    terms: dict[str, str | int] = {"schedule": wanted, "minimum_cents": least}
    connection.execute(_QUERIES["set_terms"], terms | {"member_id": member_id})
    after = payout_terms(connection, member_id, on)
    was: dict[str, str | int] = {"before_schedule": before.schedule, "before_minimum_cents": before.minimum_cents}
    activity.record(connection, actor, "schedule_changed", before.ncpdp_id, reason=reason, **terms, **was)
    subject, body = "When you are paid", _letter(after)
    give_notice(connection, member_id, NoticeKind.SCHEDULE_CHANGED, subject=subject, body=body, on=on, actor=actor)
    return after


def _letter(terms: PayoutTerms) -> str:
    when, least, day = in_words(PayoutSchedule(terms.schedule)), show_cents(terms.minimum_cents), terms.next_days[0]
    minimum = f" Less than ${least} is not paid on such a day: it waits for you until there is as much."
    return (
        f"From now on we pay you {when} what payers have sent for you by then. "
        "When banks are closed on a day, we pay on the next day on which they are open."
        f"{minimum if terms.minimum_cents else ''} "
        f"The next such day is {day:%A, %B} {day.day}, {day.year}.\n\n"
        "If you did not ask for this, call us at the number that you know."
    )
