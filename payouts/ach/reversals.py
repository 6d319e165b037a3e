"""Payments asked back from their banks: a reversing entry, for few reasons, within days, by a second person's word.

A reversal only asks. Nothing is posted: whether the money comes back, the bank's credit or the entry's return says.
Source: Nacha Operating Rules, section 2.9 (reversing files and entries): a duplicate, a wrong amount, a wrong receiver,
a credit that settled on another day than meant; handed over within five banking days of settlement.
"""

from datetime import date
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, Row

from ingest.encryption import Keyring
from ingest.models import bank_account_context
from ledger import activity
from ledger.queries import Queries
from payouts.ach.outgoing import Courier, OutgoingEntry, write_reversals
from payouts.ach.sent import SentFile, sent_file
from payouts.cycle.cycles import Originator
from payouts.people import approvals
from payouts.people.approvals import Approval, ApprovalKind
from schemas.calendar import add_banking_days, is_banking_day, next_banking_day
from schemas.errors import RefusedError, WrongUseError

REVERSAL_BANKING_DAYS: Final = 5
"""So many banking days after settlement a reversing entry may be handed over."""

_QUERIES = Queries("payouts", "ach.sql")
_SENT: Final = frozenset({"released", "settled"})


class ReversalReason(StrEnum):
    """Why a payment may be asked back; a payer's missing money is none of these."""

    DUPLICATE = "duplicate"
    """The same was paid twice."""
    WRONG_AMOUNT = "wrong-amount"
    """Another amount was meant."""
    WRONG_RECEIVER = "wrong-receiver"
    """Another receiver was meant."""
    WRONG_DATE = "wrong-date"
    """It should have settled before."""


class UnknownPayoutError(WrongUseError):
    """No such payout."""

    def __init__(self, payout_id: int) -> None:
        super().__init__(f"There is no payout {payout_id}; see: centralpay ach list, centralpay ach show FILE")


class NotReversibleError(RefusedError):
    """A payout that can not be taken back, and why."""

    def __init__(self, payout_id: int, problem: str) -> None:
        self.payout_id = payout_id
        super().__init__(f"Payout {payout_id} can not be taken back: {problem}")


class PayoutReversal(BaseModel):
    """A payment asked back, as far as it is: waiting for the second person, approved, or sent."""

    model_config = ConfigDict(frozen=True)

    payout_id: int
    ncpdp_id: str
    amount_cents: int
    reason: str
    state: str
    """``pending``, ``approved`` or ``sent``."""
    approval_id: int
    last_day: date
    """The last one on which it may be handed over."""
    file: SentFile | None = None


def reverse_payout(
    connection: Connection, payout_id: int, reason: ReversalReason, *, business_date: date, actor: str
) -> PayoutReversal:
    """Ask a second person to take a payout back; asked again, say how far it is.

    Args:
        connection: of a unit of work.
        payout_id: one that was sent.
        reason: one of those that the rules know.
        business_date: the day of handing over.
        actor: who acts.

    Raises:
        UnknownPayoutError: there is none.
        NotReversibleError: it was not sent, came back or is on its way back, or its five banking days are over.
    """
    row = _locked(connection, payout_id)
    if row.taken_back_by is not None:
        return _told(row, _approval(connection, payout_id), sent_file(connection, row.taken_back_by))
    _see_reversible(row, business_date)
    approval = _approval(connection, payout_id)
    if approval is None or approval.state not in {"pending", "approved"}:
        facts = {
            "payout_id": payout_id,
            "ncpdp_id": row.ncpdp_id,
            "amount_cents": row.amount_cents,
            "cycle_id": row.cycle_id,
            "reason": reason.value,
            "business_date": business_date.isoformat(),
        }
        approvals.propose(connection, ApprovalKind.ACH_REVERSAL, str(payout_id), facts, actor)
        approval = _approval(connection, payout_id)
    elif approval.facts["reason"] != reason.value:
        problem = f"it is asked for as {approval.facts['reason']} already (approval {approval.approval_id})"
        raise NotReversibleError(payout_id, problem)
    return _told(row, approval, None)


