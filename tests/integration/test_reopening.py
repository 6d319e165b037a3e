"""What the database refuses of reopening a month, whoever asks; and what happens at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import Engine, text

from app.database import unit_of_work
from ledger.errors import PeriodClosedError
from payouts import decisions
from payouts.closing.errors import CloseUnfinishedError
from payouts.closing.model import Step
from payouts.closing.reading import closes, standing
from payouts.closing.reopening import propose_reopening
from payouts.people import approvals
from payouts.people.approvals import ApprovalKind
from schemas.errors import CentralpayError
from tests.support.books import CHECKER, MAKER, Books
from tests.support.closing import OCTOBER, banking_days, checked, closed, closer_of, live_october, lock, telling, write
from tests.support.lives import kept


@pytest.fixture
@kept
def october(new_books: Books) -> Books:
    """Give books whose October can be closed."""
    live_october(new_books)
    return new_books


def _ask(books: Books, actor: str = MAKER) -> int:
    with books.begin() as connection:
        return propose_reopening(connection, OCTOBER, "late", actor)


@pytest.mark.parametrize("state", ["pending", "rejected"])
def test_only_what_two_people_decided_opens_a_month(october: Books, auditor: Engine, owner: Engine, state: str) -> None:
    """An approval that is pending or rejected opens nothing, not even for the owner of the tables."""
    closed(october, auditor)
    approval = _ask(october)
    if state == "rejected":
        with october.begin() as connection:
            decisions.decide(connection, approval, CHECKER, approve=False, reason="no")
    with pytest.raises(PeriodClosedError) as caught, unit_of_work(owner) as connection:
        connection.execute(text("SELECT * FROM reopen_period(:approval)"), {"approval": approval})
    assert caught.value.rule == "reopening_is_approved"


def test_an_approval_of_something_else_opens_no_month(october: Books, auditor: Engine, owner: Engine) -> None:
    """Neither an approval of another kind, nor one of another version."""
    closed(october, auditor)
    with october.begin() as connection:
        other = approvals.propose(connection, ApprovalKind.REOPENING, "2026-10", {"version": 2, "reason": "x"}, MAKER)
    with unit_of_work(owner) as connection:
        connection.execute(
            text(
                "UPDATE approval SET state = 'approved', decided_by = :who, decided_at = now() WHERE approval_id = :id"
            ),
            {"who": CHECKER, "id": other},
        )
    done = october.ask("SELECT approval_id FROM approval WHERE kind = 'float_deposit'")[0][0]
    row = text(
        "INSERT INTO period_reopening (month, version, approval_id, reason, requested_by, approved_by)"
        " VALUES ('2026-10-01', 1, :approval, 'x', 'mary', 'charles')"
    )
    for approval in (other, done):
        with pytest.raises(PeriodClosedError) as caught, unit_of_work(owner) as connection:
            connection.execute(row, {"approval": approval})
        assert caught.value.rule == "reopening_is_approved"


_DECIDED_BY_OLGA = """INSERT INTO approval (kind, subject, facts, state, proposed_by, decided_by, decided_at)
    VALUES ('reopening', '2026-10', jsonb_build_object('version', 1, 'reason', 'x'), 'approved', 'mary', 'olga', now())
    RETURNING approval_id"""


def test_who_approves_a_reopening_is_an_approver(october: Books, auditor: Engine, app: Engine) -> None:
    """An approval that was written as decided, by somebody who may decide nothing, opens no month."""
    closed(october, auditor)
    with unit_of_work(app) as connection:
        write(connection, "INSERT INTO app_user (user_name, role, added_by) VALUES ('olga', 'operator', 'mary')")
        approval = connection.execute(text(_DECIDED_BY_OLGA)).scalar_one()
    with pytest.raises(PeriodClosedError) as caught, unit_of_work(app) as connection:
        connection.execute(text("SELECT * FROM reopen_period(:approval)"), {"approval": approval})
    assert caught.value.rule == "approver_reopens"


def test_an_unfinished_close_is_finished_before_it_is_opened(october: Books, auditor: Engine) -> None:
    """Locked and not packed yet: first what stood is written, then it may be opened; once, and as a new version."""
    with october.begin() as connection:
        lock(connection)
        checked(connection)
        found = standing(connection, OCTOBER)
    assert found is not None
    assert found.step is Step.LOCKED
    with pytest.raises(CloseUnfinishedError):
        _ask(october)
    made = closed(october, auditor)
    assert made.step is Step.PACKED
    approval = _ask(october)
    with october.begin() as connection:
        decisions.decide(connection, approval, CHECKER, approve=True)
        assert [each.step for each in closes(connection, OCTOBER)] == [Step.REOPENED]
        assert standing(connection, OCTOBER) is None
    with pytest.raises(PeriodClosedError) as caught, october.begin() as connection:
        connection.execute(text("SELECT * FROM reopen_period(:approval)"), {"approval": approval})
    assert caught.value.rule == "period_is_closed"
    assert closed(october, auditor).version == 2


def test_an_approval_that_the_world_overtook_opens_nothing(october: Books, auditor: Engine) -> None:
    """Asked for October, and November was closed before it was approved: refused, and October stays closed."""
    closed(october, auditor)
    approval = _ask(october)
    for day in banking_days(date(2026, 11, 2), date(2026, 11, 30)):
        october.book(day)
    closer_of(october, auditor).close(date(2026, 11, 1), date(2026, 12, 1), [], october.folder / "closed", telling)
    with pytest.raises(Exception, match="while 2026-11 is closed"), october.begin() as connection:
        decisions.decide(connection, approval, CHECKER, approve=True)
    assert october.ask("SELECT state FROM period WHERE month = '2026-10-01'")[0][0] == "closed"


def test_of_two_who_open_it_one_does(october: Books, auditor: Engine) -> None:
    """Asked for twice it is one request; approved twice at once it is opened once, and closed again as version 2."""
    closed(october, auditor)
    approval = _ask(october)
    assert _ask(october) == approval

    def decide() -> str:
        try:
            with october.begin() as connection:
                decisions.decide(connection, approval, CHECKER, approve=True)
        except CentralpayError as error:
            return type(error).__name__
        return "opened"

    with ThreadPoolExecutor(2) as both:
        told = sorted(each.result() for each in [both.submit(decide) for _ in range(2)])
    assert told.count("opened") == 1, told
    assert october.ask("SELECT count(*) FROM period_reopening")[0][0] == 1
    assert closed(october, auditor).version == 2


def test_who_asks_does_not_approve(october: Books, auditor: Engine) -> None:
    """One person opens no month, approver or not: the month stays closed."""
    closed(october, auditor)
    approval = _ask(october, CHECKER)
    with pytest.raises(CentralpayError), october.begin() as connection:
        decisions.decide(connection, approval, CHECKER, approve=True)
    assert october.ask("SELECT state FROM period WHERE month = '2026-10-01'")[0][0] == "closed"
