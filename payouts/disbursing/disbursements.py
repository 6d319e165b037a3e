"""Payments to others than members: a levy to who ordered it, unclaimed property to a state, an excess to a payer.

Proposed by one person, approved by another, released once with an instruction for the treasury, settled when the bank
debits it under its reference.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ledger import activity
from ledger.activity import Begin
from ledger.batch import Batch, Transaction
from ledger.chart import HOUSE, Account
from ledger.decided import escheat_released, levy_released, refund_released
from ledger.posting import post, reverse
from ledger.proofs import RELEASE_PROOFS, Proof, prove
from ledger.queries import Queries
from payouts.cycle.cycles import QUERIES as CYCLES
from payouts.disbursing import instructions
from payouts.errors import FloatGateError, ProofGateError
from payouts.holding.errors import (
    DisbursementBeyondError,
    DisbursementOrderError,
    DisbursementStateError,
    UnknownDisbursementError,
)
from payouts.people import approvals
from payouts.people.approvals import Approval, ApprovalKind

QUERIES = Queries("payouts", "disbursements.sql")


class DisbursementKind(StrEnum):
    """Why money leaves to another than a member; the subject is the item that it empties."""

    LEVY = "levy"
    """Under a legal order; the subject is its hold."""
    ESCHEAT = "escheat"
    """Unclaimed property, to a state; the subject is the hold that it was declared from."""
    REFUND = "refund"
    """An excess, back to its payer; the subject is the bank line of the deposit."""


class Method(StrEnum):
    """How the treasury pays it."""

    CHECK = "check"
    WIRE = "wire"


_ITEMS: Final[Mapping[DisbursementKind, Account]] = {
    DisbursementKind.LEVY: Account.LEVIED,
    DisbursementKind.ESCHEAT: Account.UNCLAIMED,
    DisbursementKind.REFUND: Account.DUE_TO_PAYER,
}


@dataclass(frozen=True, slots=True)
class DisbursementOrder:
    """What is to be paid: its kind, whose book it leaves, the item that it empties, to whom, how, cents."""

    kind: DisbursementKind
    owner_id: UUID
    subject: str
    payee: str
    method: Method
    amount_cents: int


class Disbursement(BaseModel):
    """A disbursement as it stands; ``owner`` is an NCPDP id or ``house``, the authority that of a levy's hold."""

    model_config = ConfigDict(frozen=True)

    disbursement_id: int
    kind: DisbursementKind
    owner_id: UUID
    owner: str
    subject: str
    payee: str
    method: Method
    amount_cents: int
    state: str
    proposed_by: str
    approval_id: int | None
    approved_by: str | None
    released_on: date | None
    settled_by_bank_line: int | None
    authority: str

    @property
    def reference(self) -> str:
        """What the treasury writes on the payment, and the bank repeats."""
        return f"CP-{self.disbursement_id}"


def propose_disbursement(connection: Connection, order: DisbursementOrder, actor: str) -> int:
    """Propose to pay what an item has left, and ask for a second person; give the disbursement's number.

    Raises:
        DisbursementOrderError: no payee, no amount, no item.
        DisbursementBeyondError: the item has less that is not promised already.
    """
    _see_sense(order)
    item = {"kind": order.kind.value, "subject": order.subject}
    connection.execute(QUERIES["lock_item"], item)
    free = free_cents(connection, order.kind, order.owner_id, int(order.subject))
    if order.amount_cents > free:
        raise DisbursementBeyondError(order.kind.value, order.subject, order.amount_cents, free)
    facts = item | {
        "owner_id": str(order.owner_id),
        "payee": order.payee,
        "method": order.method.value,
        "amount_cents": order.amount_cents,
    }
    disbursement_id = int(connection.execute(QUERIES["add"], facts | {"actor": actor}).scalar_one())
    approvals.propose(connection, ApprovalKind.DISBURSEMENT, str(disbursement_id), facts, actor)
    activity.record(
        connection,
        actor,
        "disbursement_proposed",
        str(disbursement_id),
        cents=order.amount_cents,
        kind=order.kind.value,
    )
    return disbursement_id


def free_cents(connection: Connection, kind: DisbursementKind, owner_id: UUID, reference: int) -> int:
    """Give what an item has that is not promised to a disbursement that waits, in cents."""
    asked = {"kind": kind.value, "account": _ITEMS[kind].value, "owner_id": owner_id, "reference": reference}
    return int(connection.execute(QUERIES["free"], asked).scalar_one())


def follow_approval(connection: Connection, approval: Approval) -> None:
    """Make what was decided on approved, or void where it was rejected.

    Raises:
        DisbursementStateError: it was made void meanwhile.
        DisbursementBeyondError: what it was to pay is not there any more.
    """
    if approval.decided_by is None:
        return
    disbursement = _locked(connection, int(approval.subject), "proposed")
    number = disbursement.disbursement_id
    if approval.state != "approved":
        connection.execute(QUERIES["mark_void"], {"disbursement_id": number})
        activity.record(connection, approval.decided_by, "disbursement_void", str(number), reason=approval.reason)
        return
    connection.execute(QUERIES["lock_item"], {"kind": disbursement.kind.value, "subject": disbursement.subject})
    left = free_cents(connection, disbursement.kind, disbursement.owner_id, int(disbursement.subject))
    if left < 0:
        cents = disbursement.amount_cents
        raise DisbursementBeyondError(disbursement.kind.value, disbursement.subject, cents, cents + left)
    connection.execute(QUERIES["approve"], {"disbursement_id": number, "approval_id": approval.approval_id})
    activity.record(connection, approval.decided_by, "disbursement_approved", str(number))


