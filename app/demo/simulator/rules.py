"""How the simulated bank behaves, as data: which entries come back, when, and how their money is shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from random import Random

from app.demo.simulator.entries import SentEntry

WHOLE_SHARE = 10_000
"""Every entry; shares are counted in ten-thousandths, so that chance needs no float."""


class Settlement(StrEnum):
    """How the account is charged for a file that was sent."""

    BY_TOTAL = "by_total"
    """One debit for all of a file's credits of a day."""
    BY_ENTRY = "by_entry"
    """One debit for each entry, which names its trace."""


class ReturnCredits(StrEnum):
    """How the money of returns comes back to the account."""

    SINGLE = "single"
    """One credit for each return, which names the trace of our entry."""
    UNNAMED = "unnamed"
    """One credit for each return, which names nothing."""
    DAY_TOTAL = "day_total"
    """One credit for all returns of a day."""


class Again(StrEnum):
    """How returns that came once come a second time."""

    SAME_FILE = "same_file"
    """The same bytes."""
    OTHER_FILE = "other_file"
    """The same answers under another file header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """Which entries a rule is about: those that are all of what is said here."""

    amount_cents: int | None = None
    account_number: str | None = None
    routing: str | None = None
    """Nine digits, of the receiver's bank."""
    identification: str | None = None
    """What the entry names its receiver by."""
    settled_on: date | None = None
    share: int = WHOLE_SHARE
    """Of the entries that are all of the above, so many in ten thousand; chance decides which, by the bank's seed."""

    def takes(self, entry: SentEntry, chance: Random) -> bool:
        """Say whether the rule is about this entry."""
        asked = (
            (self.amount_cents, entry.amount_cents),
            (self.account_number, entry.account_number),
            (self.routing, entry.routing),
            (self.identification, entry.identification),
            (self.settled_on, entry.settled_on),
        )
        drawn = chance.randrange(WHOLE_SHARE)
        return drawn < self.share and all(wanted is None or wanted == found for wanted, found in asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """The receiver's bank stands by its return after it was dishonored: the money is credited again."""

    code: str = "R73"
    after_days: int = 1
    """Banking days after the dishonored return."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dishonor:
    """Our bank sends a return back as wrong: its money is debited again."""

    code: str = "R68"
    after_days: int = 2
    """Banking days after the return."""
    contested: Contest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """The receiver's bank does not take an entry. With 20 days or more it is a late one."""

    code: str
    """Nacha return reason code, ``R03``."""
    pick: Pick = Pick()
    after_days: int = 2
    """Banking days after settlement."""
    credited_after_days: int | None = 0
    """Banking days after the return on which its money is on the account; None: never."""
    information: str = ""
    """Addenda information: up to 44 characters."""
    again: Again | None = None
    """The answers of that day come a second time, on the next banking day."""
    dishonored: Dishonor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The receiver's bank takes the entry and says what to write next time."""

    code: str
    """Nacha change code, ``C01``."""
    corrected: str
    """Corrected data as the record holds it: up to 29 characters at the positions of the code."""
    pick: Pick = Pick()
    after_days: int = 2
    """Banking days after settlement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All that the bank does of itself; of the returns, and of the changes, the first that fits an entry acts."""

    returns: Sequence[Return] = ()
    changes: Sequence[Change] = ()
    settlement: Settlement = Settlement.BY_TOTAL
    return_credits: ReturnCredits = ReturnCredits.SINGLE
