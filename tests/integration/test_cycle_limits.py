"""Limits from a day on: who sets them, what a release drops or refuses, and totals that take two approvers."""

from datetime import date

import pytest
from sqlalchemy import Engine, text

from app.database import unit_of_work
from ledger.batch import Batch
from ledger.errors import MakerIsCheckerError, PayoutNotApprovedError
from ledger.events import payout_released
from ledger.posting import post
from payouts import decisions
from payouts.cycle import cycles
from payouts.cycle.cycles import Cycle
from payouts.cycle.errors import (
    ApproversMissingError,
    CycleLimitError,
    LimitAmountError,
    LimitPastError,
    LimitSetError,
)
from payouts.cycle.limits import CycleLimits, LimitName, limits_on, list_limits, propose_limit
from payouts.cycle.voiding import exclude_member
from payouts.people.users import UserRole, add_user
from tests.support.books import CHECKER, MAKER, Books
from tests.support.lives import kept
from tests.support.trade import A, B, C, Part, remittance

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)
SECOND = "dora"


@pytest.fixture
@kept
def funded(books: Books) -> Books:
    """Give books with a second approver, and 3.00 for A, 2.00 for B, 0.05 for C."""
    with books.begin() as connection:
        add_user(connection, SECOND, UserRole.APPROVER, MAKER)
    books.fund(remittance("T1", MONDAY, Part(A, (300,)), Part(B, (200,)), Part(C, (5,))))
    return books


def _ask(books: Books, name: LimitName, cents: int | None, since: date = TUESDAY) -> int:
    with books.begin() as connection:
        return propose_limit(connection, name, cents, since, today=MONDAY, actor=MAKER)


def _set(books: Books, name: LimitName, cents: int | None, since: date = TUESDAY) -> None:
    approval = _ask(books, name, cents, since)
    with books.begin() as connection:
        decisions.decide(connection, approval, CHECKER, approve=True)


def _approve(books: Books, cycle_id: int, actor: str) -> Cycle:
    with books.begin() as connection:
        return cycles.approve(connection, cycle_id, actor)


# Setting -------------------------------------------------------------------------------------------------------------


def test_a_limit_holds_from_its_day_once_approved(books: Books) -> None:
    """Asked for it holds nothing; approved it holds from its day until the next one of its name."""
    approval = _ask(books, LimitName.ENTRY, 100_00, WEDNESDAY)
    with books.begin() as connection:
        assert limits_on(connection, WEDNESDAY).entry is None
        decisions.decide(connection, approval, CHECKER, approve=True)
    _set(books, LimitName.ENTRY, None, date(2026, 12, 1))
    with books.begin() as connection:
        days = (TUESDAY, WEDNESDAY, date(2026, 11, 30), date(2026, 12, 1))
        assert [limits_on(connection, day).entry for day in days] == [None, 100_00, 100_00, None]
        found = [(each.name.value, each.cents, each.set_by) for each in list_limits(connection)]
    assert found == [("entry", 100_00, CHECKER), ("entry", None, CHECKER), ("same_day_entry", 1_000_000_00, "system")]


def test_a_rejected_limit_sets_nothing(books: Books) -> None:
    """The second person says no; and who asked may not decide."""
    approval = _ask(books, LimitName.CYCLE_TOTAL, 1)
    with pytest.raises(MakerIsCheckerError), books.begin() as connection:
        decisions.decide(connection, approval, MAKER, approve=True)
    with books.begin() as connection:
        decisions.decide(connection, approval, CHECKER, approve=False, reason="too low")
        assert limits_on(connection, TUESDAY) == CycleLimits(None, None, None)


def test_what_is_no_limit_is_refused(books: Books) -> None:
    """Zero, a day that is past, and a day on which one of the name begins already, also between asking and deciding."""
    with pytest.raises(LimitAmountError):
        _ask(books, LimitName.ENTRY, 0)
    with pytest.raises(LimitPastError):
        _ask(books, LimitName.ENTRY, 1, date(2026, 11, 13))
    late = _ask(books, LimitName.ENTRY, 2)
    _set(books, LimitName.ENTRY, 1)
    with pytest.raises(LimitSetError):
        _ask(books, LimitName.ENTRY, 3)
    with pytest.raises(LimitSetError), books.begin() as connection:
        decisions.decide(connection, late, CHECKER, approve=True)
    assert [row[0] for row in books.ask("SELECT cents FROM dated_limit WHERE name = 'entry'")] == [1]


# Two approvers -------------------------------------------------------------------------------------------------------


