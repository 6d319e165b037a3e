"""The fee register: what each contract asks for each month beside what the books say became of it."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ledger.queries import Queries
from payouts.fees.errors import FeeOrderError
from payouts.spreadsheet import CsvFile, plain_cell
from schemas.money import text_from_cents

_QUERIES = Queries("payouts", "fees.sql")
_FETCHED_ROWS = 2000


class FeeSums(BaseModel):
    """Sums of fee in cents, net of reversals.

    ``difference_cents`` is nothing where all is well: below it a fee that was not assessed, above it one that is more
    than the contract asks and neither waived nor refunded.
    """

    model_config = ConfigDict(frozen=True)

    due_cents: int
    assessed_cents: int
    waived_cents: int
    collected_cents: int
    swept_cents: int
    """Collected, and moved to the PSAO's own money in the account."""
    refunded_cents: int
    invoiced_cents: int
    """Asked for by the last invoice that lists the month."""
    open_cents: int
    difference_cents: int


class RegisterRow(FeeSums):
    """A member's fee of a month beside its contract."""

    ncpdp_id: str
    member_id: UUID
    month: date
    """Its first day."""
    contract_id: int | None
    """The contract by whose terms the month is asked; None: none is in force on its first day of membership."""
    monthly_fee_cents: int | None
    proration: str | None
    """``none``: whole months; ``daily``: by the days of membership."""
    contract_from: date | None
    contract_until: date | None
    """The last day; None: it has no end."""
    invoice_number: int | None
    collected_since_cents: int
    """Of what is collected, from the first day that was asked for on; nothing where none was."""
    refunded_since_cents: int

    @property
    def why(self) -> str:
        """Say in words why it differs, or why what was assessed is not what the contract asks; else nothing."""
        if self.difference_cents < 0:
            return "not assessed" if self.assessed_cents == 0 else "assessed for less than the contract asks"
        if self.difference_cents > 0:
            return "more than the contract asks, not given back yet"
        return "given back: the contract asks less by now" if self.assessed_cents > self.due_cents else ""


class Register(BaseModel):
    """The register of some months, with its totals: what differs first, then by month and store."""

    model_config = ConfigDict(frozen=True)

    from_month: date
    to_month: date
    rows: tuple[RegisterRow, ...]
    totals: FeeSums


def register(
    connection: Connection,
    from_month: date,
    to_month: date,
    member_id: UUID | None = None,
    *,
    as_of: date | None = None,
) -> Register:
    """Read the register of months, of all members or of one; every fee that is due or was assessed has a row.

    Args:
        connection: reading is enough; as known at a checkpoint it gives what was sealed by then.
        from_month: first day of the first month.
        to_month: first day of the last one.
        member_id: None: all members.
        as_of: the last accounting date that counts; None: everything recorded.

    Raises:
        FeeOrderError: the months run backwards.
    """
    if to_month < from_month:
        raise FeeOrderError(f"From {from_month:%Y-%m} to {to_month:%Y-%m} are no months")
    members = None if member_id is None else [member_id]
    rows = fee_rows(connection, from_month, to_month, members, as_of=as_of)
    totals = FeeSums(**{name: sum(getattr(row, name) for row in rows) for name in FeeSums.model_fields})
    return Register(from_month=from_month, to_month=to_month, rows=rows, totals=totals)


def fee_rows(
    connection: Connection,
    from_month: date,
    to_month: date,
    member_ids: Sequence[UUID] | None,
    *,
    as_of: date | None = None,
    since: date | None = None,
) -> tuple[RegisterRow, ...]:
    """Read the rows of a register; ``since`` adds other months of which a fee was moved from that day on."""
    asked = {
        "from_month": from_month,
        "to_month": to_month,
        "member_ids": None if member_ids is None else list(member_ids),
        "as_of": as_of,
        "since": since,
    }
    return tuple(RegisterRow(**row) for row in connection.execute(_QUERIES["register"], asked).mappings())


def streamed_fees(connection: Connection, month: date, *, as_of: date) -> Iterator[RegisterRow]:
    """Read the rows of all members' register of a month as of a day, a few thousand at a time."""
    asked = {"from_month": month, "to_month": month, "member_ids": None, "as_of": as_of, "since": None}
    streaming = {"stream_results": True, "yield_per": _FETCHED_ROWS}
    found = connection.execute(_QUERIES["register"], asked, execution_options=streaming)
    return (RegisterRow(**row) for row in found.mappings())


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
    """Write a register that is in memory, as ``write_register_csv`` does."""
    text = io.StringIO()
    write_register_csv(made.rows, text)
    return text.getvalue()


def write_register_csv(rows: Iterable[RegisterRow], out: CsvFile) -> int:
    """Write a register as CSV: a row a member and month in dollars, the totals last; give the number of those rows."""
    writer = csv.writer(out, lineterminator="\r\n")
    sums = [name.removesuffix("_cents") for name in FeeSums.model_fields]
    writer.writerow(["month", "ncpdp_id", "member_id", *_TERMS, *sums, "invoice", "why"])
    totals, count = dict.fromkeys(FeeSums.model_fields, 0), 0
    for row in rows:
        count += 1
        named = [f"{row.month:%Y-%m}", plain_cell(row.ncpdp_id), row.member_id]
        monthly = "" if row.monthly_fee_cents is None else text_from_cents(row.monthly_fee_cents)
        terms = [row.contract_id, monthly, row.proration, row.contract_from, row.contract_until]
        writer.writerow([*named, *terms, *_dollars(row), row.invoice_number, row.why])
        for name in totals:
            totals[name] += getattr(row, name)
    writer.writerow(["total", "", "", *("" for _ in _TERMS), *_dollars(FeeSums(**totals)), "", ""])
    return count


_TERMS = ("contract", "monthly_fee", "proration", "contract_from", "contract_until")


def _dollars(sums: FeeSums) -> list[str]:
    return [text_from_cents(getattr(sums, name)) for name in FeeSums.model_fields]
