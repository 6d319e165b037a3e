"""X12 835: whatever is written is read back whole, field by field, whatever its delimiters, lines and envelopes."""

import io
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from ingest.x12.delimiters import Delimiters
from ingest.x12.model import FileEnd, SetEnd, SetHeader
from ingest.x12.reader import Event, read_remittances
from tests.support.whole_remittances import (
    FILL_DATE_ORDER,
    PAYEE,
    Envelope,
    Section,
    Service,
    WholeClaim,
    WholeSet,
    written,
)

CENTS = st.one_of(st.integers(-999, 999), st.integers(-10_000_000, 10_000_000))
CODES = st.sampled_from(("45", "90", "91", "A2", "3", "295"))
ADJUSTMENTS = st.lists(
    st.tuples(
        st.sampled_from(("CO", "OA", "PI", "PR")),
        st.lists(st.tuples(CODES, CENTS), min_size=1, max_size=6).map(tuple),
    ),
    max_size=3,
).map(tuple)
DAYS = st.sampled_from(("20260209", "20251231", "20240229"))
DATES = st.lists(st.tuples(st.sampled_from((*FILL_DATE_ORDER, "233", "151")), DAYS), max_size=2).map(tuple)
IDENTIFIERS = st.sampled_from(("1811901945", "1234567893", "7654321", "1234567"))
SERVICES = st.builds(
    Service,
    product=st.sampled_from((("N4", "00093721410"), ("N4", "1", "2"), ("HC", "J1"), ("N4",))),
    quantity=st.sampled_from(("30", "15.5", ".5", "")),
    paid_cents=CENTS,
    dates=DATES,
    adjustments=ADJUSTMENTS,
    rejects=st.lists(st.sampled_from((("RX", "70"), ("HE", "N30"))), max_size=2).map(tuple),
)
CLAIMS = st.builds(
    WholeClaim,
    rx_number=st.from_regex(r"[0-9]{1,12}(-[0-9]{1,2})?", fullmatch=True),
    status=st.sampled_from(("1", "2", "3", "4", "19", "20", "21", "22", "23", "25")),
    patient_cents=st.one_of(st.just(0), CENTS),
    claim_number=st.text(alphabet="0123456789AB", max_size=12),
    rendering=st.one_of(
        st.just(("", "")), st.tuples(st.just("XX"), IDENTIFIERS), st.just(("SV", "7654321")), st.just(("", "7654321"))
    ),
    dates=DATES,
    adjustments=st.one_of(st.just(()), ADJUSTMENTS),
    services=st.one_of(st.lists(SERVICES, max_size=2).map(tuple), SERVICES.map(lambda service: (service,))),
)
# A few claims again and again make sections long enough to be read at one go.
SECTION_CLAIMS = st.tuples(st.lists(CLAIMS, max_size=4), st.sampled_from((1, 1, 3, 6))).map(
    lambda drawn: tuple(drawn[0] * drawn[1])
)
SECTIONS = st.builds(
    Section, number=st.integers(0, 99), store=st.one_of(st.just(""), IDENTIFIERS), claims=SECTION_CLAIMS
)
REASONS = st.tuples(st.sampled_from(("WO", "FB", "L6", "CS", "72")), st.sampled_from(("", "RX1")), CENTS.filter(bool))
SETS = st.builds(
    WholeSet,
    control_number=st.from_regex(r"[0-9]{4,9}", fullmatch=True),
    trace_number=st.from_regex(r"[A-Z0-9]{1,10}", fullmatch=True),
    sections=st.lists(SECTIONS, max_size=3).map(tuple),
    plbs=st.lists(
        st.tuples(IDENTIFIERS, st.lists(REASONS, min_size=1, max_size=6).map(tuple)),
        max_size=2,
    ).map(tuple),
)
DELIMITERS = st.sampled_from(("*:~^", "|>~^", "\x1d\x1f\x1e^", "*^~!", "*:\n^", "*:\r^", "*:~.", "\\]\xa6[")).map(
    lambda marks: Delimiters(marks[0], marks[1], marks[2], marks[3])
)
ENVELOPES = st.builds(
    Envelope,
    delimiters=DELIMITERS,
    after=st.sampled_from(("", "\n", "\r\n", "\r\n\r\n", "\n   ")),
    trims=st.booleans(),
    has_trailer=st.booleans(),
    groups=st.lists(st.lists(SETS, max_size=2).map(tuple), min_size=1, max_size=2).map(tuple),
).filter(lambda each: each.delimiters.terminator != "\r" or not each.after)  # of CR LF, the LF would be the terminator


