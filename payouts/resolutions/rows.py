"""Members and amounts that a person divides: read from a file, kept beside the proposal, bound by its hash.

Who decides sees exactly the rows that are posted; the database refuses the approval of any others.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from io import BytesIO
from re import ASCII
from re import compile as pattern
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ingest.tables import Column, Row, read_rows, text_of_at_most
from ledger.queries import Queries
from payouts.errors import AskedOtherwiseError
from payouts.people import approvals
from payouts.people.approvals import ApprovalKind
from payouts.resolutions.frame import Table
from schemas.collecting import FileFindings
from schemas.money import cents_from_text

QUERIES = Queries("payouts", "resolutions_members.sql")
_LONGEST_ID = 40
_REFERENCE = pattern(r"[0-9A-Za-z./:#-]{0,50}", ASCII)


@dataclass(frozen=True, slots=True)
class DecidedRow:
    """What a member is given or has taken from it, in cents, and the claim that it is about where one is named."""

    member_id: UUID
    cents: int
    claim: str = ""


class ShownRow(BaseModel):
    """A row of a proposal as people see it."""

    model_config = ConfigDict(frozen=True)

    place: int
    member_id: UUID
    ncpdp_id: str
    amount_cents: int
    claim_reference: str


def read_members(connection: Connection, table: Table, day: date) -> list[DecidedRow]:
    """Read ``member,amount,claim``: NCPDP id or member id, dollars, the claim's number or nothing.

    Args:
        connection: where the members are.
        table: the file.
        day: of several owners of a pharmacy the one on that day is meant.

    Raises:
        UnreadableError: anything is wrong; each finding names its line.
    """
    findings = FileFindings(table.name)
    rows = list(read_rows(BytesIO(table.content), _COLUMNS, findings))
    asked = sorted({str(row.values["member"]) for row in rows if "member" in row.values})
    found = connection.execute(QUERIES["named_members"], {"asked": asked, "day": day})
    named: dict[str, UUID] = {row.asked: row.member_id for row in found}
    decided = [read for row in rows if (read := _decided(row, named, findings)) is not None]
    findings.refuse_if_any()
    return decided


def _decided(row: Row, named: Mapping[str, UUID], findings: FileFindings) -> DecidedRow | None:
    member, cents, claim = (row.values.get(column.name) for column in _COLUMNS)
    if not (isinstance(member, str) and isinstance(cents, int) and isinstance(claim, str)):
        return None
    if member not in named:
        expected, advice = "a member's NCPDP id or member id", "See: centralpay members list."
        findings.add("member_known", "member", expected, "no member's", line=row.line, advice=advice)
        return None
    return DecidedRow(named[member], cents, claim)


def sums(rows: Sequence[DecidedRow]) -> dict[UUID, int]:
    """Give what each member is given or has taken from it, in cents; a member may stand in several rows."""
    summed: dict[UUID, int] = {}
    for row in rows:
        summed[row.member_id] = summed.get(row.member_id, 0) + row.cents
    return summed


def rows_hash(rows: Sequence[DecidedRow]) -> bytes:
    """Hash rows as the database does, which compares."""
    said = (f"share|{place}|{row.member_id}|{row.cents}|{row.claim}" for place, row in enumerate(rows, 1))
    return sha256("\n".join(said).encode()).digest()


def ask_rows(
    connection: Connection,
    kind: ApprovalKind,
    subject: str,
    facts: Mapping[str, Any],
    rows: Sequence[DecidedRow],
    *,
    actor: str,
) -> int:
    """Ask a second person for a division; asking the same again gives the same approval.

    Raises:
        AskedOtherwiseError: something else is pending on the same subject.
    """
    said = dict(facts) | {"rows": len(rows), "members": len({row.member_id for row in rows})}
    approval_id = ask_hashed(connection, kind, subject, said, rows_hash(rows), actor=actor)
    columns = {
        "members": [row.member_id for row in rows],
        "amounts": [row.cents for row in rows],
        "claims": [row.claim for row in rows],
    }
    connection.execute(QUERIES["add_rows"], {"approval_id": approval_id, **columns})
    return approval_id


def ask_hashed(
    connection: Connection,
    kind: ApprovalKind,
    subject: str,
    facts: Mapping[str, Any],
    set_hash: bytes | None,
    *,
    actor: str,
) -> int:
    """Ask a second person for what a hash names; asking the same again gives the same approval.

    Raises:
        AskedOtherwiseError: something else is pending on the same subject.
    """
    approval_id = approvals.propose(connection, kind, subject, facts, actor, set_hash=set_hash)
    stored = connection.execute(QUERIES["asked"], {"approval_id": approval_id}).one()
    # Why may be said in other words; what is to be done may not.
    what, was = (
        {name: value for name, value in each.items() if name not in {"reason", "case_id"}}
        for each in (json.loads(json.dumps(dict(facts))), stored.facts)
    )
    stored_hash = None if stored.set_hash is None else bytes(stored.set_hash)
    if what != was or stored_hash != set_hash:
        raise AskedOtherwiseError(approval_id, subject)
    return approval_id


def decided_rows(connection: Connection, approval_id: int) -> list[DecidedRow]:
    """Give the rows of a proposal, in their order."""
    return [DecidedRow(row.member_id, row.amount_cents, row.claim_reference) for row in shown(connection, approval_id)]


def shown(connection: Connection, approval_id: int) -> list[ShownRow]:
    """Give the rows of a proposal as people see them, in their order."""
    rows = connection.execute(QUERIES["rows"], {"approval_id": approval_id}).mappings()
    return [ShownRow(**row) for row in rows]


def _cents(text: str) -> int:
    cents = cents_from_text(text)
    if not cents:
        raise ValueError("nothing")
    return cents


def _reference(text: str) -> str:
    if _REFERENCE.fullmatch(text) is None:
        raise ValueError("not a claim's number")
    return text


_COLUMNS = (
    Column("member", "an NCPDP id or member id", text_of_at_most(_LONGEST_ID)),
    Column("amount", "dollars other than zero, such as 12.50 or -12.50", _cents),
    Column("claim", "a claim's number, or nothing; never a person's name", _reference, may_be_blank=True),
)
ROW_COLUMNS = tuple(column.name for column in _COLUMNS)
"""The header, in its order."""
