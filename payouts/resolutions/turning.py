"""A transaction turned, and what hangs on it: bank lines with something open, advices whose money is gone."""

from datetime import date

from sqlalchemy import Connection

from ledger import activity
from ledger.posting import Posted, reverse
from ledger.queries import Queries
from payouts.resolutions.frame import QUERIES

_MATCHING = Queries("ingest", "matching.sql")


def turn(connection: Connection, transaction_id: int, day: date, *, reason: str, actor: str) -> Posted:
    """Reverse a transaction; its bank lines and advices follow."""
    asked = {"transaction_id": transaction_id}
    advices = list(connection.execute(QUERIES["touched_advices"], asked).scalars())
    lines = list(connection.execute(QUERIES["touched_lines"], asked).scalars())
    connection.execute(QUERIES["lock_advices"], {"advice_ids": advices})
    key = f"reversed:{transaction_id}"
    posted = reverse(connection, transaction_id, fact_key=key, fact_on=day, actor=actor, reason=reason)
    connection.execute(_MATCHING["follow_advices"], {"advice_ids": advices})
    connection.execute(_MATCHING["follow_lines"], {"lines": lines})
    activity.record(connection, actor, "reversed", f"transaction {transaction_id}", reason=reason)
    return posted
