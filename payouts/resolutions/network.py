"""A payer's adjustment of the network as a whole, divided among members by claim: nothing of it stays with the house.

The method is part of what is approved: by what the claims of that advice paid, by what the payer's claims of a period
paid, or by rows that a person worked out. What is paid and what is taken back weigh alike (absolute amounts). Cents
that do not divide go to the largest remainders, ties to the smaller member id, so that the sum is exact.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row

from ingest.cases import Case
from ledger import activity
from ledger.batch import Batch
from ledger.decided import network_adjustment_allocated
from ledger.posting import post
from payouts.people.approvals import Approval, ApprovalKind
from payouts.resolutions.cover import see_covered
from payouts.resolutions.errors import MovedOnError, NotOpenError, SubjectMissingError
from payouts.resolutions.frame import Resolution, carried_out, day_of, decider
from payouts.resolutions.member_errors import NothingToDivideByError, RowsSumError, SeveralError
from payouts.resolutions.rows import QUERIES, DecidedRow, ask_rows, decided_rows, read_members, sums
from schemas.money import show_cents, split_cents


class Method(StrEnum):
    """By what an amount is divided among members."""

    CLAIMS_OF_ADVICE = "claims_of_advice"
    """By what the claims of the same advice paid."""
    CLAIMS_OF_PAYER = "claims_of_payer"
    """By what the payer's claims paid in a period of payment days."""
    ROWS = "rows"
    """As a person worked it out."""
    BALANCES = "balances"
    """By the average daily balance of each member in a period."""


def divide(cents: int, weights: Mapping[UUID, int]) -> dict[UUID, int]:
    """Divide an amount by weights, exactly: largest remainder, ties by member id; who gets nothing is left out.

    Args:
        cents: what is divided; negative where it is taken.
        weights: by member, none below zero; a larger weight never gets the smaller part.

    Raises:
        ValueError: a weight is below zero, or all are zero and there is something to divide.
    """
    total = sum(weights.values())
    if min(weights.values(), default=0) < 0 or (cents and not total):
        raise ValueError("weights are zero or more, and not all of them zero")
    if not cents:
        return {}
    members = sorted(weights)
    sign = 1 if cents > 0 else -1
    parts = split_cents(abs(cents), [weights[member] for member in members])
    return {member: sign * part for member, part in zip(members, parts, strict=True) if part}


def allocate(connection: Connection, case: Case, request: Resolution, actor: str) -> int:
    """Ask to divide the adjustment of a funded advice: by its claims, by those of a period, or by rows.

    Returns:
        The approval that was asked for.

    Raises:
        NotOpenError: there is no adjustment that is funded and not divided yet.
        RowsSumError: the rows do not come to it.
        NothingToDivideByError: no member has a claim there.
        UncoveredError: members would owe more than the float covers.
    """
    advice = _advice(connection, case, request)
    facts: dict[str, Any] = {
        "advice_id": advice.advice_id,
        "payer_id": advice.payer_id,
        "amount_cents": advice.cents,
        "action": request.action.value,
        "case_id": case.id,
        "day": request.day.isoformat(),
        "reason": request.reason,
    }
    if request.rows is not None:
        rows = read_members(connection, request.rows, request.day)
        total = sum(row.cents for row in rows)
        if total != advice.cents:
            raise RowsSumError(request.rows.name, total, advice.cents, f"the adjustment of advice {advice.advice_id}")
        facts |= {"method": Method.ROWS.value}
    else:
        rows, by = _by_claims(connection, advice, request)
        facts |= by
    see_covered(connection, sums(rows), freed_cents=max(-advice.cents, 0))
    return ask_rows(connection, ApprovalKind.NETWORK_ALLOCATION, str(advice.advice_id), facts, rows, actor=actor)


def _advice(connection: Connection, case: Case, request: Resolution) -> Row[Any]:
    """Find the one funded advice of the case's trace with something left to divide."""
    asked = {"trace": case.subject, "advice_id": None}
    found = connection.execute(QUERIES["network_left"], asked).all()
    if request.advices:
        found = [row for row in found if row.advice_id in request.advices]
    if not found:
        raise NotOpenError(f"The adjustment under {case.subject}", "it is not funded, or it is divided already")
    if len(found) > 1:
        raise SeveralError("advices", "--advice", [row.advice_id for row in found])
    return found[0]


def _by_claims(
    connection: Connection, advice: Row[Any], request: Resolution
) -> tuple[list[DecidedRow], dict[str, object]]:
    """Divide by claims; give the rows, and the facts that say how."""
    if (request.since is None) is not (request.until is None):
        raise SubjectMissingError("period of payment days", "--from D --to D, both")
    if request.since is None or request.until is None:
        weights = connection.execute(QUERIES["claim_weights_of_advice"], {"advice_id": advice.advice_id}).all()
        facts: dict[str, object] = {"method": Method.CLAIMS_OF_ADVICE.value}
        what = f"a claim of advice {advice.advice_id}"
    else:
        period = {"since": request.since, "until": request.until}
        asked = period | {"payer_id": advice.payer_id}
        weights = connection.execute(QUERIES["claim_weights_of_payer"], asked).all()
        days = {name: day.isoformat() for name, day in period.items()}
        facts = {"method": Method.CLAIMS_OF_PAYER.value, **days}
        what = f"a claim that payer {advice.payer_id} paid from {request.since} to {request.until}"
    if not sum(row.weight_cents for row in weights):
        raise NothingToDivideByError(what)
    parts = divide(advice.cents, {row.member_id: row.weight_cents for row in weights})
    facts["claims"] = sum(row.claims for row in weights)
    return [DecidedRow(member, cents) for member, cents in parts.items()], facts


def follow_allocation(connection: Connection, approval: Approval) -> None:
    """Post an approved division.

    Raises:
        MovedOnError: the adjustment is not what it was.
        FloatMissingError: the float does not cover what members owe now.
    """
    if approval.state != "approved":
        return
    facts, actor = approval.facts, decider(approval)
    advice_id, cents = facts["advice_id"], facts["amount_cents"]
    locked = connection.execute(QUERIES["lock_advice"], {"advice_id": advice_id}).one()
    left = {
        row.advice_id: row.cents
        for row in connection.execute(QUERIES["network_left"], {"advice_id": advice_id, "trace": None})
    }
    if left.get(advice_id, 0) != cents:
        said = f"{show_cents(left.get(advice_id, 0))} of advice {advice_id} is to be divided"
        raise MovedOnError(f"{said}, approved was {show_cents(cents)}")
    shares = sums(decided_rows(connection, approval.approval_id))
    if sum(shares.values()) != cents:
        raise MovedOnError(f"The rows of approval {approval.approval_id} do not come to the adjustment")
    reason = f"payer {facts['payer_id']} adjusted the network, by {facts['method']}: {facts['reason']}"
    key = f"network_allocated:{approval.approval_id}"
    batch = Batch()
    batch.add(network_adjustment_allocated(key, day_of(approval), advice_id, shares.items(), reason=reason))
    post(connection, batch, actor)
    activity.record(connection, actor, "network_adjustment_allocated", locked.trace_number, cents=cents)
    if left.keys() == {advice_id}:
        carried_out(connection, approval)
