"""Holds: what they take, in what order, how they end, and what the database refuses of them."""

from dataclasses import replace
from datetime import date
from typing import TypedDict, Unpack
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from app.database import unit_of_work
from ledger.batch import Batch, Transaction
from ledger.chart import Account
from ledger.decided import held, levied
from ledger.errors import DecidedOnceError, LedgerRefusedError, LiabilityInDebitError, PayoutNotApprovedError
from ledger.events import hold_lifted
from ledger.posting import post, reverse
from payouts import decisions
from payouts.errors import AskedOtherwiseError
from payouts.holding import holds, lifts
from payouts.holding.errors import HoldKeepsLessError, HoldOrderError, HoldStateError, UnknownHoldError
from payouts.holding.holds import HoldKind, HoldOrder
from tests.support.bank import paid_in
from tests.support.books import CHECKER, MAKER, Books
from tests.support.lives import kept
from tests.support.trade import OTHER_PAYER, PAYER, A, B, C, Part, remittance

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)


class Changes(TypedDict, total=False):
    """What a test orders otherwise."""

    member_id: UUID
    kind: HoldKind
    reason: str
    authority: str
    review_on: date
    placed_on: date
    payer_id: str
    limit_cents: int


def _order(books: Books, **changes: Unpack[Changes]) -> HoldOrder:
    order = HoldOrder(
        member_id=books.member(A),
        kind=HoldKind.REVIEW,
        reason="credential lapsed",
        authority="participation agreement, section 4",
        review_on=date(2026, 12, 16),
        placed_on=MONDAY,
    )
    return replace(order, **changes)


def _place(books: Books, **changes: Unpack[Changes]) -> int:
    order = _order(books, **changes)
    with books.begin() as connection:
        return holds.place_hold(connection, order, MAKER)


def _apply(books: Books, on: date = TUESDAY) -> dict[int, int]:
    with books.begin() as connection:
        return holds.apply_holds(connection, on, MAKER)


def _lift(books: Books, hold_id: int, cents: int | None = None) -> None:
    with books.begin() as connection:
        approval = lifts.ask_lift(connection, hold_id, cents, "all is well", MAKER, on=TUESDAY)
    with books.begin() as connection:
        decisions.decide(connection, approval, CHECKER, approve=True)


def _kept(books: Books, hold_id: int) -> int:
    with books.begin() as connection:
        return holds.stands_under(connection, hold_id)


def _state(books: Books, hold_id: int) -> str:
    with books.begin() as connection:
        return holds.show_hold(connection, hold_id).state


@pytest.fixture
@kept
def funded(books: Books) -> Books:
    """Give books in which A has 1,000.00 and B 500.00 available."""
    books.fund(remittance("T1", MONDAY, Part(A, (1_000_00,)), Part(B, (500_00,))))
    return books


def _fund_by_other(books: Books, trace: str, day: date, cents: int) -> None:
    """Fund A by the other payer."""
    books.remit(remittance(trace, day, Part(A, (cents,)), payer=OTHER_PAYER))
    books.book(day, paid_in(trace, cents, payer=OTHER_PAYER))
    assert len(books.match().funded) == 1


def test_hold_of_everything_takes_what_there_is_and_what_comes(funded: Books) -> None:
    """Of 1,000.00 all is held at once, of the next 300.00 all when holds are applied; again takes nothing."""
    hold_id = _place(funded)
    assert (_kept(funded, hold_id), funded.balance(A, Account.DUE_AVAILABLE)) == (1_000_00, 0)
    funded.fund(remittance("T2", TUESDAY, Part(A, (300_00,))))
    assert _apply(funded) == {hold_id: 300_00}
    assert _apply(funded) == {}
    assert (_kept(funded, hold_id), funded.balance(A, Account.DUE_AVAILABLE)) == (1_300_00, 0)
    funded.prove()


def test_limit_counts_what_was_taken_lifted_or_not(funded: Books) -> None:
    """A hold of 1,200.00 takes 1,000.00, and of the next 500.00 only 200.00; after a lift it takes nothing again."""
    hold_id = _place(funded, limit_cents=1_200_00)
    funded.fund(remittance("T2", TUESDAY, Part(A, (500_00,))))
    assert _apply(funded) == {hold_id: 200_00}
    _lift(funded, hold_id, 700_00)
    assert _apply(funded) == {}
    assert (_kept(funded, hold_id), funded.balance(A, Account.DUE_AVAILABLE)) == (500_00, 1_000_00)


