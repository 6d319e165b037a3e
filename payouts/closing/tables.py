"""The tables of a month's package as CSV (RFC 4180): what its close rests on, the trial balance before and after."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, text

from ledger.export.copying import RowForm, copy_out
from ledger.export.folder import PackageFolder
from ledger.export.manifest import Totals
from ledger.export.sealed import by_hashing
from payouts.closing.checks import QUERIES
from payouts.closing.model import Close, Tell, month_after


def write_tables(
    connection: Connection, folder: PackageFolder, close: Close, before_size: int | None, tell: Tell
) -> None:
    """Write the checks, what was carried over, the bank tied out, both trial balances, and what was issued.

    Args:
        connection: that reads at the close's checkpoint.
        folder: of the package.
        close: which.
        before_size: checkpoint of the version before; with one, what was posted since is written too.
        tell: is told what is in hand.
    """
    # Each goes through all of it once: the planner, left alone, would look every line's owner up by itself.
    with by_hashing(connection):
        _write_all(connection, folder, close, before_size, tell)


def _write_all(
    connection: Connection, folder: PackageFolder, close: Close, before_size: int | None, tell: Tell
) -> None:
    next_month = month_after(close.month)
    asked = {"month": close.month, "next_month": next_month, "version": close.version, "closed_at": close.closed_at}
    for name in ("checks", "carried", "tie-out", "statements", "issued-certificates"):
        tell(f"{name}.csv", 0, None)
        _write(connection, folder, _Table(f"{name}.csv", f"{name.replace('-', '_')}_file"), asked)
    for name, as_of in (("opening", close.month - timedelta(days=1)), ("closing", next_month - timedelta(days=1))):
        tell(f"trial balance, {name}", 0, None)
        sums = connection.execute(QUERIES["trial_balance_totals"], {"as_of": as_of}).one()
        totals = Totals(debit_cents=sums.debit_cents, credit_cents=sums.credit_cents, to_on=as_of)
        table = _Table(f"trial-balance-{name}.csv", "trial_balance_file", totals)
        _write(connection, folder, table, {"as_of": as_of})
    tell("tables", 0, None)
    if before_size is not None:
        since = asked | {"before_size": before_size, "size": close.checkpoint_size}
        _write(connection, folder, _Table("posted-since.csv", "posted_since_file"), since)
        _write(connection, folder, _Table("reopenings.csv", "reopenings_file"), asked)


@dataclass(frozen=True, slots=True)
class _Table:
    """A file of the package, the statement that gives its rows, and its control totals beside their number."""

    name: str
    query: str
    totals: Totals = Totals()  # noqa: RUF009 (frozen)


def _write(connection: Connection, folder: PackageFolder, table: _Table, parameters: Mapping[str, Any]) -> None:
    query = QUERIES[table.query]
    columns = connection.execute(text(f"SELECT * FROM ({query.text}) q LIMIT 0"), parameters)  # noqa: S608 (our own)
    with folder.writing(table.name) as file:
        file.write((",".join(columns.keys()) + "\r\n").encode())
        rows = copy_out(connection, query, parameters, file.write, form=RowForm.CSV)
        file.totals = table.totals.model_copy(update={"rows": rows})
