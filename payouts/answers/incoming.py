"""Entries of the bank's NACHA files that answer nothing: payments to the custodial account, as plain values.

Source of the columns: Nacha Operating Rules, Appendix Three; for the TRN in the addenda 45 CFR 162.1602. What becomes
of them is ``ingest.bank.received_entries``'.
"""

from collections.abc import Iterable
from datetime import date

from ingest.bank.received_entries import ReceivedEntry
from payouts.nacha.codes import CREDIT_CODES
from payouts.nacha.records import Batch, Entry, date_from
from payouts.nacha.trn import trn_parts
from schemas.findings import Finding


def received_entry(batch: Batch, entry: Entry, received_on: date) -> ReceivedEntry:
    """Give an entry to the custodial account as a value.

    Args:
        batch: that holds it.
        entry: which answers nothing.
        received_on: of the file; the day of settlement where the batch says none.
    """
    header = batch.header
    return ReceivedEntry(
        trace=entry.trace_number,
        amount_cents=entry.amount_cents,
        is_credit=entry.transaction_code in CREDIT_CODES,
        settled_on=date_from(header.effective_entry_date) or received_on,
        company_id=header.company_id,
        company_name=header.company_name,
        identification=entry.identification,
        trns=tuple(_trns(addenda.text for addenda in entry.addenda)),
        line=entry.line,
    )


def _trns(texts: Iterable[str]) -> Iterable[tuple[str, str]]:
    for text in texts:
        parts = trn_parts(text)
        if parts is not None:
            yield parts[0], parts[1]


def not_ours(entry: Entry, own_account: str) -> Finding | None:
    """Say that an entry goes to another account than the custodial one; None: it goes there."""
    if entry.account_number.lstrip("0") == own_account.lstrip("0"):
        return None
    return Finding(
        rule="entry_is_an_answer",
        element="entry",
        expected="a return, a notification of change, or a payment to the custodial account",
        found=f"an entry to an account ending {entry.account_number[-4:]}",
        line=entry.line,
        advice="Check that this is the bank's file and not one that was sent to it.",
    )
