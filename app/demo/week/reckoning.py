"""What a right system pays in a demonstration week: reckoned member by member, without the system's code or database.

The rules are those of the issue's words: who is due by schedule, minimum and membership; fees oldest first and whole;
what came back, was kept back, let go and paid again.
"""

from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from app.demo.pharmacies import Pharmacy
from app.demo.week.cast import Cast
from app.demo.week.remitting import WeekRemittance
from app.demo.week.script import (
    CLOSED_AGAIN,
    CLOSED_BACK,
    CLOSED_PAID,
    HELD,
    HOLD_CENTS,
    HOLD_LIFTED,
    REFUSED_BACK,
    REFUSED_PAID,
    WAIVED,
)
from schemas.calendar import add_banking_days

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment of a member, net of the fee that was collected with it; cents."""

    amount_cents: int
    fee_cents: int


@dataclass(frozen=True, slots=True)
class ExpectedDay:
    """What is right for one banking day; members by NCPDP id, money in cents."""

    day: date
    funded_cents: int
    """Shares of members of what was funded."""
    assessed_cents: int
    returned: Mapping[str, int]
    paid: Mapping[str, Paid]
    waiting: Mapping[str, str]
    """Those with money that are not paid, or owe: not_due, below_minimum, account_stopped, negative."""

    @property
    def paid_cents(self) -> int:
        """All that leaves."""
        return sum(each.amount_cents for each in self.paid.values())

    @property
    def fee_cents(self) -> int:
        """All fees that are collected."""
        return sum(each.fee_cents for each in self.paid.values())


@dataclass(frozen=True, slots=True)
class ExpectedMember:
    """How a member stands at the end; cents."""

    due_cents: int
    held_cents: int
    open_fee_cents: int
    paid_cents: int
    """All payments together, those that came back too."""
    fee_cents: int
    returned_cents: int


@dataclass(frozen=True, slots=True)
class Expected:
    """What is right for the week; cents."""

    days: tuple[ExpectedDay, ...]
    members: Mapping[str, ExpectedMember]
    assessed_cents: int
    waived_cents: int
    collected_cents: int
    float_cents: int
    """The PSAO's own money in the account at the end: what it put in and its fees, less what covers negatives."""
    in_transit_cents: int
    """Of the last two cycles: their debits are on no statement yet."""
    unknown_cents: int
    """Funded for the store that is no member."""


@dataclass(slots=True)
class _Book:
    store: Pharmacy
    due_cents: int = 0
    held_cents: int = 0
    room_cents: int = 0
    """What a hold may still take."""
    is_stopped: bool = False
    fees: dict[date, int] = field(default_factory=dict)
    """What is open, by month."""
    paid: list[Paid] = field(default_factory=list)
    returned_cents: int = 0

    def keep_back(self) -> None:
        kept = max(0, min(self.room_cents, self.due_cents))
        self.due_cents, self.held_cents, self.room_cents = (
            self.due_cents - kept,
            self.held_cents + kept,
            self.room_cents - kept,
        )

    def let_go(self) -> None:
        self.due_cents, self.held_cents, self.room_cents = self.due_cents + self.held_cents, 0, 0

    def come_back(self, cents: int) -> None:
        self.held_cents += cents
        self.returned_cents += cents

    def next_payment(self) -> Paid:
        """Give what it would be paid: months of fee are taken oldest first, whole or not at all."""
        left, fee_cents = self.due_cents, 0
        for _, cents in sorted(self.fees.items()):
            if cents > left:
                break
            left, fee_cents = left - cents, fee_cents + cents
        return Paid(left, fee_cents)

    def pay(self, payment: Paid) -> None:
        left = payment.fee_cents
        for month, cents in sorted(self.fees.items()):
            if left:
                left -= cents
                del self.fees[month]
        self.due_cents = 0
        self.paid.append(payment)


def reckon(cast: Cast, days: Sequence[date], remittances: Sequence[WeekRemittance], float_cents: int) -> Expected:
    """Reckon the week.

    Args:
        cast: who is in it.
        days: its banking days.
        remittances: all files.
        float_cents: the PSAO's own money that is put in.
    """
    books: dict[str, _Book] = {store.ncpdp_id: _Book(store) for store in cast.members}
    done: list[ExpectedDay] = []
    waived_cents = unknown_cents = 0
    for place, day in enumerate(days):
        returned = dict(_coming_back(cast, place, done))
        for ncpdp_id, cents in returned.items():
            books[ncpdp_id].come_back(cents)
        funded_cents = 0
        for share in (share for each in remittances if each.funded_at == place for share in each.shares):
            if share.ncpdp_id:
                books[share.ncpdp_id].due_cents += share.share_cents
                funded_cents += share.share_cents
            else:
                unknown_cents += share.share_cents
        assessed_cents = _assess(books, days, place)
        waived_cents += _people(cast, books, days, place)
        paid, waiting = _cycle(books, days, place)
        done.append(ExpectedDay(day, funded_cents, assessed_cents, returned, paid, waiting))
    collected_cents = sum(each.fee_cents for each in done)
    return Expected(
        days=tuple(done),
        members={ncpdp_id: _standing(book) for ncpdp_id, book in books.items()},
        assessed_cents=sum(each.assessed_cents for each in done),
        waived_cents=waived_cents,
        collected_cents=collected_cents,
        float_cents=float_cents + collected_cents + sum(min(0, book.due_cents) for book in books.values()),
        in_transit_cents=sum(each.paid_cents for each in done[-2:]),
        unknown_cents=unknown_cents,
    )


