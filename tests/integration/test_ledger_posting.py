"""What ``post`` makes of a batch: replays, conflicts, advances, dates, reversals, and a batch of thousands."""

import time
from contextlib import suppress
from dataclasses import replace
from datetime import date
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from app.database import unit_of_work
from ledger.batch import Batch, Line
from ledger.batch import Transaction as RealTransaction
from ledger.chart import CUSTODIAL_ACCOUNT, Account, Event, Ledger
from ledger.chart import HOUSE as HOUSE_ID
from ledger.errors import (
    EntryUnbalancedError,
    FactConflictError,
    InsufficientBalanceError,
    PeriodClosedError,
    ReversalError,
)
from ledger.posting import post
from tests.integration.ledger_helpers import Derived, RealLedger
from tests.integration.ledger_story import Books
from tests.model import events
from tests.model.checks import MAY_NOT_OVERDRAW
from tests.model.events import Advice, Fact, Fee
from tests.model.facts import HOUSE, Payout, Transaction
from tests.model.refusals import Refused
from tests.model.steps import AddBankLine, ApprovePayout, Post, take
from tests.model.strategies import next_step, small_world

JANUARY = 202601


@pytest.fixture
def books(app: Engine, owner: Engine) -> Books:
    """Give a ledger with the story's float."""
    return Books(app, owner)


def _row(books: Books) -> tuple[int, ...]:
    return (
        books.balance("A", "due_available"),
        books.balance("B", "due_available"),
        books.balance("B", "operating_advance"),
        books.balance(HOUSE, "operating_float"),
        sum(books.balance(owner, "cash") for owner in books.owners),
    )


def test_worked_example_row_by_row(books: Books) -> None:
    """The worked example of the rules of posting comes out to the cent in the real ledger."""
    books.bank("opening", 300_00)
    books.post(events.opened(books.fact(), "opening", {"A": 300_00}))
    books.pay("12500", {"A": 10_000_00, "B": 2_500_00})
    assert _row(books) == (10_300_00, 2_500_00, 0, 5_000_00, 17_800_00)

    fee_of_a, fee_of_b = Fee("A", JANUARY, 200_00), Fee("B", JANUARY, 200_00)
    books.post(events.fee_assessed(books.fact(), [fee_of_a, fee_of_b]))
    books.post(events.fee_waived(books.fact(), fee_of_b))
    books.post(events.fee_collected(books.fact(), [fee_of_a]), events.fee_swept(books.fact(), [fee_of_a]))
    assert _row(books) == (10_100_00, 2_500_00, 0, 5_200_00, 17_800_00)

    books.release(Payout("a1", "A", 10_100_00))
    books.bank("file 1", -10_100_00)
    books.post(events.payout_settled(books.fact(), "file 1", [("A", "a1", 10_100_00)]))
    assert _row(books) == (0, 2_500_00, 0, 5_200_00, 7_700_00)

    books.bank("R03", 10_100_00)
    books.post(events.payout_returned(books.fact(), "R03", "A", 10_100_00))
    books.post(events.hold_lifted(books.fact(), "A", 10_100_00))
    books.release(Payout("a2", "A", 10_100_00), Payout("b1", "B", 2_500_00))
    assert (books.balance("A", "in_transit"), books.balance("B", "in_transit")) == (10_100_00, 2_500_00)

    books.pay("600", {"A": 2_000_00, "B": -3_100_00, "C": 1_700_00})
    assert _row(books) == (2_000_00, -3_100_00, 3_100_00, 2_100_00, 18_400_00)
    books.bank("file 2", -12_600_00)
    books.post(events.payout_settled(books.fact(), "file 2", [("A", "a2", 10_100_00), ("B", "b1", 2_500_00)]))
    assert _row(books) == (2_000_00, -3_100_00, 3_100_00, 2_100_00, 5_800_00)
    books.pay("4000", {"B": 4_000_00})
    assert _row(books) == (2_000_00, 900_00, 0, 5_200_00, 9_800_00)
    assert books.failing() == []


def test_same_body_gives_the_first_result(books: Books) -> None:
    """A fact posted again with the same body, in whatever order of lines, is the first result and changes nothing."""
    books.pay("1", {"A": 500_00, "B": -300_00})
    asked = events.held(books.fact(), "A", 1)
    first = books.post(asked)[0]
    before = books.accounts()
    again = books.post(replace(asked, lines=asked.lines[::-1]))[0]
    assert again == replace(first, replayed=True)
    assert not first.replayed
    assert books.accounts() == before


def test_replay_of_what_made_an_advance(books: Books) -> None:
    """The advance is no part of the body: a funding that needed one is replayed as it was asked for."""
    funding = books.waiting(Advice("1", {"A": 500_00, "B": -300_00}))
    first = books.post(funding)[0]
    assert books.post(funding)[0] == replace(first, replayed=True)


