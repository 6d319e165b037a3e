"""A released cycle settles by its file's one debit, entry by entry, or by a person's word; never by amount alone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from app.demo.pharmacies import Pharmacy
from ingest.bank.bai2_writer import StatementLine
from ledger.chart import Account
from ledger.events import float_withdrawn
from ledger.posting import reverse
from payouts import decisions, own_money
from payouts.answers.errors import AmountDiffersError
from payouts.cycle import settlement
from payouts.cycle.settlement import Settled
from payouts.errors import BankReferenceError, CycleStateError
from tests.support.bank import paid_out
from tests.support.books import CHECKER, MAKER, Books
from tests.support.trade import A, B, Part, remittance

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 11, day) for day in (16, 17, 18, 19))


def _released(books: Books, trace: str = "T1", cents: int = 500, day: date = TUESDAY) -> int:
    books.fund(remittance(trace, MONDAY, Part(A, (cents - 1,)), Part(B, (1,))), day=day)
    return books.pay(day).cycle_id


def _states(books: Books) -> list[tuple[str, str]]:
    rows = books.ask("SELECT c.state AS cycle, o.state FROM cycle c JOIN payout o USING (cycle_id) ORDER BY payout_id")
    return [(row[0], row[1]) for row in rows]


def test_the_debit_of_the_total_settles_the_cycle(books: Books) -> None:
    """Payouts are no longer in transit, the debit is explained, cash is the bank's."""
    cycle_id = _released(books)
    books.book(WEDNESDAY, paid_out("OUT", 500))
    assert books.settle() == [Settled(cycle_id=cycle_id, amount_cents=500, bank_line_id=2)]
    assert _states(books) == [("settled", "settled")] * 2
    assert books.balance(A, Account.IN_TRANSIT) == 0
    assert books.house(Account.UNMATCHED_DEBIT) == 0
    assert books.ask("SELECT state FROM bank_line WHERE amount_cents < 0")[0][0] == "matched"
    assert books.ask("SELECT effective_on FROM journal_transaction WHERE event = 'payout_settled'")[0][0] == WEDNESDAY
    assert books.settle() == []
    books.prove()


@pytest.mark.parametrize(
    "line", [paid_out("OUT", 499), paid_out("OUT", 501), StatementLine("698", 500, "OUT", "", "MISCELLANEOUS DEBIT")]
)
def test_another_amount_or_kind_of_debit_settles_nothing(books: Books, line: StatementLine) -> None:
    """One cent less, one cent more, or a debit of another type code stays unexplained."""
    _released(books)
    books.book(WEDNESDAY, line)
    assert books.settle() == []
    assert books.house(Account.UNMATCHED_DEBIT) == -line.amount_cents


def test_a_debit_before_the_cycles_day_is_another(books: Books) -> None:
    """A debit of the same amount from the day before can not be the file's."""
    books.fund(remittance("T1", MONDAY, Part(A, (500,)), Part(B, (500,))))
    books.put_in("OWN", 500, TUESDAY)
    books.book(WEDNESDAY, paid_out("EARLY", 1_000))
    books.put_in("OWN2", 500, THURSDAY)
    books.pay(THURSDAY)
    assert books.settle() == []


def test_two_debits_of_the_total_are_left_to_people(books: Books) -> None:
    """Which of two equal debits is the file's is not guessed."""
    _released(books)
    books.book(WEDNESDAY, paid_out("ONE", 500), paid_out("TWO", 500))
    assert books.settle() == []


def test_two_cycles_of_one_total_are_left_to_people(books: Books) -> None:
    """Which of two equal cycles was debited is not guessed, with one debit or with two."""
    _released(books)
    _released(books, "T2", day=WEDNESDAY)
    books.book(THURSDAY, paid_out("ONE", 500))
    assert books.settle() == []
    assert {state for state, _ in _states(books)} == {"released"}


