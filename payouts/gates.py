"""What may not leave as it was approved: the whole cycle while the float or a proof fails, a member where its own does.

A member leaves with all that it was approved, or with nothing: where its balance fell, none of its payments goes.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row

from ledger.chart import HOUSE
from ledger.proofs import RELEASE_PROOFS, Proof, prove
from payouts.cycles import QUERIES
from payouts.errors import FloatGateError, ProofGateError
from payouts.nacha.codes import ENTRY_CENTS_LIMIT
from payouts.remittances.shares import untellable


def stopped_members(connection: Connection, cycle_id: int, payouts: Sequence[Row[Any]]) -> dict[UUID, str]:
    """Find the members that may not be paid or told as it was approved, each with its reason.

    Args:
        connection: of the unit of work that releases.
        cycle_id: the cycle.
        payouts: all of its payouts.

    Raises:
        FloatGateError, ProofGateError: nothing may leave now.
    """
    parameters = {"cycle_id": cycle_id}
    gate = connection.execute(QUERIES["float_gate"]).one()
    if gate.available_cents < gate.needed_cents:
        raise FloatGateError(gate.available_cents, gate.needed_cents)
    stopped = untellable(connection, cycle_id)
    for member_id in connection.execute(QUERIES["changed_fees"], parameters).scalars():
        stopped[member_id] = "its fee changed after approval"
    for row in payouts:
        if row.amount_cents >= ENTRY_CENTS_LIMIT:
            stopped[row.member_id] = f"one ACH entry carries less than {ENTRY_CENTS_LIMIT} cents"
    for row in connection.execute(QUERIES["missing_now"], parameters):
        said = f"the balance fell after approval by {row.missing_cents} cents below the payout"
        stopped[row.member_id] = said
    for member_id, proof in _broken_owners(connection, {row.member_id for row in payouts}).items():
        stopped[member_id] = f"a proof fails for its book: {proof}"
    return stopped


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