def test_old_and_new_in_one_batch(books: Books) -> None:
    """A batch may repeat facts beside new ones: the old are replayed, the new are posted."""
    books.pay("1", {"A": 500_00})
    old, new = events.held(books.fact(), "A", 10), events.held(books.fact(), "A", 20)
    first = books.post(old)[0]
    assert [(posted.fact_key, posted.replayed) for posted in books.post(new, old)] == [
        (new.fact_key, False),
        (old.fact_key, True),
    ]
    assert books.post(old)[0].transaction_id == first.transaction_id
    assert books.balance("A", "held") == 30


def test_other_body_names_its_field(books: Books) -> None:
    """Under the key of a posted fact, another body is a conflict that names the field and both values."""
    books.bank("d", 100)
    books.bank("e", 100)
    books.add_bank_line("f", 100)
    asked = events.suspended(books.fact("k"), "d", 60)
    posted = books.post(asked)[0].transaction_id
    deposited = replace(events.deposited(books.fact(), "f", 100), fact_key="fact-3")
    others = [
        ("fact_on", replace(asked, fact_on=date(2026, 1, 11))),
        ("event", replace(asked, event="unsuspended")),
        ("lines", events.suspended(books.fact("k"), "d", 40)),
        ("lines", events.suspended(books.fact("k"), "e", 60)),
        ("lines", replace(asked, lines=(*asked.lines, *asked.lines))),
        ("bank_line", deposited),
    ]
    for field, other in others:
        with pytest.raises(FactConflictError) as caught:
            books.post(other)
        facts = caught.value.facts
        assert (facts["field"], facts["fact_key"]) == (field, other.fact_key)
        assert facts["stored"] != facts["given"]
        assert (facts["transaction"] == posted) == (other.fact_key == "k")
    assert books.balance(HOUSE, "suspense") == 60


def test_reversal_of_another_under_the_same_key(books: Books) -> None:
    """A key that names one reversal can not be used for another."""
    books.bank("d", 100)
    books.bank("e", 100)
    first = books.post(events.suspended(books.fact(), "d", 60))[0].transaction_id
    second = books.post(events.suspended(books.fact(), "e", 60))[0].transaction_id
    books.reverse(first, "undo", date(2026, 1, 11))
    with pytest.raises(FactConflictError) as caught:
        books.reverse(second, "undo", date(2026, 1, 11))
    assert caught.value.facts["field"] == "reverses"


def test_batch_names_each_fact_once(books: Books) -> None:
    """Two transactions of a batch under one key are a conflict, even with the same body."""
    books.pay("1", {"A": 500_00})
    asked = events.held(books.fact("k"), "A", 10)
    with pytest.raises(FactConflictError, match="each of its facts once"):
        books.post(asked, asked)


def test_line_of_no_transaction(books: Books) -> None:
    """A line that names a transaction which the batch does not hold is refused, not dropped."""
    call = text("""SELECT post('finance', ARRAY['operating_opened']::event_name[], ARRAY['k'], ARRAY[date '2026-01-10'],
        ARRAY[NULL], ARRAY[NULL]::bigint[], ARRAY[NULL]::bigint[], ARRAY[1, 2], ARRAY[house_id(), house_id()],
        ARRAY['operating', 'operating']::ledger_name[], ARRAY['operating_cash', 'equity']::account_name[],
        ARRAY[5, -5]::bigint[], ARRAY[NULL, NULL]::bigint[])""")
    with pytest.raises(EntryUnbalancedError), unit_of_work(books.app) as connection:
        connection.execute(call)


def test_refusal_is_not_remembered(books: Books) -> None:
    """What was refused for want of money is posted under the same key once the money is there."""
    hold = events.held(books.fact("hold"), "A", 50_00)
    with pytest.raises(InsufficientBalanceError):
        books.post(hold)
    books.pay("1", {"A": 50_00})
    assert not books.post(hold)[0].replayed


def test_batch_is_all_or_nothing(books: Books) -> None:
    """One refused transaction takes the whole batch with it."""
    books.pay("1", {"A": 50_00})
    before = books.accounts()
    with pytest.raises(InsufficientBalanceError):
        books.post(events.held(books.fact(), "A", 10_00), events.held(books.fact(), "A", 40_01))
    assert books.accounts() == before


