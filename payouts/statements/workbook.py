"""A statement as XLSX: sheets Summary, Advices, Movements, Payouts; ids as text, money as numbers, dates as dates.

Source: ECMA-376 (Office Open XML), by way of xlsxwriter. Money is handed over as Decimal and written digit by digit: no
binary fraction comes near it. The same statement gives the same bytes.
"""

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Final

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from payouts.papers.sender import Sender
from payouts.statements.model import Statement
from payouts.statements.words import total_words

_Cell = str | date | Decimal | int | None
_NARROW, _WIDE = 14, 52
_ADVICES: Final = (
    ("date", _NARROW), ("payer id", _NARROW), ("payer", 30), ("trace", 24), ("state", _NARROW), ("claims", _NARROW),
    ("what", _WIDE), ("taken by", 30), ("amount", _NARROW), ("paid in", 18),
)  # fmt: skip
_MOVEMENTS: Final = (("date", _NARROW), ("what", _WIDE), ("taken by", 36), ("amount", _NARROW))
_PAYOUTS: Final = (
    ("released", _NARROW), ("effective", _NARROW), ("state", _NARROW), ("amount", _NARROW), ("ACH trace", 18),
    ("account", _NARROW), ("835 trace", 32),
)  # fmt: skip


def statement_xlsx(made: Statement, sender: Sender) -> bytes:
    """Write a statement as a workbook. Every listing ends with its total; the Summary foots."""
    content = io.BytesIO()
    # In memory: what is plain touches no disk but where it is asked for.
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        # The only date that the workbook has of its own; no clock is asked.
        created = datetime.combine(made.to_date, time(), UTC)
        book.set_properties({"title": f"Statement {made.ncpdp_id}", "company": sender.name, "created": created})
        pen = _Pen(book)
        pen.summary(book.add_worksheet("Summary"), made)
        pen.listing(book.add_worksheet("Advices"), _ADVICES, _advices(made))
        moved = [(row.date, row.description, row.taken_by, dollars(row.amount_cents)) for row in made.movements]
        pen.listing(book.add_worksheet("Movements"), _MOVEMENTS, moved)
        pen.listing(book.add_worksheet("Payouts"), _PAYOUTS, _payouts(made))
    return content.getvalue()


def dollars(cents: int) -> Decimal:
    """Give cents as dollars, exactly: two decimal places, no rounding."""
    return Decimal(cents).scaleb(-2)


def _advices(made: Statement) -> Iterable[tuple[_Cell, ...]]:
    for row in made.advices:
        facts = (row.date, row.payer_id, row.payer_name, row.trace_number, row.state)
        yield *facts, row.claim_count, "claims", None, dollars(row.claims_cents), row.paid_in
        for each in row.adjustments:
            yield *facts, None, each.label, each.taken_by, dollars(each.amount_cents), row.paid_in


def _payouts(made: Statement) -> Iterable[tuple[_Cell, ...]]:
    for row in made.payouts:
        account = f"…{row.account_last_four}" if row.account_last_four else None
        days, traces = (row.released_on, row.effective_date), (row.trace_number, account, row.remittance_trace)
        yield *days, row.state, dollars(row.amount_cents), *traces


class _Pen:
    """Writes cells in the formats of one workbook."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self._money: Format = book.add_format({"num_format": "#,##0.00;[Red]-#,##0.00"})
        self._date: Format = book.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
        self._bold: Format = book.add_format({"bold": True})
        self._total: Format = book.add_format({"num_format": "#,##0.00;[Red]-#,##0.00", "bold": True, "top": 1})

    def listing(self, sheet: Worksheet, columns: Sequence[tuple[str, int]], rows: Iterable[tuple[_Cell, ...]]) -> None:
        """Write a header, the rows, and below them the total of column ``amount``."""
        for place, (name, width) in enumerate(columns):
            sheet.set_column(place, place, width)
            sheet.write_string(0, place, name, self._bold)
        sheet.freeze_panes(1, 0)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        amount = [name for name, _ in columns].index("amount")
        total, at = Decimal(0), 1
        for at, row in enumerate(rows, 2):
            for place, cell in enumerate(row):
                self._cell(sheet, at - 1, place, cell)
            cents = row[amount]
            total += cents if isinstance(cents, Decimal) else 0
        sheet.write_string(at, 0, "total", self._bold)
        sheet.write(at, amount, total, self._total)

    def summary(self, sheet: Worksheet, made: Statement) -> None:
        """Write whose it is and how it foots, the year beside it."""
        sheet.set_column(0, 0, _WIDE)
        sheet.set_column(1, 1, 32)
        sheet.set_portrait()
        sheet.fit_to_pages(1, 0)
        rows: list[tuple[str, _Cell]] = [
            ("NCPDP id", made.ncpdp_id),
            ("pharmacy", made.dba_name),
            ("legal name", made.legal_name),
            ("payer", "all" if made.payer_id is None else f"{made.payer_name} ({made.payer_id})"),
            ("from", made.from_date),
            ("to", made.to_date),
            ("opening balance", dollars(made.opening_cents)),
            ("claims that payers advised", dollars(made.claims_cents)),
            ("adjustments in their advices: payers', not ours", dollars(made.adjustments_cents)),
        ]
        moved: dict[str, int] = {}
        for row in made.movements:
            moved[row.description] = moved.get(row.description, 0) + row.amount_cents
        rows += [(words, dollars(cents)) for words, cents in moved.items()]
        rows += [
            ("closing balance", dollars(made.closing_cents)),
            ("of which available", dollars(made.available_cents)),
            ("of which awaits payers' money", dollars(made.awaiting_payer_cents)),
            ("of which held", dollars(made.held_cents)),
            ("kept by us: the flat fee and nothing else", dollars(made.retained_cents)),
        ]
        year = made.year
        rows += [("", None), (f"Year {year.year} to", year.to_date), ("opening balance", dollars(year.opening_cents))]
        rows += [(total_words(name), dollars(cents)) for name, cents in year.parts.items() if cents]
        rows.append(("closing balance", dollars(year.closing_cents)))
        if made.known_at is not None:
            rows += [("", None), ("as known at checkpoint", str(made.known_at.size)), ("its root", made.known_at.root)]
            rows.append(("sealed (UTC)", f"{made.known_at.sealed_at:%Y-%m-%d %H:%M:%S}"))
        for at, (words, cell) in enumerate(rows):
            sheet.write_string(at, 0, words, self._bold if words.endswith("balance") else None)
            self._cell(sheet, at, 1, cell)

    def _cell(self, sheet: Worksheet, row: int, column: int, cell: _Cell) -> None:
        if isinstance(cell, Decimal):
            sheet.write(row, column, cell, self._money)
        elif isinstance(cell, date):
            sheet.write_datetime(row, column, cell, self._date)
        elif isinstance(cell, int):
            sheet.write_number(row, column, cell)
        elif cell is not None:
            # As text, whatever it begins with: never a formula, never a number that loses its zeros.
            sheet.write_string(row, column, cell)
