"""The vault gives back what was received, byte for byte, and nothing that was touched since."""

import gzip
import hashlib
import io
import os
import random
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from ingest.encryption import Keyring, UnknownKeyError
from ingest.vault import (
    NotInVaultError,
    StoredFile,
    Vault,
    VaultDamagedError,
    VaultUnusableError,
)
from ingest.vault.sealed_file import CHUNK_BYTES
from schemas.errors import UnreadableError, WrongUseError

REPOSITORY = Path(__file__).resolve().parents[2]
KEYRING = Keyring("main", {"main": bytes(range(32))})
LINE = b"CLP*1234567*1*120.50*98.20*12.30*13*998877665544~\n"


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """Give an empty vault."""
    return Vault(tmp_path / "vault", KEYRING)


class Pipe(io.RawIOBase):
    """A stream as a pipe is one: not seekable, and each read gives less than asked for."""

    def __init__(self, content: bytes, step: int = 7001) -> None:
        self._content = io.BytesIO(content)
        self._step = step

    def read(self, size: int = -1, /) -> bytes:
        """Give less than asked for."""
        return self._content.read(min(self._step, size) if size >= 0 else self._step)


class LongPipe(io.RawIOBase):
    """Gives so many MiB of noise, and holds one of them."""

    def __init__(self, mebibytes: int) -> None:
        self._block = random.Random(1).randbytes(1 << 20)
        self._left = mebibytes << 20

    def read(self, size: int = -1, /) -> bytes:
        """Give the next part of the block."""
        start = -self._left % len(self._block)
        piece = self._block[start : start + min(size, self._left)]
        self._left -= len(piece)
        return piece


class LostPipe(io.RawIOBase):
    """A network drive that goes away in the middle of a file."""

    def __init__(self) -> None:
        self._given = False

    def read(self, _size: int = -1, /) -> bytes:
        """Give one line, then fail as the system does."""
        if self._given:
            raise OSError(5, "Input/output error")
        self._given = True
        return LINE


def as_binary(pipe: io.RawIOBase) -> BinaryIO:
    """Pass a raw stream where a binary one is declared."""
    return pipe  # type: ignore[return-value]  # the standard library's raw streams are not declared BinaryIO


def store(vault: Vault, content: bytes, name: str = "file.835") -> StoredFile:
    """Store bytes."""
    return vault.store(io.BytesIO(content), name)


def stored_path(vault: Vault, file: StoredFile) -> Path:
    """Say where the documented layout puts a file."""
    return vault.root / file.sha256[:2] / f"{file.sha256}.vault"