def test_older_hold_takes_first(funded: Books) -> None:
    """Of 400.00 that come, the older hold with 250.00 of room takes these, the younger the other 150.00."""
    older = _place(funded, limit_cents=1_250_00)
    younger = _place(funded, limit_cents=1_000_00)
    assert (_kept(funded, older), _kept(funded, younger)) == (1_000_00, 0)
    funded.fund(remittance("T2", TUESDAY, Part(A, (400_00,))))
    assert _apply(funded) == {older: 250_00, younger: 150_00}


def test_payers_hold_takes_what_the_payer_brought(funded: Books) -> None:
    """With 1,000.00 of one payer and 200.00 of another available, the other's hold takes 200.00, later its 50.00."""
    _fund_by_other(funded, "T2", MONDAY, 200_00)
    hold_id = _place(funded, payer_id=str(OTHER_PAYER.payer_id))
    assert (_kept(funded, hold_id), funded.balance(A, Account.DUE_AVAILABLE)) == (200_00, 1_000_00)
    _fund_by_other(funded, "T3", TUESDAY, 50_00)
    funded.fund(remittance("T4", TUESDAY, Part(A, (80_00,))))
    assert _apply(funded) == {hold_id: 50_00}


def test_payers_hold_does_not_take_what_was_paid_before(funded: Books) -> None:
    """What the payer brought before the member's last payout has gone: a hold placed then takes later money only."""
    funded.pay(MONDAY)
    _fund_by_other(funded, "T2", TUESDAY, 70_00)
    hold_id = _place(funded, payer_id=str(PAYER.payer_id), placed_on=TUESDAY)
    assert _kept(funded, hold_id) == 0
    funded.fund(remittance("T3", TUESDAY, Part(A, (30_00,))))
    assert _apply(funded) == {hold_id: 30_00}


def test_lifted_money_is_paid_and_not_taken_again(funded: Books) -> None:
    """Of a hold of everything 400.00 is lifted: the next proposal pays that and holds what came meanwhile."""
    hold_id = _place(funded)
    _lift(funded, hold_id, 400_00)
    funded.fund(remittance("T2", TUESDAY, Part(A, (50_00,))))
    cycle = funded.propose(TUESDAY)
    assert {each.ncpdp_id: each.amount_cents for each in cycle.payouts}[A.ncpdp_id] == 400_00
    assert _kept(funded, hold_id) == 650_00
    assert _state(funded, hold_id) == "active"


def test_held_member_is_left_out_of_the_cycle(funded: Books) -> None:
    """What came after the hold is held by the proposal itself, and the member omitted as held."""
    _place(funded)
    funded.fund(remittance("T2", TUESDAY, Part(A, (300_00,))))
    cycle = funded.propose(TUESDAY)
    assert {each.ncpdp_id: each.reason for each in cycle.omitted}[A.ncpdp_id] == "held"
    assert funded.balance(A, Account.HELD) == 1_300_00


def test_whole_lift_ends_the_hold(funded: Books) -> None:
    """All is available again, the state is lifted, and nothing more can be lifted or extended."""
    hold_id = _place(funded)
    _lift(funded, hold_id)
    assert (_state(funded, hold_id), funded.balance(A, Account.DUE_AVAILABLE)) == ("lifted", 1_000_00)
    assert _apply(funded) == {}
    with pytest.raises(HoldStateError):
        _lift(funded, hold_id)
    with funded.begin() as connection, pytest.raises(HoldStateError):
        holds.extend_hold(connection, hold_id, date(2027, 1, 1), "still", on=TUESDAY, actor=MAKER)


def test_reversed_lift_can_be_lifted_again(funded: Books) -> None:
    """A lift that was wrong is turned: the money is held again, and another approved lift frees it."""
    hold_id = _place(funded)
    _lift(funded, hold_id)
    ((number,),) = funded.ask("SELECT transaction_id FROM journal_transaction WHERE event = 'hold_lifted'")
    with funded.begin() as connection:
        reverse(connection, number, fact_key="turned", fact_on=TUESDAY, actor=MAKER, reason="wrong hold")
    assert (_kept(funded, hold_id), funded.balance(A, Account.DUE_AVAILABLE)) == (1_000_00, 0)
    _lift(funded, hold_id)
    assert funded.balance(A, Account.DUE_AVAILABLE) == 1_000_00
    funded.prove()


