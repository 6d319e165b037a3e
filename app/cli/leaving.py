"""Files that commands leave for their owner's eyes: whole, or not there."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from app.session import out_file
from ledger import files
from schemas.errors import WrongUseError


def leave(path: Path, content: bytes, *, synced: bool = True) -> None:
    """Write a file for its owner's eyes (0600); it is whole or not there.

    Args:
        path: the place.
        content: of the file.
        synced: False leaves it to the system when it is on the disk: for one of many that can be made again.

    Raises:
        WrongUseError: it can not be written.
    """
    with leaving(path, synced=synced) as file:
        file.write(content)


@contextmanager
def leaving(path: Path, *, synced: bool = True) -> Iterator[BinaryIO]:
    """Give a file for its owner's eyes (0600) to be written piece by piece; under its name when the block is done.

    Raises:
        WrongUseError: it can not be written.
    """
    place = out_file(path)
    try:
        with files.leaving(place, synced=synced) as file:
            yield file
    except OSError as error:
        raise WrongUseError(f"{path}: {error.strerror}") from error


@contextmanager
def leaving_text(path: Path) -> Iterator[TextIO]:
    """Give a file as ``leaving`` does, for text: UTF-8, the ends of lines as they are written.

    Raises:
        WrongUseError: it can not be written.
    """
    with leaving(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        yield text
        # What it holds goes into the file, which is closed by who gave it.
        text.detach()
