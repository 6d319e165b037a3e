"""Who is due in a cycle: by schedule, by what was left out before, by the least amount; and a member's terms."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.demo.pharmacies import Pharmacy
from ledger.chart import Account, Ledger
from payouts import decisions
from payouts.accounts.stops import account_in_use, lift_stop, stop_account
from payouts.children.model import Form
from payouts.cycle import preview, voiding
from payouts.cycle.cycles import Cycle
from payouts.cycle.errors import NobodyDueError, ReasonMissingError
from payouts.errors import NothingToPayError
from payouts.fees.assessment import assess
from payouts.holding import holds, lifts
from payouts.holding.holds import HoldKind, HoldOrder
from payouts.people.letters import list_notices
from payouts.remittances.shares import set_form
from payouts.schedules.errors import MinimumError
from payouts.schedules.terms import PayoutTerms, change_terms, payout_terms
from schemas.schedules import PayoutSchedule
from tests.support.books import CHECKER, MAKER, Books, roster, roster_row
from tests.support.trade import A, B, C, Part, remittance

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (date(2026, 11, day) for day in range(16, 21))
NEXT_MONDAY, NEXT_FRIDAY = date(2026, 11, 23), date(2026, 11, 27)


def _terms(books: Books, store: Pharmacy, schedule: str | None = None, minimum_cents: int | None = None) -> PayoutTerms:
    with books.begin() as connection:
        return change_terms(
            connection,
            books.member(store),
            schedule=None if schedule is None else PayoutSchedule(schedule),
            minimum_cents=minimum_cents,
            reason="asked for it",
            on=MONDAY,
            actor=MAKER,
        )


def _paid(cycle: Cycle) -> dict[str, int]:
    return {each.ncpdp_id: each.amount_cents for each in cycle.payouts}


def _left_out(cycle: Cycle) -> dict[str, tuple[int, str]]:
    return {each.ncpdp_id: (each.available_cents, each.reason) for each in cycle.omitted}


def _fund(books: Books, trace: str, day: date, **cents: int) -> None:
    """Fund a remittance of a day: A=100 pays A a dollar."""
    stores = {"A": A, "B": B, "C": C}
    books.fund(remittance(trace, day, *(Part(stores[name], (each,)) for name, each in cents.items())))


def _exclude(books: Books, cycle: Cycle, store: Pharmacy) -> None:
    with books.begin() as connection:
        voiding.exclude_member(connection, cycle.cycle_id, books.member(store), "asked to wait", MAKER)


def _untold(books: Books, store: Pharmacy) -> int:
    statement = "SELECT count(*) AS shares FROM share_to_remit WHERE owner_id = :owner AND cycle_id IS NULL"
    return int(books.ask(statement, owner=books.member(store))[0].shares)


# By schedule ---------------------------------------------------------------------------------------------------------


def test_only_whose_day_has_come_is_paid(books: Books) -> None:
    """A is paid on Fridays, B daily: Thursday's cycle pays B, Friday's both; what A waits for is shown."""
    _terms(books, A, "weekly:fri")
    _fund(books, "T1", MONDAY, A=500_00, B=80_00)
    cycle = books.propose(THURSDAY)
    assert _paid(cycle) == {B.ncpdp_id: 80_00}
    assert _left_out(cycle) == {A.ncpdp_id: (500_00, "not_due"), C.ncpdp_id: (0, "no_balance")}
    with books.begin() as connection:
        seen = preview.preview(connection, cycle.cycle_id)
    assert [each.model_dump() for each in seen.waiting] == [{"reason": "not_due", "members": 1, "cents": 500_00}]
    books.pay(THURSDAY)
    assert _paid(books.propose(FRIDAY)) == {A.ncpdp_id: 500_00}
    books.pay(FRIDAY)
    books.prove()


def test_who_waits_is_told_nothing_and_pays_no_fee(books: Books) -> None:
    """Its shares stay to be told, its fee stays open, until the cycle that pays it tells and takes both at once."""
    _terms(books, A, "weekly:fri")
    _fund(books, "T1", MONDAY, A=500_00, B=300_00)
    with books.begin() as connection:
        assess(connection, date(2026, 11, 1), MAKER)
    books.pay(THURSDAY)
    books.prove()
    assert (_untold(books, A), _untold(books, B)) == (1, 0)
    open_fee = [-books.balance(store, Account.FEE_RECEIVABLE, Ledger.OPERATING) for store in (A, B)]
    assert open_fee == [200_00, 0]
    cycle = books.approved(FRIDAY)
    assert [(each.ncpdp_id, each.amount_cents, each.fee_cents) for each in cycle.payouts] == [
        (A.ncpdp_id, 300_00, 200_00)
    ]
    assert cycle.told.shares == 1
    assert books.release(cycle.cycle_id).children.files == 1
    assert _untold(books, A) == 0
    books.prove()


@pytest.mark.parametrize("form", list(Form))
def test_shares_of_several_days_are_told_together(books: Books, form: Form) -> None:
    """A week's advices of a member, one of them a take-back: all are told by the cycle that pays it, in both forms."""
    _terms(books, A, "weekly:fri")
    with books.begin() as connection:
        set_form(connection, books.member(A), form, MAKER)
    _fund(books, "T1", MONDAY, A=500_00, B=10_00)
    _fund(books, "T2", TUESDAY, A=-120_00, B=200_00)
    books.pay(TUESDAY)
    _fund(books, "T3", WEDNESDAY, A=70_00, B=1_00)
    books.pay(THURSDAY)
    assert _untold(books, A) == 3
    cycle = books.approved(FRIDAY)
    assert (cycle.total_cents, cycle.told.shares) == (450_00, 3)
    books.release(cycle.cycle_id)
    assert _untold(books, A) == 0
    assert books.balance(A, Account.DUE_AVAILABLE) == 0
    books.prove()


