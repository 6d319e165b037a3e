"""Which part of a certificate an event is, and what an event may move in a member's book at all.

Nothing is left over: an event that has no part here, or a line that the matrix of postings does not know, makes a
certificate refuse, whatever wrote it.
"""

from collections.abc import Mapping
from typing import Final

PARTS: Final[Mapping[str, str]] = {
    "claims": "Claims that payers advised",
    "taken_by_payers": "Taken (or given) by payers, not by us",
    "advices_reversed": "Advices reversed",
    "identified": "Found to be yours, under an identifier of another",
    "corrections": "Corrected between pharmacies",
    "levies": "Levied under legal orders",
    "unclaimed": "Turned over to states as unclaimed property",
    "interest": "Bank interest passed on",
    "paid_by_member": "Paid back by the pharmacy",
    "written_off": "What was owed to us, written off by us",
    "taken_over": "Balances taken over at the start",
    "payouts": "Paid out",
    "payouts_returned": "Payouts that came back from the bank",
    "flat_fee": "Our flat fee, less refunds",
}
"""What changes what is owed to a member, in the order in which it is told; the sum of all is closing less opening."""

PART_OF: Final[Mapping[str, str]] = {
    "advised": "advices_reversed",
    "payer_debited": "taken_by_payers",
    "network_adjustment_allocated": "taken_by_payers",
    "payee_found": "identified",
    "payee_found_unfunded": "identified",
    "member_corrected": "corrections",
    "levied": "levies",
    "unclaimed": "unclaimed",
    "interest_allocated": "interest",
    "member_paid": "paid_by_member",
    "advance_written_off": "written_off",
    "opened": "taken_over",
    "payout_released": "payouts",
    "payout_returned": "payouts_returned",
    "fee_collected": "flat_fee",
    "fee_refunded": "flat_fee",
}
"""The part of each event that changes what is owed; a reversal is of what it reverses.

An advice itself is told by its claims and by what the payer took of them; ``advised`` here is one that was reversed.
"""

OWED: Final = ("due_available", "due_unfunded", "held")
"""What is owed to a member, as its statement says it (proof P5)."""
LEFT: Final = ("levied", "in_transit", "fee_withheld", "unclaimed")
"""What is not owed to the member any more and has not left the bank account."""
NOT_THEIRS: Final = frozenset({"fee_withheld", "operating_advance", "operating_float"})
"""The PSAO's own money in the custodial account: fees on their way to the float, the float, and what of it is lent."""

_FUNDING: Final = frozenset({"advised", "cash", "due_available", "due_unfunded"})
_CASH_DUE: Final = frozenset({"cash", "due_available"})
CUSTODY_OF: Final[Mapping[str, frozenset[str]]] = {
    "advised": frozenset({"advised", "due_unfunded"}),
    "funded": _FUNDING,
    "advanced": frozenset({"cash", "operating_advance"}),
    "advance_repaid": frozenset({"cash", "operating_advance"}),
    "advance_written_off": frozenset({"due_available", "operating_advance"}),
    "fee_collected": frozenset({"due_available", "fee_withheld"}),
    "fee_swept": frozenset({"cash", "fee_withheld"}),
    "fee_refunded": _CASH_DUE,
    "payout_released": frozenset({"due_available", "in_transit"}),
    "levy_released": frozenset({"in_transit", "levied"}),
    "escheat_released": frozenset({"in_transit", "unclaimed"}),
    "payout_settled": frozenset({"cash", "in_transit"}),
    "payout_returned": frozenset({"cash", "held"}),
    "held": frozenset({"due_available", "held"}),
    "hold_lifted": frozenset({"due_available", "held"}),
    "levied": frozenset({"due_available", "levied"}),
    "unclaimed": frozenset({"held", "unclaimed"}),
    "payee_found": _CASH_DUE,
    "payee_found_unfunded": frozenset({"advised", "due_unfunded"}),
    "payer_debited": _CASH_DUE,
    "interest_allocated": _CASH_DUE,
    "network_adjustment_allocated": _CASH_DUE,
    "member_corrected": _CASH_DUE,
    "member_paid": _CASH_DUE,
    "opened": _CASH_DUE,
}
"""What each event may move in a member's custody book: the matrix of postings, said here once more."""

OPERATING_OF: Final[Mapping[str, frozenset[str]]] = {
    "advanced": frozenset({"advance_receivable", "custody_float"}),
    "advance_repaid": frozenset({"advance_receivable", "custody_float"}),
    "advance_written_off": frozenset({"advance_receivable", "bad_debt"}),
    "fee_assessed": frozenset({"fee_receivable", "fee_revenue"}),
    "fee_swept": frozenset({"custody_float", "fee_receivable"}),
    "fee_waived": frozenset({"fee_receivable", "fee_waived"}),
    "fee_refunded": frozenset({"custody_float", "fee_waived"}),
}
"""The same for the PSAO's own books about a member."""

OWN_MOVES: Final[Mapping[str, str]] = {
    "fee_collected": "flat_fee",
    "fee_refunded": "flat_fee",
    "float_deposited": "float_in",
    "float_withdrawn": "float_out",
    "bank_charged": "bank_charges",
    "advance_written_off": "written_off",
}
"""What changes the PSAO's own money in the custodial account; anything else that did would be a share of others'."""


def is_known(ledger: str, event: str, account: str) -> bool:
    """Say whether an event may move an account in a member's book."""
    of = CUSTODY_OF if ledger == "custody" else OPERATING_OF
    return account in of.get(event, frozenset())
