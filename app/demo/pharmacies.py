"""Invent the pharmacies of a demonstration, and write their roster."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random

from schemas.identifiers import AbaRouting, Ncpdp, Npi, Tin
from schemas.money import text_from_cents

FEWEST = 10
"""With fewer there is no one left for the ordinary parts of the day."""

ROSTER_COLUMNS = (
    *("ncpdp_id", "npi", "legal_name", "dba_name", "tin", "state", "member_since", "member_until"),
    *("monthly_fee", "fee_since", "routing_number", "account_number", "account_type", "payout_schedule"),
)
MINIMUM_COLUMN = "payout_minimum"
"""Optional, behind the others."""

_PLACES = (
    *("Maple Street", "Harbor View", "Old Mill", "Courthouse", "Cedar Grove", "Riverside", "Prairie", "Lakeshore"),
    *("Depot Square", "Orchard", "Foothill", "Bayou", "Granite", "Sycamore", "Lantern", "Cornerstone"),
    *("Juniper", "Willow Bend", "Market Hall", "Saltgrass", "Canyon", "Fairground", "Ferry Landing", "Brickyard"),
)
_KINDS = (
    *("Pharmacy", "Drug", "Apothecary", "Family Pharmacy", "Community Drug", "Corner Pharmacy"),
    *("Prescription Shop", "Care Pharmacy", "Long Term Care Rx", "Compounding"),
)
_STATES = (("AL", "01"), ("AZ", "03"), ("CA", "05"), ("FL", "10"), ("GA", "11"), ("IL", "14"), ("IA", "16"))
_BANK_DISTRICTS = ("01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "26", "31")


@dataclass(frozen=True, slots=True)
class Pharmacy:
    """A pharmacy as a roster row describes it."""

    ncpdp_id: Ncpdp
    npi: Npi
    dba_name: str
    tin: Tin
    state: str
    member_since: date
    monthly_fee_cents: int
    routing: AbaRouting
    account_number: str = field(repr=False)
    account_type: str
    payout_schedule: str
    member_until: date | None = None
    """Last day of the membership; None: it goes on."""
    payout_minimum_cents: int = 0
    """Less is not paid out."""


@dataclass(frozen=True, slots=True)
class Membership:
    """The pharmacies of the PSAO by the part they play in the day, and one that is not a member."""

    negative: Pharmacy
    small: Pharmacy
    idle: Pharmacy
    ordinary: tuple[Pharmacy, ...]
    """The first of them pays no fee; the second and third have joined this month."""
    stranger: Pharmacy

    @property
    def members(self) -> tuple[Pharmacy, ...]:
        """All that the roster lists, by NCPDP id."""
        everyone = (self.negative, self.small, self.idle, *self.ordinary)
        return tuple(sorted(everyone, key=lambda pharmacy: pharmacy.ncpdp_id))

    @property
    def free(self) -> Pharmacy:
        """The member whose contract has a fee of nothing."""
        return self.ordinary[0]


def invent_membership(rng: Random, count: int, business_date: date) -> Membership:
    """Invent ``count`` members (at least ``FEWEST``) and a stranger, all identifiers unique and valid."""
    recent = business_date - timedelta(days=14)
    npi_digits = rng.sample(range(10**8), count + 1)
    tin_digits = rng.sample(range(10**7), count + 1)
    places = rng.sample(range(10**5), count + 1)
    pharmacies = []
    for number in range(count + 1):
        state, area = _STATES[number % len(_STATES)]
        since = date(business_date.year - rng.randint(1, 9), rng.randint(1, 12), 1)
        fee_cents = rng.choice((200_00,) * 8 + (150_00, 250_00))
        if number == 3:
            fee_cents = 0
        elif number in {4, 5}:
            since = recent.replace(day=1) if number == 4 else recent
        pharmacy = Pharmacy(
            ncpdp_id=Ncpdp(f"{area}{places[number]:05d}"),
            npi=Npi.from_nine(f"1{npi_digits[number]:08d}"),
            dba_name=_name(number),
            tin=Tin(f"83{tin_digits[number]:07d}"),
            state=state,
            member_since=since,
            monthly_fee_cents=fee_cents,
            routing=AbaRouting.from_eight(f"{rng.choice(_BANK_DISTRICTS)}{rng.randrange(10**6):06d}"),
            account_number=str(rng.randrange(10**8, 10 ** rng.randint(10, 14))),
            account_type="savings" if rng.randrange(12) == 0 else "checking",
            payout_schedule="weekly" if rng.randrange(6) == 0 else "daily",
        )
        pharmacies.append(pharmacy)
    negative, small, idle, *ordinary, stranger = pharmacies
    return Membership(negative=negative, small=small, idle=idle, ordinary=tuple(ordinary), stranger=stranger)


def _name(number: int) -> str:
    kind, place = divmod(number, len(_PLACES))
    series, kind = divmod(kind, len(_KINDS))
    again = f" {series + 1}" if series else ""
    return f"{_PLACES[place]} {_KINDS[kind]}{again}"


def write_roster(path: Path, members: Sequence[Pharmacy]) -> None:
    """Write the roster CSV, one row for each member; a blank ``member_until`` is a running membership.

    The column of the least amount that is paid out stands there when a member has one.
    """
    has_minimum = any(each.payout_minimum_cents for each in members)
    with path.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow((*ROSTER_COLUMNS, *((MINIMUM_COLUMN,) if has_minimum else ())))
        for each in members:
            since, until = each.member_since.isoformat(), each.member_until.isoformat() if each.member_until else ""
            minimum = (text_from_cents(each.payout_minimum_cents),) if has_minimum else ()
            rows.writerow(
                (
                    *(each.ncpdp_id, each.npi, f"{each.dba_name} LLC", each.dba_name, each.tin, each.state),
                    *(since, until, text_from_cents(each.monthly_fee_cents), since),
                    *(each.routing, each.account_number, each.account_type, each.payout_schedule),
                    *minimum,
                )
            )
