"""Checkpoints that were published and that the books no longer continue, because a backup was put back for good.

Books that were restored from an older backup lack what was sealed after it. The published checkpoints stay true: they
show that more had been there. So they are neither deleted nor continued: the books go on under another name, with a key
that a second person approved, and the checkpoints that were left behind are moved into a folder of their own beside the
others. ``ledger verify`` tells of them for ever.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from ledger.files import sync_folder
from ledger.seal import checkpoints
from ledger.seal.checkpoints import SealKey
from ledger.seal.findings import Findings
from ledger.seal.outside import TABLE, KeptNote, kept_notes
from ledger.seal.published import Published, file_name
from schemas.errors import RefusedError, UnreadableError

_FOLDER: Final = "forsaken-"


class NotForsakenError(RefusedError):
    """Published checkpoints can not be left behind: no second person agreed, or there is nothing to leave."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"No checkpoint was moved: {reason}")


@dataclass(frozen=True, slots=True)
class Forsaken:
    """Checkpoints that were left behind.

    Args:
        place: the folder that they are in now.
        sizes: their sizes, ascending.
        since: the checkpoint after which the books go on under another name.
    """

    place: Path
    sizes: tuple[int, ...]
    since: int


def forsake(connection: Connection, published: Published) -> Forsaken:
    """Move the published checkpoints aside that the books do not have; run again, it moves what is left.

    Raises:
        NotForsakenError: the books do not go on under another name that was approved, or nothing is to be moved.
        CheckpointsUnpublishedError: the folder can not be read.
    """
    recorded, known = checkpoints.keys(connection), {each.size for each in checkpoints.after(connection, 0)}
    lost = sorted(published.sizes() - known)
    if not lost:
        raise NotForsakenError(f"the books have every checkpoint of {published.folder}")
    since = max(known, default=0)
    if len(recorded) < 2 or recorded[-1].since_size != since or recorded[-1].name == recorded[-2].name:
        raise NotForsakenError(
            "the books must go on under another name first, which a second person approves: set CENTRALPAY_SEAL_NAME, "
            "then: centralpay ledger seal-key rotate"
        )
    if lost[0] < since:
        raise NotForsakenError(f"checkpoint {lost[0]} is older than the last of the books: they were rewritten")
    place = published.folder / f"{_FOLDER}{since:012d}"
    try:
        place.mkdir(mode=0o755, exist_ok=True)
        for size in lost:
            (published.folder / file_name(size)).rename(place / file_name(size))
        sync_folder(place)
        sync_folder(published.folder)
    except OSError as error:
        raise NotForsakenError(f"{error.filename or place}: {error.strerror}") from error
    return Forsaken(place, tuple(lost), since)


def tell_forsaken(folder: Path, recorded: list[SealKey], findings: Findings) -> list[str]:
    """Tell of the checkpoints that were left behind; without an approved key of another name each is a finding."""
    said = []
    for place in sorted(folder.glob(f"{_FOLDER}*")):
        since = int(place.name.removeprefix(_FOLDER)) if place.name.removeprefix(_FOLDER).isdecimal() else -1
        successor = _successor(recorded, since)
        try:
            notes = kept_notes(place)
        except UnreadableError as error:
            findings.add(TABLE, place.name, str(error))
            continue
        if successor is None:
            findings.add(TABLE, place.name, f"{place} holds checkpoints that no approved change of name left behind")
            continue
        said.append(_sentence(notes, successor))
    return said


def _successor(recorded: list[SealKey], since: int) -> SealKey | None:
    return next(
        (key for before, key in pairwise(recorded) if key.since_size == since and key.name != before.name), None
    )


def _sentence(notes: tuple[KeptNote, ...], successor: SealKey) -> str:
    first, last = notes[0].said, notes[-1].said
    since = f"{successor.recorded_by}, {successor.recorded_at:%Y-%m-%dT%H:%M:%SZ}"
    return (
        f"the books were restored: {len(notes)} checkpoints of {last.origin}, {first.size} to {last.size}, the last of "
        f"{last.sealed_at:%Y-%m-%dT%H:%M:%SZ}, are left behind in {notes[0].place.parent}; from "
        f"{successor.since_size} on they go on as {successor.name}, by {since}"
    )
