"""The jobs that need no person, each by its own: accounts, fees, invoices, the day of a proposal, health of the lag."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import partial

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from app.database import Role, connected, reading, unit_of_work
from app.scheduler.jobs import assess_month, begin_accounts, invoice, keep_fees, proposal_day
from app.session import Session
from app.settings import Settings
from payouts.jobs.due import overdue_since
from payouts.people.users import UserRole, add_user
from tests.support.bank_changes import accounts_of_a, prenoted, with_contact
from tests.support.books import MAKER, Books
from tests.support.scheduling import HandClock, local, runner_of

MIDNIGHT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def clock() -> HandClock:
    """Give a clock that shows a Friday morning."""
    return HandClock(local("2026-11-20T09:00"))


@pytest.fixture
def session(books: Books, app: Engine, database_url: str, clock: HandClock) -> Iterator[Session]:
    """Give a session of the scheduler's user over the books of A, B and C."""
    settings = Settings(home=books.folder, database_url=SecretStr(database_url))
    with unit_of_work(app) as connection:
        add_user(connection, "scheduler", UserRole.OPERATOR, MAKER)
    with connected(database_url, Role.AUDITOR) as auditor:
        begin, look = partial(unit_of_work, app), partial(reading, auditor)
        yield Session(settings, "scheduler", begin, look, books.keyring, clock)


def test_an_account_is_paid_into_from_its_day_on(books: Books, session: Session, clock: HandClock) -> None:
    """Usable on Monday the 23rd: on Sunday nothing, on Monday A's other account, and A is written to."""
    prenoted(with_contact(books))
    clock.set("2026-11-22T05:30")
    assert begin_accounts(session, MIDNIGHT).said == "0 accounts are paid into from now on"
    clock.set("2026-11-23T05:30")
    assert begin_accounts(session, MIDNIGHT).said == "1 accounts are paid into from now on: 1400101"
    assert [(last_four, since) for last_four, since, _ in accounts_of_a(books)][-1] == ("7788", date(2026, 11, 23))
    kinds = [row[0] for row in books.ask("SELECT kind FROM notice ORDER BY notice_id")]
    assert "bank_details_changed" in kinds


@pytest.mark.parametrize(
    ("moment", "month"),
    [("2026-10-01T06:00", "2026-10"), ("2026-11-02T06:00", "2026-11"), ("2027-01-04T06:00", "2027-01")],
)
def test_the_fee_is_that_of_the_moments_month(session: Session, moment: str, month: str) -> None:
    """What was missed in October is October's, whenever it is made up for; the second time there is nothing more."""
    assert assess_month(session, local(moment)).said == f"{month}: 3 members, 600.00"
    assert assess_month(session, local(moment)).said == f"{month}: 0 members, 0.00"


def test_fees_that_are_kept_up(session: Session) -> None:
    """Before the month is assessed all three count as joined since; afterwards nobody, and nothing is given back."""
    assert keep_fees(session, MIDNIGHT).said.startswith("2026-11: 3 members that joined since, 600.00; 0 months waived")
    assert keep_fees(session, MIDNIGHT).said.startswith("2026-11: 0 members that joined since, 0.00; 0 months waived")


def test_an_open_fee_is_invoiced_once(session: Session, clock: HandClock) -> None:
    """November's fee of three members without a balance: on 15 December nothing, on the 17th three invoices, 600.00."""
    assess_month(session, local("2026-11-02T06:00"))
    clock.set("2026-12-15T06:45")
    assert invoice(session, MIDNIGHT).said == "0 invoices, 0.00; 0 members have open fees and no balance"
    clock.set("2026-12-17T06:45")
    assert invoice(session, MIDNIGHT).said == "3 invoices, 600.00; 3 members have open fees and no balance"
    assert invoice(session, MIDNIGHT).said == "0 invoices, 0.00; 3 members have open fees and no balance"


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-11-20T15:00", "2026-11-20"),
        ("2026-11-20T16:59:59", "2026-11-20"),
        ("2026-11-20T17:00", "2026-11-23"),
        ("2026-11-21T10:00", "2026-11-23"),
        ("2026-11-25T18:00", "2026-11-27"),
        ("2026-11-26T15:00", "2026-11-27"),
        ("2026-07-03T15:00", "2026-07-03"),
        ("2026-03-08T12:00", "2026-03-09"),
    ],
)
def test_the_day_that_is_proposed(session: Session, owner: Engine, now: str, day: str) -> None:
    """The banking day itself until the bank takes no more files at 17:00, and then, or on a holiday, the next one."""
    with owner.begin() as connection:
        connection.exec_driver_sql("INSERT INTO cut_off VALUES ('file_handover', '2000-01-03', '17:00', 'tests')")
    with session.reading() as connection:
        assert proposal_day(connection, local(now)) == date.fromisoformat(day)


def test_how_long_something_has_waited(session: Session, clock: HandClock) -> None:
    """A scheduler that ran at 09:00 and was away until 17:05: the hour of 10:00 has waited longest, for 7 h 5 min."""
    runner = runner_of(session)
    runner.drain()
    assert overdue_since(runner.waiting().values()) is None
    clock.set("2026-11-20T17:05")
    assert overdue_since(runner.waiting().values()) == local("2026-11-20T10:00")
