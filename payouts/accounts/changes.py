"""A member's other bank account: asked for, called back, approved by a second person, cooled, tried, then paid into.

Whoever asks for money to go elsewhere may be a thief. So the old contact is told at once, the member is called at the
number that was on file before, another person approves, and days pass before the first payment. A correction by the
member's own bank (notification of change, Nacha Operating Rules) needs the second person only.

The number itself is sealed when it is asked for and opened for the bank's files alone; people see its last four.
How the account is tried and goes live is in ``payouts.accounts.prenotes``, how one is stopped in
``payouts.accounts.stops``.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row

from ingest.cases import CaseKind, open_case
from ingest.encryption import Keyring
from ingest.errors import UnknownMemberError
from ingest.models import bank_account_context
from ledger import activity
from payouts.accounts.errors import (
    CallBackDoneError,
    CallBackMissingError,
    CallerApprovesError,
    CallerIsAskerError,
    CallTooEarlyError,
    ChangeOpenError,
    ChangeStateError,
    NoCallBackNeededError,
    NothingToCloseError,
    NumberNotOnFileError,
    SameAccountError,
    UnknownChangeError,
)
from payouts.accounts.requests import (
    COOLING_DAYS,
    QUERIES,
    ChangeRequest,
    ChangeSource,
    case_subject,
    close_case,
    tell_asked,
)
from payouts.people import approvals
from payouts.people.approvals import Approval, ApprovalKind
from payouts.people.contacts import telephone_digits, trusted_day
from schemas.calendar import add_banking_days

__all__ = [
    "COOLING_DAYS",
    "QUERIES",
    "ChangeRequest",
    "ChangeSource",
    "ask_change",
    "case_subject",
    "close_case",
    "close_matter",
    "follow_approval",
    "is_same",
    "locked",
    "record_call_back",
    "see_state",
    "withdraw_change",
]

OPEN_STATES = ("asked", "approved", "prenoted")


def ask_change(connection: Connection, request: ChangeRequest, keyring: Keyring, actor: str) -> int:
    """Ask to pay a member into another account; give the change. Nothing changes by it but that it is known.

    The number is sealed for the account that the change will make. The old contact gets a letter, a case is opened, and
    a second person is asked. Asking the same again while it is open gives the same change and does nothing more.

    Raises:
        UnknownMemberError: there is no such member.
        SameAccountError: it is paid into that account already.
        ChangeOpenError: other details are asked for it.
    """
    connection.execute(QUERIES["lock_numbers"])
    member = connection.execute(QUERIES["member"], {"member_id": request.member_id}).first()
    if member is None:
        raise UnknownMemberError(str(request.member_id))
    open_change = connection.execute(QUERIES["open_change"], {"member_id": request.member_id}).first()
    if open_change is not None:
        if is_same(open_change, request, keyring):
            return int(open_change.change_id)
        raise ChangeOpenError(member.ncpdp_id, open_change.change_id)
    account = connection.execute(QUERIES["last_account"], {"member_id": request.member_id}).first()
    if account is not None and is_same(account, request, keyring):
        raise SameAccountError(member.ncpdp_id, account.last_four)
    change_id = _add(connection, request, keyring, actor)
    facts = {
        "member": member.ncpdp_id,
        "source": request.source.value,
        "routing_number": str(request.routing),
        "account_type": request.account_type.value,
        "last_four": request.last_four,
        "former_last_four": None if account is None else account.last_four,
        "reason": request.reason,
        "requested_on": request.requested_on.isoformat(),
    }
    if request.source is not ChangeSource.BANK:
        facts["contact_written_by"] = connection.execute(QUERIES["who_wrote_it"], {"change_id": change_id}).scalar()
    approval_id = approvals.propose(connection, ApprovalKind.BANK_DETAILS, str(change_id), facts, actor)
    connection.execute(QUERIES["attach_approval"], {"change_id": change_id, "approval_id": approval_id})
    # A first account has no former contact to warn, and nobody who could be robbed.
    if account is not None:
        tell_asked(connection, request, member, account.last_four, actor)
    waits = "a second person" if request.source is ChangeSource.BANK else "its call-back and a second person"
    detail = f"{member.ncpdp_id}: account ending in {request.last_four}, asked by {request.source}; waits for {waits}"
    open_case(connection, CaseKind.BANK_DETAILS_ASKED, case_subject(change_id), 0, detail)
    activity.record(connection, actor, "bank_details_asked", case_subject(change_id), member=member.ncpdp_id)
    return change_id


def record_call_back(
    connection: Connection,
    change_id: int,
    called_number: str,
    spoke_with: str,
    actor: str,
    *,
    confirmed: bool,
    called_on: date,
) -> None:
    """Write down that the member was called back at its old number, and what it said.

    A denied call rejects the change and leaves its case open, for somebody tried; nothing else stops.

    Args:
        connection: of a unit of work.
        change_id: the change.
        called_number: ten digits, of the contact that was on file before the request.
        spoke_with: who answered for the member.
        actor: who called; not who asked.
        confirmed: whether the member asked for it.
        called_on: the day of the call; the cooling period begins with it.

    Raises:
        UnknownChangeError, ChangeStateError, NoCallBackNeededError, CallBackDoneError: there is nothing to call for.
        CallerIsAskerError: who asked calls back.
        NumberNotOnFileError: the number is another one.
        CallTooEarlyError: the day is before the request.
    """
    digits = telephone_digits(called_number)
    change = locked(connection, change_id)
    if change["source"] == ChangeSource.BANK:
        raise NoCallBackNeededError(change_id)
    if change["called_on"] is not None:
        raise CallBackDoneError(change_id)
    see_state(change, "asked")
    if actor == change["requested_by"]:
        raise CallerIsAskerError(change_id)
    if called_on < change["requested_on"]:
        raise CallTooEarlyError(change_id, change["requested_on"])
    number = connection.execute(QUERIES["number_to_call"], {"change_id": change_id}).scalar()
    if number != digits:
        day = trusted_day(connection, change["member_id"], change["requested_on"])
        raise NumberNotOnFileError(change_id, day, known=number is not None)
    facts = {"change_id": change_id, "called_number": digits, "spoke_with": spoke_with, "confirmed": confirmed}
    connection.execute(QUERIES["record_call"], facts | {"called_on": called_on, "actor": actor})
    said = "confirmed" if confirmed else "denied"
    activity.record(connection, actor, f"call_back_{said}", case_subject(change_id), member=change["ncpdp_id"])
    if not confirmed:
        approvals.withdraw(connection, ApprovalKind.BANK_DETAILS, str(change_id), "denied in the call-back")
        detail = f"{change['ncpdp_id']}: denied in the call-back of {called_on}; somebody else asked for the account "
        detail += f"ending in {change['last_four']}: treat it as fraud"
        open_case(connection, CaseKind.BANK_DETAILS_ASKED, case_subject(change_id), 0, detail)


def withdraw_change(connection: Connection, change_id: int, reason: str, actor: str) -> None:
    """Take an open change back, also one that is approved or tried; the account in use stays.

    Raises:
        UnknownChangeError, ChangeStateError: there is nothing to take back.
    """
    change = locked(connection, change_id)
    see_state(change, *OPEN_STATES)
    approvals.withdraw(connection, ApprovalKind.BANK_DETAILS, str(change_id), reason)
    connection.execute(QUERIES["set_state"], {"change_id": change_id, "state": "withdrawn"})
    close_case(connection, change_id, f"withdrawn: {reason}")
    activity.record(connection, actor, "bank_details_withdrawn", case_subject(change_id), reason=reason)


def follow_approval(connection: Connection, approval: Approval) -> None:
    """Carry a decision over to the change: it cools from the day of its call-back, or is usable when the bank asked.

    Raises:
        ChangeStateError: the change has moved on.
        CallBackMissingError: nobody has called the member back.
        CallerApprovesError: who called back approves.
    """
    change_id, actor = int(approval.subject), approval.decided_by or approval.proposed_by
    change = locked(connection, change_id)
    see_state(change, "asked")
    if approval.state != "approved":
        connection.execute(QUERIES["set_state"], {"change_id": change_id, "state": "rejected"})
        close_case(connection, change_id, f"rejected: {approval.reason}")
        activity.record(connection, actor, "bank_details_rejected", case_subject(change_id), reason=approval.reason)
        return
    by_bank = change["source"] == ChangeSource.BANK
    if not (by_bank or change["call_confirmed"]):
        raise CallBackMissingError(change_id)
    if change["called_by"] == actor:
        raise CallerApprovesError(change_id)
    cooling = None if by_bank else add_banking_days(change["called_on"], change["cooling_days"])
    usable = change["requested_on"] if by_bank else None
    facts = {"change_id": change_id, "cooling_until": cooling, "usable_from": usable}
    connection.execute(QUERIES["approve"], facts)
    close_case(connection, change_id, f"approved by {actor}")
    said = None if cooling is None else cooling.isoformat()
    activity.record(connection, actor, "bank_details_approved", case_subject(change_id), cooling_until=said)


def locked(connection: Connection, change_id: int) -> Mapping[str, Any]:
    """Take a change's turn, its approval's first, and give its row.

    Raises:
        UnknownChangeError: there is none.
    """
    connection.execute(QUERIES["lock_approval"], {"change_id": change_id})
    row = connection.execute(QUERIES["lock_change"], {"change_id": change_id}).mappings().first()
    if row is None:
        raise UnknownChangeError(change_id)
    return dict(row)


def see_state(change: Mapping[str, Any], *needed: str) -> None:
    """See that a change is in one of these states.

    Raises:
        ChangeStateError: it is not.
    """
    if change["state"] not in needed:
        raise ChangeStateError(change["change_id"], change["state"], " or ".join(needed))


def close_matter(connection: Connection, change_id: int, reason: str, actor: str) -> None:
    """Resolve what is open of a change that is over: it was denied, or its prenote came back, and a person saw to it.

    Raises:
        UnknownChangeError, ChangeStateError: there is no such change, or it is still open itself.
        NothingToCloseError: no case of it is open.
    """
    change = locked(connection, change_id)
    see_state(change, "rejected", "failed", "withdrawn", "live")
    kinds = (CaseKind.BANK_DETAILS_ASKED, CaseKind.PRENOTE_FAILED)
    closed = [close_case(connection, change_id, reason, kind) for kind in kinds]
    if not any(closed):
        raise NothingToCloseError(change_id)
    activity.record(connection, actor, "bank_details_case_closed", case_subject(change_id), reason=reason)


def is_same(row: Row[Any], request: ChangeRequest, keyring: Keyring) -> bool:
    """Tell whether an account or a change on file has the details of a request."""
    asked = (str(request.routing), request.account_type.value)
    if (row.routing_number, row.account_type) != asked:
        return False
    number = keyring.open(bytes(row.sealed_number), bank_account_context(row.bank_account_id))
    return number.decode() == request.account_number.get_secret_value()


def _add(connection: Connection, request: ChangeRequest, keyring: Keyring, actor: str) -> int:
    account_id = connection.execute(QUERIES["new_account_id"]).scalar_one()
    number = request.account_number.get_secret_value().encode()
    facts = {
        "member_id": request.member_id,
        "bank_account_id": account_id,
        "source": request.source.value,
        "routing_number": str(request.routing),
        "account_type": request.account_type.value,
        "sealed_number": keyring.seal(number, bank_account_context(account_id)),
        "last_four": request.last_four,
        "reason": request.reason,
        "requested_on": request.requested_on,
        "cooling_days": request.cooling_days,
        "actor": actor,
    }
    return int(connection.execute(QUERIES["add"], facts).scalar_one())
