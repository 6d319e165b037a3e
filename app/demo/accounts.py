"""A store's part of one generated remittance: ordinary ones, and those that give the day its lessons."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from app.demo.claims import BRAND_DRUGS, ORDINARY_DRUGS, SPECIALTY_DRUG, ClaimBook, Dispensary, fill_dates, reversal_of
from app.demo.day import ExpectedShare, Shape
from app.demo.pharmacies import Pharmacy
from app.demo.plans import Plan, split_count
from app.demo.remittance import Claim, PlbPair, ServingStore

_FULLEST_WO_PERCENT = 15


@dataclass(frozen=True, slots=True)
class StoreAccount:
    """A store's part of one remittance: its claims and the payer's adjustments."""

    store: Pharmacy
    claims: tuple[Claim, ...]
    pairs: tuple[PlbPair, ...] = ()
    is_member: bool = True

    @property
    def claims_cents(self) -> int:
        """Sum CLP04 of its claims."""
        return sum(claim.paid_cents for claim in self.claims)

    @property
    def charge_cents(self) -> int:
        """Sum CLP03 of its claims."""
        return sum(claim.charge_cents for claim in self.claims)

    @property
    def share(self) -> ExpectedShare:
        """What a reader is to find for the store."""
        return ExpectedShare(
            ncpdp_id=self.store.ncpdp_id if self.is_member else "",
            npi=self.store.npi,
            claims=len(self.claims),
            claims_cents=self.claims_cents,
            plb_cents=sum(pair.cents for pair in self.pairs),
        )


def dispensary_of(store: Pharmacy, business_date: date, *, named: bool, by_ncpdp: bool = False) -> Dispensary:
    """Say when the store filled what is paid today (while a member), and how its claims name it."""
    first = max(store.member_since, business_date - timedelta(days=45))
    at_claim = ServingStore(
        store.dba_name.upper(), "SV" if by_ncpdp else "XX", store.ncpdp_id if by_ncpdp else store.npi
    )
    return Dispensary(fill_dates(first, business_date - timedelta(days=5)), at_claim if named else None)


def ordinary_accounts(
    plan: Plan, rng: Random, book: ClaimBook, *, stores: Sequence[Pharmacy], count: int, business_date: date
) -> list[StoreAccount]:
    """Invent ``count`` claims over some of the stores; each share is above zero."""
    number = min(len(stores), max(plan.traces, count // 3))
    chosen = sorted(rng.sample(stores, number), key=lambda store: store.ncpdp_id)
    extra = split_count(count - number, [rng.randrange(1, 10) for _ in chosen])
    accounts = []
    for ordinal, (store, more) in enumerate(zip(chosen, extra, strict=True)):
        by_ncpdp = plan.shape is Shape.CLAIM_LEVEL and ordinal % 4 == 3
        dispensary = dispensary_of(store, business_date, named=plan.store_at_claim, by_ncpdp=by_ncpdp)
        claims = tuple(book.claims_of(dispensary, 1 + more))
        pairs = _payer_adjustments(rng, sum(claim.paid_cents for claim in claims), ordinal, business_date)
        accounts.append(StoreAccount(store, claims, pairs))
    return accounts


def _payer_adjustments(rng: Random, paid_cents: int, ordinal: int, business_date: date) -> tuple[PlbPair, ...]:
    """Every third store in turn: recovery, interest, forward balance, other; together at most a third of its claims."""
    if ordinal % 3 or paid_cents < 10_00:
        return ()
    turn = ordinal // 3 % 4
    reference = f"{rng.randrange(10**8):08d}"
    recovery = PlbPair("WO", f"R{reference}", paid_cents * rng.randint(1, _FULLEST_WO_PERCENT) // 100)
    interest = PlbPair("L6", f"I{reference}", -rng.randint(3, 4_50))
    forward = PlbPair("FB", f"FB{business_date - timedelta(days=7):%Y%m%d}", paid_cents * rng.randint(1, 8) // 100)
    other = PlbPair("CS", f"A{reference}", rng.choice((-1, 1)) * rng.randint(50, paid_cents // 10))
    return ((recovery,), (interest,), (forward, interest), (other, recovery))[turn]


def negative_account(book: ClaimBook, store: Pharmacy, business_date: date, *, others_cents: int) -> StoreAccount:
    """Take back two dear claims of a store that earned little, and less than the others of the set are paid."""
    drug = SPECIALTY_DRUG if others_cents > 5 * SPECIALTY_DRUG.cost_cents else BRAND_DRUGS[-1]
    dispensary = dispensary_of(store, business_date, named=True)
    earned = [book.paid(dispensary, ORDINARY_DRUGS, copay_cents=0) for _ in range(2)]
    taken = [reversal_of(book.paid(dispensary, (drug,), copay_cents=0)) for _ in range(2)]
    return StoreAccount(store, (*earned, *taken))


def small_account(book: ClaimBook, store: Pharmacy, business_date: date) -> StoreAccount:
    """Pay one cheap claim: less than any monthly fee above zero."""
    dispensary = dispensary_of(store, business_date, named=True)
    return StoreAccount(store, (book.paid(dispensary, ORDINARY_DRUGS, copay_cents=0),))


def stranger_account(book: ClaimBook, store: Pharmacy, business_date: date) -> StoreAccount:
    """Pay three claims of a store that is no member."""
    dispensary = dispensary_of(store, business_date, named=True)
    claims = tuple(book.paid(dispensary, BRAND_DRUGS, copay_cents=0) for _ in range(3))
    return StoreAccount(store, claims, is_member=False)


def paid_twice(book: ClaimBook, account: StoreAccount, business_date: date) -> StoreAccount:
    """Add a claim paid, taken back and paid again for the same amount: real, and to be counted three times."""
    claim = book.paid(dispensary_of(account.store, business_date, named=True), copay_cents=0)
    return replace(account, claims=(claim, reversal_of(claim), claim, *account.claims))


def carried_forward(
    book: ClaimBook, debtor: Pharmacy, denied: Pharmacy, business_date: date
) -> tuple[StoreAccount, StoreAccount]:
    """Pay nothing: one store's negative is carried by the payer (PLB FB below zero), another's claims are denied."""
    at_debtor = dispensary_of(debtor, business_date, named=True)
    at_denied = dispensary_of(denied, business_date, named=True)
    claims = (
        reversal_of(book.paid(at_debtor, BRAND_DRUGS, copay_cents=0)),
        book.paid(at_debtor, ORDINARY_DRUGS, copay_cents=0),
    )
    carried = PlbPair("FB", f"FB{business_date:%Y%m%d}", sum(claim.paid_cents for claim in claims))
    return (
        StoreAccount(debtor, claims, (carried,)),
        StoreAccount(denied, (book.denied(at_denied), book.denied(at_denied))),
    )
