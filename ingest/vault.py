"""The vault: every file as it was received, compressed, encrypted, and named by the SHA-256 of its content.

A file lies at ``<root>/<first two hex digits>/<sha256>.vault``. Numbers are big-endian::

    header    8 bytes   magic "CPVAULT" and the version, 1
              4 bytes   plain bytes in each chunk but the last
              2 bytes   length of the next field
              n bytes   the file's own AES-256 key, sealed by the master key (``ingest.encryption``),
                        bound to magic, chunk size and SHA-256 of the plain content
    chunks    each: a zstandard frame, AES-256-GCM, tag at the end
    index     AES-256-GCM of: 8 bytes plain size, then 4 bytes stored length of each chunk
    trailer   4 bytes length of the stored index, 8 bytes "CPVINDEX"

Chunk number n has the nonce (0, n) and the associated data (n, 1 if it is the last, else 0); the index has the nonce
(1, 0). The key is drawn for this one file and never used again, so no nonce repeats. A chunk that is changed, moved,
left out or taken from another file does not open; an empty file has one empty chunk. To read a range takes the index
and the chunks that the range touches.

A gzip file, or a zip file with one member, is stored as what is in it; one layer only. Nothing plain reaches a disk.
"""

import contextlib
import hashlib
import io
import os
import re
import secrets
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ingest.encryption import KEY_BYTES, Keyring, SealBrokenError, sync_folder
from ingest.unpacking import plain_pieces, raw_pieces
from schemas.errors import CentralpayError, WrongUseError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK_BYTES = 1 << 18
"""Measured on generated 835 text: a range is read 2.5 times as fast as with 1 MiB, for 0.3 % more room."""
LARGEST_FILE_BYTES = 16 << 30
"""Decompressed. The largest file that is known from practice has little over 1 GB."""
_ZSTD_LEVEL = 1  # on 835 text level 1 is twice as fast as level 3 and no larger
_MAGIC = b"CPVAULT\x01"
_INDEX_MAGIC = b"CPVINDEX"
_HEADER = struct.Struct(">8sIH")
_TRAILER = struct.Struct(">I8s")
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


class NotInVaultError(CentralpayError):
    """The vault holds no file of this SHA-256."""

    def __init__(self, sha256: str) -> None:
        self.sha256 = sha256
        super().__init__(f"The vault holds no file {sha256}.")


class VaultDamagedError(CentralpayError):
    """A stored file was changed or cut short after it was written; its bytes are not to be used."""

    def __init__(self, sha256: str) -> None:
        self.sha256 = sha256
        super().__init__(f"File {sha256} in the vault is damaged. Ingest it again, or restore it from a backup.")


