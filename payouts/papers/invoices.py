"""Invoices as files: one PDF each, beside its place first, for its owner's eyes only."""

from collections.abc import Iterable
from pathlib import Path

from ledger.files import sync_folder, write_whole
from payouts.fees.invoices import Invoice
from payouts.papers.errors import InvoiceFolderError
from payouts.papers.invoice import invoice_pdf
from payouts.papers.sender import Sender


def leave_invoices(invoices: Iterable[Invoice], sender: Sender, out: Path) -> list[Path]:
    """Leave each invoice as ``invoice-<number>-<NCPDP id>.pdf`` in a folder, which is made when it is not there.

    Raises:
        InvoiceFolderError: one can not be written; the invoices stay issued, and can be left again.
    """
    written = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        for invoice in invoices:
            path = out / f"invoice-{invoice.invoice_number:06d}-{invoice.ncpdp_id}.pdf"
            write_whole(path, invoice_pdf(invoice, sender))
            written.append(path)
        sync_folder(out)
    except OSError as error:
        raise InvoiceFolderError(str(out), error.strerror or "it can not be used") from error
    return written