def content_of(chunks: float) -> bytes:
    """Text that differs from chunk to chunk."""
    size = int(CHUNK_BYTES * chunks)
    return b"".join(b"CLP*%09d*1*1.00*1.00~" % number for number in range(size // 24 + 1))[:size]


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Make a zip file."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return held.getvalue()


def refused_rule(vault: Vault, content: bytes) -> str:
    """Give the rule by which the content is refused; it must be refused."""
    with pytest.raises(UnreadableError) as caught:
        store(vault, content, "sent.bin")
    assert caught.value.name == "sent.bin"
    return caught.value.findings[0].rule


@pytest.mark.parametrize("chunks", [0, 0.5, 1, 1.5, 2, 3, 4.25])
def test_content_comes_back_whole(chunks: float, vault: Vault) -> None:
    """Whatever the length is against the chunks, size, SHA-256 and content are those of what was given."""
    content = content_of(chunks)
    file = store(vault, content)
    assert file == StoredFile(hashlib.sha256(content).hexdigest(), len(content), created=True)
    with vault.open(file.sha256) as stream:
        assert stream.read() == content
    assert vault.read(file.sha256, 0, len(content)) == content


def test_a_file_of_no_bytes_can_be_stored(vault: Vault) -> None:
    """An empty file is a file: it has a SHA-256 and can be shown."""
    file = store(vault, b"")
    assert (file.size_bytes, file.created) == (0, True)
    assert vault.read(file.sha256, 0, 0) == b""
    with vault.open(file.sha256) as stream:
        assert stream.read(10) == b""


def test_the_same_content_again_changes_nothing(vault: Vault) -> None:
    """A file that is sent twice is kept once; the stored bytes are not written again."""
    first = store(vault, LINE)
    before = stored_path(vault, first).read_bytes()
    second = vault.store(io.BytesIO(gzip.compress(LINE)), "again.gz")
    assert (second.sha256, second.size_bytes, second.created) == (first.sha256, len(LINE), False)
    assert stored_path(vault, first).read_bytes() == before


def test_nothing_readable_lies_on_the_disk(vault: Vault) -> None:
    """Neither what is stored nor its name tells who the patient is."""
    secret = b"NM1*QC*1*DOE*JANE****MI*W123456789~"
    file = store(vault, secret)
    stored = stored_path(vault, file).read_bytes()
    assert b"DOE" not in stored
    assert b"JANE" not in stored
    assert stored.startswith(b"CPVAULT\x01")


def test_files_and_folders_are_closed_and_nothing_is_left_over(vault: Vault) -> None:
    """Folders 0700, files 0600 whatever the umask; the folder of incoming files is empty again."""
    old_mask = os.umask(0)
    try:
        file = store(vault, content_of(1.5))
    finally:
        os.umask(old_mask)
    modes = {path.relative_to(vault.root): path.stat().st_mode & 0o777 for path in vault.root.rglob("*")}
    folder = Path(file.sha256[:2])
    assert modes == {folder: 0o700, folder / f"{file.sha256}.vault": 0o600, Path("incoming"): 0o700}
    assert vault.root.stat().st_mode & 0o777 == 0o700


def test_any_range_is_the_range_of_the_content(vault: Vault) -> None:
    """Ranges at, before, over the borders of chunks, empty ones and the whole."""
    content = content_of(3.5)
    file = store(vault, content)
    edges = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, len(content) - 1, len(content)]
    for start in edges:
        for end in (edge for edge in edges if edge >= start):
            assert vault.read(file.sha256, start, end) == content[start:end]


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (3, 2), (0, len(LINE) + 1), (len(LINE) + 1, len(LINE) + 1)])
def test_a_range_outside_the_file_is_wrong_use(start: int, end: int, vault: Vault) -> None:
    """A range that the file does not have is refused, never cut to fit: a claim would come back incomplete."""
    file = store(vault, LINE)
    with pytest.raises(WrongUseError, match="do not lie in file"):
        vault.read(file.sha256, start, end)


def test_a_range_reads_only_the_chunks_it_touches(vault: Vault) -> None:
    """With another chunk destroyed the range still opens; the range of the destroyed chunk does not."""
    file = store(vault, content_of(3))
    path = stored_path(vault, file)
    stored = bytearray(path.read_bytes())
    stored[200] ^= 1  # the header has fewer than 100 bytes: this is in the first chunk
    path.write_bytes(stored)
    assert vault.read(file.sha256, CHUNK_BYTES, CHUNK_BYTES + 9) == content_of(3)[CHUNK_BYTES : CHUNK_BYTES + 9]
    with pytest.raises(VaultDamagedError):
        vault.read(file.sha256, 0, 9)


def test_the_stream_can_be_sought(vault: Vault) -> None:
    """Seek from start, place and end, tell, read past the end: as with any file."""
    content = content_of(2.5)
    file = store(vault, content)
    with vault.open(file.sha256) as stream:
        assert stream.seekable()
        assert stream.seek(-10, os.SEEK_END) == len(content) - 10
        assert stream.read() == content[-10:]
        stream.seek(CHUNK_BYTES - 5)
        assert stream.read(10) == content[CHUNK_BYTES - 5 : CHUNK_BYTES + 5]
        assert stream.tell() == CHUNK_BYTES + 5
        assert stream.seek(5, os.SEEK_CUR) == CHUNK_BYTES + 10
        assert stream.seek(len(content) + 100) == len(content) + 100
        assert stream.read(1) == b""
        with pytest.raises(ValueError, match="negative"):
            stream.seek(-len(content) - 1, os.SEEK_END)
    with pytest.raises(ValueError, match="closed"):
        stream.read(1)


