"""Manual match: a person says which advices deposits pay, another approves; any traces, but sums that agree exactly."""

from sqlalchemy import Connection

from ingest.cases import Case
from ingest.funding import fund
from ingest.matching import Step
from payouts.people.approvals import Approval, ApprovalKind
from payouts.resolutions.errors import DifferenceError, MovedOnError
from payouts.resolutions.facts import as_bound, bound, last_day, open_deposits, waiting_advices
from payouts.resolutions.frame import Resolution, ask, carried_out, decider


def propose_match(connection: Connection, case: Case, request: Resolution, actor: str) -> int:
    """Ask a second person to say that these deposits pay these advices; give the approval.

    Raises:
        DifferenceError: what is open and what is missing differ; it says by how much, and which action fits.
        SubjectMissingError, UnknownNumberError, NotOpenError: as the request names them.
    """
    lines = open_deposits(connection, case, request)
    advices = waiting_advices(connection, case, request)
    deposited, missing = sum(each.open_cents for each in lines), sum(each.missing_cents for each in advices)
    if deposited != missing:
        raise DifferenceError(deposited, missing)
    pays, paid = (
        ", ".join(map(str, sorted(numbers)))
        for numbers in ([each.bank_line_id for each in lines], [each.advice_id for each in advices])
    )
    facts = bound(lines, advices) | {"amount_cents": deposited}
    subject = f"bank line {pays} for advice {paid}"
    return ask(connection, ApprovalKind.MANUAL_MATCH, subject, request, facts, actor=actor)


def follow_match(connection: Connection, approval: Approval) -> None:
    """Fund what was approved, as a sweep would.

    Raises:
        MovedOnError: deposits or advices are not what they were.
        FloatMissingError: from the database; a share is negative and the float does not cover it.
    """
    if approval.state != "approved":
        return
    lines, advices = as_bound(connection, approval.facts)
    uses = {each.bank_line_id: each.open_cents for each in lines}
    ids = [each.advice_id for each in advices]
    day = last_day(lines, advices)
    if not fund(connection, ids, uses, day=day, step=Step.MANUAL, actor=decider(approval)):
        raise MovedOnError("Another process funded one of these advices meanwhile")
    carried_out(connection, approval)
