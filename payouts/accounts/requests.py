"""What is asked for when a member is to be paid into another account, how it is told, and the case that it opens."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from sqlalchemy import Connection, Row

from ingest.cases import CaseKind
from ingest.roster import AccountType, account_number
from ledger.queries import Queries
from payouts.people.notices import NoticeKind, tell_old_contact
from schemas.identifiers import AbaRouting

QUERIES: Final = Queries("payouts", "bank_details.sql")
COOLING_DAYS: Final = 3
"""Banking days between the call-back and the first payment, when an installation says nothing else."""


class ChangeSource(StrEnum):
    """Who gave the other details."""

    MEMBER = "member"
    """The member, or somebody who says so."""
    ROSTER = "roster"
    """A roster whose row differs from what is on file."""
    BANK = "bank"
    """The member's bank, by a notification of change."""


class ChangeRequest(BaseModel):
    """Other bank details of a member; ``cooling_days`` are banking days, and count for nothing when the bank asks."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    member_id: UUID
    routing: AbaRouting
    account_number: SecretStr
    account_type: AccountType
    source: ChangeSource
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]
    requested_on: date
    cooling_days: Annotated[int, Field(ge=0, le=60)] = COOLING_DAYS

    @field_validator("account_number")
    @classmethod
    def _account_number_fits(cls, number: SecretStr) -> SecretStr:
        return account_number(number.get_secret_value())

    @property
    def last_four(self) -> str:
        """The end of the number: all that people see."""
        return self.account_number.get_secret_value()[-4:]


def case_subject(change_id: int) -> str:
    """Name a change as cases and activities name it."""
    return f"change {change_id}"


def close_case(
    connection: Connection, change_id: int, resolution: str, kind: CaseKind = CaseKind.BANK_DETAILS_ASKED
) -> bool:
    """Resolve the case that a change waits, or another of it; False when none is open."""
    facts = {"kind": kind.value, "subject": case_subject(change_id), "resolution": resolution}
    return bool(connection.execute(QUERIES["close_case"], facts).rowcount)


def tell_asked(
    connection: Connection, request: ChangeRequest, member: Row[Any], former_last_four: str, actor: str
) -> None:
    """Write to the old contact that another account was asked for; of both numbers it says the last four."""
    asked = {
        ChangeSource.MEMBER: "we were asked",
        ChangeSource.ROSTER: "the list of members that we received asked us",
        ChangeSource.BANK: "your bank asked us",
    }[request.source]
    where = f"the {request.account_type} account ending in {request.last_four} at the bank {request.routing}"
    until = "approved by a second person here"
    if request.source is not ChangeSource.BANK:
        until = f"confirmed by you when we call, {until}, and the account has been tried"
    now = f"we pay into the account ending in {former_last_four}"
    body = (
        f"On {request.requested_on} {asked} to pay {member.legal_name} (NCPDP {member.ncpdp_id}) into another account: "
        f"{where}.\n\nNothing changes before that is {until}; until then {now}.\n\n"
        "If you did not ask for this, call us at once, at the number that you know of us and not at one from a letter."
    )
    subject = f"Another bank account was asked for, ending in {request.last_four}"
    tell_old_contact(
        connection,
        request.member_id,
        NoticeKind.BANK_DETAILS_ASKED,
        subject=subject,
        body=body,
        on=request.requested_on,
        actor=actor,
    )
