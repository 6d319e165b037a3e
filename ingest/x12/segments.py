"""From raw bytes to clean loops with true byte offsets.

A *mark* is where a segment stands that begins a loop or an envelope; everything up to the next mark belongs to it. The
text of a batch is without noise (``noise.py``): one character, the terminator, is all that separates segments.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import BinaryIO, Final

from ingest.x12.delimiters import Delimiters
from ingest.x12.noise import BLANK, Cleaner

CLAIM: Final = "CLP"
"""Begins a claim."""


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
        self.cleaner = Cleaner(delimiters.terminator)
        terminator, ends = re.escape(self.terminator), re.escape(delimiters.element + self.terminator)
        self._heads = re.compile(f"{terminator}(?:{CLAIM}|PLB|ISA|IEA|(?:GS|GE|ST|SE|LX)(?=[{ends}]))")

    def marks(self, text: str) -> list[int]:
        """Give where loops begin in clean text that begins with one."""
        return [0, *[found.start() + 1 for found in self._heads.finditer(text)]] if text else []


class Batch:
    """Consecutive loops of one interchange as clean text. Complete loops have numbers, first = 0.

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
        self._terminator = cutter.terminator
        self.text, self._removals = cutter.cleaner.clean(self._whole_segments(text, last=last))
        """Complete segments, each with its terminator."""
        self.marks = cutter.marks(self.text)
        """Where loops begin in ``text``; the last mark is where the last complete loop ends."""
        if last:
            self.marks.append(len(self.text))
        elif self.marks and self.text.startswith("IEA", self.marks[-1]):
            self.marks.append(self.text.find(cutter.terminator, self.marks[-1]) + 1)
        count = self.text.count
        self.segment_counts = [count(cutter.terminator, start, after) for start, after in pairwise(self.marks)]
        """How many segments each loop has."""
        self.begins, self.ends = self._ranges()
        """Offset in the stream of the first byte of each loop, and of the one after its last."""

    def loops(self) -> Iterator[tuple[int, int, int, int]]:
        """Give each loop: its bounds in ``text``, its first byte in the stream and the one after its last."""
        return zip(self.marks, self.marks[1:], self.begins, self.ends, strict=False)

    def stretches(self) -> Iterator[range]:
        """Give the numbers of the loops in order: claims that follow each other together, any other by itself."""
        text, first = self.text, 0
        for number, mark in enumerate(self.marks[:-1]):
            if not text.startswith(CLAIM, mark):
                if first < number:
                    yield range(first, number)
                yield range(number, number + 1)
                first = number + 1
        if first < len(self.marks) - 1:
            yield range(first, len(self.marks) - 1)

    def segments(self, number: int) -> list[str]:
        """Give the segments of a loop."""
        return self.text[self.marks[number] : self.marks[number + 1] - 1].split(self._terminator)

    def begin(self, position: int) -> int:
        """Offset in the stream of a character of ``text``."""
        for removal in reversed(self._removals):
            position = removal.before(position)
        return min(self._offset + position, self._raw_end)

    def end(self, position: int) -> int:
        """Offset in the stream just after the terminator of the segment that ends before ``position``."""
        return min(self.begin(position - 1) + 1, self._raw_end)

    def segment_begin(self, start: int, segments: list[str], index: int) -> int:
        """Offset in the stream of one of the segments that stand from a place of ``text`` on."""
        return self.begin(start + sum(map(len, segments[:index])) + index)

    def _whole_segments(self, text: str, *, last: bool) -> str:
        """Give what is complete; at the end of the stream, the last terminator may be missing."""
        if not last:
            return text[: text.rfind(self._terminator) + 1]
        whole = text.rstrip(BLANK.replace(self._terminator, ""))
        return whole + ("" if not whole or whole.endswith(self._terminator) else self._terminator)

    def _ranges(self) -> tuple[list[int], list[int]]:
        """Find the loops in the stream, all at once where the noise was of one kind."""
        offset, marks = self._offset, self.marks
        if not self._removals:
            begins, ends = marks[:-1], marks[1:]
        elif len(self._removals) == 1:
            begins, ends = self._removals[0].ranges(marks, self.segment_counts)
        else:
            return [self.begin(mark) for mark in marks[:-1]], [self.end(mark) for mark in marks[1:]]
        begins, ends = [offset + begin for begin in begins], [offset + end for end in ends]
        ends[-1:] = [min(end, self._raw_end) for end in ends[-1:]]
        return begins, ends
