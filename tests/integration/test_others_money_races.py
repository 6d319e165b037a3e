"""Two sessions at the same moment on holds, levies and disbursements: money is kept, taken and paid once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from threading import Barrier

import pytest
from sqlalchemy import text

from ingest.bank.bai2_writer import StatementLine
from ledger.chart import Account
from payouts import decisions
from payouts.disbursing import disbursements
from payouts.disbursing.disbursements import Method
from payouts.disbursing.settling import settle_disbursements
from payouts.holding import holds, levies, lifts
from payouts.holding.errors import DisbursementStateError, HoldKeepsLessError, HoldStateError, LevyError
from payouts.holding.holds import HoldKind, HoldOrder
from payouts.holding.levies import LevyOrder
from schemas.errors import RefusedError
from tests.support.books import CHECKER, MAKER, Books
from tests.support.trade import A, Part, remittance

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)
ROUNDS = 4

Job = Callable[[], object]


@pytest.fixture(scope="module")
def sessions() -> Iterator[ThreadPoolExecutor]:
    """Give two threads; each works on a connection of its own."""
    with ThreadPoolExecutor(2) as pool:
        yield pool


def _race(sessions: ThreadPoolExecutor, *jobs: Job) -> list[object]:
    """Do the jobs at the same moment; give their results or refusals, in the order of the jobs."""
    together = Barrier(len(jobs))

    def run(job: Job) -> object:
        together.wait(10)
        try:
            return job()
        except RefusedError as refusal:
            return refusal

    return [future.result(30) for future in [sessions.submit(run, job) for job in jobs]]


def _fund(books: Books, trace: str, cents: int) -> None:
    books.fund(remittance(trace, TUESDAY, Part(A, (cents,))))


def _place(books: Books, limit_cents: int | None = None) -> int:
    order = HoldOrder(
        books.member(A), HoldKind.REVIEW, "x", "agreement", date(2027, 1, 4), MONDAY, limit_cents=limit_cents
    )
    with books.begin() as connection:
        return holds.place_hold(connection, order, MAKER)


def _levy(books: Books, cents: int) -> int:
    order = LevyOrder(books.member(A), "Court, 26-L-1", "Acme", cents, date(2027, 1, 15), MONDAY)
    with books.begin() as connection:
        return levies.receive_levy(connection, order, MAKER)


def _apply(books: Books) -> dict[int, int]:
    with books.begin() as connection:
        return holds.apply_holds(connection, TUESDAY, MAKER)


def _take(books: Books, hold_id: int) -> int:
    with books.begin() as connection:
        return levies.take_levy(connection, hold_id, TUESDAY, MAKER)


def _decide(books: Books, approval: int) -> None:
    with books.begin() as connection:
        decisions.decide(connection, approval, CHECKER, approve=True)


def _ask_lift(books: Books, hold_id: int, cents: int | None = None) -> int:
    with books.begin() as connection:
        return lifts.ask_lift(connection, hold_id, cents, "all is well", MAKER, on=TUESDAY)


def _pay(books: Books, hold_id: int) -> int:
    with books.begin() as connection:
        return levies.pay_levy(connection, hold_id, Method.CHECK, MAKER)


def _approved_payment(books: Books, hold_id: int) -> int:
    number = _pay(books, hold_id)
    ((approval,),) = books.ask("SELECT approval_id FROM approval WHERE state = 'pending'")
    _decide(books, approval)
    return number


def test_what_came_is_held_once(books: Books, sessions: ThreadPoolExecutor) -> None:
    """Two proposals apply the holds at once: each 100.00 that came is taken by one of them."""
    hold_id = _place(books, limit_cents=350_00)
    for number in range(1, ROUNDS + 1):
        _fund(books, f"T{number}", 100_00)
        taken = _race(sessions, lambda: _apply(books), lambda: _apply(books))
        fresh = 50_00 if number == ROUNDS else 100_00
        assert sorted(map(str, taken)) == sorted(map(str, [{}, {hold_id: fresh}]))
    assert (books.balance(A, Account.HELD), books.balance(A, Account.DUE_AVAILABLE)) == (350_00, 50_00)
    books.prove()


def test_lift_and_levy_of_one_hold(books: Books, sessions: ThreadPoolExecutor) -> None:
    """The order is lifted while it is taken: one of the two has the 600.00, the other is told why."""
    _fund(books, "T0", 600_00)
    for number in range(ROUNDS):
        hold_id = _levy(books, 600_00)
        approval = _ask_lift(books, hold_id)
        lifted, taken = _race(sessions, partial(_decide, books, approval), partial(_take, books, hold_id))
        if taken == 600_00:
            assert isinstance(lifted, HoldStateError), lifted
            assert books.balance(A, Account.LEVIED) == 600_00
            with books.begin() as connection:
                levies.turn_levy(connection, hold_id, "next round", on=TUESDAY, actor=MAKER)
            _decide(books, approval)
        else:
            assert isinstance(taken, HoldStateError), taken
        assert books.balance(A, Account.DUE_AVAILABLE) == 600_00, number
    books.prove()


def test_parts_of_one_hold(books: Books, sessions: ThreadPoolExecutor) -> None:
    """Approving a lift of 700.00 of 1,000.00 while 600.00 of another approval are lifted: one of them is refused."""
    _fund(books, "T0", 1_000_00)
    hold_id = _place(books, limit_cents=1_000_00)
    first = _ask_lift(books, hold_id, 700_00)
    with books.begin() as connection:
        second = connection.execute(
            text("""INSERT INTO approval (kind, subject, facts, proposed_by)
                    SELECT kind, 'part of ' || subject, facts || '{"amount_cents": 60000}', proposed_by
                    FROM approval WHERE approval_id = :id RETURNING approval_id"""),
            {"id": first},
        ).scalar_one()
    results = _race(sessions, lambda: _decide(books, first), lambda: _decide(books, second))
    assert sorted(type(each).__name__ for each in results) == [HoldKeepsLessError.__name__, "NoneType"]
    assert books.balance(A, Account.HELD) in {300_00, 400_00}
    books.prove()


def test_one_item_is_promised_once(books: Books, sessions: ThreadPoolExecutor) -> None:
    """Two propose to pay the same 600.00 levied: one disbursement, and one who is told."""
    _fund(books, "T0", 600_00)
    hold_id = _levy(books, 600_00)
    _take(books, hold_id)
    results = _race(sessions, lambda: _pay(books, hold_id), lambda: _pay(books, hold_id))
    assert sorted(type(each).__name__ for each in results) == sorted(["int", LevyError.__name__])


def test_release_and_void(books: Books, sessions: ThreadPoolExecutor) -> None:
    """Released or void, never both half: the ledger and the state say the same."""
    _fund(books, "T0", 600_00)
    hold_id = _levy(books, 600_00)
    _take(books, hold_id)
    for _ in range(ROUNDS):
        number = _approved_payment(books, hold_id)

        def release(of: int = number) -> object:
            return disbursements.release_disbursement(books.begin, of, TUESDAY, books.folder / "out", MAKER)

        def void(of: int = number) -> object:
            with books.begin() as connection:
                disbursements.void_disbursement(connection, of, "stop", on=TUESDAY, actor=MAKER)
            return "void"

        released, voided = _race(sessions, release, void)
        assert voided == "void"
        assert isinstance(released, DisbursementStateError) or books.folder in getattr(released, "parents", ())
        with books.begin() as connection:
            assert disbursements.show_disbursement(connection, number).state == "void"
        assert (books.balance(A, Account.LEVIED), books.balance(A, Account.IN_TRANSIT)) == (600_00, 0)
    books.prove()


def test_two_sweeps_settle_once(books: Books, sessions: ThreadPoolExecutor) -> None:
    """Two matches at once see the check's debit: it settles once, and the other finds nothing."""
    _fund(books, "T0", 600_00)
    hold_id = _levy(books, 600_00)
    _take(books, hold_id)
    number = _approved_payment(books, hold_id)
    disbursements.release_disbursement(books.begin, number, TUESDAY, books.folder / "out", MAKER)
    books.book(WEDNESDAY, StatementLine("475", 600_00, "1041", "", f"CHECK CP-{number}"))
    jobs = [lambda: len(settle_disbursements(books.begin, MAKER))] * 2
    assert sorted(map(str, _race(sessions, *jobs))) == ["0", "1"]
    assert books.balance(A, Account.IN_TRANSIT) == 0
    books.prove()
