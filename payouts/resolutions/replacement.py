"""Replacement of an advice: a set in conflict takes the place of the accepted one, and back when that is undone.

The old advice is reversed with its funding; its deposits are open again; the new set is read from the vault's bytes
and booked as any other. Nothing of it may have been told to a member: what was told is corrected between members.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection

from ingest.advices import shares_of
from ingest.cases import Case, CaseKind, open_case
from ingest.free_days import free_on
from ingest.replacing import ConflictingSet
from ingest.reversals import pair_reversals
from ingest.vault import Vault
from ledger import activity
from ledger.batch import Batch
from ledger.events import advised
from ledger.posting import post
from ledger.queries import Queries
from payouts.people.approvals import Approval, ApprovalKind
from payouts.resolutions.errors import (
    AdviceToldError,
    AlreadyStandsError,
    DirectReplacementError,
    IrreversibleError,
    MovedOnError,
    VaultNeededError,
)
from payouts.resolutions.facts import advices_by_id
from payouts.resolutions.frame import QUERIES, Resolution, ask, carried_out, day_of, decider
from payouts.resolutions.through_us import (
    DIRECT_ADVICE,
    follow_through_us,
    propose_through_us,
    see_may_be_direct_again,
)
from payouts.resolutions.turning import turn

_MATCHING = Queries("ingest", "matching.sql")


def propose_replacement(connection: Connection, case: Case, request: Resolution, actor: str) -> int:
    """Ask a second person to let the set in conflict take the accepted advice's place; give the approval.

    Where the case is about what a payer should have paid directly, its advice takes its own place: paid through us.

    Raises:
        AdviceToldError: a share of the accepted advice was told to its member, or an open cycle tells it.
        AlreadyStandsError: the same content stands meanwhile.
        MovedOnError: the set is not in conflict any more.
    """
    if case.kind is CaseKind.DIRECT_PAY_DIFFERS:
        return propose_through_us(connection, case, request, actor)
    found = _conflicting(connection, case.subject)
    if found["content_sha256"] == found["standing_sha256"]:
        raise AlreadyStandsError(case.subject, found["advice_id"])
    _see_untold(connection, found["advice_id"])
    facts = {name: found[name] for name in ("file_id", "set_ordinal", "advice_id", "trace_number", "content_sha256")}
    facts |= {"subject": case.subject, "old_cents": found["old_cents"], "new_cents": found["payment_cents"]}
    subject = f"{case.subject} for advice {found['advice_id']}"
    return ask(connection, ApprovalKind.ADVICE_REPLACEMENT, subject, request, facts, actor=actor)


def follow_replacement(connection: Connection, approval: Approval, vault: Vault | None) -> None:
    """Reverse the old advice and book the new set, all in one transaction.

    Raises:
        VaultNeededError: who decides gives no vault.
        AdviceToldError, MovedOnError: the world has moved since it was proposed.
        DirectReplacementError: what is posted would give way to what its payer paid directly.
        FloatMissingError: from the database; the old money was paid out and the float does not cover what is owed.
        NotInVaultError, VaultDamagedError: the bytes are not there.
    """
    if approval.state != "approved":
        return
    if DIRECT_ADVICE in approval.facts:
        follow_through_us(connection, approval)
        return
    if vault is None:
        raise VaultNeededError(approval.approval_id)
    facts, actor = approval.facts, decider(approval)
    found = _conflicting(connection, facts["subject"])
    old = facts["advice_id"]
    if found["advice_id"] != old:
        raise MovedOnError(f"Advice {found['advice_id']} stands where advice {old} stood")
    place = {"file_id": found["file_id"], "set_ordinal": found["set_ordinal"]}
    conflicting = ConflictingSet(connection, lambda: vault.open(found["sha256"]), found["name"], **place)
    if conflicting.read().verdict.content_sha256.hex() != facts["content_sha256"]:
        raise MovedOnError(f"The vault's bytes of {facts['subject']} are not what was received")
    connection.execute(QUERIES["lock_cycles"])
    was = connection.execute(QUERIES["lock_advice"], {"advice_id": old}).one()
    _see_untold(connection, old)
    for standing in connection.execute(QUERIES["standing_of_advice"], {"advice_id": old}).all():
        turn(connection, standing.transaction_id, day_of(approval), reason=facts["reason"], actor=actor)
    # Shares that all net to zero were funded without a transaction that could be turned.
    connection.execute(_MATCHING["follow_advices"], {"advice_ids": [old]})
    _mark(connection, "mark_replaced", old)
    # On the day on which the old one was reversed: it is later than asked where its own day is.
    day = free_on(connection, day_of(approval), advices=[old])
    booked = conflicting.book(old, approval.approval_id, day=day, actor=actor)
    if booked.direct_pay_id is not None and was.state != "direct":
        # Nothing would be posted in the place of what was: there would be no transaction by which to undo it.
        raise DirectReplacementError(facts["subject"], old)
    new = booked.advice_id
    activity.record(connection, actor, "advice_replaced", f"advice {old}", by=new, reason=facts["reason"])
    carried_out(connection, approval)


def see_may_be_put_back(connection: Connection, transaction_id: int) -> Mapping[str, Any]:
    """See that what was advised took another's place and may give it back; give the replacement.

    Raises:
        IrreversibleError: it took nobody's place, or its money is there.
        AdviceToldError: a share of it was told.
        DirectEndedError: the old one was paid directly, and its direct pay has ended before its day since.
    """
    (advice_id,) = connection.execute(QUERIES["touched_advices"], {"transaction_id": transaction_id}).scalars()
    found = connection.execute(QUERIES["replaced_by"], {"advice_id": advice_id}).mappings().first()
    if found is None:
        instead = "it stands as the payer sent it; another set of the payer's replaces it (exceptions resolve)"
        raise IrreversibleError(transaction_id, "advised", instead)
    for standing in connection.execute(QUERIES["standing_of_advice"], {"advice_id": advice_id}):
        if standing.event == "funded":
            instead = f"its money is there: reverse transaction {standing.transaction_id} first"
            raise IrreversibleError(transaction_id, "advised", instead)
    _see_untold(connection, advice_id)
    see_may_be_direct_again(connection, found["replaces"])
    return {**found, "advice_id": advice_id}


def put_back(connection: Connection, transaction_id: int, day: date, *, reason: str, actor: str) -> None:
    """Undo a replacement: reverse what was advised, let the old advice stand again, open the conflict's case again."""
    connection.execute(QUERIES["lock_cycles"])
    found = see_may_be_put_back(connection, transaction_id)
    new, old = found["advice_id"], found["replaces"]
    connection.execute(QUERIES["lock_advices"], {"advice_ids": sorted([old, new])})
    turn(connection, transaction_id, day, reason=reason, actor=actor)
    _mark(connection, "mark_replaced", new)
    _mark(connection, "mark_standing", old)
    connection.execute(QUERIES["set_in_conflict"], dict(found))
    _advise_again(connection, old, free_on(connection, day, advices=[new]), actor)
    subject = f"file {found['file_id']} set {found['set_ordinal']}"
    detail = f"{found['trace_number']}: took the place of advice {old} and gave it back: {reason}"
    open_case(connection, CaseKind.SET_CONFLICT, subject, found["payment_cents"], detail)
    activity.record(connection, actor, "advice_put_back", f"advice {old}", instead_of=new, reason=reason)
    pair_reversals(connection, [old])


