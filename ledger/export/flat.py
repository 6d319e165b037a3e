"""The journal as flat files: JSON Lines, CSV, and the general ledger of the Audit Data Standards (AICPA, July 2015).

Rows are composed by the database and written as they come, a run of journal numbers at a time: each run is a query of
its own over one snapshot, so neither side ever holds more than a run.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection

from ledger.chart import Event, Ledger
from ledger.export.accounts import ACCOUNTS, NUMBERS
from ledger.export.columns import (
    BUSINESS_UNIT_LISTING,
    CHART_OF_ACCOUNTS,
    GL_DETAIL,
    JOURNAL,
    SOURCE_LISTING,
    TRIAL_BALANCE,
    USER_LISTING,
    Column,
    header,
)
from ledger.export.copying import RowForm, Tell, copy_out
from ledger.export.folder import PackageFolder
from ledger.export.manifest import Totals
from ledger.export.scope import Selection
from ledger.export.sealed import QUERIES, by_hashing, composed, journal_totals
from schemas.calendar import BANK_ZONE

_RUN: Final = 1 << 16

_UNITS: Final = {
    Ledger.CUSTODY: "Other people's money: assets and liabilities only",
    Ledger.OPERATING: "The PSAO's own books: the flat fee and what it costs",
}


@dataclass(frozen=True, slots=True)
class FlatFiles:
    """Writes the flat files of a package.

    Args:
        connection: that sees one moment.
        folder: of the package.
        chosen: what is shown.
        journal_size: the last journal number that its checkpoint covers.
        tell: is told how far it is.
    """

    connection: Connection
    folder: PackageFolder
    chosen: Selection
    journal_size: int
    tell: Tell

    def write_jsonl(self) -> None:
        """Write ``journal.jsonl``: a line of the journal a line, an object with the names of ``JOURNAL``."""
        query = f"SELECT row_to_json(r) FROM ({_of_lines('journal')}) r"  # noqa: S608 (our own statements)
        self._write_lines("journal.jsonl", query, RowForm.PLAIN)

    def write_csv(self) -> None:
        """Write ``journal.csv``: the same, a line of the journal a row."""
        self._write_lines("journal.csv", _table(JOURNAL, _of_lines("journal")), RowForm.CSV, header(JOURNAL))

    def write_ads(self) -> None:
        """Write the files of the general ledger standard and the listings of the base standard.

        Each has the first and last day in its name. Journal_ID is the journal number, gapless in the books.
        """
        first_on, last_on = span(self.connection, self.chosen)
        days = f"{first_on:%Y%m%d}_{last_on:%Y%m%d}.csv"
        detail = _table(GL_DETAIL, _of_lines("gl_detail"))
        self._write_lines(f"GL_Detail_{days}", detail, RowForm.CSV, header(GL_DETAIL))
        limits = {"first_on": first_on, "last_on": last_on, "first_month": first_on.replace(day=1)}
        self._write_query(f"Trial_Balance_{days}", TRIAL_BALANCE, "trial_balance", limits)
        self._write_query(f"User_Listing_{days}", USER_LISTING, "users", {})
        _write_listing(self.folder, f"Chart_Of_Accounts_{days}", CHART_OF_ACCOUNTS, _chart())
        sources = [(each.value, _words(each.value), "centralpay", "", "") for each in Event]
        _write_listing(self.folder, f"Source_Listing_{days}", SOURCE_LISTING, sources)
        units = [(unit.value, said, "") for unit, said in _UNITS.items()]
        _write_listing(self.folder, f"Business_Unit_Listing_{days}", BUSINESS_UNIT_LISTING, units)

    def _write_lines(self, name: str, query: str, form: RowForm, first: bytes = b"") -> None:
        _, totals = journal_totals(self.connection, self.chosen)
        done = 0

        def told(rows: int) -> None:
            self.tell(name, done + rows, totals.rows)

        with by_hashing(self.connection), self.folder.writing(name) as file:
            file.write(first)
            for begin in range(1, self.journal_size + 1, _RUN):
                run = self._parameters | {"first": begin, "last": begin + _RUN - 1}
                done += copy_out(self.connection, query, run, file.write, form=form, told=told)
            file.totals = totals.model_copy(update={"rows": done})

    def _write_query(self, name: str, columns: Sequence[Column], query: str, more: dict[str, Any]) -> None:
        with by_hashing(self.connection), self.folder.writing(name) as file:
            file.write(header(columns))
            asked = self._parameters | more
            rows = copy_out(self.connection, _table(columns, composed(query)), asked, file.write, form=RowForm.CSV)
            file.totals = Totals(rows=rows)

    @property
    def _parameters(self) -> dict[str, Any]:
        return self.chosen.parameters | {"numbers": json.dumps(dict(NUMBERS)), "zone": BANK_ZONE.key}


def span(connection: Connection, chosen: Selection) -> tuple[date, date]:
    """Give the first and the last day that a selection is about: as asked for, else of its entries.

    Where there are neither it is the day of the checkpoint.
    """
    row = connection.execute(QUERIES["span"], chosen.parameters).one()
    first_on, last_on = chosen.from_on or row.first_on, chosen.to_on or row.last_on
    sealed_on: date = connection.execute(QUERIES["sealed_on"], {"size": chosen.size}).scalar_one()
    first_on = first_on or min(last_on or sealed_on, sealed_on)
    return first_on, max(last_on or first_on, first_on)


def _write_listing(folder: PackageFolder, name: str, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Write a table of our own words: nothing in it needs quotes but text with commas, which gets them."""
    cell: Callable[[str], str] = lambda text: f'"{text}"' if "," in text else text  # noqa: E731
    lines = [",".join(map(cell, row)) + "\r\n" for row in rows]
    folder.put(name, header(columns) + "".join(lines).encode(), Totals(rows=len(rows)))


def _chart() -> list[tuple[str, ...]]:
    return [
        (each.number, each.name, each.type, each.subtype, each.subtype, _words(each.account.value), "")
        for each in ACCOUNTS
    ]


def _words(name: str) -> str:
    return name.replace("_", " ")


def _of_lines(query: str) -> str:
    return composed(query, "owner_names", "lines")


def _table(columns: Sequence[Column], query: str) -> str:
    return f"SELECT {', '.join(each.cell for each in columns)} FROM ({query}) AS rows"  # noqa: S608 (our own)
