"""An invoice on paper: the months of flat fee that stay open, and how to pay them."""

from typing import Any

from payouts.fees.invoices import Invoice
from payouts.papers.press import set_pdf
from payouts.papers.sender import Sender
from payouts.papers.words import amount, counted, dollars, folded, frame, long_day, month_words, short_day


def invoice_pdf(invoice: Invoice, sender: Sender) -> bytes:
    """Set an invoice as a tagged PDF of US letter pages; the same bytes for the same invoice and sender."""
    return set_pdf("invoice", invoice_data(invoice, sender), invoice.issued_on)


def invoice_data(invoice: Invoice, sender: Sender) -> dict[str, Any]:
    """Lay out what the template ``invoice`` is given: texts only."""
    number = str(invoice.invoice_number)
    whom = f"{invoice.legal_name}, NCPDP {invoice.ncpdp_id}"
    return frame(sender, f"Invoice {number}, {short_day(invoice.issued_on)}", whom, invoice.issued_on) | {
        "kind": "Invoice",
        "to": [folded(invoice.legal_name), f"NCPDP {invoice.ncpdp_id}"],
        "numbers": {"Invoice number": number, "Issued": short_day(invoice.issued_on), "Due": short_day(invoice.due_on)},
        "amount": dollars(invoice.total_cents),
        "due": f"please pay by {long_day(invoice.due_on)}.",
        "rows": [
            {"what": f"Flat fee for {month_words(each.month)}", "amount": amount(each.amount_cents)}
            for each in invoice.lines
        ],
        "total": dollars(invoice.total_cents),
        "foot": _foot(invoice, sender, number),
    }


def _foot(invoice: Invoice, sender: Sender, number: str) -> list[str]:
    months = counted(len(invoice.lines), "month")
    ask = f" at {sender.telephone}" if sender.telephone else ""
    why = (
        f"We keep our flat fee out of what payers send you. For {months} nothing came that it could "
        "be kept of, so we ask you to send it."
    )
    how = (
        f"Please name invoice {number} and NCPDP {invoice.ncpdp_id} with your payment. When payers' money comes first, "
        "we keep the fee of that, and this invoice is settled by as much."
    )
    return [why, how, f"Is it not as you know it? Call {sender.name}{ask}."]
