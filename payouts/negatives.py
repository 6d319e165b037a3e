"""Members that owe: since when, what came back, their own payments, and what is given up by two people.

The database covers a negative from the float in the transaction that makes it, and recovers it from whatever becomes
available next; nothing here does that.
"""

from datetime import date
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ledger import activity
from ledger.balances import owner_balance
from ledger.batch import Batch, Transaction
from ledger.chart import Account
from ledger.decided import advance_written_off, member_paid
from ledger.posting import post
from ledger.queries import Queries
from payouts.errors import BankReferenceError
from payouts.holding.errors import OwesNothingError, WriteOffOrderError
from payouts.people import approvals
from payouts.people.approvals import Approval, ApprovalKind

QUERIES = Queries("payouts", "negatives.sql")
_BANK = Queries("ingest", "bank.sql")
_FEES = Queries("payouts", "fees.sql")

BUCKETS = ((30, "0-30"), (60, "31-60"), (90, "61-90"))
"""Days since the member began to owe, as ageing is usually reported."""
OLDEST = "over 90"


class Negative(BaseModel):
    """A member that owes; money in cents.

    ``since`` is the first day from which it has owed without a break; in that time ``advanced_cents`` were covered by
    the float, of which were recovered from its funding, paid by itself, and written off; the rest is owed.
    """

    model_config = ConfigDict(frozen=True)

    member_id: UUID
    ncpdp_id: str
    owed_cents: int
    since: date
    days: int
    bucket: str
    advanced_cents: int
    recovered_cents: int
    paid_cents: int
    written_off_cents: int


def list_negatives(connection: Connection, as_of: date, member_id: UUID | None = None) -> list[Negative]:
    """List the members that owe on a day by the accounting dates of the books, the oldest first."""
    rows = connection.execute(QUERIES["standing"], {"as_of": as_of, "member_id": member_id}).mappings()
    return [Negative(bucket=bucket_of(row["days"]), **row) for row in rows]


def bucket_of(days: int) -> str:
    """Name the ageing bucket of so many days."""
    return next((name for most, name in BUCKETS if days <= most), OLDEST)


def propose_payment(connection: Connection, member_id: UUID, bank_reference: str, actor: str) -> int:
    """Ask a second person to take a deposit as a member paying what it owes; the rest of it stays unmatched.

    It owes what its balance lacks, and its open fees as far as its balance does not reach; the next cycle collects
    them. Give the approval.

    Raises:
        BankReferenceError: no single open credit has that reference.
        OwesNothingError: the member owes nothing.
        AskedOtherwiseError: another member or amount is asked for already.
    """
    lines = [
        row
        for row in connection.execute(_BANK["open_lines"])
        if row.amount_cents > 0 and bank_reference in {row.bank_reference, row.customer_reference}
    ]
    if len(lines) != 1:
        raise BankReferenceError(bank_reference, len(lines))
    name, owed = _name(connection, member_id), _payable(connection, member_id)
    if not owed:
        raise OwesNothingError(name, 0)
    line = lines[0]
    facts = {
        "member_id": str(member_id),
        "ncpdp_id": name,
        "bank_line_id": line.bank_line_id,
        "bank_reference": bank_reference,
        "amount_cents": min(line.open_cents, owed),
        "on": line.as_of.isoformat(),
    }
    subject, what = str(line.bank_line_id), ("member_id", "amount_cents")
    return approvals.propose(connection, ApprovalKind.MEMBER_PAYMENT, subject, facts, actor, alike=what)


def propose_write_off(connection: Connection, member_id: UUID, cents: int, reason: str, *, on: date, actor: str) -> int:
    """Ask a second person to give up part of what a member owes: the PSAO's loss; give the approval.

    Raises:
        WriteOffOrderError: no amount or no reason.
        OwesNothingError: the member owes less.
        AskedOtherwiseError: another amount is asked for already.
    """
    if cents <= 0 or not reason.strip():
        raise WriteOffOrderError("To write off takes an amount of more than nothing and a reason")
    name, owed = _name(connection, member_id), _owed(connection, member_id)
    if cents > owed:
        raise OwesNothingError(name, owed)
    facts = {
        "member_id": str(member_id),
        "ncpdp_id": name,
        "amount_cents": cents,
        "owed_cents": owed,
        "reason": reason,
        "on": on.isoformat(),
    }
    what = ("amount_cents",)
    return approvals.propose(connection, ApprovalKind.WRITE_OFF, str(member_id), facts, actor, alike=what)


def follow_approval(connection: Connection, approval: Approval) -> None:
    """Post the approved payment or write-off, if the member still owes that much.

    Raises:
        OwesNothingError: it owes less by now.
        LiabilityInDebitError: the deposit was used otherwise meanwhile (from the database).
    """
    if approval.state != "approved" or approval.decided_by is None:
        return
    facts = approval.facts
    member_id, cents, day = UUID(facts["member_id"]), int(facts["amount_cents"]), date.fromisoformat(facts["on"])
    connection.execute(QUERIES["lock_member"], {"member_id": member_id})
    is_payment = approval.kind == ApprovalKind.MEMBER_PAYMENT
    owed = _payable(connection, member_id) if is_payment else _owed(connection, member_id)
    if cents > owed:
        raise OwesNothingError(facts["ncpdp_id"], owed)
    batch = Batch()
    batch.add(_fact(approval, member_id, cents, day))
    post(connection, batch, approval.decided_by)
    # What was posted holds the balance now: a funding that came between would show here.
    over = -owner_balance(connection, member_id, Account.DUE_AVAILABLE)
    if is_payment:
        over -= _open_fees(connection, member_id)
    if over > 0:
        raise OwesNothingError(facts["ncpdp_id"], max(0, cents - over))
    if is_payment:
        connection.execute(_BANK["settle_lines"], {"lines": [int(facts["bank_line_id"])]})
    activity.record(connection, approval.decided_by, approval.kind, facts["ncpdp_id"], cents=cents)


def _fact(approval: Approval, member_id: UUID, cents: int, day: date) -> Transaction:
    key = f"{approval.kind}:{approval.approval_id}"
    if approval.kind == ApprovalKind.MEMBER_PAYMENT:
        line_id = int(approval.facts["bank_line_id"])
        return member_paid(key, day, member_id, line_id, cents, reason="the member pays what it owes")
    return advance_written_off(key, day, member_id, cents, reason=str(approval.facts["reason"]))


def _owed(connection: Connection, member_id: UUID) -> int:
    return max(0, owner_balance(connection, member_id, Account.DUE_AVAILABLE))


def _open_fees(connection: Connection, member_id: UUID) -> int:
    return int(connection.execute(_FEES["open_of_member"], {"member_id": member_id}).scalar_one())


def _payable(connection: Connection, member_id: UUID) -> int:
    """Say how much a member may pay: what its balance lacks of nothing, and of its open fees."""
    return max(0, owner_balance(connection, member_id, Account.DUE_AVAILABLE) + _open_fees(connection, member_id))


def _name(connection: Connection, member_id: UUID) -> str:
    return str(connection.execute(QUERIES["name_of"], {"member_id": member_id}).scalar_one())
