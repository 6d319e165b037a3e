"""The folder of backups: what lies where, which backups are whole, and what each says of itself.

``<root>/<name>/``           one backup: the database, the list of the vault's files, the manifest
``<root>/<name>.making/``    one under way, or killed: never taken for a backup, renamed when all of it is on disk
``<root>/objects/ab/abcd…``  files of the vault as they were stored, each named by the SHA-256 of its stored bytes

The objects serve all backups of the folder, so each holds the vault whole and costs only what is new. A file that was
put under another master key since is another object; both stay. Folders have mode 0700, files 0600.
"""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from pydantic import ValidationError

from app.running.errors import BackupDamagedError, BackupPlaceError, BackupUnderWayError, CopyFailedError
from app.running.manifest import Listed, Manifest, Piece
from ledger.files import sync_folder, write_whole

MANIFEST: Final = "manifest.json"
VAULT_LIST: Final = "vault.list"
_MAKING: Final = ".making"
_PIECE_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class BackupFolder:
    """The folder of backups.

    Args:
        root: the folder; made when a backup is made.
    """

    root: Path

    @contextmanager
    def alone(self) -> Iterator[int]:
        """Hold the folder for making a backup; gives the lock, for a child that must not outlive its parent unseen.

        Raises:
            BackupUnderWayError: another process holds it.
            BackupPlaceError: the folder can not be made or written.
        """
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise BackupPlaceError(f"{self.root}: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield lock
        except BlockingIOError:
            raise BackupUnderWayError(self.root) from None
        finally:
            os.close(lock)

    @contextmanager
    def making(self, now: datetime) -> Iterator[Path]:
        """Give the folder of a new backup, clearing away what killed ones left; it is gone if it does not get whole."""
        for left in (*self.root.glob(f"*{_MAKING}"), self._incoming):
            shutil.rmtree(left, ignore_errors=True)
        name = stem = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        number = 1
        while (self.root / name).exists():
            number += 1
            name = f"{stem}-{number}"
        folder = self.root / f"{name}{_MAKING}"
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(self._incoming, ignore_errors=True)

    def finish(self, folder: Path, manifest: Manifest) -> Path:
        """Make the folder a backup: everything in it to disk, then the manifest, then the name."""
        text = manifest.model_dump_json(indent=1)
        document = {"sha256": hashlib.sha256(text.encode()).hexdigest(), "manifest": text}
        write_private(folder / MANIFEST, json.dumps(document).encode() + b"\n")
        for each in folder.iterdir():
            _sync(each)
        sync_folder(folder)
        place = self.root / name_of(folder)
        folder.rename(place)
        sync_folder(self.root)
        return place

    def backups(self) -> list[str]:
        """Name the backups that are whole, newest first."""
        found = (path.parent.name for path in self.root.glob(f"*/{MANIFEST}"))
        return sorted((name for name in found if not name.endswith(_MAKING)), reverse=True)

    def manifest(self, name: str) -> Manifest:
        """Read what a backup says of itself.

        Raises:
            BackupPlaceError: there is no such backup.
            BackupDamagedError: it is not what was written.
        """
        path = self.root / name / MANIFEST
        try:
            document = json.loads(path.read_bytes())
            text = document["manifest"]
            if hashlib.sha256(text.encode()).hexdigest() == document["sha256"]:
                return Manifest.model_validate_json(text)
        except FileNotFoundError:
            raise BackupPlaceError(f"{self.root} holds no backup {name}.") from None
        except OSError as error:
            raise BackupPlaceError(f"{path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError, ValidationError):
            pass
        raise BackupDamagedError(self.root / name, MANIFEST, "the manifest as it was written", "another")

    def listed(self, name: str) -> Iterator[Listed]:
        """Give the vault's files of a backup in the order of their names.

        Raises:
            BackupDamagedError: the list is none.
        """
        try:
            with (self.root / name / VAULT_LIST).open(encoding="ascii") as lines:
                for line in lines:
                    sha256, stored, size, mtime = line.split()
                    yield Listed(sha256, stored, int(size), int(mtime))
        except (ValueError, FileNotFoundError):
            raise BackupDamagedError(self.root / name, VAULT_LIST, "the list of the vault's files", "another") from None

    def object_path(self, stored_sha256: str) -> Path:
        """Say where the stored bytes of a file lie."""
        return self.root / "objects" / stored_sha256[:2] / stored_sha256

    def add_object(self, source: BinaryIO) -> tuple[str, int]:
        """Copy stored bytes among the objects, durably; give their SHA-256 and size. The same again changes nothing."""
        for each in (self._incoming.parent, self._incoming):
            each.mkdir(mode=0o700, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._incoming)
        with os.fdopen(descriptor, "wb") as out:
            digest = copied(source, out)
            out.flush()
            os.fsync(out.fileno())
            size = out.tell()
        place = self.object_path(digest)
        place.parent.mkdir(mode=0o700, exist_ok=True)
        Path(name).rename(place)
        return digest, size

    def sync_objects(self, stored: Iterable[str]) -> None:
        """Make the names of new objects survive a power cut."""
        folders = {self.object_path(each).parent for each in stored}
        for folder in (*sorted(folders), self.root / "objects", self.root):
            if folder.is_dir():
                sync_folder(folder)

    @property
    def _incoming(self) -> Path:
        return self.root / "objects" / "incoming"


def name_of(folder: Path) -> str:
    """Give the name of a backup under way."""
    return folder.name.removesuffix(_MAKING)


def piece(path: Path) -> Piece:
    """Read a file through and describe it."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Piece(name=path.name, size_bytes=path.stat().st_size, sha256=digest)


def copied(source: BinaryIO, out: BinaryIO) -> str:
    """Copy a stream and give the SHA-256 of what was copied."""
    digest = hashlib.sha256()
    while part := source.read(_PIECE_BYTES):
        digest.update(part)
        out.write(part)
    return digest.hexdigest()


def write_private(path: Path, content: bytes) -> None:
    """Write a file that nobody but its owner may read, in place of one that may be there.

    Raises:
        CopyFailedError: it can not be written.
    """
    try:
        write_whole(path, content)
        sync_folder(path.parent)
    except OSError as error:
        raise CopyFailedError(f"{path}: {error.strerror}") from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