def test_a_large_cycle_takes_two(funded: Books) -> None:
    """At exactly the limit two people approve, neither of them twice nor the maker; the first leaves it proposed."""
    _set(funded, LimitName.TWO_APPROVERS_FROM, 505)
    cycle = funded.propose(TUESDAY)
    assert cycle.approvers_needed == 2
    first = _approve(funded, cycle.cycle_id, CHECKER)
    assert (first.state, first.first_approved_by) == ("proposed", CHECKER)
    for again in (CHECKER, MAKER):
        with pytest.raises(MakerIsCheckerError):
            _approve(funded, cycle.cycle_id, again)
    assert _approve(funded, cycle.cycle_id, SECOND).state == "approved"
    assert funded.release(cycle.cycle_id).total_cents == 505
    funded.prove()


def test_a_smaller_cycle_takes_one(funded: Books) -> None:
    """A cent below the limit, or before its day, one approver is enough."""
    _set(funded, LimitName.TWO_APPROVERS_FROM, 506)
    _set(funded, LimitName.TWO_APPROVERS_FROM, 1, WEDNESDAY)
    assert funded.approved(TUESDAY).state == "approved"


def test_a_limit_after_the_proposal_asks_anew(funded: Books) -> None:
    """The one approval asked for is not enough; the same set is proposed anew, with two."""
    cycle = funded.propose(TUESDAY)
    _set(funded, LimitName.TWO_APPROVERS_FROM, 500)
    with pytest.raises(ApproversMissingError):
        _approve(funded, cycle.cycle_id, CHECKER)
    again = funded.propose(TUESDAY)
    assert (again.cycle_id != cycle.cycle_id, again.approvers_needed) == (True, 2)
    _approve(funded, again.cycle_id, CHECKER)
    _approve(funded, again.cycle_id, SECOND)
    assert funded.release(again.cycle_id).total_cents == 505


def test_a_limit_after_the_approval_stops_the_release(funded: Books) -> None:
    """What one person approved does not leave when two have to; without the largest member it does."""
    cycle = funded.approved(TUESDAY)
    _set(funded, LimitName.TWO_APPROVERS_FROM, 300)
    with pytest.raises(ApproversMissingError):
        funded.release(cycle.cycle_id)
    assert funded.ask("SELECT FROM payout WHERE state <> 'approved'") == []


def test_the_database_counts_the_approvers_itself(funded: Books, app: Engine) -> None:
    """Posted past all checks of ours, a release that one person approved is refused where its total asks for two."""
    cycle = funded.approved(TUESDAY)
    _set(funded, LimitName.TWO_APPROVERS_FROM, 505)
    _release_raw(app, "enough_approvers")
    assert funded.ask("SELECT FROM journal_transaction WHERE event = 'payout_released'") == []
    assert cycle.total_cents == 505


@pytest.mark.parametrize("name", [LimitName.ENTRY, LimitName.CYCLE_TOTAL])
def test_the_database_knows_the_limits_itself(funded: Books, app: Engine, name: LimitName) -> None:
    """Posted past all checks of ours, a payout or a cycle above its limit is refused."""
    funded.approved(TUESDAY)
    _set(funded, name, 299)
    _release_raw(app, "within_the_limits")


def _release_raw(app: Engine, rule: str) -> None:
    with unit_of_work(app) as connection:
        rows = connection.execute(text("SELECT member_id, payout_id, amount_cents FROM payout ORDER BY payout_id"))
        payouts = [(row[0], row[1], row[2]) for row in rows]
    batch = Batch()
    batch.add(payout_released("raw", TUESDAY, payouts))
    with pytest.raises(PayoutNotApprovedError) as caught, unit_of_work(app) as connection:
        post(connection, batch, MAKER)
    assert caught.value.rule == rule


# Entry and total -----------------------------------------------------------------------------------------------------


def test_a_payout_above_the_limit_is_dropped(funded: Books) -> None:
    """At the limit it leaves; a cent above, its member waits with a case, and the others leave."""
    _set(funded, LimitName.ENTRY, 299)
    released = funded.pay(TUESDAY)
    assert [(each.ncpdp_id, each.reason) for each in released.dropped] == [
        (A.ncpdp_id, "a payout is above the limit of 2.99")
    ]
    assert released.total_cents == 205
    _set(funded, LimitName.ENTRY, 300, WEDNESDAY)
    assert funded.pay(WEDNESDAY).total_cents == 300
    funded.prove()


def test_a_total_above_the_limit_is_refused(funded: Books) -> None:
    """Nothing is written; with a member excluded, the rest is within it and leaves."""
    _set(funded, LimitName.CYCLE_TOTAL, 504)
    cycle = funded.approved(TUESDAY)
    with pytest.raises(CycleLimitError):
        funded.release(cycle.cycle_id)
    assert funded.ask("SELECT FROM payout WHERE state <> 'approved'") == []
    with funded.begin() as connection:
        member = next(each.member_id for each in cycle.payouts if each.ncpdp_id == C.ncpdp_id)
        exclude_member(connection, cycle.cycle_id, member, "over the limit", MAKER)
    assert funded.release(cycle.cycle_id).total_cents == 500
    funded.prove()
