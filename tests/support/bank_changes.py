"""Changes of a member's bank details, step by step: pharmacy A's, in books with three people and A's old contact."""

from datetime import date
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import Connection, text

from ingest.directory import find_member
from ingest.roster import AccountType
from payouts import decisions
from payouts.accounts.changes import ChangeRequest, ChangeSource, ask_change, record_call_back
from payouts.accounts.live import make_live
from payouts.accounts.prenotes import send_prenotes
from payouts.ach.outgoing import Courier, OutgoingEntry, write_prenotes
from payouts.people.contacts import Contact, record_contact
from payouts.people.users import UserRole, add_user
from schemas.identifiers import AbaRouting
from tests.support.books import CHECKER, MAKER, NOON, ORIGINATOR, Books
from tests.support.trade import A

CALLER = "clara"
MONDAY, TUESDAY, WEDNESDAY, FRIDAY = (date(2026, 11, day) for day in (16, 17, 18, 20))
USABLE = date(2026, 11, 23)
"""The third banking day after a prenote that settles on Wednesday."""
NEW_NUMBER = "4455667788"
NEW_ROUTING = AbaRouting.from_eight("09100002")
TELEPHONE = "3125550100"
OWNER = Contact(name="Ada Owner", telephone=TELEPHONE, email="ada@example.com", postal_address="1 Main St\nPeoria IL")


def with_contact(books: Books) -> Books:
    """Add a third person, who calls, and a contact of A from long ago."""
    with books.begin() as connection:
        add_user(connection, CALLER, UserRole.OPERATOR, MAKER)
        since = A.member_since
        record_contact(connection, member_of(connection), OWNER, since=since, on=since, actor=MAKER)
    return books


def member_of(connection: Connection, ncpdp_id: str = A.ncpdp_id) -> UUID:
    """Give a pharmacy's member."""
    return find_member(connection, ncpdp_id)


def request_for(member: UUID, number: str = NEW_NUMBER, **changes: object) -> ChangeRequest:
    """Lay out what is asked for on Monday."""
    facts: dict[str, object] = {
        "member_id": member,
        "routing": NEW_ROUTING,
        "account_number": SecretStr(number),
        "account_type": AccountType.CHECKING,
        "source": ChangeSource.MEMBER,
        "reason": "the owner wrote",
        "requested_on": MONDAY,
    }
    return ChangeRequest.model_validate(facts | changes)


def ask(books: Books, number: str = NEW_NUMBER, **changes: object) -> int:
    """Ask for A's other account, as the maker."""
    with books.begin() as connection:
        request = request_for(member_of(connection), number, **changes)
        return ask_change(connection, request, books.keyring, MAKER)


def call_back(
    books: Books,
    change: int,
    *,
    confirmed: bool = True,
    number: str = TELEPHONE,
    actor: str = CALLER,
    on: date = MONDAY,
) -> None:
    """Call the contact back."""
    with books.begin() as connection:
        record_call_back(connection, change, number, "Ada Owner", actor, confirmed=confirmed, called_on=on)


def decide(books: Books, change: int, *, approve: bool = True, actor: str = CHECKER) -> None:
    """Decide as the second person."""
    asked = "SELECT approval_id FROM bank_account_change WHERE change_id = :change"
    approval = int(books.ask(asked, change=change)[0][0])
    with books.begin() as connection:
        decisions.decide(connection, approval, actor, approve=approve, reason=None if approve else "not so")


def approved(books: Books, number: str = NEW_NUMBER, **changes: object) -> int:
    """Ask, call back and approve."""
    change = ask(books, number, **changes)
    call_back(books, change)
    decide(books, change)
    return change


def courier(books: Books, connection: Connection) -> Courier:
    """Give what hands files over."""
    return Courier(connection=connection, vault=books.vault, originator=ORIGINATOR, actor=MAKER, made_at=NOON)


def send_prenote(books: Books, connection: Connection, change: int, settles_on: date) -> None:
    """Send a prenote of a change without marking it: the file alone."""
    entry = OutgoingEntry(
        routing_number=NEW_ROUTING,
        account_number=NEW_NUMBER,
        account_type="checking",
        ncpdp_id=A.ncpdp_id,
        receiver_name=A.dba_name,
        change_id=change,
    )
    write_prenotes(courier(books, connection), [entry], business_date=MONDAY, effective_on=settles_on)


def prenoted(books: Books, number: str = NEW_NUMBER, **changes: object) -> int:
    """Ask, call back, approve, and send the prenote on Tuesday; it settles on Wednesday."""
    change = approved(books, number, **changes)
    with books.begin() as connection:
        send_prenotes(courier(books, connection), books.keyring, TUESDAY)
    return change


def go_live(books: Books, on: date) -> list[int]:
    """Let what is usable by a day go live; give the changes."""
    with books.begin() as connection:
        return [each.change_id for each in make_live(connection, on, MAKER)]


def state_of(books: Books, change: int) -> str:
    """Give a change's state."""
    return str(books.ask("SELECT state FROM bank_account_change WHERE change_id = :change", change=change)[0][0])


def accounts_of_a(books: Books) -> list[tuple[str, date, date | None]]:
    """Give A's accounts: last four, first day, the day after the last one."""
    with books.begin() as connection:
        query = "SELECT last_four, lower(in_use), upper(in_use) FROM bank_account WHERE member_id = :id ORDER BY in_use"
        rows = connection.execute(text(query), {"id": member_of(connection)})
        return [(row[0], row[1], row[2]) for row in rows]
