"""A payout cycle up to its approval: what it pays as of its day, whom it leaves out, who may approve what."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from ledger.batch import Transaction, pair
from ledger.chart import Account, Event, Ledger
from ledger.errors import DecidedOnceError, MakerIsCheckerError
from payouts import decisions
from payouts.cycle import cycles
from payouts.cycle.cycles import Cycle
from payouts.errors import (
    CycleOpenError,
    CycleStateError,
    NotABankingDayError,
    NothingToPayError,
    RoleMissingError,
    UnknownApprovalError,
    UnknownCycleError,
)
from payouts.fees.assessment import assess
from payouts.people.approvals import list_approvals
from payouts.people.users import UserRole, add_user
from payouts.remittances import shares
from schemas.errors import CentralpayError
from tests.support.books import CHECKER, MAKER, ORIGINATOR, Books
from tests.support.trade import A, B, C, Part, remittance

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)
NOVEMBER = date(2026, 11, 1)


def _assess(books: Books, *months: date) -> None:
    for month in months or (NOVEMBER,):
        with books.begin() as connection:
            assess(connection, month, MAKER)


def _paid(cycle: Cycle) -> dict[str, tuple[int, int]]:
    return {each.ncpdp_id: (each.amount_cents, each.fee_cents) for each in cycle.payouts}


def _left_out(cycle: Cycle) -> dict[str, tuple[int, str]]:
    return {each.ncpdp_id: (each.available_cents, each.reason) for each in cycle.omitted}


def _hold(books: Books, cents: int, day: date = MONDAY) -> None:
    legs = pair(books.member(A), Ledger.CUSTODY, (Account.DUE_AVAILABLE, None), (Account.HELD, None), cents)
    books.post(Transaction(Event.HELD, f"held:{day}:{cents}", day, tuple(legs), "bank details in question"))


def test_a_cycle_pays_what_is_available_less_the_fee(books: Books) -> None:
    """Amounts are net of the fee; who has nothing is listed apart; the next banking day is effective."""
    books.fund(remittance("T1", MONDAY, Part(A, (1_000_00,)), Part(B, (500_00,))))
    _assess(books)
    cycle = books.propose(TUESDAY)
    assert _paid(cycle) == {A.ncpdp_id: (800_00, 200_00), B.ncpdp_id: (300_00, 200_00)}
    assert _left_out(cycle) == {C.ncpdp_id: (0, "no_balance")}
    assert (cycle.total_cents, cycle.fee_cents, cycle.state) == (1_100_00, 400_00, "proposed")
    assert cycle.effective_date == WEDNESDAY


def test_the_effective_date_skips_holidays(books: Books) -> None:
    """The day before Thanksgiving is followed by the Friday."""
    books.fund(remittance("T1", MONDAY, Part(A, (1,))))
    assert books.propose(date(2026, 11, 25)).effective_date == date(2026, 11, 27)


@pytest.mark.parametrize("day", [date(2026, 11, 15), date(2026, 11, 26)])
def test_no_cycle_on_a_day_without_banks(books: Books, day: date) -> None:
    """A Sunday and Thanksgiving are refused."""
    with pytest.raises(NotABankingDayError):
        books.propose(day)


def test_nothing_to_pay_is_said(books: Books) -> None:
    """Advised and not funded is nothing to pay, and leaves no empty cycle behind."""
    books.remit(remittance("T1", MONDAY, Part(A, (1,))))
    with pytest.raises(NothingToPayError):
        books.propose(TUESDAY)
    assert books.ask("SELECT FROM cycle") == []


def test_the_reasons_for_leaving_a_member_out(books: Books) -> None:
    """Negative, on hold, and without balance are told apart."""
    books.put_in("OWN", 1_000_00, MONDAY)
    books.fund(remittance("T1", MONDAY, Part(A, (100_00,)), Part(B, (-30_00,)), Part(C, (5_00,))), day=TUESDAY)
    _hold(books, 100_00, TUESDAY)
    cycle = books.propose(TUESDAY)
    assert _paid(cycle) == {C.ncpdp_id: (5_00, 0)}
    assert _left_out(cycle) == {A.ncpdp_id: (0, "held"), B.ncpdp_id: (-30_00, "negative")}


def test_money_effective_after_the_day_waits(books: Books) -> None:
    """A cycle for Tuesday does not pay what is effective on Wednesday."""
    books.fund(remittance("T1", MONDAY, Part(A, (100,))))
    books.fund(remittance("T2", WEDNESDAY, Part(A, (7,)), Part(B, (9,))))
    cycle = books.propose(TUESDAY)
    assert _paid(cycle) == {A.ncpdp_id: (100, 0)}
    assert _left_out(cycle)[B.ncpdp_id] == (0, "no_balance")
    assert _paid(books.propose(WEDNESDAY)) == {A.ncpdp_id: (107, 0), B.ncpdp_id: (9, 0)}


def test_what_is_taken_after_the_day_is_not_paid(books: Books) -> None:
    """A debit that is already recorded lessens the payout, whatever its date: the money is gone."""
    books.fund(remittance("T1", MONDAY, Part(A, (100,))))
    _hold(books, 40, WEDNESDAY)
    assert _paid(books.propose(TUESDAY)) == {A.ncpdp_id: (60, 0)}


def test_later_money_does_not_refill_what_was_taken(books: Books) -> None:
    """With a debit and a credit after the day, no more is paid than stood there on the day, and than is there now."""
    books.fund(remittance("T1", MONDAY, Part(A, (100,))))
    books.fund(remittance("T2", WEDNESDAY, Part(A, (30,))))
    _hold(books, 40, WEDNESDAY)
    assert _paid(books.propose(TUESDAY)) == {A.ncpdp_id: (90, 0)}


def test_fees_are_taken_whole_and_oldest_first(books: Books) -> None:
    """Of two open months the balance covers one: the older is collected whole, the rest is paid out."""
    books.fund(remittance("T1", MONDAY, Part(A, (300_00,)), Part(B, (400_00,)), Part(C, (199_99,))))
    _assess(books, NOVEMBER, date(2026, 10, 1))
    cycle = books.propose(TUESDAY)
    assert _paid(cycle) == {A.ncpdp_id: (100_00, 200_00), B.ncpdp_id: (0, 400_00), C.ncpdp_id: (199_99, 0)}
    rows = books.ask(
        "SELECT p.ncpdp_id, f.month, f.amount_cents FROM payout_fee f JOIN payout o USING (payout_id) "
        "JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id) ORDER BY 1, 2"
    )
    assert [tuple(row) for row in rows] == [
        (A.ncpdp_id, date(2026, 10, 1), 200_00),
        (B.ncpdp_id, date(2026, 10, 1), 200_00),
        (B.ncpdp_id, NOVEMBER, 200_00),
    ]


def test_a_fee_of_a_month_to_come_is_not_collected(books: Books) -> None:
    """A fee assessed ahead waits for a cycle of its month."""
    books.fund(remittance("T1", MONDAY, Part(A, (300_00,))))
    _assess(books, date(2026, 12, 1))
    assert _paid(books.propose(TUESDAY)) == {A.ncpdp_id: (300_00, 0)}


def test_proposing_again_gives_the_same_cycle(books: Books) -> None:
    """With nothing changed the cycle, its hash and its approval stay."""
    books.fund(remittance("T1", MONDAY, Part(A, (300_00,))))
    _assess(books)
    first = books.propose(TUESDAY)
    assert books.propose(TUESDAY, CHECKER) == first
    assert len(books.ask("SELECT FROM cycle")) == 1


def test_what_comes_while_it_is_proposed_is_another_cycles(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """Money held between the finding of the payouts and of what is told is in neither: one snapshot is the cut-off."""
    books.fund(remittance("T1", MONDAY, Part(A, (300,))))
    tell = shares.tell

    def late(*facts: Any) -> None:  # noqa: ANN401 (handed on as they are)
        _hold(books, 100)
        tell(*facts)

    with monkeypatch.context() as patch:
        patch.setattr(shares, "tell", late)
        cycle = books.propose(TUESDAY)
    assert (cycle.total_cents, cycle.told.own_items) == (300, 0)
    after = books.propose(TUESDAY)
    assert (after.cycle_id != cycle.cycle_id, after.total_cents, after.told.own_items) == (True, 200, 1)


def test_a_later_proposal_voids_the_earlier(books: Books) -> None:
    """With more to pay a new cycle takes the place of the old one, whose approval is withdrawn."""
    books.fund(remittance("T1", MONDAY, Part(A, (300,))))
    first = books.propose(TUESDAY)
    books.fund(remittance("T2", TUESDAY, Part(A, (5,))))
    second = books.propose(TUESDAY)
    assert second.total_cents == 305
    with books.begin() as connection:
        assert cycles.show(connection, first.cycle_id).state == "void"
        assert [each.subject for each in list_approvals(connection)] == [str(second.cycle_id)]
        with pytest.raises(CycleStateError):
            cycles.approve(connection, first.cycle_id, CHECKER)


def test_a_proposal_of_other_fee_months_is_another(books: Books) -> None:
    """When October's fee is given up and November's comes in its place, the amounts are alike and the set is not."""
    books.fund(remittance("T1", MONDAY, Part(A, (250_00,))))
    october = date(2026, 10, 1)
    _assess(books, october)
    first = books.propose(TUESDAY)
    books.waive(A, october, 200_00, on=MONDAY)
    _assess(books)
    second = books.propose(TUESDAY)
    assert _paid(second) == _paid(first)
    assert second.cycle_id != first.cycle_id
    assert books.release(books.approved(TUESDAY).cycle_id).dropped == ()


def test_another_originator_is_another_set(books: Books) -> None:
    """Who sends the file is part of what is approved."""
    books.fund(remittance("T1", MONDAY, Part(A, (300,))))
    first = books.propose(TUESDAY)
    with books.begin() as connection:
        other = cycles.propose(connection, TUESDAY, replace(ORIGINATOR, company_name="OTHER NAME"), MAKER)
    assert other.set_hash != first.set_hash


def test_the_maker_is_not_the_checker(books: Books) -> None:
    """Who proposed may not approve, by either command; the refusal leaves the cycle proposed."""
    books.fund(remittance("T1", MONDAY, Part(A, (300,))))
    cycle = books.propose(TUESDAY)
    with pytest.raises(MakerIsCheckerError), books.begin() as connection:
        cycles.approve(connection, cycle.cycle_id, MAKER)
    with pytest.raises(MakerIsCheckerError), books.begin() as connection:
        decisions.decide(connection, cycle.approval_id or 0, MAKER, approve=True)
    assert books.propose(TUESDAY).state == "proposed"


def test_an_operator_may_not_approve(books: Books) -> None:
    """Approving takes a role."""
    books.fund(remittance("T1", MONDAY, Part(A, (300,))))
    cycle = books.propose(TUESDAY)
    with books.begin() as connection:
        add_user(connection, "clara", UserRole.OPERATOR, MAKER)
    with pytest.raises(RoleMissingError), books.begin() as connection:
        cycles.approve(connection, cycle.cycle_id, "clara")


def test_a_rejected_cycle_is_void(books: Books) -> None:
    """A rejection ends the cycle; the money may be proposed anew."""
    books.fund(remittance("T1", MONDAY, Part(A, (300,))))
    cycle = books.propose(TUESDAY)
    with books.begin() as connection:
        decisions.decide(connection, cycle.approval_id or 0, CHECKER, approve=False, reason="wrong day")
    with books.begin() as connection:
        assert cycles.show(connection, cycle.cycle_id).state == "void"
    assert books.propose(TUESDAY).cycle_id != cycle.cycle_id


def test_an_approved_cycle_stands_in_the_way(books: Books) -> None:
    """Until it is released no other is proposed, and it is approved once."""
    books.fund(remittance("T1", MONDAY, Part(A, (300,))))
    cycle = books.approved(TUESDAY)
    with pytest.raises(CycleOpenError):
        books.propose(WEDNESDAY)
    with pytest.raises(CycleStateError), books.begin() as connection:
        cycles.approve(connection, cycle.cycle_id, CHECKER)
    with pytest.raises((DecidedOnceError, CycleStateError)), books.begin() as connection:
        decisions.decide(connection, cycle.approval_id or 0, CHECKER, approve=True)


@pytest.mark.parametrize("round_", range(4))
def test_approving_and_proposing_at_once_never_tears(books: Books, round_: int) -> None:
    """Both ways to approve and a new proposal at the same moment: each is done or refused in words, none is stuck."""
    books.fund(remittance("T1", MONDAY, Part(A, (300,))))
    cycle = books.propose(TUESDAY)
    books.fund(remittance("T2", TUESDAY, Part(A, (5,))))

    def approve() -> None:
        with books.begin() as connection:
            cycles.approve(connection, cycle.cycle_id, CHECKER)

    def decide() -> None:
        with books.begin() as connection:
            decisions.decide(connection, cycle.approval_id or 0, CHECKER, approve=True)

    def propose() -> None:
        books.propose(TUESDAY)

    steps = [approve, decide, propose]

    def attempt(number: int) -> None:
        # Only our own refusals are words for people; a driver's error would come through.
        with suppress(CentralpayError):
            steps[(number + round_) % 3]()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(attempt, range(3)))
    states = [row[0] for row in books.ask("SELECT state FROM cycle ORDER BY cycle_id")]
    assert states in (["approved"], ["void", "proposed"])


def test_what_is_not_there_is_said(books: Books) -> None:
    """Unknown cycles and approvals are refused by number."""
    with pytest.raises(UnknownCycleError), books.begin() as connection:
        cycles.show(connection, 77)
    with pytest.raises(UnknownApprovalError), books.begin() as connection:
        decisions.decide(connection, 77, CHECKER, approve=True)


def test_cycles_are_listed(books: Books) -> None:
    """Each with its payouts and total."""
    books.fund(remittance("T1", MONDAY, Part(A, (300,)), Part(B, (4,))))
    books.propose(TUESDAY)
    with books.begin() as connection:
        (row,) = cycles.list_cycles(connection)
    assert (row.payouts, row.total_cents, row.state) == (2, 304, "proposed")
