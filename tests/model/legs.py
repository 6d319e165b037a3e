"""The pairs of lines that the events are made of."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from tests.model.chart import CHART
from tests.model.facts import Line, Reference, Transaction


@dataclass(frozen=True)
class Fact:
    """The key and the date of a business fact."""

    key: str
    on: date


def move(owner: str, debit: str, credit: str, amount_cents: int, *references: Reference) -> Iterator[Line]:
    """Give the two lines Dr ``debit`` / Cr ``credit``; a negative amount turns them, zero gives none.

    The references are the debit's, then the credit's; those left out are None.
    """
    debit_reference, credit_reference = (*references, None, None)[:2]
    if amount_cents:
        yield Line(owner, CHART[debit].ledger, debit, amount_cents, debit_reference)
        yield Line(owner, CHART[credit].ledger, credit, -amount_cents, credit_reference)


def transaction(event: str, fact: Fact, *legs: Iterable[Line], bank_line: str | None = None) -> Transaction:
    """Put legs together."""
    return Transaction(event, fact.key, fact.on, tuple(line for leg in legs for line in leg), bank_line)
