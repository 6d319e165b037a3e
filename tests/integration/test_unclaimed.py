"""Unclaimed property: whose money, which days, one letter for a period, and what is refused before its time."""

import io
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, text

from app.database import unit_of_work
from ledger.chart import Account
from ledger.decided import unclaimed as declared
from ledger.errors import JournalAppendOnlyError, PayoutNotApprovedError
from ledger.events import hold_lifted
from payouts import decisions
from payouts.disbursing import disbursements
from payouts.disbursing.disbursements import Method
from payouts.holding import dormancy, holds, unclaimed
from payouts.holding.dormancy import DormancyRule
from payouts.holding.errors import DormancyRulesError, NoDormancyRuleError, UnclaimedError
from payouts.holding.holds import HoldKind, HoldOrder
from payouts.holding.unclaimed import Dormant
from payouts.people.contacts import Contact, record_contact
from schemas.errors import UnreadableError
from tests.support.books import CHECKER, MAKER, Books, roster, roster_row
from tests.support.trade import A, Part, remittance

HELD_ON, DORMANT = date(2026, 11, 16), date(2029, 11, 16)
RULE = DormancyRule(
    state="IL",
    property="MS08",
    months=36,
    letter_from_days=180,
    letter_until_days=60,
    since=date(2020, 1, 1),
    source="765 ILCS 1026",
)
OPENS, CLOSES = DORMANT - timedelta(days=180), DORMANT - timedelta(days=60)


def _import(books: Books, *rules: DormancyRule) -> int:
    with books.begin() as connection:
        return dormancy.import_rules(connection, rules, MAKER)


@pytest.fixture
def hold_id(books: Books) -> int:
    """Give books with Illinois's rule in which 900.00 of A are held since its membership ended."""
    books.fund(remittance("T1", HELD_ON, Part(A, (900_00,))))
    order = HoldOrder(books.member(A), HoldKind.REVIEW, "store closed", "agreement, §9", date(2027, 1, 4), HELD_ON)
    with books.begin() as connection:
        hold = holds.place_hold(connection, order, MAKER)
    left = roster(roster_row(A, member_until="2026-12-31"))
    assert books.receive(left, "roster.csv").status == "accepted"
    _import(books, RULE)
    return hold


def _list(books: Books, on: date) -> list[Dormant]:
    with books.begin() as connection:
        return unclaimed.list_dormant(connection, on)


def _letters(books: Books, on: date) -> int:
    with books.begin() as connection:
        return len(unclaimed.write_letters(connection, on, MAKER))


def _propose(books: Books, hold: int, on: date = DORMANT) -> int:
    with books.begin() as connection:
        return unclaimed.propose_declaration(connection, hold, "no answer", on=on, actor=MAKER)


def _approve(books: Books, approval: int) -> None:
    with books.begin() as connection:
        decisions.decide(connection, approval, CHECKER, approve=True)


def test_days_of_a_member_that_is_gone(books: Books, hold_id: int) -> None:
    """While it is a member nothing is dormant; once gone the days count from the last activity."""
    assert _list(books, date(2026, 12, 31)) == []
    (found,) = _list(books, date(2027, 1, 1))
    assert (found.hold_id, found.held_cents, found.last_activity) == (hold_id, 900_00, HELD_ON)
    assert (found.dormant_on, found.letter_from, found.letter_until) == (DORMANT, OPENS, CLOSES)


def test_what_a_court_keeps_is_not_unclaimed(books: Books, hold_id: int) -> None:
    """Of a member that is gone 900.00 are held for review and 100.00 by a legal order: these are never handed over."""
    books.fund(remittance("T2", HELD_ON, Part(A, (100_00,))))
    order = HoldOrder(books.member(A), HoldKind.LEGAL, "freeze", "Circuit Court, 26-L-1", date(2027, 1, 4), HELD_ON)
    with books.begin() as connection:
        frozen = holds.place_hold(connection, order, MAKER)
    assert books.balance(A, Account.HELD) == 1_000_00
    assert [each.hold_id for each in _list(books, DORMANT)] == [hold_id]
    with pytest.raises(UnclaimedError, match="nothing to declare"):
        _propose(books, frozen)


