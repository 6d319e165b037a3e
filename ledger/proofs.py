"""The proofs P1 to P11. They trust no trigger; they read what is stored.

P1 to P10 are one query each, in ``sql/proofs.sql``; P11, the seal, is ``ledger.seal.verifying``.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection

from ledger.queries import Queries
from ledger.seal.findings import Finding
from ledger.seal.outside import Outside
from ledger.seal.verifying import SealVerdict, Told, verify_seal

_QUERIES = Queries("ledger", "proofs.sql")


class Proof(StrEnum):
    """A proof and what it says of the books."""

    P1 = "every entry sums to zero"
    P2 = "what is advised is what is not yet funded"
    P3 = "coverage: each owner's cash is what is owed to it"
    P4 = "the cash of all owners is the bank's closing balance"
    P5 = "every member's statement rolls forward"
    P6 = "nothing but the contract's flat fee was kept"
    P7 = "every advice is split to the cent and funded by its deposits"
    P8 = "claim lines, shares and entries agree"
    P9 = "the mirrors of float and advances agree"
    P10 = "balances rebuilt from the lines are the stored ones"
    P11 = "every sealed entry and action is what was signed; nothing is missing or added"


RELEASE_PROOFS = (Proof.P1, Proof.P2, Proof.P3, Proof.P5, Proof.P6, Proof.P9, Proof.P10)
"""What must hold for an owner before its money leaves; P4, P7 and P8 are asked of the whole."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a proof found: how many things were checked, whose failed, and the first failure in words.

    P11 names more of them in ``findings``, and in ``notes`` what is worth knowing and no failure.
    """

    proof: Proof
    checked: int
    failing: int
    owners: tuple[UUID, ...]
    detail: str
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Say whether nothing failed."""
        return self.failing == 0


def prove(connection: Connection, proof: Proof, owners: Collection[UUID] | None = None) -> Verdict:
    """Run one proof, over all owners or these; P11 is always of the whole."""
    if proof is Proof.P11:
        return _of_seal(verify_seal(connection))
    row = connection.execute(_QUERIES[proof.name], {"owners": None if owners is None else list(owners)}).one()
    return Verdict(proof, row.checked, row.failing, tuple(row.owners or ()), row.detail or "")


def verify(
    connection: Connection, outside: Outside | None = None, *, since: int = 0, told: Told | None = None
) -> list[Verdict]:
    """Run all proofs over everything, in one snapshot if the connection's isolation gives one.

    Args:
        connection: that reads.
        outside: checkpoints that are kept outside of the database, for P11.
        since: a checkpoint's size: P11 hashes only the rows above it anew.
        told: what is in hand.
    """
    said = told or (lambda _: None)
    verdicts = []
    for proof in Proof:
        said(f"{proof.name}, {proof.value}")
        if proof is Proof.P11:
            verdicts.append(_of_seal(verify_seal(connection, outside, since=since, told=told)))
        else:
            verdicts.append(prove(connection, proof))
    return verdicts


def _of_seal(found: SealVerdict) -> Verdict:
    detail = str(found.findings[0]) if found.findings else ""
    return Verdict(Proof.P11, found.checked, found.failing, found.owners, detail, found.findings, found.notes)
