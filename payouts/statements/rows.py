"""A statement as CSV: one row a movement, with a running balance."""

import csv
import io
from datetime import date

from payouts.spreadsheet import plain_cell
from payouts.statements.model import Statement
from schemas.money import text_from_cents


def statement_csv(made: Statement) -> str:
    """Write a statement as CSV: date, what, payer, trace, amount in dollars, running balance."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["date", "entry", "payer", "trace", "amount", "balance"])
    balance = made.opening_cents
    writer.writerow([made.from_date, "opening balance", "", "", "", text_from_cents(balance)])
    for day, entry, payer, trace, cents in sorted(_csv_rows(made), key=lambda row: row[0]):
        balance += cents
        amounts = [text_from_cents(cents), text_from_cents(balance)]
        writer.writerow([day, *(plain_cell(cell) for cell in (entry, payer, trace)), *amounts])
    writer.writerow([made.to_date, "closing balance", "", "", "", text_from_cents(made.closing_cents)])
    return text.getvalue()


def _csv_rows(made: Statement) -> list[tuple[date, str, str, str, int]]:
    rows = []
    for advice in made.advices:
        facts = (advice.payer_name, advice.trace_number)
        rows.append((advice.date, f"{advice.claim_count} claims", *facts, advice.claims_cents))
        rows += [(advice.date, each.label, *facts, each.amount_cents) for each in advice.adjustments]
    rows += [(each.date, each.description, "", "", each.amount_cents) for each in made.movements]
    return rows
