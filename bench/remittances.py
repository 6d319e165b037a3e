"""Write the 835 files that are measured: seeded, of any size, balanced to the cent."""

import gc
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from random import Random

from app.demo.claims import SPECIALTY_DRUG, ClaimBook, Dispensary, fill_dates
from app.demo.payers import invent_payers, write_payers
from app.demo.pharmacies import Pharmacy, invent_membership, write_roster
from app.demo.remittance import (
    Claim,
    Interchange,
    Payee,
    PayeeAdjustments,
    Payer,
    PlbPair,
    RemittanceSet,
    Section,
    Syntax,
)
from app.demo.remittance_writer import write_remittance
from schemas.identifiers import AbaRouting, Npi

PAID_ON = date(2026, 11, 20)
LINES = Syntax(line_end="\n")
WRAPPED = Syntax(columns=80)
BANK_ACCOUNT = "000123456789"

_FIRST_FILL = date(2026, 11, 6)  # the youngest member of an invented roster joins then
_LAST_FILL = date(2026, 11, 15)
_CLAIMS_IN_ROUND = 50_000
_RECEIVER = AbaRouting.from_eight("07100001")
_TAKEN = ((PlbPair("WO", "OLD1", 3_50), PlbPair("L6", "", -1_00)), (PlbPair("CS", "FIX2", 25),))
_PSAO = Payee("EXAMPLE PHARMACY SERVICES ORGANIZATION", "XX", Npi.from_nine("188800001"))


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment of a payer: its trace and what it comes to."""

    payer_id: str
    trace_number: str
    cents: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file was written with, for those who count what a reader makes of it."""

    sets: int
    claims: int
    adjustments: int
    """Pairs of reason and amount in PLBs."""
    stores: tuple[str, ...]
    """TS301 of each LX."""
    rejections: int
    """LQ segments."""


def write_directory(folder: Path, seed: int, pharmacies: int) -> tuple[Path, Path]:
    """Write a roster of so many members and the list of payers; give both paths."""
    members, payers = _people(seed, pharmacies)
    roster, payer_list = folder / "roster.csv", folder / "payers.csv"
    write_roster(roster, members)
    write_payers(payer_list, [payers])
    return roster, payer_list


def write_chain(path: Path, seed: int, pharmacies: int, claims: int, syntax: Syntax = LINES) -> Payment:
    """Write one set for all members, an LX with TS3 for each; the claims are spread evenly."""
    gc.disable()  # millions of small values, none of them in a circle
    members, payer = _people(seed, pharmacies)
    book = ClaimBook(Random(seed), payer, PAID_ON)
    sections = [
        _store(number, store, of_store) for number, (store, of_store) in enumerate(_spread(book, members, claims), 1)
    ]
    payment = Payment(payer.payer_id, "CHAIN0001", _paid_cents(sections))
    _write(path, [_set_of(payer, _PSAO, sections, payment, "0001")], payer, 1, syntax)
    return payment