def test_lift_is_checked_again_when_it_is_carried_out(funded: Books) -> None:
    """Two lifts of 600.00 of 1,000.00, one after the other: the second is refused when it is asked for."""
    hold_id = _place(funded, limit_cents=1_000_00)
    _lift(funded, hold_id, 600_00)
    with pytest.raises(HoldKeepsLessError) as caught:
        _lift(funded, hold_id, 600_00)
    assert caught.value.kept_cents == 400_00


def test_another_amount_is_not_answered_with_the_first(funded: Books) -> None:
    """100.00 are asked for and wait; who asks for 900.00 then is told so, and not given the approval of the 100.00."""
    hold_id = _place(funded)
    with funded.begin() as connection:
        approval = lifts.ask_lift(connection, hold_id, 100_00, "all is well", MAKER, on=TUESDAY)
    with funded.begin() as connection:
        assert lifts.ask_lift(connection, hold_id, 100_00, "really", MAKER, on=WEDNESDAY) == approval
    for cents in (900_00, None):
        with funded.begin() as connection, pytest.raises(AskedOtherwiseError, match=f"approvals reject {approval}"):
            lifts.ask_lift(connection, hold_id, cents, "all is well", MAKER, on=TUESDAY)


def test_world_moves_between_asking_and_approving(funded: Books) -> None:
    """A lift of 600.00 is asked for; meanwhile 700.00 of the 1,000.00 go: approving is refused, nothing changes."""
    hold_id = _place(funded, limit_cents=1_000_00)
    with funded.begin() as connection:
        approval = lifts.ask_lift(connection, hold_id, 600_00, "all is well", MAKER, on=TUESDAY)
    funded.post(hold_lifted("other", TUESDAY, funded.member(A), 700_00, "another way", hold_id=hold_id))
    with pytest.raises(HoldKeepsLessError), funded.begin() as connection:
        decisions.decide(connection, approval, CHECKER, approve=True)
    assert _kept(funded, hold_id) == 300_00
    ((state,),) = funded.ask("SELECT state FROM approval WHERE approval_id = :id", id=approval)
    assert state == "pending"


def test_hold_of_a_returned_payout_takes_nothing(funded: Books) -> None:
    """It keeps what came back; what is available stays so."""
    hold_id = _place(funded, kind=HoldKind.RETURNED)
    assert _apply(funded) == {}
    assert (_kept(funded, hold_id), funded.balance(A, Account.DUE_AVAILABLE)) == (0, 1_000_00)


@pytest.mark.parametrize(
    ("kind", "letters"), [(HoldKind.REVIEW, 1), (HoldKind.DISPUTE, 1), (HoldKind.LEGAL, 0), (HoldKind.FRAUD, 0)]
)
def test_who_is_told(funded: Books, kind: HoldKind, letters: int) -> None:
    """The member gets a letter about a hold, but not where an order or an investigation may forbid it."""
    _place(funded, kind=kind)
    assert len(funded.ask("SELECT FROM notice WHERE kind = 'hold_placed'")) == letters


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": " "},
        {"authority": ""},
        {"review_on": MONDAY},
        {"limit_cents": 0},
        {"payer_id": "1999999999"},
        {"kind": HoldKind.RETURNED, "payer_id": "1360000001"},
    ],
)
def test_senseless_orders_are_refused(funded: Books, changes: Changes) -> None:
    """No reason, no authority, a review in the past, no amount, an unknown payer: refused, and nothing is held."""
    with pytest.raises(HoldOrderError):
        _place(funded, **changes)
    assert funded.ask("SELECT FROM hold") == []
    for number in (99, 10**22):
        with funded.begin() as connection, pytest.raises(UnknownHoldError):
            holds.show_hold(connection, number)


def test_review_opens_a_case_until_it_is_extended(funded: Books) -> None:
    """On its day a hold is a case of what it keeps; extended with a reason it is none."""
    hold_id = _place(funded)
    with funded.begin() as connection:
        assert holds.review_holds(connection, date(2026, 12, 15)) == []
        assert [each.hold_id for each in holds.review_holds(connection, date(2026, 12, 16))] == [hold_id]
    assert funded.cases()["hold_review", f"hold {hold_id}"] == 1_000_00
    with funded.begin() as connection:
        later = holds.extend_hold(
            connection, hold_id, date(2027, 1, 15), "papers asked for", on=date(2026, 12, 16), actor=MAKER
        )
    assert (later.review_on, funded.cases()) == (date(2027, 1, 15), {})


