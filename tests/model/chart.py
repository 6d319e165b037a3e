"""The chart of accounts: the kind of each account, and what a line on it refers to."""

from dataclasses import dataclass
from enum import StrEnum

from tests.model.facts import Ledger


class Kind(StrEnum):
    """What an account is, as far as the refusals care."""

    ASSET = "asset"
    """Normally in debit."""
    LIABILITY = "liability"
    """Normally in credit; refused in debit unless it is free."""
    FREE = "free"
    """A liability that may be in debit, or an account that stands on either side."""
    OWN = "own"
    """Equity, income or expense of the operating ledger."""


class Refers(StrEnum):
    """What a line's reference names."""

    NOTHING = "nothing"
    ADVICE = "advice"
    BANK_LINE = "bank_line"
    PAYOUT = "payout"
    MONTH = "month"
    IDENTIFIER = "identifier"


@dataclass(frozen=True)
class Account:
    """One account; for an open item each reference's own balance may not end on its wrong side."""

    ledger: Ledger
    kind: Kind
    refers: Refers = Refers.NOTHING
    open_item: bool = False


_C, _O = Ledger.CUSTODY, Ledger.OPERATING

CHART: dict[str, Account] = {
    "cash": Account(_C, Kind.ASSET),
    "advised": Account(_C, Kind.ASSET, Refers.ADVICE),
    "unmatched_debit": Account(_C, Kind.ASSET, Refers.BANK_LINE, open_item=True),
    "network_adjustment_unfunded": Account(_C, Kind.FREE),
    "network_adjustment": Account(_C, Kind.FREE),
    "due_unfunded": Account(_C, Kind.FREE, Refers.ADVICE),
    "due_available": Account(_C, Kind.FREE),
    "operating_advance": Account(_C, Kind.LIABILITY),
    "held": Account(_C, Kind.LIABILITY),
    "levied": Account(_C, Kind.LIABILITY),
    "in_transit": Account(_C, Kind.LIABILITY, Refers.PAYOUT, open_item=True),
    "fee_withheld": Account(_C, Kind.LIABILITY, Refers.MONTH, open_item=True),
    "unclaimed": Account(_C, Kind.LIABILITY),
    "unmatched_deposit": Account(_C, Kind.LIABILITY, Refers.BANK_LINE, open_item=True),
    "suspense": Account(_C, Kind.LIABILITY, Refers.BANK_LINE, open_item=True),
    "unknown_payee_unfunded": Account(_C, Kind.FREE, Refers.IDENTIFIER),
    "unknown_payee": Account(_C, Kind.FREE, Refers.IDENTIFIER),
    "due_to_payer": Account(_C, Kind.LIABILITY),
    "interest_due": Account(_C, Kind.LIABILITY),
    "operating_float": Account(_C, Kind.LIABILITY),
    "operating_cash": Account(_O, Kind.ASSET),
    "custody_float": Account(_O, Kind.ASSET),
    "fee_receivable": Account(_O, Kind.ASSET, Refers.MONTH, open_item=True),
    "advance_receivable": Account(_O, Kind.ASSET),
    "equity": Account(_O, Kind.OWN),
    "fee_revenue": Account(_O, Kind.OWN, Refers.MONTH),
    "fee_waived": Account(_O, Kind.OWN, Refers.MONTH),
    "bad_debt": Account(_O, Kind.OWN),
    "bank_charges": Account(_O, Kind.OWN),
}

UNFUNDED = ("advised", "due_unfunded", "unknown_payee_unfunded", "network_adjustment_unfunded")
"""Accounts that hold what was promised and not yet paid; they cancel out for each owner."""

OWED_TO_THIRD_PARTIES = ("unmatched_deposit", "suspense", "due_to_payer", "interest_due", "in_transit")
"""What the house owes to others out of its share of the bank account, besides each unknown payee that is in credit."""

FLOAT_LEANERS = ("unknown_payee", "network_adjustment", "operating_float")
"""House accounts whose negatives only the float covers, and the float."""

MEMBER_LIABILITIES = (
    "due_available",
    "operating_advance",
    "held",
    "levied",
    "in_transit",
    "fee_withheld",
    "unclaimed",
)
"""The funded liabilities of a member, which its share of the bank account answers for."""
