"""Members that owe: how old it is, what came back, and what is refused when the world moves."""

from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest

from ingest.bank.bai2_writer import StatementLine
from ledger.chart import Account
from ledger.errors import LiabilityInDebitError
from ledger.events import float_deposited
from payouts import decisions, negatives
from payouts.errors import AskedOtherwiseError, BankReferenceError
from payouts.float_cover import FloatCover, float_cover
from payouts.holding.errors import OwesNothingError, WriteOffOrderError
from payouts.negatives import Negative, bucket_of
from tests.support.bank import paid_out
from tests.support.books import CHECKER, MAKER, Books
from tests.support.lives import kept
from tests.support.trade import STRANGER, A, B, C, Part, remittance

DAY, LATER, LAST = date(2026, 11, 9), date(2026, 11, 12), date(2026, 11, 30)


@pytest.fixture
@kept
def owing(books: Books) -> Books:
    """Give books with 5,000.00 of float in which B owes 3,100.00 since the ninth."""
    books.put_in("OWN1", 5_000_00, date(2026, 11, 2))
    books.fund(remittance("T1", DAY, Part(A, (4_000_00,)), Part(B, (-3_100_00,))))
    return books


def _list(books: Books, on: date = LAST) -> list[Negative]:
    with books.begin() as connection:
        return negatives.list_negatives(connection, on)


def _ask_payment(books: Books, cents: int, reference: str = "WIRE") -> int:
    books.book(LATER, StatementLine("195", cents, reference, "", "INCOMING WIRE"))
    return _again(books, reference)


def _again(books: Books, reference: str) -> int:
    with books.begin() as connection:
        return negatives.propose_payment(connection, books.member(B), reference, MAKER)


def _ask_write_off(books: Books, cents: int, reason: str = "closed", member: UUID | None = None) -> int:
    with books.begin() as connection:
        whose = member or books.member(B)
        return negatives.propose_write_off(connection, whose, cents, reason, on=LATER, actor=MAKER)


def _approve(books: Books, approval: int) -> None:
    with books.begin() as connection:
        decisions.decide(connection, approval, CHECKER, approve=True)


def _cover(books: Books) -> FloatCover:
    with books.begin() as connection:
        return float_cover(connection)


def test_spell_begins_anew_after_it_ended(owing: Books) -> None:
    """Recovered and negative again, the age counts from the second time, and only that one's money."""
    owing.fund(remittance("T2", LATER, Part(B, (4_000_00,))))
    owing.fund(remittance("T3", date(2026, 11, 20), Part(A, (2_000_00,)), Part(B, (-1_000_00,))))
    (found,) = _list(owing)
    assert (found.since, found.owed_cents, found.advanced_cents) == (date(2026, 11, 20), 100_00, 100_00)
    assert (found.recovered_cents, found.days) == (0, 10)
    assert [each.owed_cents for each in _list(owing, date(2026, 11, 10))] == [3_100_00]
    assert _list(owing, date(2026, 11, 8)) == _list(owing, date(2026, 11, 15)) == []


def test_all_ways_back_are_told_apart(owing: Books) -> None:
    """Of 3,100.00: 1,000.00 from funding, 500.00 paid, 250.00 written off, 1,350.00 still owed since the same day."""
    owing.fund(remittance("T2", LATER, Part(B, (1_000_00,))))
    _approve(owing, _ask_payment(owing, 500_00))
    _approve(owing, _ask_write_off(owing, 250_00))
    (found,) = _list(owing)
    assert found.since == DAY
    came_back = (found.recovered_cents, found.paid_cents, found.written_off_cents)
    assert (found.advanced_cents, came_back, found.owed_cents) == (3_100_00, (1_000_00, 500_00, 250_00), 1_350_00)
    owing.prove()


