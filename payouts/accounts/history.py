"""What there is to know of a member's bank accounts: all of them, every change and what became of it, the stops."""

from datetime import date
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from payouts.accounts.changes import QUERIES
from payouts.people.contacts import ContactRow, list_contacts


class AccountRow(BaseModel):
    """A bank account with the days of its use, both inclusive; of its number there are the last four."""

    model_config = ConfigDict(frozen=True)

    bank_account_id: UUID
    since: date
    until: date | None
    routing_number: str
    account_type: str
    last_four: str
    change_id: int | None
    """The change that made it; None: it came with the roster."""


class ChangeRow(BaseModel):
    """A change of bank details: what was asked by whom, who called whom, who decided, and its days."""

    model_config = ConfigDict(frozen=True)

    change_id: int
    member_id: UUID
    ncpdp_id: str
    source: str
    routing_number: str
    account_type: str
    last_four: str
    reason: str
    requested_by: str
    requested_on: date
    state: str
    number_to_call: str | None
    """Of the contact that was on file before; None when nobody is to be called, or none is known."""
    called_by: str | None
    called_on: date | None
    called_number: str | None
    spoke_with: str | None
    call_confirmed: bool | None
    approval_id: int | None
    approval_state: str | None
    decided_by: str | None
    cooling_until: date | None
    prenote_settles_on: date | None
    usable_from: date | None


class StopRow(BaseModel):
    """A stop of an account; with ``lifted_by`` it is over."""

    model_config = ConfigDict(frozen=True)

    bank_account_id: UUID
    last_four: str
    stopped_on: date
    reason: str
    stopped_by: str
    lifted_by: str | None
    lift_reason: str | None


class MemberBank(BaseModel):
    """Where a member is, was and may be paid, and whom to call."""

    model_config = ConfigDict(frozen=True)

    member_id: UUID
    accounts: tuple[AccountRow, ...]
    changes: tuple[ChangeRow, ...]
    stops: tuple[StopRow, ...]
    contacts: tuple[ContactRow, ...]


def list_changes(connection: Connection, *, member_id: UUID | None = None, everything: bool = False) -> list[ChangeRow]:
    """List the open changes, or all; of a member, or of everybody."""
    facts = {"member_id": member_id, "everything": everything}
    return [ChangeRow(**row) for row in connection.execute(QUERIES["changes"], facts).mappings()]


def member_bank(connection: Connection, member_id: UUID) -> MemberBank:
    """Give all of a member's accounts, changes, stops and contacts, oldest first."""
    facts = {"member_id": member_id}
    return MemberBank(
        member_id=member_id,
        accounts=tuple(AccountRow(**row) for row in connection.execute(QUERIES["accounts"], facts).mappings()),
        changes=tuple(list_changes(connection, member_id=member_id, everything=True)),
        stops=tuple(StopRow(**row) for row in connection.execute(QUERIES["stops"], facts).mappings()),
        contacts=tuple(list_contacts(connection, member_id)),
    )
