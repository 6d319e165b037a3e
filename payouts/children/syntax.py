"""The syntax of one interchange of a child: segments put together, and what is copied freed of its line wrapping.

Source: ASC X12.6 (segments, data types) and 005010X221A1: amounts are of type R, two decimals at most, without zeros at
their end. What stands between and inside of segments without meaning is what the reader takes out, too
(``ingest.x12.segments``): line breaks unless one of them ends segments, indentation, empty segments.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from ingest.x12.delimiters import LINE_BREAKS, Delimiters
from schemas.money import text_from_cents

NAME_WIDTH: Final = 60
"""N102."""

_REPETITIONS: Final = "^|!\x1d"
_USUAL: Final = "*:^~|>"


class Syntax:
    """How segments of one interchange are written."""

    def __init__(self, delimiters: Delimiters) -> None:
        self.delimiters = delimiters
        self.terminator = delimiters.terminator.encode("latin-1")
        taken = delimiters.element + delimiters.component + delimiters.terminator
        self.repetition = delimiters.repetition or next(each for each in _REPETITIONS if each not in taken)
        """ISA11. Version 00501 must have one, also where the payer's had none; no element of an 835 repeats."""
        # The usual delimiters go as well: a child's interchanges may differ, and many readers look at the first only.
        unfit = taken + self.repetition + _USUAL
        self._blanked = dict.fromkeys([*map(ord, unfit), *range(32), 127], " ")
        self._line_breaks = LINE_BREAKS.replace(self.terminator, b"")
        self._noise = re.compile(re.escape(self.terminator) + b"[ \t" + re.escape(self.terminator) + b"]+")

    def segment(self, *elements: str | tuple[str, ...]) -> str:
        """Put a segment together, its terminator included; a tuple is a composite, empty elements at the end go.

        Raises:
            ValueError: an element holds a delimiter.
        """
        marks = self.delimiters
        parts = [each if isinstance(each, str) else marks.component.join(each) for each in elements]
        while not parts[-1]:
            parts.pop()
        text = marks.element.join(parts)
        joints = sum([len(each) - 1 for each in elements if isinstance(each, tuple)])
        if (
            text.count(marks.element) != len(parts) - 1
            or text.count(marks.component) != joints
            or marks.terminator in text
            or self.repetition in text
        ):
            raise ValueError(f"an element of a {parts[0]} holds a delimiter of its interchange")
        return text + marks.terminator

    def name(self, text: str) -> str:
        """Write a name in characters that the interchange can carry: accents go, what else has no place is a blank."""
        plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
        return " ".join(plain.translate(self._blanked).split())[:NAME_WIDTH].rstrip()

    def unwrapped(self, raw: bytes) -> bytes:
        """Take out of whole segments what stands between and inside of them without meaning; nothing else changes."""
        plain = raw.translate(None, self._line_breaks)
        if self._noise.search(plain):
            plain = self._noise.sub(lambda _: self.terminator, plain)
        return plain


@lru_cache(maxsize=64)
def syntax_of(delimiters: Delimiters) -> Syntax:
    """Give the syntax of an interchange; most files have the same few."""
    return Syntax(delimiters)


def amount(cents: int) -> str:
    """Write cents as an amount of type R: ``200``, ``-0.5``, ``12.05``."""
    return text_from_cents(cents).rstrip("0").rstrip(".")