@pytest.mark.parametrize(
    ("days", "bucket"),
    [(0, "0-30"), (30, "0-30"), (31, "31-60"), (60, "31-60"), (61, "61-90"), (90, "61-90"), (91, "over 90")],
)
def test_buckets_meet_without_a_gap(days: int, bucket: str) -> None:
    """Each day is in one bucket."""
    assert bucket_of(days) == bucket


@pytest.mark.parametrize(
    "ask", [lambda books: _ask_payment(books, 3_000_00), lambda books: _ask_write_off(books, 3_000_00)]
)
def test_less_is_owed_when_it_is_approved(owing: Books, ask: Callable[[Books], int]) -> None:
    """3,000.00 are to be paid or given up; 2,500.00 come in before the second person: refused, 600.00 stay owed."""
    approval = ask(owing)
    owing.fund(remittance("T2", LATER, Part(B, (2_500_00,))))
    with pytest.raises(OwesNothingError) as caught:
        _approve(owing, approval)
    assert caught.value.owed_cents == 600_00
    assert (owing.balance(B, Account.DUE_AVAILABLE), owing.balance(B, Account.OPERATING_ADVANCE)) == (-600_00, 600_00)
    owing.prove()


def test_another_question_is_not_answered_with_the_first(owing: Books) -> None:
    """A wire asked for as B's payment is not silently C's; 100.00 to be given up are not silently 700.00."""
    payment, write_off = _ask_payment(owing, 500_00), _ask_write_off(owing, 100_00)
    owing.fund(remittance("T2", LATER, Part(A, (100_00,)), Part(C, (-50_00,))))
    with owing.begin() as connection, pytest.raises(AskedOtherwiseError, match=f"approvals reject {payment}"):
        negatives.propose_payment(connection, owing.member(C), "WIRE", MAKER)
    with pytest.raises(AskedOtherwiseError, match=f"approvals reject {write_off}"):
        _ask_write_off(owing, 700_00)
    assert (_again(owing, "WIRE"), _ask_write_off(owing, 100_00, "again")) == (payment, write_off)


def test_deposit_that_was_used_otherwise(owing: Books) -> None:
    """The wire is taken as own money before the payment is approved: the deposit is not used twice."""
    approval = _ask_payment(owing, 100_00)
    ((line_id,),) = owing.ask("SELECT bank_line_id FROM bank_line WHERE amount_cents = 10000")
    owing.post(float_deposited("other", LATER, line_id, 100_00))
    with pytest.raises(LiabilityInDebitError):
        _approve(owing, approval)
    assert owing.balance(B, Account.DUE_AVAILABLE) == -3_100_00


def test_what_can_not_be_asked(owing: Books) -> None:
    """More than is owed, nothing, no reason, a member that owes nothing, a reference that no open credit has."""
    with pytest.raises(OwesNothingError):
        _ask_write_off(owing, 3_100_01)
    with pytest.raises(OwesNothingError):
        _ask_write_off(owing, 1, member=owing.member(C))
    for cents, reason in ((0, "closed"), (-5, "closed"), (5, " ")):
        with pytest.raises(WriteOffOrderError):
            _ask_write_off(owing, cents, reason)
    with pytest.raises(BankReferenceError):
        _again(owing, "NONE")
    owing.book(LATER, paid_out("OUT", 5_00))
    with pytest.raises(BankReferenceError):
        _again(owing, "OUT")
    assert owing.ask("SELECT FROM approval WHERE state = 'pending'") == []


def test_float_that_leans(owing: Books) -> None:
    """An unknown payee's -300.00, 40.00 of unexplained debit: of 1,900.00 left 1,560.00 may be withdrawn."""
    owing.fund(remittance("T2", LATER, Part(A, (1_000_00,)), Part(STRANGER, (-300_00,))))
    owing.book(LATER, paid_out("ODD", 40_00))
    cover = _cover(owing)
    assert (cover.float_cents, cover.advanced_cents, cover.leaning_cents) == (1_900_00, 3_100_00, 340_00)
    assert [each.cents for each in cover.unknown_payees] == [300_00]
    assert cover.withdrawable_cents == 1_560_00
