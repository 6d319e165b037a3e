"""A second, plain reading of a set's bytes, written against the standard and not against the reader.

Slow and short: the bytes of one set are split into segments and these into elements; amounts are exact fractions.
Source: ASC X12.6 for the syntax, 005010X221A1, section 1.10.2, for what has to balance.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from ingest.x12.delimiters import Delimiters
from schemas.money import MAX_CENTS

_AMOUNT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
_PLAIN_AMOUNT = re.compile(r"-?\d+\.\d\d", re.ASCII)
_TRIPLES = range(3, 19, 3)
_PAIRS = range(3, 15, 2)

Segment = list[str]
Cents = Fraction | int


@dataclass(frozen=True, slots=True)
class PlainClaim:
    """The segments of a claim, CLP first, and the number of the store (LX) that they stand in."""

    segments: list[Segment]
    store: int


def segments_of(raw: bytes, delimiters: Delimiters) -> list[Segment]:
    """Split bytes into segments and elements; line breaks, indentation, empty segments and padding are noise."""
    noise = {ord(character): None for character in "\r\n" if character != delimiters.terminator}
    *texts, rest = raw.decode("latin-1").translate(noise).split(delimiters.terminator)
    texts.append(rest.rstrip(" \t\r\n\x1a\x00"))
    return [text.lstrip(" \t").split(delimiters.element) for text in texts if text.strip(" \t")]


def element(segment: Segment, number: int) -> str:
    """Give an element by its number; empty when absent."""
    return segment[number] if number < len(segment) else ""


def cents(text: str) -> Cents | None:
    """Read dollars as cents, with whatever fraction of a cent; None when the text is no number."""
    if _PLAIN_AMOUNT.fullmatch(text):
        return int(text.replace(".", ""))
    return Fraction(text) * 100 if _AMOUNT.fullmatch(text) else None


def claims_of(segments: list[Segment]) -> list[PlainClaim]:
    """Give the claims of a set: each from its CLP to the next CLP, LX, PLB or SE."""
    claims: list[PlainClaim] = []
    store, current = 0, False
    for segment in segments:
        kind = segment[0][:3]
        if kind == "CLP":
            claims.append(PlainClaim([segment], store))
            current = True
        elif kind == "PLB" or segment[0] in {"LX", "SE"}:
            store += segment[0] == "LX"
            current = False
        elif current:
            claims[-1].segments.append(segment)
    return claims


def imbalances(segments: list[Segment]) -> Iterator[str]:
    """Say what does not foot in a set from ST to SE: its frame, its services, claims and stores, its payment."""
    yield from _frame(segments)
    claims = claims_of(segments)
    for number, claim in enumerate(claims, 1):
        for what in _claim(claim.segments):
            yield f"claim {number}: {what}"
    yield from _stores(segments, claims)
    payments = [segment for segment in segments if segment[0][:3] == "BPR"]
    if len(payments) != 1:
        yield f"{len(payments)} BPR"
        return
    taken = [
        cents(element(plb, number + 1)) for plb in segments if plb[0][:3] == "PLB" for number in _filled_pairs(plb)
    ]
    paid = [cents(element(claim.segments[0], 4)) for claim in claims]
    if _sum(paid) - _sum(taken) != (cents(element(payments[0], 2)) or 0):
        yield "BPR02 is not the sum of CLP04 less the sum of the PLBs"


def _filled_pairs(plb: Segment) -> Iterator[int]:
    return (number for number in _PAIRS if element(plb, number) or element(plb, number + 1))


def _sum(amounts: list[Cents | None]) -> Cents:
    """Add amounts up; one that is no number makes a sum that equals nothing."""
    return sum(Fraction(1, 7) if amount is None else amount for amount in amounts)


def _frame(segments: list[Segment]) -> Iterator[str]:
    first, last = segments[0], segments[-1]
    if first[0] != "ST" or element(first, 1) != "835":
        yield "does not begin with ST*835"
    if last[0] != "SE":
        yield "does not end with an SE"
    elif element(last, 1).lstrip("0") != str(len(segments)):
        yield f"SE01 counts otherwise than {len(segments)}"
    elif element(last, 2) != element(first, 2):
        yield "SE02 is not ST02"
    money = [place for place, segment in enumerate(segments) if segment[0][:3] in {"SVC", "CAS"}]
    inside = sum(
        len([each for each in claim.segments if each[0][:3] in {"SVC", "CAS"}]) for claim in claims_of(segments)
    )
    if len(money) != inside:
        yield "an SVC or CAS outside of any claim"


def _claim(segments: list[Segment]) -> Iterator[str]:
    """Balance the services of a claim, each with the CAS behind it, then the claim with all."""
    due: Cents = 0
    total: Cents = 0
    service: Segment | None = None
    for segment in [*segments[1:], ["SVC"]]:
        kind = segment[0][:3]
        if kind == "SVC":
            if service is not None and due != _sum([cents(element(service, 3) or "0")]):
                yield "SVC03 is not SVC02 less its CAS"
            service, due = segment, _sum([cents(element(segment, 2) or "0")])
        elif kind == "CAS":
            adjusted = _sum(
                [
                    cents(element(segment, number))
                    for number in _TRIPLES
                    if element(segment, number - 1) or element(segment, number)
                ]
            )
            due, total = due - adjusted, total + adjusted
    charge, paid = cents(element(segments[0], 3)), cents(element(segments[0], 4))
    if charge is None or paid is None or charge - total != paid:
        yield "CLP04 is not CLP03 less all CAS"


def _stores(segments: list[Segment], claims: list[PlainClaim]) -> Iterator[str]:
    """Compare the count of claims that a TS3 states with those that follow it."""
    store, counts = 0, {}
    for segment in segments:
        if segment[0] == "LX":
            store += 1
        elif segment[0][:3] == "TS3" and store not in counts:
            counts[store] = element(segment, 4)
    for number, text in counts.items():
        stated, found = cents(text), sum(claim.store == number for claim in claims)
        is_count = (
            stated is not None and stated == int(stated) and stated < MAX_CENTS
        )  # else it is worth a warning only
        if is_count and stated != 100 * found:
            yield f"TS304 of store {number} states otherwise than {found}"
