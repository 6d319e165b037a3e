"""Child remittances of any shares, items, forms, delimiters and line breaks: every cent is told, and told once."""

import io
import re
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ingest.x12.delimiters import Delimiters
from payouts.children.composing import TRANSFER_REFERENCE, compose
from payouts.children.leveling import level
from payouts.children.model import DEFAULT_DELIMITERS, ChildSet, Form, Method, OwnItem, Source
from payouts.children.telling import ToldSet, read_back
from schemas.identifiers import Npi
from tests.property.test_x12_reading import DELIMITINGS, SETS, Delimiting, WrittenClaim
from tests.property.test_x12_reading import written as payer_file
from tests.support.judges import judge
from tests.unit.test_children_files import NPI, OTHER_NPI, RECEIVER, child_of, sources, written

CENTS = st.integers(-1_000_000, 1_000_000)
OWN = st.lists(
    st.builds(
        OwnItem,
        reason=st.sampled_from(("CS", "FB")),
        reference=st.sampled_from(("PSAO-FEE-2026-10", "PSAO-FEE-2026-11", "PSAO-HOLD", "PSAO-ADVANCE")),
        amount_cents=CENTS.filter(bool),
    ),
    max_size=5,
)
FORMS = st.sampled_from(Form)
PAYER_FILES = st.lists(st.tuples(SETS, DELIMITINGS), min_size=1, max_size=3)
PLB_ID = "1234567"
"""Whom the PLBs of the payers' files name."""


def number(advice_id: int | None) -> str:
    """Number a payment."""
    return "CP7" if advice_id is None else f"CP7A{advice_id}"


def composed(shares: Sequence[Source], own: list[OwnItem], form: Form) -> tuple[list[OwnItem], tuple[ChildSet, ...]]:
    """Compose what is paid, or zero with what is then carried; give the own items with the carry."""
    cents = sum(share.natural_cents for share in shares) - sum(item.amount_cents for item in own)
    if cents < 0:
        own = [*own, OwnItem(reason="FB", reference="PSAO-CARRY", amount_cents=cents)]
    return own, compose(shares, own, paid_cents=max(cents, 0), form=form, trace_number=number)


def share(advice_id: int, cents: int, plb_cents: int) -> Source:
    """Make a share without text."""
    return Source(
        advice_id=advice_id,
        delimiters=DEFAULT_DELIMITERS,
        payer_name="PAYER",
        head=b"",
        claims=(),
        claim_count=0,
        charge_cents=0,
        claims_cents=cents,
        plb_cents=plb_cents,
    )


SHARES = st.lists(st.tuples(CENTS, CENTS), max_size=8).map(
    lambda amounts: [share(advice_id, *cents) for advice_id, cents in enumerate(amounts, start=1)]
)


@given(st.lists(CENTS, max_size=12))
def test_leveling_moves_as_little_as_it_can(cents: list[int]) -> None:
    """None is below zero after it, the sum stays, only what is below zero gets, and no giver could be spared."""
    if sum(cents) < 0:
        cents = [*cents, -sum(cents)]
    transfers = level(cents)
    assert sum(transfers) == 0
    assert [each for each, moved in zip(cents, transfers, strict=True) if each < 0 and moved != -each] == []
    assert all(each + moved >= 0 for each, moved in zip(cents, transfers, strict=True))
    lent = sorted([-moved for moved in transfers if moved < 0], reverse=True)
    richest = sorted(cents, reverse=True)
    assert not lent or sum(richest[: len(lent) - 1]) < sum(lent)
    assert transfers == level(cents)


@given(SHARES, OWN, FORMS)
def test_any_shares_and_items_are_told_to_the_cent(shares: list[Source], own: list[OwnItem], form: Form) -> None:
    """The sets pay what is paid, none below zero; every share and item is told once, transfers net to zero."""
    own, sets = composed(shares, own, form)
    cents = sum(each.natural_cents for each in shares) - sum(item.amount_cents for item in own)
    assert sum(each.payment_cents for each in sets) == cents
    assert min([each.payment_cents for each in sets], default=0) >= 0
    assert [each.source for each in sets if each.source is not None] == shares
    assert sum(each.source is None for each in sets) <= 1
    transfers = [item for each in sets for item in each.own if item.reference == TRANSFER_REFERENCE]
    assert sum(item.amount_cents for item in transfers) == 0
    kept = [item for each in sets for item in each.own if item.reference != TRANSFER_REFERENCE]
    assert sorted(kept, key=repr) == sorted(own, key=repr)
    assert sets == composed(shares, own, form)[1]


