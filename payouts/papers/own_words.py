"""What the PSAO's own items of a remittance are called on paper, and who took or gave each."""

from datetime import date
from typing import Final

from payouts.papers.words import month_words

_FEE: Final = "PSAO-FEE-"
_TAKES: Final = {
    "PSAO-BALANCE": "Carried: owed by you from before, or still awaited from a payer",
    "PSAO-CARRY": "Carried to a later payment",
    "PSAO-HELD": "Put on hold for you: it stays yours",
    "PSAO-HOLD-LIFTED": "Put on hold again: it stays yours",
    "PSAO-TRANSFER": "Moved to another of your payments of this day",
    "PSAO-LEVIED": "Taken under a legal order for a third party, not by us",
    "PSAO-PAYER-DEBITED": "Taken back by a payer by bank debit, not by us",
    "PSAO-MEMBER-CORRECTED": "Correction between pharmacies, approved: claims that were not yours",
    "PSAO-NETWORK-ADJUSTMENT-ALLOCATED": "Your part of what a payer took from the whole network, not by us",
    "PSAO-PAYEE-FOUND": "Taken back for its pharmacy: claims that were not yours",
    "PSAO-FEE-REFUNDED": "Our flat fee: a refund of it taken back by us",
    "PSAO-INTEREST-ALLOCATED": "Bank interest, corrected by the bank, not by us",
    "PSAO-MEMBER-PAID": "What you paid back: the bank did not receive it",
    "PSAO-ADVANCE-WRITTEN-OFF": "A negative balance that you owe again: it was not written off",
    "PSAO-OPENED": "Balance at the start, corrected: it was not yours",
}
_GIVES: Final = {
    "PSAO-BALANCE": "Brought forward: owed to you from before",
    "PSAO-CARRY": "Brought forward: owed to you from before",
    "PSAO-HELD": "Released from hold",
    "PSAO-HOLD-LIFTED": "Released from hold",
    "PSAO-TRANSFER": "Moved from another of your payments of this day",
    "PSAO-FEE-REFUNDED": "Our flat fee, refunded",
    "PSAO-MEMBER-CORRECTED": "Correction between pharmacies, approved: claims that were yours",
    "PSAO-NETWORK-ADJUSTMENT-ALLOCATED": "Your part of what a payer gave to the whole network",
    "PSAO-PAYEE-FOUND": "Found: claims that came under an unknown identifier",
    "PSAO-INTEREST-ALLOCATED": "Bank interest",
    "PSAO-MEMBER-PAID": "Paid back by you before",
    "PSAO-ADVANCE-WRITTEN-OFF": "A negative balance, written off by us",
    "PSAO-OPENED": "Balance at the start",
    "PSAO-LEVIED": "Given back: taken before under a legal order",
    "PSAO-PAYER-DEBITED": "Given back: taken before by a payer by bank debit",
}


def fee_month(reference: str) -> date | None:
    """Give the month of a reference that names one of the flat fee, such as ``PSAO-FEE-2026-11``; else None."""
    if not reference.startswith(_FEE) or not reference.removeprefix(_FEE)[:4].isdigit():
        return None
    return date.fromisoformat(f"{reference.removeprefix(_FEE)}-01")


def own_words(reference: str, amount_cents: int) -> str:
    """Say what an own item is.

    Args:
        reference: its reserved reference, as in the member's own 835.
        amount_cents: negative takes from the payment, positive adds to it.
    """
    month = fee_month(reference)
    if month is not None:
        return f"Our flat fee for {month_words(month)}"
    plain = reference.removeprefix("PSAO-").replace("-", " ").lower()
    return (_TAKES if amount_cents < 0 else _GIVES).get(reference, plain.capitalize())
