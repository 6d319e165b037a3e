"""An unknown identifier is a member's: its money becomes the member's, funded or not, and later files may resolve it.

The claim lines and the house's share stay what the payer's file said; what was found of them stands beside, advice by
advice (``found_share``), tied to the lines by their hash and to the posting by its sum.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row

from ingest.cases import Case
from ingest.directory import find_member
from ledger import activity
from ledger.batch import Batch
from ledger.decided import payee_found, payee_found_unfunded
from ledger.posting import post
from payouts.people.approvals import Approval, ApprovalKind
from payouts.resolutions.cover import see_covered
from payouts.resolutions.errors import MovedOnError, SubjectMissingError
from payouts.resolutions.frame import Resolution, ask, carried_out, day_of, decider
from payouts.resolutions.member_errors import (
    IdentifierKindError,
    IdentifierTakenError,
    NothingFoundError,
    OutsideMembershipError,
    PartFundedError,
)
from payouts.resolutions.rows import QUERIES

_KINDS = frozenset({"NCPDP", "NPI"})


def assign(connection: Connection, case: Case, request: Resolution, actor: str) -> int:
    """Ask to give a member what waits for an unknown identifier: all of it, or what of the advices that are named.

    With ``--from D`` (and ``--to D``) the identifier is kept as the member's for those days, and later files resolve.

    Returns:
        The approval that was asked for.

    Raises:
        SubjectMissingError, UnknownMemberError: no member is named.
        NothingFoundError: nothing waits for the identifier, or nothing of those advices.
        PartFundedError: some of an advice's money is there and some is not.
        IdentifierKindError, IdentifierTakenError, OutsideMembershipError: the identifier can not be kept so.
        UncoveredError: the member would owe more than the float covers.
    """
    if request.member is None:
        raise SubjectMissingError("member's the identifier is", "--member M")
    member = find_member(connection, request.member, request.day)
    payee = _payee(connection, case.subject)
    found = _waiting(connection, payee, request.advices)
    funded = sum(row.claims_cents - row.plb_cents for row in found if row.is_funded)
    see_covered(connection, {member: funded}, freed_cents=max(-funded, 0))
    kept = _kept(connection, payee.identifier, member, request)
    facts = {
        "unknown_payee_id": payee.unknown_payee_id,
        "identifier": payee.identifier,
        "member_id": str(member),
        "member": request.member,
        "kept": kept,
        "funded_cents": funded,
        "shares": [_said(row) for row in found],
    }
    return ask(connection, ApprovalKind.PAYEE_FOUND, payee.identifier, request, facts, actor=actor)


def _payee(connection: Connection, identifier: str) -> Row[Any]:
    row = connection.execute(QUERIES["unknown_payee"], {"identifier": identifier}).first()
    if row is None:
        raise NothingFoundError(identifier)
    connection.execute(QUERIES["lock_payee"], {"unknown_payee_id": row.unknown_payee_id})
    return row


def _waiting(connection: Connection, payee: Row[Any], advices: Sequence[int]) -> list[Row[Any]]:
    """Take the turn of an identifier's advices and give what waits of each."""
    asked = {"unknown_payee_id": payee.unknown_payee_id, "advices": list(advices) or None}
    before = connection.execute(QUERIES["payee_shares"], asked).all()
    # Nobody funds or reverses them from here on; what they are now is read again.
    connection.execute(QUERIES["lock_advices"], {"advices": [row.advice_id for row in before]})
    found = list(connection.execute(QUERIES["payee_shares"], asked))
    if not found or {row.advice_id for row in found} != (set(advices) or {row.advice_id for row in found}):
        raise NothingFoundError(payee.identifier)
    for row in found:
        if row.is_part_funded:
            raise PartFundedError(row.trace_number)
    return found


def _said(row: Row[Any]) -> dict[str, object]:
    """Say what was found of an advice, as the approver sees it."""
    return {
        "advice_id": row.advice_id,
        "trace": row.trace_number,
        "claims": row.claim_count,
        "cents": row.claims_cents - row.plb_cents,
        "funded": row.is_funded,
    }


