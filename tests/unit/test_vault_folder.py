"""The vault's folder: what is erased is gone, what is being written is left alone, what is not ours is told."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import pytest

from ingest.encryption import Keyring
from ingest.vault import NotInVaultError, Vault, VaultDamagedError, VaultUnusableError

KEYRING = Keyring("main", {"main": bytes(range(32))})
LINE = b"CLP*1234567*1*120.50*98.20*12.30*13*998877665544~\n"
REPOSITORY = Path(__file__).resolve().parents[2]
LATER = datetime.now(UTC) + timedelta(days=2)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """Give an empty vault."""
    return Vault(tmp_path / "vault", KEYRING)


def store(vault: Vault, content: bytes) -> str:
    """Store bytes; give their SHA-256."""
    return vault.store(io.BytesIO(content), "file").sha256


def abandon(vault: Vault, name: str = "left.part", content: bytes = LINE) -> Path:
    """Leave an unfinished file, as a killed store does."""
    store(vault, b"first")
    path = vault.root / "incoming" / name
    path.write_bytes(content)
    return path


# Erasing -------------------------------------------------------------------------------------------------------------


def test_erased_files_are_gone(vault: Vault) -> None:
    """What is erased is in the vault no more, all else is; erasing again says that there was nothing."""
    gone, stays = store(vault, LINE), store(vault, LINE * 2)
    assert vault.folder.erase(gone)
    with pytest.raises(NotInVaultError):
        vault.open(gone)
    assert not vault.folder.erase(gone)
    assert list(vault.folder.digests()) == [stays]
    assert vault.read(stays, 0, 3) == b"CLP"


def test_an_erased_file_does_not_open_under_another_name(vault: Vault, tmp_path: Path) -> None:
    """The file's own key is overwritten before the name goes: bytes that are found later can not be decrypted."""
    sha256 = store(vault, LINE)
    path = vault.folder.path(sha256)
    kept = tmp_path / "kept"
    os.link(path, kept)
    size = path.stat().st_size
    vault.folder.erase(sha256)
    assert kept.stat().st_size == size
    kept.rename(path)
    with pytest.raises(VaultDamagedError, match="header"):
        vault.open(sha256)


def test_erasing_takes_the_name_that_a_killed_store_left(vault: Vault) -> None:
    """A store that was killed before it cleaned up leaves a second name of the same bytes: it goes as well."""
    sha256 = store(vault, LINE)
    second = vault.root / "incoming" / "killed.part"
    os.link(vault.folder.path(sha256), second)
    other = abandon(vault)
    vault.folder.erase(sha256)
    assert not second.exists()
    assert other.exists()


def test_what_was_erased_can_be_stored_again(vault: Vault) -> None:
    """The vault forgets nothing by itself: the same content is a new file."""
    sha256 = store(vault, LINE)
    vault.folder.erase(sha256)
    assert vault.store(io.BytesIO(LINE), "again").created
    assert vault.read(sha256, 0, len(LINE)) == LINE


_ERASE_AT_EVERY_STEP = """
import os, shutil, sys
from pathlib import Path
from ingest.vault.folder import VaultFolder

root, copy, sha256 = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
left = 0

def hook(event, arguments):
    global left
    if event in ("open", "os.link", "os.remove", "os.mkdir", "fcntl.flock"):
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
        VaultFolder(copy).erase(sha256)
        os._exit(0)
    killed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    VaultFolder(copy).erase(sha256)
    assert list(VaultFolder(copy).digests()) == [], step
    if not killed:
        print(step)
        break
"""


def test_erasing_can_be_killed_at_every_step(vault: Vault, tmp_path: Path) -> None:
    """Killed before each thing it asks of the file system, and called again, the file is gone each time."""
    sha256 = store(vault, LINE)
    command = [sys.executable, "-c", _ERASE_AT_EVERY_STEP, str(vault.root), str(tmp_path / "copy"), sha256]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, cwd=REPOSITORY, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 3


# What is left over ---------------------------------------------------------------------------------------------------


