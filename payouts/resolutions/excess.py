"""Return to payer: what a payer deposited in excess is owed back to it, and then leaves as a disbursement.

Two decisions by two people: that the money is not ours to keep, and that it is paid out to this payee.
"""

from sqlalchemy import Connection

from ingest.cases import Case
from ledger import activity
from ledger.batch import Batch
from ledger.chart import HOUSE
from ledger.decided import overpaid
from ledger.posting import post
from ledger.queries import Queries
from payouts.disbursing.disbursements import DisbursementKind, DisbursementOrder, Method, propose_disbursement
from payouts.people.approvals import Approval, ApprovalKind
from payouts.resolutions.errors import AmountError, MovedOnError, SubjectMissingError
from payouts.resolutions.facts import LineFacts, lines_by_id, open_deposits
from payouts.resolutions.frame import QUERIES, Resolution, ask, carried_out, day_of, decider

_MATCHING = Queries("ingest", "matching.sql")


def propose_return(connection: Connection, case: Case, request: Resolution, actor: str) -> int:
    """Ask a second person to owe a deposit, or a part of what is open of it, back to its payer; give the approval.

    Raises:
        AmountError: more than is open.
        SubjectMissingError: the case is about several deposits, or the bank does not say who paid.
        UnknownNumberError, NotOpenError: as the request names it.
    """
    lines = open_deposits(connection, case, request)
    if len(lines) != 1:
        numbers = ", ".join(str(each.bank_line_id) for each in lines)
        raise SubjectMissingError(f"of the deposits {numbers} is returned", "--bank-line N")
    line = lines[0]
    cents = line.open_cents if request.amount_cents is None else request.amount_cents
    if cents > line.open_cents:
        raise AmountError(cents, line.open_cents, f"bank line {line.bank_line_id}")
    facts = {
        "bank_line_id": line.bank_line_id,
        "amount_cents": cents,
        "open_cents": line.open_cents,
        "payee": request.payee or _payer_of(connection, line),
    }
    return ask(connection, ApprovalKind.RETURN_TO_PAYER, str(line.bank_line_id), request, facts, actor=actor)


def follow_return(connection: Connection, approval: Approval) -> None:
    """Owe it to the payer, and propose the disbursement in the name of the one who proposed the return.

    Raises:
        MovedOnError: another amount is open than when it was proposed.
    """
    if approval.state != "approved":
        return
    facts, actor = approval.facts, decider(approval)
    line_id, cents = facts["bank_line_id"], facts["amount_cents"]
    (line,) = lines_by_id(connection, [line_id])
    if line.state != "unmatched" or line.open_cents != facts["open_cents"]:
        raise MovedOnError(f"Bank line {line_id} is {line.state} with another amount open than proposed")
    batch = Batch()
    batch.add(overpaid(f"overpaid:{approval.approval_id}", day_of(approval), line_id, cents, reason=facts["reason"]))
    post(connection, batch, actor)
    connection.execute(_MATCHING["follow_lines"], {"lines": [line_id]})
    activity.record(connection, actor, "overpaid", f"bank line {line_id}", cents=cents)
    order = DisbursementOrder(DisbursementKind.REFUND, HOUSE, str(line_id), facts["payee"], Method.WIRE, cents)
    propose_disbursement(connection, order, approval.proposed_by)
    carried_out(connection, approval)


def _payer_of(connection: Connection, line: LineFacts) -> str:
    """Give the name of who paid a deposit, by the payment that it names.

    Raises:
        SubjectMissingError: it names none that is known, or several payers'.
    """
    names = list(connection.execute(QUERIES["payers_of_line"], {"line": line.bank_line_id}).scalars())
    if len(names) != 1:
        raise SubjectMissingError("payee gets it", "--payee NAME; the bank's text does not say who paid")
    return str(names[0])