def send_reversal(
    connection: Connection, courier: Courier, keyring: Keyring, payout_id: int, *, business_date: date
) -> PayoutReversal:
    """Send the reversing entry of a payout whose taking back is approved; sent already, give its file again.

    The entry has the receiver, the account, the company and the whole amount of the payment.

    Args:
        connection: of a unit of work.
        courier: hands the file over; the payment's originator takes the place of its own.
        keyring: opens the account number.
        payout_id: the payment.
        business_date: the day of handing over.

    Raises:
        UnknownPayoutError, NotReversibleError: it can not be taken back, or nobody approved it.
        HandoverError and what else ``Courier.send`` raises.
    """
    row = _locked(connection, payout_id)
    approval = _approval(connection, payout_id)
    if row.taken_back_by is not None:
        return _told(row, approval, sent_file(connection, row.taken_back_by))
    _see_reversible(row, business_date)
    if approval is None or approval.state != "approved":
        raise NotReversibleError(payout_id, "nobody has approved it")
    originator = Originator(row.odfi_routing, row.company_id, row.company_name, row.entry_description)
    entry = OutgoingEntry(
        routing_number=row.routing_number,
        account_number=keyring.open(bytes(row.sealed_number), bank_account_context(row.bank_account_id)).decode(),
        account_type=row.account_type,
        ncpdp_id=row.ncpdp_id,
        receiver_name=row.legal_name,
        amount_cents=row.amount_cents,
        payout_id=payout_id,
    )
    sending = write_reversals(courier.of(originator), [entry], business_date=business_date)
    said = {"reason": str(approval.facts["reason"]), "cents": row.amount_cents, "file": sending.file.name}
    activity.record(connection, courier.actor, "payout_asked_back", str(payout_id), **said)
    return _told(row, approval, sending.file)


def follow_approval(connection: Connection, approval: Approval) -> None:
    """See, when a reversal is approved, that the payout can still be taken back; the file is written by a command.

    Raises:
        NotReversibleError: it came back meanwhile, or its days were over on the day that was named.
    """
    if approval.state != "approved":
        return
    row = _locked(connection, int(approval.subject))
    _see_reversible(row, date.fromisoformat(approval.facts["business_date"]))


def last_reversal_day(settled_on: date) -> date:
    """Give the last day on which a reversing entry may be handed over."""
    return add_banking_days(settled_on, REVERSAL_BANKING_DAYS)


def _locked(connection: Connection, payout_id: int) -> Row[Any]:
    row = connection.execute(_QUERIES["sent_payout"], {"payout_id": payout_id}).first()
    if row is None:
        raise UnknownPayoutError(payout_id)
    return row


def _see_reversible(row: Row[Any], business_date: date) -> None:
    if row.taken_back_by is not None:
        raise NotReversibleError(row.payout_id, "it is asked back already")
    if row.state not in _SENT or not row.amount_cents:
        raise NotReversibleError(row.payout_id, f"it is {row.state}, not sent" if row.amount_cents else "it is nothing")
    if row.sent_back_by is not None:
        problem = f"its bank sent it back, and the money is awaited; see: centralpay returns show {row.sent_back_by}"
        raise NotReversibleError(row.payout_id, problem)
    if not is_banking_day(business_date):
        problem = (
            f"{business_date:%A} {business_date} is no banking day; the next one is {next_banking_day(business_date)}"
        )
        raise NotReversibleError(row.payout_id, problem)
    last = last_reversal_day(row.effective_on)
    if business_date > last:
        problem = (
            f"it settled on {row.effective_on}, and {last} was the last of its {REVERSAL_BANKING_DAYS} banking days"
        )
        raise NotReversibleError(row.payout_id, problem)


def _approval(connection: Connection, payout_id: int) -> Any:  # noqa: ANN401 (a row or none)
    return connection.execute(_QUERIES["reversal_approval"], {"payout_id": payout_id}).first()


def _told(row: Row[Any], approval: Any, file: SentFile | None) -> PayoutReversal:  # noqa: ANN401 (a row)
    return PayoutReversal(
        payout_id=row.payout_id,
        ncpdp_id=row.ncpdp_id,
        amount_cents=row.amount_cents,
        reason=approval.facts["reason"],
        state="sent" if file is not None else approval.state,
        approval_id=approval.approval_id,
        last_day=last_reversal_day(row.effective_on),
        file=file,
    )
