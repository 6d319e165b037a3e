"""A file under a new master key: the same content, at every moment whole, and never back from the dead."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.encryption import Keyring, UnknownKeyError
from ingest.vault import NotInVaultError, Vault
from ingest.vault.keys import rewrap
from ingest.vault.sealed_file import CHUNK_BYTES
from ingest.vault.sealed_header import VaultDamagedError, sealing_key_id

OLD = Keyring("old", {"old": bytes(range(32))})
NEW = Keyring("the new one", {"the new one": bytes(range(32, 64))})
BOTH = Keyring("the new one", {**OLD.keys, **NEW.keys})
CONTENT = b"CLP*1234567*1*120.50*98.20*12.30*13*998877665544~\n" * (CHUNK_BYTES // 20)
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give the place of a vault."""
    return tmp_path / "vault"


def store(root: Path, content: bytes = CONTENT) -> str:
    """Store bytes under the old key."""
    return Vault(root, OLD).store(io.BytesIO(content), "file").sha256


def stored(root: Path, sha256: str) -> bytes:
    """Read a file as it is stored."""
    return Vault(root, OLD).folder.path(sha256).read_bytes()


def behind_the_header(content: bytes) -> bytes:
    """Cut the documented header off."""
    return content[14 + int.from_bytes(content[12:14], "big") :]


def test_a_rewrapped_file_opens_with_the_new_key_alone(root: Path) -> None:
    """After it the old key opens nothing and the new one all of it; not a byte behind the header was touched."""
    sha256 = store(root)
    before = stored(root, sha256)
    assert rewrap(Vault(root, BOTH), sha256)
    with Vault(root, NEW).open(sha256) as stream:
        assert stream.read() == CONTENT
    with pytest.raises(UnknownKeyError, match="the new one"):
        Vault(root, OLD).open(sha256)
    after = stored(root, sha256)
    assert after != before
    assert behind_the_header(after) == behind_the_header(before)
    assert list((root / "incoming").iterdir()) == []
    assert Vault(root, NEW).folder.path(sha256).stat().st_mode & 0o777 == 0o600


def test_rewrapping_again_changes_nothing(root: Path) -> None:
    """A file under the current key is left as it is, to the byte and to the inode."""
    sha256 = store(root)
    rewrap(Vault(root, BOTH), sha256)
    before, inode = stored(root, sha256), Vault(root, NEW).folder.path(sha256).stat().st_ino
    assert not rewrap(Vault(root, BOTH), sha256)
    assert (stored(root, sha256), Vault(root, NEW).folder.path(sha256).stat().st_ino) == (before, inode)


def test_a_damaged_chunk_does_not_keep_the_old_key_in_use(root: Path) -> None:
    """What still opens of a damaged file opens under the new key."""
    sha256 = store(root)
    before = stored(root, sha256)
    content = bytearray(before)
    content[-len(behind_the_header(before)) + 5] ^= 1  # in the first chunk
    Vault(root, OLD).folder.path(sha256).write_bytes(content)
    assert rewrap(Vault(root, BOTH), sha256)
    assert Vault(root, NEW).read(sha256, CHUNK_BYTES, CHUNK_BYTES + 5) == CONTENT[CHUNK_BYTES : CHUNK_BYTES + 5]
    with pytest.raises(VaultDamagedError, match="chunk"):
        Vault(root, NEW).read(sha256, 0, 1)


def test_what_does_not_open_is_left_alone(root: Path) -> None:
    """A damaged key, a master key that is not at hand, a file that is not there: said, and not a byte changed."""
    sha256 = store(root)
    before = stored(root, sha256)
    with pytest.raises(UnknownKeyError, match="old"):
        rewrap(Vault(root, NEW), sha256)
    assert stored(root, sha256) == before
    damaged = before[:60] + bytes((before[60] ^ 1,)) + before[61:]
    Vault(root, OLD).folder.path(sha256).write_bytes(damaged)
    with pytest.raises(VaultDamagedError, match="sealed key"):
        rewrap(Vault(root, BOTH), sha256)
    assert stored(root, sha256) == damaged
    with pytest.raises(NotInVaultError):
        rewrap(Vault(root, BOTH), "0" * 64)


def test_a_seal_names_its_key_without_it() -> None:
    """Which key sealed a value is told by nobody's key."""
    assert sealing_key_id(OLD.seal(b"value", b"row")) == "old"
    assert sealing_key_id(NEW.seal(b"", b"")) == "the new one"


_PROGRAM = """
import os, shutil, sys
from contextlib import suppress
from pathlib import Path
from ingest.encryption import Keyring
from ingest.vault import NotInVaultError, Vault
from ingest.vault.keys import rewrap

root, copy, sha256 = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
old, new = bytes(range(32)), bytes(range(32, 64))
both = Vault(copy, Keyring("the new one", {"the new one": new, "old": old}))
alone = Vault(copy, Keyring("the new one", {"the new one": new}))
content = Vault(root, both.keyring).open(sha256).read()
"""

_AT_EVERY_STEP = (
    _PROGRAM
    + """
left = 0

def hook(event, arguments):
    global left
    if event in ("open", "os.rename", "os.remove", "os.mkdir", "fcntl.flock"):
        left -= 1
        if not left:
            os._exit(9)

sys.addaudithook(hook)
for step in range(1, 99):
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(root, copy)
    child = os.fork()
    if not child:
        left = step
        rewrap(both, sha256)
        os._exit(0)
    killed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    with both.open(sha256) as stream:
        assert stream.read() == content, step
    rewrap(both, sha256)
    with alone.open(sha256) as stream:
        assert stream.read() == content, step
    if not killed:
        print(step)
        break
"""
)

_LET_GO_MEANWHILE = (
    _PROGRAM
    + """
shutil.copytree(root, copy)
armed = True

def hook(event, arguments):
    # The moment before the copy takes the file's name: it goes for the folder's lock.
    global armed
    if armed and event == "open" and str(arguments[0]) == str(both.folder.path(sha256).parent):
        armed = False
        both.folder.erase(sha256)

sys.addaudithook(hook)
assert not rewrap(both, sha256)
assert not armed
with suppress(NotInVaultError):
    both.open(sha256)
    raise AssertionError("it came back")
assert list((copy / "incoming").iterdir()) == []
"""
)


def _run(program: str, root: Path, sha256: str) -> str:
    command = [sys.executable, "-c", program, str(root), str(root.parent / "copy"), sha256]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, cwd=REPOSITORY, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_rewrapping_can_be_killed_at_every_step(root: Path) -> None:
    """Killed before each thing it asks of the file system, the file is whole; run again, it is under the new key."""
    assert int(_run(_AT_EVERY_STEP, root, store(root))) > 5


def test_a_file_that_is_let_go_meanwhile_does_not_come_back(root: Path) -> None:
    """A file that is erased while its copy is written stays erased, and the copy goes."""
    _run(_LET_GO_MEANWHILE, root, store(root))
