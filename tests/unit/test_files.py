"""Files that are left whole: what stands at the place and beside it after an end, an error, a kill, and two at once."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from ledger.files import leaving, sync_folder, write_first, write_whole

OLD, NEW = b"what was there\n", b"what is new\n" * 10_000

_KILLED = """
import os, signal, sys
from pathlib import Path
from ledger.files import leaving
with leaving(Path(sys.argv[1])) as file:
    file.write(b"half of it")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def mode_of(path: Path) -> int:
    """Give the permissions of a file."""
    return stat.S_IMODE(path.lstat().st_mode)


def names(folder: Path) -> list[str]:
    """List a folder, hidden files too."""
    return sorted(path.name for path in folder.iterdir())


def kill_a_writer(path: Path) -> None:
    """Let a process be killed when it has written a part of a file and not yet given it its name."""
    ended = subprocess.run([sys.executable, "-c", _KILLED, str(path)], check=False)
    assert ended.returncode == -signal.SIGKILL


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """Let new files of this process lose these permissions."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def test_whole_at_the_end(tmp_path: Path) -> None:
    """The file has its name when the block is done, not before; the old one stands until then."""
    place = tmp_path / "out.csv"
    place.write_bytes(OLD)
    with leaving(place) as file:
        file.write(NEW)
        file.flush()
        assert place.read_bytes() == OLD
    assert place.read_bytes() == NEW
    assert names(tmp_path) == ["out.csv"]


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt])
def test_error_leaves_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    """Whatever the block raises reaches the caller, the old file stays, and nothing lies beside it."""
    place = tmp_path / "out.csv"
    place.write_bytes(OLD)

    def fail() -> None:
        with leaving(place) as file:
            file.write(NEW)
            raise error

    with pytest.raises(error):
        fail()
    assert place.read_bytes() == OLD
    assert names(tmp_path) == ["out.csv"]


def test_system_refuses_to_write(tmp_path: Path) -> None:
    """What the system refuses only when the block is done is an OSError too, and the old file stays."""
    place = tmp_path / "out.csv"
    place.write_bytes(OLD)

    def write_into_nothing() -> None:
        with leaving(place) as file:
            file.write(b"in memory yet")
            read_only = os.open(os.devnull, os.O_RDONLY)
            os.dup2(read_only, file.fileno())
            os.close(read_only)

    with pytest.raises(OSError, match="Bad file descriptor"):
        write_into_nothing()
    assert place.read_bytes() == OLD
    assert names(tmp_path) == ["out.csv"]


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o777])
def test_mode_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    """A file is its owner's alone unless another mode is said, and has that mode under every umask."""
    (tmp_path / "old").write_bytes(OLD)
    (tmp_path / "old").chmod(0o666)
    with umask(mask):
        write_whole(tmp_path / "old", NEW)
        write_whole(tmp_path / "read by others", NEW, 0o644)
        write_first(tmp_path / "first", NEW)
    assert [mode_of(tmp_path / name) for name in ("old", "read by others", "first")] == [0o600, 0o644, 0o600]


def test_nobody_else_reads_it_while_it_is_written(tmp_path: Path) -> None:
    """Also a file that others are to read is its owner's alone until it is whole."""
    with umask(0), leaving(tmp_path / "note", 0o644):
        (part,) = tmp_path.iterdir()
        assert mode_of(part) == 0o600


def test_killed_writer(tmp_path: Path) -> None:
    """Who is killed before the name is given leaves the old file, and a hidden part that the next one clears away."""
    place = tmp_path / "out.csv"
    place.write_bytes(OLD)
    kill_a_writer(place)
    assert place.read_bytes() == OLD
    assert names(tmp_path) == [".out.csv.part", "out.csv"]
    assert mode_of(tmp_path / ".out.csv.part") == 0o600
    write_whole(place, NEW)
    assert place.read_bytes() == NEW
    assert names(tmp_path) == ["out.csv"]


