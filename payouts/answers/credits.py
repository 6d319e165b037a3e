"""Open bank lines, and what they name: traces and ids in their references and text."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from sqlalchemy import Connection

from ledger.queries import Queries
from payouts.errors import BankReferenceError

_BANK = Queries("ingest", "bank.sql")
_WORD = re.compile(r"[A-Za-z0-9]+")
_NUMBER = re.compile(r"[0-9]+")
_One = TypeVar("_One")
_Other = TypeVar("_Other")


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A bank line with something open: cents as the bank booked them and as they are open, debits negative."""

    bank_line_id: int
    as_of: date
    type_code: str
    cents: int
    open_cents: int
    references: frozenset[str]
    words: frozenset[str]
    """What stands in references and text: words of letters and digits, and the numbers within them."""


def open_lines(connection: Connection) -> list[OpenLine]:
    """Give the bank lines that nothing explains yet, oldest first."""
    return [
        OpenLine(
            row.bank_line_id,
            row.as_of,
            row.type_code,
            row.amount_cents,
            row.open_cents,
            frozenset({row.bank_reference, row.customer_reference} - {""}),
            _words(f"{row.bank_reference} {row.customer_reference} {row.description}"),
        )
        for row in connection.execute(_BANK["open_lines"])
    ]


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text)) | frozenset(_NUMBER.findall(text))


def single_line(connection: Connection, reference: str, *, sign: int) -> OpenLine:
    """Give the one open line that a person names by its reference.

    Args:
        connection: to read from.
        reference: the bank's or the customer's.
        sign: 1 for a credit, -1 for a debit.

    Raises:
        BankReferenceError: none has it, or several.
    """
    fitting = [line for line in open_lines(connection) if line.cents * sign > 0 and reference in line.references]
    if len(fitting) != 1:
        raise BankReferenceError(reference, len(fitting))
    return fitting[0]


def only_pairs(pairs: Iterable[tuple[_One, _Other]]) -> list[tuple[_One, _Other]]:
    """Keep the pairs in which each side is in no other pair: a choice between two is nobody's guess."""
    found = list(pairs)
    left = Counter(id(one) for one, _ in found)
    right = Counter(id(other) for _, other in found)
    return [(one, other) for one, other in found if left[id(one)] == right[id(other)] == 1]
