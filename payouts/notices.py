"""Letters to members: what changed, to the contact of that day; kept, and written to files when they are sent."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection

from ledger.queries import Queries

_QUERIES = Queries("payouts", "notices.sql")


class NoticeKind(StrEnum):
    """Why a member is written to."""

    BANK_DETAILS_ASKED = "bank_details_asked"
    """Somebody asks to pay it into another account."""
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


def give_notice(
    connection: Connection, member_id: UUID, kind: NoticeKind, *, subject: str, body: str, on: date, actor: str
) -> int:
    """Keep a letter to a member, addressed to its contact of that day; give its number.

    Args:
        connection: of a unit of work.
        member_id: to whom.
        kind: why.
        subject: one line.
        body: what it says; never a whole account number, nothing of a patient.
        on: the business date.
        actor: who acts.
    """
    facts = {"member_id": member_id, "kind": kind.value, "subject": subject, "body": body, "on": on, "actor": actor}
    return int(connection.execute(_QUERIES["give"], facts).scalar_one())