def test_advance_is_derived_and_repaid(books: Books) -> None:
    """A debt is covered in the transaction that makes it, and repaid in the one that ends it, on both ledgers."""
    made = books.pay("1", {"A": 700_00, "B": -300_00}).transaction_id
    assert books.derived(made) == [
        Derived("advanced", "B", "advance_receivable", 300_00),
        Derived("advanced", "B", "cash", 300_00),
        Derived("advanced", "B", "custody_float", -300_00),
        Derived("advanced", "B", "operating_advance", -300_00),
        Derived("advanced", HOUSE, "cash", -300_00),
        Derived("advanced", HOUSE, "operating_float", 300_00),
    ]
    both = books.pay("2", {"A": -900_00, "B": 500_00, "C": 1_000_00}).transaction_id
    house = [line for line in books.derived(both) if (line.owner, line.account) == (HOUSE, "operating_float")]
    assert [(line.event, line.amount_cents) for line in house] == [("advance_repaid", -300_00), ("advanced", 200_00)]
    assert books.failing() == []


def test_batch_advances_run_along(books: Books) -> None:
    """In a batch that moves a member more than once, each transaction has the advance that it leaves necessary."""
    fundings = [
        books.waiting(Advice(name, {"A": cents, "B": 1_000_00 - cents}))
        for name, cents in (("1", -300_00), ("2", 100_00), ("3", -500_00), ("4", 900_00))
    ]
    numbers = [posted.transaction_id for posted in books.post(*fundings)]
    moved = [
        [(line.event, line.amount_cents) for line in books.derived(number) if line.account == "operating_advance"]
        for number in numbers
    ]
    assert moved == [
        [("advanced", -300_00)],
        [("advance_repaid", 100_00)],
        [("advanced", -500_00)],
        [("advance_repaid", 700_00)],
    ]
    assert books.balance("A", "due_available") == 200_00
    assert books.failing() == []


def test_reversal_turns_the_advance_too(books: Books) -> None:
    """A reversal turns the advance of its original, and derives the one that is necessary afterwards."""
    first = books.pay("1", {"A": 500_00, "B": -300_00}).transaction_id
    second = books.pay("2", {"B": 200_00}).transaction_id
    undone = books.reverse(first, "undo 1", date(2026, 1, 11))
    assert (books.balance("B", "due_available"), books.balance("B", "operating_advance")) == (200_00, 0)
    assert [line.event for line in books.derived(undone.transaction_id) if line.account == "operating_advance"] == [
        "advanced"
    ]
    assert books.reverse(first, "undo 1", date(2026, 1, 11)) == replace(undone, replayed=True)
    books.reverse(second, "undo 2", date(2026, 1, 12))
    assert books.balance("B", "due_available") == 0
    assert books.failing() == []


def test_reversal_of_what_was_spent_is_advanced(books: Books) -> None:
    """Money that was funded by mistake and paid out since is the member's debt once the funding is reversed."""
    funding = books.pay("1", {"A": 500_00}).transaction_id
    books.release(Payout("p", "A", 400_00))
    books.reverse(funding, "undo", date(2026, 1, 11))
    assert (books.balance("A", "due_available"), books.balance("A", "operating_advance")) == (-400_00, 400_00)
    assert books.failing() == []


def test_reversal_of_what_is_not_there(books: Books) -> None:
    """A transaction that nobody posted can not be reversed."""
    with pytest.raises(ReversalError):
        books.reverse(987_654, "undo", date(2026, 1, 11))


def test_fact_of_a_closed_month(books: Books) -> None:
    """It takes effect on the first day of the earliest open month after it; its own date is kept."""
    books.bank("d", 100)
    books.close_period(202512)
    late = Fact("late", date(2025, 12, 30))
    number = books.post(events.suspended(late, "d", 10))[0].transaction_id
    assert books.effective_on(number) == date(2026, 1, 1)
    with unit_of_work(books.app) as connection:
        kept = connection.execute(text("SELECT fact_on FROM journal_transaction WHERE fact_key = 'late'")).scalar_one()
    assert kept == date(2025, 12, 30)
    books.close_period(JANUARY)
    number = books.post(events.suspended(Fact("later", date(2025, 12, 30)), "d", 10))[0].transaction_id
    assert books.effective_on(number) == date(2026, 2, 1)


def test_closed_month_between_open_ones(books: Books) -> None:
    """The first open month after it takes the fact, never one before it."""
    books.bank("d", 100)
    books.close_period(JANUARY)
    number = books.post(events.suspended(books.fact(), "d", 10))[0].transaction_id
    assert books.effective_on(number) == date(2026, 2, 1)


def test_replay_when_no_month_is_open(books: Books) -> None:
    """What is posted stays posted: its replay is the first result even where nothing new could be dated any more."""
    books.bank("d", 100)
    asked = events.suspended(books.fact(), "d", 10)
    first = books.post(asked)[0]
    for month in (202512, JANUARY, 202602):
        books.close_period(month)
    assert books.post(asked)[0] == replace(first, replayed=True)
    with pytest.raises(PeriodClosedError):
        books.post(events.suspended(books.fact(), "d", 20))


