"""Whatever byte of a stored file changes: it is noticed, the part is named, and so is the content that is lost."""

import io
import os
import random
from contextlib import closing
from pathlib import Path

import pytest

from ingest.encryption import Keyring, UnknownKeyError
from ingest.vault import Vault, VaultDamagedError
from ingest.vault.report import Found
from ingest.vault.sealed_file import CHUNK_BYTES
from ingest.vault.sealed_header import Part
from ingest.vault.upkeep import losses

KEYRING = Keyring("main", {"main": bytes(range(32))})


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """Give an empty vault."""
    return Vault(tmp_path / "vault", KEYRING)


def found(vault: Vault, sha256: str) -> list[Found]:
    """Read a file through; give what is lost. One that does not open at all is lost whole, with the part that broke."""
    with closing(vault.sealed(sha256)) as file:
        return list(losses(file, lambda _: None))


def flip(path: Path, place: int) -> None:
    """Change one bit."""
    with path.open("r+b") as stored:
        (byte,) = os.pread(stored.fileno(), 1, place)
        os.pwrite(stored.fileno(), bytes((byte ^ 1,)), place)


def test_a_sound_file_has_no_losses(vault: Vault) -> None:
    """Of any length, none too: everything opens and the content is what the name says."""
    for size in (0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES):
        assert found(vault, vault.store(io.BytesIO(bytes(size)), "file").sha256) == []


def test_every_single_byte_is_guarded(vault: Vault) -> None:
    """Each byte of a small file, changed by itself, is noticed; the parts are named in the order in which they lie."""
    sha256 = vault.store(io.BytesIO(b"ISA*00*~"), "file").sha256
    path = vault.folder.path(sha256)
    parts: list[Part | str] = []
    for place in range(path.stat().st_size):
        flip(path, place)
        try:
            (loss,) = found(vault, sha256)
            assert (loss.first_chunk, loss.last_chunk, loss.lost_from_byte, loss.lost_to_byte) == (0, 0, 0, 8)
            parts.append(loss.part or "none")
        except VaultDamagedError as error:
            parts.append(error.part)
        except UnknownKeyError:
            parts.append("key's id")
        flip(path, place)
    assert found(vault, sha256) == []
    seen = list(dict.fromkeys(parts))
    assert set(seen) == {Part.HEADER, Part.SEALED_KEY, "key's id", Part.CHUNK, Part.INDEX, Part.TRAILER}
    assert parts[0] is Part.HEADER
    assert parts[-1] is Part.TRAILER
    assert parts.index(Part.SEALED_KEY) < parts.index(Part.CHUNK) < parts.index(Part.INDEX)


def test_the_lost_stretches_are_those_that_can_not_be_read(vault: Vault) -> None:
    """Neighbouring chunks are one stretch; all outside reads as it was; the last stretch ends with the file."""
    content = random.Random(5).randbytes(5 * CHUNK_BYTES + 100)  # cannot be compressed: all chunks take the same room
    sha256 = vault.store(io.BytesIO(content), "file").sha256
    path = vault.folder.path(sha256)
    with closing(vault.sealed(sha256)) as file:
        first, room = file.header.stored_bytes, file.stored_bytes_of(0)
    for chunk in (1, 2, 5):
        flip(path, first + chunk * room + 50)
    lost = found(vault, sha256)
    assert [(each.part, each.first_chunk, each.last_chunk) for each in lost] == [(Part.CHUNK, 1, 2), (Part.CHUNK, 5, 5)]
    stretches = [(each.lost_from_byte or 0, each.lost_to_byte or 0) for each in lost]
    assert stretches == [(CHUNK_BYTES, 3 * CHUNK_BYTES), (5 * CHUNK_BYTES, len(content))]
    assert vault.read(sha256, 0, CHUNK_BYTES) == content[:CHUNK_BYTES]
    assert vault.read(sha256, 3 * CHUNK_BYTES, 5 * CHUNK_BYTES) == content[3 * CHUNK_BYTES : 5 * CHUNK_BYTES]
    for start, end in stretches:
        for place in (start, end - 1):
            with pytest.raises(VaultDamagedError):
                vault.read(sha256, place, place + 1)


def test_bytes_that_were_put_in_or_taken_out_are_noticed(vault: Vault) -> None:
    """A file whose chunks do not fill their room does not open: nobody guesses where they lie."""
    sha256 = vault.store(io.BytesIO(random.Random(6).randbytes(500)), "file").sha256
    path = vault.folder.path(sha256)
    sound = path.read_bytes()
    for changed in (sound[:150] + b"x" + sound[150:], sound[:150] + sound[151:]):
        path.write_bytes(changed)
        with pytest.raises(VaultDamagedError) as caught:
            found(vault, sha256)
        assert caught.value.part is Part.LENGTH
