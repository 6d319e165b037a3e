"""The vault: every file as it was received, compressed, encrypted, and named by the SHA-256 of its content.

How a file is sealed is in ``sealed_file``, where it lies in ``folder``. A gzip file, or a zip file with one member, is
stored as what is in it; one layer only. Nothing plain reaches a disk.
"""

import contextlib
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ingest.encryption import Keyring
from ingest.unpacking import plain_pieces, raw_pieces
from ingest.vault.folder import VaultFolder, VaultUnusableError
from ingest.vault.sealed_file import CHUNK_BYTES, PlainStream, SealedFile, write_sealed
from ingest.vault.sealed_header import VaultDamagedError
from schemas.errors import CentralpayError, WrongUseError

__all__ = [
    "CHUNK_BYTES",
    "LARGEST_FILE_BYTES",
    "NotInVaultError",
    "StoredFile",
    "Vault",
    "VaultDamagedError",
    "VaultUnusableError",
]

LARGEST_FILE_BYTES = 16 << 30
"""Decompressed. The largest file that is known from practice has little over 1 GB."""


class NotInVaultError(CentralpayError):
    """The vault holds no file of this SHA-256."""

    def __init__(self, sha256: str) -> None:
        self.sha256 = sha256
        super().__init__(f"The vault holds no file {sha256}.")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in the vault.

    Args:
        sha256: 64 hex digits of the decompressed content.
        size_bytes: of the decompressed content.
        created: False when the vault held this content already.
    """

    sha256: str
    size_bytes: int
    created: bool


@dataclass(frozen=True)
class Vault:
    """A folder of received files. Folders have mode 0700, files 0600. Safe for several processes at once.

    Args:
        root: the folder; made at the first store.
        keyring: master keys that wrap the files' keys.
        largest_bytes: a longer decompressed file is refused.
    """

    root: Path
    keyring: Keyring
    largest_bytes: int = LARGEST_FILE_BYTES

    @property
    def folder(self) -> VaultFolder:
        """The folder, without the keys."""
        return VaultFolder(self.root)

    def store(self, source: BinaryIO, name: str, *, unpack: bool = True) -> StoredFile:
        """Store a stream durably, in constant memory. The same content again changes nothing.

        Args:
            source: read to its end; it need not be seekable. Gzip and zip are recognised by their first bytes.
            name: the file as the user named it, for messages.
            unpack: False keeps an archive as it came, for one that can not be unpacked.

        Raises:
            UnreadableError: the source cannot be read, or is a broken or unfit archive, or is too large.
            VaultUnusableError: the folder cannot be written.
            UnknownKeyError: the content is there already, under a master key that is not given.
        """
        with self.folder.incoming() as (out, part):
            pieces = (plain_pieces if unpack else raw_pieces)(source, name, self.largest_bytes)
            sha256, size_bytes = write_sealed(pieces, out, self.keyring)
            os.fsync(out.fileno())
            created = self._publish(part, sha256)
        return StoredFile(sha256=sha256, size_bytes=size_bytes, created=created)

    def read(self, sha256: str, start: int, end: int) -> bytes:
        """Read plain bytes ``start`` up to but not including ``end``; only the chunks touched are decrypted.

        For many ranges of one file use ``open``: it opens the key and the index once and keeps the last chunk.

        Raises:
            WrongUseError: the range does not lie in the file, or ``sha256`` is not 64 hex digits.
            NotInVaultError, VaultDamagedError, VaultUnusableError, UnknownKeyError: see there.
        """
        with contextlib.closing(self.sealed(sha256)) as file:
            if not 0 <= start <= end <= file.size_bytes:
                raise WrongUseError(f"Bytes {start} to {end} do not lie in file {sha256} of {file.size_bytes} bytes.")
            if start == end:
                return b""
            first, last = start // file.chunk_bytes, (end - 1) // file.chunk_bytes
            plain = b"".join(file.chunk(number) for number in range(first, last + 1))
            return plain[start - first * file.chunk_bytes : end - first * file.chunk_bytes]

    def open(self, sha256: str) -> BinaryIO:
        """Open the plain content as a readable, seekable stream that holds one chunk at a time; close it after use.

        Raises:
            The same as ``read``, and while reading ``VaultDamagedError``.
        """
        return io.BufferedReader(PlainStream(self.sealed(sha256)), buffer_size=1 << 16)

    def sealed(self, sha256: str) -> SealedFile:
        """Open a file for reading by chunks; close it after use.

        Raises:
            The same as ``read``.
        """
        path = self.folder.path(sha256)
        with self.folder.usable():
            try:
                return SealedFile(path, sha256, self.keyring)
            except FileNotFoundError:
                raise NotInVaultError(sha256) from None

    def _publish(self, part: Path, sha256: str) -> bool:
        """Give the finished file its name; False if a sound one has it already."""
        with self.folder.held(sha256, alone=False) as target:
            try:
                os.link(part, target)  # unlike a rename it fails when the name is taken: exactly one of two wins
            except FileExistsError:
                if not self._is_damaged(sha256):
                    return False
                part.replace(target)
        return True

    def _is_damaged(self, sha256: str) -> bool:
        """Read a stored file through. An unknown master key is no damage: it is raised, and nothing is replaced."""
        try:
            with contextlib.closing(self.sealed(sha256)) as file:
                for number in range(file.chunk_count):
                    file.chunk(number)
        except VaultDamagedError:
            return True
        return False
