"""Step 5 of matching: a deposit that names no payment, whose payer the bank's text names, and one advice that fits.

Same payer, same amount to the cent, at most three banking days apart, and no other that fits on either side: then a
case says which two may belong together. Nothing is funded by it: a person proposes the match, another approves.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import Connection

from ingest.cases import CaseKind, settle_cases
from ingest.matching import Payment
from ingest.pools import payments
from ledger.queries import Queries
from payouts.resolutions.frame import QUERIES
from schemas.calendar import banking_days_between
from schemas.money import show_cents

MOST_BANKING_DAYS: Final = 3
"""So far may the day of payment and the day of booking be apart."""

_MATCHING = Queries("ingest", "matching.sql")
_NO_WORD = re.compile(r"[^A-Z0-9]+")


@dataclass(frozen=True, slots=True)
class PayerNames:
    """By what a bank's text names a payer: its aliases, and its ACH company ids."""

    payer_id: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnnamedDeposit:
    """An open deposit that names no payment, and the payers that its text names."""

    bank_line_id: int
    open_cents: int
    booked_on: date
    payer_ids: frozenset[str]


def payers_in(text: str, payers: Iterable[PayerNames]) -> frozenset[str]:
    """Find the payers that a bank's text names, by whole words, whatever the case and the signs between them."""
    said = _words(text)
    return frozenset(each.payer_id for each in payers if any(_words(name) in said for name in each.names))


def pair_up(
    waiting: Sequence[Payment], deposits: Sequence[UnnamedDeposit], days: Callable[[date, date], int]
) -> list[tuple[UnnamedDeposit, Payment]]:
    """Give the pairs that fit where neither side fits another; ``days`` counts banking days between two days."""
    pairs = [
        (deposit, payment)
        for deposit in deposits
        for payment in waiting
        if payment.payer_id in deposit.payer_ids
        and payment.cents == deposit.open_cents
        and abs(days(payment.paid_on, deposit.booked_on)) <= MOST_BANKING_DAYS
    ]
    of_deposit = Counter(deposit.bank_line_id for deposit, _ in pairs)
    of_payment = Counter(payment.advice_ids for _, payment in pairs)
    return [
        (deposit, payment)
        for deposit, payment in pairs
        if of_deposit[deposit.bank_line_id] == of_payment[payment.advice_ids] == 1
    ]


def suggest(connection: Connection) -> int:
    """Bring the cases of suggestions to what stands after a sweep; give how many are open.

    What a person refused is not suggested again.
    """
    connection.execute(_MATCHING["lock_cases"])
    payers = [
        PayerNames(row.payer_id, tuple(name for name in row.names if _words(name).strip()))
        for row in connection.execute(QUERIES["payer_names"])
    ]
    unnamed = [
        UnnamedDeposit(row.bank_line_id, row.open_cents, row.as_of, payers_in(row.description, payers))
        for row in connection.execute(QUERIES["unnamed_deposits"])
    ]
    refused = set(connection.execute(QUERIES["refused_suggestions"]).scalars())
    pairs = pair_up(payments(connection), unnamed, banking_days_between)
    standing = {
        subject: (deposit.open_cents, _said(deposit, payment))
        for deposit, payment in pairs
        if (subject := _subject(deposit, payment)) not in refused
    }
    settle_cases(connection, CaseKind.MATCH_SUGGESTED, standing, "no longer so at a later match")
    return len(standing)


def _words(text: str) -> str:
    """Give the words of a text, each between blanks."""
    return f" {_NO_WORD.sub(' ', text.upper()).strip()} "


def _subject(deposit: UnnamedDeposit, payment: Payment) -> str:
    noun = "advice" if len(payment.advice_ids) == 1 else "advices"
    return f"bank line {deposit.bank_line_id} for {noun} {', '.join(map(str, payment.advice_ids))}"


def _said(deposit: UnnamedDeposit, payment: Payment) -> str:
    return (
        f"booked {deposit.booked_on}, names {payment.payer_name or payment.payer_id} and no payment; "
        f"{payment.trace_number} over {show_cents(payment.cents)}, paid on {payment.paid_on}, is the only one that fits"
    )