def test_two_cycles_of_other_totals_settle_each_by_its_own(books: Books) -> None:
    """Each total is found in its own debit."""
    one = _released(books)
    two = _released(books, "T2", 700, WEDNESDAY)
    books.book(THURSDAY, paid_out("TWO", 700), paid_out("ONE", 500))
    assert {each.cycle_id: each.amount_cents for each in books.settle()} == {one: 500, two: 700}
    books.prove()


def test_settling_at_once_settles_once(books: Books) -> None:
    """Two processes that settle at the same moment both succeed; one of them did it."""
    _released(books)
    books.book(WEDNESDAY, paid_out("OUT", 500))
    with ThreadPoolExecutor(2) as pool:
        results = [each.result() for each in (pool.submit(books.settle), pool.submit(books.settle))]
    assert sorted(len(each) for each in results) == [0, 1]
    books.prove()


def test_a_debit_explained_otherwise_settles_nothing(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """A debit that a second person explains between reading and settling is gone; the cycle waits."""
    books.put_in("OWN", 500, MONDAY)
    _released(books)
    books.book(WEDNESDAY, paid_out("OUT", 500))
    line_id = int(books.ask("SELECT bank_line_id FROM bank_line WHERE amount_cents < 0")[0][0])
    settle_one = settlement._settle

    def late(*facts: object) -> bool:
        books.post(float_withdrawn(f"float_withdrawal:{line_id}", WEDNESDAY, line_id, 500))
        return settle_one(*facts)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(settlement, "_settle", late)
        assert books.settle() == []
    assert _states(books) == [("released", "released")] * 2
    books.prove()


# Entry by entry ------------------------------------------------------------------------------------------------------


def _entry(books: Books, store: Pharmacy, cents: int, *, by: str, place: str = "1") -> StatementLine:
    """Debit one entry of the first cycle, naming it by its trace, its own number or its pharmacy."""
    row = books.ask(
        "SELECT o.payout_id, o.trace_number, s.ncpdp_id FROM payout o JOIN member USING (member_id) "
        "JOIN pharmacy s USING (pharmacy_id) WHERE s.ncpdp_id = :ncpdp_id",
        ncpdp_id=store.ncpdp_id,
    )[0]
    named = {"trace": row.trace_number, "number": f"TRN*1*CP1P{row.payout_id}*1999999999~", "store": row.ncpdp_id}
    return StatementLine("455", cents, f"E{place}", "", f"ACH ORIGINATION {named[by]}")


@pytest.mark.parametrize("by", ["trace", "number", "store"])
def test_entries_settle_one_by_one_and_the_cycle_when_all_did(books: Books, by: str) -> None:
    """A's 499 cents are debited on Wednesday, B's 1 cent on Thursday: each settles alone, the cycle with the second."""
    cycle_id = _released(books)
    books.book(WEDNESDAY, _entry(books, A, 499, by=by))
    assert books.settle() == [Settled(cycle_id=cycle_id, amount_cents=499, bank_line_id=None, payouts=1)]
    assert sorted(_states(books)) == [("released", "released"), ("released", "settled")]
    assert books.balance(B, Account.IN_TRANSIT) == 1
    books.prove()
    books.book(THURSDAY, _entry(books, B, 1, by=by, place="2"))
    assert [each.payouts for each in books.settle()] == [1]
    assert _states(books) == [("settled", "settled")] * 2
    assert books.house(Account.UNMATCHED_DEBIT) == 0
    books.prove()


def test_the_rest_of_a_file_is_no_total(books: Books) -> None:
    """After A's entry settled by itself a debit of B's amount that names nothing is not taken for the file's total."""
    _released(books, cents=1_000)
    books.book(WEDNESDAY, _entry(books, A, 999, by="trace"))
    assert len(books.settle()) == 1
    books.book(THURSDAY, paid_out("REST", 1))
    assert books.settle() == []
    assert ("released", "released") in _states(books)


def test_a_pharmacy_with_two_payments_of_one_amount_is_not_guessed(books: Books) -> None:
    """A debit that names the pharmacy fits payouts of two cycles; once a trace tells one of them, the other is left."""
    _released(books, cents=501)
    _released(books, "T2", 501, WEDNESDAY)
    books.book(THURSDAY, _entry(books, A, 500, by="store"))
    assert books.settle() == []
    books.book(date(2026, 11, 20), _entry(books, A, 500, by="trace", place="2"))
    assert [(each.cycle_id, each.payouts) for each in books.settle()] == [(1, 1), (2, 1)]
    books.prove()


def test_an_entry_of_another_amount_settles_nothing(books: Books) -> None:
    """The trace is right, the amount a cent off."""
    _released(books)
    books.book(WEDNESDAY, _entry(books, A, 498, by="trace"))
    assert books.settle() == []


def test_a_reversed_settlement_is_found_anew(books: Books) -> None:
    """Reversed by a person, the cycle is released again, and the next sweep settles it with the same debit."""
    cycle_id = _released(books)
    books.book(WEDNESDAY, paid_out("OUT", 500))
    books.settle()
    (transaction,) = books.ask("SELECT transaction_id FROM journal_transaction WHERE event = 'payout_settled'")
    with books.begin() as connection:
        reverse(connection, transaction[0], fact_key="undo", fact_on=WEDNESDAY, actor=MAKER, reason="another's debit")
    assert _states(books) == [("released", "released")] * 2
    assert [each.cycle_id for each in books.settle()] == [cycle_id]
    assert _states(books) == [("settled", "settled")] * 2
    books.prove()


# By a person ---------------------------------------------------------------------------------------------------------


def _asked(books: Books, cycle_id: int, reference: str) -> int:
    with books.begin() as connection:
        return settlement.propose_settlement(connection, cycle_id, reference, MAKER)


def test_a_person_says_which_debit_is_a_cycles(books: Books) -> None:
    """Two debits of the total: one is named by a person and approved by another; the other stays unexplained."""
    cycle_id = _released(books)
    books.book(WEDNESDAY, paid_out("ONE", 500), paid_out("TWO", 500))
    assert books.settle() == []
    approval = _asked(books, cycle_id, "TWO")
    assert _states(books) == [("released", "released")] * 2
    with books.begin() as connection:
        decisions.decide(connection, approval, CHECKER, approve=True)
    assert _states(books) == [("settled", "settled")] * 2
    assert books.house(Account.UNMATCHED_DEBIT) == -500
    rows = books.ask("SELECT b.bank_reference FROM cycle c JOIN bank_line b ON b.bank_line_id = c.settled_by_bank_line")
    assert rows == [("TWO",)]
    books.prove()


def test_what_a_person_may_not_settle(books: Books) -> None:
    """A debit of another amount, one that is not there, a cycle that is settled: refused with the reason."""
    cycle_id = _released(books)
    books.book(WEDNESDAY, paid_out("LESS", 499), paid_out("OUT", 500))
    with pytest.raises(AmountDiffersError) as refused:
        _asked(books, cycle_id, "LESS")
    assert refused.value.difference_cents == -1
    with pytest.raises(BankReferenceError):
        _asked(books, cycle_id, "NOTHERE")
    approval = _asked(books, cycle_id, "OUT")
    assert len(books.settle()) == 1
    with pytest.raises(CycleStateError):
        _asked(books, cycle_id, "OUT")
    with pytest.raises(CycleStateError), books.begin() as connection:
        decisions.decide(connection, approval, CHECKER, approve=True)
    books.prove()


def test_own_money_that_leaves_is_explained_by_a_second_person(books: Books) -> None:
    """A debit of the PSAO's own money lowers the float once it is approved."""
    books.put_in("OWN", 500, MONDAY)
    books.book(TUESDAY, paid_out("HOME", 200))
    with books.begin() as connection:
        approval = own_money.propose_withdrawal(connection, "HOME", MAKER)
        assert own_money.propose_withdrawal(connection, "HOME", MAKER) == approval
    assert books.house(Account.OPERATING_FLOAT) == 500
    with books.begin() as connection:
        decisions.decide(connection, approval, CHECKER, approve=True)
    assert books.house(Account.OPERATING_FLOAT) == 300
    assert books.house(Account.UNMATCHED_DEBIT) == 0
    books.prove()
