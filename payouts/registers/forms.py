"""A register as a file: CSV (RFC 4180), or a workbook (ECMA-376) with totals and what agrees; amounts in dollars."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import StrEnum

import xlsxwriter

from payouts.registers.model import Cell, Register, RegisterRow, Unit
from payouts.spreadsheet import CsvFile, plain_cell
from schemas.money import text_from_cents


class RegisterForm(StrEnum):
    """How a register is written."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


class RegisterCsv:
    """Writes rows alone under the names of their columns: for a machine that adds up for itself.

    Amounts are dollars with two decimal places; a text that a spreadsheet takes for a formula has an apostrophe.

    Args:
        columns: names of the rows' columns.
        out: takes each row as it is written.
    """

    def __init__(self, columns: Sequence[str], out: CsvFile) -> None:
        self._columns = columns
        self._writer = csv.writer(out, lineterminator="\r\n")
        self._writer.writerow([heading(column) for column in columns])

    def add(self, row: RegisterRow) -> None:
        """Write a row below the others."""
        cells = zip(self._columns, row.cells(), strict=True)
        self._writer.writerow([_text(column, cell) for column, cell in cells])


def register_csv(made: Register) -> str:
    """Write a register that is in memory, as ``RegisterCsv`` does."""
    text = io.StringIO()
    writer = RegisterCsv(made.columns, text)
    for row in made.rows:
        writer.add(row)
    return text.getvalue()


def register_xlsx(made: Register) -> bytes:
    """Write the rows, their totals, and what agrees with the books, as a workbook; always the same bytes."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(
        content, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        book.set_properties({"title": made.title, "created": datetime.combine(made.to_on, time(), UTC)})
        bold = book.add_format({"bold": True})
        styles = {
            Decimal: book.add_format({"num_format": "#,##0.00"}),
            date: book.add_format({"num_format": "yyyy-mm-dd"}),
        }
        sheet = book.add_worksheet("Register")
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(made.columns), 16)
        sheet.write_row(0, 0, [heading(column) for column in made.columns], bold)
        listed = [list(zip(made.columns, row.cells(), strict=True)) for row in made.rows]
        total: list[tuple[str, Cell]] = [(column, made.totals.get(column)) for column in made.columns]
        for place, cells in enumerate([*listed, total], 1):
            for column, value in enumerate(_value(name, cell) for name, cell in cells):
                if value is not None:
                    sheet.write(place, column, value, styles.get(type(value)))
        ties = book.add_worksheet("Agrees")
        ties.set_column(0, 0, 70)
        for place, line in enumerate(_ties(made)):
            ties.write_row(place, 0, line, bold if place == 0 else None)
    return content.getvalue()


def heading(column: str) -> str:
    """Name a column for people: an amount is in dollars there."""
    return column.removesuffix("_cents")


def _ties(made: Register) -> Iterator[list[str | Decimal | int]]:
    yield ["what", "register", "books", "difference", "agrees"]
    for tie in made.ties:
        figures = (tie.register_total, tie.books_total, tie.difference)
        shown = [Decimal(each).scaleb(-2) if tie.unit is Unit.CENTS else each for each in figures]
        yield [tie.what, *shown, "yes" if tie.agrees else "NO"]


def _text(column: str, cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int):
        return text_from_cents(cell) if column.endswith("_cents") else str(cell)
    return plain_cell(cell) if isinstance(cell, str) else cell.isoformat()


def _value(column: str, cell: Cell) -> str | int | Decimal | date | None:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int) and column.endswith("_cents"):
        return Decimal(cell).scaleb(-2)
    return cell