def release_disbursement(begin: Begin, disbursement_id: int, on: date, out: Path, actor: str) -> Path:
    """Release an approved disbursement and leave the treasury's instruction in ``out``; give the file.

    Again it posts nothing and writes the same instruction.

    Raises:
        UnknownDisbursementError, DisbursementStateError: there is nothing approved to release.
        FloatGateError, ProofGateError: no money may leave now.
        DisbursementFolderError: the file can not be written; whether it is released, it says.
    """
    instructions.prepare(disbursement_id, out)
    with begin() as connection:
        disbursement = _locked(connection, disbursement_id, "approved", "released", "settled")
        if disbursement.state == "approved":
            _see_open_gates(connection, disbursement.owner_id)
            batch = Batch()
            batch.add(_released(disbursement, on))
            post(connection, batch, actor)
            marked = {"disbursement_id": disbursement_id, "released_on": on}
            connection.execute(QUERIES["mark_released"], marked)
            cents = disbursement.amount_cents
            activity.record(connection, actor, "disbursement_released", str(disbursement_id), cents=cents)
    with begin() as connection:
        disbursement = show_disbursement(connection, disbursement_id)
    said = disbursement.model_dump(mode="json") | {"reference": disbursement.reference}
    return instructions.write(disbursement_id, said, out)


def void_disbursement(connection: Connection, disbursement_id: int, reason: str, *, on: date, actor: str) -> None:
    """Make a disbursement void; one that was released and will not be paid is reversed, its item is owed again.

    Raises:
        UnknownDisbursementError, DisbursementStateError: there is none, or it is settled or void.
        DisbursementOrderError: no reason is given.
    """
    if not reason.strip():
        raise DisbursementOrderError("To make a disbursement void takes a reason")
    disbursement = _locked(connection, disbursement_id, "proposed", "approved", "released")
    approvals.withdraw(connection, ApprovalKind.DISBURSEMENT, str(disbursement_id), reason)
    if disbursement.state == "released":
        number = int(connection.execute(QUERIES["release_of"], {"disbursement_id": disbursement_id}).scalar_one())
        key = f"disbursement_void:{disbursement_id}"
        # The state follows the reversal in the database, whoever reverses.
        reverse(connection, number, fact_key=key, fact_on=on, actor=actor, reason=reason)
    connection.execute(QUERIES["mark_void"], {"disbursement_id": disbursement_id})
    activity.record(connection, actor, "disbursement_void", str(disbursement_id), reason=reason)


def show_disbursement(connection: Connection, disbursement_id: int) -> Disbursement:
    """Give a disbursement.

    Raises:
        UnknownDisbursementError: there is none.
    """
    asked = {"disbursement_id": disbursement_id, "everything": True}
    row = connection.execute(QUERIES["list"], asked).mappings().first()
    if row is None:
        raise UnknownDisbursementError(disbursement_id)
    return Disbursement(**row)


def list_disbursements(connection: Connection, *, everything: bool = False) -> list[Disbursement]:
    """List the disbursements on their way, or all."""
    asked = {"disbursement_id": None, "everything": everything}
    return [Disbursement(**row) for row in connection.execute(QUERIES["list"], asked).mappings()]


def _locked(connection: Connection, disbursement_id: int, *states: str) -> Disbursement:
    connection.execute(QUERIES["lock"], {"disbursement_id": disbursement_id})
    disbursement = show_disbursement(connection, disbursement_id)
    if disbursement.state not in states:
        raise DisbursementStateError(disbursement_id, disbursement.state, " or ".join(states))
    return disbursement


def _released(disbursement: Disbursement, on: date) -> Transaction:
    number = disbursement.disbursement_id
    item = (int(disbursement.subject), number, disbursement.amount_cents)
    key = f"disbursement_released:{number}"
    if disbursement.kind is DisbursementKind.REFUND:
        return refund_released(key, on, item)
    build: Callable[[str, date, UUID, tuple[int, int, int]], Transaction] = (
        levy_released if disbursement.kind is DisbursementKind.LEVY else escheat_released
    )
    return build(key, on, disbursement.owner_id, item)


def _see_open_gates(connection: Connection, owner_id: UUID) -> None:
    """See that the float covers what is unexplained, and that every proof holds for the owner and the house."""
    gate: Any = connection.execute(CYCLES["float_gate"]).one()
    if gate.available_cents < gate.needed_cents:
        raise FloatGateError(gate.available_cents, gate.needed_cents)
    for proof in (Proof.P4, *RELEASE_PROOFS):
        verdict = prove(connection, proof, None if proof is Proof.P4 else [owner_id, HOUSE])
        if not verdict.holds:
            raise ProofGateError(f"{proof.name}, {proof.value}", verdict.detail)


def _see_sense(order: DisbursementOrder) -> None:
    if not order.payee.strip():
        raise DisbursementOrderError("A disbursement needs a payee")
    if order.amount_cents <= 0:
        raise DisbursementOrderError("A disbursement is of more than nothing")
    if not order.subject.isascii() or not order.subject.isdigit():
        raise DisbursementOrderError(f"{order.subject!r} is no item: the number of a hold or of a bank line")
    if (order.kind is DisbursementKind.REFUND) != (order.owner_id == HOUSE):
        raise DisbursementOrderError("A refund leaves the house's book, a levy or an escheat a member's")
