"""Builders of the events by which money is paid out, held back or taken. Amounts are positive cents."""

from collections.abc import Sequence

from tests.model.facts import HOUSE, Ledger, Line, Payout, Transaction
from tests.model.legs import Fact, move, transaction


def payout_released(fact: Fact, payouts: Sequence[Payout]) -> Transaction:
    """Release payouts: each member, Dr due_available / Cr in_transit."""
    legs = [
        move(payout.member_id, "due_available", "in_transit", payout.amount_cents, None, payout.payout_id)
        for payout in payouts
    ]
    return transaction("payout_released", fact, *legs)


def levy_released(fact: Fact, member: str, payout_id: str, amount_cents: int) -> Transaction:
    """Pay a levy to the third party: Dr levied / Cr in_transit."""
    return transaction("levy_released", fact, move(member, "levied", "in_transit", amount_cents, None, payout_id))


def escheat_released(fact: Fact, member: str, payout_id: str, amount_cents: int) -> Transaction:
    """Pay unclaimed property to the state: Dr unclaimed / Cr in_transit."""
    return transaction("escheat_released", fact, move(member, "unclaimed", "in_transit", amount_cents, None, payout_id))


def refund_released(fact: Fact, payout_id: str, amount_cents: int) -> Transaction:
    """Pay an overpayment back to the payer: house, Dr due_to_payer / Cr in_transit."""
    legs = move(HOUSE, "due_to_payer", "in_transit", amount_cents, None, payout_id)
    return transaction("refund_released", fact, legs)


def payout_settled(fact: Fact, bank_line: str, items: Sequence[tuple[str, str, int]]) -> Transaction:
    """Settle (owner, payout, cents) against the bank line of the file's total.

    The matrix gives the house no credit of cash here, so a refund nets within the house's entry: what is left of
    its cash is what the members bring.
    """
    members = [item for item in items if item[0] != HOUSE]
    house = [
        Line(HOUSE, Ledger.CUSTODY, "in_transit", cents, payout) for owner, payout, cents in items if owner == HOUSE
    ]
    brought = sum(cents for _, _, cents in members)
    total = sum(cents for _, _, cents in items)
    if brought:
        house.append(Line(HOUSE, Ledger.CUSTODY, "cash", brought))
    house.append(Line(HOUSE, Ledger.CUSTODY, "unmatched_debit", -total, bank_line))
    legs = [move(owner, "in_transit", "cash", cents, payout) for owner, payout, cents in members]
    return transaction("payout_settled", fact, *legs, house)


def payout_returned(fact: Fact, bank_line: str, member: str, amount_cents: int) -> Transaction:
    """Hold what came back from a member's bank."""
    return transaction(
        "payout_returned",
        fact,
        move(HOUSE, "unmatched_deposit", "cash", amount_cents, bank_line),
        move(member, "cash", "held", amount_cents),
    )


def held(fact: Fact, member: str, amount_cents: int) -> Transaction:
    """Put a hold on what is payable: Dr due_available / Cr held."""
    return transaction("held", fact, move(member, "due_available", "held", amount_cents))


def hold_lifted(fact: Fact, member: str, amount_cents: int) -> Transaction:
    """Lift a hold: Dr held / Cr due_available."""
    return transaction("hold_lifted", fact, move(member, "held", "due_available", amount_cents))


def levied(fact: Fact, member: str, amount_cents: int) -> Transaction:
    """Owe to a third party under a legal order: Dr due_available / Cr levied."""
    return transaction("levied", fact, move(member, "due_available", "levied", amount_cents))


def unclaimed(fact: Fact, member: str, amount_cents: int) -> Transaction:
    """Turn a hold into unclaimed property: Dr held / Cr unclaimed."""
    return transaction("unclaimed", fact, move(member, "held", "unclaimed", amount_cents))


def payer_debited(fact: Fact, bank_line: str, member: str, amount_cents: int) -> Transaction:
    """Charge a member with what its payer took from the account."""
    return transaction(
        "payer_debited",
        fact,
        move(member, "due_available", "cash", amount_cents),
        move(HOUSE, "cash", "unmatched_debit", amount_cents, None, bank_line),
    )


def debit_returned(fact: Fact, deposit: str, debit: str, amount_cents: int) -> Transaction:
    """Clear a debit that the bank gave back: house, Dr unmatched_deposit / Cr unmatched_debit."""
    legs = move(HOUSE, "unmatched_deposit", "unmatched_debit", amount_cents, deposit, debit)
    return transaction("debit_returned", fact, legs)


def member_corrected(fact: Fact, giver: str, taker: str, amount_cents: int) -> Transaction:
    """Move money that was one member's by mistake to the member whose it is."""
    return transaction(
        "member_corrected",
        fact,
        move(giver, "due_available", "cash", amount_cents),
        move(taker, "cash", "due_available", amount_cents),
    )
