"""What a banking day of a demonstration week came to, and the clock that the week goes by."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time

from pydantic import BaseModel, ConfigDict

from app.session import BANK_ZONE


@dataclass
class WeekClock:
    """A clock that stands until it is set."""

    now: datetime

    def __call__(self) -> datetime:
        """Give the moment."""
        return self.now

    def set(self, day: date, at: time) -> None:
        """Set it, by the bank's clock."""
        self.now = datetime.combine(day, at, BANK_ZONE)


class PaidMember(BaseModel):
    """A payment of a cycle; cents."""

    model_config = ConfigDict(frozen=True)

    amount_cents: int
    fee_cents: int


class JobDone(BaseModel):
    """A run of the scheduler."""

    model_config = ConfigDict(frozen=True)

    job: str
    at: datetime
    """The moment that it was due for."""
    state: str
    said: str


class DayDone(BaseModel):
    """What a banking day came to; money in cents, members by NCPDP id."""

    model_config = ConfigDict(frozen=True)

    day: date
    closed_before: tuple[date, ...]
    """Week days since the last banking day on which banks were closed."""
    runs: tuple[JobDone, ...]
    """The scheduler's, since the day before."""
    refused: tuple[str, ...]
    """Sentences about files of the day that were not taken in."""
    payments: int
    """Of payers, that met their 835s."""
    funded_cents: int
    """Shares of members of them."""
    settled_cents: int
    returned: Mapping[str, int]
    acts: tuple[str, ...]
    """What people did before the cut-off."""
    assessed_cents: int
    waived_cents: int
    cycle_id: int | None
    paid: Mapping[str, PaidMember]
    omitted: Mapping[str, int]
    """Why members are not paid, and how many."""
    waiting: Mapping[str, str]
    """Who of those with money, or with a debt, is not paid, and why."""
    dropped: int
    nacha_file: str | None
    """Its name in the day's folder."""
    exceptions: Mapping[str, int]
    """Kind to number of open ones."""
    proofs_held: int
    proofs: int

    @property
    def paid_cents(self) -> int:
        """All that left."""
        return sum(each.amount_cents for each in self.paid.values())

    @property
    def fee_cents(self) -> int:
        """All fees collected."""
        return sum(each.fee_cents for each in self.paid.values())
