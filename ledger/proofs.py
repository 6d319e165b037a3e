"""The proofs P1 to P10: one query each, in ``sql/proofs.sql``. They trust no trigger; they read what is stored."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection

from ledger.queries import Queries

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


RELEASE_PROOFS = (Proof.P1, Proof.P2, Proof.P3, Proof.P5, Proof.P6, Proof.P9, Proof.P10)
"""What must hold for an owner before its money leaves; P4, P7 and P8 are asked of the whole."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a proof found: how many things were checked, whose failed, and the first failure in words."""

    proof: Proof
    checked: int
    failing: int
    owners: tuple[UUID, ...]
    detail: str

    @property
    def holds(self) -> bool:
        """Say whether nothing failed."""
        return self.failing == 0


def prove(connection: Connection, proof: Proof, owners: Collection[UUID] | None = None) -> Verdict:
    """Run one proof, over all owners or these."""
    row = connection.execute(_QUERIES[proof.name], {"owners": None if owners is None else list(owners)}).one()
    return Verdict(proof, row.checked, row.failing, tuple(row.owners or ()), row.detail or "")


def verify(connection: Connection) -> list[Verdict]:
    """Run all proofs over everything, in one snapshot if the connection's isolation gives one."""
    return [prove(connection, proof) for proof in Proof]
