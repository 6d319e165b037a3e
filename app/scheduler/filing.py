"""Where the files of the inbox go: folders that are ours alone, free names, and names as text for people."""

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from app.work import readable
from schemas.errors import WrongUseError

_LONGEST_NAME: Final = 120
_LONGEST_FILE_NAME: Final = 255
"""Bytes (NAME_MAX)."""
_LONGEST_SUFFIX: Final = 20


class InboxUnfitError(WrongUseError):
    """The folder, or one within it, is not one that files may be moved in."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"CENTRALPAY_INBOX: {folder}: {reason}")


def subfolder(inbox: Path, *names: str) -> Path:
    """Give a folder within the inbox; it is made where it is not there.

    Raises:
        InboxUnfitError: it can not be, or somebody made a link of it.
    """
    folder = inbox
    for name in names:
        folder = folder / name
        make(folder)
        if folder.is_symlink():
            raise InboxUnfitError(folder, "is a link; links are not followed")
    return folder


def free(path: Path, folder: Path) -> Path:
    """Give the place of a file in a folder, beside what has its name there."""
    number, target = 1, folder / path.name
    stem, suffix = (path.stem, path.suffix) if len(path.suffix) < _LONGEST_SUFFIX else (path.name, "")
    while os.path.lexists(target):
        number += 1
        end = os.fsencode(f"-{number}{suffix}")
        target = folder / os.fsdecode(os.fsencode(stem)[: _LONGEST_FILE_NAME - len(end)] + end)
    return target


def move(path: Path, target: Path) -> None:
    """Move a file to a free place; its owner alone can read it."""
    path.rename(target)
    with suppress(PermissionError):  # another's: its folder is ours alone
        target.chmod(0o600)


def make(folder: Path) -> None:
    """Make a folder where it is not there.

    Raises:
        InboxUnfitError: it can not be.
        OSError: the disk is full, which is no fault of the folder's.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise InboxUnfitError(folder, error.strerror or "it can not be used") from error


def told(name: str) -> str:
    """Give a name as text for people: what does not print becomes a question mark, and what is long is cut."""
    return "".join(letter if letter.isprintable() else "?" for letter in readable(name))[:_LONGEST_NAME]
