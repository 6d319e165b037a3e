"""A cycle before its release: voided with a reason, or paid without a member; and accounts that were stopped."""

from datetime import date

import pytest
from sqlalchemy import text

from app.demo.pharmacies import Pharmacy
from ledger.chart import Account
from payouts.cycle import cycles
from payouts.cycle.cycles import Cycle
from payouts.cycle.errors import AlreadyExcludedError, MemberNotPaidError, ReasonMissingError
from payouts.cycle.voiding import exclude_member, void_cycle
from payouts.errors import CycleStateError, RoleMissingError, UnknownCycleError
from payouts.people.users import UserRole, add_user
from tests.support.books import CHECKER, MAKER, Books
from tests.support.lives import kept
from tests.support.trade import A, B, C, Part, remittance

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 11, day) for day in (16, 17, 18, 19))
CLERK, READER = "clara", "audrey"


@pytest.fixture
@kept
def staffed(books: Books) -> Books:
    """Give books with an operator and an auditor beside maker and checker, and money for A, B and C."""
    with books.begin() as connection:
        add_user(connection, CLERK, UserRole.OPERATOR, MAKER)
        add_user(connection, READER, UserRole.AUDITOR, MAKER)
    books.fund(remittance("T1", MONDAY, Part(A, (300,)), Part(B, (200,)), Part(C, (5,))))
    return books


def _void(books: Books, cycle_id: int, actor: str, reason: str = "wrong day") -> Cycle:
    with books.begin() as connection:
        return void_cycle(connection, cycle_id, reason, actor)


def _exclude(books: Books, cycle_id: int, store: Pharmacy, reason: str = "asked to wait", actor: str = CLERK) -> Cycle:
    member = books.member(store)
    with books.begin() as connection:
        return exclude_member(connection, cycle_id, member, reason, actor)


def _stop(books: Books, store: Pharmacy) -> None:
    with books.begin() as connection:
        connection.execute(text(_STOP), {"member": books.member(store)})


def _lift(books: Books) -> None:
    with books.begin() as connection:
        connection.execute(text(_LIFT))


_STOP = """
    INSERT INTO bank_account_stop (bank_account_id, stopped_on, reason, stopped_by)
    SELECT bank_account_id, '2026-11-16', 'R02, account closed', 'mary' FROM bank_account WHERE member_id = :member"""
_LIFT = "UPDATE bank_account_stop SET lifted_by = 'mary', lifted_at = now(), lift_reason = 'confirmed'"
_END = "UPDATE bank_account SET in_use = daterange(lower(in_use), '2026-11-18') WHERE member_id = :member"


def _shown(cycle: Cycle) -> dict[str, tuple[int, str]]:
    return {each.ncpdp_id: (each.amount_cents, each.state) for each in cycle.payouts}


# Voiding -------------------------------------------------------------------------------------------------------------


def test_a_proposed_cycle_is_voided_by_an_operator(staffed: Books) -> None:
    """It is void with its reason, its approval is withdrawn, and the same money is proposed anew."""
    cycle = staffed.propose(TUESDAY)
    voided = _void(staffed, cycle.cycle_id, CLERK)
    assert (voided.state, voided.void_reason) == ("void", "wrong day")
    ((by, state),) = staffed.ask("SELECT c.voided_by, a.state FROM cycle c JOIN approval a USING (approval_id)")
    assert (by, state) == (CLERK, "withdrawn")
    again = staffed.propose(WEDNESDAY)
    assert (again.cycle_id != cycle.cycle_id, again.total_cents, again.told.shares) == (True, 505, 3)
    done = staffed.ask("SELECT actor, detail ->> 'reason' FROM activity WHERE action = 'cycle_voided'")
    assert [tuple(row) for row in done] == [(CLERK, "wrong day")]


def test_an_approved_cycle_is_voided_by_an_approver(staffed: Books) -> None:
    """An operator may not undo what a second person has approved; an approver may; the shares are free again."""
    cycle = staffed.approved(TUESDAY)
    with pytest.raises(RoleMissingError):
        _void(staffed, cycle.cycle_id, CLERK)
    assert _void(staffed, cycle.cycle_id, CHECKER).state == "void"
    released = staffed.pay(WEDNESDAY)
    assert (released.total_cents, released.children.sets) == (505, 3)
    staffed.prove()


def test_only_what_has_not_left_is_voided(staffed: Books) -> None:
    """A released cycle, a void one and none at all are refused in words; a reader may not."""
    cycle = staffed.propose(TUESDAY)
    with pytest.raises(RoleMissingError):
        _void(staffed, cycle.cycle_id, READER)
    with pytest.raises(ReasonMissingError):
        _void(staffed, cycle.cycle_id, CLERK, " \n")
    with pytest.raises(UnknownCycleError):
        _void(staffed, 77, CLERK)
    staffed.release(staffed.approved(TUESDAY).cycle_id)
    with pytest.raises(CycleStateError, match="released"):
        _void(staffed, cycle.cycle_id, CHECKER)
    assert staffed.balance(A, Account.IN_TRANSIT) == 300


# Exclusion -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["proposed", "approved"])
def test_an_excluded_member_is_neither_paid_nor_told(staffed: Books, state: str) -> None:
    """Before: A 3.00, B 2.00, C 0.05. Without B 3.05 leave; B's 2.00 and its share wait for the next cycle."""
    cycle = staffed.propose(TUESDAY) if state == "proposed" else staffed.approved(TUESDAY)
    left = _exclude(staffed, cycle.cycle_id, B)
    assert left.set_hash == cycle.set_hash
    assert (left.total_cents, _shown(left)[B.ncpdp_id]) == (305, (200, "excluded"))
    if state == "proposed":
        with staffed.begin() as connection:
            cycles.approve(connection, cycle.cycle_id, CHECKER)
    released = staffed.release(cycle.cycle_id)
    assert (released.total_cents, released.children.files) == (305, 2)
    assert [(each.ncpdp_id, each.reason) for each in released.dropped] == [(B.ncpdp_id, "asked to wait")]
    assert staffed.cases() == {}
    assert staffed.balance(B, Account.DUE_AVAILABLE) == 200
    staffed.prove()
    after = staffed.propose(WEDNESDAY)
    assert (_shown(after), after.told.shares) == ({B.ncpdp_id: (200, "proposed")}, 1)


