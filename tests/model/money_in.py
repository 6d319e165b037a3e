"""Builders of the events by which money and promises arrive. Amounts are cents; a negative share turns its lines."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.model.facts import HOUSE, Line, Transaction
from tests.model.legs import Fact, move, transaction


@dataclass(frozen=True)
class Advice:
    """One advice: each member's share, each unknown payee's, and the payer's adjustment of the network."""

    advice_id: str
    shares: Mapping[str, int]
    """Member id to claims less the payer's provider-level adjustments, in cents."""
    unknown: Mapping[str, int] = field(default_factory=dict[str, int])
    """Identifier that is no member's, to cents."""
    network_cents: int = 0
    """Negative when the payer takes from the network as a whole."""

    @property
    def paid_cents(self) -> int:
        """What the payer pays for the advice (BPR02)."""
        return sum(self.shares.values()) + sum(self.unknown.values()) + self.network_cents


def deposited(fact: Fact, bank_line: str, amount_cents: int) -> Transaction:
    """Book a credit on the bank account: house, Dr cash / Cr unmatched_deposit."""
    legs = move(HOUSE, "cash", "unmatched_deposit", amount_cents, None, bank_line)
    return transaction("deposited", fact, legs, bank_line=bank_line)


def debited(fact: Fact, bank_line: str, amount_cents: int) -> Transaction:
    """Book a debit of a positive amount: house, Dr unmatched_debit / Cr cash."""
    legs = move(HOUSE, "unmatched_debit", "cash", amount_cents, bank_line)
    return transaction("debited", fact, legs, bank_line=bank_line)


def advised(fact: Fact, advice: Advice) -> Transaction:
    """Book what a payer promises: Dr advised / Cr what each owner is due once it is funded."""
    name = advice.advice_id
    legs: list[Iterator[Line]] = [
        move(member, "advised", "due_unfunded", cents, name, name) for member, cents in advice.shares.items()
    ]
    legs += [
        move(HOUSE, "advised", "unknown_payee_unfunded", cents, name, identifier)
        for identifier, cents in advice.unknown.items()
    ]
    legs.append(move(HOUSE, "advised", "network_adjustment_unfunded", advice.network_cents, name))
    return transaction("advised", fact, *legs)


def funded(fact: Fact, advice: Advice, deposits: Mapping[str, int]) -> Transaction:
    """Match an advice with its deposits (bank line to cents); one that pays nothing needs none."""
    name = advice.advice_id
    legs = [move(HOUSE, "unmatched_deposit", "cash", cents, bank_line) for bank_line, cents in deposits.items()]
    for member, cents in advice.shares.items():
        legs.append(move(member, "cash", "advised", cents, None, name))
        legs.append(move(member, "due_unfunded", "due_available", cents, name))
    for identifier, cents in advice.unknown.items():
        legs.append(move(HOUSE, "cash", "advised", cents, None, name))
        legs.append(move(HOUSE, "unknown_payee_unfunded", "unknown_payee", cents, identifier, identifier))
    legs.append(move(HOUSE, "cash", "advised", advice.network_cents, None, name))
    legs.append(move(HOUSE, "network_adjustment_unfunded", "network_adjustment", advice.network_cents))
    return transaction("funded", fact, *legs)


def payee_found(fact: Fact, identifier: str, member: str, amount_cents: int) -> Transaction:
    """Give a member what was funded for an unknown payee."""
    return transaction(
        "payee_found",
        fact,
        move(HOUSE, "unknown_payee", "cash", amount_cents, identifier),
        move(member, "cash", "due_available", amount_cents),
    )


def payee_found_unfunded(fact: Fact, identifier: str, advice: str, member: str, amount_cents: int) -> Transaction:
    """Give a member what is advised for an unknown payee and not yet funded."""
    return transaction(
        "payee_found_unfunded",
        fact,
        move(HOUSE, "unknown_payee_unfunded", "advised", amount_cents, identifier, advice),
        move(member, "advised", "due_unfunded", amount_cents, advice, advice),
    )


def overpaid(fact: Fact, bank_line: str, amount_cents: int) -> Transaction:
    """Set aside what was deposited in excess: house, Dr unmatched_deposit / Cr due_to_payer."""
    return transaction("overpaid", fact, move(HOUSE, "unmatched_deposit", "due_to_payer", amount_cents, bank_line))


def suspended(fact: Fact, bank_line: str, amount_cents: int) -> Transaction:
    """Park a deposit without advice: house, Dr unmatched_deposit / Cr suspense."""
    legs = move(HOUSE, "unmatched_deposit", "suspense", amount_cents, bank_line, bank_line)
    return transaction("suspended", fact, legs)


def unsuspended(fact: Fact, bank_line: str, amount_cents: int) -> Transaction:
    """Bring a parked deposit back: house, Dr suspense / Cr unmatched_deposit."""
    legs = move(HOUSE, "suspense", "unmatched_deposit", amount_cents, bank_line, bank_line)
    return transaction("unsuspended", fact, legs)


def interest_earned(fact: Fact, bank_line: str, amount_cents: int) -> Transaction:
    """Owe bank interest to the members: house, Dr unmatched_deposit / Cr interest_due."""
    return transaction(
        "interest_earned", fact, move(HOUSE, "unmatched_deposit", "interest_due", amount_cents, bank_line)
    )


def interest_allocated(fact: Fact, shares: Mapping[str, int]) -> Transaction:
    """Give bank interest to the members: house, Dr interest_due / Cr cash; members, Dr cash / Cr due_available."""
    return transaction(
        "interest_allocated",
        fact,
        move(HOUSE, "interest_due", "cash", sum(shares.values())),
        *(move(member, "cash", "due_available", cents) for member, cents in shares.items()),
    )


def network_adjustment_allocated(fact: Fact, shares: Mapping[str, int]) -> Transaction:
    """Pass a funded adjustment of the network on; positive shares are what members bear, negative what they get."""
    return transaction(
        "network_adjustment_allocated",
        fact,
        move(HOUSE, "cash", "network_adjustment", sum(shares.values())),
        *(move(member, "due_available", "cash", cents) for member, cents in shares.items()),
    )


def member_paid(fact: Fact, bank_line: str, member: str, amount_cents: int) -> Transaction:
    """Credit a member with what it paid back."""
    return transaction(
        "member_paid",
        fact,
        move(HOUSE, "unmatched_deposit", "cash", amount_cents, bank_line),
        move(member, "cash", "due_available", amount_cents),
    )


def opened(fact: Fact, bank_line: str, shares: Mapping[str, int]) -> Transaction:
    """Open members' books at go-live out of one deposit."""
    return transaction(
        "opened",
        fact,
        move(HOUSE, "unmatched_deposit", "cash", sum(shares.values()), bank_line),
        *(move(member, "cash", "due_available", cents) for member, cents in shares.items()),
    )
