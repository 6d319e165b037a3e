"""Statements of random books: each foots, ties to the ledger as of its last day, and joins the one before it."""

import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import date, timedelta
from pathlib import Path

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from app.database import Role, connected
from app.demo.pharmacies import Pharmacy
from ledger.balances import trial_balance
from ledger.batch import Transaction, pair
from ledger.chart import Account, Event, Ledger
from ledger.decided import advance_written_off, member_corrected, payer_debited
from ledger.events import payout_returned
from ledger.posting import reverse
from payouts.fees.assessment import assess
from payouts.statements.model import Statement
from payouts.statements.reading import statement, statements
from payouts.statements.years import years
from schemas.errors import CentralpayError
from tests.support.bank import paid_out, sent_back
from tests.support.books import MAKER, Books
from tests.support.trade import FEE_CENTS, OTHER_PAYER, PAYER, A, B, C, Part, remittance

LONG = os.environ.get("CENTRALPAY_LONG") == "1"
"""Some minutes; without it, some seconds."""
EXAMPLES = 60 if LONG else 4
STORES, PAYERS = (A, B, C), (PAYER, OTHER_PAYER)
DAYS = (date(2026, 11, 16), date(2026, 11, 18), date(2026, 12, 30), date(2026, 12, 31), date(2027, 1, 4))
"""Banking days, two of them a new year's."""
_OWED = (Account.DUE_AVAILABLE, Account.DUE_UNFUNDED, Account.HELD)

Step = tuple[str, int, int, int]
"""What is done, to which store, how many cents, and a number that chooses between two."""
STEP = st.tuples(
    st.sampled_from([*("fund", "fund", "remit", "take", "hold", "pay", "fee"), *("reverse", "return", "decide")]),
    st.integers(0, 2),
    st.integers(1, 900_00),
    st.integers(0, 3),
)


_TURNED = ("advised", "funded", "held", "payer_debited", "payout_returned", "member_corrected", "fee_refunded")
LIFE: list[tuple[int, Step]] = [
    # A fee is collected and refunded, a payment comes back, a claim was another's, a negative is written off.
    *((0, ("fund", 0, 800_00, 0)), (0, ("fee", 0, 1, 0)), (0, ("pay", 0, 1, 0)), (1, ("decide", 0, 1, 1))),
    *((1, ("fund", 1, 500_00, 0)), (1, ("decide", 1, 100_01, 0)), (1, ("take", 2, 300_00, 0))),
    *((1, ("decide", 2, 1, 2)), (2, ("return", 0, 1, 0)), (2, ("reverse", 0, 6, 0))),
    *((3, ("fund", 0, 77_00, 0)), (4, ("pay", 0, 7, 0)), (4, ("reverse", 0, 4, 0))),
]
_SEEN = {"fee_collected", "fee_refunded", "payout_released", "payout_returned", "member_corrected", "payer_debited"}


