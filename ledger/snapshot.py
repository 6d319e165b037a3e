"""The books as one snapshot of the database sees them, to tell later whether a copy holds the same.

A transaction keeps the number of the database transaction that posted it, so what a snapshot saw can be picked out of a
copy that was finished later, while others went on posting.
"""

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, Row

from ledger.queries import Queries

_QUERIES = Queries("ledger", "snapshot.sql")


class Total(BaseModel):
    """An account summed over all owners; cents."""

    model_config = ConfigDict(frozen=True)

    ledger: str
    account: str
    debit_cents: int
    credit_cents: int


class Books(BaseModel):
    """The books of one moment.

    Args:
        snapshot: what the database calls the moment (``pg_snapshot``).
        next_xid: number that no database transaction of before has.
        transactions: how many are posted.
        totals: the trial balance, summed over all owners.
        digest: SHA-256, 64 hex digits, of the trial balance of every owner.
    """

    model_config = ConfigDict(frozen=True)

    snapshot: str
    next_xid: int
    transactions: int
    totals: tuple[Total, ...]
    digest: str


def books(connection: Connection) -> Books:
    """Read the books; the connection's transaction sees one moment (REPEATABLE READ)."""
    row = connection.execute(_QUERIES["books"]).one()
    totals = tuple(_total(each) for each in connection.execute(_QUERIES["totals"]))
    return Books(
        snapshot=row.snapshot,
        next_xid=int(row.next_xid),
        transactions=row.transactions,
        totals=totals,
        digest=row.digest,
    )


def books_at(connection: Connection, seen: Books) -> Books:
    """Rebuild, from the lines, the books as a snapshot saw them; it equals ``seen`` in a faithful copy."""
    parameters = {"snapshot": seen.snapshot}
    row = connection.execute(_QUERIES["books_at"], parameters).one()
    totals = tuple(_total(each) for each in connection.execute(_QUERIES["totals_at"], parameters))
    update = {"transactions": row.transactions, "totals": totals, "digest": row.digest}
    return seen.model_copy(update=update)


def export(connection: Connection) -> str:
    """Name the connection's snapshot for another session, for as long as its transaction is open."""
    return str(connection.execute(_QUERIES["export"]).scalar_one())


def next_xid(connection: Connection) -> int:
    """Give a number that no database transaction of before has."""
    return int(connection.execute(_QUERIES["now_next"]).scalar_one())


def _total(row: Row[tuple[str, str, int, int]]) -> Total:
    return Total(ledger=row.ledger, account=row.account, debit_cents=row.debit_cents, credit_cents=row.credit_cents)
