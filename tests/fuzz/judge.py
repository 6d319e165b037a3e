"""Judge what the reader made of an input: whatever the bytes were, these things hold.

The reader gives a file's events in order, or one typed error; each ST gets one verdict; every claim met is handed on or
has a finding; offsets lie in the file and point at what they name; and no set is taken over that a plain second reading
of its bytes finds out of balance.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from ingest.x12.delimiters import Delimiters
from ingest.x12.model import Claim, FileEnd, SetEnd, SetHeader
from ingest.x12.reader import Event
from schemas.errors import UnreadableError
from schemas.findings import Finding, Severity
from tests.fuzz.plain import Segment, cents, claims_of, element, imbalances, segments_of

BLOCK: Final = 2000
"""Claims that the reader hands on at a time, at most."""

_WIDTHS = (3, 2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
_FINDINGS_MOST = 1001
_NAMES = re.compile(
    r"(?<![^ ])(?:ASHDOWN|BELLWETHER|CORRIGAN|DUNMORE|ELLERBY|GREENLAW|HOLLOWAY|JESSOP|NORDSTROM|JOHN)(?![^ ,.;])"
)
"""Patients of the inputs; no message may name one."""

Outcome = list[Event] | UnreadableError


@dataclass(frozen=True, slots=True)
class _Set:
    """A set's end and the claims that came before it."""

    end: SetEnd
    claims: list[Claim] = field(default_factory=list)


def complaints(raw: bytes, outcome: Outcome) -> Iterator[str]:
    """Say what is wrong with the outcome of reading ``raw``; each begins with the name of what does not hold."""
    if isinstance(outcome, UnreadableError):
        yield from _of_refusal(raw, outcome)
        return
    sets, file = _grouped(outcome)
    if file is None:
        yield "order: no such sequence of events"
        return
    if [each.end.ordinal for each in sets] != list(range(1, file.sets + 1)):
        yield "order: an ST has no end, or the ends are not in order"
    yield from _of_findings(raw, file.findings)
    reached = 0
    for each in sets:
        if not reached <= each.end.byte_start < each.end.byte_end <= len(raw):
            yield f"place: set {each.end.ordinal} does not lie behind the one before it"
        reached = each.end.byte_end
        yield from _of_findings(raw, each.end.findings)
        for what in _of_set(raw, each):
            yield f"{what} (set {each.end.ordinal})"
    yield from _between(raw, sets, file)


def _of_refusal(raw: bytes, refusal: UnreadableError) -> Iterator[str]:
    yield from _of_findings(raw, refusal.findings)
    if not refusal.findings or any(each.severity is not Severity.REFUSE for each in refusal.findings):
        yield "unreadable: nothing that refuses the file"
    if _begins_plainly(raw):
        yield "unreadable: the file begins with an ISA as it should be"


def _begins_plainly(raw: bytes) -> bool:
    """Tell whether there is an ISA of full width at the beginning, with delimiters that can be told apart."""
    header = raw[:106]
    parts = header[:105].split(header[3:4]) if len(header) == 106 and raw[:3] == b"ISA" else []
    if (
        [len(part) for part in parts] != [*_WIDTHS]
        or not parts[12].isdigit()
        or any(each in header for each in b"\r\n")
    ):
        return False
    marks = {header[3], header[104], header[105]}
    return len(marks) == 3 and not any(bytes((mark,)).isalnum() or mark == 32 for mark in marks)


def _grouped(events: list[Event]) -> tuple[list[_Set], FileEnd | None]:
    """Group events by set; no file's end when their order is none that is promised."""
    sets: list[_Set] = []
    header: SetHeader | None = None
    claims: list[Claim] = []
    for event in events[:-1]:
        if isinstance(event, SetHeader) and header is None:
            header = event
        elif isinstance(event, list) and header is not None and 0 < len(event) <= BLOCK:
            claims += event
        elif isinstance(event, SetEnd) and event.header is header:
            sets.append(_Set(event, claims))
            header, claims = None, []
        else:
            return [], None
    last = events[-1] if events else None
    return sets, last if isinstance(last, FileEnd) and header is None else None


