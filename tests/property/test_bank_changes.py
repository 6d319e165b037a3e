"""Any order of asking, calling, deciding, withdrawing, trying, waiting: the account in use is what the rules say."""

import os
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from app.database import Role, connected
from ledger.errors import DecidedOnceError
from payouts.accounts.changes import withdraw_change
from payouts.accounts.errors import (
    CallBackDoneError,
    CallBackMissingError,
    ChangeOpenError,
    ChangeStateError,
    SameAccountError,
)
from payouts.accounts.prenotes import prenote_failed, send_prenotes
from schemas.calendar import add_banking_days, next_banking_day
from schemas.errors import RefusedError
from tests.support.bank_changes import (
    CALLER,
    MONDAY,
    accounts_of_a,
    ask,
    call_back,
    courier,
    decide,
    go_live,
    with_contact,
)
from tests.support.books import MAKER, Books
from tests.support.trade import A

LONG = os.environ.get("CENTRALPAY_LONG") == "1"
EXAMPLES, STEPS = (300, 60) if LONG else (5, 30)
NUMBERS = ("880011", "880022")


@dataclass
class Plain:
    """A change as the rules on paper have it."""

    number: str
    asked_on: date
    state: str = "asked"
    called_on: date | None = None
    usable_from: date | None = None

    @property
    def is_open(self) -> bool:
        """Whether nothing else can be asked."""
        return self.state in {"asked", "approved", "prenoted"}


class Life(RuleBasedStateMachine):
    """A member's changes in a database of its own, beside a list of plain ones."""

    books: Books

    def __init__(self) -> None:
        super().__init__()
        self.today = MONDAY
        self.changes: list[Plain] = []
        self.accounts: list[tuple[str, date]] = [("0101", A.member_since)]

    @property
    def last(self) -> Plain | None:
        """The latest change, open or over."""
        return self.changes[-1] if self.changes else None

    def _take(self, step: Callable[[], object], expected: type[RefusedError] | None) -> None:
        """Take a step, which is refused as the rules say, or not."""
        found: RefusedError | None = None
        try:
            step()
        except RefusedError as refused:
            found = refused
        assert (None if found is None else type(found)) is expected, f"{found!r}, the rules say {expected}"

    @rule(number=st.sampled_from(NUMBERS))
    def asks(self, number: str) -> None:
        """Ask for one of two accounts: one at a time, and not for the one in use."""
        last = self.last
        expected: type[RefusedError] | None = None
        if last is not None and last.is_open:
            expected = None if last.number == number else ChangeOpenError
        elif self.accounts[-1][0] == number[-4:]:
            expected = SameAccountError
        else:
            self.changes.append(Plain(number, self.today))
        self._take(lambda: ask(self.books, number, requested_on=self.today), expected)

    @rule(confirmed=st.sampled_from([True, True, True, False]))
    def is_called(self, confirmed: bool) -> None:
        """Call back once, while it is asked."""
        last = self.last
        if last is None:
            return
        expected: type[RefusedError] | None = None
        if last.called_on is not None:
            expected = CallBackDoneError
        elif last.state != "asked":
            expected = ChangeStateError
        else:
            last.called_on, last.state = self.today, "asked" if confirmed else "rejected"
        change, day = len(self.changes), self.today
        self._take(lambda: call_back(self.books, change, confirmed=confirmed, on=day), expected)

    @rule(approve=st.sampled_from([True, True, True, False]))
    def is_decided(self, approve: bool) -> None:
        """Decide once, after the call when it is a yes."""
        last = self.last
        if last is None:
            return
        expected: type[RefusedError] | None = None
        if last.state != "asked":
            expected = DecidedOnceError
        elif approve and last.called_on is None:
            expected = CallBackMissingError
        else:
            last.state = "approved" if approve else "rejected"
        change = len(self.changes)
        self._take(lambda: decide(self.books, change, approve=approve), expected)

    @rule()
    def is_withdrawn(self) -> None:
        """Take an open change back."""
        last = self.last
        if last is None:
            return
        expected = None if last.is_open else ChangeStateError
        if last.is_open:
            last.state = "withdrawn"

        def withdraw() -> None:
            with self.books.begin() as connection:
                withdraw_change(connection, len(self.changes), "no", CALLER)

        self._take(withdraw, expected)

    @rule()
    def is_tried(self) -> None:
        """Send what is approved its prenote today; it settles on the next banking day."""
        last = self.last
        if last is not None and last.state == "approved" and last.called_on is not None:
            last.state = "prenoted"
            waited = add_banking_days(next_banking_day(self.today), 3)
            last.usable_from = max(waited, add_banking_days(last.called_on, 3))
        with self.books.begin() as connection:
            send_prenotes(courier(self.books, connection), self.books.keyring, self.today)

    @rule()
    def comes_back(self) -> None:
        """Let the bank send a prenote back."""
        last = self.last
        if last is None:
            return
        expected = None if last.state in {"prenoted", "failed", "withdrawn", "live"} else ChangeStateError
        if last.state == "prenoted":
            last.state = "failed"

        def fail() -> None:
            with self.books.begin() as connection:
                prenote_failed(connection, len(self.changes), "R03", MAKER, on=self.today)

        self._take(fail, expected)

    @rule(banking_days=st.integers(1, 4))
    def days_pass(self, banking_days: int) -> None:
        """Wait, and let what is usable go live."""
        self.today = add_banking_days(self.today, banking_days)
        last = self.last
        if last is not None and last.state == "prenoted" and last.usable_from and last.usable_from <= self.today:
            last.state = "live"
            self.accounts.append((last.number[-4:], last.usable_from))
        go_live(self.books, self.today)

    @invariant()
    def stands_as_the_rules_say(self) -> None:
        """See the states of all changes, and the accounts: each from its day, ended by the next."""
        states = self.books.ask("SELECT state FROM bank_account_change ORDER BY change_id")
        assert [row[0] for row in states] == [change.state for change in self.changes]
        ends = [since for _, since in self.accounts[1:]] + [None]
        assert accounts_of_a(self.books) == [
            (last_four, since, until) for (last_four, since), until in zip(self.accounts, ends, strict=True)
        ]


def test_the_account_in_use_is_what_the_rules_say(new_database: Callable[[], AbstractContextManager[str]]) -> None:
    """Over random orders of steps the database refuses, keeps and changes what the plain model does."""

    class Machine(Life):
        """A house of its own for each run."""

        def __init__(self) -> None:
            super().__init__()
            with ExitStack() as held:
                folder = held.enter_context(tempfile.TemporaryDirectory())
                engine = held.enter_context(connected(held.enter_context(new_database()), Role.APP))
                self.books = Books(engine, Path(folder))
                self.books.found(A)
                with_contact(self.books)
                self.held = held.pop_all()

        def teardown(self) -> None:
            """Leave the house."""
            self.held.close()

    wanted = settings(
        max_examples=EXAMPLES, stateful_step_count=STEPS, suppress_health_check=list(HealthCheck), deadline=None
    )
    run_state_machine_as_test(Machine, settings=wanted)
