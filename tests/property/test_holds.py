"""What holds take: over random arrivals and limits what the plain rule says, and never what was lifted."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.database import Role, connected, unit_of_work
from ledger.batch import Batch
from ledger.events import hold_lifted
from ledger.posting import post
from payouts.holding import holds
from payouts.holding.holds import HoldKind, HoldOrder
from tests.integration.ledger_story import Books

DAY, REVIEW = date(2026, 1, 10), date(2026, 3, 1)
CENTS = st.integers(1, 50_000)
STEPS = st.lists(
    st.one_of(st.tuples(st.just("place"), st.none() | CENTS), st.tuples(st.just("fund"), CENTS)), max_size=8
)


class Plain:
    """The rule of holds on paper: the older one first, each up to its limit, one without a limit everything."""

    def __init__(self) -> None:
        self.available = 0
        self.room: list[int | None] = []
        self.kept: list[int] = []

    def place(self, limit: int | None) -> None:
        """Place a hold; it takes at once."""
        self.room.append(limit)
        self.kept.append(0)
        self._take(len(self.room) - 1)

    def fund(self, cents: int) -> None:
        """Let money come, and apply the holds."""
        self.available += cents
        for place in range(len(self.room)):
            self._take(place)

    def _take(self, place: int) -> None:
        room = self.room[place]
        cents = self.available if room is None else min(room, self.available)
        if room is not None:
            self.room[place] = room - cents
        self.kept[place] += cents
        self.available -= cents


class Real:
    """The same in PostgreSQL, for member A of the ledger's story."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.ids: list[int] = []
        self.funded = 0

    def place(self, limit: int | None) -> None:
        """Place a hold."""
        order = HoldOrder(self.books.owners["A"], HoldKind.REVIEW, "x", "agreement", REVIEW, DAY, limit_cents=limit)
        with unit_of_work(self.books.app) as connection:
            self.ids.append(holds.place_hold(connection, order, "finance"))

    def fund(self, cents: int) -> None:
        """Pay an advice, and apply the holds; again takes nothing."""
        self.funded += 1
        self.books.pay(f"advice {self.funded}", {"A": cents})
        self.apply()
        assert self.apply() == {}

    def apply(self) -> dict[int, int]:
        """Apply the holds."""
        with unit_of_work(self.books.app) as connection:
            return holds.apply_holds(connection, DAY, "finance")

    def kept(self) -> list[int]:
        """Give what each hold keeps."""
        with unit_of_work(self.books.app) as connection:
            return [holds.stands_under(connection, each) for each in self.ids]

    def lift(self, hold_id: int, cents: int) -> None:
        """Lift so much of a hold."""
        batch = Batch()
        lifted = hold_lifted(f"lifted {hold_id}", DAY, self.books.owners["A"], cents, "checked", hold_id=hold_id)
        batch.add(lifted)
        with unit_of_work(self.books.app) as connection:
            post(connection, batch, "finance")


def test_holds_take_what_the_plain_rule_says(new_database: Callable[[], AbstractContextManager[str]]) -> None:
    """After each step every hold keeps what the rule on paper gives it; what is lifted at the end is left alone."""

    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps=STEPS, part=st.integers(1, 100))
    def run(steps: list[tuple[str, int | None]], part: int) -> None:
        with ExitStack() as stack:
            url = stack.enter_context(new_database())
            app, owner = (stack.enter_context(connected(url, role)) for role in (Role.APP, Role.OWNER))
            plain, real = Plain(), Real(Books(app, owner))
            for step, cents in steps:
                for each in (plain, real):
                    if step == "place":
                        each.place(cents)
                    else:
                        each.fund(cents or 0)
                assert (real.kept(), real.books.balance("A", "due_available")) == (plain.kept, plain.available)
            for hold_id, kept in zip(real.ids, plain.kept, strict=True):
                if kept:
                    real.lift(hold_id, max(1, kept * part // 100))
                    assert real.apply() == {}
            assert real.books.failing() == []

    run()