# What the database refuses, by raw SQL or past the functions above ----------------------------------------------------


def _refused(books: Books, *transactions: Transaction) -> LedgerRefusedError:
    batch = Batch()
    for transaction in transactions:
        batch.add(transaction)
    with pytest.raises(LedgerRefusedError) as caught, books.begin() as connection:
        post(connection, batch, MAKER)
    return caught.value


def test_lines_of_a_hold_are_its_members_and_never_in_debit(funded: Books) -> None:
    """Another member's hold, none at all, one that is over, more than its limit, more than it keeps, no legal order."""
    a, b = funded.member(A), funded.member(B)
    limited, other = _place(funded, limit_cents=300_00), _place(funded, limit_cents=200_00)
    empty = _place(funded, member_id=b, limit_cents=1)
    _lift(funded, empty)
    wrong: list[tuple[str, Transaction]] = [
        ("hold_is_the_members", held("x1", MONDAY, b, 1, limited, reason="x")),
        ("hold_is_the_members", held("x2", MONDAY, a, 1, 999, reason="x")),
        ("hold_is_the_members", held("x3", MONDAY, b, 1, empty, reason="x")),
        ("hold_is_the_members", levied("x4", MONDAY, a, 1, limited, reason="x")),
        ("hold_has_room", held("x5", MONDAY, a, 1, limited, reason="x")),
        ("hold_keeps_so_much", hold_lifted("x6", MONDAY, a, 300_01, "x", hold_id=limited)),
    ]
    for rule, transaction in wrong:
        error = _refused(funded, transaction)
        assert (type(error), error.rule) == (LiabilityInDebitError, rule)
    assert (_kept(funded, limited), _kept(funded, other)) == (300_00, 200_00)


@pytest.mark.parametrize(
    "change",
    [
        "kind = 'legal'",
        "reason = 'other'",
        "authority = 'other'",
        "limit_cents = 5",
        "payer_id = '1360000001'",
        "member_id = (SELECT member_id FROM member WHERE member_id <> hold.member_id LIMIT 1)",
        "placed_on = placed_on - 1",
        "state = 'ended', ended_at = now()",
    ],
)
def test_hold_stays_as_it_was_placed(funded: Books, owner: Engine, change: str) -> None:
    """Kind, scope, authority and member never change, and what keeps money is not over; not by the tables' owner."""
    _place(funded)
    with pytest.raises(DecidedOnceError), unit_of_work(owner) as connection:
        connection.execute(text(f"UPDATE hold SET {change}"))  # noqa: S608 (our own words)


def test_hold_without_an_approved_lift_is_not_lifted(funded: Books) -> None:
    """A hold that keeps nothing is lifted by an approval of its own only, and once over it stays so."""
    hold_id = _place(funded, member_id=funded.member(B), payer_id=str(PAYER.payer_id), limit_cents=500_00)
    _lift(funded, hold_id, 500_00)
    hold_id = _place(funded, kind=HoldKind.RETURNED)
    end = text("UPDATE hold SET state = 'lifted', ended_at = now() WHERE hold_id = :id")
    with pytest.raises(PayoutNotApprovedError), funded.begin() as connection:
        connection.execute(end, {"id": hold_id})
    _lift(funded, hold_id)
    with pytest.raises(DecidedOnceError), funded.begin() as connection:
        connection.execute(text("UPDATE hold SET state = 'active', ended_at = NULL"))


@pytest.mark.parametrize("kind", [HoldKind.FRAUD, HoldKind.LEGAL, HoldKind.REVIEW])
def test_freeze_that_keeps_nothing_is_not_ended_by_one(funded: Books, owner: Engine, kind: HoldKind) -> None:
    """A member without money is frozen before its money comes; ended by one person it would be paid that."""
    _place(funded, kind=kind, member_id=funded.member(C), limit_cents=500_00)
    end = text("UPDATE hold SET state = 'ended', ended_at = now()")
    for engine in (funded.engine, owner):
        with pytest.raises(PayoutNotApprovedError, match="lifted by two people"), unit_of_work(engine) as connection:
            connection.execute(end)
