"""What is true of the vault for any content, any range and any damage."""

import contextlib
import gzip
import hashlib
import io
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.encryption import Keyring, UnknownKeyError
from ingest.vault import Vault, VaultDamagedError
from ingest.vault.sealed_file import CHUNK_BYTES
from schemas.errors import UnreadableError

KEYRING = Keyring("main", {"main": bytes(range(32))})
CONTENTS = st.builds(
    lambda seed, length: (seed * (length // len(seed) + 1))[:length],
    st.binary(min_size=1, max_size=200),
    st.one_of(
        st.integers(0, 300),
        st.integers(CHUNK_BYTES - 2, CHUNK_BYTES + 2),
        st.integers(2 * CHUNK_BYTES - 2, 2 * CHUNK_BYTES + 300),
    ),
)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_any_content_and_any_range_come_back(data: st.DataObject) -> None:
    """For any content: SHA-256 and size are right, any range and any read from any place equal the content's."""
    content = data.draw(CONTENTS)
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)))
    with tempfile.TemporaryDirectory() as folder:
        vault = Vault(Path(folder), KEYRING)
        packed = content.startswith((b"\x1f\x8b", b"PK"))
        file = vault.store(io.BytesIO(gzip.compress(content) if packed else content), "any")
        assert (file.sha256, file.size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))
        assert vault.read(file.sha256, start, end) == content[start:end]
        with vault.open(file.sha256) as stream:
            stream.seek(start)
            assert stream.read(end - start) == content[start:end]


@settings(deadline=None, max_examples=60)
@given(content=CONTENTS, place=st.floats(0, 1, exclude_max=True), mask=st.integers(1, 255))
def test_any_changed_byte_of_a_stored_file_is_noticed(content: bytes, place: float, mask: int) -> None:
    """No single changed byte of a stored file goes unnoticed by a reader of the whole."""
    with tempfile.TemporaryDirectory() as folder:
        vault = Vault(Path(folder), KEYRING)
        file = vault.store(io.BytesIO(gzip.compress(content)), "any")
        path = next(Path(folder).rglob("*.vault"))
        stored = bytearray(path.read_bytes())
        stored[int(place * len(stored))] ^= mask
        path.write_bytes(stored)
        try:
            with vault.open(file.sha256) as stream:
                stream.read()
        except (VaultDamagedError, UnknownKeyError):
            return
        raise AssertionError("a changed byte went unnoticed")


@settings(deadline=None, max_examples=60)
@given(content=CONTENTS, place=st.floats(0, 1, exclude_max=True))
def test_any_cut_of_a_stored_file_is_noticed(content: bytes, place: float) -> None:
    """A stored file that lost its end does not open, wherever it was cut."""
    with tempfile.TemporaryDirectory() as folder:
        vault = Vault(Path(folder), KEYRING)
        file = vault.store(io.BytesIO(gzip.compress(content)), "any")
        path = next(Path(folder).rglob("*.vault"))
        stored = path.read_bytes()
        path.write_bytes(stored[: int(place * len(stored))])
        try:
            vault.open(file.sha256).close()
        except VaultDamagedError:
            return
        raise AssertionError("a cut went unnoticed")


@settings(deadline=None, max_examples=200)
@given(
    magic=st.sampled_from([b"\x1f\x8b", b"\x1f\x8b\x08", b"PK\x03\x04", b"PK\x05\x06"]), rest=st.binary(max_size=300)
)
def test_rubbish_that_begins_like_an_archive_never_ends_in_a_traceback(magic: bytes, rest: bytes) -> None:
    """Random bytes after an archive's magic are refused as unreadable, or stored if they happen to be an archive."""
    with tempfile.TemporaryDirectory() as folder:
        vault = Vault(Path(folder), KEYRING)
        with contextlib.suppress(UnreadableError):
            vault.store(io.BytesIO(magic + rest), "any")
        assert list((Path(folder) / "incoming").iterdir()) == []
