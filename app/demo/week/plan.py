"""The plan of a demonstration week: its files, its money, and what is right of it, all made from a seed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Final

from app.demo.bank import FLOAT_CENTS
from app.demo.payers import invent_payers, write_payers
from app.demo.pharmacies import write_roster
from app.demo.remittance import Payer
from app.demo.week.cast import FEWEST, Cast, invent_cast
from app.demo.week.reckoning import Expected, reckon
from app.demo.week.remitting import WeekFacts, WeekRemittance, remit_week
from schemas.calendar import add_banking_days
from schemas.errors import WrongUseError

LEAST_DAYS: Final = 2
MOST_DAYS: Final = 31
FEWEST_CLAIMS: Final = 60
"""Of a day."""
PAYERS: Final = 6


@dataclass(frozen=True, slots=True)
class WeekSize:
    """How large the week is, and the seed that makes it; ``days`` are banking days, ``claims`` those of each."""

    days: int
    pharmacies: int
    claims: int
    seed: int


@dataclass(frozen=True, slots=True)
class Week:
    """A generated week: the files, and what is to be expected of them."""

    days: tuple[date, ...]
    bank_account: str
    roster: Path
    payer_list: Path
    dormancy_rules: Path
    cast: Cast
    payers: tuple[Payer, ...]
    remittances: tuple[WeekRemittance, ...]
    float_cents: int
    float_reference: str
    expected: Expected
    seed: int

    @property
    def before(self) -> date:
        """The banking day before the first: its statement is the first that comes."""
        return add_banking_days(self.days[0], -1)

    @property
    def claims(self) -> int:
        """Count the claims of the files that are accepted."""
        return sum(each.claims for each in self.remittances if not each.is_wrong)

    def arriving(self, place: int) -> tuple[WeekRemittance, ...]:
        """Give the 835 files in the inbox at a place."""
        return tuple(each for each in self.remittances if each.arrives == place)


def plan_week(folder: Path, size: WeekSize, start: date, bank_account: str, progress: Callable[[int], None]) -> Week:
    """Write roster, payers and all 835s of a week, a folder for each day, and reckon what is right.

    Args:
        folder: is made when missing.
        size: how large; the same gives the same bytes.
        start: its first day, or the first banking day after it.
        bank_account: the custodial account.
        progress: called with the number of claims just made.

    Raises:
        WrongUseError: it is too small, or too long, to show what a week holds.
    """
    check_size(size)
    days = [add_banking_days(start, 0)]
    while len(days) < size.days:
        days.append(add_banking_days(days[-1], 1))
    folder.mkdir(parents=True, exist_ok=True)
    rng = Random(size.seed)  # noqa: S311 (repeatable chance is the point; nothing secret hangs on it)
    cast, payers = invent_cast(rng, size.pharmacies, days), invent_payers(rng, PAYERS)
    roster, payer_list, rules = (folder / name for name in ("roster.csv", "payers.csv", "dormancy-rules.csv"))
    write_roster(roster, cast.members)
    _write_rules(rules, cast)
    write_payers(payer_list, payers)
    facts = WeekFacts(folder, tuple(days), bank_account, cast, payers, size.claims, size.seed, progress)
    remittances = remit_week(facts)
    return Week(
        days=tuple(days),
        bank_account=bank_account,
        roster=roster,
        payer_list=payer_list,
        dormancy_rules=rules,
        cast=cast,
        payers=payers,
        remittances=remittances,
        float_cents=FLOAT_CENTS,
        float_reference=f"FLOAT{add_banking_days(days[0], -1):%Y%m%d}",
        expected=reckon(cast, days, remittances, FLOAT_CENTS),
        seed=size.seed,
    )


def _write_rules(path: Path, cast: Cast) -> None:
    """Write when each state counts property as abandoned: invented like everything here, and so it says."""
    states = sorted({store.state for store in cast.members})
    rows = [f"{state},payments,36,120,60,2020-01-01,invented for the demonstration" for state in states]
    header = "state,property,months,letter_from_days,letter_until_days,since,source"
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")


def check_size(size: WeekSize) -> None:
    """See that a week can show what a week holds.

    Raises:
        WrongUseError: it is too small, or too long.
    """
    if not LEAST_DAYS <= size.days <= MOST_DAYS:
        raise WrongUseError(f"--days: a week of the demonstration has {LEAST_DAYS} to {MOST_DAYS} banking days")
    if size.pharmacies < FEWEST:
        raise WrongUseError(f"a demonstration week needs at least {FEWEST} pharmacies, not {size.pharmacies}")
    if size.claims < FEWEST_CLAIMS:
        raise WrongUseError(f"a demonstration week needs at least {FEWEST_CLAIMS} claims a day, not {size.claims}")
