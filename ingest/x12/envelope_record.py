"""Remember which envelopes a file has, what their headers say, which sets they hold, and which rules they broke.

An acknowledgement (TA1, 999) answers each interchange and each functional group of a file by what stands in its
header, and those are long past when the last set has been read. Some hundred bytes are kept of each.
"""

from dataclasses import dataclass, field
from typing import Final

from ingest.x12.model import Flaw, GroupRead, InterchangeRead
from schemas.findings import Severity

ENVELOPES_LIMIT: Final = 100_000
"""So many interchanges and groups are remembered, far more than a real file has: memory stays bounded."""

_GROUP_RULES: Final = frozenset(("group_kind", "group_count", "group_control_number", "ge_missing"))
_COMING_RULE: Final = "isa_unreadable"  # said when an ISA is met, and thus before its interchange is opened
_LONGEST = 35


@dataclass(slots=True)
class _Group:
    """A group that is open."""

    elements: list[str]
    first_set: int
    set_count: int = 0
    flaws: dict[str, Severity] = field(default_factory=dict)

    def closed(self, stated_sets: str) -> GroupRead:
        return GroupRead(
            is_headed=bool(self.elements),
            kind=_element(self.elements, 1),
            sender=_element(self.elements, 2),
            receiver=_element(self.elements, 3),
            control_number=_element(self.elements, 6).strip(),
            version=_element(self.elements, 8).strip(),
            stated_sets=stated_sets[:_LONGEST].strip(),
            sets=range(self.first_set, self.first_set + self.set_count),
            flaws=_flaws(self.flaws),
        )


@dataclass(slots=True)
class _Interchange:
    """An interchange; bytes behind its trailer may still add to its flaws."""

    elements: list[str]
    flaws: dict[str, Severity]
    groups: list[GroupRead] = field(default_factory=list)

    def closed(self) -> InterchangeRead:
        return InterchangeRead(
            sender_qualifier=_element(self.elements, 5),
            sender=_element(self.elements, 6),
            receiver_qualifier=_element(self.elements, 7),
            receiver=_element(self.elements, 8),
            date=_element(self.elements, 9),
            time=_element(self.elements, 10),
            control_number=_element(self.elements, 13).strip(),
            acknowledgement_requested=_element(self.elements, 14),
            usage=_element(self.elements, 15),
            groups=tuple(self.groups),
            flaws=_flaws(self.flaws),
        )


class EnvelopeRecord:
    """The envelopes of one file, in the order in which they open."""

    def __init__(self) -> None:
        self._interchanges: list[_Interchange] = []
        self._group: _Group | None = None
        self._coming: dict[str, Severity] = {}  # flaws of the interchange that is still to be opened
        self._count = 0

    @property
    def is_full(self) -> bool:
        """Whether there were more envelopes than are remembered."""
        return self._count > ENVELOPES_LIMIT

    def open_interchange(self, elements: list[str]) -> None:
        """Take an ISA."""
        self.close_group("")
        self._count += 1
        if not self.is_full:
            self._interchanges.append(_Interchange(_cut(elements, 16), self._coming))
            self._coming = {}

    def open_group(self, elements: list[str], next_set: int) -> None:
        """Take a GS; ``next_set`` is the ordinal that the next ST will have."""
        self.close_group("")
        self._group = _Group(_cut(elements, 8), next_set)

    def add_set(self, ordinal: int) -> None:
        """Take an ST."""
        if self._group is None:
            self._group = _Group([], ordinal)
        self._group.set_count += 1

    def close_group(self, stated_sets: str) -> None:
        """Take a GE and its GE01, or what stands in its place; without an open group nothing happens."""
        group, self._group = self._group, None
        if group is None:
            return
        self._count += 1
        if not self.is_full and self._interchanges:
            self._interchanges[-1].groups.append(group.closed(stated_sets))

    def add_flaw(self, rule: str, severity: Severity) -> None:
        """Take a rule that was broken, to the open group if it is about groups, else to the interchange."""
        if self.is_full:
            return
        if rule in _GROUP_RULES and self._group is not None:
            self._group.flaws.setdefault(rule, severity)
        elif rule == _COMING_RULE or not self._interchanges:
            self._coming.setdefault(rule, severity)
        else:
            self._interchanges[-1].flaws.setdefault(rule, severity)

    def read(self) -> tuple[InterchangeRead, ...]:
        """Give what is remembered, once the file has ended."""
        self.close_group("")
        return tuple(interchange.closed() for interchange in self._interchanges)


def _cut(elements: list[str], last: int) -> list[str]:
    """Keep what may be asked for: the segment's id and its elements up to the last, none at full length."""
    return [element[:_LONGEST] for element in elements[: last + 1]]


def _element(elements: list[str], number: int) -> str:
    return elements[number] if number < len(elements) else ""


def _flaws(flaws: dict[str, Severity]) -> tuple[Flaw, ...]:
    return tuple(Flaw(rule, severity) for rule, severity in flaws.items())
