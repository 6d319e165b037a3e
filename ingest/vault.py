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
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ingest.encryption import KEY_BYTES, Keyring, SealBrokenError, sync_folder
from schemas.errors import CentralpayError, UnreadableError, WrongUseError
from schemas.findings import Finding

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK_BYTES = 1 << 18
"""Measured on generated 835 text: a range is read 2.5 times as fast as with 1 MiB, for 0.3 % more room."""
LARGEST_FILE_BYTES = 16 << 30
"""Decompressed. The largest file that is known from practice has little over 1 GB."""
_READ_BYTES = 1 << 20
_ZSTD_LEVEL = 1  # on 835 text level 1 is twice as fast as level 3 and no larger
_MAGIC = b"CPVAULT\x01"
_INDEX_MAGIC = b"CPVINDEX"
_HEADER = struct.Struct(">8sIH")
_TRAILER = struct.Struct(">I8s")
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)

_SUSPICIOUS_FROM_BYTES = 32 << 20
_SUSPICIOUS_RATIO = 250  # 835 text packs about 10 to 1; a bomb 1,000 to 1
_ZIP_FROM_PIPE_BYTES = 32 << 20


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

    def store(self, source: BinaryIO, name: str) -> StoredFile:
        """Store a stream durably, in constant memory. The same content again changes nothing.

        Args:
            source: read to its end; it need not be seekable. Gzip and zip are recognised by their first bytes.
            name: the file as the user named it, for messages.

        Raises:
            UnreadableError: the source cannot be read, or is a broken or unfit archive, or is too large.
            VaultUnusableError: the folder cannot be written.
            UnknownKeyError: the content is there already, under a master key that is not given.
        """
        try:
            _make_folder(self.root)
            incoming = self.root / "incoming"
            _make_folder(incoming)
            descriptor, temporary = tempfile.mkstemp(dir=incoming, suffix=".part")
            try:
                with os.fdopen(descriptor, "wb") as out:
                    sha256, size_bytes = _write(_unpacked(source, name, self.largest_bytes), out, self.keyring)
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


# What arrives: plain, gzip or zip.
def _refuse_damaged(name: str, kind: str, found: str = "a damaged one") -> NoReturn:
    _refuse(name, f"{kind}_sound", f"a sound {kind} file", found, "Ask the sender for the file again.")


def _refuse(name: str, rule: str, expected: str, found: str, advice: str = "") -> NoReturn:
    raise UnreadableError(
        name, [Finding(rule=rule, element="file", expected=expected, found=found, advice=advice)]
    ) from None


class _Source:
    """Counts what is read, fills short reads, and says it when the source fails."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._stream = stream
        self._name = name
        self.read_bytes = 0

    def read(self, size: int) -> bytes:
        """Read exactly ``size`` bytes, fewer only at the end."""
        pieces, missing = [], size
        try:
            while missing > 0 and (piece := self._stream.read(missing)):
                pieces.append(piece)
                missing -= len(piece)
                self.read_bytes += len(piece)
        except OSError as error:
            _refuse(self._name, "file_readable", "a file that can be read", error.strerror or type(error).__name__)
        return b"".join(pieces)

    def pieces(self, head: bytes, size: int) -> Iterator[bytes]:
        """Yield what was read already, then the rest to the end."""
        piece = head
        while piece:
            yield piece
            piece = self.read(size)

    def seekable(self, head: bytes) -> BinaryIO:
        """Give the stream from the head on, or what can be held of a pipe."""
        if self._stream.seekable():
            self._stream.seek(-len(head), os.SEEK_CUR)
            return self._stream
        held = head + self.read(_ZIP_FROM_PIPE_BYTES)
        if len(held) > _ZIP_FROM_PIPE_BYTES:
            advice = "Save it and ingest the file, or unpack it first."
            _refuse(self._name, "zip_seekable", "a zip file on disk", "a large zip file through a pipe", advice)
        return io.BytesIO(held)


def _unpacked(stream: BinaryIO, name: str, largest_bytes: int) -> Iterator[bytes]:
    """Yield the plain content in pieces of about 1 MiB at most; ``UnreadableError`` as ``Vault.store`` says."""
    source = _Source(stream, name)
    head = source.read(4)
    if head.startswith(b"\x1f\x8b"):
        gunzipped = _gunzipped(source.pieces(head, 1 << 16), name)
        return _limited(gunzipped, lambda: source.read_bytes, name, largest_bytes)
    if head in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"):
        return _limited(*_unzipped(source.seekable(head), name), name, largest_bytes)
    return _limited(source.pieces(head, _READ_BYTES), None, name, largest_bytes)


def _limited(
    pieces: Iterator[bytes], consumed: Callable[[], int] | None, name: str, largest_bytes: int
) -> Iterator[bytes]:
    """Stop at content that is too long, or that unpacks to far more than any text would."""
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > largest_bytes:
            _refuse(name, "file_size", f"at most {largest_bytes} bytes", "more", "Ask for the file in parts.")
        if consumed is not None and total > max(_SUSPICIOUS_FROM_BYTES, _SUSPICIOUS_RATIO * consumed()):
            found = "one that unpacks to far more than text would"
            _refuse(name, "archive_ratio", "an archive of text", found, "Unpack it first and look at what it holds.")
        yield piece


def _gunzipped(packed: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Unpack gzip (RFC 1952): one member after another, zero padding after the last one allowed."""
    inflater = zlib.decompressobj(wbits=31)
    try:
        for piece in packed:
            rest = piece
            while rest:
                if inflater.eof:
                    rest = rest.lstrip(b"\0")
                    if not rest:
                        break
                    inflater = zlib.decompressobj(wbits=31)
                if plain := inflater.decompress(rest, _READ_BYTES):
                    yield plain
                rest = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
        yield inflater.flush()
    except zlib.error:
        _refuse_damaged(name, "gzip")
    if not inflater.eof:
        _refuse_damaged(name, "gzip", "one that is cut short")


def _unzipped(stream: BinaryIO, name: str) -> tuple[Iterator[bytes], Callable[[], int]]:
    """Unpack the only member of a zip file; also the packed size that was declared for it."""
    advice = "Unpack it and ingest the files."
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        _refuse_damaged(name, "zip")
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) != 1:
        _refuse(name, "zip_one_member", "a zip file with one file in it", f"{len(members)} files", advice)
    member = members[0]
    if member.flag_bits & 1:
        _refuse(name, "zip_open", "a zip file without a password", "one with a password", advice)
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        _refuse(name, "zip_method", "a zip file packed by deflate", f"method {member.compress_type}", advice)
    return _member_pieces(archive, member, name), lambda: member.compress_size


def _member_pieces(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> Iterator[bytes]:
    try:
        with archive, archive.open(member) as stream:
            while piece := stream.read(_READ_BYTES):
                yield piece
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError):
        _refuse_damaged(name, "zip")
