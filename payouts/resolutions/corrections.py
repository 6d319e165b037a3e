"""Corrections between members: what one was credited is another's. The claims are named, and a second person decides.

One member's negative is never quietly covered with another's money: where the member from whom it is taken has less
available, the correction is refused, or, when the person asks for that, the PSAO's own money covers it visibly.
"""

from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from uuid import UUID

from sqlalchemy import Connection

from ingest.cases import Case
from ingest.directory import find_member
from ledger import activity
from ledger.balances import owner_balance
from ledger.batch import Batch
from ledger.chart import Account
from ledger.decided import member_corrected
from ledger.posting import post
from payouts.people.approvals import Approval, ApprovalKind
from payouts.resolutions.correction_claims import (
    NamedClaim,
    claims_hash,
    find_claims,
    keep_claims,
    read_claims,
    see_credited,
)
from payouts.resolutions.cover import see_covered
from payouts.resolutions.errors import ReasonMissingError, SubjectMissingError
from payouts.resolutions.frame import Resolution, Table, carried_out, day_of, decider
from payouts.resolutions.member_errors import NotAvailableError, RowsSumError, SameMemberError
from payouts.resolutions.rows import QUERIES, ask_hashed


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What a person asks to move.

    Args:
        source: from whom, NCPDP id or member id.
        target: to whom.
        day: the business day on which it is posted.
        reason: why; it is kept.
        amount_cents: how much, more than zero; None: what the claims come to.
        claims: a file ``advice_trace,rx_number,amount``, a claim in each line; None: no claim is named.
        float_covers: whether the PSAO's own money covers what the first has not available.
    """

    source: str
    target: str
    day: date
    reason: str
    amount_cents: int | None = None
    claims: Table | None = None
    float_covers: bool = False


def propose(connection: Connection, correction: Correction, actor: str, *, case_id: int | None = None) -> int:
    """Ask a second person to move money between members; give the approval.

    Raises:
        SameMemberError, SubjectMissingError, ReasonMissingError: the request makes no sense.
        RowsSumError: the claims do not come to the amount.
        ClaimNotCreditedError, ClaimCorrectedError, ClaimTakenBackError, SeveralClaimsError: a claim can not be moved.
        NotAvailableError: the first has less available, and the float is not to cover it.
        UncoveredError: it is to cover it and can not.
    """
    if not correction.reason.strip():
        raise ReasonMissingError
    source, target = (find_member(connection, each, correction.day) for each in (correction.source, correction.target))
    if source == target:
        raise SameMemberError(correction.source)
    connection.execute(QUERIES["lock_corrections"])
    asked = [] if correction.claims is None else read_claims(correction.claims)
    claims = find_claims(connection, asked, source, correction.source)
    cents = _amount(correction, claims)
    if correction.float_covers:
        see_covered(connection, {source: -cents, target: cents})
    else:
        _see_available(connection, source, correction.source, cents)
    facts = {
        "source": str(source),
        "target": str(target),
        "amount_cents": cents,
        "float_covers": correction.float_covers,
        "claims": len(claims),
        "day": correction.day.isoformat(),
        "reason": correction.reason,
    }
    if case_id is not None:
        facts |= {"case_id": case_id, "action": "correct"}
    # Two corrections between the same members may both wait: what is moved, when and why tells them apart.
    digest = claims_hash(claims)
    said = f"{cents}|{correction.day}|{correction.reason}|{digest.hex() if digest else ''}"
    mark = sha256(said.encode()).hexdigest()[:12]
    subject = f"{correction.source} to {correction.target} {mark}"
    approval_id = ask_hashed(connection, ApprovalKind.MEMBER_CORRECTION, subject, facts, digest, actor=actor)
    if claims:
        keep_claims(connection, approval_id, claims)
    return approval_id


def correct(connection: Connection, case: Case, request: Resolution, actor: str) -> int:
    """Ask to move money to the member that a case says owes, from the one that ``--member`` names.

    Raises:
        As ``propose``.
    """
    if request.member is None:
        raise SubjectMissingError("member the money is taken from", "--member M")
    correction = Correction(
        source=request.member,
        # Where two owners of one store owe, the case names the member id too.
        target=case.subject.split()[-1],
        day=request.day,
        reason=request.reason,
        amount_cents=request.amount_cents,
        claims=request.rows,
    )
    return propose(connection, correction, actor, case_id=case.id)


def follow_correction(connection: Connection, approval: Approval) -> None:
    """Post an approved correction.

    Raises:
        MovedOnError: a claim is not the first's any more.
        NotAvailableError: the first has less available now, and the float is not to cover it.
        FloatMissingError: it is to cover it and can not.
    """
    if approval.state != "approved":
        return
    facts, actor = approval.facts, decider(approval)
    source, target, cents = UUID(facts["source"]), UUID(facts["target"]), facts["amount_cents"]
    see_credited(connection, approval.approval_id, source)
    rows = connection.execute(QUERIES["member_names"], {"members": [source, target]})
    names: dict[UUID, str] = {row.member_id: row.ncpdp_id for row in rows}
    batch = Batch()
    key = f"member_corrected:{approval.approval_id}"
    batch.add(member_corrected(key, day_of(approval), source, target, cents, reason=facts["reason"]))
    post(connection, batch, actor)
    # Asked after posting: the balance is locked by then, and nobody takes from it in between.
    if not facts["float_covers"]:
        _see_available(connection, source, names[source], cents, taken=True)
    activity.record(connection, actor, "member_corrected", f"{names[source]} to {names[target]}", cents=cents)
    if "case_id" in facts:
        carried_out(connection, approval)


def _amount(correction: Correction, claims: list[NamedClaim]) -> int:
    total = sum(claim.cents for claim in claims)
    if correction.amount_cents is None:
        if not total:
            raise SubjectMissingError("claims or amount", "--claims FILE.csv or --amount X")
        return total
    if correction.amount_cents <= 0:
        raise SubjectMissingError("amount", "--amount X, more than zero")
    if correction.claims is not None and total != correction.amount_cents:
        raise RowsSumError(correction.claims.name, total, correction.amount_cents, "the amount")
    return correction.amount_cents


def _see_available(connection: Connection, member: UUID, name: str, cents: int, *, taken: bool = False) -> None:
    """See that a member has that much available, or had before it was taken."""
    available = -owner_balance(connection, member, Account.DUE_AVAILABLE) + (cents if taken else 0)
    if available < cents:
        raise NotAvailableError(name, available, cents)
