"""Identifiers that people found to be a member's: kept beside those of the roster, which an import may not cross."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row

from ingest.roster import RosterRow
from ledger.queries import Queries
from schemas.findings import Finding

_QUERIES = Queries("ingest", "directory.sql")


def crossed(
    connection: Connection, ended: Mapping[UUID, date], new: Iterable[tuple[int, RosterRow]]
) -> Iterator[Finding]:
    """Find what of a roster does not go with identifiers that were found.

    Args:
        connection: where they are.
        ended: the last day of the memberships that the roster ends.
        new: the members that it adds, with the line that each stands on.
    """
    found = list(connection.execute(_QUERIES["found_identifiers"]))
    for kept in found:
        until = ended.get(kept.member_id)
        if until is not None and until < kept.since:
            yield Finding(
                rule="identifier_kept",
                element="member_until",
                expected=f"a day from {kept.since} on: then {kept.kind} {kept.value} was found to be {kept.ncpdp_id}'s",
                found=str(until),
                advice="The member has money under that identifier from then on.",
            )
    for line, row in new:
        for column, kind, value in (("ncpdp_id", "NCPDP", row.ncpdp_id), ("npi", "NPI", row.npi)):
            yield from (
                _named_already(line, row, column, kept)
                for kept in found
                if (kept.kind, kept.value) == (kind, str(value)) and _on_one_day(row, kept, ended.get(kept.member_id))
            )


def _on_one_day(row: RosterRow, kept: Row[Any], ends_on: date | None) -> bool:
    until = min(kept.until or date.max, ends_on or date.max)
    return bool(row.member_since <= until and kept.since <= (row.member_until or date.max))


def _named_already(line: int, row: RosterRow, column: str, kept: Row[Any]) -> Finding:
    return Finding(
        rule="memberships_apart",
        element=column,
        expected=f"another identifier; it was found {kept.ncpdp_id}'s from {kept.since} to {kept.until or 'open'}",
        found=f"{kept.value} again from {row.member_since}",
        line=line,
        advice="Money that came under it was given to that pharmacy: correct that first.",
    )