def _of_findings(raw: bytes, findings: Sequence[Finding]) -> Iterator[str]:
    if len(findings) > _FINDINGS_MOST:
        yield "findings: more than promised"
    for finding in findings:
        if finding.byte_offset is not None and not 0 <= finding.byte_offset <= len(raw):
            yield f"findings: {finding.rule} stands outside of the file"
        if finding.segment is not None and finding.segment < 1:
            yield f"findings: {finding.rule} stands before the first segment"
        if _NAMES.search(finding.sentence()):
            yield f"findings: {finding.rule} names a patient"


def _of_set(raw: bytes, this: _Set) -> Iterator[str]:
    end, claims = this.end, this.claims
    header = end.header
    if header is None:
        if end.balances:
            yield "verdict: accepted without a header"
        return
    segments = segments_of(raw[end.byte_start : end.byte_end], header.delimiters)
    if not segments or segments[0][0] != "ST" or raw[end.byte_start : end.byte_start + 1] != b"S":
        yield "place: the set does not begin with its ST"
        return
    yield from _of_claims(raw, this, header.delimiters, segments)
    for adjustment in end.plb:
        plb = segments_of(raw[adjustment.byte_start : adjustment.byte_end], header.delimiters)
        stated = [cents(element(segment, 2 * adjustment.pair + 2)) for segment in plb if segment[0][:3] == "PLB"]
        if len(plb) != 1 or stated != [adjustment.amount_cents]:
            yield "place: an adjustment's bytes are not its PLB"
    if sum(claim.paid_cents for claim in claims) != end.claims_paid_cents:
        yield "count: the sum of CLP04 is not that of the claims handed on"
    if end.balances:
        for what in imbalances(segments):
            yield f"balance: accepted, but {what}"


def _of_claims(raw: bytes, this: _Set, delimiters: Delimiters, segments: list[Segment]) -> Iterator[str]:
    """Compare claims with the plain reading: how many, and for each handed on, the bytes and what they say."""
    end, claims = this.end, this.claims
    plain = [claim.segments for claim in claims_of(segments)]
    if end.claim_count != len(plain):
        yield f"count: {end.claim_count} claims where the bytes hold {len(plain)}"
    unread = {finding.rule for finding in end.findings} & {"amount", "findings_cut"}
    if len(claims) > end.claim_count or (len(claims) < end.claim_count and not unread):
        yield f"count: {len(claims)} claims handed on of {end.claim_count}, and no finding"
    for one, two in pairwise(claims):
        if one.byte_end > two.byte_start or one.segment >= two.segment:
            yield "place: claims overlap"
    for claim in claims:
        of_claim = segments_of(raw[claim.byte_start : claim.byte_end], delimiters)
        if raw[claim.byte_start : claim.byte_start + 1] != b"C" or of_claim not in plain:
            yield "place: a claim's bytes are not those of a claim"
        elif not _says(of_claim[0], claim):
            yield "claim: its CLP says something else"
    if not all(end.byte_start < claim.byte_start < claim.byte_end <= end.byte_end for claim in claims):
        yield "place: a claim outside of its set"


def _says(clp: Segment, claim: Claim) -> bool:
    """Tell whether a CLP says what was handed on."""
    amounts = [cents(element(clp, number) or "0") for number in (3, 4, 5)]
    texts = [element(clp, number) for number in (1, 2, 7)]
    return amounts == [claim.charge_cents, claim.paid_cents, claim.patient_cents] and texts == [
        claim.rx_number,
        claim.status,
        claim.payer_claim_number,
    ]


def _between(raw: bytes, sets: list[_Set], file: FileEnd) -> Iterator[str]:
    """Find claims that stand in no set of a file about whose envelopes nothing is said.

    Before, between and behind sets whose delimiters are known and the same; what other interchanges hold, is not known.
    """
    known = {each.end.header.delimiters if each.end.header else None for each in sets}
    if file.findings or file.interchanges > 1 or len(known) != 1:
        return
    (delimiters,) = known
    bounds = [0, *(place for each in sets for place in (each.end.byte_start, each.end.byte_end)), len(raw)]
    for start, stop in zip(bounds[::2], bounds[1::2], strict=True):
        outside = segments_of(raw[start:stop], delimiters) if delimiters else []
        if any(segment[0] == "CLP" and len(segment) > 4 for segment in outside):
            yield "lost: claims stand outside of all sets, and nothing is said"
