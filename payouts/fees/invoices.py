"""Invoices for members that never have a balance: months of fee that stay open, numbered without a gap, told once.

A member pays by a deposit that a second person approves (``payouts.negatives``); the money becomes available to it, and
the next cycle collects the fee from it like any other.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, RowMapping

from ingest.cases import CaseKind, settle_cases
from ledger.queries import Queries
from payouts.fees.unpaid import PAID
from payouts.people.notices import NoticeKind, give_notices
from schemas.money import show_cents

_QUERIES = Queries("payouts", "fees.sql")

INVOICE_AFTER_DAYS = 45
"""Days that a month of fee is open, counted from its first, before its member is written to."""
PAYABLE_IN_DAYS = 30
"""Days from an invoice to the day by which it is to be paid."""


class InvoiceLine(BaseModel):
    """One month of the flat fee and what of it was open when the invoice was issued, in cents."""

    model_config = ConfigDict(frozen=True)

    month: date
    """Its first day."""
    amount_cents: int


class Invoice(BaseModel):
    """What a member is asked to send for its flat fee; as it was issued, whatever was paid since."""

    model_config = ConfigDict(frozen=True)

    invoice_number: int
    """1, 2, 3 and so on over all members, without a gap."""
    member_id: UUID
    ncpdp_id: str
    legal_name: str
    issued_on: date
    due_on: date
    lines: tuple[InvoiceLine, ...]
    """Oldest month first."""
    total_cents: int


class Unpaid(BaseModel):
    """A member whose fee is open for long; ``invoice`` is the one issued now, None: its last one asks just this."""

    model_config = ConfigDict(frozen=True)

    member_id: UUID
    ncpdp_id: str
    since: date
    """First day of its oldest open month."""
    open_cents: int
    invoice: Invoice | None


def issue_invoices(
    connection: Connection,
    as_of: date,
    actor: str,
    *,
    older_than: int = INVOICE_AFTER_DAYS,
    payable_in: int = PAYABLE_IN_DAYS,
) -> tuple[Unpaid, ...]:
    """Invoice the members whose fee is open for long and from whom nothing was collected meanwhile.

    Every open month of such a member is on its invoice, and a letter goes with it; while nothing else is open than what
    its last invoice asks, none is issued again. The cases ``FEE_UNPAID`` are made those that stand.

    Args:
        connection: of a unit of work.
        as_of: the business date; the day of issue.
        actor: who acts.
        older_than: days that a month is open, from its first.
        payable_in: days to pay.
    """
    connection.execute(_QUERIES["lock"])
    asked = {"as_of": as_of, "older_than": older_than}
    rows = connection.execute(_QUERIES["unpaid"], asked).mappings().all()
    waiting = [row for row in rows if not row["is_invoiced"]]
    issued = _issue(connection, waiting, as_of, as_of + timedelta(days=payable_in), actor)
    found = []
    standing: dict[str, tuple[int, str]] = {}
    for row in rows:
        cents, since = sum(row["cents"]), row["months"][0]
        facts = {"member_id": row["member_id"], "ncpdp_id": row["ncpdp_id"], "since": since, "open_cents": cents}
        found.append(Unpaid(invoice=issued.get(row["member_id"]), **facts))
        # A store under two owners has one case.
        before, _ = standing.get(row["ncpdp_id"], (0, ""))
        standing[row["ncpdp_id"]] = before + cents, f"open since {since:%Y-%m}, and no balance to collect it from"
    settle_cases(connection, CaseKind.FEE_UNPAID, standing, PAID)
    return tuple(found)


def list_invoices(
    connection: Connection, member_id: UUID | None = None, invoice_number: int | None = None
) -> tuple[Invoice, ...]:
    """List invoices as they were issued, by number: all, a member's, or the one of that number."""
    asked = {"member_id": member_id, "invoice_number": invoice_number}
    return tuple(_invoice(row) for row in connection.execute(_QUERIES["invoices"], asked).mappings())


def _issue(
    connection: Connection, rows: Sequence[RowMapping], issued_on: date, due_on: date, actor: str
) -> dict[UUID, Invoice]:
    """Issue an invoice to each of these members; numbers, letters and lines in one statement each."""
    first = int(connection.execute(_QUERIES["next_invoice"]).scalar_one())
    days = {"issued_on": issued_on, "due_on": due_on}
    invoices = [
        _invoice({**row, **days, "invoice_number": number, "total_cents": sum(row["cents"])})
        for number, row in enumerate(rows, first)
    ]
    letters = [
        (each.member_id, f"Invoice {each.invoice_number} for your monthly fee", _letter(each)) for each in invoices
    ]
    notices = give_notices(connection, NoticeKind.FEE_INVOICED, letters, on=issued_on, actor=actor)
    numbered = {
        "numbers": [each.invoice_number for each in invoices],
        "member_ids": [each.member_id for each in invoices],
        "totals": [each.total_cents for each in invoices],
        "notice_ids": [notices[each.member_id] for each in invoices],
    }
    connection.execute(_QUERIES["add_invoices"], days | numbered | {"actor": actor})
    lines = [(each.invoice_number, line.month, line.amount_cents) for each in invoices for line in each.lines]
    numbers, months, cents = (list(each) for each in zip(*lines, strict=True)) if lines else ([], [], [])
    connection.execute(_QUERIES["add_invoice_lines"], {"numbers": numbers, "months": months, "cents": cents})
    return {each.member_id: each for each in invoices}


def _invoice(row: Any) -> Invoice:  # noqa: ANN401 (a row of the query)
    pairs = zip(row["months"], row["cents"], strict=True)
    lines = tuple(InvoiceLine(month=month, amount_cents=cents) for month, cents in pairs)
    names = ("invoice_number", "member_id", "ncpdp_id", "legal_name", "issued_on", "due_on", "total_cents")
    return Invoice(lines=lines, **{name: row[name] for name in names})


def _letter(invoice: Invoice) -> str:
    """Say what is asked: each month, the total, and until when."""
    months = "\n".join(f"{line.month:%Y-%m}  {show_cents(line.amount_cents)}" for line in invoice.lines)
    return (
        "The flat monthly fee of your contract could not be collected, for there was no payment of yours to take it "
        f"from:\n{months}\nPlease send {show_cents(invoice.total_cents)} by {invoice.due_on}, with the invoice number "
        f"{invoice.invoice_number} and your NCPDP id {invoice.ncpdp_id}. What you are paid meanwhile is reduced by "
        "whole months of it, oldest first."
    )