def test_a_day_without_a_cycle_is_made_up_by_the_next(books: Books) -> None:
    """Nobody ran a cycle on Friday: Monday's pays the weekly one; Tuesday's does not pay it again."""
    _terms(books, A, "weekly:fri")
    _fund(books, "T1", MONDAY, A=500_00, B=80_00)
    books.pay(THURSDAY)
    assert _paid(books.approved(NEXT_MONDAY)) == {A.ncpdp_id: 500_00}
    books.release(books.ask("SELECT max(cycle_id) AS last FROM cycle")[0].last)
    _fund(books, "T2", NEXT_MONDAY, A=40_00, B=3_00)
    assert _paid(books.propose(NEXT_MONDAY + timedelta(days=1))) == {B.ncpdp_id: 3_00}


def test_a_cycle_that_was_voided_paid_nobody(books: Books) -> None:
    """Friday's cycle was approved and voided: the next one is after Thursday's, and Friday is made up."""
    _terms(books, A, "weekly:fri")
    _fund(books, "T1", MONDAY, A=500_00, B=80_00)
    books.pay(THURSDAY)
    cycle = books.approved(FRIDAY)
    with books.begin() as connection:
        voiding.void_cycle(connection, cycle.cycle_id, "wrong day", CHECKER)
    assert _paid(books.propose(NEXT_MONDAY)) == {A.ncpdp_id: 500_00}


def test_before_any_cycle_the_days_since_the_banking_day_before_count(books: Books) -> None:
    """The first cycle ever is on a Monday: a Sunday's monthly member is due, a Friday's weekly one is not."""
    _terms(books, A, "monthly:22")
    _terms(books, B, "weekly:fri")
    _fund(books, "T1", FRIDAY, A=500_00, B=80_00)
    assert _paid(books.propose(NEXT_MONDAY)) == {A.ncpdp_id: 500_00}


def test_a_second_cycle_of_a_day_pays_the_daily_ones(books: Books) -> None:
    """Money that comes after Friday's cycle: a second one of that day pays B, A has had its Friday."""
    _terms(books, A, "weekly:fri")
    _fund(books, "T1", MONDAY, A=500_00, B=80_00)
    books.pay(FRIDAY)
    _fund(books, "T2", FRIDAY, A=7_00, B=9_00)
    cycle = books.propose(FRIDAY)
    assert (_paid(cycle), _left_out(cycle)[A.ncpdp_id]) == ({B.ncpdp_id: 9_00}, (7_00, "not_due"))


def test_nobody_due_is_said_and_leaves_no_cycle(books: Books) -> None:
    """All who have money wait for their day or their minimum: refused with both counts, and nothing is written."""
    _terms(books, A, "weekly:fri")
    _terms(books, B, minimum_cents=100_00)
    _terms(books, C, "monthly:1")
    _fund(books, "T1", MONDAY, A=500_00, B=80_00)
    with pytest.raises(NobodyDueError, match="1 member for their day and 1 member for their minimum") as refused:
        books.propose(THURSDAY)
    assert (refused.value.not_due, refused.value.below_minimum) == (1, 1)
    assert isinstance(refused.value, NothingToPayError)
    assert books.ask("SELECT FROM cycle") == []


