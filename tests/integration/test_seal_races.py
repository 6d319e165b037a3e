"""Posting and sealing at the same moment: nobody who posts waits, and nothing that is posted late is lost."""

import threading
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from app.database import reading, unit_of_work
from ledger.seal import checkpoints
from ledger.seal.checkpoints import QUERIES
from tests.integration.ledger_story import Books
from tests.model import events
from tests.model.events import Advice
from tests.support.sealing import NOON, sealed, sealer_of

_GAPS = text("""
    SELECT count(*), max(leaf_index) + 1, count(journal_no), max(journal_no),
           count(DISTINCT (owner_id, entry_id)) FILTER (WHERE kind = 1),
           (SELECT count(*) FROM entry), (SELECT count(*) FROM trail) FROM seal_leaf""")


@pytest.fixture
def books(app: Engine, owner: Engine) -> Books:
    """Give a ledger with its story's float."""
    return Books(app, owner)


def assert_everything_is_sealed_once(connection: Connection) -> None:
    """See that leaves and journal numbers have no gaps and cover every entry and trail row."""
    leaves, size, numbered, last_no, distinct, entries, trail = connection.execute(_GAPS).one()
    assert leaves == size
    assert numbered == last_no == distinct == entries
    assert leaves == entries + trail
    assert checkpoints.waiting(connection) == 0
    assert checkpoints.of_size(connection, size).journal_size == entries


def test_posting_does_not_wait_for_a_long_seal(books: Books, app: Engine, tmp_path: Path) -> None:
    """While a seal has made its leaves and is not committed, others post with hardly any patience for locks."""
    sealer = sealer_of(app, tmp_path)
    sealed(sealer)
    books.pay("1", {"A": 500_00})
    with app.connect() as sealing, sealing.begin() as held:
        sealing.execute(QUERIES["turn"])
        assert sealing.execute(QUERIES["batch"], {"most": 100_000}).one().leaves > 0
        for number in range(20):
            with unit_of_work(app) as connection:
                connection.execute(text("SET LOCAL lock_timeout = '100ms'"))
                books.post_on(connection, events.advised(books.fact(), Advice(f"2-{number}", {"A": 10_00})))
        held.rollback()
    made = sealed(sealer, 1)
    with reading(app) as connection:
        assert_everything_is_sealed_once(connection)
    assert made.journal_size > 20


def test_a_late_commit_is_sealed_late(books: Books, app: Engine, tmp_path: Path) -> None:
    """A transaction that is open while others are posted and sealed gets the next numbers; no gap is left for it."""
    sealer = sealer_of(app, tmp_path)
    sealed(sealer)
    with unit_of_work(app) as late:
        (posted,) = books.post_on(late, events.advised(books.fact(), Advice("late", {"A": 10_00})))
        books.post(events.advised(books.fact(), Advice("early", {"B": 20_00})))
        early = sealed(sealer, 1)
    assert early.previous_size is not None
    last = sealed(sealer, 2)
    with reading(app) as connection:
        assert_everything_is_sealed_once(connection)
        number = connection.execute(_NUMBER, {"transaction_id": posted.transaction_id}).scalar_one()
    assert early.journal_size < number <= last.journal_size


_NUMBER = text("""
    SELECT journal_no FROM seal_leaf JOIN entry USING (owner_id, entry_id) WHERE transaction_id = :transaction_id""")


def test_what_was_taken_back_does_not_wait_and_what_was_copied_does(
    books: Books, app: Engine, owner: Engine, tmp_path: Path
) -> None:
    """A savepoint that was rolled back leaves nothing to seal; rows that came by COPY are sealed, each once."""
    del books
    sealer = sealer_of(app, tmp_path)
    sealed(sealer)
    with unit_of_work(app) as connection:
        taken_back = connection.begin_nested()
        connection.execute(_ACTION, {"action": "taken back"})
        taken_back.rollback()
        connection.execute(_ACTION, {"action": "kept"})
    with unit_of_work(owner) as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        with raw.cursor().copy("COPY activity (actor, action, subject, detail) FROM STDIN") as rows:
            for number in range(3):
                rows.write_row(("eve", f"copied {number}", "x", "{}"))
    sealed(sealer, 1)
    with reading(app) as connection:
        assert_everything_is_sealed_once(connection)
        told = connection.execute(_ACTIONS).scalars().all()
    assert told == ["kept", "copied 0", "copied 1", "copied 2"]


_ACTION = text("INSERT INTO activity (actor, action, subject, detail) VALUES ('eve', :action, 'x', '{}')")
_ACTIONS = text(
    "SELECT content ->> 'action' FROM trail"
    " WHERE table_name = 'activity' AND content ->> 'actor' = 'eve' ORDER BY trail_id"
)


def test_two_sealers_and_two_posters_at_once(books: Books, app: Engine, tmp_path: Path) -> None:
    """Whatever order they come in, everything is sealed once, and the chain of checkpoints has no branch."""
    errors = list[Exception]()
    advices = {name: [Advice(f"{name} {number}", {name: 10_00}) for number in range(20)] for name in "AB"}
    for each in [advice for several in advices.values() for advice in several]:
        # Advices get their numbers here: that is nothing for two threads.
        books.batch(events.advised(books.fact("unused " + each.advice_id), each))

    def often(work: "partial[object]", times: int) -> None:
        try:
            for _ in range(times):
                work()
        except Exception as error:  # noqa: BLE001 (of a thread: shown below)
            errors.append(error)

    def post(name: str, numbers: list[int]) -> None:
        numbers[0] += 1
        with unit_of_work(app) as connection:
            books.post_on(connection, events.advised(books.fact(f"{name} {numbers[0]}"), advices[name][numbers[0]]))

    workers = [threading.Thread(target=often, args=(partial(post, name, [0]), 15)) for name in "AB"]
    sealers = [sealer_of(app, tmp_path, most=7 + number) for number in range(2)]
    workers += [threading.Thread(target=often, args=(partial(each.seal, "sam", NOON), 5)) for each in sealers]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert errors == []
    sealers[0].seal("sam", NOON)
    with reading(app) as connection:
        assert_everything_is_sealed_once(connection)
        chain = checkpoints.after(connection, 0)
    assert [each.previous_size for each in chain] == [None, *(each.size for each in chain[:-1])]