def test_fact_of_no_month(books: Books) -> None:
    """A date outside every period is refused and named: most likely a typing error."""
    with pytest.raises(PeriodClosedError) as caught:
        books.post(events.operating_opened(Fact("typo", date(2206, 1, 10)), 100))
    assert caught.value.facts["fact_on"] == "2206-01-10"


def test_five_thousand_members_in_one_batch(books: Books) -> None:
    """An advice of 5,000 members, a tenth of them negative, is advised and funded in seconds, to the cent."""
    with unit_of_work(books.owner) as connection:
        connection.execute(_MANY_OWNERS)
    members = [UUID(int=1_000_000 + place) for place in range(5_000)]
    shares = {member: -5_00 if place % 10 == 0 else 100_00 for place, member in enumerate(members)}
    total = sum(shares.values())
    books.bank("big", total)
    advice, deposit = books.number("advice"), books.number("big")
    advised: list[Line] = []
    funded = [
        Line(HOUSE_ID, Ledger.CUSTODY, Account.UNMATCHED_DEPOSIT, total, deposit),
        Line(HOUSE_ID, Ledger.CUSTODY, Account.CASH, -total, CUSTODIAL_ACCOUNT),
    ]
    for member, cents in shares.items():
        advised.append(Line(member, Ledger.CUSTODY, Account.ADVISED, cents, advice))
        advised.append(Line(member, Ledger.CUSTODY, Account.DUE_UNFUNDED, -cents, advice))
        funded.append(Line(member, Ledger.CUSTODY, Account.CASH, cents, CUSTODIAL_ACCOUNT))
        funded.append(Line(member, Ledger.CUSTODY, Account.ADVISED, -cents, advice))
        funded.append(Line(member, Ledger.CUSTODY, Account.DUE_UNFUNDED, cents, advice))
        funded.append(Line(member, Ledger.CUSTODY, Account.DUE_AVAILABLE, -cents))
    began = time.monotonic()
    for event, lines in ((Event.ADVISED, advised), (Event.FUNDED, funded)):
        batch = Batch([RealTransaction(event, event.value, date(2026, 1, 10), tuple(lines))])
        with unit_of_work(books.app) as connection:
            post(connection, batch, "finance")
    assert time.monotonic() - began < 60  # far above what it takes: this catches what grows quadratically
    assert books.failing() == []
    with unit_of_work(books.app) as connection:
        advances = connection.execute(_ADVANCES).one()
    assert tuple(advances) == (500, 500 * 5_00)


_MANY_OWNERS = text("""
    INSERT INTO owner (owner_id, kind)
    SELECT CAST('00000000-0000-0000-0000-' || lpad(to_hex(1000000 + place), 12, '0') AS uuid), 'member'
    FROM generate_series(0, 4999) place
""")
_ADVANCES = text("""
    SELECT count(*), sum(credit_cents - debit_cents)::bigint FROM balance WHERE account = 'operating_advance'
""")


class _InBatches:
    """A real ledger that gets what the model accepted in batches of a dozen."""

    def __init__(self, real: RealLedger) -> None:
        self.real = real
        self.waiting: list[Transaction] = []

    def add(self, asked: Transaction) -> None:
        # In one batch the end of all of it is asked; what may not overdraw has to be asked by itself.
        alone = asked.event in MAY_NOT_OVERDRAW
        if alone or len(self.waiting) == 12:
            self.flush()
        self.waiting.append(asked)
        if alone:
            self.flush()

    def flush(self) -> None:
        if self.waiting:
            self.real.post(*self.waiting)
            self.waiting.clear()

    def take(self, step: Post | AddBankLine | ApprovePayout) -> None:
        match step:
            case AddBankLine():
                self.real.add_bank_line(step.bank_line, step.amount_cents)
            case ApprovePayout():
                self.real.approve_payout(step.payout, proposer=step.proposer, approver=step.approver)
            case Post():
                self.add(step.transaction)


@pytest.mark.parametrize("seed", [1, 2])
def test_batches_come_to_the_same_as_one_by_one(app: Engine, owner: Engine, seed: int) -> None:
    """Whatever the model accepts one by one comes to the same balances and advances when it is posted in batches."""
    model, random = small_world(), Random(seed)
    real = RealLedger(app, owner)
    real.lay(model)
    batches = _InBatches(real)
    for _ in range(500):
        step = next_step(model, random)
        known = len(model.posted)
        if isinstance(step, (Post, AddBankLine, ApprovePayout)):
            with suppress(Refused):
                take(model, step)
                if len(model.posted) > known or not isinstance(step, Post):
                    batches.take(step)
    batches.flush()
    assert len(model.posted) > 100
    assert real.accounts() == model.accounts
