"""Read X12 835 remittances from a stream: set by set, claim by claim, in constant memory.

Source: ASC X12 005010X221A1 inside the envelopes of X12.5 and X12.6. The stream is read once, forward, in stretches;
``segments.py`` cuts a stretch into clean segments and loops, the ``TransactionSet`` in hand takes the loops, and
``Envelopes`` keeps what concerns the file. What is wrong becomes a ``Finding`` of the set or the file it concerns.
"""

import re
from collections.abc import Generator, Iterator
from typing import BinaryIO, Final

from ingest.x12.claims import ClaimReader
from ingest.x12.delimiters import ISA_REACH, Isa, find_isa, mentions_isa, read_isa
from ingest.x12.envelope import Envelopes
from ingest.x12.model import Claim, FileEnd, SetEnd, SetHeader
from ingest.x12.noise import BLANK
from ingest.x12.segments import CLAIM, Batch, ByteWindow, Cutter
from ingest.x12.transaction_set import TransactionSet
from schemas.errors import UnreadableError
from schemas.findings import Finding

CHUNK_BYTES: Final = 1 << 16
"""How much is taken apart at a time; more is slower, because it leaves the processor's cache."""
LOOP_LIMIT: Final = 8 << 20
"""No head, claim or other loop is longer; a stretch without structure ends the reading instead of filling memory."""

_FIRST_LOOK = 1 << 16
_FIRST_CHUNK = 1 << 14
_BOM = b"\xef\xbb\xbf"
_REMITTANCE = re.compile(rb"ST([^A-Za-z0-9])835\1")

Event = SetHeader | list[Claim] | SetEnd | FileEnd


