"""A statement as CSV: one row a movement, with who took what and a running balance; text that no spreadsheet runs."""

import csv
import io
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from payouts.spreadsheet import plain_cell
from payouts.statements.model import Statement
from schemas.money import text_from_cents

_HEADER = ("date", "entry", "taken by", "payer", "trace", "amount", "balance")


class EntryRow(NamedTuple):
    """What changed the balance, in the order of its days: a payer's claims, an adjustment of its, or a movement."""

    day: date
    entry: str
    taken_by: str
    payer: str
    trace: str
    cents: int


def statement_csv(made: Statement) -> str:
    """Write a statement as CSV: date, what, who took it, payer, trace, dollars, running balance.

    The first row is the opening balance and the last one with an amount the closing; between them amounts sum to the
    difference. A last line names the checkpoint that it was read at.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_HEADER)
    balance = made.opening_cents
    writer.writerow([made.from_date, "opening balance", "", "", "", "", text_from_cents(balance)])
    for row in entry_rows(made):
        balance += row.cents
        words = (row.entry, row.taken_by, row.payer, row.trace)
        amounts = (text_from_cents(row.cents), text_from_cents(balance))
        writer.writerow([row.day, *(plain_cell(cell) for cell in words), *amounts])
    writer.writerow([made.to_date, "closing balance", "", "", "", "", text_from_cents(made.closing_cents)])
    if made.known_at is not None:
        writer.writerow(["", f"as known at {made.known_at.words}", "", "", "", "", ""])
    return text.getvalue()


def entry_rows(made: Statement) -> list[EntryRow]:
    """List what changed the balance: they sum to the closing balance less the opening."""
    return sorted(_rows(made), key=lambda row: row.day)


def _rows(made: Statement) -> Iterator[EntryRow]:
    for advice in made.advices:
        facts = (advice.payer_name, advice.trace_number)
        yield EntryRow(advice.date, f"{advice.claim_count} claims", "", *facts, advice.claims_cents)
        for each in advice.adjustments:
            yield EntryRow(advice.date, each.label, each.taken_by or "", *facts, each.amount_cents)
    for moved in made.movements:
        yield EntryRow(moved.date, moved.description, moved.taken_by or "", "", "", moved.amount_cents)
