"""Builders of the events of the PSAO's own money: the flat fee, the float, the operating ledger. Amounts are cents."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.model.facts import HOUSE, Transaction
from tests.model.legs import Fact, move, transaction


@dataclass(frozen=True)
class Fee:
    """One member's flat fee of a month (YYYYMM)."""

    member: str
    month: int
    amount_cents: int


def fee_assessed(fact: Fact, fees: Sequence[Fee]) -> Transaction:
    """Charge the month: operating, Dr fee_receivable / Cr fee_revenue."""
    legs = [move(fee.member, "fee_receivable", "fee_revenue", fee.amount_cents, fee.month, fee.month) for fee in fees]
    return transaction("fee_assessed", fact, *legs)


def fee_collected(fact: Fact, fees: Sequence[Fee]) -> Transaction:
    """Withhold the fee from what is payable: Dr due_available / Cr fee_withheld."""
    legs = [move(fee.member, "due_available", "fee_withheld", fee.amount_cents, None, fee.month) for fee in fees]
    return transaction("fee_collected", fact, *legs)


def fee_swept(fact: Fact, fees: Sequence[Fee]) -> Transaction:
    """Move withheld fees to the float and close their receivables."""
    legs = []
    for fee in fees:
        legs.append(move(fee.member, "fee_withheld", "cash", fee.amount_cents, fee.month))
        legs.append(move(fee.member, "custody_float", "fee_receivable", fee.amount_cents, None, fee.month))
    total = sum(fee.amount_cents for fee in fees)
    return transaction("fee_swept", fact, *legs, move(HOUSE, "cash", "operating_float", total))


def fee_waived(fact: Fact, fee: Fee) -> Transaction:
    """Waive a fee that is open: operating, Dr fee_waived / Cr fee_receivable."""
    legs = move(fee.member, "fee_waived", "fee_receivable", fee.amount_cents, fee.month, fee.month)
    return transaction("fee_waived", fact, legs)


def fee_refunded(fact: Fact, fee: Fee) -> Transaction:
    """Give back a fee that was swept, out of the float."""
    return transaction(
        "fee_refunded",
        fact,
        move(fee.member, "fee_waived", "custody_float", fee.amount_cents, fee.month),
        move(HOUSE, "operating_float", "cash", fee.amount_cents),
        move(fee.member, "cash", "due_available", fee.amount_cents),
    )


def advance_written_off(fact: Fact, member: str, amount_cents: int) -> Transaction:
    """Give up an advance that the member will not repay."""
    return transaction(
        "advance_written_off",
        fact,
        move(member, "bad_debt", "advance_receivable", amount_cents),
        move(member, "operating_advance", "due_available", amount_cents),
    )


def bank_charged(fact: Fact, bank_line: str, amount_cents: int) -> Transaction:
    """Bear a charge of the bank out of the float."""
    return transaction(
        "bank_charged",
        fact,
        move(HOUSE, "operating_float", "unmatched_debit", amount_cents, None, bank_line),
        move(HOUSE, "bank_charges", "custody_float", amount_cents),
    )


def float_deposited(fact: Fact, bank_line: str, amount_cents: int) -> Transaction:
    """Put the PSAO's own money into the custodial account."""
    return transaction(
        "float_deposited",
        fact,
        move(HOUSE, "unmatched_deposit", "operating_float", amount_cents, bank_line),
        move(HOUSE, "custody_float", "operating_cash", amount_cents),
    )


def float_withdrawn(fact: Fact, bank_line: str, amount_cents: int) -> Transaction:
    """Take the PSAO's own money out of the custodial account."""
    return transaction(
        "float_withdrawn",
        fact,
        move(HOUSE, "operating_float", "unmatched_debit", amount_cents, None, bank_line),
        move(HOUSE, "operating_cash", "custody_float", amount_cents),
    )


def operating_opened(fact: Fact, amount_cents: int) -> Transaction:
    """Open the operating ledger at go-live: Dr operating_cash / Cr equity."""
    return transaction("operating_opened", fact, move(HOUSE, "operating_cash", "equity", amount_cents))