def _advise_again(connection: Connection, advice_id: int, day: date, actor: str) -> None:
    """Post again what an advice gives its owners, not before the day: its lines and shares were there all the time.

    Of what its payer paid directly nothing was posted.
    """
    (advice,) = advices_by_id(connection, [advice_id])
    if advice.state == "direct":
        return
    before = connection.execute(QUERIES["count_advised"], {"advice_id": advice_id}).scalar_one()
    shares = shares_of(connection, [advice_id]).get(advice_id, [])
    batch = Batch()
    batch.add(advised(advice_id, max(advice.paid_on, day), shares, again=before))
    post(connection, batch, actor)


def _conflicting(connection: Connection, subject: str) -> Mapping[str, Any]:
    found = connection.execute(QUERIES["conflicting_set"], {"subject": subject}).mappings().first()
    if found is None:
        raise MovedOnError(f"{subject} is not in conflict with an advice that stands")
    return dict(found)


def _see_untold(connection: Connection, advice_id: int) -> None:
    cycle = connection.execute(QUERIES["told_by"], {"advice_id": advice_id}).first()
    if cycle is not None:
        raise AdviceToldError(advice_id, cycle.cycle_id, is_open=cycle.state in {"proposed", "approved"})


def _mark(connection: Connection, query: str, advice_id: int) -> None:
    """Change an advice's state; it is locked, and in the state before."""
    if connection.execute(QUERIES[query], {"advice_id": advice_id}).rowcount != 1:
        raise MovedOnError(f"Advice {advice_id} is not in the state that this needs")
