"""Whom to call and write to at a member, from a day on; the history stays, for the old contact is told of changes.

A contact that changed less than thirty days before something is asked is not believed alone: who asks for money to go
elsewhere may have changed the telephone first.
"""

import re
from datetime import date, timedelta
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ingest.errors import UnknownMemberError
from ledger import activity
from ledger.queries import Queries
from payouts.accounts.errors import ContactError, ContactFollowsError

_QUERIES = Queries("payouts", "contacts.sql")
_TELEPHONE = re.compile(r"\d{10}", re.ASCII)
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_LONGEST = 200
_AHEAD = timedelta(days=366)


class Contact(BaseModel):
    """A person at a member. The telephone has ten digits; the postal address may have several lines, or none."""

    model_config = ConfigDict(frozen=True)

    name: str
    telephone: str
    email: str
    postal_address: str = ""


class ContactRow(Contact):
    """A contact with the days on which it is in force, both inclusive; ``until`` None is open."""

    since: date
    until: date | None
    recorded_by: str
    recorded_on: date


def telephone_digits(text: str) -> str:
    """Read a telephone number of the North American plan, however it is parted, as its ten digits.

    Raises:
        ContactError: it is none.
    """
    digits = re.sub(r"[\s().+-]", "", text)
    digits = digits.removeprefix("1") if len(digits) == 11 else digits
    if _TELEPHONE.fullmatch(digits) is None:
        raise ContactError("a telephone number has ten digits, such as (312) 555-0100")
    return digits


def record_contact(
    connection: Connection, member_id: UUID, contact: Contact, *, since: date, on: date, actor: str
) -> ContactRow:
    """Write a member's contact down; the one before ends the day before. The same again changes nothing.

    Args:
        connection: of a unit of work.
        member_id: whose.
        contact: the person.
        since: first day in force; a member's first contact may have been in force for long.
        on: the business date of the writing down; a later contact is in force from then at the earliest, and from no
            day before the last one that the bank reported: who writes may say any date.
        actor: who acts.

    Raises:
        UnknownMemberError: there is no such member.
        ContactError: a part of it can not be right.
        ContactFollowsError: it would be in force before it was known.
    """
    checked = _checked(contact)
    if since > on + _AHEAD:
        # A slip of the pen there would keep every other contact out until then.
        raise ContactError(f"it is in force from {since}, more than a year after {on}")
    if connection.execute(_QUERIES["lock_member"], {"member_id": member_id}).first() is None:
        raise UnknownMemberError(str(member_id))
    before = list_contacts(connection, member_id)
    row = ContactRow(**checked.model_dump(), since=since, until=None, recorded_by=actor, recorded_on=on)
    if before:
        last = before[-1]
        if (last.since, Contact(**last.model_dump(include=set(Contact.model_fields)))) == (since, checked):
            return last
        # The day of the writing down is the writer's word; what the bank reported is over.
        over = connection.execute(_QUERIES["reported_until"]).scalar()
        earliest = max(on, last.since + timedelta(days=1), over or on)
        if since < earliest:
            raise ContactFollowsError(since, earliest)
        connection.execute(_QUERIES["end"], {"member_id": member_id, "since": since})
    facts = checked.model_dump() | {"member_id": member_id, "since": since, "recorded_on": on, "actor": actor}
    connection.execute(_QUERIES["add"], facts)
    activity.record(connection, actor, "contact_recorded", str(member_id), since=since.isoformat())
    return row


def list_contacts(connection: Connection, member_id: UUID) -> list[ContactRow]:
    """List a member's contacts, oldest first."""
    return [ContactRow(**row) for row in connection.execute(_QUERIES["contacts"], {"member_id": member_id}).mappings()]


def trusted_day(connection: Connection, member_id: UUID, on: date) -> date:
    """Give the day whose contact is believed when something is asked on a day: thirty days before, or the joining."""
    day: date = connection.execute(_QUERIES["trusted_day"], {"member_id": member_id, "on": on}).scalar_one()
    return day


def contact_on(connection: Connection, member_id: UUID, day: date) -> ContactRow | None:
    """Give the contact in force on a day, or None."""
    fitting = [
        each
        for each in list_contacts(connection, member_id)
        if each.since <= day and (each.until is None or day <= each.until)
    ]
    return fitting[0] if fitting else None


def _checked(contact: Contact) -> Contact:
    name, email = contact.name.strip(), contact.email.strip()
    address = "\n".join(line.strip() for line in contact.postal_address.splitlines() if line.strip())
    for what, text in (("its name", name), ("its e-mail address", email), ("its postal address", address)):
        if len(text) > _LONGEST or not all(letter.isprintable() or letter == "\n" for letter in text):
            raise ContactError(f"{what} has more than {_LONGEST} characters, or some that can not be printed")
    if not name or "\n" in name:
        raise ContactError("it has no name")
    if _EMAIL.fullmatch(email) is None:
        raise ContactError("its e-mail address is none, such as owner@pharmacy.example")
    return Contact(name=name, telephone=telephone_digits(contact.telephone), email=email, postal_address=address)
