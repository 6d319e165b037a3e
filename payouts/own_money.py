"""The PSAO's own money in the custodial account: it comes and goes by a bank line that a second person confirms."""

from datetime import date

from sqlalchemy import Connection

from ingest.free_days import free_on
from ledger import activity
from ledger.batch import Batch
from ledger.events import float_deposited, float_withdrawn
from ledger.posting import post
from ledger.queries import Queries
from payouts.errors import BankReferenceError
from payouts.people import approvals
from payouts.people.approvals import Approval, ApprovalKind

_BANK = Queries("ingest", "bank.sql")


def propose_deposit(connection: Connection, bank_reference: str, actor: str) -> int:
    """Ask a second person to take a deposit as the PSAO's own money; give the approval.

    Raises:
        BankReferenceError: no single open credit has that reference.
    """
    return _propose(connection, ApprovalKind.FLOAT_DEPOSIT, bank_reference, 1, actor)


def propose_withdrawal(connection: Connection, bank_reference: str, actor: str) -> int:
    """Ask a second person to explain a debit as the PSAO's own money leaving; give the approval.

    Raises:
        BankReferenceError: no single open debit has that reference.
    """
    return _propose(connection, ApprovalKind.FLOAT_WITHDRAWAL, bank_reference, -1, actor)


def _propose(connection: Connection, kind: ApprovalKind, reference: str, sign: int, actor: str) -> int:
    fitting = [
        row
        for row in connection.execute(_BANK["open_lines"])
        if row.amount_cents * sign > 0 and reference in {row.bank_reference, row.customer_reference}
    ]
    if len(fitting) != 1:
        raise BankReferenceError(reference, len(fitting))
    line = fitting[0]
    facts = {
        "bank_line_id": line.bank_line_id,
        "bank_reference": reference,
        "amount_cents": line.open_cents * sign,
        "as_of": line.as_of.isoformat(),
    }
    return approvals.propose(connection, kind, str(line.bank_line_id), facts, actor)


def follow_approval(connection: Connection, approval: Approval) -> None:
    """Post what was approved, on the bank's date; what was rejected stays as it is.

    A line that was taken for something else, and that reversed since, is posted on the day of the reversal.
    """
    if approval.state != "approved" or approval.decided_by is None:
        return
    line_id, cents = approval.facts["bank_line_id"], approval.facts["amount_cents"]
    day = free_on(connection, date.fromisoformat(approval.facts["as_of"]), lines={line_id: cents})
    build = float_deposited if approval.kind == ApprovalKind.FLOAT_DEPOSIT else float_withdrawn
    batch = Batch()
    # Undone and declared again, it is another fact.
    batch.add(build(f"{approval.kind}:{line_id}:{approval.approval_id}", day, line_id, cents))
    post(connection, batch, approval.decided_by)
    connection.execute(_BANK["settle_lines"], {"lines": [line_id]})
    activity.record(connection, approval.decided_by, approval.kind, f"bank line {line_id}", cents=cents)
