"""Invent prescription claims that balance to the cent, from a seeded source.

Every claim keeps the claim rule of the X12 835: charge less all adjustments is what is paid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from random import Random
from typing import NamedTuple

from app.demo.remittance import Adjustment, Claim, Patient, Payer, ServingStore

PAID, DENIED, REVERSED = "1", "4", "22"

_LAST_NAMES = (
    *("ASHDOWN", "BELLWETHER", "CORRIGAN", "DUNMORE", "ELLERBY", "FAIRWEATHER", "GREENLAW", "HOLLOWAY"),
    *("IVERSEN", "JESSOP", "KINGSLEY", "LOCKRIDGE", "MERRIFIELD", "NORDSTROM", "OAKHURST", "PEMBERTON"),
)
_FIRST_NAMES = (
    *("ADA", "BRUNO", "CLARA", "DESMOND", "EDITH", "FELIX", "GRETA", "HORACE"),
    *("INGRID", "JASPER", "KATYA", "LIONEL", "MABEL", "NOLAN", "OPAL", "PERCY"),
)
_PATIENTS = tuple(
    Patient(last, first, f"Z{row:02d}{column:02d}7{row * 16 + column:04d}")
    for row, last in enumerate(_LAST_NAMES)
    for column, first in enumerate(_FIRST_NAMES)
)


class Drug(NamedTuple):
    """A package as it is dispensed: invented NDC of eleven digits, quantity, usual cost in cents."""

    ndc: str
    quantity: str
    cost_cents: int


ORDINARY_DRUGS = (
    *(Drug("99101004130", "30", 4_12), Drug("99101004190", "90", 9_87), Drug("99101017260", "60", 14_05)),
    *(Drug("99102000830", "30", 6_48), Drug("99102031515", "15", 22_31), Drug("99102031630", "30", 31_76)),
    *(Drug("99103120030", "30", 18_90), Drug("99103120145", "45", 27_44), Drug("99103550108", "8.5", 41_15)),
    *(Drug("99104000220", "20", 7_03), Drug("99104000310", "10", 11_62), Drug("99104080060", "60", 52_39)),
)
BRAND_DRUGS = (
    *(Drug("99211000104", "4", 912_64), Drug("99211000215", "15", 534_20), Drug("99212740130", "30", 487_13)),
    *(Drug("99213005503", "3", 688_07), Drug("99214000912", "12", 301_58)),
)
SPECIALTY_DRUG = Drug("99320000102", "2", 3_418_75)
"""Dear enough that one reversal outweighs a small pharmacy's week."""

_DRUGS = ORDINARY_DRUGS * 4 + BRAND_DRUGS
_COPAYS_CENTS = (0, 1_00, 4_00, 5_00, 10_00, 10_00, 15_00, 35_00)
_DEDUCTIBLE_CENTS = 47_30
_REJECTIONS = ("70", "75", "76", "79")


@dataclass(frozen=True, slots=True)
class Dispensary:
    """Where and when claims were filled."""

    fill_dates: tuple[str, ...]
    """CCYYMMDD, any of which a fill may have."""
    store: ServingStore | None
    """Named in every claim, or None when the set or the LX loop names the pharmacy."""


@lru_cache(maxsize=1 << 12)
def fill_dates(first: date, last: date) -> tuple[str, ...]:
    """List the days from first to last as CCYYMMDD."""
    return tuple(f"{first + timedelta(days=day):%Y%m%d}" for day in range((last - first).days + 1))


