"""Direct advices that are paid through us after all: their payer sent us the money that it should have paid directly.

First the enrolment ends before the advice's day, or is taken back: it is not true on that day. Then two people decide:
the advice is posted like any other, the next match funds it with the deposit, and the member is told it by us.
"""

from typing import Any, Final

from sqlalchemy import Connection, Row

from ingest.advices import shares_of
from ingest.cases import Case
from ledger import activity
from ledger.batch import Batch
from ledger.events import advised
from ledger.posting import post
from payouts.people.approvals import Approval, ApprovalKind
from payouts.resolutions.errors import (
    DirectEndedError,
    MovedOnError,
    NotOpenError,
    StillDirectError,
    SubjectMissingError,
    UnknownNumberError,
)
from payouts.resolutions.facts import advices_by_id, subjects_of
from payouts.resolutions.frame import QUERIES, Resolution, ask, carried_out, decider

DIRECT_ADVICE: Final = "direct_advice_id"
"""The fact by which an approval of a replacement says that it is about a direct advice."""


def propose_through_us(connection: Connection, case: Case, request: Resolution, actor: str) -> int:
    """Ask a second person to have a direct advice paid through us; give the approval.

    Raises:
        SubjectMissingError, UnknownNumberError: it is not said which, or there is no such advice.
        NotOpenError: it is not paid directly.
        StillDirectError: the direct pay by which it is holds on its day.
    """
    found = _direct(connection, _asked(connection, case, request))
    if found.in_force is not None:
        raise StillDirectError(found.advice_id, found.paid_on, found.ncpdp_id, found.payer_id)
    facts = {
        DIRECT_ADVICE: found.advice_id,
        "trace_number": found.trace_number,
        "amount_cents": found.payment_cents,
    }
    subject = f"advice {found.advice_id} through us"
    return ask(connection, ApprovalKind.ADVICE_REPLACEMENT, subject, request, facts, actor=actor)


def follow_through_us(connection: Connection, approval: Approval) -> None:
    """Post an approved direct advice as every other, and have its member told of it by us.

    Raises:
        NotOpenError, StillDirectError, MovedOnError: the world has moved since it was proposed.
    """
    found, actor = _direct(connection, approval.facts[DIRECT_ADVICE]), decider(approval)
    if found.in_force is not None:
        raise StillDirectError(found.advice_id, found.paid_on, found.ncpdp_id, found.payer_id)
    key = {"advice_id": found.advice_id}
    if connection.execute(QUERIES["pay_through_us"], key).rowcount != 1:
        raise MovedOnError(f"Advice {found.advice_id} is not paid directly any more")
    connection.execute(QUERIES["tell_shares"], key)
    batch = Batch()
    shares = shares_of(connection, [found.advice_id]).get(found.advice_id, [])
    batch.add(advised(found.advice_id, found.paid_on, shares))
    post(connection, batch, actor)
    facts = {"trace": found.trace_number, "cents": found.payment_cents, "reason": approval.facts["reason"]}
    activity.record(connection, actor, "advice_through_us", f"advice {found.advice_id}", **facts)
    carried_out(connection, approval)


def see_may_be_direct_again(connection: Connection, advice_id: int) -> None:
    """See that a replaced advice that was direct has its direct pay on its day still; others pass.

    Raises:
        DirectEndedError: it has not.
    """
    found = connection.execute(QUERIES["direct_advice"], {"advice_id": advice_id}).first()
    if found is not None and found.in_force is None:
        raise DirectEndedError(found.advice_id, found.paid_on, found.ncpdp_id)


def _asked(connection: Connection, case: Case, request: Resolution) -> int:
    if request.advices:
        named = advices_by_id(connection, request.advices)
        if len(named) < len(set(request.advices)):
            raise UnknownNumberError("advice", min(set(request.advices) - {each.advice_id for each in named}))
    else:
        named = subjects_of(connection, case)[1]
    if len(named) != 1:
        raise SubjectMissingError("advice is paid through us", "--advice N")
    return named[0].advice_id


def _direct(connection: Connection, advice_id: int) -> Row[Any]:
    """Lock a direct advice and give it."""
    found = connection.execute(QUERIES["direct_advice"], {"advice_id": advice_id}).first()
    if found is None or found.state != "direct":
        raise NotOpenError(f"Advice {advice_id}", "it is not one that its payer paid directly")
    return found
