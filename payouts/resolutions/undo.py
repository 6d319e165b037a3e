"""Undoing: a whole transaction reversed by two people, and the working tables brought to what then stands.

Deposits and debits with something open are unmatched again, advices whose funding is gone wait again; the next match
finds them and opens their cases. What only makes sense together with the bank, a file that was sent, or a table of its
own is not reversed alone: the refusal says what to do instead.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection

from ledger.chart import HOUSE, Event
from payouts.disbursing.disbursements import DisbursementKind, free_cents
from payouts.people import approvals
from payouts.people.approvals import Approval, ApprovalKind
from payouts.people.users import OPERATORS, require
from payouts.resolutions.errors import (
    IrreversibleError,
    ReasonMissingError,
    ReversedAlreadyError,
    UnknownTransactionError,
)
from payouts.resolutions.frame import QUERIES, day_of, decider
from payouts.resolutions.replacement import put_back, see_may_be_put_back
from payouts.resolutions.rows import QUERIES as MEMBERS
from payouts.resolutions.turning import turn

_AT_THE_BANK = "the bank's own correction comes with a later statement"
_SENT = "what was sent comes back by the bank's return; void what has not left"
_HOLDS = "place or lift a hold: centralpay holds"

INSTEAD: Final[Mapping[Event, str]] = {
    Event.REVERSED: "post the transaction anew",
    Event.DEPOSITED: _AT_THE_BANK,
    Event.DEBITED: _AT_THE_BANK,
    Event.PAYOUT_RELEASED: _SENT,
    Event.PAYOUT_SETTLED: _SENT,
    Event.PAYOUT_RETURNED: "the money came back by the bank's line; pay it again, or explain the line otherwise",
    Event.LEVY_RELEASED: "void the disbursement: centralpay disbursements void",
    Event.ESCHEAT_RELEASED: "void the disbursement: centralpay disbursements void",
    Event.REFUND_RELEASED: "void the disbursement: centralpay disbursements void",
    Event.FEE_ASSESSED: "waive the fee: centralpay fees waive MEMBER --month YYYY-MM",
    Event.FEE_COLLECTED: "refund the fee: centralpay fees refund MEMBER --month YYYY-MM",
    Event.FEE_SWEPT: "refund the fee: centralpay fees refund MEMBER --month YYYY-MM",
    Event.HELD: _HOLDS,
    Event.HOLD_LIFTED: _HOLDS,
    Event.LEVIED: "take the levy back: centralpay levies turn HOLD",
    Event.UNCLAIMED: "take the declaration back: centralpay unclaimed claimed HOLD",
    Event.OPENED: "it is the books' beginning; correct it with the members",
    Event.OPERATING_OPENED: "it is the books' beginning",
}
"""What is not reversed alone, and what to do instead."""


def propose_reversal(connection: Connection, transaction_id: int, day: date, reason: str, actor: str) -> int:
    """Ask a second person to reverse a transaction; give the approval.

    Raises:
        UnknownTransactionError, ReasonMissingError: there is no such transaction, or no reason.
        ReversedAlreadyError, IrreversibleError: it can not be reversed; the sentence says what to do.
    """
    require(connection, actor, OPERATORS)
    if not reason.strip():
        raise ReasonMissingError
    found = _reversible(connection, transaction_id)
    cents = connection.execute(QUERIES["amount_of_transaction"], {"transaction_id": transaction_id}).scalar_one()
    facts = {
        "transaction_id": transaction_id,
        "event": found["event"],
        "fact_key": found["fact_key"],
        "amount_cents": cents,
        "day": day.isoformat(),
        "reason": reason,
    }
    return approvals.propose(connection, ApprovalKind.REVERSAL, str(transaction_id), facts, actor)


def follow_reversal(connection: Connection, approval: Approval) -> None:
    """Reverse what was approved, and have the working tables follow.

    Raises:
        ReversedAlreadyError, IrreversibleError: it can not be reversed any more.
        LedgerRefusedError: from the database, such as a deposit that was used since, or a float that is too small.
    """
    if approval.state != "approved":
        return
    transaction_id, actor = approval.facts["transaction_id"], decider(approval)
    # A correction that stands on it must not come in between.
    connection.execute(MEMBERS["lock_corrections"])
    found = _reversible(connection, transaction_id)
    day, reason = day_of(approval), approval.facts["reason"]
    if found["event"] == Event.ADVISED:
        put_back(connection, transaction_id, day, reason=reason, actor=actor)
    else:
        turn(connection, transaction_id, day, reason=reason, actor=actor)


def _reversible(connection: Connection, transaction_id: int) -> Mapping[str, Any]:
    """Give a transaction that may be reversed now."""
    found = connection.execute(QUERIES["transaction"], {"transaction_id": transaction_id}).mappings().first()
    if found is None:
        raise UnknownTransactionError(transaction_id)
    if found["reversed_by"] is not None:
        raise ReversedAlreadyError(transaction_id, found["reversed_by"])
    event = Event(found["event"])
    if event in INSTEAD:
        raise IrreversibleError(transaction_id, event, INSTEAD[event])
    if event is Event.OVERPAID:
        _see_not_promised(connection, transaction_id)
    if event is Event.ADVISED:
        see_may_be_put_back(connection, transaction_id)
    return dict(found)


def _see_not_promised(connection: Connection, transaction_id: int) -> None:
    """See that what is owed to a payer is not on its way out."""
    (line,) = connection.execute(QUERIES["touched_lines"], {"transaction_id": transaction_id}).scalars()
    cents = connection.execute(QUERIES["amount_of_transaction"], {"transaction_id": transaction_id}).scalar_one()
    if free_cents(connection, DisbursementKind.REFUND, HOUSE, line) < cents:
        instead = "its refund is on its way: void the disbursement first: centralpay disbursements void"
        raise IrreversibleError(transaction_id, Event.OVERPAID, instead)
