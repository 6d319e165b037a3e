"""The forward-balance register: what payers carried from one payment to a later one, and whether it came back to zero.

A payment is never negative: where a payer would take more than it pays, it lifts the payment to zero by a negative PLB
with reason FB, and takes the same by positive ones later, from the same pharmacy. Whoever it is, the two have to meet.

Source: ASC X12 005010X221A1, section 1.10.2.12 (balance forward processing).
"""

from datetime import date
from itertools import groupby
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, RowMapping

from ledger.queries import Queries

_QUERIES = Queries("ingest", "forward_balances.sql")


class CarriedReference(BaseModel):
    """What stands under one reference of the payer; cents."""

    model_config = ConfigDict(frozen=True)

    reference: str
    carried_cents: int
    """Lifted out of payments, to be taken later."""
    taken_cents: int
    """Taken since."""
    open_cents: int
    """Carried less taken; negative where more was taken than was carried under this reference."""
    first_on: date
    last_on: date
    advice_ids: tuple[int, ...]


class ForwardBalance(BaseModel):
    """What a payer has still to take from one payee, over all of its references; cents.

    A payee is a member (``ncpdp_id``), an identifier that names none (``identifier``), or the network as a whole.
    """

    model_config = ConfigDict(frozen=True)

    payer_id: str
    payer_name: str
    ncpdp_id: str | None
    identifier: str | None
    is_network: bool
    open_cents: int
    open_since: date | None
    """The first payment after the total was last zero; None where it is zero."""
    age_days: int | None
    references: tuple[CarriedReference, ...]


def forward_balances(
    connection: Connection, *, as_of: date | None, today: date, only_open: bool
) -> list[ForwardBalance]:
    """List the register by payer and payee.

    Args:
        connection: to read from.
        as_of: last payment date that counts, and the day of the ages; None: everything received, ages as of today.
        today: the day it is.
        only_open: leave out those whose total is zero.
    """
    asked = {"as_of": as_of, "only_open": only_open}
    rows = connection.execute(_QUERIES["forward_balances"], asked).mappings().all()
    return [_balance(list(own), as_of or today) for _, own in groupby(rows, key=_account)]


def _account(row: RowMapping) -> tuple[str, UUID | None, str | None, bool]:
    return row["payer_id"], row["member_id"], row["identifier"], row["is_network"]


def _balance(rows: list[RowMapping], day: date) -> ForwardBalance:
    first = rows[0]
    since = first["total_since"]
    return ForwardBalance(
        payer_id=first["payer_id"],
        payer_name=first["payer_name"],
        ncpdp_id=first["ncpdp_id"],
        identifier=first["identifier"],
        is_network=first["is_network"],
        open_cents=first["total_cents"],
        open_since=since,
        age_days=None if since is None else max((day - since).days, 0),
        references=tuple(CarriedReference(**row) for row in rows),
    )
