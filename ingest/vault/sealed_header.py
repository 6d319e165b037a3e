"""The head of a sealed file: its own key, wrapped by a master key; and what is said when a part does not open."""

import os
import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from ingest.encryption import KEY_BYTES, Keyring, SealBrokenError, UnknownKeyError
from schemas.errors import CentralpayError

_MAGIC = b"CPVAULT\x01"
_FIXED = struct.Struct(">8sIH")
# An id that no sealed value can name: such an id is not printable.
_NO_KEY = Keyring("\0", {"\0": bytes(KEY_BYTES)})


class Part(StrEnum):
    """A part of the sealed form, for saying what is damaged."""

    @property
    def words(self) -> str:
        """As people read it."""
        return self.value.replace("_", " ")

    HEADER = "header"
    """Magic, chunk size, length of the sealed key."""
    SEALED_KEY = "sealed_key"
    """The file's own key, or what it is bound to: chunk size and name."""
    CHUNK = "chunk"
    """A part of the content."""
    INDEX = "index"
    """Where each chunk lies."""
    TRAILER = "trailer"
    """Where the index lies."""
    LENGTH = "length"
    """The chunks do not fill the room between header and index: bytes are missing or too many."""
    CONTENT = "content"
    """Every part opens, but together they are not the content that the name promises."""


class VaultDamagedError(CentralpayError):
    """A stored file was changed or cut short after it was written; its bytes are not to be used.

    Args:
        sha256: the file.
        part: what of it does not open.
    """

    def __init__(self, sha256: str, part: Part) -> None:
        self.sha256 = sha256
        self.part = part
        super().__init__(
            f"File {sha256} in the vault is damaged ({part.words}). Ingest it again, or restore it from a backup."
        )


def sealing_key_id(sealed: bytes) -> str:
    """Say which master key sealed a value; the key need not be at hand.

    Raises:
        SealBrokenError: it is no sealed value.
    """
    try:
        _NO_KEY.open(sealed, b"")
    except UnknownKeyError as error:
        return error.key_id
    raise SealBrokenError


def stored_at(descriptor: int, offset: int, length: int, sha256: str, part: Part) -> bytes:
    """Read so many stored bytes of an open file.

    Raises:
        VaultDamagedError: the file has not got them; ``part`` is what they would have been.
        OSError: the disk fails.
    """
    stored = os.pread(descriptor, length, offset) if offset >= 0 else b""
    if len(stored) != length:
        raise VaultDamagedError(sha256, part)
    return stored


@dataclass(frozen=True, slots=True)
class Header:
    """What stands in front of the chunks.

    Args:
        sha256: the file that it belongs to.
        chunk_bytes: plain bytes in each chunk but the last.
        sealed_key: the file's own key, wrapped.
    """

    sha256: str
    chunk_bytes: int
    sealed_key: bytes

    @classmethod
    def wrapping(cls, key: bytes, chunk_bytes: int, sha256: str, keyring: Keyring) -> Self:
        """Wrap a file's key under the current master key."""
        return cls(sha256, chunk_bytes, keyring.seal(key, _bound_to(chunk_bytes, sha256)))

    @classmethod
    def read(cls, descriptor: int, sha256: str) -> Self:
        """Read the header of an open file; nothing is decrypted.

        Raises:
            VaultDamagedError: it is none.
            OSError: the disk fails.
        """
        fixed = stored_at(descriptor, 0, _FIXED.size, sha256, Part.HEADER)
        magic, chunk_bytes, sealed_bytes = _FIXED.unpack(fixed)
        if magic != _MAGIC:
            raise VaultDamagedError(sha256, Part.HEADER)
        return cls(sha256, chunk_bytes, stored_at(descriptor, _FIXED.size, sealed_bytes, sha256, Part.SEALED_KEY))

    def stored(self) -> bytes:
        """Give the header as it stands in the file."""
        return _FIXED.pack(_MAGIC, self.chunk_bytes, len(self.sealed_key)) + self.sealed_key

    @property
    def stored_bytes(self) -> int:
        """Its length in the file."""
        return _FIXED.size + len(self.sealed_key)

    @property
    def key_id(self) -> str:
        """The id of the master key that wraps the file's key.

        Raises:
            VaultDamagedError: no key's id stands there.
        """
        try:
            return sealing_key_id(self.sealed_key)
        except SealBrokenError:
            raise VaultDamagedError(self.sha256, Part.SEALED_KEY) from None

    def key(self, keyring: Keyring) -> bytes:
        """Unwrap the file's own key.

        Raises:
            VaultDamagedError: it does not open.
            UnknownKeyError: the master key is not at hand.
        """
        try:
            return keyring.open(self.sealed_key, _bound_to(self.chunk_bytes, self.sha256))
        except SealBrokenError:
            raise VaultDamagedError(self.sha256, Part.SEALED_KEY) from None


def _bound_to(chunk_bytes: int, sha256: str) -> bytes:
    return _MAGIC + chunk_bytes.to_bytes(4, "big") + bytes.fromhex(sha256)
