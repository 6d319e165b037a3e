"""A member's statement: it foots, it shows every payer's words, and what was kept is the fee and nothing else."""

import csv
import io
import json
from datetime import date

import pytest

from app.demo.pharmacies import Pharmacy
from ledger.batch import Transaction, pair
from ledger.chart import Account, Event, Ledger
from ledger.errors import ReversalError
from ledger.events import payout_returned
from ledger.posting import reverse
from payouts.fees.assessment import assess
from payouts.statements.model import Statement
from payouts.statements.reading import statement
from payouts.statements.rows import statement_csv
from schemas.errors import WrongUseError
from schemas.money import cents_from_text
from tests.support.bank import paid_out, sent_back
from tests.support.books import MAKER, Books
from tests.support.trade import OTHER_PAYER, PAYER, A, B, Part, remittance

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 11, day) for day in (16, 17, 18, 19))
NOVEMBER, LAST = date(2026, 11, 1), date(2026, 11, 30)


def _made(books: Books, store: Pharmacy = A, from_on: date = NOVEMBER, to_on: date = LAST) -> Statement:
    member = books.member(store)
    with books.begin() as connection:
        return statement(connection, member, from_on, to_on)


def _reverse(books: Books, event: str) -> None:
    query = "SELECT max(transaction_id) FROM journal_transaction WHERE event::text = :event"
    transaction_id = books.ask(query, event=event)[0][0]
    with books.begin() as connection:
        reverse(connection, transaction_id, fact_key=f"r:{event}", fact_on=THURSDAY, actor=MAKER, reason="by mistake")


def _a_month(books: Books) -> None:
    """Two payers, an adjustment, the fee, a payout, and an advice that is not paid yet."""
    taken = Part(A, (600_00, 400_00), (("WO", 50_00), ("CS", -1_00)))
    books.fund(remittance("T1", MONDAY, taken, Part(B, (1,))))
    with books.begin() as connection:
        assess(connection, NOVEMBER, MAKER)
    books.pay(TUESDAY)
    books.remit(remittance("T2", WEDNESDAY, Part(A, (30_00,)), payer=OTHER_PAYER))


def test_a_statement_lists_everything_and_foots(books: Books) -> None:
    """Advices by payer, adjustments, fee, payout: opening and movements are the closing balance and its parts."""
    _a_month(books)
    made = _made(books)
    assert (made.opening_cents, made.closing_cents) == (0, 30_00)
    assert [(each.trace_number, each.payer_id, each.amount_cents) for each in made.advices] == [
        ("T1", PAYER.payer_id, 951_00),
        ("T2", OTHER_PAYER.payer_id, 30_00),
    ]
    assert [(each.event, each.amount_cents) for each in made.movements] == [
        ("fee_collected", -200_00),
        ("payout_released", -751_00),
    ]
    assert (made.available_cents, made.awaiting_payer_cents, made.held_cents) == (0, 30_00, 0)
    assert [(each.amount_cents, each.effective_date) for each in made.payouts] == [(751_00, WEDNESDAY)]
    assert made.retained_cents == 200_00


def test_adjustments_are_the_payers(books: Books) -> None:
    """A PLB says who took or gave, under its reason: not us."""
    _a_month(books)
    first = _made(books).advices[0]
    assert (first.claim_count, first.claims_cents) == (2, 1_000_00)
    assert [(each.amount_cents, each.label) for each in first.adjustments] == [
        (-50_00, f"taken by payer {PAYER.name}, not by us: overpayment recovered (WO)"),
        (1_00, f"given by payer {PAYER.name}, not by us: adjustment (CS)"),
    ]


def test_statements_of_any_two_days_join(books: Books) -> None:
    """The closing balance of one range is the opening balance of the next."""
    _a_month(books)
    whole = _made(books)
    for day in (date(2026, 11, 15), MONDAY, TUESDAY, WEDNESDAY):
        before = _made(books, to_on=day)
        after = _made(books, from_on=date.fromordinal(day.toordinal() + 1))
        assert before.closing_cents == after.opening_cents
        assert after.closing_cents == whole.closing_cents
        assert len(before.advices) + len(after.advices) == len(whole.advices)
        assert before.retained_cents + after.retained_cents == 200_00


def test_an_advice_that_the_payer_took_whole_is_shown(books: Books) -> None:
    """Claims of 10.00 and an adjustment of 10.00 leave nothing to post, and everything to see."""
    books.fund(remittance("T1", MONDAY, Part(A, (10_00,), (("WO", 10_00),)), Part(B, (5,))))
    books.remit(remittance("Z1", TUESDAY, Part(A, (7_00,), (("WO", 7_00),))))
    made = _made(books)
    assert [(each.date, each.claims_cents, each.adjustments[0].amount_cents) for each in made.advices] == [
        (MONDAY, 10_00, -10_00),
        (TUESDAY, 7_00, -7_00),
    ]
    assert made.closing_cents == 0
    assert _made(books, from_on=TUESDAY).advices[0].trace_number == "Z1"