def _standing(book: _Book) -> ExpectedMember:
    return ExpectedMember(
        due_cents=book.due_cents,
        held_cents=book.held_cents,
        open_fee_cents=sum(book.fees.values()),
        paid_cents=sum(each.amount_cents for each in book.paid),
        fee_cents=sum(each.fee_cents for each in book.paid),
        returned_cents=book.returned_cents,
    )


def _coming_back(cast: Cast, place: int, done: Sequence[ExpectedDay]) -> Iterator[tuple[str, int]]:
    for store, paid_at, back_at in (
        (cast.closed, CLOSED_PAID, CLOSED_BACK),
        (cast.refused, REFUSED_PAID, REFUSED_BACK),
    ):
        if place == back_at:
            yield store.ncpdp_id, done[paid_at].paid[store.ncpdp_id].amount_cents


def _assess(books: Mapping[str, _Book], days: Sequence[date], place: int) -> int:
    """Assess the month on the week's first day, and on the first banking day of every month after."""
    day = days[place]
    if place and days[place - 1].month == day.month:
        return 0
    total = 0
    for book in books.values():
        cents = _fee_of(book.store, day.replace(day=1))
        if cents:
            book.fees[day.replace(day=1)] = cents
            total += cents
    return total


def _fee_of(store: Pharmacy, month: date) -> int:
    """Give the fee of a month: whole in the month of joining; nothing in the month of leaving before its last day."""
    last = month.replace(day=monthrange(month.year, month.month)[1])
    is_there = store.member_since <= last and (store.member_until is None or store.member_until >= last)
    return store.monthly_fee_cents if is_there else 0


def _people(cast: Cast, books: Mapping[str, _Book], days: Sequence[date], place: int) -> int:
    """Do what people do before the cut-off; give the fees that were waived."""
    waived_cents = 0
    held, closed = books[cast.held.ncpdp_id], books[cast.closed.ncpdp_id]
    if place == WAIVED:
        waived_cents = books[cast.waived.ncpdp_id].fees.pop(days[0].replace(day=1), 0)
    if place == HELD:
        held.room_cents = HOLD_CENTS
    if place == HOLD_LIFTED:
        held.let_go()
    if place == REFUSED_BACK:
        books[cast.refused.ncpdp_id].let_go()
    if place == CLOSED_BACK:
        closed.is_stopped = True
    if place == CLOSED_AGAIN:
        closed.is_stopped = False
        closed.let_go()
    held.keep_back()
    return waived_cents


def _cycle(books: Mapping[str, _Book], days: Sequence[date], place: int) -> tuple[dict[str, Paid], dict[str, str]]:
    """Pay who is due."""
    after = days[place - 1] if place else add_banking_days(days[0], -1)
    paid: dict[str, Paid] = {}
    waiting: dict[str, str] = {}
    for ncpdp_id, book in books.items():
        if book.due_cents < 0:
            waiting[ncpdp_id] = "negative"
        elif book.due_cents > 0:
            payment, reason = book.next_payment(), _waits(book, after, days[place])
            if reason is None:
                book.pay(payment)
                paid[ncpdp_id] = payment
            else:
                waiting[ncpdp_id] = reason
    return paid, waiting


def _waits(book: _Book, after: date, through: date) -> str | None:
    """Say why a member with money is not paid; None: it is."""
    store = book.store
    if book.is_stopped:
        return "account_stopped"
    if store.member_until is not None and store.member_until < through:
        return None
    if not is_due(store.payout_schedule, after, through):
        return "not_due"
    amount_cents = book.next_payment().amount_cents
    return "below_minimum" if 0 < amount_cents < store.payout_minimum_cents else None


def is_due(schedule: str, after: date, through: date) -> bool:
    """Say whether a day of the schedule lies after one day and up to another.

    ``daily`` always; ``weekly:fri``; ``twice_monthly`` means the 15th and the last day, ``monthly`` the last day.
    """
    if schedule == "daily":
        return True
    span = (after + timedelta(days=number) for number in range(1, (through - after).days + 1))
    if schedule.startswith("weekly"):
        wanted = _WEEKDAYS.index(schedule.partition(":")[2] or "fri")
        return any(day.weekday() == wanted for day in span)
    nominal = {"monthly": (31,), "twice_monthly": (15, 31)}[schedule]
    return any(day.day == min(each, monthrange(day.year, day.month)[1]) for day in span for each in nominal)
