"""The flat fee in the books, for tests: assessed, collected, and members that leave."""

from datetime import date

from app.demo.pharmacies import Pharmacy
from ingest.receiving import FileVerdict
from ledger.chart import Account, Ledger
from payouts.fees.assessment import assess
from tests.support.books import MAKER, Books, roster, roster_row
from tests.support.trade import A, Part, remittance

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
MONDAY, TUESDAY = date(2026, 11, 16), date(2026, 11, 17)


def assess_fees(books: Books, month: date = NOVEMBER) -> tuple[int, int]:
    """Assess a month; give how many members, and their cents."""
    with books.begin() as connection:
        done = assess(connection, month, MAKER)
    return done.members, done.amount_cents


def receivable(books: Books, store: Pharmacy = A) -> int:
    """Give what of the fee of a store is open, in cents."""
    return -books.balance(store, Account.FEE_RECEIVABLE, Ledger.OPERATING)


def import_rows(books: Books, *rows: dict[str, str]) -> FileVerdict:
    """Take rows in as a roster."""
    return books.receive(roster(*rows), "roster.csv")


def leave(books: Books, store: Pharmacy, until: str) -> FileVerdict:
    """Record the last day of a store's membership; the roster is taken over."""
    verdict = import_rows(books, roster_row(store, member_until=until))
    assert verdict.status == "accepted", verdict.summary
    return verdict


def collect(books: Books, *stores: Pharmacy) -> None:
    """Assess November, fund each store with 500.00 and pay: its fee is collected and swept."""
    assess_fees(books)
    books.fund(remittance("T1", MONDAY, *(Part(store, (500_00,)) for store in stores)))
    books.pay(TUESDAY)
