"""Read an acknowledgement back, by itself: a few regular expressions from the guide, nothing of the writer's.

Every rule that a receiver's parser would stop at is an assertion: widths of the ISA, order of the segments, control
numbers and counts that agree, elements of the right shape.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_ISA = re.compile(
    r"ISA\*00\* {10}\*00\* {10}\*([0-9A-Z]{2})\*(.{15})\*([0-9A-Z]{2})\*(.{15})"
    r"\*\d{6}\*\d{4}\*\^\*00501\*(\d{9})\*0\*[PT]\*:"
)
_SHAPES = {
    "TA1": r"TA1\*\d{9}\*\d{6}\*\d{4}\*[AER]\*0[0-3]\d",
    "GS": r"GS\*FA\*[^*]{2,15}\*[^*]{2,15}\*\d{8}\*\d{4}\*[1-9]\d{0,8}\*X\*005010X231A1",
    "ST": r"ST\*999\*0001\*005010X231A1",
    "AK1": r"AK1\*[A-Z]{2}\*\d{1,9}\*\d{6}[0-9A-Z]{0,6}",
    "AK2": r"AK2\*\d{3}\*[0-9A-Za-z]{1,9}",
    "IK3": r"IK3\*[A-Z][A-Z0-9]{1,2}\*\d{1,10}\*\*(?:[1-8]|I[46789])",
    "CTX": r"CTX\*TRN02:[0-9A-Za-z.-]{1,35}",
    "IK4": r"IK4\*\d{1,2}(?::\d)?\*\*(?:[1-9]|1[0-3]|I6|I9|I1[0-3])",
    "IK5": r"IK5\*(?:A|[ER](?:\*(?:\d{1,2}|I[5-9])){1,5})",
    "AK9": r"AK9\*[AEPR](?:\*\d{1,6}){3}(?:\*\d{1,2}){0,5}",
    "SE": r"SE\*\d{1,10}\*0001",
    "GE": r"GE\*1\*[1-9]\d{0,8}",
    "IEA": r"IEA\*\d{1,5}\*\d{9}",
}
_ORDER = re.compile(
    r"ISA (?:TA1 )?(?:GS ST AK1 (?:AK2 (?:IK3 (?:CTX )?(?:IK4 )*)*IK5 )*AK9 SE GE )*IEA ",
)


@dataclass
class SetRead:
    """One AK2 to IK5."""

    kind: str
    control_number: str
    verdict: str = ""
    codes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """IK3, CTX and IK4 segments."""


@dataclass
class GroupRead:
    """One 999."""

    kind: str
    control_number: str
    version: str
    sets: list[SetRead] = field(default_factory=list)
    closing: list[str] = field(default_factory=list)
    """The elements of its AK9."""


@dataclass
class Acknowledged:
    """One interchange of an acknowledgement."""

    sender: str
    """Qualifier and identifier."""
    receiver: str
    control_number: str
    report: list[str] = field(default_factory=list)
    """The elements of its TA1."""
    groups: list[GroupRead] = field(default_factory=list)

    @property
    def sets(self) -> list[SetRead]:
        """All sets of all groups."""
        return [each for group in self.groups for each in group.sets]


def read_acknowledgement(content: bytes) -> list[Acknowledged]:
    """Read an acknowledgement; anything that is not as the guide says fails the test."""
    text = content.decode("ascii")
    assert text == "" or text.endswith("~")
    segments = text.split("~")[:-1]
    starts = [place for place, segment in enumerate(segments) if segment.startswith("ISA*")]
    assert starts[:1] == ([0] if segments else [])
    parts = zip(starts, [*starts[1:], len(segments)], strict=True)
    return [_interchange(segments[start:end]) for start, end in parts]


def _interchange(segments: list[str]) -> Acknowledged:
    assert len(segments[0]) == 105
    head = _ISA.fullmatch(segments[0])
    assert head is not None, segments[0]
    for segment in segments[1:]:
        assert re.fullmatch(_SHAPES[segment.partition("*")[0]], segment, re.ASCII), segment
    kinds = " ".join(segment.partition("*")[0] for segment in segments) + " "
    assert _ORDER.fullmatch(kinds), kinds
    read = Acknowledged(f"{head[1]} {head[2].strip()}", f"{head[3]} {head[4].strip()}", head[5])
    for group in _groups(segments[1:-1], read):
        read.groups.append(_group(group))
    assert segments[-1] == f"IEA*{len(read.groups)}*{read.control_number}"
    return read


def _groups(segments: list[str], read: Acknowledged) -> Iterator[list[list[str]]]:
    group: list[list[str]] = []
    for segment in segments:
        elements = segment.split("*")
        if elements[0] == "TA1":
            read.report = elements[1:]
            continue
        group.append(elements)
        if elements[0] == "GE":
            yield group
            group = []


def _group(segments: list[list[str]]) -> GroupRead:
    (head, _, opening), (closing, end, trailer) = segments[:3], segments[-3:]
    assert int(end[1]) == len(segments) - 2
    assert trailer[2] == head[6]
    kind, control_number, version = opening[1:]
    read = GroupRead(kind, control_number, version, closing=closing[1:])
    for elements in segments[3:-3]:
        if elements[0] == "AK2":
            read.sets.append(SetRead(elements[1], elements[2]))
        elif elements[0] == "IK5":
            read.sets[-1].verdict, read.sets[-1].codes = elements[1], elements[2:]
        else:
            read.sets[-1].notes.append("*".join(elements))
    verdicts = [each.verdict for each in read.sets]
    assert closing[3:5] == [str(len(verdicts)), str(len(verdicts) - verdicts.count("R"))]
    return read