def test_one_letter_for_a_period(books: Books, hold_id: int) -> None:
    """Not before the window, once in it, and again only when an activity began another period."""
    assert _letters(books, OPENS - timedelta(days=1)) == 0
    assert [_letters(books, day) for day in (OPENS, OPENS, CLOSES)] == [1, 0, 0]
    assert books.cases()["unclaimed_due", f"hold {hold_id}"] == 900_00
    with books.begin() as connection:
        unclaimed.record_heard(connection, hold_id, "it called", on=date(2029, 6, 1), actor=MAKER)
    (found,) = _list(books, DORMANT)
    assert (found.last_activity, found.dormant_on, found.letter_on) == (date(2029, 6, 1), date(2032, 6, 1), None)
    assert (_letters(books, DORMANT), books.cases()) == (0, {})
    assert _letters(books, date(2032, 1, 5)) == 1
    assert len(books.ask("SELECT FROM unclaimed_letter")) == 2


def test_a_contact_is_an_activity(books: Books, hold_id: int) -> None:
    """Whoever gives a contact or asks for another account is heard of."""
    contact = Contact(name="Pat Example", telephone="3125550100", email="pat@example.org")
    with books.begin() as connection:
        day = date(2028, 3, 1)
        record_contact(connection, books.member(A), contact, since=day, on=day, actor=MAKER)
    assert [each.last_activity for each in _list(books, DORMANT)] == [date(2028, 3, 1)]
    assert [each.last_activity for each in _list(books, date(2028, 2, 29))] == [HELD_ON]
    assert hold_id


def test_letter_that_was_missed_goes_out_late(books: Books, hold_id: int) -> None:
    """Written on the day of dormancy itself, it gives the owner sixty days as one in time does."""
    assert _letters(books, DORMANT) == 1
    with pytest.raises(UnclaimedError, match="declare it from 2030-01-15"):
        _propose(books, hold_id)
    with pytest.raises(UnclaimedError):
        _propose(books, hold_id, DORMANT + timedelta(days=59))
    _approve(books, _propose(books, hold_id, DORMANT + timedelta(days=60)))
    assert books.balance(A, Account.UNCLAIMED) == 900_00
    books.prove()


def test_declared_is_what_is_kept_then(books: Books, hold_id: int) -> None:
    """Between proposal and approval 100.00 are lifted: 900.00 can not be declared, and nothing is."""
    _letters(books, OPENS)
    approval = _propose(books, hold_id)
    lifted = hold_lifted("other", DORMANT, books.member(A), 100_00, "another way", hold_id=hold_id)
    books.post(lifted)
    with pytest.raises(UnclaimedError, match="propose again"):
        _approve(books, approval)
    assert (books.balance(A, Account.UNCLAIMED), books.balance(A, Account.HELD)) == (0, 800_00)


def test_heard_of_before_the_second_person_decides(books: Books, hold_id: int) -> None:
    """Proposed on the day of dormancy; the owner calls on the next one: approved after that, nothing is declared."""
    _letters(books, OPENS)
    approval = _propose(books, hold_id)
    with books.begin() as connection:
        called_on = DORMANT + timedelta(days=1)
        unclaimed.record_heard(connection, hold_id, "it called", on=called_on, actor=MAKER)
    with pytest.raises(UnclaimedError, match="heard of on 2029-11-17"):
        _approve(books, approval)
    assert (books.balance(A, Account.UNCLAIMED), books.balance(A, Account.HELD)) == (0, 900_00)


def test_claimed_again_and_declared_again(books: Books, hold_id: int) -> None:
    """A declaration is turned when the owner writes; what has left for the state can not be claimed here."""
    _letters(books, OPENS)
    _approve(books, _propose(books, hold_id))
    with books.begin() as connection:
        assert unclaimed.reclaim(connection, hold_id, "owner wrote", on=DORMANT, actor=MAKER) == 900_00
    assert books.balance(A, Account.HELD) == 900_00
    with pytest.raises(UnclaimedError), books.begin() as connection:
        unclaimed.reclaim(connection, hold_id, "again", on=DORMANT, actor=MAKER)
    _approve(books, _propose(books, hold_id))
    with books.begin() as connection:
        number = unclaimed.propose_escheat(connection, hold_id, "State Treasurer", Method.WIRE, MAKER)
        ((approval,),) = connection.execute(text("SELECT approval_id FROM approval WHERE state = 'pending'"))
    _approve(books, approval)
    disbursements.release_disbursement(books.begin, number, DORMANT, books.folder / "out", MAKER)
    with pytest.raises(UnclaimedError), books.begin() as connection:
        unclaimed.reclaim(connection, hold_id, "late", on=DORMANT, actor=MAKER)
    with pytest.raises(UnclaimedError), books.begin() as connection:
        unclaimed.propose_escheat(connection, hold_id, "State", Method.CHECK, MAKER)
    with pytest.raises(UnclaimedError):
        _propose(books, hold_id)
    with pytest.raises(UnclaimedError), books.begin() as connection:
        unclaimed.record_heard(connection, hold_id, "late", on=DORMANT, actor=MAKER)
    books.prove()


