"""What may not leave as it was approved: the whole cycle where float, limit or proof fails, a member where its own do.

A member leaves with all that it was approved, or with nothing: where its balance fell, none of its payments goes.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row

from ledger.chart import HOUSE
from ledger.proofs import RELEASE_PROOFS, Proof, prove
from payouts.cycle.cycles import QUERIES
from payouts.cycle.errors import ApproversMissingError, CycleLimitError
from payouts.cycle.limits import CycleLimits, limits_on
from payouts.errors import FloatGateError, ProofGateError
from payouts.nacha.codes import ENTRY_CENTS_LIMIT
from payouts.remittances.shares import untellable
from schemas.money import show_cents


def stopped_members(
    connection: Connection, cycle: Mapping[str, Any], payouts: Sequence[Row[Any]], excluded: Collection[UUID] = ()
) -> dict[UUID, str]:
    """Find the members that may not be paid or told as it was approved, each with its reason.

    Args:
        connection: of the unit of work that releases.
        cycle: the cycle's row.
        payouts: all of its payouts but those of excluded members.
        excluded: members that a person left out; they are not found again.

    Raises:
        FloatGateError, ProofGateError, CycleLimitError, ApproversMissingError: nothing may leave now.
    """
    parameters = {"cycle_id": cycle["cycle_id"]}
    gate = connection.execute(QUERIES["float_gate"]).one()
    if gate.available_cents < gate.needed_cents:
        raise FloatGateError(gate.available_cents, gate.needed_cents)
    limits = limits_on(connection, cycle["business_date"])
    stopped = untellable(connection, cycle["cycle_id"])
    for row in connection.execute(QUERIES["unpayable_accounts"], parameters):
        stopped[row.member_id] = row.reason
    for member_id in connection.execute(QUERIES["changed_fees"], parameters).scalars():
        stopped[member_id] = "its fee changed after approval"
    for row in payouts:
        if limits.entry is not None and row.amount_cents > limits.entry:
            stopped[row.member_id] = f"a payout is above the limit of {show_cents(limits.entry)}"
        if row.amount_cents >= ENTRY_CENTS_LIMIT:
            stopped[row.member_id] = f"one ACH entry carries less than {ENTRY_CENTS_LIMIT} cents"
    for row in connection.execute(QUERIES["missing_now"], parameters):
        said = f"the balance fell after approval by {row.missing_cents} cents below the payout"
        stopped[row.member_id] = said
    for member_id, proof in _broken_owners(connection, {row.member_id for row in payouts}).items():
        stopped[member_id] = f"a proof fails for its book: {proof}"
    total = sum(row.amount_cents for row in payouts if row.member_id not in stopped)
    _see_limits(cycle, total, limits)
    return {member_id: reason for member_id, reason in stopped.items() if member_id not in excluded}


def _see_limits(cycle: Mapping[str, Any], total_cents: int, limits: CycleLimits) -> None:
    """See that what leaves is within the limits of the cycle's day, and approved by as many as it needs."""
    if limits.cycle_total is not None and total_cents > limits.cycle_total:
        raise CycleLimitError(cycle["cycle_id"], total_cents, limits.cycle_total)
    if limits.approvers_needed(total_cents) > 1 and cycle["first_approved_by"] is None:
        raise ApproversMissingError(cycle["cycle_id"], total_cents, limits.two_approvers_from or 0)


def _broken_owners(connection: Connection, members: set[UUID]) -> dict[UUID, str]:
    """Run the proofs that must hold before money leaves; those of the whole stop everything."""
    whole = prove(connection, Proof.P4)
    if not whole.holds:
        raise ProofGateError(f"{whole.proof.name}, {whole.proof.value}", whole.detail)
    broken: dict[UUID, str] = {}
    for proof in RELEASE_PROOFS:
        verdict = prove(connection, proof, [*sorted(members), HOUSE])
        if HOUSE in verdict.owners:
            raise ProofGateError(f"{proof.name}, {proof.value}", verdict.detail)
        broken |= dict.fromkeys(verdict.owners, proof.name)
    return broken
