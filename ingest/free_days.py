"""From which day on advices and bank lines are free to be posted: what follows a reversal is not dated before it.

Dated before it, an item would be used twice on the days in between, or before it was there, and every balance as of
those days would say so. The database guards what is open now, not what was open on each day; here is asked of each.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import Connection

from ledger.queries import Queries

_MATCHING = Queries("ingest", "matching.sql")
_BANK = Queries("ingest", "bank.sql")


def free_on(
    connection: Connection, day: date, *, advices: Sequence[int] = (), lines: Mapping[int, int] | None = None
) -> date:
    """Give a day, or the later one from which on all of these are there and free to be posted together.

    Args:
        connection: of a unit of work that has locked the advices.
        day: on which it would be posted.
        advices: that something is to be posted of: after they were advised, and what was reversed since.
        lines: bank line to cents, positive of a deposit and of a debit: from when on so much is open without a break.
    """
    days: list[date | None] = [day]
    if advices:
        days.append(connection.execute(_MATCHING["advices_free_on"], {"advice_ids": list(advices)}).scalar())
    if lines:
        days += lines_free_on(connection, lines).values()
    return max(each for each in days if each is not None)


def lines_free_on(connection: Connection, lines: Mapping[int, int]) -> dict[int, date]:
    """Give, by bank line, the day from which on so many cents of it are open without a break; see ``free_on``."""
    asked = {"lines": list(lines), "cents": list(lines.values())}
    return {row.bank_line_id: row.free_on for row in connection.execute(_BANK["lines_free_on"], asked)}