def test_the_stream_closes_its_file(vault: Vault) -> None:
    """Opening and closing many times leaves no descriptor behind."""
    file = store(vault, LINE)
    before = len(list(Path("/dev/fd").iterdir()))
    for _ in range(20):
        with vault.open(file.sha256) as stream:
            stream.read(1)
        vault.read(file.sha256, 0, 1)
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_memory_does_not_grow_with_the_file(vault: Vault) -> None:
    """Storing and reading 48 MiB takes less than 12 MiB more than nothing."""
    tracemalloc.start()
    try:
        file = vault.store(as_binary(LongPipe(48)), "long")
        with vault.open(file.sha256) as stream:
            read_bytes = 0
            while piece := stream.read(1 << 20):
                read_bytes += len(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read_bytes == file.size_bytes == 48 << 20
    assert peak < 12 << 20


@pytest.mark.parametrize("sha256", ["", "0" * 63, "0" * 65, "A" * 64, "../" * 21 + "x", "0" * 64 + "\n"])
def test_a_name_that_is_no_sha256_leads_nowhere(sha256: str, vault: Vault) -> None:
    """What comes from an address bar cannot leave the vault's folder."""
    with pytest.raises(WrongUseError, match="64"):
        vault.read(sha256, 0, 0)


def test_a_file_that_is_not_there_is_named(vault: Vault) -> None:
    """Reading what was never stored says so, with the SHA-256."""
    for read in (vault.open, lambda sha256: vault.read(sha256, 0, 1)):
        with pytest.raises(NotInVaultError) as caught:
            read("0" * 64)
        assert caught.value.sha256 == "0" * 64


def swap_chunks(stored: bytes, header: int, chunk: int) -> bytes:
    """Let the first two chunks change places."""
    first, second = stored[header : header + chunk], stored[header + chunk : header + 2 * chunk]
    return stored[:header] + second + first + stored[header + 2 * chunk :]


def drop_last_chunk(stored: bytes, header: int, chunk: int) -> bytes:
    """Leave out the third and last chunk."""
    return stored[: header + 2 * chunk] + stored[header + 3 * chunk :]


def repeat_last_chunk(stored: bytes, header: int, chunk: int) -> bytes:
    """Give the last chunk twice."""
    end = header + 3 * chunk
    return stored[:end] + stored[header + 2 * chunk : end] + stored[end:]


@pytest.mark.parametrize("change", [swap_chunks, drop_last_chunk, repeat_last_chunk])
def test_moved_missing_and_repeated_chunks_are_noticed(
    change: Callable[[bytes, int, int], bytes], vault: Vault
) -> None:
    """Chunks of equal length, each sound in itself, are refused in any other place or number."""
    content = random.Random(2).randbytes(3 * CHUNK_BYTES)  # cannot be compressed: all chunks take the same room
    file = store(vault, content)
    path = stored_path(vault, file)
    stored = path.read_bytes()
    header = 14 + int.from_bytes(stored[12:14], "big")
    chunk, rest = divmod(len(stored) - header - (8 + 3 * 4 + 16) - 12, 3)
    assert rest == 0  # header, three chunks, index of three, trailer: as documented
    path.write_bytes(change(stored, header, chunk))
    with pytest.raises(VaultDamagedError), vault.open(file.sha256) as stream:
        stream.read()


def test_a_stored_file_under_another_name_does_not_open(vault: Vault) -> None:
    """The name is bound into the file: one remittance cannot be put in the place of another."""
    one, other = store(vault, LINE), store(vault, LINE + LINE)
    stored_path(vault, one).replace(stored_path(vault, other))
    with pytest.raises(VaultDamagedError):
        vault.open(other.sha256)


def test_a_damaged_file_is_healed_by_storing_it_again(vault: Vault) -> None:
    """Damage in a chunk, the index or the length: the same content again replaces the file and says created."""
    content = content_of(2)
    file = store(vault, content)
    path = stored_path(vault, file)
    sound = path.read_bytes()
    for damaged in (b"", sound[:-1], sound[:400] + bytes((sound[400] ^ 1,)) + sound[401:], sound + b"0"):
        path.write_bytes(damaged)
        assert store(vault, content).created
        assert vault.read(file.sha256, 0, len(content)) == content


def test_a_file_under_an_unknown_master_key_is_not_replaced(vault: Vault) -> None:
    """With the wrong master key configured, the vault refuses instead of writing over what the right key opens."""
    file = store(vault, LINE)
    before = stored_path(vault, file).read_bytes()
    wrong = Vault(vault.root, Keyring("wrong", {"wrong": bytes(32)}))
    with pytest.raises(UnknownKeyError, match="main"):
        store(wrong, LINE)
    with pytest.raises(UnknownKeyError):
        wrong.open(file.sha256)
    assert stored_path(vault, file).read_bytes() == before


@pytest.mark.parametrize("content", [LINE, b"", content_of(2.5)], ids=["line", "empty", "chunks"])
def test_gzip_is_stored_as_what_is_in_it(content: bytes, vault: Vault) -> None:
    """From a file or a pipe, one member or several, with zero padding: the SHA-256 is that of the plain content."""
    half = len(content) // 2
    forms = [
        gzip.compress(content),
        gzip.compress(content[:half]) + gzip.compress(content[half:]),
        gzip.compress(content) + bytes(1000),
    ]
    for packed in forms:
        for source in (io.BytesIO(packed), as_binary(Pipe(packed, 911))):
            file = vault.store(source, "sent.gz")
            assert (file.sha256, file.size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))


