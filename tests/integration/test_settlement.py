"""A released cycle settles by the one debit that is its file's total, and by nothing else."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from ingest.bank.bai2_writer import StatementLine
from ledger.chart import Account
from ledger.events import float_withdrawn
from payouts import decisions, own_money, settlement
from payouts.settlement import Settled
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
