"""Files that commands leave for their owner's eyes: whole, or not there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from app.session import out_file
from schemas.errors import WrongUseError


def leave(path: Path, content: bytes) -> None:
    """Write a file for its owner's eyes (0600); it is whole or not there.

    Raises:
        WrongUseError: it can not be written.
    """
    with leaving(path) as file:
        file.write(content)


@contextmanager
def leaving(path: Path) -> Iterator[BinaryIO]:
    """Give a file for its owner's eyes (0600) to be written piece by piece; under its name when the block is done.

    Raises:
        WrongUseError: it can not be written.
    """
    place = out_file(path)
    part = place.with_name(f".{place.name}.part")
    try:
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            yield file
        part.replace(place)
    except OSError as error:
        raise WrongUseError(f"{path}: {error.strerror}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
