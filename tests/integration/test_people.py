"""Users, roles and approvals: who may act, and that nobody checks what they made."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date

import pytest

from ledger.chart import Account
from ledger.errors import DecidedOnceError, MakerIsCheckerError
from payouts import decisions, own_money
from payouts.errors import BankReferenceError, NotAUserError, RoleMissingError, UserExistsError, UserNameError
from payouts.people.approvals import list_approvals
from payouts.people.users import ADMINS, OPERATORS, UserRole, add_user, list_users, require
from tests.support.bank import own_money as wire
from tests.support.books import CHECKER, MAKER, Books

DAY = date(2026, 11, 16)


def _require(books: Books, actor: str) -> None:
    with books.begin() as connection:
        require(connection, actor, ADMINS)


def _proposed(books: Books, reference: str = "OWN") -> int:
    books.book(DAY, wire(reference, 500))
    with books.begin() as connection:
        return own_money.propose_deposit(connection, reference, MAKER)


def _decide(books: Books, approval: int, actor: str, *, approve: bool = True, reason: str | None = None) -> str:
    with books.begin() as connection:
        return decisions.decide(connection, approval, actor, approve=approve, reason=reason).state


def test_the_first_to_act_is_an_admin(new_books: Books) -> None:
    """Nobody else becomes one by acting."""
    _require(new_books, "mary")
    with pytest.raises(NotAUserError, match="users add"):
        _require(new_books, "eve")
    with new_books.begin() as connection:
        assert [(each.name, each.role) for each in list_users(connection)] == [("mary", UserRole.ADMIN)]


def test_of_two_who_act_first_one_is_first(new_books: Books) -> None:
    """Ten who act at the same moment in books without users make one admin."""

    def act(number: int) -> None:
        with suppress(NotAUserError):
            _require(new_books, f"user{number}")

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(act, range(10)))
    with new_books.begin() as connection:
        assert len(list_users(connection)) == 1


def test_roles_are_asked_for(books: Books) -> None:
    """An approver may operate and not add users; an auditor may do neither."""
    with books.begin() as connection:
        add_user(connection, "audrey", UserRole.AUDITOR, MAKER)
        require(connection, CHECKER, OPERATORS)
    with pytest.raises(RoleMissingError), books.begin() as connection:
        require(connection, "audrey", OPERATORS)
    with pytest.raises(RoleMissingError), books.begin() as connection:
        add_user(connection, "dora", UserRole.OPERATOR, CHECKER)


def test_adding_a_user_again_changes_nothing(books: Books) -> None:
    """With the same role it is done; with another it is refused."""
    with books.begin() as connection:
        add_user(connection, CHECKER, UserRole.APPROVER, MAKER)
        assert len(list_users(connection)) == 2
    with pytest.raises(UserExistsError), books.begin() as connection:
        add_user(connection, CHECKER, UserRole.ADMIN, MAKER)


@pytest.mark.parametrize("name", ["", "anna maria", "x" * 65, "Zoë", "a\nb"])
def test_a_name_that_no_user_can_have_is_said(books: Books, name: str) -> None:
    """A sentence, not an error of the database, for who is added and for who acts."""
    with pytest.raises(UserNameError), books.begin() as connection:
        add_user(connection, name, UserRole.OPERATOR, MAKER)
    with pytest.raises(UserNameError):
        _require(books, name)


def test_own_money_needs_a_second_person(books: Books) -> None:
    """Until another one approves nothing is posted; the maker is refused."""
    approval = _proposed(books)
    assert books.house(Account.OPERATING_FLOAT) == 0
    with pytest.raises(MakerIsCheckerError):
        _decide(books, approval, MAKER)
    assert _decide(books, approval, CHECKER) == "approved"
    assert books.house(Account.OPERATING_FLOAT) == 500
    with pytest.raises(DecidedOnceError):
        _decide(books, approval, CHECKER)
    assert books.house(Account.OPERATING_FLOAT) == 500
    books.prove()


def test_a_rejected_deposit_stays_parked(books: Books) -> None:
    """Nothing is posted, the reason is kept, and it may be asked anew."""
    approval = _proposed(books)
    assert _decide(books, approval, CHECKER, approve=False, reason="whose is it?") == "rejected"
    assert books.house(Account.UNMATCHED_DEPOSIT) == 500
    with books.begin() as connection:
        assert own_money.propose_deposit(connection, "OWN", MAKER) != approval
        (rejected,) = list_approvals(connection, "rejected")
    assert (rejected.decided_by, rejected.reason) == (CHECKER, "whose is it?")


def test_asking_again_gives_the_same_approval(books: Books) -> None:
    """While it is pending there is one for a bank line."""
    approval = _proposed(books)
    with books.begin() as connection:
        assert own_money.propose_deposit(connection, "OWN", CHECKER) == approval
        assert [each.approval_id for each in list_approvals(connection)] == [approval]


def test_two_checkers_at_once_decide_once(books: Books) -> None:
    """The second of two decisions at the same moment is refused; the money is the float's once."""
    approval = _proposed(books)
    with books.begin() as connection:
        add_user(connection, "carol", UserRole.APPROVER, MAKER)
    states: list[str] = []

    def decide(actor: str) -> None:
        with suppress(DecidedOnceError):
            states.append(_decide(books, approval, actor))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(decide, [CHECKER, "carol"]))
    assert states == ["approved"]
    assert books.house(Account.OPERATING_FLOAT) == 500


@pytest.mark.parametrize("reference", ["NONE", "TWICE"])
def test_a_reference_names_one_open_line(books: Books, reference: str) -> None:
    """None and two are refused with how many there are; so is a debit where a credit is asked for."""
    books.book(DAY, wire("TWICE", 1), wire("TWICE", 2))
    with pytest.raises(BankReferenceError), books.begin() as connection:
        own_money.propose_deposit(connection, reference, MAKER)
    with pytest.raises(BankReferenceError), books.begin() as connection:
        own_money.propose_withdrawal(connection, reference, MAKER)


def test_what_people_do_is_written_down(books: Books) -> None:
    """Who asked, who decided, and what followed stand in the record of activities."""
    approval = _proposed(books)
    _decide(books, approval, CHECKER)
    rows = books.ask("SELECT actor, action FROM activity ORDER BY activity_id DESC LIMIT 3")
    assert [tuple(row) for row in rows] == [
        (CHECKER, "float_deposit"),
        (CHECKER, "approved"),
        (MAKER, "approval_asked"),
    ]
