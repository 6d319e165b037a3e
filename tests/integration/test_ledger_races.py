"""Two sessions at the same moment: one wins, the other is told why, nobody waits in a circle, the books stay true."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
from sqlalchemy import Engine, text

from app.database import DatabaseError, unit_of_work
from ledger.errors import (
    FactConflictError,
    FeeNotDueError,
    FloatMissingError,
    InsufficientBalanceError,
    LedgerRefusedError,
    PayoutNotApprovedError,
    PeriodClosedError,
    ReversalError,
)
from ledger.posting import Posted
from tests.integration.ledger_story import Books
from tests.model import events
from tests.model.events import Advice, Fact, Fee
from tests.model.facts import Payout, Transaction

Job = Callable[[], object]


@pytest.fixture
def books(app: Engine, owner: Engine) -> Books:
    """Give a ledger with the story's float."""
    return Books(app, owner)


@pytest.fixture(scope="module")
def sessions() -> Iterator[ThreadPoolExecutor]:
    """Give two threads; each posts on a connection of its own."""
    with ThreadPoolExecutor(2) as pool:
        yield pool


def race(sessions: ThreadPoolExecutor, *jobs: Job) -> list[object]:
    """Do the jobs at the same moment; give their results or refusals, in the order of the jobs."""
    together = Barrier(len(jobs))

    def run(job: Job) -> object:
        together.wait(10)
        try:
            return job()
        except LedgerRefusedError as refusal:
            return refusal

    return [future.result(30) for future in [sessions.submit(run, job) for job in jobs]]


def poster(books: Books, *transactions: Transaction) -> Job:
    """Give a job that posts a batch."""
    return lambda: books.post(*transactions)


def assert_one_wins(results: list[object], loser: type[LedgerRefusedError]) -> None:
    """See that one posted and the other met this refusal."""
    assert sorted(type(result).__name__ for result in results) == sorted(["list", loser.__name__]), results


def is_waiting(engine: Engine, future: Future[object]) -> bool:
    """Say whether a session comes to wait for a lock before its job is done."""
    until = time.monotonic() + 10
    while time.monotonic() < until and not future.done():
        with unit_of_work(engine) as connection:
            if connection.execute(_WAITING).scalar_one():
                return True
        time.sleep(0.005)
    return False


_WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


def test_last_cent_is_spent_once(books: Books, sessions: ThreadPoolExecutor) -> None:
    """A hundred times two sessions want the same last cent: one has it, the other is told how much is missing."""
    books.pay("1", {"A": 1_00})
    for turn in range(100):
        results = race(
            sessions,
            poster(books, events.held(books.fact(f"one {turn}"), "A", 1_00)),
            poster(books, events.levied(books.fact(f"other {turn}"), "A", 1_00)),
        )
        assert_one_wins(results, InsufficientBalanceError)
        refusal = next(result for result in results if isinstance(result, LedgerRefusedError))
        assert refusal.facts["missing_cents"] == 1_00
        won = next(result for result in results if isinstance(result, list))
        books.reverse(won[0].transaction_id, f"undo {turn}", date(2026, 1, 11))
    assert books.balance("A", "due_available") == 1_00
    assert books.failing() == []


def test_same_fact_is_posted_once(books: Books, sessions: ThreadPoolExecutor) -> None:
    """Two sessions that post the same fact get the same transaction; one of them made it."""
    books.pay("1", {"A": 100_00})
    for turn in range(20):
        asked = events.held(books.fact(f"same {turn}"), "A", 1)
        first, second = race(sessions, poster(books, asked), poster(books, asked))
        assert isinstance(first, list)
        assert isinstance(second, list)
        assert first[0].transaction_id == second[0].transaction_id
        assert {first[0].replayed, second[0].replayed} == {False, True}
    assert books.balance("A", "held") == 20


def test_same_fact_with_another_body_is_a_conflict(books: Books, sessions: ThreadPoolExecutor) -> None:
    """Of two bodies under one key one is posted; the other is told the field in which it differs."""
    books.pay("1", {"A": 100_00})
    results = race(
        sessions,
        poster(books, events.held(books.fact("same"), "A", 1)),
        poster(books, events.held(books.fact("same"), "A", 2)),
    )
    assert_one_wins(results, FactConflictError)
    assert next(result.facts["field"] for result in results if isinstance(result, FactConflictError)) == "lines"


def test_batches_of_the_same_facts_never_wait_in_a_circle(books: Books, sessions: ThreadPoolExecutor) -> None:
    """Batches with the same facts in opposite orders: every fact is posted once and nobody is a deadlock's victim."""
    for turn in range(4):
        facts = [events.operating_opened(books.fact(f"{turn} {place:03}"), 100) for place in range(300)]
        first, second = race(sessions, poster(books, *facts), poster(books, *facts[::-1]))
        assert isinstance(first, list)
        assert isinstance(second, list)
        assert {posted.transaction_id for posted in first} == {posted.transaction_id for posted in second}
        assert sum(posted.replayed for posted in (*first, *second)) == 300


def test_opposite_fundings_of_the_same_members(books: Books, sessions: ThreadPoolExecutor) -> None:
    """What one session takes from a member the other gives it, in opposite orders: no deadlock, and right advances."""
    pairs = []
    for turn in range(40):
        one = Advice(f"one {turn}", {"A": 7_00, "B": -9_00, "C": 2_00})
        other = Advice(f"other {turn}", {"C": 4_00, "B": 8_00, "A": -12_00})
        pairs.append((books.waiting(one), books.waiting(other)))
    for pair in pairs:
        results = race(sessions, *(poster(books, funding) for funding in pair))
        assert [result for result in results if not isinstance(result, list)] == []
        assert books.failing() == []
    assert books.balance("A", "due_available") == 40 * -5_00 == -books.balance("A", "operating_advance")
    assert books.balance("B", "due_available") == 40 * -1_00 == -books.balance("B", "operating_advance")