def test_proposing_the_same_set_again_keeps_the_exclusion(staffed: Books) -> None:
    """The same set is the same cycle; with more to pay it is another, in which the member stands again."""
    cycle = staffed.propose(TUESDAY)
    _exclude(staffed, cycle.cycle_id, B)
    same = staffed.propose(TUESDAY)
    assert (same.cycle_id, _shown(same)[B.ncpdp_id]) == (cycle.cycle_id, (200, "excluded"))
    staffed.fund(remittance("T2", TUESDAY, Part(A, (1,))))
    other = staffed.propose(TUESDAY)
    assert (other.cycle_id != cycle.cycle_id, _shown(other)[B.ncpdp_id]) == (True, (200, "proposed"))


def test_excluding_is_idempotent_and_says_what_it_refuses(staffed: Books) -> None:
    """Again for the same reason changes nothing; for another, of nobody, or without a reason is refused."""
    cycle = staffed.propose(TUESDAY)
    once = _exclude(staffed, cycle.cycle_id, B)
    assert _exclude(staffed, cycle.cycle_id, B) == once
    assert len(staffed.ask("SELECT FROM activity WHERE action = 'member_excluded'")) == 1
    with pytest.raises(AlreadyExcludedError, match="asked to wait"):
        _exclude(staffed, cycle.cycle_id, B, "another")
    with pytest.raises(ReasonMissingError):
        _exclude(staffed, cycle.cycle_id, A, "")
    with pytest.raises(RoleMissingError):
        _exclude(staffed, cycle.cycle_id, A, actor=READER)
    staffed.release(staffed.approved(TUESDAY).cycle_id)
    with pytest.raises(CycleStateError):
        _exclude(staffed, cycle.cycle_id, A)


def test_who_is_not_paid_can_not_be_excluded(books: Books) -> None:
    """A member without a payout in the cycle is no member to leave out."""
    books.fund(remittance("T1", MONDAY, Part(A, (300,))))
    cycle = books.propose(TUESDAY)
    with pytest.raises(MemberNotPaidError):
        _exclude(books, cycle.cycle_id, B, actor=MAKER)


def test_a_cycle_without_anybody_left_is_done_at_once(staffed: Books) -> None:
    """All three excluded: the release has no file, sends nothing, and the whole money waits."""
    cycle = staffed.approved(TUESDAY)
    for store in (A, B, C):
        _exclude(staffed, cycle.cycle_id, store)
    released = staffed.release(cycle.cycle_id)
    assert (released.state, released.nacha_file, released.total_cents) == ("settled", None, 0)
    assert sum(staffed.balance(store, Account.DUE_AVAILABLE) for store in (A, B, C)) == 505
    staffed.prove()


# Stopped accounts ----------------------------------------------------------------------------------------------------


def test_a_stopped_account_is_no_account(staffed: Books) -> None:
    """Its member is left out with the reason, and is paid again once the stop is lifted."""
    _stop(staffed, B)
    cycle = staffed.propose(TUESDAY)
    assert B.ncpdp_id not in _shown(cycle)
    assert {each.ncpdp_id: each.reason for each in cycle.omitted} == {B.ncpdp_id: "account_stopped"}
    _lift(staffed)
    assert _shown(staffed.propose(TUESDAY))[B.ncpdp_id] == (200, "proposed")


def test_an_account_stopped_after_approval_drops_the_payout(staffed: Books) -> None:
    """The release leaves the member out with the reason and a case; the others leave."""
    cycle = staffed.approved(TUESDAY)
    _stop(staffed, B)
    released = staffed.release(cycle.cycle_id)
    assert [(each.ncpdp_id, each.reason) for each in released.dropped] == [
        (B.ncpdp_id, "its account was stopped: R02, account closed")
    ]
    assert staffed.cases() == {("payout_dropped", f"cycle {cycle.cycle_id} {B.ncpdp_id}"): 200}
    assert released.total_cents == 305
    staffed.prove()


def test_an_account_that_ended_after_approval_drops_the_payout(staffed: Books) -> None:
    """What would arrive on a day on which the account is no longer the member's does not leave."""
    cycle = staffed.approved(TUESDAY)
    member = staffed.member(B)
    with staffed.begin() as connection:
        connection.execute(text(_END), {"member": member})
    (dropped,) = staffed.release(cycle.cycle_id).dropped
    assert (dropped.ncpdp_id, dropped.reason) == (B.ncpdp_id, "its account is in use until 2026-11-17 only")
    staffed.prove()


# Cut-off -------------------------------------------------------------------------------------------------------------


def test_the_cut_off_freezes_the_candidates(staffed: Books) -> None:
    """What is funded after the moment of the proposal is not in it, and is in the next one."""
    cycle = staffed.approved(TUESDAY)
    staffed.fund(remittance("T2", TUESDAY, Part(A, (70,))))
    ((later,),) = staffed.ask("SELECT max(recorded_at) FROM journal_transaction")
    assert cycle.cut_off_at < later
    assert staffed.release(cycle.cycle_id).total_cents == 505
    assert _shown(staffed.propose(WEDNESDAY)) == {A.ncpdp_id: (70, "proposed")}
