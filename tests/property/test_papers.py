"""Papers of whatever people and payers are called: a PDF always comes, and what is taken for one page is one."""

from datetime import date
from io import BytesIO

from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from payouts.papers.notice import NoticeAdvice, PayoutNotice, notice_data, notice_item, notice_pdf
from payouts.papers.words import amount, dollars
from schemas.money import cents_from_text
from tests.support.paper_examples import HARROWGATE, SENDER, taken

CENTS = st.integers(-(10**12), 10**12)
NAMES = st.one_of(st.text(max_size=60), st.text(alphabet="WM#$*_\\\"'@<>[]{}/ ", max_size=60))


@st.composite
def notices(draw: st.DrawFn) -> PayoutNotice:
    """Draw a notice that foots, of any names and amounts."""
    advices = []
    for number in range(draw(st.integers(0, 12))):
        adjustments = tuple(
            taken(HARROWGATE, cents, "WO", "overpayment recovered", draw(NAMES))
            for cents in draw(st.lists(CENTS, max_size=3))
        )
        claims = draw(CENTS)
        advices.append(
            NoticeAdvice(
                payer_id="1360000001",
                payer_name=draw(NAMES),
                trace_number=draw(st.text(alphabet="AW019", min_size=1, max_size=50)),
                date=date(2026, 11, 1 + number),
                claim_count=draw(st.integers(0, 10**6)),
                claims_cents=claims,
                adjustments=adjustments,
                amount_cents=claims + sum(each.amount_cents for each in adjustments),
            )
        )
    items = tuple(notice_item(f"PSAO-FEE-2026-{month:02d}", draw(CENTS)) for month in range(1, draw(st.integers(1, 6))))
    return PayoutNotice(
        cycle_id=1,
        payout_id=1,
        name="notice",
        ncpdp_id="1400101",
        npi="1700001013",
        legal_name=draw(NAMES),
        dba_name=draw(NAMES),
        business_date=date(2026, 11, 4),
        effective_date=date(2026, 11, 5),
        amount_cents=sum(each.amount_cents for each in advices) + sum(each.amount_cents for each in items),
        trace_number="091000010000001",
        remittance_trace="CP1P1",
        account_last_four="0101",
        advices=tuple(advices),
        items=items,
    )


@given(notice=notices())
@settings(max_examples=60, deadline=None)
def test_a_notice_always_comes_and_counts_its_pages(notice: PayoutNotice) -> None:
    """Any names, any amounts: a PDF with its amount, and each page says which of how many it is."""
    pages = PdfReader(BytesIO(notice_pdf(notice, SENDER))).pages
    said = [page.extract_text() for page in pages]
    for number, page in enumerate(said, 1):
        assert f"{number} of {len(said)}" in page
    assert dollars(notice.amount_cents) in said[0]
    if notice_data(notice, SENDER)["single"]:
        assert len(said) == 1


@given(notice=notices())
@settings(max_examples=60, deadline=None)
def test_kept_facts_read_back_the_same(notice: PayoutNotice) -> None:
    """What is kept as a line of JSON is the notice, and stands on one line."""
    line = notice.model_dump_json()
    assert "\n" not in line
    assert PayoutNotice.model_validate_json(line) == notice


@given(cents=CENTS)
def test_amounts_are_written_to_the_cent(cents: int) -> None:
    """An amount on paper, read back, is the same; only less than nothing has a sign."""
    assert cents_from_text(amount(cents).replace("\u2212", "-").replace(",", "")) == cents
    assert amount(cents).startswith("\u2212") is (cents < 0)
    assert dollars(cents).replace("$", "") == amount(cents)
