"""A folder where others leave files: what lies there whole is taken in and moved to ``done`` or ``refused`` within it.

Names are not trusted: a link is never followed, what is no plain file is left alone, and so is what is still being
written: names that begin with a dot or end as programs name half a file, and files that changed a moment ago.
"""

import errno
import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import Connection

from app.scheduler.filing import InboxUnfitError, free, make, move, subfolder, told
from app.session import Session
from app.work import complaints, receive_stream
from ingest.cases import Case, CaseKind, list_cases, open_case, settle_cases
from ingest.kinds import HEAD_BYTES, FileKind, detect_kind
from ingest.receiving import FileVerdict, Receiver, refused
from ingest.unpacking import plain_pieces
from ledger import activity
from schemas.errors import CentralpayError, RefusedError, UnreadableError, WrongUseError

QUIET_S: Final = 2.0
"""A file that did not change between two looks so far apart is whole."""
_UNFINISHED: Final = (".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", "~")
_ORDER: Final = (
    FileKind.ROSTER,
    FileKind.PAYERS,
    FileKind.REMITTANCE_835,
    FileKind.BAI2,
    FileKind.CAMT053,
    FileKind.NACHA,
)
"""Who there is before what is told of them, and that before the money."""
_LARGEST_BYTES: Final = 1 << 40


class Stamp(NamedTuple):
    """What tells one state of a file from another."""

    device: int
    inode: int
    size_bytes: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that is whole, as it was when it was looked at."""

    path: Path
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken in: files by what became of them, and those that changed meanwhile and were left."""

    verdicts: tuple[FileVerdict, ...]
    refused: int
    left: int


class Inbox:
    """A folder that is looked into again and again, and what was seen in it.

    Args:
        folder: made where it is not there, and ``done`` and ``refused`` within it.
        quiet_s: how long a file must not have changed.
        ticking: gives seconds that never go back; of the machine, for files change by its clock.
    """

    def __init__(
        self, folder: Path, *, quiet_s: float = QUIET_S, ticking: Callable[[], float] = time.monotonic
    ) -> None:
        self.folder = folder
        self._quiet_s = quiet_s
        self._ticking = ticking
        self._seen: dict[str, tuple[Stamp, float]] = {}

    def look(self) -> list[Waiting]:
        """List the files that are whole.

        One is whole that did not change since a look ``quiet_s`` ago, or whose name or times were set a second or more
        after its last byte was written, as a rename or the end of a copy does.
        """
        now, found, seen = self._ticking(), [], {}
        for path, status in self._files():
            stamp = _stamp(status)
            before = self._seen.get(path.name)
            since = before[1] if before is not None and before[0] == stamp else now
            seen[path.name] = stamp, since
            if now - since >= self._quiet_s or status.st_ctime_ns - status.st_mtime_ns >= 1_000_000_000:
                found.append(Waiting(path, stamp))
        self._seen = seen
        return found

    def look_twice(self) -> list[Waiting]:
        """List the files that are whole, and wait once for those of which that can not be told yet."""
        found = self.look()
        if len(found) < len(self._seen):
            time.sleep(self._quiet_s)
            found = self.look()
        return found

    def take(self, session: Session, stopping: Callable[[], bool]) -> Taken:
        """Take in what is whole, each file by itself, in an order in which the later ones find what they refer to.

        Killed between its receipt and its move, a file is a duplicate at the next look and is moved then. What a rule
        refuses is set aside like what can not be read. A file that is our own fault stays, and keeps no other out.

        Args:
            session: who acts, where it is kept, and what day it is.
            stopping: asked between files whether to leave the rest.

        Raises:
            InboxUnfitError: a folder is not fit.
            CentralpayError: the database can not take it; the file stays.
            Exception: the first that a file raised and that is none of ours, after the others were taken.
        """
        receiver = session.receiver()
        verdicts: list[FileVerdict] = []
        failed, left, fault = 0, 0, None
        for each in sorted(self.look(), key=_place):
            if stopping():
                break
            try:
                verdict = _receive(receiver, each)
            except CentralpayError:
                raise
            except Exception as error:  # noqa: BLE001 (raised again below: one file does not keep the others out)
                fault = fault or error
                continue
            if verdict is None or _current(each.path) != each.stamp:
                left += 1
                continue
            verdicts.append(verdict)
            failed += not _is_well(verdict)
            try:
                self._set_aside(session, each.path, verdict)
            except FileNotFoundError:  # somebody took it away meanwhile; what was received is kept
                continue
            except OSError as error:
                fault = fault or error
        else:
            if fault is None:  # else the case of what could not be moved is there before its file
                self._settle_cases(session)
        if fault is not None:
            raise fault
        return Taken(tuple(verdicts), failed, left)

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        make(self.folder)
        try:
            entries = sorted(self.folder.iterdir())
        except OSError as error:
            raise InboxUnfitError(self.folder, error.strerror or "it can not be read") from error
        for entry in entries:
            if entry.name.startswith(".") or entry.name.lower().endswith(_UNFINISHED):
                continue
            try:
                status = entry.lstat()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise InboxUnfitError(self.folder, error.strerror or "its files can not be looked at") from error
            if stat.S_ISREG(status.st_mode):
                yield entry, status

    def _set_aside(self, session: Session, path: Path, verdict: FileVerdict) -> None:
        """Move a file to where it belongs; the case of one that was refused is there before it is moved."""
        if _is_well(verdict):
            move(path, free(path, subfolder(self.folder, "done", f"{session.today}")))
            return
        target = free(path, subfolder(self.folder, "refused"))
        subject, said = told(target.name), next(iter(complaints(verdict)), verdict.summary)[:500]
        with session.begin() as connection:
            if (subject, said) not in {(each.subject, each.detail) for each in _open_cases(connection)}:
                open_case(connection, CaseKind.FILE_REFUSED, subject, 0, said)
                activity.record(connection, session.actor, "inbox_refused", subject, sha256=verdict.sha256)
        move(path, target)

    def _settle_cases(self, session: Session) -> None:
        """End the cases of files that are not in ``refused`` any more; a case that a person ended stays so."""
        folder = subfolder(self.folder, "refused")
        there = {told(each.name) for each in folder.iterdir() if not each.name.startswith(".")}
        with session.begin() as connection:
            standing = {each.subject: (0, each.detail) for each in _open_cases(connection) if each.subject in there}
            settle_cases(connection, CaseKind.FILE_REFUSED, standing, "taken out of the folder refused")