class VaultUnusableError(CentralpayError):
    """The vault's folder cannot be written or read: no room, no permission."""

    def __init__(self, root: Path, reason: str) -> None:
        self.root = root
        super().__init__(f"The vault {root} cannot be used ({reason}).")


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
        try:
            _make_folder(self.root)
            incoming = self.root / "incoming"
            _make_folder(incoming)
            pieces = (plain_pieces if unpack else raw_pieces)(source, name, self.largest_bytes)
            descriptor, temporary = tempfile.mkstemp(dir=incoming, suffix=".part")
            try:
                with os.fdopen(descriptor, "wb") as out:
                    sha256, size_bytes = _write(pieces, out, self.keyring)
                    os.fsync(out.fileno())
                created = self._publish(Path(temporary), sha256)
            finally:
                Path(temporary).unlink(missing_ok=True)
        except OSError as error:
            raise VaultUnusableError(self.root, error.strerror or type(error).__name__) from error
        return StoredFile(sha256=sha256, size_bytes=size_bytes, created=created)

    def read(self, sha256: str, start: int, end: int) -> bytes:
        """Read plain bytes ``start`` up to but not including ``end``; only the chunks touched are decrypted.

        For many ranges of one file use ``open``: it opens the key and the index once and keeps the last chunk.

        Raises:
            WrongUseError: the range does not lie in the file, or ``sha256`` is not 64 hex digits.
            NotInVaultError, VaultDamagedError, VaultUnusableError, UnknownKeyError: see there.
        """
        with contextlib.closing(self._sealed_file(sha256)) as file:
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
        return io.BufferedReader(_PlainStream(self._sealed_file(sha256)), buffer_size=1 << 16)

    def _path(self, sha256: str) -> Path:
        # This also keeps a name from elsewhere from leading out of the folder.
        if _SHA256.fullmatch(sha256) is None:
            raise WrongUseError("A file in the vault is named by the 64 lower-case hex digits of its SHA-256.")
        return self.root / sha256[:2] / f"{sha256}.vault"

    def _sealed_file(self, sha256: str) -> "_SealedFile":
        path = self._path(sha256)
        try:
            return _SealedFile(path, sha256, self.keyring)
        except FileNotFoundError:
            raise NotInVaultError(sha256) from None
        except OSError as error:
            raise VaultUnusableError(self.root, error.strerror or type(error).__name__) from error

    def _publish(self, temporary: Path, sha256: str) -> bool:
        """Give the finished file its name; False if a sound one has it already."""
        target = self._path(sha256)
        _make_folder(target.parent)
        created = True
        try:
            os.link(temporary, target)  # unlike a rename it fails when the name is taken: exactly one of two wins
        except FileExistsError:
            created = self._is_damaged(sha256)
            if created:
                temporary.replace(target)
        # Also when another process has just named it: our caller will commit, and must find the name after a power cut.
        for folder in (target.parent, self.root):
            sync_folder(folder)
        return created

    def _is_damaged(self, sha256: str) -> bool:
        """Read a stored file through. An unknown master key is no damage: it is raised, and nothing is replaced."""
        try:
            with contextlib.closing(self._sealed_file(sha256)) as file:
                for number in range(file.chunk_count):
                    file.chunk(number)
        except VaultDamagedError:
            return True
        return False


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        return
    sync_folder(folder.parent)


# The stored form.
def _nonce(kind: int, number: int) -> bytes:
    return kind.to_bytes(4, "big") + number.to_bytes(8, "big")


def _chunk_data(number: int, *, last: bool) -> bytes:
    return number.to_bytes(8, "big") + bytes((last,))


def _key_data(chunk_bytes: int, sha256: str) -> bytes:
    return _MAGIC + chunk_bytes.to_bytes(4, "big") + bytes.fromhex(sha256)


def _write(pieces: Iterator[bytes], out: BinaryIO, keyring: Keyring) -> tuple[str, int]:
    """Write the stored form; SHA-256 and size of the plain content."""
    key = secrets.token_bytes(KEY_BYTES)
    cipher, compressor, digest = AESGCM(key), zstandard.ZstdCompressor(level=_ZSTD_LEVEL), hashlib.sha256()
    # The header binds the SHA-256, which is known last: leave room, the length does not depend on it.
    header_bytes = _HEADER.size + len(keyring.seal(key, b""))
    out.write(bytes(header_bytes))
    size_bytes, lengths = 0, bytearray()
    for number, (chunk, last) in enumerate(_chunks(pieces)):
        digest.update(chunk)
        body = cipher.encrypt(_nonce(0, number), compressor.compress(chunk), _chunk_data(number, last=last))
        out.write(body)
        size_bytes += len(chunk)
        lengths += len(body).to_bytes(4, "big")
    index = cipher.encrypt(_nonce(1, 0), size_bytes.to_bytes(8, "big") + lengths, _INDEX_MAGIC)
    out.write(index + _TRAILER.pack(len(index), _INDEX_MAGIC))
    sha256 = digest.hexdigest()
    sealed_key = keyring.seal(key, _key_data(CHUNK_BYTES, sha256))
    out.seek(0)
    out.write(_HEADER.pack(_MAGIC, CHUNK_BYTES, len(sealed_key)) + sealed_key)
    out.flush()
    return sha256, size_bytes