@example(LIFE)
@settings(
    max_examples=EXAMPLES,
    # A database for each example: what fails is told as it is, for making it smaller takes minutes.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.lists(st.tuples(st.integers(0, len(DAYS) - 1), STEP), min_size=4, max_size=14))
def test_statements_of_random_books_tie(
    new_database: Callable[[], AbstractContextManager[str]], steps: list[tuple[int, Step]]
) -> None:
    """Advices of two payers, funded or not, adjustments, fees, payouts, holds, take-backs, reversals, in two years.

    Of every member and range: the closing is the trial balance by account, the opening is that of the day before, what
    payers are awaited for is the sum of their own statements, what is listed as paid is what left the balance, and
    the PSAO kept what it collected as fee less what it refunded.
    """
    with (
        new_database() as url,
        connected(url, Role.APP) as engine,
        tempfile.TemporaryDirectory() as folder,
    ):
        books = Books(engine, Path(folder))
        books.found(*STORES)
        books.put_in("OWN", 50_000_00, DAYS[0])
        for number, (day, step) in enumerate(sorted(steps, key=lambda each: each[0])):
            # What is refused changes nothing; the books go on.
            with suppress(CentralpayError, IndexError):
                take(books, number, DAYS[day], step)
        with books.begin() as connection:
            for from_on in DAYS:
                for to_on in (each for each in (*DAYS, date(2027, 12, 31)) if each >= from_on):
                    _compare(connection, list(statements(connection, None, from_on, to_on)))
            _compare_years(connection)
            if steps == LIFE:
                made = statements(connection, None, DAYS[0], DAYS[-1])
                assert _SEEN | {"advance_written_off"} <= {row.event for each in made for row in each.movements}


def take(books: Books, number: int, day: date, step: Step) -> None:
    """Take one step of a random life."""
    what, place, cents, choice = step
    store, payer, name = STORES[place], PAYERS[choice % 2], f"T{number:03}"
    plb = (("WO", cents // 3), ("CS", -1)) if choice > 1 else ()
    if what == "fund":
        # The bank's lines of these tests name the first payer.
        books.fund(remittance(name, day, Part(store, (cents, 5), plb)))
    elif what == "remit":
        # With every third cent taken, or all of it: then nothing is posted, and it is told all the same.
        whole = (("WO", cents),) if choice == 3 else plb
        books.remit(remittance(name, day, Part(store, (cents,), whole), payer=payer))
        # An advice that pays nothing is funded by the next sweep: here, not by that of another step.
        books.match()
    elif what == "take":
        books.book(day, paid_out(f"TAKE{number}", cents))
        line_id = books.ask("SELECT max(bank_line_id) FROM bank_line")[0][0]
        books.post(payer_debited(name, day, line_id, [(books.member(store), cents)], reason="taken back"))
    elif what == "hold":
        legs = pair(books.member(store), Ledger.CUSTODY, (Account.DUE_AVAILABLE, None), (Account.HELD, None), cents)
        books.post(Transaction(Event.HELD, name, day, tuple(legs), "in question"))
    elif what == "pay":
        books.pay(day)
    elif what == "fee":
        with books.begin() as connection:
            assess(connection, day.replace(day=1), MAKER)
    elif what == "return":
        _send_back(books, day, store)
    elif what == "decide":
        _decide(books, name, day, step)
    else:
        turned = _TURNED[(cents + choice) % len(_TURNED)]
        rows = books.ask("SELECT max(transaction_id) FROM journal_transaction WHERE event::text = :event", event=turned)
        with books.begin() as connection:
            reverse(connection, rows[0][0] or 0, fact_key=f"r{name}", fact_on=day, actor=MAKER, reason="by mistake")


def _send_back(books: Books, day: date, store: Pharmacy) -> None:
    """Settle what is on its way; then the bank sends the store's last payment back."""
    for cycle_id, cents in books.ask("SELECT cycle_id, released_cents FROM cycle WHERE state = 'released'"):
        books.book(day, paid_out(f"OUT{cycle_id}", cents))
        books.settle()
    asked = "SELECT payout_id, amount_cents FROM payout WHERE member_id = :member AND state = 'settled' ORDER BY 1 DESC"
    payout_id, cents = books.ask(asked, member=books.member(store))[0]
    books.book(day, sent_back(f"BACK{payout_id}", cents))
    line_id = books.ask("SELECT max(bank_line_id) FROM bank_line")[0][0]
    books.post(payout_returned(f"returned:{payout_id}", day, books.member(store), cents, line_id))


def _decide(books: Books, name: str, day: date, step: Step) -> None:
    """Do what people decide: a refund, a correction between two stores, a write-off."""
    _, place, cents, choice = step
    member, other = books.member(STORES[place]), books.member(STORES[(place + 1) % 3])
    if choice > 1:
        owed = books.balance(member, Account.OPERATING_ADVANCE)
        books.post(advance_written_off(name, day, member, owed, reason="gone"))
    elif choice == 1:
        books.refund(STORES[place], day.replace(day=1), FEE_CENTS, on=day)
    else:
        books.post(member_corrected(name, day, member, other, cents, reason="claims of the other"))


def _compare(connection: Connection, made: Sequence[Statement]) -> None:
    """Hold statements of one range against the ledger."""
    first = made[0]
    closing, opening = (
        {
            (row.member_id, row.account): -row.balance_cents
            for row in trial_balance(connection, day)
            if row.member_id and row.account in {*_OWED, Account.FEE_WITHHELD}
        }
        for day in (first.to_date, first.from_date - timedelta(days=1))
    )
    assert [each.ncpdp_id for each in made] == sorted(store.ncpdp_id for store in STORES)
    for each in made:
        parts = (each.available_cents, each.awaiting_payer_cents, each.held_cents)
        assert parts == tuple(closing.get((each.member_id, account), 0) for account in _OWED)
        assert each.opening_cents == sum(opening.get((each.member_id, account), 0) for account in _OWED)
        # Swept by the release that collects it: what is kept is told by the collections, not by what stands withheld.
        ours = ({row.event, row.reversed_event} & {"fee_collected", "fee_refunded"} for row in each.movements)
        kept = -sum(row.amount_cents for row, is_ours in zip(each.movements, ours, strict=True) if is_ours)
        assert each.retained_cents == kept
        left = -sum(row.amount_cents for row in each.movements if row.event == "payout_released")
        assert left == sum(row.amount_cents for row in each.payouts)
        of_payers = [
            statement(connection, each.member_id, each.from_date, each.to_date, payer.payer_id)
            for payer in PAYERS
            if any(row.payer_id == payer.payer_id for row in each.advices)
        ]
        told = sum(len(of.advices) for of in of_payers)
        assert told == len(each.advices)
        assert sum(of.year.claims_cents for of in of_payers) <= each.year.claims_cents


def _compare_years(connection: Connection) -> None:
    """Hold the file of a year against the statements to its last day."""
    for year in (2026, 2027):
        for line in years(connection, year):
            made = statement(connection, line.member_id, date(year, 6, 1), date(year, 12, 31))
            assert line.totals == made.year
            assert (line.available_cents, line.held_cents) == (made.available_cents, made.held_cents)
