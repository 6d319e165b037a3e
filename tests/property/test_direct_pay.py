"""Any order of enrolling, ending, remitting, depositing, matching: what is direct and what is paid is as on paper."""

import os
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from app.database import Role, connected
from app.demo.pharmacies import Pharmacy
from ingest.direct_pay import begin_direct_pay, end_direct_pay
from ingest.errors import DirectPayEndError, DirectPayOverlapError, NoDirectPayError
from ledger.chart import Account
from schemas.errors import RefusedError
from tests.support.bank import paid_in
from tests.support.books import MAKER, Books
from tests.support.direct_pay import to_the_store
from tests.support.trade import PAYER, A, B, Part, payer_file, remittance, remittance_file

LONG = os.environ.get("CENTRALPAY_LONG") == "1"
EXAMPLES, STEPS = (200, 40) if LONG else (5, 25)
FIRST = date(2026, 11, 2)
STORES = (A, B)
days = st.integers(0, 9).map(lambda number: FIRST + timedelta(days=number))
stores = st.sampled_from(STORES)


@dataclass
class Span:
    """An enrolment as it stands on paper; both days inclusive."""

    since: date
    until: date | None = None

    def holds(self, day: date) -> bool:
        """Say whether it does on a day."""
        return self.since <= day and (self.until is None or day <= self.until)

    @property
    def never_held(self) -> bool:
        """Whether it was taken back."""
        return self.until is not None and self.until < self.since


@dataclass
class Payment:
    """A set as it was sent: what it pays whom, whether it is direct, and what was deposited and funded of it."""

    parts: dict[str, int]
    is_direct: bool
    deposits: list[int] = field(default_factory=list)
    is_funded: bool = False

    @property
    def cents(self) -> int:
        """What it pays."""
        return sum(self.parts.values())