def _chunks(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Cut pieces of any length into chunks, each with whether it is the last; nothing gives one empty chunk."""
    held = bytearray()
    for piece in pieces:
        held += piece
        start = 0
        while len(held) - start > CHUNK_BYTES:  # a chunk goes out only when it is known that more follows
            yield bytes(held[start : start + CHUNK_BYTES]), False
            start += CHUNK_BYTES
        del held[:start]
    yield bytes(held), True


class _SealedFile:
    """One stored file, open for reading: its key and its index are checked, its chunks when they are asked for.

    Raises:
        VaultDamagedError, UnknownKeyError, OSError.
    """

    def __init__(self, path: Path, sha256: str, keyring: Keyring) -> None:
        self._sha256 = sha256
        self._descriptor = os.open(path, os.O_RDONLY)
        try:
            self._open(keyring)
        except BaseException as error:
            self.close()
            if isinstance(error, SealBrokenError | InvalidTag | struct.error):
                raise VaultDamagedError(sha256) from None
            raise

    def _open(self, keyring: Keyring) -> None:
        magic, self.chunk_bytes, sealed_bytes = _HEADER.unpack(self._at(0, _HEADER.size))
        stored_bytes = os.fstat(self._descriptor).st_size
        index_bytes, index_magic = _TRAILER.unpack(self._at(stored_bytes - _TRAILER.size, _TRAILER.size))
        index_at = stored_bytes - _TRAILER.size - index_bytes
        if magic != _MAGIC or index_magic != _INDEX_MAGIC or index_at < 0:
            raise SealBrokenError
        sealed_key = self._at(_HEADER.size, sealed_bytes)
        self._cipher = AESGCM(keyring.open(sealed_key, _key_data(self.chunk_bytes, self._sha256)))
        index = self._cipher.decrypt(_nonce(1, 0), self._at(index_at, index_bytes), _INDEX_MAGIC)
        self.size_bytes = int.from_bytes(index[:8], "big")
        lengths = struct.unpack(f">{(len(index) - 8) // 4}I", index[8:])
        self._offsets = [_HEADER.size + sealed_bytes]
        for length in lengths:
            self._offsets.append(self._offsets[-1] + length)
        if self._offsets[-1] != index_at:
            raise SealBrokenError

    def _at(self, offset: int, length: int) -> bytes:
        stored = os.pread(self._descriptor, length, offset) if offset >= 0 else b""
        if len(stored) != length:
            raise SealBrokenError
        return stored

    @property
    def chunk_count(self) -> int:
        """At least one."""
        return len(self._offsets) - 1

    def chunk(self, number: int) -> bytes:
        """Decrypt chunk ``number``, the first is 0."""
        start, end = self._offsets[number], self._offsets[number + 1]
        last = number + 1 == self.chunk_count
        try:
            body = self._at(start, end - start)
            frame = self._cipher.decrypt(_nonce(0, number), body, _chunk_data(number, last=last))
            return zstandard.ZstdDecompressor().decompress(frame, max_output_size=self.chunk_bytes)
        except (SealBrokenError, InvalidTag, zstandard.ZstdError, OSError):
            raise VaultDamagedError(self._sha256) from None

    def close(self) -> None:
        """Close the descriptor; again does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class _PlainStream(io.RawIOBase):
    """The plain content of one stored file, with one chunk held."""

    def __init__(self, file: _SealedFile) -> None:
        self._file = file
        self._position = 0
        self._number = -1
        self._chunk = b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        target = memoryview(buffer).cast("B")
        if self._position >= self._file.size_bytes:
            return 0
        number, within = divmod(self._position, self._file.chunk_bytes)
        if number != self._number:
            self._chunk, self._number = self._file.chunk(number), number
        part = self._chunk[within : within + len(target)]
        target[: len(part)] = part
        self._position += len(part)
        return len(part)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._file.size_bytes}[whence]
        if base + offset < 0:
            raise ValueError("a position in a file is not negative")
        self._position = base + offset
        return self._position

    def close(self) -> None:
        self._file.close()
        super().close()
