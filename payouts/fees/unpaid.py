"""Months of fee that stay open: who is asked for them, and when such a case is over."""

from sqlalchemy import Connection

from ledger.queries import Queries

QUERIES = Queries("payouts", "fees.sql")
PAID = "nothing of the fee is open any more"


def settle_paid(connection: Connection) -> None:
    """Resolve the cases of fees that were unpaid and no longer are; after whatever collects or gives back."""
    connection.execute(QUERIES["settle_paid"], {"resolution": PAID})
