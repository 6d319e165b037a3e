"""The one way into the ledger: ``post`` a batch, ``reverse`` a transaction."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from ledger.batch import Batch
from ledger.queries import Queries

_QUERIES = Queries("ledger", "posting.sql")


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a transaction; ``replayed`` says that it was there already with the same body."""

    fact_key: str
    transaction_id: int
    replayed: bool


def post(connection: Connection, batch: Batch, actor: str) -> list[Posted]:
    """Post all transactions of a batch, or none.

    Call it once in a database transaction: balances are locked in one sorted order.

    Raises:
        sqlalchemy.exc.DBAPIError: a refusal; ``ledger.errors.translate`` makes it a ``LedgerRefusedError``.
    """
    if not batch:
        return []
    transactions = batch.transactions
    lines = [(ordinal, line) for ordinal, transaction in enumerate(transactions, 1) for line in transaction.lines]
    rows = connection.execute(
        _QUERIES["post"],
        {
            "actor": actor,
            "events": [t.event.value for t in transactions],
            "fact_keys": [t.fact_key for t in transactions],
            "fact_on": [t.fact_on for t in transactions],
            "reasons": [t.reason for t in transactions],
            "reverses": [None] * len(transactions),
            "bank_lines": [t.bank_line_id for t in transactions],
            "line_transaction": [ordinal for ordinal, _ in lines],
            "line_owner": [line.owner for _, line in lines],
            "line_ledger": [line.ledger.value for _, line in lines],
            "line_account": [line.account.value for _, line in lines],
            "line_amount": [line.amount_cents for _, line in lines],
            "line_reference": [line.reference for _, line in lines],
        },
    )
    return [Posted(*row) for row in rows]


def reverse(
    connection: Connection, transaction_id: int, *, fact_key: str, fact_on: date, actor: str, reason: str
) -> Posted:
    """Turn a whole transaction, all entries, with the advance that this makes necessary.

    It is dated ``fact_on``, or the day of what it turns where that is later.
    """
    row = connection.execute(
        _QUERIES["reverse"],
        {"actor": actor, "transaction_id": transaction_id, "fact_key": fact_key, "fact_on": fact_on, "reason": reason},
    ).one()
    return Posted(*row)


def effective_date(connection: Connection, fact_on: date) -> date | None:
    """Give the accounting date of a fact: its own, or the first open day after a closed period; None: no period."""
    day: date | None = connection.execute(_QUERIES["effective_date"], {"fact_on": fact_on}).scalar()
    return day
