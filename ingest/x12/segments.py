"""From raw bytes to clean loops with true byte offsets.

*Noise* is what the standard does not know and files are full of: line breaks anywhere, indentation, blank lines and
empty segments. It is taken out before anything is read, and remembered, so that an offset always points into the
stream as received. A *mark* is where a segment stands that begins a loop or an envelope; everything up to the next
mark belongs to it.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
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
    """Cuts the text of one interchange: knows its noise and its marks."""

    def __init__(self, delimiters: Delimiters) -> None:
        self.terminator = delimiters.terminator
        end, element = re.escape(delimiters.terminator), re.escape(delimiters.element)
        self._line_breaks = [line_break for line_break in "\r\n" if line_break != delimiters.terminator]
        self._blank_start = re.compile(f"{end}[ \t{end}]")
        self._noise = re.compile(f"(?:(?<={end})|\\A)[ \t\r\n{end}]+|[{''.join(self._line_breaks)}]+")
        self._mark = re.compile(f"{end}(?:CLP|PLB|ISA|IEA|(?:GS|GE|ST|SE|LX)(?=[{element}{end}]))")

    def noise(self, text: str) -> list[tuple[int, int]]:
        """Give start and end of each stretch of noise."""
        if any(line_break in text for line_break in self._line_breaks) or self._blank_start.search(text):
            return [found.span() for found in self._noise.finditer(text)]
        return []

    def marks(self, text: str) -> list[int]:
        """Give where loops begin in clean text that begins with one."""
        return [0, *(found.start() + 1 for found in self._mark.finditer(text))] if text else []


class Batch:
    """Consecutive loops of one interchange as clean text.

    Args:
        raw: bytes that begin with a loop; what follows the last terminator counts only when ``last``.
        offset: where ``raw`` begins in the stream.
        cutter: of the interchange.
        last: whether the stream ends with ``raw``.
    """

    def __init__(self, raw: bytes, offset: int, cutter: Cutter, *, last: bool) -> None:
        self._offset = offset
        self._size = len(raw)
        self._terminator = terminator = cutter.terminator
        text = raw.decode("latin-1")
        if last:
            text = text.rstrip(BLANK + terminator)
            text = text and text + terminator
        else:
            text = text[: text.rfind(terminator) + 1]
        noise = cutter.noise(text)
        self.text = _without(text, noise)
        """Complete segments, each with its terminator, without noise."""
        self._noise_at, self._noise_sizes = _noise_table(noise)
        self.marks = cutter.marks(self.text)
        """Where loops begin in ``text``; the last mark is where the last complete loop ends."""
        if last:
            self.marks.append(len(self.text))
        elif self.marks and self.text.startswith("IEA", self.marks[-1]):
            self.marks.append(self.text.find(terminator, self.marks[-1]) + 1)

    def begin(self, position: int) -> int:
        """Offset in the stream of a character of ``text``."""
        removed = self._noise_sizes[bisect_right(self._noise_at, position)] if self._noise_at else 0
        return self._offset + min(position + removed, self._size)

    def end(self, position: int) -> int:
        """Offset in the stream just after the segment that ends before ``position``."""
        return min(self.begin(position - 1) + 1, self._offset + self._size)

    def loops(self) -> Iterator[tuple[int, int, int, int]]:
        """Give each complete loop: its bounds in ``text``, and its first byte and the one after its last."""
        marks = self.marks
        if self._noise_at:
            begins, ends = [self.begin(mark) for mark in marks], [self.end(mark) for mark in marks[1:]]
        else:
            begins = [self._offset + mark for mark in marks]
            ends = [min(begin, self._offset + self._size) for begin in begins[1:]]
        return zip(marks, marks[1:], begins, ends, strict=False)

    def segments(self, start: int, after: int) -> list[str]:
        """Give the segments between two marks."""
        return self.text[start : after - 1].split(self._terminator)

    def offsets(self, start: int, segments: list[str]) -> list[int]:
        """Give the offset in the stream of each of the segments that begin at a mark."""
        offsets = []
        for segment in segments:
            offsets.append(self.begin(start))
            start += len(segment) + 1
        return offsets


def _without(text: str, noise: list[tuple[int, int]]) -> str:
    if not noise:
        return text
    kept_from = [0, *(end for _, end in noise)]
    kept_to = [*(start for start, _ in noise), len(text)]
    return "".join([text[start:end] for start, end in zip(kept_from, kept_to, strict=True)])


def _noise_table(noise: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Tell at which clean positions noise was taken out, and how much up to there (one entry more, 0 first)."""
    positions, sizes = [], [0]
    for start, end in noise:
        positions.append(start - sizes[-1])
        sizes.append(sizes[-1] + end - start)
    return positions, sizes
