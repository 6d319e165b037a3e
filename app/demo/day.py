"""What a generated payment day holds, and what a right system makes of it: values for the demo and the tests."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from schemas.identifiers import Ncpdp, Npi, PayerId


class Shape(StrEnum):
    """How a remittance names the pharmacies it pays."""

    CHAIN = "chain"
    """One set for the PSAO, an LX with TS3 for each store."""
    PER_PHARMACY = "per_pharmacy"
    """One set for each pharmacy (N1*PE), all with one trace: their sum is one deposit."""
    CLAIM_LEVEL = "claim_level"
    """The PSAO is the payee and only NM1*82 of each claim names the pharmacy."""


class Verdict(StrEnum):
    """What reading makes of a transaction set."""

    ACCEPTED = "accepted"
    QUARANTINED = "quarantined"
    """It does not balance."""
    DUPLICATE = "duplicate"
    """The same set came before."""


class Funding(StrEnum):
    """How an advice and the money of the day meet."""

    FUNDED = "funded"
    """Its deposit is there to the cent."""
    SHORT = "short"
    """Its deposit is there and too small."""
    AWAITED = "awaited"
    """Its deposit has not come."""
    ZERO = "zero"
    """It pays nothing (BPR04 = NON) and needs no deposit."""
    REFUSED = "refused"
    """There is no accepted advice to fund."""


class Arrival(StrEnum):
    """What a bank credit of the day is."""

    MATCHED = "matched"
    """Equals the accepted sets of its trace."""
    SHORT = "short"
    """Its trace is known, its amount is less."""
    UNMATCHED = "unmatched"
    """No accepted advice carries its trace."""
    FLOAT = "float"
    """The PSAO's own transfer, to cover members' negatives."""


@dataclass(frozen=True, slots=True)
class ExpectedShare:
    """What one set says about one store, in cents."""

    ncpdp_id: str
    """Empty for the store that no roster knows."""
    npi: Npi
    claims: int
    claims_cents: int
    plb_cents: int
    """As in the file: positive lowers the payment."""

    @property
    def share_cents(self) -> int:
        """What the store is owed of the set: its claims less the payer's adjustments."""
        return self.claims_cents - self.plb_cents


@dataclass(frozen=True, slots=True)
class ExpectedSet:
    """One ST as it was written, with the verdict it deserves."""

    control_number: str
    trace_number: str
    payer_id: PayerId
    claims: int
    payment_cents: int
    """BPR02 as written."""
    verdict: Verdict
    funding: Funding
    shares: tuple[ExpectedShare, ...]


@dataclass(frozen=True, slots=True)
class ExpectedFile:
    """One 835 file as it was written."""

    path: Path
    payer_id: PayerId
    shape: Shape
    sets: tuple[ExpectedSet, ...]

    @property
    def claims(self) -> int:
        """Count the CLPs in the file."""
        return sum(each.claims for each in self.sets)


@dataclass(frozen=True, slots=True)
class ExpectedDeposit:
    """One credit of the bank file."""

    bank_reference: str
    type_code: str
    trace_number: str
    """Empty for the float."""
    payer_id: PayerId | None
    amount_cents: int
    text: str
    arrival: Arrival


@dataclass(frozen=True, slots=True)
class Day:
    """A generated day: the files, and what is to be expected of them."""

    business_date: date
    bank_account: str
    roster: Path
    payers: Path
    files: tuple[ExpectedFile, ...]
    bank_file: Path
    deposits: tuple[ExpectedDeposit, ...]
    closing_cents: int
    """Closing ledger balance of the bank file; it opens with nothing."""
    float_reference: str
    float_cents: int
    negative_member: Ncpdp
    """Taken back more than it earned: covered from the float, not paid."""
    small_member: Ncpdp
    """Its balance is below its monthly fee: paid without the fee."""
    idle_member: Ncpdp
    """No claims at all; the fee is assessed none the less."""
    free_member: Ncpdp
    """Its contract has a monthly fee of nothing."""
    unknown_store: Npi
    """In one remittance and in no roster."""

    @property
    def remittances(self) -> tuple[Path, ...]:
        """The 835 files in the order in which they came."""
        return tuple(each.path for each in self.files)

    @property
    def sets(self) -> tuple[ExpectedSet, ...]:
        """All sets of all files, in order."""
        return tuple(each for file in self.files for each in file.sets)

    @property
    def claims(self) -> int:
        """Count the claims that came, the re-sent file left out."""
        return sum(each.claims for each in self.sets if each.verdict is not Verdict.DUPLICATE)

    def funded_cents(self) -> Mapping[str, int]:
        """Say what each member (by NCPDP id) has available once the day is matched, before fees.

        The unknown store stands under the empty id.
        """
        totals: Counter[str] = Counter()
        for each in self.sets:
            if each.funding in {Funding.FUNDED, Funding.ZERO}:
                for share in each.shares:
                    totals[share.ncpdp_id] += share.share_cents
        return dict(totals)
