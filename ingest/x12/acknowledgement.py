"""Acknowledge an 835 file: a TA1 for an interchange and a 999 for each of its functional groups.

Source: 005010X231A1, Implementation Acknowledgment for Health Care Insurance (999); ASC X12.5 for TA1 and envelopes.
Every interchange is answered by one of its own, from its receiver to its sender. It holds a TA1 when something is wrong
with the interchange or when ISA14 asks for one, and for each group a 999 with one AK2 for each of its sets.

The answer says what became of the sets, not what might have: a set that balances is accepted even where an envelope
around it is broken, and such an envelope is *accepted with errors*. An acknowledgement is never acknowledged: an
interchange or group that holds nothing else is passed over, so that no two systems answer each other for ever.

The same file gives the same bytes. Control numbers come from its SHA-256, date and time from the interchange that is
answered. What is repeated from a header must have the shape that the standard gives it; what has not is replaced.
"""

import hashlib
import io
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING, BinaryIO, Final

from ingest.x12.ack_codes import (
    DATE_INVALID,
    GROUP_CODES,
    GROUP_NUMBER_INVALID,
    INTERCHANGE_CODES,
    NO_ERROR,
    NUMBER_INVALID,
    TIME_INVALID,
)
from ingest.x12.ack_header import application, date, is_number, party, qualifier, time
from ingest.x12.ack_set import ACCEPTED, ACCEPTED_WITH_ERRORS, REJECTED, SetAnswer, answer_set
from ingest.x12.model import FileEnd, GroupRead, InterchangeRead, SetEnd
from ingest.x12.reader import read_remittances
from schemas.findings import Severity

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

NOTES_LIMIT: Final = 200_000
"""So many IK3 are written into one acknowledgement; sets that come later are answered by their IK5 alone."""

_GUIDE: Final = "005010X231A1"
_READ_AS = ("HP", "005010X221A1")  # what a group is read as, whatever its GS01 and GS08
_PARTLY_ACCEPTED = "P"
_MOST_COUNTED = 999_999  # AK902 to AK904 have six digits
_BUFFER_BYTES = 1 << 16
_NUMBERS = 999_999_999


def acknowledge(
    stream: BinaryIO, name: str, refused: Collection[int] = (), progress: Callable[[int], None] | None = None
) -> bytes:
    """Read an 835 and write its acknowledgement.

    Args:
        stream: decompressed bytes, read to their end; a pipe will do.
        name: the file as the user named it, for messages.
        refused: ordinals of the sets that the books quarantined, whatever the reader thinks of them.
        progress: told the bytes read so far.

    Returns:
        Interchanges with the delimiters ``*^:~`` and no line breaks, ASCII. Empty when nothing asks for an answer: the
        file holds nothing but acknowledgements.

    Raises:
        UnreadableError: the stream is empty, or holds no ISA that can be read at its beginning.
    """
    source = _DigestedStream(stream, progress or (lambda _: None))
    refusals = frozenset(refused)
    answers: list[SetAnswer] = []
    notes_left = NOTES_LIMIT
    end: FileEnd | None = None
    for event in read_remittances(io.BufferedReader(source, _BUFFER_BYTES), name):
        if isinstance(event, SetEnd):
            answers.append(answer_set(event, is_refused=event.ordinal in refusals, most_notes=notes_left))
            notes_left -= sum(note.startswith("IK3") for note in answers[-1].notes)
        elif isinstance(event, FileEnd):
            end = event
    numbers = _Numbers(source.digest())
    written = [_interchange(each, answers, numbers) for each in (end.envelopes if end else ())]
    return "".join(f"{segment}~" for segments in written for segment in segments).encode("ascii")