@given(
    st.lists(ENVELOPES, min_size=1, max_size=2),
    st.sampled_from((0, 0, 80, 7)),
    st.sampled_from(("\r\n", "\n", "\r")),
    st.integers(1, 5000),
)
def test_what_was_written_is_read_back(
    envelopes: list[Envelope], width: int, line_break: str, chunk_bytes: int
) -> None:
    """Headers, claims, PLBs and envelopes are those written; nothing is found but trailers that are not there."""
    content = written(envelopes, width, line_break)
    events = list(read_remittances(io.BytesIO(content), "era.835", block=3, chunk_bytes=chunk_bytes))
    sets = [(each, whole) for each in envelopes for whole in each.sets()]
    assert [_stated(event) for event in events if isinstance(event, SetHeader)] == [
        (number, whole.control_number, whole.trace_number, 1_000_000, PAYEE, each.delimiters)
        for number, (each, whole) in enumerate(sets, start=1)
    ]
    claims = [claim for event in events if isinstance(event, list) for claim in event]
    assert [claim[:-2] for claim in claims] == [claim[:-2] for _, whole in sets for claim in whole.claims_as_read()]
    ends = [event for event in events if isinstance(event, SetEnd)]
    assert [end.findings for end in ends] == len(sets) * [()]
    assert [plb[1:-2] for end in ends for plb in end.plb] == [
        plb[1:-2] for _, whole in sets for plb in whole.plbs_as_read()
    ]
    assert _envelopes_said(events) == sorted(["iea_missing"] * sum(not each.has_trailer for each in envelopes))


def _stated(header: SetHeader) -> tuple[int, str, str, int, str, Delimiters]:
    numbers = header.ordinal, header.control_number, header.trace_number
    return *numbers, header.payment_cents, header.payee, header.delimiters


def _envelopes_said(events: Sequence[Event]) -> list[str]:
    (end,) = [event for event in events if isinstance(event, FileEnd)]
    return sorted(finding.rule for finding in end.findings)


@given(st.lists(ENVELOPES, min_size=1, max_size=2), st.sampled_from((0, 80, 7)), st.integers(1, 5000))
def test_the_bytes_of_a_claim_are_the_claim(envelopes: list[Envelope], width: int, chunk_bytes: int) -> None:
    """Each range, its line breaks and indentation taken out, is what was written of the claim and no more."""
    content = written(envelopes, width, "\r\n")
    events = read_remittances(io.BytesIO(content), "era.835", chunk_bytes=chunk_bytes)
    claims = [claim for event in events if isinstance(event, list) for claim in event]
    ranges = [content[claim.byte_start : claim.byte_end].decode("latin-1") for claim in claims]
    expected = [
        (each, each.text(claim.segments()))
        for each in envelopes
        for whole in each.sets()
        for section in whole.sections
        for claim in section.claims
    ]
    assert len(ranges) == len(expected)
    for text, (each, whole_text) in zip(ranges, expected, strict=True):
        noise = dict.fromkeys(map(ord, "\r\n ".replace(each.delimiters.terminator, "")))
        assert _without_blank(text.translate(noise), each) == _without_blank(whole_text.translate(noise), each)
        assert text.startswith("C")
        assert text.endswith(each.delimiters.terminator)


def _without_blank(text: str, each: Envelope) -> str:
    """Take out empty segments: blank lines, where a line break is the terminator."""
    terminator = each.delimiters.terminator
    return terminator.join(filter(None, text.split(terminator)))