def test_fee_is_assessed_once_by_two(books: Books, sessions: ThreadPoolExecutor) -> None:
    """Two assessments of a month under different names: one is refused, for the month has its fee."""
    fee = Fee("A", 202601, 200_00)
    jobs = [poster(books, events.fee_assessed(books.fact(), [fee])) for _ in range(2)]
    assert_one_wins(race(sessions, *jobs), FeeNotDueError)
    assert books.failing() == []


def test_payout_is_released_once_by_two(books: Books, sessions: ThreadPoolExecutor) -> None:
    """Two releases of a payout under different names: one is refused although the money would suffice for both."""
    books.pay("1", {"A": 100_00})
    payout = Payout("p", "A", 10_00)
    books.approve(payout)
    jobs = [poster(books, events.payout_released(books.fact(), [payout])) for _ in range(2)]
    assert_one_wins(race(sessions, *jobs), PayoutNotApprovedError)


def test_transaction_is_reversed_once_by_two(books: Books, sessions: ThreadPoolExecutor) -> None:
    """Two reversals of a transaction under different names: one is refused."""
    number = books.pay("1", {"A": 100_00}).transaction_id
    undo: list[Job] = [
        lambda: books.reverse(number, "one", date(2026, 1, 11)),
        lambda: books.reverse(number, "other", date(2026, 1, 11)),
    ]
    results = race(sessions, *undo)
    assert {type(result) for result in results} == {Posted, ReversalError}
    assert books.failing() == []


def test_deposit_is_matched_once_by_two(books: Books, sessions: ThreadPoolExecutor) -> None:
    """Two sessions that match the same deposit: one is refused although other deposits wait."""
    books.bank("other", 900_00)
    books.bank("d", 100)
    jobs = [
        poster(books, events.suspended(books.fact(), "d", 100)),
        poster(books, events.overpaid(books.fact(), "d", 100)),
    ]
    results = race(sessions, *jobs)
    assert sum(isinstance(result, list) for result in results) == 1
    assert books.balance("house", "unmatched_deposit") == 900_00


def test_withdrawal_waits_for_who_leans_on_the_float(books: Books, sessions: ThreadPoolExecutor) -> None:
    """Float that a funding under way leans on cannot be withdrawn meanwhile: the withdrawal waits, then is refused."""
    funding = books.waiting(Advice("1", {"A": 4_000_00}, {"x": -3_000_00}))
    books.bank("out", -2_000_01)
    withdrawal = events.float_withdrawn(books.fact(), "out", 2_000_01)
    with unit_of_work(books.app) as connection:
        books.post_on(connection, funding)
        future = sessions.submit(poster(books, withdrawal))
        assert is_waiting(books.owner, future)
    with pytest.raises(FloatMissingError) as caught:
        future.result(10)
    assert caught.value.facts["missing_cents"] == 1
    assert books.failing() == []


def test_funding_waits_for_a_withdrawal(books: Books, sessions: ThreadPoolExecutor) -> None:
    """The other way about: what leans on the float waits for a withdrawal under way, then is refused."""
    funding = books.waiting(Advice("1", {"A": 4_000_00}, {}, -3_000_00))
    books.bank("out", -2_000_01)
    with unit_of_work(books.app) as connection:
        books.post_on(connection, events.float_withdrawn(books.fact(), "out", 2_000_01))
        future = sessions.submit(poster(books, funding))
        assert is_waiting(books.owner, future)
    with pytest.raises(FloatMissingError):
        future.result(10)
    assert books.failing() == []


def test_month_closes_after_who_posts_into_it(books: Books) -> None:
    """A month with a posting under way can not be closed before that is done."""
    books.bank("d", 100)
    _unguard_months(books.owner)
    with unit_of_work(books.app) as posting:
        books.post_on(posting, events.suspended(Fact("late", date(2025, 12, 30)), "d", 10))
        with pytest.raises(DatabaseError):
            _close_december_at_once(books.owner)
    books.close_period(202512)


def _close_december_at_once(owner: Engine) -> None:
    with unit_of_work(owner) as connection:
        connection.execute(text("SET LOCAL lock_timeout = '50ms'"))
        connection.execute(_CLOSE_DECEMBER)


def test_posting_waits_for_a_closing_month(books: Books, sessions: ThreadPoolExecutor) -> None:
    """Who posts into a month that is being closed waits, and is refused; asked again, it goes into the next month."""
    books.bank("d", 100)
    _unguard_months(books.owner)
    late = events.suspended(Fact("late", date(2025, 12, 30)), "d", 10)
    with unit_of_work(books.owner) as closing:
        closing.execute(_CLOSE_DECEMBER)
        future = sessions.submit(poster(books, late))
        assert is_waiting(books.owner, future)
    with pytest.raises(PeriodClosedError):
        future.result(10)
    assert books.effective_on(books.post(late)[0].transaction_id) == date(2026, 1, 1)


def _unguard_months(owner: Engine) -> None:
    """Let a month's row be changed by itself: here it is the row's lock that is looked at."""
    with unit_of_work(owner) as connection:
        connection.execute(text("ALTER TABLE period DISABLE TRIGGER follows_its_records"))


_CLOSE_DECEMBER = text("UPDATE period SET state = 'closed' WHERE month = '2025-12-01'")