def test_a_reversed_fee_is_not_retained(books: Books) -> None:
    """What is kept is net of reversals, and the reversal says what it turns."""
    _a_month(books)
    _reverse(books, "fee_swept")
    _reverse(books, "fee_collected")
    made = _made(books)
    assert made.retained_cents == 0
    assert made.movements[-1].description == "reversal: flat monthly fee (by mistake)"
    assert made.closing_cents == 230_00


def test_a_payout_is_not_turned_under_a_statement(books: Books) -> None:
    """A release that left is never reversed: the statement goes on to say that it was paid."""
    _a_month(books)
    with pytest.raises(ReversalError, match="payout_released can not be turned"):
        _reverse(books, "payout_released")
    made = _made(books)
    assert [each.amount_cents for each in made.movements] == [-200_00, -751_00]
    assert made.available_cents == 0


def test_a_reversed_advice_is_shown_with_its_reversal(books: Books) -> None:
    """The advice stays, its reversal stands below it, and nothing is awaited any more."""
    books.remit(remittance("T1", MONDAY, Part(A, (30_00,))))
    _reverse(books, "advised")
    made = _made(books)
    assert [each.amount_cents for each in made.advices] == [30_00]
    assert [(each.description, each.amount_cents) for each in made.movements] == [
        ("reversal: advised (by mistake)", -30_00)
    ]
    assert made.awaiting_payer_cents == 0


def test_a_returned_payout_is_held(books: Books) -> None:
    """What the bank sent back is owed again, on a hold."""
    books.fund(remittance("T1", MONDAY, Part(A, (500,))))
    books.pay(TUESDAY)
    books.book(WEDNESDAY, paid_out("OUT", 500))
    books.settle()
    books.book(THURSDAY, sent_back("BACK", 500))
    line_id = books.ask("SELECT max(bank_line_id) FROM bank_line")[0][0]
    books.post(payout_returned("returned", THURSDAY, books.member(A), 500, line_id))
    made = _made(books)
    assert (made.held_cents, made.closing_cents) == (500, 500)
    assert made.movements[-1].description == "payout returned by the bank, held"


def test_a_hold_moves_nothing_that_is_owed(books: Books) -> None:
    """Money on a hold is still owed: no movement, another part of the closing balance."""
    books.fund(remittance("T1", MONDAY, Part(A, (500,))))
    legs = pair(books.member(A), Ledger.CUSTODY, (Account.DUE_AVAILABLE, None), (Account.HELD, None), 200)
    books.post(Transaction(Event.HELD, "held", TUESDAY, tuple(legs), "in question"))
    made = _made(books)
    assert made.movements == ()
    assert (made.available_cents, made.held_cents, made.closing_cents) == (300, 200, 500)


def test_a_negative_member_owes(books: Books) -> None:
    """A balance below zero is shown as such; the advance that covers it is not the member's money."""
    books.put_in("OWN", 500, MONDAY)
    books.fund(remittance("T1", MONDAY, Part(A, (-300,)), Part(B, (300,))), day=TUESDAY)
    made = _made(books)
    assert (made.available_cents, made.closing_cents) == (-300, -300)
    assert made.retained_cents == 0


def test_csv_and_json_say_the_same(books: Books) -> None:
    """Every line with its running balance, which ends at the closing balance; JSON is the model."""
    _a_month(books)
    made = _made(books)
    rows = list(csv.DictReader(io.StringIO(statement_csv(made))))
    assert rows[0]["entry"] == "opening balance"
    assert sum(cents_from_text(row["amount"]) for row in rows if row["amount"]) == made.closing_cents
    assert cents_from_text(rows[-1]["balance"]) == cents_from_text(rows[-2]["balance"]) == made.closing_cents
    assert Statement.model_validate(json.loads(made.model_dump_json())) == made


def test_csv_holds_no_formula(books: Books) -> None:
    """A trace or payer's name that a spreadsheet would take for a formula is escaped."""
    books.remit(remittance("=1+1", MONDAY, Part(A, (5,))))
    assert ",'=1+1," in statement_csv(_made(books))


def test_a_range_ends_after_it_begins(books: Books) -> None:
    """The other way round is wrong use."""
    with pytest.raises(WrongUseError, match="before it begins"):
        _made(books, from_on=TUESDAY, to_on=MONDAY)


def test_an_idle_member_has_an_empty_statement(books: Books) -> None:
    """Nothing happened: zero, zero, nothing kept."""
    made = _made(books, B)
    assert (made.opening_cents, made.closing_cents, made.retained_cents, made.advices) == (0, 0, 0, ())
