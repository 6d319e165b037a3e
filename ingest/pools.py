"""The two pools of matching: payments that wait for money, and deposits that are open."""

from sqlalchemy import Connection

from ingest.matching import Deposit, Payment
from ledger.queries import Queries

_QUERIES = Queries("ingest", "matching.sql")
_BANK = Queries("ingest", "bank.sql")


def payments(connection: Connection) -> list[Payment]:
    """Give the payments that wait for money, with what is missing of each."""
    return [
        Payment(
            row.payer_id,
            row.trace_number,
            tuple(row.advice_ids),
            row.cents,
            row.paid_on,
            row.payer_name,
            row.funded_cents,
        )
        for row in connection.execute(_QUERIES["waiting_payments"])
    ]


def deposits(connection: Connection) -> list[Deposit]:
    """Give the open bank credits, with what is open of each."""
    return [
        Deposit(row.bank_line_id, row.open_cents, row.as_of, tuple((trace, payer) for trace, payer in row.traces))
        for row in connection.execute(_BANK["open_lines"])
        if row.amount_cents > 0
    ]
