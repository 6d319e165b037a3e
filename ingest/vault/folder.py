"""The vault's folder on disk: where a file lies, how it gets there whole, and how it is taken away for good.

A file lies at ``<root>/<first two hex digits>/<sha256>.vault``; what is being written lies in ``<root>/incoming`` until
it is renamed. Folders have mode 0700, files 0600.

Who gives a stored file its name holds the lock of its two-digit folder shared; who replaces or removes a stored file
holds it alone, so nothing that was removed comes back by a rename that was under way. Who writes in ``incoming`` holds
the lock of his own file, so what is left of a process that was killed can be told from what is being written. The
system lets go of a killed process's locks.
"""

import fcntl
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from ledger.files import sync_folder
from schemas.errors import CentralpayError, WrongUseError

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_PREFIX = re.compile(r"[0-9a-f]{2}", re.ASCII)
_STORED, _PART, _INCOMING = ".vault", ".part", "incoming"
_ERASED_BYTES = 4096
"""More than any header takes: the file's own key is in it."""


class VaultUnusableError(CentralpayError):
    """The vault's folder cannot be written or read: no room, no permission."""

    def __init__(self, root: Path, reason: str) -> None:
        self.root = root
        super().__init__(f"The vault {root} cannot be used ({reason}).")


@dataclass(frozen=True)
class VaultFolder:
    """The folder and the names in it; it knows nothing of keys.

    Args:
        root: the folder; made when something is first written.

    Raises:
        VaultUnusableError: every method, when the system refuses.
    """

    root: Path

    @contextmanager
    def usable(self) -> Iterator[None]:
        """Turn what the system refuses into a sentence that names the vault."""
        try:
            yield
        except OSError as error:
            raise VaultUnusableError(self.root, error.strerror or type(error).__name__) from error

    def path(self, sha256: str) -> Path:
        """Say where a file lies, whether it is there or not.

        Raises:
            WrongUseError: the name is not 64 hex digits; a name from elsewhere never leads out of the folder.
        """
        if _SHA256.fullmatch(sha256) is None:
            raise WrongUseError("A file in the vault is named by the 64 lower-case hex digits of its SHA-256.")
        return self.root / sha256[:2] / f"{sha256}{_STORED}"

    @contextmanager
    def incoming(self) -> Iterator[tuple[BinaryIO, Path]]:
        """Give a new file to be written and its place; the place is gone at the end, if it was not renamed."""
        with self.usable():
            for folder in (self.root, self.root / _INCOMING):
                _make_folder(folder)
            descriptor, name = tempfile.mkstemp(dir=self.root / _INCOMING, suffix=_PART)
            try:
                with os.fdopen(descriptor, "wb") as out:
                    fcntl.flock(out, fcntl.LOCK_EX)
                    yield out, Path(name)
            finally:
                Path(name).unlink(missing_ok=True)

    @contextmanager
    def held(self, sha256: str, *, alone: bool) -> Iterator[Path]:
        """Hold the lock of the folder of a file, making the folder at need; give the file's place.

        At the end the names in the folder are on disk, also those that another process has just given: who commits
        after it must find them after a power cut.
        """
        path = self.path(sha256)
        with self.usable():
            _make_folder(path.parent)
            descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
                yield path
                os.fsync(descriptor)
                sync_folder(self.root)
            finally:
                os.close(descriptor)

    def erase(self, sha256: str) -> bool:
        """Take a file away for good; False if it was not there. May be stopped at any moment and called again.

        The file's own key is overwritten before the name is removed: without it the rest can not be decrypted, even if
        the disk still has it. Another name of the same bytes, left by a store that was killed, goes as well.
        """
        with self.held(sha256, alone=True) as path:
            try:
                descriptor = os.open(path, os.O_WRONLY)
            except FileNotFoundError:
                return False
            with os.fdopen(descriptor, "wb") as stored:
                stored.write(bytes(min(_ERASED_BYTES, os.fstat(descriptor).st_size)))
                stored.flush()
                os.fsync(descriptor)
                for part in self._parts():
                    with suppress(FileNotFoundError):
                        if os.path.samestat(part.stat(), os.fstat(descriptor)):
                            part.unlink()
            path.unlink()
        return True

    def digests(self) -> Iterator[str]:
        """Give the names of all stored files in ascending order, holding those of one folder at a time."""
        for folder in self._folders():
            names = sorted(path.name for path in self._entries(folder))
            yield from (name.removesuffix(_STORED) for name in names if self._is_stored(folder, name))

    def strays(self) -> Iterator[str]:
        """Give what lies in the vault and is not the vault's: a copy that somebody made, a file in the wrong place."""
        folders = self._folders()
        own = {folder.name for folder in folders} | {_INCOMING}
        found = [path for path in self._entries(self.root) if path.name not in own]
        found += (path for path in self._entries(self.root / _INCOMING) if path.suffix != _PART)
        yield from (str(path.relative_to(self.root)) for path in sorted(found))
        for folder in folders:
            names = sorted(path.name for path in self._entries(folder))
            yield from (f"{folder.name}/{name}" for name in names if not self._is_stored(folder, name))

    def stored_bytes(self) -> int:
        """Give the room that all stored files take."""
        total = 0
        with self.usable():
            for sha256 in self.digests():
                with suppress(FileNotFoundError):  # let go since its folder was listed
                    total += self.path(sha256).stat().st_size
        return total

    def abandoned(self, before: datetime, *, remove: bool = False) -> list[str]:
        """Name what killed processes left unfinished, and remove it if asked.

        Only a file that was last written before that moment and that no process holds counts: a store that waits for
        a slow pipe keeps its file, however long it takes.
        """
        found = []
        with self.usable():
            for path in self._parts():
                with suppress(FileNotFoundError), path.open("rb") as part:
                    if os.fstat(part.fileno()).st_mtime < before.timestamp() and _is_free(part):
                        if remove:
                            path.unlink()
                        found.append(path.name)
        return found

    def _folders(self) -> list[Path]:
        return sorted(path for path in self._entries(self.root) if _PREFIX.fullmatch(path.name) and path.is_dir())

    def _parts(self) -> list[Path]:
        return sorted(path for path in self._entries(self.root / _INCOMING) if path.suffix == _PART)

    def _is_stored(self, folder: Path, name: str) -> bool:
        digest = name.removesuffix(_STORED)
        return name.endswith(_STORED) and _SHA256.fullmatch(digest) is not None and digest.startswith(folder.name)

    def _entries(self, folder: Path) -> list[Path]:
        with self.usable(), suppress(FileNotFoundError):
            return list(folder.iterdir())
        return []


def _is_free(part: BinaryIO) -> bool:
    try:
        fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        return
    sync_folder(folder.parent)
