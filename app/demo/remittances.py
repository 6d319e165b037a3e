"""Put a generated day's claims into 835 files, and say what each set is expected to come to."""

import gzip
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from random import Random
from typing import BinaryIO, cast

from app.demo.accounts import (
    StoreAccount,
    carried_forward,
    negative_account,
    ordinary_accounts,
    paid_twice,
    small_account,
    stranger_account,
)
from app.demo.claims import ClaimBook
from app.demo.day import ExpectedFile, ExpectedSet, Funding, Shape, Verdict
from app.demo.pharmacies import Membership, Pharmacy
from app.demo.plans import Plan, plans_for, split_count
from app.demo.remittance import Interchange, Payee, PayeeAdjustments, Payer, RemittanceSet, Section
from app.demo.remittance_writer import write_remittance
from schemas.identifiers import AbaRouting, Npi

PSAO_NAME = "EXAMPLE PHARMACY SERVICES ORGANIZATION"
PSAO_NPI = Npi.from_nine("188800001")
PSAO_SENDER = "EXAMPLEPSAO"
PSAO_ROUTING = AbaRouting.from_eight("07100001")

FEWEST_CLAIMS_EACH = 20
"""Claims that every file needs on average, to hold what it is to show."""

_CLAIMS_OF_THE_CHAIN = 11
"""Besides the ordinary ones: negative 4, small 1, unknown 3, paid twice 3."""
_CLAIMS_CARRIED_FORWARD = 4
_WRONG_PAYMENT_CENTS = 12_50
_WRONG_ADJUSTMENT_CENTS = 1_37

_CARRIED_FORWARD = Plan("nothing-to-pay", Shape.CLAIM_LEVEL, 0, funding=Funding.ZERO)


@dataclass(frozen=True, slots=True)
class DayFacts:
    """What all files of the day share."""

    folder: Path
    business_date: date
    bank_account: str
    membership: Membership
    payers: tuple[Payer, ...]
    seed: int
    progress: Callable[[int], None]


@dataclass(frozen=True, slots=True)
class RemittanceFile:
    """A file about to be written: its sets, each with what is expected of it."""

    number: int
    plan: Plan
    payer: Payer
    sets: tuple[tuple[RemittanceSet, ExpectedSet], ...]


def write_remittances(facts: DayFacts, claims: int) -> tuple[ExpectedFile, ...]:
    """Write the day's 835 files: one for each plan, one that pays nothing, and the second one again at the end."""
    plans = plans_for(len(facts.payers))
    ordinary = claims - _CLAIMS_OF_THE_CHAIN - _CLAIMS_CARRIED_FORWARD
    budgets = split_count(ordinary, [plan.weight for plan in plans])
    written = []
    again: RemittanceFile | None = None
    for number, (plan, budget) in enumerate(zip(plans, budgets, strict=True), start=1):
        file = _file_of(facts, number, plan, budget)
        written.append(write_file(facts, file, created_at="0215", stem=plan.label))
        # A payer sends the same sets once more later in the day, in a new envelope.
        again = again or (file if plan.shape is Shape.PER_PHARMACY else None)
    nothing = _file_of(facts, len(plans) + 1, _CARRIED_FORWARD, 0)
    written.append(write_file(facts, nothing, created_at="0215", stem=nothing.plan.label))
    if again is not None:
        resent = RemittanceFile(
            len(plans) + 2, again.plan, again.payer, tuple(_as_duplicate(*each) for each in again.sets)
        )
        written.append(write_file(facts, resent, created_at="0947", stem=f"{again.plan.label}-again"))
    return tuple(written)


def _file_of(facts: DayFacts, number: int, plan: Plan, budget: int) -> RemittanceFile:
    rng = Random(f"{facts.seed}:{number}")  # noqa: S311 (repeatable chance is the point; nothing secret hangs on it)
    payer = facts.payers[(number - 1) % len(facts.payers)]
    book = ClaimBook(rng, payer, facts.business_date, by_cost_and_fee=number % 2 == 0)
    if plan.funding is Funding.ZERO:
        *_, debtor, denied = facts.membership.ordinary
        accounts = [*carried_forward(book, debtor, denied, facts.business_date)]
    else:
        stores, day = facts.membership.ordinary, facts.business_date
        accounts = ordinary_accounts(plan, rng, book, stores=stores, count=budget, business_date=day)
    if number == 1:
        accounts = _with_special_stores(accounts, book, facts)
    payments = [accounts[first :: plan.traces] for first in range(plan.traces)]
    stem = f"{payer.payer_id[-4:]}{facts.business_date:%y%m%d}{number:03d}"
    sets: list[tuple[RemittanceSet, ExpectedSet]] = []
    for ordinal, payment in enumerate(payments, start=1):
        trace = f"{stem}{ordinal:03d}"
        wrong = plan.traces > 1 and ordinal == 2
        for payee, group in groups_of(plan, payment):
            control_number = f"{len(sets) + 1:04d}"
            pair = set_of(facts, plan, payer, payee, group, trace=trace, control_number=control_number, wrong=wrong)
            sets.append(pair)
            facts.progress(sum(len(account.claims) for account in group))
    return RemittanceFile(number, plan, payer, tuple(sets))


