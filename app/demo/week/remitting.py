"""What payers send in a demonstration week: who remits when, and how money and its 835 come together.

A place is the number of a banking day of the week, the first is 0; what is on a bank statement at a place is what the
bank booked on the banking day before.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Final

from app.demo.accounts import (
    StoreAccount,
    dispensary_of,
    negative_account,
    ordinary_accounts,
    small_account,
    stranger_account,
)
from app.demo.claims import BRAND_DRUGS, ORDINARY_DRUGS, ClaimBook, Drug
from app.demo.day import ExpectedShare, Shape
from app.demo.pharmacies import Pharmacy
from app.demo.plans import Plan, split_count
from app.demo.remittance import Claim, Payer, Syntax
from app.demo.remittances import DayFacts, RemittanceFile, groups_of, set_of, write_file
from app.demo.week.cast import Cast
from schemas.calendar import add_banking_days

MISSING_CENTS: Final = 1_250_00
"""What a short payment lacks, where it is not too small for that."""
_EARNINGS: Final[Mapping[int, Sequence[tuple[str, int]]]] = {
    0: (("closed", 4_000_00), ("corrected", 2_500_00), ("leaver", 1_800_00), ("saver", 350_00), ("thursday", 700_00)),
    1: (("refused", 2_000_00), ("held", 2_600_00), ("waived", 1_200_00), ("saver", 350_00)),
    2: (("negative", 9_000_00), ("thursday", 900_00), ("saver", 350_00)),
    3: (("corrected", 1_500_00), ("waived", 800_00), ("saver", 350_00)),
    4: (("closed", 900_00), ("held", 700_00), ("saver", 350_00)),
}
"""Who of the stories earns at which place, and how much at least; the negative member's more than it was taken back."""
_FEWEST_CLAIMS: Final = 12
_PLAIN: Final = Syntax()


@dataclass(frozen=True, slots=True)
class Part:
    """Money of a remittance: it stands on the statement that comes at a place."""

    place: int
    cents: int


@dataclass(frozen=True, slots=True)
class WeekRemittance:
    """An 835 file of the week, and the money of its one payment."""

    label: str
    payer: Payer
    path: Path
    arrives: int
    """Place at whose morning the file lies in the inbox."""
    trace_number: str
    claims: int
    shares: tuple[ExpectedShare, ...]
    parts: tuple[Part, ...]
    is_wrong: bool = False
    """It does not balance and is refused; its money belongs to the file that mends it."""

    @property
    def payment_cents(self) -> int:
        """What it pays."""
        return sum(share.share_cents for share in self.shares)

    @property
    def funded_at(self) -> int | None:
        """Place at which 835 and all of its money are there; None: never, for it is refused."""
        return None if self.is_wrong else max(self.arrives, *(part.place for part in self.parts))


@dataclass(frozen=True, slots=True)
class Habit:
    """How a payer remits.

    Args:
        label: in the names of its files.
        payer: its number among the payers.
        shape: of its remittances.
        weight: its part of a day's claims.
        first: place of its first file.
        every: so many banking days between its files.
        money: places of its money, counted from the file's; two are a short payment and the rest.
        mended: its file does not balance, and comes again mended on the next banking day.
        syntax: of its files.
    """

    label: str
    payer: int
    shape: Shape
    weight: int
    first: int
    every: int
    money: tuple[int, ...] = (0,)
    mended: bool = False
    syntax: Syntax = _PLAIN


HABITS: Final = (
    Habit("daily", 0, Shape.CHAIN, 10, 0, 1, syntax=Syntax(line_end="\n")),
    Habit("by-pharmacy", 1, Shape.PER_PHARMACY, 8, 0, 2),
    Habit("wrapped", 2, Shape.CLAIM_LEVEL, 8, 1, 3, syntax=Syntax(columns=80)),
    Habit("short", 3, Shape.CHAIN, 5, 2, 5, money=(0, 2), syntax=Syntax("\x1d", "\x1f", "^", "\x1e")),
    Habit("money-first", 4, Shape.CLAIM_LEVEL, 5, 3, 5, money=(-2,)),
    Habit("835-first", 5, Shape.CHAIN, 5, 1, 5, money=(2,), syntax=Syntax(line_end="\r\n")),
    Habit("mended", 3, Shape.CLAIM_LEVEL, 4, 3, 6, mended=True),
)
"""The first pays the stories, and everybody, every day."""


@dataclass(frozen=True, slots=True)
class WeekFacts:
    """What all files of the week share."""

    folder: Path
    days: tuple[date, ...]
    bank_account: str
    cast: Cast
    payers: tuple[Payer, ...]
    claims: int
    """Of each day."""
    seed: int
    progress: Callable[[int], None]

    def day(self, place: int) -> date:
        """Give the banking day of a place, also of one before or after the week."""
        return add_banking_days(self.days[0], place) if place else self.days[0]


