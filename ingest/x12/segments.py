"""From raw bytes to clean loops with true byte offsets.

*Noise* is what the standard does not know and files are full of: line breaks anywhere, indentation, blank lines and
empty segments. It is taken out before anything is read, and remembered, so that an offset always points into the
stream as received. A *mark* is where a segment stands that begins a loop or an envelope; everything up to the next
mark belongs to it.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import BinaryIO, Final

from ingest.x12.delimiters import Delimiters

BLANK: Final = " \t\r\n\x1a\x00"
"""What may stand between segments and at the end of a file without meaning: white space, Ctrl-Z, NUL padding."""


class ByteWindow:
    """A stream seen through a window that only moves forward."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._held = b""
        self._drained = False
        self.offset = 0
        """Offset of the window's first byte in the stream."""
        self.ended = False
        """Whether the last look reached the end of the stream."""

    def look(self, size: int) -> bytes:
        """Return ``size`` bytes from the offset on, fewer only at the end of the stream."""
        parts = [self._held]
        missing = size - len(self._held)
        while missing > 0 and not self._drained:
            part = self._stream.read(missing)
            self._drained = not part
            parts.append(part)
            missing -= len(part)
        self._held = b"".join(parts) if len(parts) > 1 else self._held
        self.ended = self._drained and len(self._held) <= size
        return self._held[:size]

    def advance(self, count: int) -> None:
        """Move on by ``count`` bytes of what was seen."""
        self._held = self._held[count:]
        self.offset += count


class Cutter:
    """Cuts the text of one interchange into loops: knows its terminator, its noise and its marks."""

    def __init__(self, delimiters: Delimiters) -> None:
        self.terminator = delimiters.terminator
        self._line_breaks = [character for character in "\r\n" if character != delimiters.terminator]
        self._heads = f"(?:CLP|PLB|ISA|IEA|(?:GS|GE|ST|SE|LX)(?=[{re.escape(delimiters.element + self.terminator)}]))"
        self._blanks = f"[ \t{re.escape(self.terminator)}]+"
        self._patterns: dict[str, tuple[re.Pattern[str], re.Pattern[str]]] = {}

    def separator(self, text: str) -> str | None:
        """Give the terminator with the line break that follows it everywhere, or None when noise stands elsewhere."""
        line_break = ""
        if any(character in text for character in self._line_breaks):
            following = text.find(self.terminator) + 1
            line_break = "\r\n" if text.startswith("\r\n", following) else text[following : following + 1]
            if not self._breaks_regularly(text, line_break):
                return None
        separator = self.terminator + line_break
        _, blanks = self._compiled(separator)
        return None if blanks.search(text) else separator

    def _breaks_regularly(self, text: str, line_break: str) -> bool:
        """Tell whether the line break follows every terminator and nothing else breaks a line."""
        count = text.count(self.terminator)
        return text.count(self.terminator + line_break) == count and all(
            text.count(character) == (count if character in line_break else 0) for character in self._line_breaks
        )

    def without_noise(self, text: str) -> tuple[str, list["Removal"]]:
        """Take out line breaks, then indentation and empty segments; tell what was taken out in each step."""
        removals = []
        for line_break in ("\r\n", "\r", "\n"):
            if line_break in text and self.terminator not in line_break:
                parts = text.split(line_break)
                positions = list(accumulate(map(len, parts[:-1])))
                removals.append(Removal(positions, range(0, len(line_break) * len(parts), len(line_break))))
                text = "".join(parts)
        _, blanks = self._compiled(self.terminator)
        spans = [found.span() for found in blanks.finditer(text)]
        if spans:
            sizes = list(accumulate((end - start - 1 for start, end in spans), initial=0))
            positions = [start + 1 - before for (start, _), before in zip(spans, sizes, strict=False)]
            removals.append(Removal(positions, sizes))
            text = blanks.sub(lambda _: self.terminator, text)
        return text, removals

    def marks(self, text: str, separator: str) -> list[int]:
        """Give where loops begin in clean text that begins with one."""
        if not text:
            return []
        heads, _ = self._compiled(separator)
        width = len(separator)
        return [0, *(found.start() + width for found in heads.finditer(text))]

    def _compiled(self, separator: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
        """Give the patterns of a mark and of blanks behind a separator."""
        if separator not in self._patterns:
            end = re.escape(separator)
            self._patterns[separator] = (re.compile(end + self._heads), re.compile(end + self._blanks))
        return self._patterns[separator]


class Removal:
    """Stretches that were taken out of a text, and how to find back.

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


class Batch:
    """Consecutive loops of one interchange as clean text.

    Args:
        raw: bytes that begin with a loop; what follows the last terminator counts only when ``last``.
        offset: where ``raw`` begins in the stream.
        cutter: of the interchange.
        last: whether the stream ends with ``raw``.
    """

    def __init__(self, raw: bytes, offset: int, cutter: Cutter, *, last: bool) -> None:
        self._raw_end = offset + len(raw)
        text = raw.decode("latin-1").lstrip(BLANK + cutter.terminator)
        self._offset = self._raw_end - len(text)
        text, separator, self._removals = _cut(text, cutter, last=last)
        self.text = text
        """Complete segments, each with its ``separator``."""
        self.separator = separator
        """The terminator, with a line break when one follows each terminator and stands nowhere else."""
        self.marks = cutter.marks(text, separator)
        """Where loops begin in ``text``; the last mark is where the last complete loop ends."""
        if last:
            self.marks.append(len(text))
        elif self.marks and text.startswith("IEA", self.marks[-1]):
            self.marks.append(text.find(separator, self.marks[-1]) + len(separator))

    def begin(self, position: int) -> int:
        """Offset in the stream of a character of ``text``."""
        for removal in reversed(self._removals):
            position = removal.before(position)
        return min(self._offset + position, self._raw_end)

    def end(self, position: int) -> int:
        """Offset in the stream just after the terminator of the segment that ends before ``position``."""
        return min(self.begin(position - len(self.separator)) + 1, self._raw_end)

    def loops(self) -> Iterator[tuple[int, int, int, int]]:
        """Give each complete loop: its bounds in ``text``, its first byte in the stream and the one after its last."""
        marks = self.marks
        if self._removals:
            begins, ends = [self.begin(mark) for mark in marks], [self.end(mark) for mark in marks[1:]]
        else:
            begins = [self._offset + mark for mark in marks]
            line_break = len(self.separator) - 1
            ends = [min(begin - line_break, self._raw_end) for begin in begins[1:]]
        return zip(marks, marks[1:], begins, ends, strict=False)

    def segments(self, start: int, after: int) -> list[str]:
        """Give the segments between two marks."""
        return self.text[start : after - len(self.separator)].split(self.separator)

    def offsets(self, start: int, segments: list[str]) -> list[int]:
        """Give the offset in the stream of each of the segments that begin at a mark."""
        offsets = []
        for segment in segments:
            offsets.append(self.begin(start))
            start += len(segment) + len(self.separator)
        return offsets


def _cut(text: str, cutter: Cutter, *, last: bool) -> tuple[str, str, list[Removal]]:
    """Cut text to complete segments; give it clean, with its separator and what was taken out."""
    terminator = cutter.terminator
    if last:
        whole = text.rstrip(BLANK.replace(terminator, ""))
        whole += "" if not whole or whole.endswith(terminator) else terminator
    else:
        whole = text[: text.rfind(terminator) + 1]
    separator = cutter.separator(whole[:-1])
    if separator is None:
        whole, removals = cutter.without_noise(whole)
        return whole, terminator, removals
    return whole + separator[1:] if whole else "", separator, []
