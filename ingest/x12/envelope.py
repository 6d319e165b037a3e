"""Check the envelopes of a file: interchanges (ISA/IEA), groups (GS/GE), and what stands outside of them.

Source: ASC X12.5 (ISA13 = IEA02, IEA01 counts groups) and X12.6 (GS06 = GE02, GE01 counts sets). The sets are judged on
their own; these findings concern the file. A trailer that is missing is a warning; one that contradicts is a refusal.
"""

from ingest.x12.delimiters import Isa, isa_is_padded
from ingest.x12.envelope_record import ENVELOPES_LIMIT, EnvelopeRecord
from ingest.x12.model import FileEnd
from schemas.collecting import FindingList, shown, shown_figure
from schemas.findings import Finding, Severity

_LOOK = "Ask the sender whether the file is complete."


class Envelopes:
    """The envelopes of one file as they open and close."""

    def __init__(self) -> None:
        self._findings = FindingList()
        self._record = EnvelopeRecord()
        self._cut_is_told = False
        self._interchanges = self._groups = self._sets = 0
        self._groups_here = self._sets_here = 0
        self._interchange: str | None = None  # ISA13 of the open one
        self._group: str | None = None  # GS06 of the open one

    def open_interchange(self, isa: Isa, elements: list[str], place: tuple[int, int]) -> None:
        """Take an ISA. ``place``, here and below: number of the segment in the file, and its byte offset."""
        self.end(place)
        self._interchanges += 1
        self._groups_here = 0
        self._interchange = _element(elements, 13).strip()
        self._record.open_interchange(elements)
        if not isa_is_padded(isa):
            self._warn("isa_length", "ISA", "106 bytes", str(isa.length), place)

    def open_group(self, elements: list[str], place: tuple[int, int]) -> None:
        """Take a GS."""
        self._end_group(place)
        self._groups += 1
        self._groups_here += 1
        self._sets_here = 0
        self._group = _element(elements, 6).strip()
        self._record.open_group(elements, self._sets + 1)
        if _element(elements, 1) != "HP":
            self._warn("group_kind", "GS01", "HP, remittances", shown(_element(elements, 1)), place)

    def open_set(self, place: tuple[int, int]) -> int:
        """Take an ST; return its number in the file."""
        self._sets += 1
        self._sets_here += 1
        self._record.add_set(self._sets)
        if self._group is None:
            self._warn("gs_missing", "GS", "a GS before the set", "none", place)
        return self._sets

    def close_group(self, elements: list[str], place: tuple[int, int]) -> None:
        """Take a GE."""
        if self._group is None:
            self._warn("gs_missing", "GE", "a GS before", "none", place)
            self._close_group(_element(elements, 1), place)
            return
        self._compare("group_count", "GE01", str(self._sets_here), _element(elements, 1), place)
        self._compare("group_control_number", "GE02", self._group, _element(elements, 2), place)
        self._close_group(_element(elements, 1), place)

    def close_interchange(self, elements: list[str], place: tuple[int, int]) -> None:
        """Take an IEA."""
        self._end_group(place)
        if self._interchange is None:
            self._warn("isa_missing", "IEA", "an ISA before", "none", place)
            return
        self._compare("interchange_count", "IEA01", str(self._groups_here), _element(elements, 1), place)
        self._compare("interchange_control_number", "IEA02", self._interchange, _element(elements, 2), place)
        self._interchange = None

    def end(self, place: tuple[int, int]) -> None:
        """Close what is still open without its trailer."""
        self._end_group(place)
        if self._interchange is not None:
            self._warn("iea_missing", "IEA", "an IEA at the end of the interchange", "none", place)
            self._interchange = None

    def outside_set(self, kind: str, place: tuple[int, int]) -> None:
        """Take a CLP, LX, PLB or SE that belongs to no set: an ST is lost, and with it a payment."""
        self._refuse("outside_set", kind, "such segments only between ST and SE", "one outside", place)

    def stray_segments(self, after: str, count: int, place: tuple[int, int]) -> None:
        """Take segments, if any, that follow an SE or GE and begin nothing."""
        if not count:
            return
        found = f"{count} more segments"
        self._warn("outside_set", after, "the next envelope segment after it", found, place)

    def text_outside(self, count: int, place: tuple[int, int], *, before_any: bool, holds_sets: bool) -> None:
        """Take bytes outside of any interchange; they weigh more when there are remittances in them."""
        rule = "text_before_interchange" if before_any else "text_after_interchange"
        say = self._refuse if holds_sets else self._warn
        say(rule, "ISA", "nothing outside of interchanges", f"{count} bytes", place)

    def isa_unreadable(self, place: tuple[int, int]) -> None:
        """Take an ISA inside the file that cannot be read; the delimiters before it stay in force."""
        self._refuse("isa_unreadable", "ISA", "16 elements and a terminator", "another shape", place)

    def loop_too_long(self, limit: int, place: tuple[int, int]) -> None:
        """Take a stretch without any of the segments that structure a remittance; reading ends here."""
        self._refuse("loop_too_long", "", f"a new loop within {limit} bytes", "none; the rest is not read", place)

    def file_end(self) -> FileEnd:
        """Give the verdict on the file."""
        envelopes = self._record.read()
        return FileEnd(self._interchanges, self._groups, self._sets, self._findings.all(), envelopes)

    def _end_group(self, place: tuple[int, int]) -> None:
        if self._group is not None:
            self._warn("ge_missing", "GE", "a GE at the end of the group", "none", place)
        self._close_group("", place)

    def _close_group(self, stated_sets: str, place: tuple[int, int]) -> None:
        self._group = None
        self._record.close_group(stated_sets)
        if self._record.is_full and not self._cut_is_told:
            self._cut_is_told = True
            self._warn("envelopes_cut", "GS", f"at most {ENVELOPES_LIMIT} interchanges and groups", "more", place)

    def _compare(self, rule: str, element: str, expected: str, stated: str, place: tuple[int, int]) -> None:
        """Compare a control number or count; leading zeros carry no meaning in either."""
        if stated.strip().lstrip("0") != expected.lstrip("0"):
            say = shown_figure if rule.endswith("count") else shown
            self._refuse(rule, element, say(expected), say(stated), place)

    def _refuse(self, rule: str, element: str, expected: str, found: str, place: tuple[int, int]) -> None:
        self._add(_finding(Severity.REFUSE, rule, place, (element, expected, found)))

    def _warn(self, rule: str, element: str, expected: str, found: str, place: tuple[int, int]) -> None:
        self._add(_finding(Severity.WARN, rule, place, (element, expected, found)))

    def _add(self, finding: Finding) -> None:
        self._findings.add(finding)
        self._record.add_flaw(finding.rule, finding.severity)


def _finding(severity: Severity, rule: str, place: tuple[int, int], said: tuple[str, str, str]) -> Finding:
    return Finding(
        rule=rule,
        element=said[0],
        expected=said[1],
        found=said[2],
        segment=place[0],
        byte_offset=place[1],
        severity=severity,
        advice=_LOOK if severity is Severity.REFUSE else "",
    )


def _element(elements: list[str], number: int) -> str:
    return elements[number] if number < len(elements) else ""
