"""Levies: taken up to their amount as money comes, paid to who the order names, and turned when the order was wrong."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text

from ledger.chart import Account
from ledger.errors import LedgerRefusedError
from payouts import decisions
from payouts.disbursing import disbursements
from payouts.disbursing.disbursements import Method
from payouts.holding import holds, levies, lifts
from payouts.holding.errors import HoldOrderError, HoldStateError, LevyError
from payouts.holding.holds import HoldKind, HoldOrder
from payouts.holding.levies import Levy, LevyOrder
from payouts.people.approvals import list_approvals
from tests.support.books import CHECKER, MAKER, Books
from tests.support.trade import A, Part, remittance

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)


@pytest.fixture
def hold_id(books: Books) -> int:
    """Give books in which a levy of 1,000.00 keeps A's 600.00."""
    books.fund(remittance("T1", MONDAY, Part(A, (600_00,))))
    order = LevyOrder(books.member(A), "Circuit Court, 26-L-1", "Acme", 1_000_00, date(2027, 1, 15), MONDAY)
    with books.begin() as connection:
        return levies.receive_levy(connection, order, MAKER)


def _take(books: Books, hold_id: int, on: date = TUESDAY) -> int:
    with books.begin() as connection:
        return levies.take_levy(connection, hold_id, on, MAKER)


def _pay(books: Books, hold_id: int) -> int:
    with books.begin() as connection:
        return levies.pay_levy(connection, hold_id, Method.CHECK, MAKER)


def _show(books: Books, hold_id: int) -> Levy:
    with books.begin() as connection:
        return levies.list_levies(connection, hold_id)[0]


def _approve_all(books: Books) -> None:
    with books.begin() as connection:
        for asked in list_approvals(connection):
            decisions.decide(connection, asked.approval_id, CHECKER, approve=True)


def test_amount_is_reached_and_not_passed(books: Books, hold_id: int) -> None:
    """Of 600.00 and then 700.00 the order takes 600.00 and 400.00; the member is told once."""
    assert _take(books, hold_id) == 600_00
    assert _take(books, hold_id) == 0
    books.fund(remittance("T2", TUESDAY, Part(A, (700_00,))))
    assert _take(books, hold_id) == 400_00
    assert (books.balance(A, Account.LEVIED), books.balance(A, Account.DUE_AVAILABLE)) == (1_000_00, 300_00)
    assert _show(books, hold_id).state == "ended"
    with pytest.raises(HoldStateError):
        _take(books, hold_id)
    assert [row.kind for row in books.ask("SELECT kind FROM notice")] == ["levy_received"]
    books.prove()


def test_an_order_is_received_once(books: Books, hold_id: int) -> None:
    """The same order again, on another day too, takes no second 1,000.00; another number of the court is another order.

    By hand it is refused as well, and when it is taken whole; once two people have lifted it, it can be received anew.
    """
    order = LevyOrder(books.member(A), "Circuit Court, 26-L-1", "Acme", 1_000_00, date(2027, 2, 1), TUESDAY)
    with books.begin() as connection, pytest.raises(LevyError, match=f"Levy {hold_id} is this order already"):
        levies.receive_levy(connection, order, MAKER)
    with books.begin() as connection:
        levies.receive_levy(connection, replace(order, authority="Circuit Court, 26-L-2"), MAKER)
    twin = HoldOrder(order.member_id, HoldKind.LEGAL, "x", order.authority, order.review_on, TUESDAY, None, 1_000_00)
    with books.begin() as connection:
        number = holds.place_hold(connection, twin, MAKER)
    with pytest.raises(LedgerRefusedError, match="is this order already"), books.begin() as connection:
        connection.execute(text("INSERT INTO levy VALUES (:number, 'Acme')"), {"number": number})
    with books.begin() as connection:
        lifts.ask_lift(connection, hold_id, None, "order quashed", MAKER, on=TUESDAY)
    _approve_all(books)
    with books.begin() as connection:
        anew = levies.receive_levy(connection, order, MAKER)
    books.fund(remittance("T2", TUESDAY, Part(A, (2_000_00,))))
    _take(books, anew)
    assert _show(books, anew).state == "ended"
    with books.begin() as connection, pytest.raises(LevyError, match=f"Levy {anew} is this order already"):
        levies.receive_levy(connection, order, MAKER)