def test_the_same_proposal_again_is_the_same_cycle(books: Books) -> None:
    """With members waiting too; a change of terms that makes one of them due makes it another set."""
    _terms(books, A, "weekly:fri")
    _fund(books, "T1", MONDAY, A=500_00, B=80_00)
    first = books.propose(THURSDAY)
    assert books.propose(THURSDAY).cycle_id == first.cycle_id
    _terms(books, A, "weekly:thu")
    again = books.propose(THURSDAY)
    assert again.cycle_id != first.cycle_id
    assert _paid(again) == {A.ncpdp_id: 500_00, B.ncpdp_id: 80_00}


# What could not be paid stays due ------------------------------------------------------------------------------------


def test_who_was_excluded_is_due_in_the_next_cycle(books: Books) -> None:
    """Excluded on its Friday, paid on Monday; and again excluded, due again."""
    _terms(books, A, "weekly:fri")
    _fund(books, "T1", MONDAY, A=500_00, B=80_00)
    cycle = books.approved(FRIDAY)
    _exclude(books, cycle, A)
    books.release(cycle.cycle_id)
    _fund(books, "T2", FRIDAY, B=5_00)
    cycle = books.approved(NEXT_MONDAY)
    assert _paid(cycle) == {A.ncpdp_id: 500_00, B.ncpdp_id: 5_00}
    _exclude(books, cycle, A)
    books.release(cycle.cycle_id)
    assert _paid(books.propose(NEXT_MONDAY + timedelta(days=1))) == {A.ncpdp_id: 500_00}
    books.prove()


def test_who_had_no_account_is_due_when_it_has_one(books: Books) -> None:
    """Its account was stopped on its Friday, and still on Monday; the stop lifted, Tuesday's cycle pays it."""
    _terms(books, A, "weekly:fri")
    _fund(books, "T1", MONDAY, A=500_00, B=80_00)
    with books.begin() as connection:
        account = account_in_use(connection, books.member(A))
        stop_account(connection, account, "to be sure", on=MONDAY, actor=MAKER)
    cycle = books.propose(THURSDAY)
    assert _left_out(cycle)[A.ncpdp_id] == (500_00, "not_due")
    for trace, day in (("T2", FRIDAY), ("T3", NEXT_MONDAY)):
        cycle = books.approved(day)
        assert _left_out(cycle)[A.ncpdp_id] == (500_00, "account_stopped")
        books.release(cycle.cycle_id)
        _fund(books, trace, day, B=1_00)
    with books.begin() as connection:
        lift_stop(connection, account, "it is good", CHECKER)
    assert _paid(books.propose(NEXT_MONDAY + timedelta(days=1))) == {A.ncpdp_id: 500_00, B.ncpdp_id: 1_00}


def test_whose_hold_was_lifted_is_due_in_the_next_cycle(books: Books) -> None:
    """All of it was held on its Friday; lifted on Monday, paid on Monday, and what comes then waits for Friday."""
    _terms(books, A, "weekly:fri")
    _fund(books, "T1", MONDAY, A=500_00, B=80_00)
    order = HoldOrder(books.member(A), HoldKind.REVIEW, "a credential", "contract", NEXT_FRIDAY, TUESDAY)
    with books.begin() as connection:
        hold_id = holds.place_hold(connection, order, MAKER)
    cycle = books.approved(FRIDAY)
    assert _left_out(cycle)[A.ncpdp_id] == (0, "held")
    books.release(cycle.cycle_id)
    with books.begin() as connection:
        approval_id = lifts.ask_lift(connection, hold_id, None, "it is good", MAKER, on=NEXT_MONDAY)
        decisions.decide(connection, approval_id, CHECKER, approve=True)
    assert books.pay(NEXT_MONDAY).total_cents == 500_00
    _fund(books, "T2", NEXT_MONDAY, A=9_00, B=2_00)
    assert _paid(books.propose(NEXT_MONDAY + timedelta(days=1))) == {B.ncpdp_id: 2_00}
    books.prove()


# The least amount ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cents", "is_paid"), [(249_99, False), (250_00, True)])
def test_the_minimum_is_asked_of_what_would_be_paid(books: Books, cents: int, is_paid: bool) -> None:
    """At a minimum of 50.00 and a fee of 200.00, 250.00 are paid, and of 249.99 neither payment nor fee is taken."""
    _terms(books, A, minimum_cents=50_00)
    _fund(books, "T1", MONDAY, A=cents, B=300_00)
    with books.begin() as connection:
        assess(connection, date(2026, 11, 1), MAKER)
    cycle = books.propose(TUESDAY)
    if is_paid:
        assert _paid(cycle) == {A.ncpdp_id: 50_00, B.ncpdp_id: 100_00}
    else:
        assert _paid(cycle) == {B.ncpdp_id: 100_00}
        assert _left_out(cycle)[A.ncpdp_id] == (249_99, "below_minimum")
    assert cycle.fee_cents == (400_00 if is_paid else 200_00)


