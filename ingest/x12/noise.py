"""Take out of a text what the standard does not know and files are full of, and find back to where things stood.

*Noise* is line breaks anywhere, indentation, blank lines and empty segments. What was taken out is remembered as a
``Removal``, so that an offset always points into the stream as received. Nearly every file breaks its lines in one of
two regular ways, after each segment or after so many columns; finding back is then arithmetic.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

BLANK: Final = " \t\r\n\x1a\x00"
"""What may stand between segments and at the end of a file without meaning: white space, Ctrl-Z, NUL padding."""


class Removal:
    """Stretches that were taken out of a text, of any size and anywhere.

    Args:
        positions: where each was, in the text that is left.
        sizes: how much was taken out before each of them, and in the end before what follows the last.
    """

    def __init__(self, positions: Sequence[int], sizes: Sequence[int]) -> None:
        self._positions = positions
        self._sizes = sizes

    def before(self, position: int) -> int:
        """Give where a character of the text that is left was."""
        return position + self._sizes[bisect_right(self._positions, position)]

    def ranges(self, marks: Sequence[int], counts: Sequence[int]) -> tuple[list[int], list[int]]:
        """Give where loops were.

        Args:
            marks: where each loop begins in the text that is left, and where the last one ends.
            counts: how many segments each of them has.

        Returns:
            Where the first character of each was, and just after where its last terminator was.
        """
        del counts
        return [self.before(mark) for mark in marks[:-1]], [self.before(mark - 1) + 1 for mark in marks[1:]]


class LineEnds(Removal):
    """A line break after each terminator but the last.

    Args:
        text: what is left.
        terminator: of its segments.
        size: of a line break.
    """

    def __init__(self, text: str, terminator: str, size: int) -> None:
        self._text = text
        self._terminator = terminator
        self._size = size
        self._counted = self._reached = 0  # terminators up to a position: mostly, the next one asked for is farther on

    def before(self, position: int) -> int:
        """Give where a character of the text that is left was."""
        if position < self._reached:
            self._counted = self._reached = 0
        self._counted += self._text.count(self._terminator, self._reached, position)
        self._reached = position
        return position + self._size * self._counted

    def ranges(self, marks: Sequence[int], counts: Sequence[int]) -> tuple[list[int], list[int]]:
        """Give where loops were, by the number of segments before them."""
        size = self._size
        begins = [mark + size * count for mark, count in zip(marks, accumulate(counts, initial=0), strict=True)]
        return begins[:-1], [begin - size for begin in begins[1:]]


class Columns(Removal):
    """A line break after every so many characters.

    Args:
        first: length of the first line, which may be the rest of one.
        width: length of the others.
        size: of a line break.
    """

    def __init__(self, first: int, width: int, size: int) -> None:
        self._missing = width - first
        self._width = width
        self._size = size

    def before(self, position: int) -> int:
        """Give where a character of the text that is left was."""
        return position + (position + self._missing) // self._width * self._size


class Cleaner:
    """Takes the noise out of the text of one interchange.

    Args:
        terminator: of its segments; a line break that is the terminator is no noise.
    """

    def __init__(self, terminator: str) -> None:
        self._terminator = terminator
        self._line_breaks = [line_break for line_break in ("\r\n", "\r", "\n") if terminator not in line_break]
        self._blanks = re.compile(f"{re.escape(terminator)}[ \t{re.escape(terminator)}]+")

    def clean(self, text: str) -> tuple[str, list[Removal]]:
        """Take out line breaks, then indentation and empty segments; tell what was taken out in each step.

        Args:
            text: whole segments, nothing before the first, a terminator at the end.
        """
        removals: list[Removal] = []
        for line_break in self._line_breaks:
            if line_break[0] in text and line_break in text:
                text, removal = self._without(line_break, text)
                removals.append(removal)
        if self._blanks.search(text):
            spans = [found.span() for found in self._blanks.finditer(text)]
            sizes = list(accumulate((end - start - 1 for start, end in spans), initial=0))
            positions = [start + 1 - before for (start, _), before in zip(spans, sizes, strict=False)]
            removals.append(Removal(positions, sizes))
            text = self._blanks.sub(lambda _: self._terminator, text)
        return text, removals

    def _without(self, line_break: str, text: str) -> tuple[str, Removal]:
        """Take out one kind of line break."""
        terminator, size, first = self._terminator, len(line_break), text.index(line_break)
        if text.startswith(terminator, first - 1):
            clean = text.replace(terminator + line_break, terminator)
            count = (len(text) - len(clean)) // size
            if line_break not in clean and clean.count(terminator) == count + 1:
                return clean, LineEnds(clean, terminator, size)
        clean = text.replace(line_break, "")
        count = (len(text) - len(clean)) // size
        width = text.find(line_break, first + size) - first - size
        if first <= width and all(
            text[first + index :: width + size] == count * character for index, character in enumerate(line_break)
        ):
            return clean, Columns(first, width, size)
        positions = list(accumulate(map(len, text.split(line_break)[:-1])))
        return clean, Removal(positions, range(0, size * (count + 1), size))
