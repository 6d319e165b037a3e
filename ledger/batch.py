"""What is handed to the ledger: transactions with their primary lines.

Entries, effective dates and the advances that belong to a transaction are derived by the database.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from ledger.chart import Account, Event, Ledger


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an owner's entry; debit positive, credit negative, integer cents.

    The reference names the item where the account has any: advice, bank line, payout, identifier, month as YYYYMM.
    """

    owner: UUID
    ledger: Ledger
    account: Account
    amount_cents: int
    reference: int | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """One business event with all its entries; the lines of an owner and ledger are one entry.

    ``fact_key`` names the business fact for ever: posting it again gives the first result, or a conflict.
    """

    event: Event
    fact_key: str
    fact_on: date
    lines: tuple[Line, ...]
    reason: str | None = None
    bank_line_id: int | None = None


@dataclass(slots=True)
class Batch:
    """Transactions to be posted together, all or none, in their order."""

    transactions: list[Transaction] = field(default_factory=list)

    def add(self, transaction: Transaction) -> None:
        """Put a transaction at the end, without lines of zero; one without any lines is left out."""
        lines = tuple(line for line in transaction.lines if line.amount_cents)
        if lines:
            self.transactions.append(
                Transaction(
                    transaction.event,
                    transaction.fact_key,
                    transaction.fact_on,
                    lines,
                    transaction.reason,
                    transaction.bank_line_id,
                )
            )

    def __bool__(self) -> bool:
        return bool(self.transactions)


Leg = tuple[Account, int | None]
"""An account and the item it is about."""


def pair(owner: UUID, ledger: Ledger, debit: Leg, credit: Leg, cents: int) -> Iterator[Line]:
    """Debit one account and credit another of the same owner; a negative amount turns both."""
    yield Line(owner, ledger, debit[0], cents, debit[1])
    yield Line(owner, ledger, credit[0], -cents, credit[1])


def merged(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Sum lines that are alike but for the amount; what nets to zero goes."""
    sums: dict[tuple[UUID, Ledger, Account, int | None], int] = {}
    for line in lines:
        key = (line.owner, line.ledger, line.account, line.reference)
        sums[key] = sums.get(key, 0) + line.amount_cents
    return tuple(
        Line(owner, ledger, account, cents, reference)
        for (owner, ledger, account, reference), cents in sums.items()
        if cents
    )