def test_every_cut_of_a_gzip_file_is_refused(vault: Vault) -> None:
    """A transfer that broke off is refused wherever it broke off, and leaves nothing behind."""
    packed = gzip.compress(LINE * 3)
    for length in range(2, len(packed)):
        assert refused_rule(vault, packed[:length]) == "gzip_sound"
    assert list((vault.root / "incoming").iterdir()) == []
    assert list(vault.root.iterdir()) == [vault.root / "incoming"]


def test_damaged_gzip_is_refused(vault: Vault) -> None:
    """A wrong checksum, a flipped bit in the data, and text after the end are damage."""
    packed = bytearray(gzip.compress(random.Random(3).randbytes(5000)))
    flipped = bytes(packed[:2500]) + bytes((packed[2500] ^ 1,)) + bytes(packed[2501:])
    wrong_sum = bytes(packed[:-8]) + bytes((packed[-8] ^ 1,)) + bytes(packed[-7:])
    for damaged in (flipped, wrong_sum, bytes(packed) + b"rubbish", b"\x1f\x8b\x00rubbish"):
        assert refused_rule(vault, damaged) == "gzip_sound"


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_file_with_one_member_is_stored_as_the_member(method: int, vault: Vault) -> None:
    """Folders beside the one file do not count; a zip file through a pipe works too while it is small."""
    content = content_of(1.25)
    for members in ([("a.835", content)], [("in/", b""), ("in/a.835", content)]):
        packed = zipped(*members, method=method)
        for source in (io.BytesIO(packed), as_binary(Pipe(packed, 4000))):
            file = vault.store(source, "sent.zip")
            assert (file.sha256, file.size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))


def test_zip_files_that_do_not_hold_exactly_one_file_are_refused(vault: Vault) -> None:
    """None or two: nobody guesses which one is meant."""
    assert refused_rule(vault, zipped()) == "zip_one_member"
    assert refused_rule(vault, zipped(("a", LINE), ("b", LINE))) == "zip_one_member"