class _DigestedStream(io.RawIOBase):
    """A stream that is read through, and the SHA-256 of what came."""

    def __init__(self, stream: BinaryIO, progress: Callable[[int], None]) -> None:
        self._stream = stream
        self._progress = progress
        self._digest = hashlib.sha256()
        self._read_bytes = 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Read into a buffer what comes at once; 0 at the end."""
        target = memoryview(buffer).cast("B")
        part = self._stream.read(len(target))
        target[: len(part)] = part
        self._digest.update(part)
        self._read_bytes += len(part)
        self._progress(self._read_bytes)
        return len(part)

    def digest(self) -> bytes:
        """Give the digest of everything read."""
        return self._digest.digest()


class _Numbers:
    """Control numbers that follow from a file alone; those of two files hardly ever meet."""

    def __init__(self, digest: bytes) -> None:
        self._running = count(int.from_bytes(digest[:8], "big"))

    def next(self) -> int:
        """Give the next number, 1 to 999999999."""
        return next(self._running) % _NUMBERS + 1


def _interchange(read: InterchangeRead, answers: Sequence[SetAnswer], numbers: _Numbers) -> list[str]:
    """Answer an interchange; with nothing when there is nothing to say."""
    groups = [group for group in read.groups if not _is_acknowledgement(group, answers)]
    own = [answers[ordinal - 1] for group in groups for ordinal in group.sets]
    report = _report(read, any(answer.verdict != REJECTED for answer in own))
    if not groups and not report:
        return []
    number = numbers.next()
    segments = [_isa(read, number), *report]
    for group in groups:
        segments += _group(read, group, answers, numbers.next())
    return [*segments, f"IEA*{len(groups)}*{number:09d}"]


def _is_acknowledgement(group: GroupRead, answers: Sequence[SetAnswer]) -> bool:
    """Tell whether a group acknowledges something itself, and holds no remittance by mistake."""
    return group.kind == "FA" and all(answers[ordinal - 1].kind != "835" for ordinal in group.sets)


def _isa(read: InterchangeRead, number: int) -> str:
    """Write the ISA, sender and receiver exchanged."""
    elements = [
        *("ISA", "00", 10 * " ", "00", 10 * " "),
        *(qualifier(read.receiver_qualifier), f"{party(read.receiver):15}"),
        *(qualifier(read.sender_qualifier), f"{party(read.sender):15}"),
        *(date(read), time(read), "^", "00501", f"{number:09d}", "0"),
        *("T" if read.usage == "T" else "P", ":"),
    ]
    return "*".join(elements)


def _report(read: InterchangeRead, is_accepted: bool) -> list[str]:
    """Write the TA1, or nothing when all is well and nobody asks. ``is_accepted``: whether any of its sets is."""
    flaws = sorted(read.flaws, key=lambda flaw: flaw.severity is not Severity.REFUSE)
    codes = [INTERCHANGE_CODES[flaw.rule] for flaw in flaws if flaw.rule in INTERCHANGE_CODES]
    number_holds = is_number(read.control_number, 9)
    codes += [] if number_holds else [NUMBER_INVALID]
    codes += [] if date(read) == read.date else [DATE_INVALID]
    codes += [] if time(read) == read.time else [TIME_INVALID]
    if not codes and read.acknowledgement_requested != "1":
        return []
    verdict = ACCEPTED if not codes else ACCEPTED_WITH_ERRORS if is_accepted else REJECTED
    number = read.control_number.zfill(9) if number_holds else 9 * "0"
    return [f"TA1*{number}*{date(read)}*{time(read)}*{verdict}*{(codes or [NO_ERROR])[0]}"]


def _group(read: InterchangeRead, group: GroupRead, answers: Sequence[SetAnswer], number: int) -> list[str]:
    """Write a group with the 999 that answers one group."""
    sender, receiver = application(group.receiver, read.receiver), application(group.sender, read.sender)
    body = list(_body(group, [answers[ordinal - 1] for ordinal in group.sets]))
    return [
        f"GS*FA*{sender}*{receiver}*20{date(read)}*{time(read)}*{number}*X*{_GUIDE}",
        f"ST*999*0001*{_GUIDE}",
        *body,
        f"SE*{len(body) + 2}*0001",
        f"GE*1*{number}",
    ]


def _body(group: GroupRead, answers: Sequence[SetAnswer]) -> Iterator[str]:
    """Write a 999 from AK1 to AK9."""
    kind = group.kind if re.fullmatch(r"[A-Z]{2}", group.kind) else _READ_AS[0]
    version = group.version if re.fullmatch(r"[0-9]{6}[0-9A-Z]{0,6}", group.version) else _READ_AS[1]
    number_holds = is_number(group.control_number, 9)
    yield f"AK1*{kind}*{int(group.control_number) if number_holds else 0}*{version}"
    for answer in answers:
        yield from answer.segments(in_group=group.is_headed)
    codes = [GROUP_CODES[flaw.rule] for flaw in group.flaws if flaw.rule in GROUP_CODES]
    if group.is_headed and not number_holds:
        codes.append(GROUP_NUMBER_INVALID)
    received, accepted = len(answers), sum(answer.verdict != REJECTED for answer in answers)
    stated = int(group.stated_sets) if is_number(group.stated_sets, 6) else received
    counts = "*".join(str(min(sets, _MOST_COUNTED)) for sets in (stated, received, accepted))
    has_errors = bool(codes) or not group.is_headed or any(answer.verdict != ACCEPTED for answer in answers)
    yield "*".join((f"AK9*{_group_verdict(received, accepted, has_errors)}*{counts}", *codes))


def _group_verdict(received: int, accepted: int, has_errors: bool) -> str:
    """AK901."""
    if not accepted:
        return REJECTED
    if accepted < received:
        return _PARTLY_ACCEPTED
    return ACCEPTED_WITH_ERRORS if has_errors else ACCEPTED