def _open_cases(connection: Connection) -> list[Case]:
    return [each for each in list_cases(connection) if each.kind is CaseKind.FILE_REFUSED]


def _place(waiting: Waiting) -> tuple[int, int, str]:
    kind = _kind(waiting.path)
    return (_ORDER.index(kind) if kind in _ORDER else len(_ORDER), waiting.stamp.modified_ns, waiting.path.name)


def _kind(path: Path) -> FileKind:
    """Tell a file's kind by its beginning, unpacked; what can not be read is of none."""
    try:
        with os.fdopen(_open(path), "rb") as source:
            head = b""
            for piece in plain_pieces(source, path.name, _LARGEST_BYTES):
                head += piece
                if len(head) >= HEAD_BYTES:
                    break
    except (OSError, UnreadableError):
        return FileKind.UNKNOWN
    return detect_kind(head, path.name)


def _receive(receiver: Receiver, waiting: Waiting) -> FileVerdict | None:
    """Take one file in; None when it is not the one any more that was looked at.

    Raises:
        OSError: the vault has no room, or is away; that is no fault of the file.
    """
    name = told(waiting.path.name)
    try:
        opened = _open(waiting.path)
    except OSError as error:
        gone = error.errno in {errno.ENOENT, errno.ELOOP}
        return None if gone else refused(name, "file_opens", error.strerror or "it can not be read")
    with os.fdopen(opened, "rb") as source:
        if _stamp(os.fstat(opened)) != waiting.stamp:
            return None
        try:
            return receive_stream(receiver, source, name)
        except (RefusedError, WrongUseError) as error:
            return FileVerdict(path=name, kind="unknown", sha256="", status="quarantined", summary=str(error))


def _is_well(verdict: FileVerdict) -> bool:
    """Say whether nothing of a file needs a person; a file that comes again says of its sets what it said before."""
    return verdict.is_done and all(each.status not in {"quarantined", "conflict"} for each in verdict.sets)


def _open(path: Path) -> int:
    # Not followed where it has become a link since, and not waited for where it has become a pipe.
    return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)


def _current(path: Path) -> Stamp | None:
    try:
        return _stamp(path.lstat())
    except FileNotFoundError:
        return None


def _stamp(status: os.stat_result) -> Stamp:
    return Stamp(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
