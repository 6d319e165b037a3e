"""Letters to members: what changed, to the contact of that day; kept, and written to files when they are sent."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection

from ledger.queries import Queries
from payouts.people.contacts import Contact, ContactRow, contact_on, list_contacts, record_contact, trusted_day

_QUERIES = Queries("payouts", "notices.sql")


class NoticeKind(StrEnum):
    """Why a member is written to."""

    BANK_DETAILS_ASKED = "bank_details_asked"
    """Somebody asks to pay it into another account."""
    CONTACT_CHANGED = "contact_changed"
    """Somebody else is called and written to from a day on."""
    BANK_DETAILS_CHANGED = "bank_details_changed"
    """It is paid into another account from a day on."""
    PAYMENT_RETURNED = "payment_returned"
    """Its bank sent a payment back."""
    HOLD_PLACED = "hold_placed"
    """Money of its is kept back."""
    LEVY_RECEIVED = "levy_received"
    """A legal order takes money of its."""
    UNCLAIMED_PROPERTY = "unclaimed_property"
    """Its money goes to the state unless it is claimed."""
    NEGATIVE_BALANCE = "negative_balance"
    """It owes."""
    FEE_INVOICED = "fee_invoiced"
    """Its flat fee could not be collected; it is asked to send it."""
    SCHEDULE_CHANGED = "schedule_changed"
    """It is paid on other days, or from another amount on."""


def give_notice(
    connection: Connection,
    member_id: UUID,
    kind: NoticeKind,
    *,
    subject: str,
    body: str,
    on: date,
    actor: str,
    addressed_on: date | None = None,
) -> int:
    """Keep a letter to a member, addressed to its contact of that day, or of an earlier one; give its number.

    Args:
        connection: of a unit of work.
        member_id: to whom.
        kind: why.
        subject: one line.
        body: what it says; never a whole account number, nothing of a patient.
        on: the business date.
        actor: who acts.
        addressed_on: the day whose contact is written to, when it is not ``on``.
    """
    letters = [(member_id, subject, body)]
    return give_notices(connection, kind, letters, on=on, actor=actor, addressed_on=addressed_on)[member_id]


def give_notices(
    connection: Connection,
    kind: NoticeKind,
    letters: Sequence[tuple[UUID, str, str]],
    *,
    on: date,
    actor: str,
    addressed_on: date | None = None,
) -> dict[UUID, int]:
    """Keep one letter for each of these members, as ``give_notice`` does, in one statement; give their numbers.

    Args:
        connection: of a unit of work.
        kind: why.
        letters: to whom, subject and body, in the order of their numbers; a member once.
        on: the business date.
        actor: who acts.
        addressed_on: the day whose contacts are written to, when it is not ``on``.
    """
    members, subjects, bodies = (list(each) for each in zip(*letters, strict=True)) if letters else ([], [], [])
    said = {"member_ids": members, "subjects": subjects, "bodies": bodies}
    facts = {"kind": kind.value, "on": on, "actor": actor, "addressed_on": addressed_on or on}
    return {row.member_id: row.notice_id for row in connection.execute(_QUERIES["give"], said | facts)}


def tell_old_contact(
    connection: Connection, member_id: UUID, kind: NoticeKind, *, subject: str, body: str, on: date, actor: str
) -> list[int]:
    """Keep a letter to the contact from before any change of the last thirty days, and to the present one if another.

    Where neither is known one letter is kept without a recipient.
    """
    old_day = trusted_day(connection, member_id, on)
    old, present = (contact_on(connection, member_id, day) for day in (old_day, on))
    days = [day for day, contact in ((old_day, old), (on, present)) if contact is not None]
    if old == present:
        days = days[:1]
    return [
        give_notice(connection, member_id, kind, subject=subject, body=body, on=on, actor=actor, addressed_on=day)
        for day in days or [on]
    ]


def change_contact(
    connection: Connection, member_id: UUID, contact: Contact, *, since: date, on: date, actor: str
) -> ContactRow:
    """Write a member's contact down as ``contacts.record_contact`` does, and tell the one who was it before.

    Whoever changes the contact first and the bank account later is seen by the owner at the first step.
    """
    known = list_contacts(connection, member_id)
    row = record_contact(connection, member_id, contact, since=since, on=on, actor=actor)
    if known and row.since not in {each.since for each in known}:
        said = f"From {since} on another person is called and written to about your payments: {row.name}."
        ask = "If you did not ask for this, call us at once at the number that you know."
        kind, subject, old_day = NoticeKind.CONTACT_CHANGED, "Your contact with us", known[-1].since
        body = f"{said} {ask}"
        give_notice(connection, member_id, kind, subject=subject, body=body, on=on, actor=actor, addressed_on=old_day)
    return row
