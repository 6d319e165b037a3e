"""Direct pay: which payers pay which members by themselves, and what their copies of the 835 say of it.

Some payers pay a pharmacy into its own account and send the PSAO a copy of the remittance. That money never passes the
custodial account: the copy is recorded, and is neither posted nor funded nor told to the member by us. An enrolment
holds by the date of payment (BPR16 of the 835, 005010X221A1). It begins and ends for what comes afterwards: what was
accepted before stays as it was decided when it came.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ingest.directory import find_member
from ingest.errors import (
    DirectPayEndError,
    DirectPayOverlapError,
    NoDirectPayError,
    NotMemberOnError,
    UnknownPayerNameError,
)
from ledger import activity
from ledger.queries import Queries

QUERIES = Queries("ingest", "direct_pay.sql")


class DirectPay(BaseModel):
    """A member's enrolment with a payer; both days inclusive, cents of the payments recorded by it.

    ``until`` before ``since``: it was taken back and never held.
    """

    model_config = ConfigDict(frozen=True)

    direct_pay_id: int
    member_id: UUID
    ncpdp_id: str
    legal_name: str
    payer_id: str
    payer_name: str
    since: date
    until: date | None
    reason: str
    begun_by: str
    end_reason: str | None
    ended_by: str | None
    advices: int
    """How many advices were recorded, and stand so."""
    recorded_cents: int


class Ended(BaseModel):
    """An enrolment that was ended, and how many advices of later days stay recorded by it."""

    model_config = ConfigDict(frozen=True)

    direct_pay_id: int
    since: date
    until: date
    advices_after: int


class DirectAdvice(NamedTuple):
    """What a payer paid a member by itself, as its copy says it; cents, claims less PLB is what was paid."""

    member_id: UUID
    advice_id: int
    payer_id: str
    payer_name: str
    trace_number: str
    paid_on: date
    claim_count: int
    claims_cents: int
    plb_cents: int

    @property
    def paid_cents(self) -> int:
        """What the payer paid."""
        return self.claims_cents - self.plb_cents


def direct_advices(
    connection: Connection, member_ids: Sequence[UUID], from_on: date, to_on: date
) -> list[DirectAdvice]:
    """Give what payers paid these members directly in these days (BPR16, both inclusive), by member, day and advice.

    It is information: no amount of it is in the members' books.
    """
    asked = {"member_ids": list(member_ids), "from_on": from_on, "to_on": to_on}
    return [DirectAdvice(*row) for row in connection.execute(QUERIES["direct_advices"], asked)]


def begin_direct_pay(
    connection: Connection, member: str, payer: str, since: date, *, reason: str, actor: str
) -> DirectPay:
    """Put a member on direct pay with a payer from a day on.

    Args:
        connection: of the unit of work.
        member: NCPDP id, of the owner on that day, or member id.
        payer: payer id or name, as in the list of payers.
        since: the first date of payment (BPR16).
        reason: why; it is kept.
        actor: who acts, an operator.

    Raises:
        UnknownMemberError, UnknownPayerNameError: there is none.
        NotMemberOnError: it is no member on that day.
        DirectPayOverlapError: it is on direct pay with that payer on that day or later.
    """
    member_id = find_member(connection, member, since)
    payer_id = _payer(connection, payer)
    connection.execute(QUERIES["lock"])
    key = {"member_id": member_id, "payer_id": payer_id, "since": since}
    if not connection.execute(QUERIES["is_member_on"], key).scalar_one():
        raise NotMemberOnError(member, since)
    other = connection.execute(QUERIES["overlapping"], key).first()
    if other is not None:
        raise DirectPayOverlapError(other.since, other.until)
    number = connection.execute(QUERIES["begin"], key | {"reason": reason, "actor": actor}).scalar_one()
    begun = next(each for each in list_direct_pay(connection) if each.direct_pay_id == number)
    facts = {"payer": payer_id, "since": since.isoformat(), "reason": reason}
    activity.record(connection, actor, "direct_pay_begun", begun.ncpdp_id, **facts)
    return begun


def end_direct_pay(connection: Connection, member: str, payer: str, until: date, *, reason: str, actor: str) -> Ended:
    """End a member's direct pay with a payer; the day before its first takes it back as if it had never held.

    An end may be brought forward, never put off: begin it again instead.

    Args:
        connection: of the unit of work.
        member: NCPDP id or member id.
        payer: payer id or name, as in the list of payers.
        until: the last date of payment (BPR16) that is direct.
        reason: why; it is kept.
        actor: who acts, an operator.

    Raises:
        UnknownMemberError, UnknownPayerNameError: there is none.
        NoDirectPayError: the member is not on direct pay with that payer.
        DirectPayEndError: it ends that day or earlier already, or begins later.
    """
    find_member(connection, member)
    payer_id = _payer(connection, payer)
    connection.execute(QUERIES["lock"])
    asked = {"asked": member, "payer_id": payer_id, "until": until}
    last = connection.execute(QUERIES["last_of_store"], asked).first()
    if last is None:
        raise NoDirectPayError(member, payer)
    if (until - last.since).days < -1 or (last.until is not None and last.until <= until):
        raise DirectPayEndError(until, last.since, last.until)
    facts = {"direct_pay_id": last.direct_pay_id, "until": until, "reason": reason, "actor": actor}
    connection.execute(QUERIES["end"], facts)
    after = connection.execute(QUERIES["recorded_after"], facts).scalar_one()
    said = {"payer": payer_id, "until": until.isoformat(), "reason": reason, "advices_after": after}
    activity.record(connection, actor, "direct_pay_ended", member, **said)
    return Ended(direct_pay_id=last.direct_pay_id, since=last.since, until=until, advices_after=after)


def list_direct_pay(connection: Connection) -> list[DirectPay]:
    """List all enrolments that ever were, by store, payer and first day."""
    return [DirectPay(**row) for row in connection.execute(QUERIES["list"]).mappings()]


def accepted_before(
    connection: Connection, *, advice_ids: Sequence[int] = (), direct_pay_id: int | None = None
) -> dict[int, str]:
    """Give advices that wait for money and are wholly of members on direct pay on their day, with their stores.

    They were accepted before the enrolment was written, or name another payee: they stay advised, and are paid by us
    only if their money comes.

    Args:
        connection: reading is enough.
        advice_ids: of these.
        direct_pay_id: or those that one enrolment concerns.
    """
    asked = {"advice_ids": list(advice_ids), "direct_pay_id": direct_pay_id}
    return {row.advice_id: row.stores for row in connection.execute(QUERIES["accepted_before"], asked)}


def _payer(connection: Connection, asked: str) -> str:
    found = connection.execute(QUERIES["payer"], {"asked": asked}).all()
    if len(found) != 1:
        raise UnknownPayerNameError(asked)
    payer_id: str = found[0].payer_id
    return payer_id