def test_cycle_keeps_it_back_in_between(books: Books, hold_id: int) -> None:
    """What a proposal moved into the hold is taken from there: 600.00 and 400.00 in one go."""
    books.fund(remittance("T2", TUESDAY, Part(A, (700_00,))))
    assert books.propose(TUESDAY).total_cents == 300_00
    assert _take(books, hold_id) == 1_000_00
    assert books.balance(A, Account.DUE_AVAILABLE) == 300_00


def test_paid_in_parts(books: Books, hold_id: int) -> None:
    """What is levied is proposed to be paid once; what comes later is another disbursement."""
    with pytest.raises(LevyError, match="take it first"):
        _pay(books, hold_id)
    _take(books, hold_id)
    first = _pay(books, hold_id)
    with pytest.raises(LevyError):
        _pay(books, hold_id)
    books.fund(remittance("T2", TUESDAY, Part(A, (400_00,))))
    _take(books, hold_id)
    second = _pay(books, hold_id)
    with books.begin() as connection:
        made = [disbursements.show_disbursement(connection, number) for number in (first, second)]
    assert [(each.payee, each.amount_cents) for each in made] == [("Acme", 600_00), ("Acme", 400_00)]
    _approve_all(books)
    for number in (first, second):
        disbursements.release_disbursement(books.begin, number, WEDNESDAY, books.folder / "out", MAKER)
    assert _show(books, hold_id).paid_cents == 1_000_00
    with books.begin() as connection:
        assert levies.list_levies(connection) == []


def test_what_was_paid_on_is_not_turned(books: Books, hold_id: int) -> None:
    """600.00 are paid to the payee, 400.00 are levied since: turned are these 400.00 and no more."""
    _take(books, hold_id)
    number = _pay(books, hold_id)
    _approve_all(books)
    disbursements.release_disbursement(books.begin, number, WEDNESDAY, books.folder / "out", MAKER)
    books.fund(remittance("T2", TUESDAY, Part(A, (400_00,))))
    _take(books, hold_id)
    with books.begin() as connection:
        assert levies.turn_levy(connection, hold_id, "quashed", on=WEDNESDAY, actor=MAKER) == 400_00
    assert (books.balance(A, Account.LEVIED), books.balance(A, Account.HELD)) == (0, 400_00)
    books.prove()


def test_order_that_was_wrong_is_turned(books: Books, hold_id: int) -> None:
    """All 1,000.00 were taken by mistake: turned they are held again, and not available before two people lift them."""
    books.fund(remittance("T2", TUESDAY, Part(A, (400_00,))))
    _take(books, hold_id)
    number = _pay(books, hold_id)
    with pytest.raises(LevyError, match="void"), books.begin() as connection:
        levies.turn_levy(connection, hold_id, "quashed", on=WEDNESDAY, actor=MAKER)
    with books.begin() as connection:
        disbursements.void_disbursement(connection, number, "quashed", on=WEDNESDAY, actor=MAKER)
        assert levies.turn_levy(connection, hold_id, "quashed", on=WEDNESDAY, actor=MAKER) == 1_000_00
    held, available = books.balance(A, Account.HELD), books.balance(A, Account.DUE_AVAILABLE)
    assert (books.balance(A, Account.LEVIED), held, available) == (0, 1_000_00, 0)
    books.prove()
    with pytest.raises(LevyError), books.begin() as connection:
        levies.turn_levy(connection, hold_id, "again", on=WEDNESDAY, actor=MAKER)


def test_what_is_no_levy(books: Books, hold_id: int) -> None:
    """A hold without a payee is no levy; an order without a payee is none either."""
    with books.begin() as connection:
        order = HoldOrder(books.member(A), HoldKind.LEGAL, "freeze", "OFAC", date(2027, 1, 1), MONDAY)
        other = holds.place_hold(connection, order, MAKER)
    with pytest.raises(LevyError, match="is no levy"):
        _take(books, other)
    nobody = LevyOrder(books.member(A), "Court", " ", 1, date(2027, 1, 15), MONDAY)
    with pytest.raises(HoldOrderError), books.begin() as connection:
        levies.receive_levy(connection, nobody, MAKER)
    assert _show(books, hold_id).payee == "Acme"
