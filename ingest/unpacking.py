"""What arrives, unpacked: plain, gzip, or a zip with one member; in constant memory, bombs refused."""

import io
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, NoReturn

from schemas.errors import UnreadableError
from schemas.findings import Finding

_READ_BYTES = 1 << 20
_SUSPICIOUS_FROM_BYTES = 32 << 20
_SUSPICIOUS_RATIO = 250  # 835 text packs about 10 to 1; a bomb 1,000 to 1
_ZIP_FROM_PIPE_BYTES = 32 << 20


def plain_pieces(stream: BinaryIO, name: str, largest_bytes: int) -> Iterator[bytes]:
    """Yield the plain content in pieces of about 1 MiB at most.

    Args:
        stream: read to its end; gzip and zip are told by their first bytes. One layer only.
        name: the file as the user named it, for messages.
        largest_bytes: more plain content than that is refused.

    Raises:
        UnreadableError: the source fails, or is a broken or unfit archive, or is too large; while yielding.
    """
    source = _Source(stream, name)
    head = source.read(4)
    if head.startswith(b"\x1f\x8b"):
        gunzipped = _gunzipped(source.pieces(head, 1 << 16), name)
        return _limited(gunzipped, lambda: source.read_bytes, name, largest_bytes)
    if head in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"):
        return _limited(*_unzipped(source.seekable(head), name), name, largest_bytes)
    return _limited(source.pieces(head, _READ_BYTES), None, name, largest_bytes)


def raw_pieces(stream: BinaryIO, name: str, largest_bytes: int) -> Iterator[bytes]:
    """Yield the bytes as they came, archive or not.

    Raises:
        UnreadableError: the source fails, or is too large; while yielding.
    """
    source = _Source(stream, name)
    return _limited(source.pieces(source.read(_READ_BYTES), _READ_BYTES), None, name, largest_bytes)


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