def remit_week(facts: WeekFacts) -> tuple[WeekRemittance, ...]:
    """Write the week's 835 files into a folder for each day, and say what is in them."""
    made: list[WeekRemittance] = []
    for place in range(len(facts.days)):
        (facts.folder / f"{facts.day(place)}").mkdir(parents=True, exist_ok=True)
    for place in range(len(facts.days)):
        habits = [each for each in HABITS if place >= each.first and (place - each.first) % each.every == 0]
        budgets = split_count(facts.claims, [each.weight for each in habits])
        for habit, budget in zip(habits, budgets, strict=True):
            made.extend(_remit(facts, habit, place, max(budget, _FEWEST_CLAIMS), len(made) + 1))
            facts.progress(budget)
    return tuple(made)


@dataclass(frozen=True, slots=True)
class _Payment:
    """A payment about to be told: everything that its file, or its two files, have in common."""

    facts: WeekFacts
    plan: Plan
    payer: Payer
    number: int
    paid_on: date
    accounts: tuple[StoreAccount, ...]
    places: tuple[int, ...]
    """Of its money."""

    @property
    def trace_number(self) -> str:
        return f"{self.payer.payer_id[-4:]}{self.paid_on:%y%m%d}{self.number:03d}"

    def told_at(self, place: int, *, wrong: bool = False) -> WeekRemittance:
        """Write its file for the morning of a place."""
        facts = self.facts
        day = DayFacts(
            folder=facts.folder / f"{facts.day(place)}",
            business_date=self.paid_on,
            bank_account=facts.bank_account,
            membership=facts.cast.membership,
            payers=facts.payers,
            seed=facts.seed,
            progress=facts.progress,
        )
        sets = [
            set_of(
                *(day, self.plan, self.payer, payee, group),
                trace=self.trace_number,
                control_number=f"{number:04d}",
                wrong=wrong,
            )
            for number, (payee, group) in enumerate(groups_of(self.plan, list(self.accounts)), 1)
        ]
        label = f"{self.plan.label}-wrong" if wrong else self.plan.label
        file = RemittanceFile(self.number, self.plan, self.payer, tuple(sets))
        written = write_file(day, file, created_at="0947" if wrong else "0215", stem=label)
        return WeekRemittance(
            label=label,
            payer=self.payer,
            path=written.path,
            arrives=place,
            trace_number=self.trace_number,
            claims=written.claims,
            shares=tuple(account.share for account in self.accounts),
            parts=() if wrong else self._parts(),
            is_wrong=wrong,
        )

    def _parts(self) -> tuple[Part, ...]:
        cents = sum(account.share.share_cents for account in self.accounts)
        if len(self.places) == 1:
            return (Part(self.places[0], cents),)
        missing = min(MISSING_CENTS, cents // 10)
        return (Part(self.places[0], cents - missing), Part(self.places[1], missing))


def _remit(facts: WeekFacts, habit: Habit, place: int, budget: int, number: int) -> list[WeekRemittance]:
    """Write a payer's file of a place; and where it comes mended on the next day, the wrong one and the right one."""
    rng = Random(f"{facts.seed}:{number}")  # noqa: S311 (repeatable chance is the point; nothing secret hangs on it)
    places = tuple(place + each for each in habit.money)
    paid_on, payer = facts.day(min(places) - 1), facts.payers[habit.payer]
    plan = Plan(habit.label, habit.shape, habit.weight, habit.syntax)
    book = ClaimBook(rng, payer, paid_on, by_cost_and_fee=number % 2 == 0)
    crowd = ordinary_accounts(plan, rng, book, stores=facts.cast.crowd, count=budget, business_date=paid_on)
    told = _stories(facts.cast, book, place, paid_on, crowd) if habit is HABITS[0] else []
    payment = _Payment(facts, plan, payer, number, paid_on, (*crowd, *told), places)
    if not habit.mended:
        return [payment.told_at(place)]
    files = [payment.told_at(place, wrong=True)]
    return [*files, payment.told_at(place + 1)] if place + 1 < len(facts.days) else files


def _stories(
    cast: Cast, book: ClaimBook, place: int, paid_on: date, others: Sequence[StoreAccount]
) -> list[StoreAccount]:
    """Give the accounts of those whose story needs money at a place."""
    told: list[StoreAccount] = []
    if place == 0:
        others_cents = sum(each.share.share_cents for each in others)
        told += (
            negative_account(book, cast.negative, paid_on, others_cents=others_cents),
            small_account(book, cast.small, paid_on),
        )
    if place == 1:
        told.append(stranger_account(book, cast.stranger, paid_on))
    for part, least_cents in _EARNINGS.get(place, ()):
        store: Pharmacy = getattr(cast, part)
        # The saver's come little by little, the others' at once.
        drugs = ORDINARY_DRUGS if store is cast.saver else BRAND_DRUGS
        told.append(_earned(book, store, least_cents, drugs, paid_on))
    return told


def _earned(book: ClaimBook, store: Pharmacy, least_cents: int, drugs: Sequence[Drug], paid_on: date) -> StoreAccount:
    dispensary = dispensary_of(store, paid_on, named=True)
    claims: list[Claim] = []
    while sum(claim.paid_cents for claim in claims) < least_cents:
        claims.append(book.paid(dispensary, drugs, copay_cents=0))
    return StoreAccount(store, tuple(claims))
