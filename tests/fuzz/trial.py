"""One trial: read an input, judge the outcome, and make a failing input small."""

import io
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import FrameType
from typing import Final

from ingest.x12.model import FileEnd, SetEnd
from ingest.x12.reader import read_remittances
from schemas.errors import UnreadableError
from schemas.findings import Finding
from tests.fuzz.judge import BLOCK, Outcome, complaints

SECONDS_MOST: Final = 2
"""Processor time that one reading may take."""

_MINIMISING_TRIES = 600
_OUTSIDE = ("text_before_interchange", "text_after_interchange")


class SlowReadingError(Exception):
    """A reading took more processor time than it may."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An input on which something did not hold, as small as it was found to be, and what did not."""

    data: bytes
    complaint: str
    chunk_bytes: int | None = None
    """It was read a second time in stretches of so many bytes."""

    @property
    def kind(self) -> str:
        """What did not hold, whichever set, claim or figure it was about."""
        return re.sub(r"\d+", "n", self.complaint)

    @property
    def name(self) -> str:
        """A file name that the same failure gets again."""
        return f"{self.complaint.partition(':')[0]}-{sha256(self.data).hexdigest()[:12]}.835"

    def written_to(self, folder: Path) -> str:
        """Write the input to a folder; give the arguments that read it again."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self.name
        path.write_bytes(self.data)
        return str(path) if self.chunk_bytes is None else f"{path} --chunk-bytes {self.chunk_bytes}"


def read(data: bytes, chunk_bytes: int = 1 << 18) -> Outcome:
    """Read an input to its end.

    Raises:
        SlowReadingError: it took more processor time than it may.
    """
    try:
        return list(read_remittances(io.BytesIO(data), "fuzz.835", block=BLOCK, chunk_bytes=chunk_bytes))
    except UnreadableError as error:
        return error


def judged(data: bytes, chunk_bytes: int | None = None) -> tuple[Outcome | None, str]:
    """Read an input and judge the outcome; give the first complaint, empty when there is none.

    Args:
        data: the input.
        chunk_bytes: read it a second time in stretches of so many bytes, and a third time wrapped at 80 columns when
            it has no line breaks; the second reading has to be the same, the third has to say the same.
    """
    outcome = again = wrapped = None
    try:
        with _limited():
            outcome = read(data)
        if chunk_bytes is not None:
            with _limited():
                again = read(data, chunk_bytes)
            if not any(line_break in data for line_break in b"\r\n"):
                with _limited():
                    wrapped = read(b"\r\n".join(data[at : at + 80] for at in range(0, len(data), 80)), chunk_bytes)
    except SlowReadingError:
        return None, f"slow: more than {SECONDS_MOST} s of processor time"
    except Exception as error:  # noqa: BLE001 (any error but the typed one is what is looked for)
        return None, f"{type(error).__name__}: {_where(error)}"
    if again is not None and not _same(outcome, again):
        return outcome, "chunks: read in other stretches it says something else"
    if wrapped is not None and not _say_the_same(outcome, wrapped):
        return outcome, "wrapping: with hard wraps it says something else"
    return outcome, next(complaints(data, outcome), "")


def minimised(failure: Failure) -> Failure:
    """Take out of an input what its failure does not need, within so many tries."""
    size, tries = max(len(failure.data) // 2, 1), 0
    while size and tries < _MINIMISING_TRIES:
        start = 0
        while start < len(failure.data) and tries < _MINIMISING_TRIES:
            data = failure.data[:start] + failure.data[start + size :]
            shorter = Failure(data, judged(data, failure.chunk_bytes)[1], failure.chunk_bytes)
            tries += 1
            if shorter.kind == failure.kind:
                failure = shorter
            else:
                start += size
        size //= 2
    return failure


def _same(one: Outcome, two: Outcome) -> bool:
    if isinstance(one, UnreadableError) or isinstance(two, UnreadableError):
        return type(one) is type(two)
    return one == two


def _say_the_same(outcome: Outcome, wrapped: Outcome) -> bool:
    """Compare what an outcome says with what is said of the same bytes when they are wrapped.

    Where text stands outside of interchanges nothing is compared: a wrap can end a word in whose midst an ISA is none,
    and stand where an ISA lacks its terminator.
    """
    rules = {finding.rule for each in (outcome, wrapped) for finding in _of_file(each)}
    return not rules.isdisjoint(_OUTSIDE) or _said(outcome) == _said(wrapped)


def _of_file(outcome: Outcome) -> list[Finding]:
    events = [] if isinstance(outcome, UnreadableError) else outcome
    return [finding for event in events if isinstance(event, FileEnd) for finding in event.findings]


def _said(outcome: Outcome) -> list[object]:
    """Give what an outcome says apart from offsets and from what concerns the file: sets, claims and findings."""
    said: list[object] = []
    for event in [] if isinstance(outcome, UnreadableError) else outcome:
        if isinstance(event, SetEnd):
            said.append((event.ordinal, event.claim_count, event.claims_paid_cents, event.content_sha256))
            said += [(each.rule, each.element, each.found, each.segment, each.severity) for each in event.findings]
        elif isinstance(event, list):
            said += [claim[:-2] for claim in event]
    return said


def _where(error: BaseException) -> str:
    """Tell where an error arose, so that failures of one place count as one."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "unknown" if trace is None else f"{Path(trace.tb_frame.f_code.co_filename).name}, line {trace.tb_lineno}"


@contextmanager
def _limited() -> Iterator[None]:
    """End what runs too long; the time of this process counts, not that of a busy machine."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise SlowReadingError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS_MOST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
