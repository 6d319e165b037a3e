"""A look at the model's state through a source of chance: picks dates, members, open items and amounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import TypeVar

from tests.model.events import Advice, Fact
from tests.model.facts import HOUSE, first_day, last_day
from tests.model.ledger_model import Model

_T = TypeVar("_T")


@dataclass(frozen=True)
class Item:
    """An open item with its balance in cents, positive on the account's own side."""

    owner: str
    reference: str
    amount_cents: int


@dataclass(frozen=True)
class Draw:
    """The state and the chance that the next step is drawn from; drawing changes nothing in the model."""

    model: Model
    random: Random

    def one_in(self, count: int) -> bool:
        """Say yes once in so many times."""
        return self.random.randrange(count) == 0

    def one_of(self, values: Sequence[_T]) -> _T | None:
        """Pick one, or None where there is none."""
        return self.random.choice(values) if values else None

    def some_of(self, values: Sequence[_T], most: int) -> list[_T]:
        """Pick up to so many different ones, at least one where there is one."""
        if not values:
            return []
        return self.random.sample(list(values), self.random.randint(1, min(most, len(values))))

    def key(self, event: str) -> str:
        """Give a fact key that nothing posted has."""
        return f"{event}-{len(self.model.posted) + 1}"

    def fact(self, event: str) -> Fact:
        """Give a new fact on a day of a month that exists: mostly an open one, now and then a closed one."""
        return Fact(self.key(event), self.day())

    def day(self) -> date:
        """Pick a day of a month that exists."""
        months = sorted(self.model.periods)
        if not self.one_in(6):
            months = [month for month in months if self.model.periods[month]] or months
        month = self.random.choice(months)
        return first_day(month).replace(day=self.random.randint(1, last_day(month).day))

    def member(self) -> str:
        """Pick a member."""
        return self.random.choice(sorted(self.model.members))

    def amount(self, most: int = 100_000) -> int:
        """Pick a positive amount in cents."""
        return self.random.randint(1, most)

    def part(self, whole: int) -> int:
        """Pick a part of a positive amount in cents, half of the time all of it."""
        return whole if self.one_in(2) else self.random.randint(1, whole)

    def holder(self, account: str) -> Item | None:
        """Pick an owner whose account is on its own side."""
        owners = (HOUSE, *self.model.members)
        items = [Item(owner, "", self.model.balance(owner, account)) for owner in owners]
        return self.one_of([item for item in items if item.amount_cents > 0])

    def items(self, account: str) -> list[Item]:
        """List the open items on the account's own side."""
        found = self.model.open_items(account).items()
        return [Item(owner, str(reference), cents) for (owner, reference), cents in found if cents > 0]

    def item(self, account: str) -> Item | None:
        """Pick an open item on the account's own side."""
        return self.one_of(self.items(account))

    def shares(self, total: int) -> dict[str, int]:
        """Split an amount between one or two members."""
        first, *others = self.some_of(sorted(self.model.members), 2)
        if not others or abs(total) < 2:
            return {first: total}
        part = self.part(abs(total) - 1) * (1 if total > 0 else -1)
        return {first: part, others[0]: total - part}

    def open_advice(self) -> Advice | None:
        """Pick an advice that waits for its money and does not come to less than nothing."""
        waiting = [self._advice(name) for name in sorted({str(name) for _, name in self.model.open_items("advised")})]
        return self.one_of([advice for advice in waiting if advice.paid_cents >= 0])

    def _advice(self, name: str) -> Advice:
        advised = {
            owner: cents for (owner, advice), cents in self.model.open_items("advised").items() if advice == name
        }
        house = advised.pop(HOUSE, 0)
        unknown = {
            str(identifier): cents
            for (_, identifier), cents in self.model.open_items("unknown_payee_unfunded").items()
            if advice_of(str(identifier)) == name
        }
        return Advice(name, advised, unknown, house - sum(unknown.values()))


def advice_of(identifier: str) -> str:
    """Name the advice in which the draws first saw an unknown payee's identifier."""
    return identifier.partition("/")[0]