def test_below_the_minimum_on_its_day_waits_for_the_next(books: Books) -> None:
    """40.00 on its Friday are too little; 20.00 more on Monday do not make it due before the Friday after."""
    _terms(books, A, "weekly:fri", 50_00)
    _fund(books, "T1", MONDAY, A=40_00, B=1_00)
    assert _left_out(books.approved(FRIDAY))[A.ncpdp_id] == (40_00, "below_minimum")
    books.release(books.ask("SELECT max(cycle_id) AS last FROM cycle")[0].last)
    _fund(books, "T2", FRIDAY, A=20_00, B=1_00)
    assert _left_out(books.propose(NEXT_MONDAY))[A.ncpdp_id] == (60_00, "not_due")
    assert _paid(books.propose(NEXT_FRIDAY)) == {A.ncpdp_id: 60_00, B.ncpdp_id: 1_00}


def test_a_negative_member_is_negative_whatever_its_terms(books: Books) -> None:
    """The reason stays what people look for; nothing is told of it before its day."""
    books.put_in("OWN", 1_000_00, MONDAY)
    _terms(books, A, "weekly:fri", 50_00)
    _fund(books, "T1", MONDAY, A=-30_00, B=80_00)
    cycle = books.propose(THURSDAY)
    assert (_left_out(cycle)[A.ncpdp_id], cycle.told.shares) == ((-30_00, "negative"), 1)
    cycle = books.propose(FRIDAY)
    assert (_left_out(cycle)[A.ncpdp_id], cycle.told.shares) == ((-30_00, "negative"), 2)


def test_who_has_left_is_paid_in_every_cycle_whatever_there_is(books: Books) -> None:
    """The last day of its membership is still its own; from the day after, neither schedule nor minimum counts."""
    _terms(books, A, "monthly", 100_00)
    terms = {"payout_schedule": "monthly", "member_until": "2026-11-17"}
    rows = [roster_row(A, **terms), roster_row(B), roster_row(C)]
    assert books.receive(roster(*rows), "roster.csv").status == "accepted"
    _fund(books, "T1", MONDAY, A=3_00, B=80_00)
    assert _left_out(books.propose(TUESDAY))[A.ncpdp_id] == (3_00, "not_due")
    assert _paid(books.propose(WEDNESDAY)) == {A.ncpdp_id: 3_00, B.ncpdp_id: 80_00}
    with books.begin() as connection:
        asked = payout_terms(connection, books.member(A), WEDNESDAY)
    assert (asked.has_left, asked.minimum_cents, asked.next_days[:2]) == (True, 100_00, (WEDNESDAY, THURSDAY))


# Terms ---------------------------------------------------------------------------------------------------------------


def test_terms_are_changed_with_a_record_and_a_letter(books: Books) -> None:
    """What it was and what it is now, why and by whom; the letter says it in words. The same again changes nothing."""
    changed = _terms(books, A, "twice_monthly:1-16", 50_00)
    assert (changed.schedule, changed.minimum_cents) == ("twice_monthly:1-16", 50_00)
    # Monday the 16th is today.
    assert changed.next_days == (MONDAY, date(2026, 12, 1), date(2026, 12, 16), date(2027, 1, 4), date(2027, 1, 19))
    _terms(books, A, "twice_monthly:1-16", 50_00)
    (done,) = books.ask("SELECT actor, subject, detail FROM activity WHERE action = 'schedule_changed'")
    assert (done.actor, done.subject) == (MAKER, A.ncpdp_id)
    assert done.detail == {
        "reason": "asked for it",
        "schedule": "twice_monthly:1-16",
        "minimum_cents": 50_00,
        "before_schedule": "daily",
        "before_minimum_cents": 0,
    }
    with books.begin() as connection:
        (letter,) = list_notices(connection)
    assert (letter.kind, letter.ncpdp_id) == ("schedule_changed", A.ncpdp_id)
    assert "we pay you on the 1st and the 16th of each month" in letter.body
    assert "Less than $50.00 is not paid" in letter.body
    assert "The next such day is Monday, November 16, 2026." in letter.body


