"""The folder of published checkpoints, outside the database: what was shown to others can not be taken back.

Files ``<size, 12 digits>.checkpoint`` hold the signed notes, word for word; ``latest`` is the last of them; ``vkey``
the keys that verify them, one a line, the oldest first. Files appear whole or not at all. What a killed run left out,
the next one writes.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from ledger.files import PRIVATE, sync_folder, write_whole
from ledger.seal.checkpoints import Checkpoint
from ledger.seal.errors import CheckpointsUnpublishedError, SealForkedError

LATEST: Final = "latest"
VKEY: Final = "vkey"
_FILE: Final = re.compile(r"([0-9]{12,19})\.checkpoint", re.ASCII)
_READABLE: Final = 0o644
_LONGEST: Final = 1 << 16


def file_name(size: int) -> str:
    """Give the name of a checkpoint's file."""
    return f"{size:012d}.checkpoint"


class Published:
    """The folder.

    Args:
        folder: of the files.
        is_ours: whether it is our own and may be made; a folder on another machine's disk that is not there is most
            likely not mounted, and is never made.
    """

    def __init__(self, folder: Path, *, is_ours: bool) -> None:
        self.folder = folder
        self._is_ours = is_ours

    def sizes(self) -> set[int]:
        """List the checkpoints that are published.

        Raises:
            CheckpointsUnpublishedError: the folder can not be read.
        """
        if self._is_ours and not self.folder.exists():
            return set()
        try:
            found = [_FILE.fullmatch(entry.name) for entry in self.folder.iterdir()]
        except OSError as error:
            raise self._unpublished(error) from error
        return {int(match[1]) for match in found if match is not None}

    def note(self, size: int) -> str:
        """Read a published note.

        Raises:
            CheckpointsUnpublishedError: the file can not be read.
        """
        try:
            with (self.folder / file_name(size)).open("rb") as stream:
                return stream.read(_LONGEST).decode("utf-8", "replace")
        except OSError as error:
            raise self._unpublished(error) from error

    def compare(self, known: Iterable[int], notes: Mapping[int, str]) -> None:
        """See that the database has every published checkpoint and says of the given ones what is published.

        Args:
            known: the sizes that the database has.
            notes: of the checkpoints to be compared word for word, by size.

        Raises:
            SealForkedError: one is missing or says otherwise.
            CheckpointsUnpublishedError: the folder can not be read.
        """
        published = self.sizes()
        lost = published.difference(known)
        if lost:
            raise SealForkedError(self.folder, min(lost), "is not in the database")
        for size in sorted(published.intersection(notes)):
            if self.note(size) != notes[size]:
                raise SealForkedError(self.folder, size, "says otherwise than the database")

    def publish(self, missing: Iterable[Checkpoint], latest: Checkpoint, vkeys: Iterable[str]) -> None:
        """Write checkpoints that are not there, the name of the last one, and the keys; all again is no harm.

        Raises:
            CheckpointsUnpublishedError: the folder is not there or can not be written.
        """
        try:
            if self._is_ours:
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write(VKEY, "".join(f"{vkey}\n" for vkey in vkeys))
            for checkpoint in missing:
                self._write(file_name(checkpoint.size), checkpoint.note)
            self._write(LATEST, latest.note)
            sync_folder(self.folder)
        except OSError as error:
            raise self._unpublished(error) from error

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        content = text.encode()
        if not path.is_file() or path.read_bytes() != content:
            # The home is private, all of it; a folder that somebody names is for others to read.
            write_whole(path, content, PRIVATE if self._is_ours else _READABLE)

    def _unpublished(self, error: OSError) -> CheckpointsUnpublishedError:
        return CheckpointsUnpublishedError(self.folder, error.strerror or "it can not be used")