def test_abandoned_files_are_named_and_removed(vault: Vault) -> None:
    """A part that nobody has written to since a moment is named; it goes when that is asked."""
    path = abandon(vault)
    assert vault.folder.abandoned(LATER) == ["left.part"]
    assert path.exists()
    assert vault.folder.abandoned(LATER, remove=True) == ["left.part"]
    assert not path.exists()
    assert vault.folder.abandoned(LATER) == []


def test_young_parts_stay(vault: Vault) -> None:
    """A part that was written to after that moment may be a store that is just beginning: it stays."""
    path = abandon(vault)
    assert vault.folder.abandoned(datetime.now(UTC) - timedelta(minutes=1), remove=True) == []
    assert path.exists()


class TidyingPipe(io.RawIOBase):
    """A source during whose reading somebody tidies the vault."""

    def __init__(self, vault: Vault) -> None:
        self._pieces = self._read(vault)
        self.removed: list[str] = []

    def _read(self, vault: Vault) -> Iterator[bytes]:
        yield LINE
        self.removed = vault.folder.abandoned(LATER, remove=True)
        yield LINE

    def read(self, _size: int = -1, /) -> bytes:
        """Give the next line."""
        return next(self._pieces, b"")


def test_a_store_under_way_is_left_alone(vault: Vault) -> None:
    """However old its part is: a store that waits for a slow pipe holds it, and ends well beside a tidying."""
    abandoned = abandon(vault)
    pipe = TidyingPipe(vault)
    source: BinaryIO = pipe  # type: ignore[assignment]  # the standard library's raw streams are not declared BinaryIO
    stored = vault.store(source, "slow")
    assert pipe.removed == [abandoned.name]
    assert vault.read(stored.sha256, 0, stored.size_bytes) == LINE * 2


# What lies there -----------------------------------------------------------------------------------------------------


def test_digests_ascend(vault: Vault) -> None:
    """All stored files, each once, in the order of their names, and nothing of what is being written."""
    stored = [store(vault, b"%d" % number) for number in range(40)]
    abandon(vault)
    digests = list(vault.folder.digests())
    assert digests == sorted({*stored, store(vault, b"first")})
    assert vault.folder.stored_bytes() == sum(vault.folder.path(each).stat().st_size for each in digests)


def test_a_file_that_goes_while_the_room_is_counted_takes_none(vault: Vault) -> None:
    """A name that is listed and gone when it is looked at, as when files are let go meanwhile, stops nobody."""
    held = vault.folder.path(store(vault, LINE)).stat().st_size
    gone = vault.folder.path("0" * 64)
    gone.parent.mkdir(exist_ok=True)
    gone.symlink_to(vault.root / "nowhere")
    assert vault.folder.stored_bytes() == held


def test_an_empty_place_holds_nothing(vault: Vault) -> None:
    """A vault that nobody has stored in yet has no files, and no folder is made by asking."""
    assert (list(vault.folder.digests()), list(vault.folder.strays()), vault.folder.stored_bytes()) == ([], [], 0)
    assert vault.folder.abandoned(LATER) == []
    assert not vault.root.exists()


def test_what_is_not_the_vaults_is_named(vault: Vault) -> None:
    """A copy somebody made, a file in the wrong folder, another name: told by their place, and no stored files."""
    sha256 = store(vault, LINE)
    wrong = "ff" if sha256[:2] != "ff" else "00"
    for place in ("notes.txt", f"{sha256[:2]}/{sha256}.vault.bak", f"{wrong}/{sha256}.vault", "incoming/readme"):
        (vault.root / place).parent.mkdir(exist_ok=True)
        (vault.root / place).write_bytes(b"")
    strays = set(vault.folder.strays())
    assert strays == {"notes.txt", f"{sha256[:2]}/{sha256}.vault.bak", f"{wrong}/{sha256}.vault", "incoming/readme"}
    assert list(vault.folder.digests()) == [sha256]


def test_a_folder_that_can_not_be_read_is_a_sentence(tmp_path: Path) -> None:
    """A file where the vault should be: no traceback, the vault is named."""
    (tmp_path / "vault").write_text("in the way")
    with pytest.raises(VaultUnusableError, match="vault"):
        list(Vault(tmp_path / "vault", KEYRING).folder.digests())
