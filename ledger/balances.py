"""Reading the books: the trial balance, the journal, one balance. Signed balances are debit-positive cents."""

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ledger.chart import HOUSE, Account, Ledger
from ledger.queries import Queries

_QUERIES = Queries("ledger", "balances.sql")


class BalanceRow(BaseModel):
    """One account of one owner; ``owner`` is the NCPDP id of the member, or ``house``."""

    model_config = ConfigDict(frozen=True)

    owner: str
    member_id: UUID | None
    ledger: Ledger
    account: Account
    debit_cents: int
    credit_cents: int
    balance_cents: int


class JournalLine(BaseModel):
    """One line of the journal with the transaction and entry that it stands in."""

    model_config = ConfigDict(frozen=True)

    transaction_id: int
    entry_id: int
    line_no: int
    event: str
    entry_event: str
    fact_on: date
    effective_on: date
    owner: str
    ledger: Ledger
    account: Account
    reference: int | None
    amount_cents: int
    actor: str
    reason: str | None
    reverses: int | None


def trial_balance(connection: Connection, as_of: date | None = None) -> list[BalanceRow]:
    """List every account of every owner, as of an accounting date or with everything recorded."""
    if as_of is None:
        rows = connection.execute(_QUERIES["trial_balance"]).mappings()
    else:
        rows = connection.execute(_QUERIES["trial_balance_as_of"], {"as_of": as_of}).mappings()
    return [
        BalanceRow(
            owner=_owner_name(row["owner_id"], row["ncpdp_id"]),
            member_id=None if row["owner_id"] == HOUSE else row["owner_id"],
            ledger=row["ledger"],
            account=row["account"],
            debit_cents=row["debit_cents"],
            credit_cents=row["credit_cents"],
            balance_cents=row["balance_cents"],
        )
        for row in rows
    ]


def journal(
    connection: Connection, *, owner: UUID | None, from_on: date | None, to_on: date | None, most: int
) -> Iterator[JournalLine]:
    """Read the journal in the order of its making, of one owner or all, between accounting dates."""
    parameters: dict[str, Any] = {"owner": owner, "from_on": from_on, "to_on": to_on, "most": most}
    for row in connection.execute(_QUERIES["journal"], parameters).mappings():
        yield JournalLine(owner=_owner_name(row["owner_id"], row["ncpdp_id"]), **_without(row, "owner_id", "ncpdp_id"))


def owner_balance(connection: Connection, owner: UUID, account: Account, ledger: Ledger = Ledger.CUSTODY) -> int:
    """Give one balance, debit-positive cents."""
    parameters = {"owner": owner, "ledger": ledger.value, "account": account.value}
    return int(connection.execute(_QUERIES["owner_balance"], parameters).scalar_one())


def _owner_name(owner_id: UUID, ncpdp_id: str | None) -> str:
    return "house" if owner_id == HOUSE else ncpdp_id or str(owner_id)


def _without(row: Any, *names: str) -> dict[str, Any]:  # noqa: ANN401 (a driver's row)
    return {name: value for name, value in row.items() if name not in {*names, "recorded_at"}}
