"""People who clear exceptions in books: one asks, another decides; and what the application's role writes by hand."""

from datetime import date
from typing import Any

from sqlalchemy import text

from app.demo.pharmacies import Pharmacy
from ingest.cases import list_cases
from ledger.chart import Account
from payouts import decisions
from payouts.people.approvals import Approval
from payouts.resolutions.actions import resolve
from payouts.resolutions.frame import Action, Resolution
from payouts.resolutions.standing_cases import settle_standing_cases
from tests.support.books import CHECKER, MAKER, Books
from tests.support.trade import A, B, C, Part, remittance

DAY, LATER = date(2026, 11, 16), date(2026, 11, 18)


def with_money(books: Books) -> Books:
    """Give books with 100.00 for A, B and C each and 50.00 of own money."""
    books.put_in("OWN", 50_00, DAY)
    books.fund(remittance("FIRST", DAY, *(Part(store, (100_00,)) for store in (A, B, C))))
    return books


def case_id(books: Books, kind: str) -> int:
    """Give the one open case of a kind, after the standing cases were brought up to date."""
    with books.begin() as connection:
        settle_standing_cases(connection)
        (case,) = [each for each in list_cases(connection) if each.kind.value == kind]
    return case.id


def ask(books: Books, kind: str, action: Action, **facts: Any) -> int:  # noqa: ANN401 (fields of the request)
    """Ask for an action about the one open case of a kind; give the approval."""
    number = case_id(books, kind)
    told: dict[str, Any] = {"reason": "as it is", "day": LATER} | facts
    request = Resolution(case_id=number, action=action, **told)
    with books.begin() as connection:
        approval_id = resolve(connection, request, MAKER)
    assert approval_id is not None
    return approval_id


def approve(books: Books, approval_id: int, by: str = CHECKER) -> Approval:
    """Let a person approve."""
    with books.begin() as connection:
        return decisions.decide(connection, approval_id, by, approve=True, vault=books.vault)


def reject(books: Books, approval_id: int) -> None:
    """Let the second person reject."""
    with books.begin() as connection:
        decisions.decide(connection, approval_id, CHECKER, approve=False, reason="no")


def due(books: Books, store: Pharmacy) -> int:
    """Give what is available to a store."""
    return books.balance(store, Account.DUE_AVAILABLE)


def write(books: Books, statement: str, **parameters: object) -> None:
    """Write by raw SQL, as the application's role."""
    with books.begin() as connection:
        connection.execute(text(statement), parameters)