def test_states_without_a_rule_and_with_several(books: Books, hold_id: int) -> None:
    """A rule begins on its day; with two kinds of property one must be named."""
    with books.begin() as connection:
        with pytest.raises(NoDormancyRuleError):
            dormancy.rule_on(connection, "IL", date(2019, 12, 31))
        with pytest.raises(NoDormancyRuleError):
            dormancy.rule_on(connection, "OH", DORMANT)
    later = RULE.model_copy(update={"months": 60, "since": date(2028, 1, 1)})
    assert _import(books, RULE, later) == 1
    with books.begin() as connection:
        assert dormancy.rule_on(connection, "IL", date(2027, 12, 31)).months == 36
        assert dormancy.rule_on(connection, "IL", date(2028, 1, 1)).months == 60
    _import(books, RULE.model_copy(update={"property": "CK13"}))
    with books.begin() as connection:
        with pytest.raises(DormancyRulesError, match="CK13, MS08"):
            dormancy.rule_on(connection, "IL", DORMANT)
        assert dormancy.rule_on(connection, "IL", DORMANT, "CK13").months == 36
    assert "several" in str(_list(books, DORMANT)[0].problem)
    assert hold_id


def test_rule_stays_as_it_was_imported(books: Books, owner: Engine) -> None:
    """The same again is nothing new; another of the same day is refused whole; by hand none is changed."""
    assert (_import(books, RULE), _import(books, RULE)) == (1, 0)
    fresh = RULE.model_copy(update={"state": "OH"})
    with pytest.raises(DormancyRulesError):
        _import(books, fresh, RULE.model_copy(update={"months": 12}))
    with books.begin() as connection:
        assert dormancy.list_rules(connection) == [RULE]
    with pytest.raises(JournalAppendOnlyError), unit_of_work(owner) as connection:
        connection.execute(text("UPDATE dormancy_rule SET months = 1"))


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ("IL,MS08,36,60,60,2020-01-01,x", "letter_window"),
        ("Il,MS08,36,180,60,2020-01-01,x", "value"),
        ("IL,MS08,601,180,60,2020-01-01,x", "value"),
        ("IL,MS08,36,180,60,2020-02-30,x", "value"),
        ("IL,MS08,36,180,60,2020-01-01,", "value_missing"),
        ("IL,MS08,36,180,60,2020-01-01", "row_width"),
    ],
)
def test_bad_rows_are_found(row: str, rule: str) -> None:
    """What is wrong in a file is said by its rule, and nothing of it is taken."""
    header = ",".join(dormancy.RULE_COLUMNS)
    with pytest.raises(UnreadableError) as caught:
        dormancy.read_rules(io.BytesIO(f"{header}\n{row}\n".encode()), "rules.csv")
    assert [finding.rule for finding in caught.value.findings] == [rule]


@pytest.mark.parametrize(
    ("last", "months", "day"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2023, 2, 28), 12, date(2024, 2, 28)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 12, 31), 12, date(2027, 12, 31)),
        (date(2026, 11, 30), 1, date(2026, 12, 30)),
    ],
)
def test_months_end_where_the_month_does(last: date, months: int, day: date) -> None:
    """So many months later, at most the last day of that month."""
    assert RULE.model_copy(update={"months": months}).dormant_on(last) == day


def test_11_unclaimed_takes_two_people_whoever_posts_it(books: Books, hold_id: int) -> None:
    """The event is refused by the database where nobody approved it for that hold."""
    with pytest.raises(PayoutNotApprovedError) as caught:
        books.post(declared("alone", DORMANT, books.member(A), 900_00, hold_id, reason="mine"))
    assert caught.value.rule == "unclaimed_is_approved"
