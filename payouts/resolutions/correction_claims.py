"""The claims that a correction names: each one that a funded advice credited to the member, moved whole and once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row

from ingest.tables import Column, read_rows, text_of_at_most
from payouts.resolutions.errors import MovedOnError
from payouts.resolutions.frame import Table
from payouts.resolutions.member_errors import (
    ClaimCorrectedError,
    ClaimNotCreditedError,
    ClaimTakenBackError,
    SeveralClaimsError,
)
from payouts.resolutions.rows import QUERIES
from schemas.collecting import FileFindings
from schemas.money import cents_from_text

_LONGEST_TRACE = 50
_LONGEST_RX = 30


@dataclass(frozen=True, slots=True)
class AskedClaim:
    """A claim as a person names it: the line of the file, TRN02 of its advice, the prescription, what was paid."""

    line: int
    trace: str
    rx: str
    cents: int


@dataclass(frozen=True, slots=True)
class NamedClaim:
    """A claim of a correction, as it stands in its advice; positive cents."""

    advice_id: int
    segment: int
    rx_number: str
    cents: int


def read_claims(table: Table) -> list[AskedClaim]:
    """Read ``advice_trace,rx_number,amount``, a claim in each line; amounts in dollars, as the payer paid them.

    Raises:
        UnreadableError: anything is wrong; each finding names its line.
    """
    findings = FileFindings(table.name)
    asked: list[AskedClaim] = []
    for row in read_rows(BytesIO(table.content), _COLUMNS, findings):
        trace, rx, cents = (row.values.get(column.name) for column in _COLUMNS)
        if isinstance(trace, str) and isinstance(rx, str) and isinstance(cents, int):
            asked.append(AskedClaim(row.line, trace, rx, cents))
    findings.refuse_if_any()
    return asked


def find_claims(connection: Connection, asked: Sequence[AskedClaim], member: UUID, name: str) -> list[NamedClaim]:
    """Find the claims that were credited to a member, each once.

    Args:
        connection: of a unit of work that took the corrections' turn.
        asked: as a person named them.
        member: to whom they must have been credited.
        name: what the person calls the member.

    Raises:
        ClaimNotCreditedError: no funded advice credited it to the member.
        ClaimTakenBackError: the payer took it back itself.
        ClaimCorrectedError: it was corrected before, or is named twice.
        SeveralClaimsError: several claims of that advice are alike in all that was named.
    """
    if not asked:
        return []
    columns = {
        "traces": [each.trace for each in asked],
        "rx_numbers": [each.rx for each in asked],
        "amounts": [each.cents for each in asked],
    }
    credited: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(QUERIES["credited_claims"], columns | {"member_id": member}):
        credited[row.place].append(row)
    claims: dict[tuple[int, int], NamedClaim] = {}
    for place, each in enumerate(asked, 1):
        claim = _the_one(each, credited[place], name)
        if (claim.advice_id, claim.segment) in claims:
            raise ClaimCorrectedError(each.line, each.rx, None)
        claims[claim.advice_id, claim.segment] = claim
    return list(claims.values())


def _the_one(asked: AskedClaim, fitting: Sequence[Row[Any]], name: str) -> NamedClaim:
    if not fitting:
        raise ClaimNotCreditedError(asked.line, asked.trace, asked.rx, asked.cents, name)
    standing = [row for row in fitting if not row.was_taken_back]
    if not standing:
        raise ClaimTakenBackError(asked.line, asked.rx)
    if len(standing) > 1:
        raise SeveralClaimsError(asked.line, asked.rx, len(standing))
    (row,) = standing
    if row.corrected_by is not None:
        raise ClaimCorrectedError(asked.line, asked.rx, row.corrected_by)
    return NamedClaim(row.advice_id, row.segment, row.rx_number, row.paid_cents)


def keep_claims(connection: Connection, approval_id: int, claims: Sequence[NamedClaim]) -> None:
    """Keep the claims beside their proposal; the database holds that each stands in one only."""
    columns = {
        "advices": [claim.advice_id for claim in claims],
        "segments": [claim.segment for claim in claims],
        "rx_numbers": [claim.rx_number for claim in claims],
        "amounts": [claim.cents for claim in claims],
    }
    connection.execute(QUERIES["add_claims"], {"approval_id": approval_id, **columns})


def see_credited(connection: Connection, approval_id: int, member: UUID) -> None:
    """Take the turn of corrections and of the claims' advices, and see that the member is credited with them still.

    Raises:
        MovedOnError: a funding was reversed, the payer took a claim back, or it was found to be another's.
    """
    connection.execute(QUERIES["lock_corrections"])
    advices = list(connection.execute(QUERIES["advices_of_claims"], {"approval_id": approval_id}).scalars())
    connection.execute(QUERIES["lock_advices"], {"advices": advices})
    asked = {"approval_id": approval_id, "member_id": member}
    gone = connection.execute(QUERIES["claims_moved_on"], asked).first()
    if gone is not None:
        raise MovedOnError(f"No funded advice credits the claim of prescription {gone.rx_number} any more")


def claims_hash(claims: Sequence[NamedClaim]) -> bytes | None:
    """Hash claims as the database does, which compares; None for none."""
    said = [
        f"claim|{place}|{claim.advice_id}|{claim.segment}|{claim.rx_number}|{claim.cents}"
        for place, claim in enumerate(claims, 1)
    ]
    return sha256("\n".join(said).encode()).digest() if said else None


def _cents(text: str) -> int:
    cents = cents_from_text(text)
    if cents <= 0:
        raise ValueError("nothing that was paid")
    return cents


_COLUMNS = (
    Column("advice_trace", "the trace number of an advice (TRN02)", text_of_at_most(_LONGEST_TRACE)),
    Column("rx_number", "a prescription number", text_of_at_most(_LONGEST_RX)),
    Column("amount", "dollars that the payer paid for it, more than zero", _cents),
)
CLAIM_COLUMNS = tuple(column.name for column in _COLUMNS)
"""The header, in its order."""
