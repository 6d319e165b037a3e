"""Answer one transaction set in a 999: what was found in it, segment by segment, and whether it is accepted.

Source: 005010X231A1, loops 2000 (AK2, IK5), 2100 (IK3, CTX) and 2110 (IK4). IK404, the copy of the bad element, is
never written: it could be a patient's name. IK303 (the loop) and IK402 (the element's reference number) are optional
and left empty, because the reader does not know them. CTX names the payment that an IK3 belongs to, by its trace.
"""

import re
from collections.abc import Iterator
from itertools import groupby, islice
from typing import Final, NamedTuple

from ingest.x12.ack_codes import (
    ELEMENT_MISSING,
    GUIDE_BROKEN,
    NOT_SUPPORTED,
    OUTSIDE_GROUP,
    SEGMENT_MISSING,
    SET_CODES,
    SET_KIND_INVALID,
    SET_NUMBER_INVALID,
)
from ingest.x12.model import SetEnd
from schemas.collecting import shown
from schemas.findings import Finding

ACCEPTED: Final = "A"
ACCEPTED_WITH_ERRORS: Final = "E"
REJECTED: Final = "R"

_KIND = re.compile(r"[0-9]{3}", re.ASCII)
# A control number in the wild may be shorter than the four characters of the standard; what has no digit could be text.
_NUMBER = re.compile(r"(?=.*[0-9])[0-9A-Za-z]{1,9}", re.ASCII)
_TRACE = re.compile(r"(?=.*[0-9])[0-9A-Za-z.-]{1,50}", re.ASCII)
_LONGEST_CONTEXT = 35  # CTX01-2
_ELEMENT = re.compile(r"([A-Z][A-Z0-9]{1,2}?)([0-9]{2})?", re.ASCII)
_SEGMENT_NAMED = re.compile(r"\b[A-Z][A-Z0-9]{1,2}\b", re.ASCII)
_NO_KIND, _NO_NUMBER = "000", "0000"
_MOST_CODES = 5  # IK502 to IK506


class SetAnswer(NamedTuple):
    """What a 999 says about one transaction set."""

    kind: str
    """ST01; ``000`` when it is no identifier of a set."""
    control_number: str
    """ST02; ``0000`` when it is no control number."""
    verdict: str
    """IK501: ``A``, ``E`` or ``R``."""
    codes: tuple[str, ...]
    """IK502 and following; empty exactly when the verdict is ``A``."""
    notes: tuple[str, ...]
    """IK3, CTX and IK4 segments in the order of the set."""

    def segments(self, *, in_group: bool) -> list[str]:
        """Write its segments, AK2 to IK5.

        Args:
            in_group: whether the set stands in a functional group; one that does not is told so.
        """
        codes = self.codes if in_group else (*self.codes, OUTSIDE_GROUP)
        verdict = ACCEPTED_WITH_ERRORS if codes and self.verdict == ACCEPTED else self.verdict
        last = "*".join(("IK5", verdict, *codes[:_MOST_CODES]))
        return [f"AK2*{self.kind}*{self.control_number}", *self.notes, last]


def answer_set(end: SetEnd, *, is_refused: bool, most_notes: int) -> SetAnswer:
    """Answer a set.

    Args:
        end: the reader's verdict.
        is_refused: whether the books quarantined the set, for whatever reason.
        most_notes: so many IK3 with what belongs to them at most, so that an acknowledgement stays bounded.
    """
    kind_holds = _KIND.fullmatch(end.kind) is not None
    number_holds = _NUMBER.fullmatch(end.control_number) is not None
    codes = [SET_CODES[finding.rule].whole for finding in end.findings if finding.rule in SET_CODES]
    if not kind_holds:
        codes = [SET_KIND_INVALID if code == NOT_SUPPORTED else code for code in codes]
    if not number_holds:
        codes.append(SET_NUMBER_INVALID)
    is_rejected = is_refused or not end.balances
    if (is_rejected or end.findings) and not codes:
        codes.append(GUIDE_BROKEN)
    verdict = REJECTED if is_rejected else ACCEPTED_WITH_ERRORS if codes else ACCEPTED
    return SetAnswer(
        end.kind if kind_holds else _NO_KIND,
        end.control_number if number_holds else _NO_NUMBER,
        verdict,
        tuple(sorted(set(codes), key=_weight)),
        tuple(segment for note in islice(_notes(end), most_notes) for segment in note),
    )


def _weight(code: str) -> tuple[bool, int]:
    """Order codes: those of the standard before those of the guide, and what is wrong with the whole set first."""
    return code.startswith("I"), int(code.removeprefix("I"))


class _Place(NamedTuple):
    """A place in the set and what is wrong there; sorts in the order of the set."""

    segment: int
    name: str
    segment_code: str
    element: int = 0
    component: int = 0
    element_code: str = ""


def _notes(end: SetEnd) -> Iterator[list[str]]:
    """Write an IK3 for each segment and kind of mistake, with the payment and with an IK4 for each of its elements."""
    trace = end.header.trace_number if end.header else ""
    context = [f"CTX*TRN02:{trace[:_LONGEST_CONTEXT]}"] if _TRACE.fullmatch(trace) else []
    places = sorted({place for finding in end.findings if (place := _place(finding)) is not None})
    for (segment, name, code), same in groupby(places, key=lambda place: place[:3]):
        elements = [_element_note(place) for place in same if place.element_code]
        yield [f"IK3*{name}*{segment}**{code}", *context, *elements]


def _element_note(place: _Place) -> str:
    number = f"{place.element}:{place.component}" if place.component else f"{place.element}"
    return f"IK4*{number}**{place.element_code}"


def _place(finding: Finding) -> _Place | None:
    """Find where a finding stands; None for what concerns the set as a whole."""
    codes, element = SET_CODES.get(finding.rule), _ELEMENT.fullmatch(finding.element)
    if codes is None or not codes.segment or element is None or finding.segment is None:
        return None
    if codes.segment == SEGMENT_MISSING:
        # It is missing behind the segment that was looked at; which one it is stands in what was expected.
        named = _SEGMENT_NAMED.search(finding.expected)
        return _Place(finding.segment + 1, named[0], codes.segment) if named else None
    if not codes.element or element[2] is None:
        return _Place(finding.segment, element[1], codes.segment)
    code = ELEMENT_MISSING if finding.found == shown("") else codes.element
    return _Place(finding.segment, element[1], codes.segment, int(element[2]), codes.component, code)