def _with_special_stores(accounts: list[StoreAccount], book: ClaimBook, facts: DayFacts) -> list[StoreAccount]:
    membership, day = facts.membership, facts.business_date
    others_cents = sum(account.share.share_cents for account in accounts)
    return [
        paid_twice(book, accounts[0], day),
        negative_account(book, membership.negative, day, others_cents=others_cents),
        *accounts[1:],
        small_account(book, membership.small, day),
        stranger_account(book, membership.stranger, day),
    ]


def groups_of(plan: Plan, accounts: list[StoreAccount]) -> Iterator[tuple[Payee, list[StoreAccount]]]:
    """Say which stores share a set, and who is its payee."""
    if plan.shape is not Shape.PER_PHARMACY:
        yield Payee(PSAO_NAME, "XX", PSAO_NPI), accounts
        return
    for ordinal, account in enumerate(accounts):
        yield _pharmacy_as_payee(account.store, by_tax_number=ordinal % 3 == 2), [account]


def _pharmacy_as_payee(store: Pharmacy, *, by_tax_number: bool) -> Payee:
    if by_tax_number:
        return Payee(store.dba_name.upper(), "FI", store.tin, (("D3", store.ncpdp_id),))
    return Payee(store.dba_name.upper(), "XX", store.npi, (("TJ", store.tin),))


def set_of(
    facts: DayFacts,
    plan: Plan,
    payer: Payer,
    payee: Payee,
    accounts: Sequence[StoreAccount],
    *,
    trace: str,
    control_number: str,
    wrong: bool,
) -> tuple[RemittanceSet, ExpectedSet]:
    """Make one set of these stores' accounts, and say what is expected of it; a wrong one does not balance."""
    shares = tuple(account.share for account in accounts)
    payment_cents = sum(share.share_cents for share in shares)
    if wrong:
        payment_cents += _WRONG_PAYMENT_CENTS
        accounts = [_unbalanced(accounts[0]), *accounts[1:]]
    remittance = RemittanceSet(
        control_number=control_number,
        trace_number=trace,
        payment_cents=payment_cents,
        settled_on=facts.business_date,
        payer=payer,
        payee=payee,
        receiver_routing=PSAO_ROUTING,
        receiver_account=facts.bank_account,
        sections=_sections(plan, accounts),
        adjustments=tuple(
            PayeeAdjustments(account.store.npi, date(facts.business_date.year, 12, 31), account.pairs)
            for account in accounts
            if account.pairs
        ),
    )
    expected = ExpectedSet(
        control_number=control_number,
        trace_number=trace,
        payer_id=payer.payer_id,
        claims=sum(share.claims for share in shares),
        payment_cents=payment_cents,
        verdict=Verdict.QUARANTINED if wrong else Verdict.ACCEPTED,
        funding=Funding.REFUSED if wrong else plan.funding,
        shares=shares,
    )
    return remittance, expected


def _sections(plan: Plan, accounts: Sequence[StoreAccount]) -> tuple[Section, ...]:
    if plan.shape is Shape.CHAIN:
        return tuple(
            Section(number, account.claims, account.store.npi, len(account.claims), account.charge_cents)
            for number, account in enumerate(accounts, start=1)
        )
    return (Section(1, tuple(claim for account in accounts for claim in account.claims)),)


def _unbalanced(account: StoreAccount) -> StoreAccount:
    """Write one adjustment of the first claim too high: neither its service line nor the claim balances then."""
    first, *others = account.claims
    *kept, last = first.adjustments
    wrong = first._replace(adjustments=(*kept, last._replace(cents=last.cents + _WRONG_ADJUSTMENT_CENTS)))
    return replace(account, claims=(wrong, *others))


def _as_duplicate(remittance: RemittanceSet, expected: ExpectedSet) -> tuple[RemittanceSet, ExpectedSet]:
    return remittance, replace(expected, verdict=Verdict.DUPLICATE, funding=Funding.REFUSED)


def write_file(facts: DayFacts, file: RemittanceFile, *, created_at: str, stem: str) -> ExpectedFile:
    """Write a file into the folder of its day."""
    name = file.payer.name.split()[0].lower()
    ending = ".835.gz" if file.plan.compressed else ".835"
    path = facts.folder / f"{file.number:02d}-{name}-{stem}{ending}"
    interchange = Interchange(
        sender_id=file.payer.payer_id,
        receiver_id=PSAO_SENDER,
        control_number=int(f"{facts.business_date:%y%j}{file.number:04d}"),
        created_on=facts.business_date,
        created_at=created_at,
    )
    with _opened(path, compressed=file.plan.compressed) as stream:
        write_remittance(stream, interchange, (remittance for remittance, _ in file.sets), file.plan.syntax)
    expected = tuple(each for _, each in file.sets)
    return ExpectedFile(path, file.payer.payer_id, file.plan.shape, expected)


@contextmanager
def _opened(path: Path, *, compressed: bool) -> Iterator[BinaryIO]:
    """Open for writing, readable by the owner alone, as a file with patient data is; the same bytes every time."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        if not compressed:
            yield stream
            return
        with gzip.GzipFile(filename="", fileobj=stream, mode="wb", mtime=0) as packed:
            yield cast("BinaryIO", packed)