def test_killed_first_writer(tmp_path: Path) -> None:
    """What a killed writer left is in the way of nobody who writes the first file of a place either."""
    kill_a_writer(tmp_path / "seal.key")
    assert write_first(tmp_path / "seal.key", NEW)
    assert names(tmp_path) == ["seal.key"]


def test_two_at_once(tmp_path: Path) -> None:
    """Of two that write to one place neither touches what the other writes; each gets whole, and the last one stays.

    Before, a command removed the part of another one that was still writing to the same place, and gave its own half
    file the name of the other's.
    """
    place = tmp_path / "out.csv"
    with leaving(place) as first:
        first.write(b"first")
        with leaving(place) as second:
            second.write(b"the second one")
            second.flush()
            assert len(names(tmp_path)) == 2
        assert place.read_bytes() == b"the second one"
    assert place.read_bytes() == b"first"
    assert names(tmp_path) == ["out.csv"]


def test_many_at_once(tmp_path: Path) -> None:
    """However many write to one place at once, what stands there is always one of their files, whole."""
    place = tmp_path / "out.csv"
    contents = [bytes([65 + number]) * (number * 1000 + 1) for number in range(8)]
    write_whole(place, contents[0])

    def work(content: bytes) -> set[bytes]:
        seen = set()
        for _ in range(50):
            write_whole(place, content, synced=False)
            seen.add(place.read_bytes())
        return seen

    with ThreadPoolExecutor(len(contents)) as pool:
        seen = set[bytes]().union(*pool.map(work, contents))
    assert seen <= set(contents)
    assert names(tmp_path) == ["out.csv"]


def test_first_of_many(tmp_path: Path) -> None:
    """Of many that write the first file of a place exactly one does, and its file stays."""
    place = tmp_path / "seal.key"
    contents = [bytes([65 + number]) * 100 for number in range(8)]
    with ThreadPoolExecutor(len(contents)) as pool:
        won = list(pool.map(lambda content: write_first(place, content), contents))
    assert won.count(True) == 1
    assert place.read_bytes() == contents[won.index(True)]
    assert names(tmp_path) == ["seal.key"]


@pytest.mark.parametrize("synced", [True, False])
def test_link_is_replaced(tmp_path: Path, *, synced: bool) -> None:
    """A symbolic link at the place is replaced by the file; what it led to, there or not, is not touched."""
    kept = tmp_path / "kept"
    kept.write_bytes(OLD)
    for link, target in ((tmp_path / "link", kept), (tmp_path / "dangling", tmp_path / "nothing")):
        link.symlink_to(target)
        write_whole(link, NEW, synced=synced)
        assert not link.is_symlink()
        assert link.read_bytes() == NEW
    assert kept.read_bytes() == OLD
    assert names(tmp_path) == ["dangling", "kept", "link"]


def test_planted_part(tmp_path: Path) -> None:
    """A link that somebody laid where the part comes leads nothing astray: the file is written beside it."""
    victim = tmp_path / "victim"
    victim.write_bytes(OLD)
    (tmp_path / ".out.csv.part").symlink_to(victim)
    write_whole(tmp_path / "out.csv", NEW)
    assert victim.read_bytes() == OLD
    assert (tmp_path / "out.csv").read_bytes() == NEW
    assert not (tmp_path / "out.csv").is_symlink()


def test_only_regular_files_are_replaced(tmp_path: Path) -> None:
    """A folder, a pipe, and a link to a device stay what they are; an administrator's /dev/stdout does too."""
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "stdout").symlink_to(os.devnull)
    before = names(tmp_path)
    for name in before:
        with pytest.raises(OSError, match=r"Is a directory|It is no regular file"):
            write_whole(tmp_path / name, NEW)
    assert names(tmp_path) == before
    assert (tmp_path / "stdout").is_symlink()


def test_no_folder(tmp_path: Path) -> None:
    """Without its folder a file is not written, and the system's own error says so."""
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "none" / "out.csv", NEW)
    with pytest.raises(FileNotFoundError):
        sync_folder(tmp_path / "none")
    with pytest.raises(NotADirectoryError):
        sync_folder(Path(__file__))