def read_remittances(
    stream: BinaryIO, name: str, *, block: int = 250, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[Event]:
    """Read all transaction sets of a stream of decompressed bytes, which may be a pipe.

    Args:
        stream: anything with ``read(n)``; short reads are fine. It is read to its end.
        name: the file as the user named it, for messages.
        block: how many claims to hand on at a time, at most.
        chunk_bytes: how many bytes to take apart at a time.

    Yields:
        For each ST a ``SetHeader`` when it has a usable one, lists of claims, then a ``SetEnd``; last a ``FileEnd``.
        Claims whose amounts cannot be read, and claims of a set without usable head, are counted but not handed on.

    Raises:
        UnreadableError: the stream is empty, or holds no ISA that can be read at its beginning.
    """
    yield from _Reading(stream, name, block, chunk_bytes).run()


class _Reading:
    """One pass over one stream."""

    def __init__(self, stream: BinaryIO, name: str, block: int, chunk_bytes: int) -> None:
        self._window = ByteWindow(stream)
        self._name = name
        self._block = block
        self._chunk_bytes = chunk_bytes
        self._envelopes = Envelopes()
        self._segments_before = 0
        self._set: TransactionSet | None = None
        self._isa = self._first_isa()
        self._claim_reader = ClaimReader(self._isa.delimiters)
        self._cutter = Cutter(self._isa.delimiters)
        self._began = 0  # offset of the ISA in hand
        self._at_isa = False  # whether reading stopped before an ISA rather than after an IEA
        self._undigested = 0  # where in the batch's text begins what the set's digest lacks

    def run(self) -> Iterator[Event]:
        """Read interchange after interchange."""
        isa: Isa | None = self._isa
        while isa is not None:
            yield from self._read_interchange(isa)
            isa = self._next_isa()
        yield from self._cut_off("the end of the file", self._window.offset)
        self._envelopes.end(self._place())
        yield self._envelopes.file_end()

    def _first_isa(self) -> Isa:
        raw = self._window.look(_FIRST_LOOK)
        isa = find_isa(raw)
        if isa is None:
            raise UnreadableError(self._name, [_why_unreadable(raw)])
        before = raw[: isa.start]
        if before.removeprefix(_BOM).strip(BLANK.encode()):
            holds_sets = _REMITTANCE.search(before) is not None
            self._envelopes.text_outside(len(before), self._place(), before_any=True, holds_sets=holds_sets)
        self._window.advance(isa.start)
        return isa

    def _next_isa(self) -> Isa | None:
        """Find the next interchange from the window's offset on, and pass over what stands before it."""
        if self._at_isa:
            isa = read_isa(self._window.look(ISA_REACH), 0)
            if isa is None:
                self._envelopes.isa_unreadable(self._place())
            return isa or self._isa
        place, skipped_bytes, holds_sets = self._place(), 0, False
        isa = None
        while isa is None and (raw := self._window.look(_FIRST_LOOK)):
            isa = find_isa(raw)
            reach = ISA_REACH if isa is None and not self._window.ended else 0  # an ISA may begin at the very end
            skipped = raw[: len(raw) - reach if isa is None else isa.start]
            if skipped.replace(_BOM, b"").strip(BLANK.encode()):
                skipped_bytes += len(skipped)
                holds_sets = holds_sets or _REMITTANCE.search(skipped) is not None
            self._window.advance(len(skipped))
        if skipped_bytes:
            self._envelopes.text_outside(skipped_bytes, place, before_any=False, holds_sets=holds_sets)
        return isa and (read_isa(self._window.look(ISA_REACH), 0) or isa)

    def _read_interchange(self, isa: Isa) -> Iterator[Event]:
        """Read stretch after stretch, up to and with an IEA, or up to the next ISA, or to the end.

        The first stretches are small: a stretch that turns out to hold several interchanges is cut anew at each.
        """
        if isa.delimiters != self._isa.delimiters:
            self._claim_reader = ClaimReader(isa.delimiters)
            self._cutter = Cutter(isa.delimiters)
        self._isa = isa
        self._began = self._window.offset
        self._at_isa = False
        size = min(_FIRST_CHUNK, self._chunk_bytes)
        while raw := self._window.look(size):
            batch = Batch(raw, self._window.offset, self._cutter, last=self._window.ended)
            if len(batch.marks) > 1:
                turned = yield from self._read_batch(batch)
                if turned:
                    return
                size = min(2 * size, self._chunk_bytes)
            elif self._window.ended:
                self._window.advance(len(raw))
            elif size > LOOP_LIMIT:
                yield from self._give_up()
            else:
                size *= 2

    def _read_batch(self, batch: Batch) -> Generator[Event, None, bool]:
        """Read the complete loops of a batch and move on behind them; return whether the interchange ends there."""
        text = batch.text
        self._undigested = 0
        stop, turned = batch.marks[-1], False
        for stretch in batch.stretches():
            start, byte_start = batch.marks[stretch.start], batch.begins[stretch.start]
            if text.startswith(CLAIM, start):
                yield from self._claims(batch, stretch)
            elif text.startswith("ISA", start) and byte_start != self._began:
                stop, turned, self._at_isa = start, True, True
                break
            else:
                segments = batch.segments(stretch.start)
                yield from self._structure(batch, start, segments, (self._segments_before + 1, byte_start))
                if text.startswith("IEA", start):
                    stop, turned = start + len(segments[0]) + 1, True
                    self._segments_before += 1
                    break
            self._segments_before += sum(batch.segment_counts[stretch.start : stretch.stop])
        self._digest(batch, stop)
        reached = batch.begin(stop) if self._at_isa else batch.end(stop)
        self._window.advance(reached - self._window.offset)
        return turned

    def _claims(self, batch: Batch, stretch: range) -> Iterator[list[Claim]]:
        """Read claims that follow each other, and hand on those that fill a block."""
        if self._set is None:
            segments = self._segments_before
            for number in stretch:
                self._envelopes.outside_set(CLAIM, (segments + 1, batch.begins[number]))
                segments += batch.segment_counts[number]
            return
        self._set.add_claims(batch, stretch)
        while len(self._set.claims) >= self._block:
            yield self._set.take_claims(self._block)

    def _structure(self, batch: Batch, start: int, segments: list[str], place: tuple[int, int]) -> Iterator[Event]:
        """Read a loop that is no claim."""
        elements = segments[0].split(self._isa.delimiters.element)
        kind = elements[0][:3]
        if kind in {"LX", "PLB", "SE"}:
            if self._set is None:
                self._envelopes.outside_set(kind, place)
            else:
                yield from self._body(self._set, batch, start, segments, place)
            return
        self._digest(batch, start)
        yield from self._cut_off(kind, place[1])
        if kind == "ISA":
            self._envelopes.open_interchange(self._isa, elements, place)
        elif kind == "GS":
            self._envelopes.open_group(elements, place)
        elif kind == "ST":
            yield from self._open_set(batch, start, segments, place)
        elif kind == "GE":
            self._envelopes.close_group(elements, place)
            self._envelopes.stray_segments(kind, len(segments) - 1, place)
        else:
            self._envelopes.close_interchange(elements, place)
        if kind in {"ISA", "GS", "GE"}:
            self._find_hidden(segments, place)

    def _body(
        self, current: TransactionSet, batch: Batch, start: int, segments: list[str], place: tuple[int, int]
    ) -> Iterator[Event]:
        """Read an LX, PLB or SE of the set in hand."""
        if segments[0].startswith("LX"):
            current.add_store(batch, start, segments)
        elif segments[0].startswith("PLB"):
            current.add_plb(batch, start, segments)
        else:
            self._digest(batch, start)
            self._set = None
            if current.claims:
                yield current.take_claims()
            yield current.close(batch, start, segments[0])
            self._envelopes.stray_segments("SE", len(segments) - 1, place)
            self._find_hidden(segments, place)

    def _find_hidden(self, segments: list[str], place: tuple[int, int]) -> None:
        """Tell of a set that begins inside a segment between sets: a terminator is lost, or is another one."""
        if any(_REMITTANCE.search(segment.encode("latin-1")) for segment in segments):
            self._envelopes.outside_set("ST", place)

    def _open_set(self, batch: Batch, start: int, segments: list[str], place: tuple[int, int]) -> Iterator[SetHeader]:
        self._set = TransactionSet(
            batch,
            start,
            segments,
            ordinal=self._envelopes.open_set(place),
            claim_reader=self._claim_reader,
            delimiters=self._isa.delimiters,
        )
        self._undigested = start + len(segments[0]) + 1
        if self._set.header is not None:
            yield self._set.header

    def _cut_off(self, by: str, byte_end: int) -> Iterator[Event]:
        """End the set in hand, if there is one, without its SE."""
        current, self._set = self._set, None
        if current is not None:
            if current.claims:
                yield current.take_claims()
            yield current.cut_off(by, byte_end)

    def _give_up(self) -> Iterator[Event]:
        """End the reading at a stretch without structure, and drain the stream."""
        self._envelopes.loop_too_long(LOOP_LIMIT, self._place())
        yield from self._cut_off(f"no new loop within {LOOP_LIMIT} bytes", self._window.offset)
        while raw := self._window.look(_FIRST_LOOK):
            self._window.advance(len(raw))

    def _digest(self, batch: Batch, until: int) -> None:
        """Add what the set's digest lacks of the batch."""
        if self._set is not None:
            self._set.content.add(batch.text[self._undigested : until])
        self._undigested = until

    def _place(self) -> tuple[int, int]:
        """Where reading stands: number of the next segment in the file, ISA = 1, and its byte offset."""
        return self._segments_before + 1, self._window.offset


def _why_unreadable(raw: bytes) -> Finding:
    """Say why nothing can be read, without showing any of it."""
    if not raw.strip(BLANK.encode()):
        found, rule = "nothing", "file_empty"
    elif mentions_isa(raw):
        found, rule = "an ISA that is cut off, too short or of another shape", "isa_unreadable"
    elif b"\x00" in raw[:ISA_REACH]:
        found, rule = "binary data", "interchange_missing"
    else:
        found, rule = "text without one", "interchange_missing"
    return Finding(
        rule=rule,
        element="ISA",
        expected="an X12 interchange that begins with an ISA of 16 elements",
        found=found,
        byte_offset=0,
        advice="Check that this is the payer's 835, decompressed and complete.",
    )
