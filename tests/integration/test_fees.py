"""The flat monthly fee: from contract to receivable, once a month for every member, whatever was paid."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from app.demo.pharmacies import Pharmacy
from ingest.receiving import FileVerdict
from ledger.chart import Account, Ledger
from ledger.errors import FeeNotDueError
from ledger.events import fee_assessed, fee_waived
from ledger.posting import reverse
from payouts.fees.assessment import Assessed, assess
from tests.support.books import MAKER, Books, roster, roster_row
from tests.support.trade import A, B, C, pharmacy

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)


def _assess(books: Books, month: date = NOVEMBER) -> tuple[int, int]:
    with books.begin() as connection:
        done = assess(connection, month, MAKER)
    return done.members, done.amount_cents


def _receivable(books: Books, store: Pharmacy = A) -> int:
    return -books.balance(store, Account.FEE_RECEIVABLE, Ledger.OPERATING)


def _import(books: Books, *rows: dict[str, str]) -> FileVerdict:
    return books.receive(roster(*rows), "roster.csv")


def test_every_member_is_assessed_once(books: Books) -> None:
    """Idle members too; a second assessment of the month finds nothing left to do."""
    assert _assess(books) == (3, 600_00)
    assert _assess(books) == (0, 0)
    assert [_receivable(books, store) for store in (A, B, C)] == [200_00] * 3
    books.prove()


def test_the_report_names_the_month(books: Books) -> None:
    """The month is given as YYYY-MM."""
    with books.begin() as connection:
        assert assess(connection, NOVEMBER, MAKER) == Assessed(month="2026-11", members=3, amount_cents=600_00)


def test_two_assessments_at_once_assess_once(books: Books) -> None:
    """Two processes that assess the same month at the same moment make one receivable a member."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: _assess(books), range(2)))
    assert [_receivable(books, store) for store in (A, B, C)] == [200_00] * 3
    books.prove()


def test_a_member_that_joins_later_is_assessed_alone(books: Books) -> None:
    """A member taken on after the month's assessment is assessed by the next one, a month begun counts whole."""
    _assess(books)
    late = pharmacy(104, fee_cents=150_00, since=date(2026, 11, 20))
    assert _import(books, roster_row(late)).status == "accepted"
    assert _assess(books) == (1, 150_00)
    assert _receivable(books, late) == 150_00
    assert _assess(books, OCTOBER) == (3, 600_00)
    books.prove()


def test_a_free_contract_and_a_member_gone_pay_nothing(new_books: Books) -> None:
    """A fee of nothing makes no receivable; neither does a month after the membership."""
    new_books.found()
    free = pharmacy(105, fee_cents=0)
    _import(new_books, roster_row(A), roster_row(B, member_until="2026-10-31"), roster_row(free))
    assert _assess(new_books) == (1, 200_00)
    assert _receivable(new_books, B) == 0
    assert _assess(new_books, OCTOBER) == (2, 400_00)
    new_books.prove()


def test_a_new_fee_counts_from_the_month_that_begins_with_it(books: Books) -> None:
    """Of two contracts in a month the one of its first day of membership says the fee."""
    raised = roster_row(A, monthly_fee="250.00", fee_since="2026-11-15")
    assert _import(books, raised).status == "accepted"
    assert _assess(books) == (3, 600_00)
    assert _assess(books, DECEMBER) == (3, 650_00)
    books.prove()


def test_two_owners_in_one_month_pay_each_their_own(new_books: Books) -> None:
    """A store that changes hands in the month has two members, and each contract asks its fee."""
    new_books.found()
    new_owner = roster_row(A, member_since="2026-11-10", fee_since="2026-11-10", tin="839999999", monthly_fee="90.00")
    _import(new_books, roster_row(A, member_until="2026-11-09"), new_owner)
    assert _assess(new_books) == (2, 290_00)
    new_books.prove()


def test_a_reversed_fee_may_be_assessed_again(books: Books) -> None:
    """After the reversal of an assessment the month is assessed anew, once."""
    _assess(books)
    transaction_id = books.ask("SELECT transaction_id FROM journal_transaction WHERE event = 'fee_assessed'")[0][0]
    with books.begin() as connection:
        reverse(connection, transaction_id, fact_key="r", fact_on=NOVEMBER, actor=MAKER, reason="by mistake")
    assert _receivable(books) == 0
    assert _assess(books) == (3, 600_00)
    assert _assess(books) == (0, 0)
    assert _receivable(books) == 200_00
    books.prove()


def test_a_waived_fee_is_not_assessed_again(books: Books) -> None:
    """A waiver leaves the assessment standing."""
    _assess(books)
    books.post(fee_waived("waived", NOVEMBER, (books.member(A), NOVEMBER, 200_00), "first month free"))
    assert _assess(books) == (0, 0)
    assert _receivable(books) == 0
    books.prove()


@pytest.mark.parametrize("cents", [1, 200_01])
def test_no_other_amount_can_be_assessed(books: Books, cents: int) -> None:
    """The database refuses a fee that the contract does not ask for: no share of anything can be dressed as a fee."""
    with pytest.raises(FeeNotDueError):
        books.post(fee_assessed("wrong", NOVEMBER, [(books.member(A), cents)]))