def test_damaged_zip_files_are_refused(vault: Vault) -> None:
    """Cut short, with a flipped bit, or only the magic bytes: a finding, never a traceback."""
    packed = zipped(("a", random.Random(4).randbytes(5000)))
    flipped = packed[:2500] + bytes((packed[2500] ^ 1,)) + packed[2501:]
    for damaged in (packed[: len(packed) // 2], packed[:-5], flipped, b"PK\x03\x04", b"PK\x05\x06"):
        assert refused_rule(vault, damaged) == "zip_sound"


def test_locked_and_oddly_packed_zip_files_are_refused(vault: Vault) -> None:
    """A password or another method than deflate is said in words."""
    assert refused_rule(vault, zipped(("a", LINE), method=zipfile.ZIP_LZMA)) == "zip_method"
    locked = bytearray(zipped(("a", LINE)))
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    locked[6] |= 1
    assert refused_rule(vault, bytes(locked)) == "zip_open"


def test_a_bomb_is_refused_before_it_fills_the_disk(vault: Vault) -> None:
    """40 MiB of zeros from 40 kB are no remittance, as gzip or as zip."""
    zeros = bytes(40 << 20)
    assert refused_rule(vault, gzip.compress(zeros)) == "archive_ratio"
    assert refused_rule(vault, zipped(("a", zeros))) == "archive_ratio"
    assert list((vault.root / "incoming").iterdir()) == []


def test_plain_zeros_of_the_same_length_are_no_bomb(vault: Vault) -> None:
    """Only what was packed is held against a ratio."""
    assert store(vault, bytes(40 << 20)).size_bytes == 40 << 20


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """The limit counts decompressed bytes; the last allowed byte is allowed."""
    vault = Vault(tmp_path / "vault", KEYRING, largest_bytes=1000)
    assert store(vault, bytes(1000)).size_bytes == 1000
    assert refused_rule(vault, bytes(1001)) == "file_size"
    assert refused_rule(vault, gzip.compress(bytes(1001))) == "file_size"


def test_a_source_that_fails_is_said_with_its_name(vault: Vault) -> None:
    """A network drive that goes away in the middle is a finding about that file."""
    with pytest.raises(UnreadableError, match="Input/output error"):
        vault.store(as_binary(LostPipe()), "gone.835")


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    """A file where the vault should be is a refusal that names the vault."""
    (tmp_path / "vault").write_text("in the way")
    with pytest.raises(VaultUnusableError, match="vault"):
        store(Vault(tmp_path / "vault", KEYRING), LINE)


def test_processes_that_store_the_same_file_at_once_create_it_once(vault: Vault) -> None:
    """Four processes, one content: one says created, all agree on the SHA-256, and it can be read."""
    program = (
        "import io, sys\nfrom pathlib import Path\nfrom ingest.encryption import Keyring\n"
        "from ingest.vault import Vault\nsys.stdin.readline()\n"
        "vault = Vault(Path(sys.argv[1]), Keyring('main', {'main': bytes(range(32))}))\n"
        "file = vault.store(io.BytesIO(b'CLP*1~' * 500_000), 'same')\nprint(file.sha256, file.created)\n"
    )
    command = [sys.executable, "-c", program, str(vault.root)]
    pipe = subprocess.PIPE
    senders = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=REPOSITORY) for _ in range(4)]
    for sender in senders:
        assert sender.stdin is not None
        sender.stdin.write("go\n")
        sender.stdin.flush()
    answers = [sender.communicate(timeout=60)[0].split() for sender in senders]
    assert sorted(created for _, created in answers) == ["False"] * 3 + ["True"]
    assert {sha256 for sha256, _ in answers} == {hashlib.sha256(b"CLP*1~" * 500_000).hexdigest()}
    assert vault.read(answers[0][0], 0, 6) == b"CLP*1~"
