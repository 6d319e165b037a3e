"""Files that are there whole or not at all, also after a power cut: the one way in which a file is left anywhere.

A file is written beside its place, as ``.NAME.part``, and renamed into it. Who writes holds a lock on that part, and
the system lets go of a killed writer's lock: so the next one to the same place clears away what was left, and never
what another is writing. Of two at once each has a part of its own; both files get whole, and the last one stays.

A symbolic link at the place is replaced by the file; what it leads to stays as it was. What is there and no regular
file, such as a folder or a device, is never replaced.
"""

import errno
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

PRIVATE: Final = 0o600
"""For the eyes of its owner alone."""
PART: Final = ".part"
"""How the name of a file ends that is being written, or that a killed writer left."""


@contextmanager
def leaving(path: Path, mode: int = PRIVATE, *, synced: bool = True) -> Iterator[BinaryIO]:
    """Give a file to be written piece by piece; it has its name, and the mode, when the block ends well.

    Args:
        path: the place; what was there stays until then, and for good if the block raises.
        mode: of the file, whatever the umask.
        synced: False leaves it to the system when it is on the disk: for many files that can be made again.

    Raises:
        OSError: it can not be written there; the caller says so in its own words.
    """
    _see_replaceable(path)
    descriptor, part = _begun(path)
    with os.fdopen(descriptor, "wb") as file:
        try:
            yield file
            _settle(file, mode, synced=synced)
            # Before the lock goes: a part without a lock is taken for a killed writer's.
            part.replace(path)
        except BaseException:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise


def write_whole(path: Path, content: bytes, mode: int = PRIVATE, *, synced: bool = True) -> None:
    """Write a file at once, as ``leaving`` does.

    Raises:
        OSError: it can not be written there.
    """
    with leaving(path, mode, synced=synced) as file:
        file.write(content)


def write_first(path: Path, content: bytes, mode: int = PRIVATE) -> bool:
    """Write a file where there is none; False, and nothing is changed, if the place is taken, also in the same moment.

    Raises:
        OSError: it can not be written there.
    """
    descriptor, part = _begun(path)
    with os.fdopen(descriptor, "wb") as file:
        try:
            file.write(content)
            _settle(file, mode, synced=True)
            # A link, unlike a rename, fails when the name is taken: of two exactly one wins.
            os.link(part, path)
        except FileExistsError:
            return False
        finally:
            part.unlink(missing_ok=True)
    return True


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut.

    Raises:
        OSError: it can not be opened.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _see_replaceable(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise FileExistsError(errno.EEXIST, "It is no regular file", str(path))


def _begun(path: Path) -> tuple[int, Path]:
    """Make the part; one that nobody else has or, where another writes to the same place, one of another name."""
    part = path.with_name(f".{path.name}{PART}")
    for _ in range(2):
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        except FileExistsError:
            _clear_left(part)
            continue
        if _held(descriptor, part):
            return descriptor, part
        os.close(descriptor)
        break
    descriptor, own = tempfile.mkstemp(prefix=f".{path.name}.", suffix=PART, dir=path.parent)
    return descriptor, Path(own)


def _held(descriptor: int, part: Path) -> bool:
    """Lock a new part; False if another has taken it for a killed writer's in the moment before."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return _is_named(descriptor, part)
    except BlockingIOError:
        return False
    except OSError:
        # No locks on this disk: nobody will clear it away, so it goes at once.
        part.unlink(missing_ok=True)
        return False


def _clear_left(part: Path) -> None:
    """Remove a part that nobody writes any more."""
    with suppress(OSError):
        descriptor = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_named(descriptor, part):
                part.unlink()
        finally:
            os.close(descriptor)


def _is_named(descriptor: int, part: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), part.lstat())
    except FileNotFoundError:
        return False


def _settle(file: BinaryIO, mode: int, *, synced: bool) -> None:
    file.flush()
    os.fchmod(file.fileno(), mode)
    if synced:
        os.fsync(file.fileno())