def write_long(path: Path, seed: int, pharmacies: int, claims: int, sets: int) -> int:
    """Write a few sets of very many claims in a stream; give how many claims there are.

    Each set has an LX with TS3 for each member, over and over: the claims of one round are invented anew for each set
    and come again in each of its rounds, as if every fill were paid more than once.
    """
    gc.disable()
    members, payer = _people(seed, pharmacies)
    book = ClaimBook(Random(seed), payer, PAID_ON)
    in_round = min(_CLAIMS_IN_ROUND, max(claims // sets, pharmacies))
    rounds = max(1, claims // (sets * in_round))

    def of_file() -> Iterator[RemittanceSet]:
        for number in range(1, sets + 1):
            stores = list(_spread(book, members, in_round))
            sections = [
                _store(turn * len(stores) + place, store, of_store)
                for turn in range(rounds)
                for place, (store, of_store) in enumerate(stores, 1)
            ]
            payment = Payment(payer.payer_id, f"LONG{number:04d}", _paid_cents(sections))
            yield _set_of(payer, _PSAO, sections, payment, f"{number:04d}")

    _write(path, of_file(), payer, 1, LINES)
    return sets * rounds * in_round


def write_one_claim_each(path: Path, seed: int, pharmacies: int) -> Payment:
    """Write one set that pays each member one dear claim: more than any monthly fee."""
    members, payer = _people(seed, pharmacies)
    book = ClaimBook(Random(seed), payer, PAID_ON)
    at_counter = Dispensary(fill_dates(_FIRST_FILL, _LAST_FILL), None)
    sections = [
        Section(number, (claim,), store.npi, 1, claim.charge_cents)
        for number, store in enumerate(members, 1)
        for claim in (book.paid(at_counter, (SPECIALTY_DRUG,), copay_cents=0),)
    ]
    payment = Payment(payer.payer_id, "CHAIN0001", _paid_cents(sections))
    _write(path, [_set_of(payer, _PSAO, sections, payment, "0001")], payer, 1, LINES)
    return payment


def write_stores(folder: Path, seed: int, pharmacies: int, claims: int, files: int) -> list[Path]:
    """Write files in which each member has a set of its own, all sets of a file under one trace."""
    gc.disable()
    members, payer = _people(seed, pharmacies)
    book = ClaimBook(Random(seed), payer, PAID_ON)
    stores = list(_spread(book, members, claims))
    paths = []
    for number in range(files):
        sets = []
        for control, (store, of_store) in enumerate(stores[number::files], 1):
            sections = [Section(1, of_store)]
            payment = Payment(payer.payer_id, f"STORE{number:04d}", _paid_cents(sections))
            payee = Payee(store.dba_name.upper(), "XX", store.npi)
            sets.append(_set_of(payer, payee, sections, payment, f"{control:04d}"))
        path = folder / f"stores_{number:04d}.835"
        _write(path, sets, payer, number + 1, LINES)
        paths.append(path)
    return paths


def write_everything(path: Path, seed: int, sets: int, claims: int, syntax: Syntax = LINES) -> Contents:
    """Write sets of two stores each, with a TS3 for either, denials, reversals, and two PLBs of three adjustments."""
    members, payer = _people(seed, 2 * sets)
    book = ClaimBook(Random(seed), payer, PAID_ON)
    stores = list(_spread(book, members, claims))
    written = []
    for number, pair in enumerate(zip(stores[::2], stores[1::2], strict=True), 1):
        sections = [_store(place, store, of_store) for place, (store, of_store) in enumerate(pair, 1)]
        taken = tuple(
            PayeeAdjustments(store.npi, PAID_ON.replace(month=12, day=31), pairs)
            for (store, _), pairs in zip(pair, _TAKEN, strict=True)
        )
        cents = _paid_cents(sections) - sum(each.cents for pairs in _TAKEN for each in pairs)
        payment = Payment(payer.payer_id, f"MIXED{number:04d}", cents)
        written.append(replace(_set_of(payer, _PSAO, sections, payment, f"{number:04d}"), adjustments=taken))
    _write(path, written, payer, 1, syntax)
    return Contents(
        sets=sets,
        claims=claims,
        adjustments=sets * sum(map(len, _TAKEN)),
        stores=tuple(store.npi for store, _ in stores),
        rejections=sum(len(claim.reject_codes) for _, of_store in stores for claim in of_store),
    )


def _people(seed: int, pharmacies: int) -> tuple[Sequence[Pharmacy], Payer]:
    rng = Random(seed)
    return invent_membership(rng, pharmacies, PAID_ON).members, invent_payers(rng, 1)[0]


def _spread(book: ClaimBook, members: Sequence[Pharmacy], claims: int) -> Iterable[tuple[Pharmacy, list[Claim]]]:
    """Invent the claims of each member; the first members get what does not divide."""
    each, more = divmod(claims, len(members))
    at_counter = Dispensary(fill_dates(_FIRST_FILL, _LAST_FILL), None)
    for number, store in enumerate(members):
        yield store, book.claims_of(at_counter, each + (number < more))


def _store(number: int, store: Pharmacy, claims: Sequence[Claim]) -> Section:
    """Lay out a store's LX with its TS3."""
    return Section(number, claims, store.npi, len(claims), sum(claim.charge_cents for claim in claims))


def _paid_cents(sections: Iterable[Section]) -> int:
    return sum(claim.paid_cents for section in sections for claim in section.claims)


def _set_of(payer: Payer, payee: Payee, sections: Sequence[Section], payment: Payment, control: str) -> RemittanceSet:
    return RemittanceSet(
        control_number=control,
        trace_number=payment.trace_number,
        payment_cents=payment.cents,
        settled_on=PAID_ON,
        payer=payer,
        payee=payee,
        receiver_routing=_RECEIVER,
        receiver_account=BANK_ACCOUNT,
        sections=sections,
    )


def _write(path: Path, sets: Iterable[RemittanceSet], payer: Payer, number: int, syntax: Syntax) -> None:
    interchange = Interchange(payer.payer_id, "EXAMPLEPSAO", number, PAID_ON)
    with path.open("wb") as stream:
        write_remittance(stream, interchange, sets, syntax)