def test_terms_that_can_not_be(books: Books) -> None:
    """Without a reason, below zero, above a million: refused, and nothing is changed."""
    member = books.member(A)
    with books.begin() as connection:
        with pytest.raises(ReasonMissingError):
            change_terms(connection, member, minimum_cents=1, reason="  ", on=MONDAY, actor=MAKER)
        for cents in (-1, 1_000_000_01):
            with pytest.raises(MinimumError):
                change_terms(connection, member, minimum_cents=cents, reason="x", on=MONDAY, actor=MAKER)
    assert books.ask("SELECT FROM activity WHERE action = 'schedule_changed'") == []
    assert books.ask("SELECT FROM notice") == []


def test_what_went_by_without_a_cycle_is_due_at_once(books: Books) -> None:
    """The next day shown is today when a day of the schedule lies since the last cycle, and Friday when it was paid."""
    _terms(books, A, "weekly:fri")
    _fund(books, "T1", MONDAY, A=500_00, B=80_00)
    books.pay(THURSDAY)
    with books.begin() as connection:
        due = payout_terms(connection, books.member(A), NEXT_MONDAY)
        on_sunday = payout_terms(connection, books.member(A), NEXT_MONDAY - timedelta(days=1))
    assert due.next_days[:2] == on_sunday.next_days[:2] == (NEXT_MONDAY, NEXT_FRIDAY)
    books.pay(NEXT_MONDAY)
    with books.begin() as connection:
        assert payout_terms(connection, books.member(A), NEXT_MONDAY).next_days[0] == NEXT_FRIDAY


def test_a_roster_gives_schedule_and_minimum(books: Books) -> None:
    """The optional column sets the minimum of new and of known members; without it, or blank, it stays."""
    books.receive(roster(roster_row(A, payout_schedule="monthly:10"), roster_row(B), roster_row(C)), "roster.csv")
    lines = roster(roster_row(A, payout_schedule="monthly:10"), roster_row(B)).decode().splitlines()
    header, first, second = lines
    more = "\n".join((f"{header},payout_minimum", f"{first},25.00", f"{second},")).encode()
    assert books.receive(more, "roster.csv").summary == "0 added, 1 changed, 1 unchanged"
    assert books.receive(more + b"\n", "roster.csv").summary == "0 added, 0 changed, 2 unchanged"
    books.receive(roster(roster_row(A, payout_schedule="weekly"), roster_row(B)), "roster.csv")
    rows = books.ask("SELECT payout_schedule, payout_minimum_cents FROM member ORDER BY tin")
    assert [tuple(row) for row in rows] == [("weekly:fri", 25_00), ("daily", 0), ("daily", 0)]


# In the database -----------------------------------------------------------------------------------------------------

_MISTAKES = {
    "another word": ("UPDATE member SET payout_schedule = 'fortnightly'", "payout_schedule_is_one"),
    "a day of no month": ("UPDATE member SET payout_schedule = 'monthly:32'", "payout_schedule_is_one"),
    "the later day first": ("UPDATE member SET payout_schedule = 'twice_monthly:16-1'", "payout_schedule_is_one"),
    "less than nothing": ("UPDATE member SET payout_minimum_cents = -1", "member_payout_minimum_cents_check"),
    "never paid": ("UPDATE member SET payout_minimum_cents = 100000001", "member_payout_minimum_cents_check"),
    "another reason": ("INSERT INTO cycle_omission SELECT 1, member_id, 0, 'tired' FROM member", "reason_check"),
    "another cut-off": ("INSERT INTO cut_off VALUES ('lunch', '2026-11-20', '12:00', 'x')", "cut_off_name_check"),
    "no time of day": ("INSERT INTO cut_off VALUES ('file_handover', '2026-11-20', '24:00', 'x')", "local_time_check"),
    "a cut-off twice": ("INSERT INTO cut_off VALUES ('file_handover', '2000-01-01', '9:00', 'x')", "cut_off_pkey"),
}


@pytest.mark.parametrize("mistake", _MISTAKES)
def test_the_database_refuses_by_itself(books: Books, owner: Engine, mistake: str) -> None:
    """Raw SQL of the tables' owner: no other schedule, no negative minimum, no other reason or cut-off."""
    assert books.member(A)
    statement, constraint = _MISTAKES[mistake]
    with pytest.raises(IntegrityError, match=constraint), owner.begin() as connection:
        connection.exec_driver_sql(statement)


@pytest.mark.parametrize(
    "statement", ["UPDATE cut_off SET local_time = '09:00'", "DELETE FROM cut_off", "TRUNCATE cut_off"]
)
def test_cut_offs_stay(owner: Engine, statement: str) -> None:
    """What was set is history, for the owner of the table too."""
    with pytest.raises(DBAPIError, match="cut_off is refused: correct by reversal"), owner.begin() as connection:
        connection.exec_driver_sql(statement)
