"""A close and what it rests on, as values. Money in cents."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Self

from pydantic import BaseModel, ConfigDict

from ledger.export.scope import Selection
from ledger.seal.checkpoints import Checkpoint

Tell = Callable[[str, int, int | None], None]
"""Is told what is in hand, how much of it is done, and of how much; None: that is not known."""


class Verdict(StrEnum):
    """What a check says of closing the month."""

    HOLDS = "holds"
    """Nothing is wrong."""
    LISTED = "listed"
    """Something is open that is carried into the next month always; the package lists it."""
    CARRIED = "carried"
    """Something is open that blocks, and that an approver carries over by name, with a reason."""
    BLOCKS = "blocks"
    """Something has to be done, or carried over, before the month is closed."""
    FAILS = "fails"
    """The books are not right, or not the bank's: nothing carries that over."""


class Check(BaseModel):
    """One line of what is looked at before a month is closed."""

    model_config = ConfigDict(frozen=True)

    name: str
    verdict: Verdict
    checked: int = 0
    """How many things were looked at."""
    found: int = 0
    """How many of them are not as they should be."""
    amount_cents: int = 0
    detail: str = ""
    """The first of them in words."""
    todo: str = ""
    """What to do about it."""


class Carried(BaseModel):
    """Something that was open at a close, and why the month was closed all the same."""

    model_config = ConfigDict(frozen=True)

    subject: str
    """``exception 17``, or the name of a check."""
    exception_id: int | None = None
    kind: str
    about: str
    amount_cents: int
    detail: str
    reason: str
    by_name: bool


class TiedDay(BaseModel):
    """P4 of one day and account: the bank's closing balance and the cash of all owners, in cents."""

    model_config = ConfigDict(frozen=True)

    custodial_account_id: int
    as_of: date
    closing_cents: int
    booked_cents: int

    @property
    def difference_cents(self) -> int:
        """What the bank has more than the books."""
        return self.closing_cents - self.booked_cents


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found of a month: the checks in their order, what is carried over, and each day tied out."""

    checks: tuple[Check, ...]
    carried: tuple[Carried, ...]
    days: tuple[TiedDay, ...]

    def of(self, verdict: Verdict) -> tuple[Check, ...]:
        """Give the checks of a verdict."""
        return tuple(each for each in self.checks if each.verdict is verdict)


class Step(StrEnum):
    """How far a close is; each step is safe to be killed in, and is taken up again by closing the month again."""

    LOCKED = "locked"
    """The database takes nothing more into the month."""
    SEALED = "sealed"
    """A checkpoint covers all of it."""
    PACKED = "packed"
    """Its package is written and recorded."""
    REOPENED = "reopened"
    """Two people have opened the month again; a later version supersedes this one."""


STEP_LEFT: Final[Mapping[Step, str]] = MappingProxyType(
    {
        Step.LOCKED: "seal, package: centralpay close",
        Step.SEALED: "package: centralpay close",
        Step.PACKED: "",
        Step.REOPENED: "",
    }
)
"""What is missing after each step."""


class Close(BaseModel):
    """One close of a month, with what has come of it so far."""

    model_config = ConfigDict(frozen=True)

    month: date
    """Its first day."""
    version: int
    from_month: date
    """Earlier months without entries were closed with it, from this one on."""
    closed_on: date
    closed_by: str
    closed_at: datetime
    state: str
    """Of the month now: open or closed."""
    checkpoint_size: int | None = None
    root: str | None = None
    manifest_sha256: str | None = None
    """Of its package's last edition."""
    edition: int = 1
    """Counts up when a lost package could not be written as it was."""
    edition_reason: str | None = None
    supersedes: str | None = None
    """The manifest of the edition or version before."""
    reopened_reason: str | None = None
    requested_by: str | None = None
    approved_by: str | None = None
    reopened_at: datetime | None = None

    @property
    def step(self) -> Step:
        """How far it is."""
        if self.reopened_at is not None:
            return Step.REOPENED
        if self.manifest_sha256 is not None:
            return Step.PACKED
        return Step.LOCKED if self.checkpoint_size is None else Step.SEALED

    def next_edition(self, reason: str) -> Self:
        """Give the same close with a package still to be written, which supersedes the one that there is."""
        changes = {"edition": self.edition + 1, "edition_reason": reason, "manifest_sha256": None}
        return self.model_copy(update=changes | {"supersedes": self.manifest_sha256})

    @property
    def folder(self) -> str:
        """The name of its package's folder."""
        again = "" if self.edition == 1 else f"-edition-{self.edition}"
        return f"close-{self.month:%Y-%m}-v{self.version}{again}"


@dataclass(frozen=True, slots=True)
class Contents:
    """What a package is made of.

    Args:
        company: whose books these are.
        close: which.
        checkpoint: at which everything is read.
        before_size: the checkpoint of the version before; None: this is the first.
        chosen: the days of the month, as that checkpoint knows them.
    """

    company: str
    close: Close
    checkpoint: Checkpoint
    before_size: int | None
    chosen: Selection

    @property
    def last(self) -> date:
        """The last day of the month."""
        return month_after(self.close.month) - timedelta(days=1)


def month_after(month: date) -> date:
    """Give the first day of the next month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