@given(SHARES, OWN)
def test_one_payment_has_one_number_and_our_items_apart(shares: list[Source], own: list[OwnItem]) -> None:
    """Combined: one trace number, one method for all, and nothing of ours but transfers in a payer's set."""
    own, sets = composed(shares, own, Form.COMBINED)
    pays = any(each.payment_cents for each in sets)
    assert {(each.trace_number, each.method) for each in sets} <= {("CP7", Method.ACH if pays else Method.NON)}
    assert [each.own for each in sets if each.source is None] or not own
    payers_items = {item.reference for each in sets for item in each.own if each.source is not None}
    assert payers_items <= {TRANSFER_REFERENCE}


@given(SHARES, OWN)
def test_each_advice_has_a_payment_exactly_when_it_has_money(shares: list[Source], own: list[OwnItem]) -> None:
    """A payment for each advice: its number is the advice's; without money there is no method; ours only if needed."""
    own, sets = composed(shares, own, Form.PER_ADVICE)
    for each in sets:
        assert each.trace_number == number(None if each.source is None else each.source.advice_id)
        assert (each.method is Method.ACH) == (each.payment_cents > 0)
    taken_only = all(item.amount_cents > 0 for item in own)
    assert not (shares and taken_only and any(each.source is None for each in sets))


@given(PAYER_FILES, OWN, FORMS, st.sampled_from((NPI, OTHER_NPI)), st.booleans())
def test_a_child_says_what_the_books_say_in_the_payers_words(
    files: list[tuple[list[tuple[list[WrittenClaim], list[tuple[str, int]]]], Delimiting]],
    own: list[OwnItem],
    form: Form,
    npi: str,
    has_plb: bool,
) -> None:
    """Of any payers' files a pharmacy's child reads back as composed, its claims the same bytes without line breaks."""
    shares: list[Source] = []
    for sets, how in files:
        content = payer_file(sets, how)
        shares += sources(content, first_id=len(shares) + 1, npi=npi, plb_id=PLB_ID if has_plb else "")
    _, composition = composed(shares, own, form)
    child = child_of(composition, receiver=replace(RECEIVER, npi=Npi(npi)))
    content = written(child)
    told = list(read_back(io.BytesIO(content), "child"))
    said = [each for sets_of_one in child.by_delimiters().values() for each in sets_of_one]
    assert [_what_is_told(each) for each in told] == [_what_was_meant(each) for each in said]
    assert {each.payee for each in told} == {f"NPI:{npi}"}
    assert {payee for each in told for payee in each.claim_payees} <= {f"NPI:{npi}"}
    claims_of = [claims for sets, _ in files for claims, _ in sets]
    for place, each in zip(told, said, strict=True):
        if each.source is not None:
            text = _plain(claims_of[each.source.advice_id - 1], each.source.delimiters, npi)
            assert text in content[place.byte_start : place.byte_end]


@given(PAYER_FILES, OWN, FORMS)
def test_an_independent_reader_balances_every_child(
    files: list[tuple[list[tuple[list[WrittenClaim], list[tuple[str, int]]]], Delimiting]],
    own: list[OwnItem],
    form: Form,
) -> None:
    """Interchange by interchange, oxedi has no finding about money or counts, and adds up to the same."""
    oxedi = judge("oxedi", "oxedi")
    shares: list[Source] = []
    for sets, how in files:
        shares += sources(payer_file(sets, how), first_id=len(shares) + 1, plb_id=PLB_ID)
    _, composition = composed(shares, own, form)
    content = written(child_of(composition))
    results = [oxedi.parse(part) for part in re.split(rb"(?=ISA[^A-Za-z0-9 ]00)", content) if part]
    assert [str(each) for result in results for each in result.diagnostics if each.level == 3] == []
    assert sum(result.count_claims() for result in results) == sum(each.claim_count for each in shares)
    assert 100 * sum(result.sum_payments() for result in results) == sum(each.payment_cents for each in composition)


def _what_is_told(one: ToldSet) -> tuple[object, ...]:
    sums = (one.claim_count, one.charge_cents, one.claims_cents, one.payer_plb_cents)
    return (one.trace_number, one.payment_cents, one.method, one.own, *sums)


def _what_was_meant(one: ChildSet) -> tuple[object, ...]:
    source = one.source
    sums = (
        (0, 0, 0, 0)
        if source is None
        else (source.claim_count, source.charge_cents, source.claims_cents, source.plb_cents)
    )
    return (one.trace_number, one.payment_cents, one.method, one.own, *sums)


def _plain(claims: list[WrittenClaim], marks: Delimiters, npi: str) -> bytes:
    """Write the claims of a pharmacy in the payer's delimiters, without line breaks."""
    text = "".join(
        marks.element.join(segment).replace("/", marks.component) + marks.terminator
        for claim in claims
        for segment in claim.segments()
        if (claim.pharmacy or OTHER_NPI) == npi
    )
    return text.encode("latin-1")