def _kept(connection: Connection, identifier: str, member: UUID, request: Resolution) -> dict[str, str | None] | None:
    """Say for which days the identifier is to be kept as the member's, or None when that was not asked."""
    if request.since is None:
        if request.until is not None:
            raise SubjectMissingError("first day to keep the identifier for", "--from D")
        return None
    kind, _, value = identifier.partition(":")
    if kind not in _KINDS:
        raise IdentifierKindError(identifier)
    stay = connection.execute(QUERIES["membership"], {"member_id": member}).one()
    until = request.until or stay.until
    ends_late = stay.until is not None and (until is None or until > stay.until)
    if request.since < stay.since or ends_late or (until is not None and until < request.since):
        raise OutsideMembershipError(stay.ncpdp_id, stay.since, stay.until)
    days = {"kind": kind, "value": value, "since": request.since, "until": until}
    taken = connection.execute(QUERIES["named_then"], days).first()
    if taken is not None:
        raise IdentifierTakenError(identifier, taken.ncpdp_id, taken.since, taken.until)
    return {"kind": kind, "value": value, "since": f"{request.since}", "until": None if until is None else f"{until}"}


def follow_assignment(connection: Connection, approval: Approval) -> None:
    """Post an approved assignment, keep what was found of each advice, and the identifier where that was asked.

    Raises:
        MovedOnError: what waits for the identifier is not what was approved.
        IdentifierTakenError: the identifier names another member by now.
        FloatMissingError: the float does not cover what the member owes then.
    """
    if approval.state != "approved":
        return
    facts, actor = approval.facts, decider(approval)
    member, identifier = UUID(facts["member_id"]), facts["unknown_payee_id"]
    payee = _payee(connection, facts["identifier"])
    found = _waiting(connection, payee, [share["advice_id"] for share in facts["shares"]])
    if [_said(row) for row in found] != facts["shares"]:
        raise MovedOnError(f"What waits for {payee.identifier} is not what was approved")
    _keep_identifier(connection, approval.approval_id, member, facts["kept"])
    posted = _post(connection, approval, member, identifier, found)
    columns = {
        "advices": [row.advice_id for row in found],
        "funded": [row.is_funded for row in found],
        "transactions": [posted.get(row.is_funded) for row in found],
    }
    shares = {"approval_id": approval.approval_id, "unknown_payee_id": identifier, "member_id": member}
    connection.execute(QUERIES["add_found"], shares | columns)
    activity.record(connection, actor, "payee_found", payee.identifier, member=facts["member"], advices=len(found))
    if not connection.execute(QUERIES["payee_shares"], {"unknown_payee_id": identifier, "advices": None}).all():
        carried_out(connection, approval)


def _keep_identifier(
    connection: Connection, approval_id: int, member: UUID, kept: dict[str, str | None] | None
) -> None:
    if kept is None:
        return
    taken = connection.execute(QUERIES["named_then"], kept).first()
    if taken is not None:
        raise IdentifierTakenError(f"{kept['kind']}:{kept['value']}", taken.ncpdp_id, taken.since, taken.until)
    connection.execute(QUERIES["add_identifier"], kept | {"member_id": member, "approval_id": approval_id})


def _post(
    connection: Connection, approval: Approval, member: UUID, identifier: int, found: Sequence[Row[Any]]
) -> dict[bool, int]:
    """Post what was found in one batch; give the transaction of what is funded, and of what is not."""
    day: date = day_of(approval)
    reason = approval.facts["reason"]
    keys = {True: f"payee_found:{approval.approval_id}", False: f"payee_found_unfunded:{approval.approval_id}"}
    cents = sum(row.claims_cents - row.plb_cents for row in found if row.is_funded)
    unfunded = {row.advice_id: row.claims_cents - row.plb_cents for row in found if not row.is_funded}
    batch = Batch()
    batch.add(payee_found(keys[True], day, member, identifier, cents, reason=reason))
    batch.add(payee_found_unfunded(keys[False], day, member, identifier, unfunded, reason=reason))
    posted = {each.fact_key: each.transaction_id for each in post(connection, batch, decider(approval))}
    return {funded: posted[key] for funded, key in keys.items() if key in posted}
