"""Collect what is found wrong: bounded, without repeating itself, without showing who a patient is."""

import re
from collections import Counter
from typing import Final, NoReturn

from schemas.errors import UnreadableError
from schemas.findings import Finding, Severity

FINDINGS_LIMIT: Final = 1000
"""So many findings are kept; the rest is counted."""
WARNINGS_LIMIT: Final = 20
"""So many warnings of one rule about one element are kept, so that they never crowd out a refusal."""
LONGEST_SHAPE: Final = 40
"""Of a longer value not even the shape is of use."""

_SHOWABLE = re.compile(r"[0-9A-Za-z+.:-]{1,20}", re.ASCII)
_FIGURE = re.compile(r"[+-]?[0-9]{0,17}\.?[0-9]{0,9}", re.ASCII)


class FindingList:
    """The findings of one file, or of one part of it, in the order in which they were met."""

    def __init__(self) -> None:
        self._kept: list[Finding] = []
        self._cut: Counter[Severity] = Counter()
        self._warned: Counter[tuple[str, str]] = Counter()

    def add(self, finding: Finding) -> None:
        """Keep a finding, or count it when there are too many."""
        if finding.severity is Severity.WARN:
            key = (finding.rule, finding.element)
            self._warned[key] += 1
            if self._warned[key] > WARNINGS_LIMIT:
                self._cut[Severity.WARN] += 1
                return
        if len(self._kept) < FINDINGS_LIMIT:
            self._kept.append(finding)
        else:
            self._cut[finding.severity] += 1

    def all(self) -> tuple[Finding, ...]:
        """Give what was kept, then one finding about what was cut; it weighs as much as the worst of those."""
        cut = self._cut.total()
        if not cut:
            return tuple(self._kept)
        told = Finding(
            rule="findings_cut",
            element="",
            expected=f"at most {FINDINGS_LIMIT} findings, {WARNINGS_LIMIT} warnings of a kind",
            found=f"{cut} more",
            severity=Severity.REFUSE if self._cut[Severity.REFUSE] else Severity.WARN,
            advice="Correct what is listed and read the file again.",
        )
        return (*self._kept, told)


class FileFindings:
    """The findings of a file that is taken whole or not at all: one is enough to refuse it.

    Args:
        name: the file as the user named it.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._list = FindingList()

    def __bool__(self) -> bool:
        return bool(self._list.all())

    def add(
        self, rule: str, element: str, expected: str, found: str, *, line: int | None = None, advice: str = ""
    ) -> None:
        """Keep a finding, or count it when there are too many; ``line`` counts from 1."""
        self._list.add(Finding(rule=rule, line=line, element=element, expected=expected, found=found, advice=advice))

    def refuse_if_any(self) -> None:
        """Refuse the file if anything was found.

        Raises:
            UnreadableError: something was.
        """
        if self:
            self.refuse()

    def refuse(self) -> NoReturn:
        """Refuse the file with what was found.

        Raises:
            UnreadableError: always.
        """
        raise UnreadableError(self._name, self._list.all())


def shown(text: str) -> str:
    """Show a code or identifier that names no person; anything that could be free text is only described."""
    if not text:
        return "nothing"
    return text if _SHOWABLE.fullmatch(text) and any(letter.isdigit() for letter in text) else _described(text)


def shown_code(text: str) -> str:
    """Show a code of up to three characters, whatever they are; anything longer is only described."""
    if not text:
        return "nothing"
    return text if len(text) <= 3 and text.isascii() and text.isalnum() else _described(text)


def shown_figure(text: str) -> str:
    """Show what is one figure; anything else is only described, for it may have come from another element."""
    if not text:
        return "nothing"
    return text if _FIGURE.fullmatch(text) else _described(text)


def shown_shape(text: str) -> str:
    """Show of a value only its shape, ``99/99/9999`` or ``aa9``: it says what went wrong and never whose it is."""
    if not text:
        return "nothing"
    if len(text) > LONGEST_SHAPE:
        return f"{len(text)} characters"
    return "the shape " + "".join(_shape_of(character) for character in text)


def _shape_of(character: str) -> str:
    if character.isdigit():
        return "9"
    if character.isalpha():
        return "A" if character.isupper() else "a"
    return character if character.isascii() and character.isprintable() else "?"


def _described(text: str) -> str:
    return f"{len(text)} characters of another kind"
