"""The year of every member on one line: for the finance team's own file, and to hold against the trial balance."""

import csv
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import islice
from typing import Final, TextIO
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from payouts.spreadsheet import plain_cell
from payouts.statements.model import YearTotals
from payouts.statements.reading import BATCH, QUERIES, by_owner, year_of
from schemas.money import text_from_cents

_PARTS: Final = tuple(
    name.removesuffix("_cents")
    for name in YearTotals.model_fields
    if name.endswith("_cents") and name not in {"opening_cents", "closing_cents", "funded_cents"}
)
_COLUMNS: Final = ("opening", *_PARTS, "closing", "available", "awaiting_payer", "held")
_HEADER: Final = ("ncpdp_id", "member_id", "legal_name", *_COLUMNS)


class MemberYear(BaseModel):
    """A member's year, and of what its closing consists: cents, signed as they change what is owed."""

    model_config = ConfigDict(frozen=True)

    member_id: UUID
    ncpdp_id: str
    legal_name: str
    totals: YearTotals
    available_cents: int
    awaiting_payer_cents: int
    held_cents: int

    @property
    def row(self) -> tuple[int, ...]:
        """Give the amounts in the order of the file's columns, in cents."""
        totals = self.totals
        parts = (getattr(totals, f"{name}_cents") for name in _PARTS)
        ends = (totals.closing_cents, self.available_cents, self.awaiting_payer_cents, self.held_cents)
        return (totals.opening_cents, *parts, *ends)


def years(connection: Connection, year: int) -> Iterator[MemberYear]:
    """Read the calendar year of everybody to whom it says anything, by NCPDP id; a year that runs, as far as it is."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    span = {"from_on": first, "year_on": first, "to_on": last, "payer_id": None}
    waiting = iter(connection.execute(QUERIES["everybody"], span).scalars().all())
    while some := list(islice(waiting, BATCH)):
        asked = span | {"member_ids": some}
        members = {row.member_id: row for row in connection.execute(QUERIES["members"], asked)}
        balances = by_owner(connection.execute(QUERIES["balances"], asked))
        advised = by_owner(connection.execute(QUERIES["year_advices"], asked))
        for member_id in some:
            rows, member = balances.get(member_id, []), members[member_id]
            yield MemberYear(
                member_id=member_id,
                ncpdp_id=member.ncpdp_id,
                legal_name=member.legal_name,
                totals=year_of(rows, advised.get(member_id, []), last),
                available_cents=sum(row.available_cents for row in rows),
                awaiting_payer_cents=sum(row.awaiting_cents for row in rows),
                held_cents=sum(row.held_cents for row in rows),
            )


def write_years(of: Iterable[MemberYear], out: TextIO) -> dict[str, int]:
    """Write a line a member, and below them the total of each column in dollars; give the totals in cents.

    Available, awaiting and held sum to the trial balance's due_available, due_unfunded and held as of that day.
    """
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_HEADER)
    totals = [0] * len(_COLUMNS)
    members = 0
    for each in of:
        members += 1
        totals = [total + cents for total, cents in zip(totals, each.row, strict=True)]
        words = (each.ncpdp_id, str(each.member_id), plain_cell(each.legal_name))
        writer.writerow([*words, *map(text_from_cents, each.row)])
    writer.writerow(["total", members, "", *map(text_from_cents, totals)])
    return {"members": members} | {f"{name}_cents": cents for name, cents in zip(_COLUMNS, totals, strict=True)}