class ClaimBook:
    """One payer's adjudicated claims, numbered in the order in which they are asked for.

    Args:
        rng: the only source of chance.
        payer: gives the filing code and the network.
        paid_on: date of the remittance, part of the payer's claim numbers.
        by_cost_and_fee: what is not paid is told as ingredient cost and dispensing fee (CARC 90 and 91), else as
            one amount above the contract (CARC 45).
    """

    def __init__(self, rng: Random, payer: Payer, paid_on: date, *, by_cost_and_fee: bool = False) -> None:
        self._rng = rng
        self._payer = payer
        self._number = rng.randrange(10**6)
        self._first_number = f"{paid_on:%y%j}"
        self._by_cost_and_fee = by_cost_and_fee

    def paid(self, dispensary: Dispensary, drugs: Sequence[Drug] = _DRUGS, *, copay_cents: int | None = None) -> Claim:
        """Invent a paid claim; a copay above the allowed amount leaves the payer nothing to pay."""
        chance = self._rng.getrandbits(64)
        drug = drugs[chance % len(drugs)]
        allowed_cents = drug.cost_cents * (90 + (chance >> 8) % 21) // 100 + (chance >> 16) % 200
        charge_cents = allowed_cents + drug.cost_cents * (10 + (chance >> 24) % 60) // 100 + 2
        deductible_cents = 0
        if copay_cents is None:
            copay_cents = _COPAYS_CENTS[(chance >> 32) % len(_COPAYS_CENTS)]
            if (chance >> 36) % 64 == 0:
                deductible_cents = min(_DEDUCTIBLE_CENTS, allowed_cents)
        copay_cents = min(copay_cents, allowed_cents - deductible_cents)
        return self._claim(
            dispensary,
            drug,
            chance,
            amounts=(charge_cents, allowed_cents - copay_cents - deductible_cents, copay_cents + deductible_cents),
            adjustments=self._adjustments(copay_cents, deductible_cents, charge_cents - allowed_cents),
        )

    def denied(self, dispensary: Dispensary) -> Claim:
        """Invent a denied claim: nothing paid, an NCPDP reject code as the reason."""
        chance = self._rng.getrandbits(64)
        drug = _DRUGS[chance % len(_DRUGS)]
        charge_cents = drug.cost_cents * 13 // 10
        return self._claim(
            dispensary,
            drug,
            chance,
            status=DENIED,
            amounts=(charge_cents, 0, 0),
            adjustments=(Adjustment("CO", "16", charge_cents),),
            reject_codes=(_REJECTIONS[(chance >> 32) % len(_REJECTIONS)],),
        )

    def corrected(self, claim: Claim) -> Claim:
        """Adjudicate a claim again, a few cents to dollars in the pharmacy's favour, under a new payer's number."""
        self._number += 1
        *others, last = claim.adjustments
        more_cents = last.cents // 3
        kept = last._replace(cents=last.cents - more_cents)
        return claim._replace(
            paid_cents=claim.paid_cents + more_cents,
            adjustments=(*others, kept),
            payer_claim_number=self._payer_claim_number(),
        )

    def claims_of(self, dispensary: Dispensary, count: int) -> list[Claim]:
        """Invent ``count`` claims as a store has them: the first pays something, few are denied or corrected."""
        claims = [self.paid(dispensary, copay_cents=0)] if count else []
        while len(claims) < count:
            chance = self._rng.getrandbits(32) % 200
            if chance < 3 and count - len(claims) >= 2:
                former = self.paid(dispensary)
                claims += (reversal_of(former), self.corrected(former))
            elif chance < 8:
                claims.append(self.denied(dispensary))
            else:
                claims.append(self.paid(dispensary))
        return claims

    def _claim(
        self,
        dispensary: Dispensary,
        drug: Drug,
        chance: int,
        *,
        amounts: tuple[int, int, int],
        adjustments: tuple[Adjustment, ...],
        status: str = PAID,
        reject_codes: tuple[str, ...] = (),
    ) -> Claim:
        self._number += 1
        charge_cents, paid_cents, patient_cents = amounts
        return Claim(
            rx_number=str(6_000_000 + self._number),
            status=status,
            charge_cents=charge_cents,
            paid_cents=paid_cents,
            patient_cents=patient_cents,
            filing_code=self._payer.filing_code,
            payer_claim_number=self._payer_claim_number(),
            patient=_PATIENTS[(chance >> 48) % len(_PATIENTS)],
            store=dispensary.store,
            network=self._payer.network,
            fill_date=dispensary.fill_dates[(chance >> 42) % len(dispensary.fill_dates)],
            dated_at_service=self._number % 4 != 0,
            ndc=drug.ndc,
            quantity=drug.quantity,
            adjustments=adjustments,
            reject_codes=reject_codes,
        )

    def _payer_claim_number(self) -> str:
        return f"{self._first_number}{self._number:09d}"

    def _adjustments(self, copay_cents: int, deductible_cents: int, above_cents: int) -> tuple[Adjustment, ...]:
        adjustments: tuple[Adjustment, ...] = ()
        if deductible_cents:
            adjustments += (Adjustment("PR", "1", deductible_cents),)
        if copay_cents:
            adjustments += (Adjustment("PR", "3", copay_cents),)
        if not self._by_cost_and_fee:
            return (*adjustments, Adjustment("CO", "45", above_cents))
        fee_cents = above_cents // 4
        if fee_cents:
            adjustments += (Adjustment("CO", "91", fee_cents),)
        return (*adjustments, Adjustment("CO", "90", above_cents - fee_cents))


def reversal_of(claim: Claim) -> Claim:
    """Take a claim back: status 22, every amount negated, the numbers kept (X12 835 guide, reversal and correction)."""
    return claim._replace(
        status=REVERSED,
        charge_cents=-claim.charge_cents,
        paid_cents=-claim.paid_cents,
        patient_cents=-claim.patient_cents,
        adjustments=tuple(each._replace(cents=-each.cents) for each in claim.adjustments),
    )
