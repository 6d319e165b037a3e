"""The fee register: what each contract asks for each month beside what the books say became of it."""

import csv
import io
from datetime import date
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ledger.queries import Queries
from payouts.fees.errors import FeeOrderError
from payouts.spreadsheet import plain_cell
from schemas.money import text_from_cents

_QUERIES = Queries("payouts", "fees.sql")


class FeeSums(BaseModel):
    """Sums of fee in cents.

    ``difference_cents`` is nothing where all is well: below it a fee that was not assessed, above it one that is more
    than the contract asks and neither waived nor refunded.
    """

    model_config = ConfigDict(frozen=True)

    due_cents: int
    assessed_cents: int
    waived_cents: int
    collected_cents: int
    refunded_cents: int
    open_cents: int
    difference_cents: int


class RegisterRow(FeeSums):
    """A member's fee of a month."""

    ncpdp_id: str
    member_id: UUID
    month: date
    """Its first day."""


class Register(BaseModel):
    """The register of some months, by month and store, with its totals."""

    model_config = ConfigDict(frozen=True)

    from_month: date
    to_month: date
    rows: tuple[RegisterRow, ...]
    totals: FeeSums


def register(connection: Connection, from_month: date, to_month: date, member_id: UUID | None = None) -> Register:
    """Read the register of months, of all members or of one; every fee that is due or was assessed has a row.

    Args:
        connection: reading is enough.
        from_month: first day of the first month.
        to_month: first day of the last one.
        member_id: None: all members.

    Raises:
        FeeOrderError: the months run backwards.
    """
    if to_month < from_month:
        raise FeeOrderError(f"From {from_month:%Y-%m} to {to_month:%Y-%m} are no months")
    asked = {"from_month": from_month, "to_month": to_month, "member_id": member_id}
    rows = tuple(RegisterRow(**row) for row in connection.execute(_QUERIES["register"], asked).mappings())
    totals = FeeSums(**{name: sum(getattr(row, name) for row in rows) for name in FeeSums.model_fields})
    return Register(from_month=from_month, to_month=to_month, rows=rows, totals=totals)


def usual_months(connection: Connection, last: date, *, member_id: UUID | None = None) -> tuple[date, date | None]:
    """Say from which month on a register up to one is read when nobody says it.

    All members have that one month, a member alone all months since it joined; but none before the first month for
    which these books assessed a fee at all: those were another system's, and would differ by the whole fee.

    Args:
        connection: reading is enough.
        last: first day of the last month.
        member_id: None: all members.

    Returns:
        The first month, and the one with which the books begin where that is why it is no earlier.

    Raises:
        FeeOrderError: the books begin after the last month.
    """
    joined = last
    if member_id is not None:
        joined = min(last, connection.execute(_QUERIES["first_month"], {"member_id": member_id}).scalar_one())
    begin: date | None = connection.execute(_QUERIES["first_assessed"]).scalar_one()
    if begin is None or begin <= joined:
        return joined, None
    if begin > last:
        raise FeeOrderError(
            f"These books begin with the fees of {begin:%Y-%m}; for what contracts asked before give --from and --to"
        )
    return begin, begin


def register_csv(made: Register) -> str:
    """Write a register as CSV: a row a member and month in dollars, the totals last."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["month", "ncpdp_id", "member_id", *(name.removesuffix("_cents") for name in FeeSums.model_fields)])
    for row in made.rows:
        writer.writerow([f"{row.month:%Y-%m}", plain_cell(row.ncpdp_id), row.member_id, *_dollars(row)])
    writer.writerow(["total", "", "", *_dollars(made.totals)])
    return text.getvalue()


def _dollars(sums: FeeSums) -> list[str]:
    return [text_from_cents(getattr(sums, name)) for name in FeeSums.model_fields]
