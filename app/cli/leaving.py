"""Files that commands leave for their owner's eyes: whole, or not there."""

import os
from contextlib import suppress
from pathlib import Path

from app.session import out_file
from schemas.errors import WrongUseError


def leave(path: Path, content: bytes) -> None:
    """Write a file for its owner's eyes (0600); it is whole or not there.

    Raises:
        WrongUseError: it can not be written.
    """
    place = out_file(path)
    part = place.with_name(f".{place.name}.part")
    try:
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        part.replace(place)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise WrongUseError(f"{path}: {error.strerror}") from error