class Life(RuleBasedStateMachine):
    """Two stores and one payer in a database of their own, beside enrolments and payments on paper."""

    books: Books

    def __init__(self) -> None:
        super().__init__()
        self.spans: dict[str, list[Span]] = {store.ncpdp_id: [] for store in STORES}
        self.payments: list[Payment] = []
        self.booked = FIRST

    def _take(self, step: Callable[[], object], expected: type[RefusedError] | None) -> None:
        found: RefusedError | None = None
        try:
            step()
        except RefusedError as refused:
            found = refused
        assert (None if found is None else type(found)) is expected, f"{found!r}, on paper {expected}"

    @rule(store=stores, since=days)
    def begins(self, store: Pharmacy, since: date) -> None:
        """Enrol from a day on, unless an enrolment holds then or later."""
        spans = self.spans[store.ncpdp_id]
        overlaps = any(not each.never_held and (each.until is None or each.until >= since) for each in spans)

        def begin() -> None:
            with self.books.begin() as connection:
                begin_direct_pay(connection, store.ncpdp_id, str(PAYER.payer_id), since, reason="so", actor=MAKER)

        self._take(begin, DirectPayOverlapError if overlaps else None)
        if not overlaps:
            spans.append(Span(since))

    @rule(store=stores, until=days)
    def ends(self, store: Pharmacy, until: date) -> None:
        """End the enrolment that can end on a day; an end comes only nearer."""
        held = [each for each in self.spans[store.ncpdp_id] if not each.never_held]
        begun = [each for each in held if each.since <= until + timedelta(days=1)]
        last = max(begun or held, key=lambda each: each.since, default=None)
        expected: type[RefusedError] | None = None
        if last is None:
            expected = NoDirectPayError
        elif not begun or (last.until is not None and last.until <= until):
            expected = DirectPayEndError

        def end() -> None:
            with self.books.begin() as connection:
                end_direct_pay(connection, store.ncpdp_id, str(PAYER.payer_id), until, reason="so", actor=MAKER)

        self._take(end, expected)
        if expected is None and last is not None:
            last.until = until

    @rule(
        payee=st.sampled_from([A, B, None]),
        paid=st.fixed_dictionaries({}, optional={store: st.integers(1, 900_00) for store in STORES}).filter(len),
        day=days,
    )
    def arrives(self, payee: Pharmacy | None, paid: dict[Pharmacy, int], day: date) -> None:
        """Take in a set to a store itself or to us, with claims of one or both stores."""
        trace = f"TRN{len(self.payments):04d}"
        parts = [Part(store, (cents,)) for store, cents in paid.items()]
        sent = remittance(trace, day, *parts) if payee is None else to_the_store(trace, day, *parts, store=payee)
        assert self.books.receive(remittance_file(sent, control_number=len(self.payments) + 1)).status == "accepted"
        is_direct = payee is not None and set(paid) == {payee} and self._is_enrolled(payee, day)
        self.payments.append(Payment({store.ncpdp_id: cents for store, cents in paid.items()}, is_direct))

    @rule(number=st.integers(0, 30), cents_off=st.sampled_from([0, 0, 0, -1]))
    def is_deposited(self, number: int, cents_off: int) -> None:
        """Book a deposit under the trace of a set that has none yet: the whole, or a cent less."""
        if number >= len(self.payments) or self.payments[number].deposits:
            return
        payment = self.payments[number]
        cents = payment.cents + cents_off
        if cents:
            self.booked += timedelta(days=1)
            self.books.book(self.booked, paid_in(f"TRN{number:04d}", cents))
            payment.deposits.append(cents)

    @rule()
    def is_matched(self) -> None:
        """Sweep: what is paid through us and deposited whole is funded; what is direct never is, nor its money used."""
        self.books.match()
        for payment in self.payments:
            payment.is_funded = not payment.is_direct and payment.deposits == [payment.cents]
        states = self.books.ask("SELECT state FROM advice ORDER BY trace_number")
        assert [row.state for row in states] == [
            "direct" if each.is_direct else "funded" if each.is_funded else "accepted" for each in self.payments
        ]
        due: Counter[str] = Counter()
        for each in self.payments:
            due.update(each.parts if each.is_funded else {})
        assert [self.books.balance(store, Account.DUE_AVAILABLE) for store in STORES] == [
            due[store.ncpdp_id] for store in STORES
        ]
        parked = [cents for each in self.payments if not each.is_funded for cents in each.deposits]
        assert self.books.house(Account.UNMATCHED_DEPOSIT) == sum(parked)
        told = [subject for kind, subject in self.books.cases() if kind == "direct_pay_differs" and "bank" in subject]
        assert len(told) == sum(each.is_direct and bool(each.deposits) for each in self.payments)
        self.books.prove()

    def _is_enrolled(self, store: Pharmacy, day: date) -> bool:
        return any(each.holds(day) for each in self.spans[store.ncpdp_id])


def test_what_is_direct_is_as_on_paper(new_database: Callable[[], AbstractContextManager[str]]) -> None:
    """Over random orders of steps the books, states, cases and refusals are those of the plain model; proofs hold."""

    class Machine(Life):
        """A house of its own for each run."""

        def __init__(self) -> None:
            super().__init__()
            with ExitStack() as held:
                folder = held.enter_context(tempfile.TemporaryDirectory())
                engine = held.enter_context(connected(held.enter_context(new_database()), Role.APP))
                self.books = Books(engine, Path(folder))
                self.books.found(*STORES)
                self.books.receive(payer_file(Path(folder) / "payers.csv").read_bytes(), "payers.csv")
                self.held = held.pop_all()

        def teardown(self) -> None:
            """Match once more, and leave the house."""
            try:
                self.is_matched()
            finally:
                self.held.close()

    wanted = settings(
        max_examples=EXAMPLES, stateful_step_count=STEPS, suppress_health_check=list(HealthCheck), deadline=None
    )
    run_state_machine_as_test(Machine, settings=wanted)
