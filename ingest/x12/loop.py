"""One loop taken apart: its elements by number, and findings about them that say where they stand."""

from collections.abc import Callable

from schemas.collecting import FindingList, shown_figure
from schemas.findings import Finding, Severity
from schemas.money import cents_from_text

ASK_PAYER = "Ask the payer for a corrected remittance."


class Loop:
    """The segments of a loop, split into elements.

    Args:
        segments: clean segments.
        segment: position of the first of them within its set, ST = 1.
        offset_of: gives the byte offset of a segment by its index; asked only where it is told.
        element: the element separator.
        findings: where findings go.
    """

    def __init__(
        self,
        segments: list[str],
        segment: int,
        offset_of: Callable[[int], int],
        *,
        element: str,
        findings: FindingList,
    ) -> None:
        self.kinds = [text[:3].partition(element)[0] for text in segments]
        """The first three characters of each segment, without the separator."""
        self._elements = [text.split(element) for text in segments]
        self._segment = segment
        self._offset_of = offset_of
        self._byte_start: int | None = None
        self._findings = findings

    def elements(self, index: int) -> list[str]:
        """Give all elements of a segment, its id first."""
        return self._elements[index]

    def text(self, index: int, number: int) -> str:
        """Give an element by its number in the standard (``CLP04`` is 4); empty when absent."""
        elements = self._elements[index]
        return elements[number] if number < len(elements) else ""

    def segment_of(self, index: int) -> int:
        """Position of a segment within its set."""
        return self._segment + index

    def byte_start(self) -> int:
        """Offset of the loop's first segment."""
        if self._byte_start is None:
            self._byte_start = self._offset_of(0)
        return self._byte_start

    def cents(self, index: int, number: int) -> int | None:
        """Read an amount; None, with a finding, when it is none."""
        text = self.text(index, number)
        try:
            return cents_from_text(text)
        except ValueError:
            self.refuse("amount", index, number, "an amount in dollars and cents", shown_figure(text))
            return None

    def refuse(self, rule: str, index: int, number: int, expected: str, found: str) -> None:
        """Add a finding that refuses the set. ``number`` is the element's, 0 for the segment as such."""
        self._add(Severity.REFUSE, rule, (index, number), (expected, found))

    def warn(self, rule: str, index: int, number: int, expected: str, found: str) -> None:
        """Add a finding that is worth knowing and holds nothing back."""
        self._add(Severity.WARN, rule, (index, number), (expected, found))

    def _add(self, severity: Severity, rule: str, place: tuple[int, int], said: tuple[str, str]) -> None:
        index, number = place
        self._findings.add(
            Finding(
                rule=rule,
                element=f"{self.kinds[index]}{number:02d}" if number else self.kinds[index],
                expected=said[0],
                found=said[1],
                segment=self._segment + index,
                byte_offset=self._offset_of(index),
                severity=severity,
                advice=ASK_PAYER if severity is Severity.REFUSE else "",
            )
        )
