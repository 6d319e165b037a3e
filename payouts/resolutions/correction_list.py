"""Corrections between members as people see them, with what became of each."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from payouts.resolutions.member_errors import UnknownCorrectionError
from payouts.resolutions.rows import QUERIES


class ShownClaim(BaseModel):
    """A claim of a correction; it stands until the correction is dropped or reversed."""

    model_config = ConfigDict(frozen=True)

    trace_number: str
    payer_id: str
    rx_number: str
    amount_cents: int
    standing: bool


class ShownCorrection(BaseModel):
    """A correction; ``state`` is pending, posted, reversed, rejected or withdrawn. Members by NCPDP id."""

    model_config = ConfigDict(frozen=True)

    approval_id: int
    state: str
    source: str
    target: str
    amount_cents: int
    reason: str
    proposed_by: str
    decided_by: str | None
    transaction_id: int | None
    reversed_by: int | None
    claim_count: int
    claims: tuple[ShownClaim, ...] = ()


def list_corrections(connection: Connection) -> list[ShownCorrection]:
    """List all corrections, oldest first, without their claims."""
    rows = connection.execute(QUERIES["corrections"], {"approval_id": None}).mappings()
    return [_shown(dict(row)) for row in rows]


def show_correction(connection: Connection, approval_id: int) -> ShownCorrection:
    """Give a correction with its claims.

    Raises:
        UnknownCorrectionError: there is none of that number.
    """
    row = connection.execute(QUERIES["corrections"], {"approval_id": approval_id}).mappings().first()
    if row is None:
        raise UnknownCorrectionError(approval_id)
    names = ShownClaim.model_fields
    found = connection.execute(QUERIES["claims"], {"approval_id": approval_id}).mappings()
    claims = tuple(ShownClaim(**{name: each[name] for name in names}) for each in found)
    return _shown(dict(row)).model_copy(update={"claims": claims})


def _shown(row: Mapping[str, Any]) -> ShownCorrection:
    posted = "posted" if row["reversed_by"] is None else "reversed"
    return ShownCorrection(
        approval_id=row["approval_id"],
        state=posted if row["state"] == "approved" else row["state"],
        source=row["source"],
        target=row["target"],
        amount_cents=row["facts"]["amount_cents"],
        reason=row["facts"]["reason"],
        proposed_by=row["proposed_by"],
        decided_by=row["decided_by"],
        transaction_id=row["transaction_id"],
        reversed_by=row["reversed_by"],
        claim_count=row["claims"],
    )
