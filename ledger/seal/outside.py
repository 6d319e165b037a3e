"""Checkpoints that are kept outside of the database: what no one who can write the database can take back."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ledger.seal.errors import NoteUnreadableError
from ledger.seal.findings import Findings
from ledger.seal.note import CheckpointNote, SignedNote, VerifierKey, parse_checkpoint, parse_note
from schemas.errors import UnreadableError
from schemas.findings import Finding as Read

TABLE: Final = "checkpoints"
"""What findings call the folder of published checkpoints."""
RESTORED: Final = (
    "the database lacks it: it was restored from an older backup, or the end of its books was cut off. Nothing is "
    "sealed on until that is cleared (docs/operations.md, 'The seal')"
)
_FILE: Final = re.compile(r"[0-9]{12,}\.checkpoint", re.ASCII)


class CheckpointFileError(UnreadableError):
    """A file that should be a checkpoint can not be read as one."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        expected = "a signed checkpoint (C2SP signed-note)"
        super().__init__(str(path), [Read(rule="checkpoint_readable", element="note", expected=expected, found=reason)])


@dataclass(frozen=True, slots=True)
class KeptNote:
    """A checkpoint from outside: where it lies, its note as it is signed, and what that says."""

    place: Path
    signed: SignedNote
    said: CheckpointNote


@dataclass(frozen=True, slots=True)
class Outside:
    """What is compared with the database. Make it before the snapshot that is compared is taken.

    Args:
        published: folder of the published checkpoints; None: it is not looked at.
        kept: checkpoints that somebody kept: an auditor, another machine.
        vkeys: keys that are trusted from outside; empty: those that the database records.
        files: the published checkpoints that were there then. What a sealer publishes later is none of them: it may be
            missing in the snapshot, and nothing is wrong.
    """

    published: Path | None = None
    kept: tuple[KeptNote, ...] = ()
    vkeys: tuple[VerifierKey, ...] = ()
    files: tuple[Path, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Look at the folder now."""
        there = self.published.iterdir() if self.published is not None and self.published.is_dir() else ()
        object.__setattr__(self, "files", tuple(sorted(path for path in there if _FILE.fullmatch(path.name))))


def kept_note(path: Path) -> KeptNote:
    """Read a checkpoint that was kept.

    Raises:
        CheckpointFileError: it can not be read as one.
    """
    try:
        signed = parse_note(path.read_text(encoding="utf-8"))
        return KeptNote(path, signed, parse_checkpoint(signed.text))
    except OSError as error:
        raise CheckpointFileError(path, error.strerror or "it can not be read") from error
    except (UnicodeDecodeError, NoteUnreadableError) as error:
        raise CheckpointFileError(path, f"it is no signed checkpoint ({error})") from None


def kept_notes(folder: Path) -> tuple[KeptNote, ...]:
    """Read every checkpoint in a folder, the smallest first.

    Raises:
        CheckpointFileError: the folder or one of them can not be read, or there is none.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if _FILE.fullmatch(path.name))
    except OSError as error:
        raise CheckpointFileError(folder, error.strerror or "it can not be read") from error
    if not paths:
        raise CheckpointFileError(folder, "there is no checkpoint in it")
    return tuple(kept_note(path) for path in paths)


def compare_published(files: Sequence[Path], notes: Mapping[int, str], findings: Findings) -> int:
    """Compare the published files with the notes that the database has, by their sizes.

    A file that the database has no checkpoint for, or another one, is a finding. What is not published yet is not: the
    next sealer writes it.

    Returns:
        How many checkpoints of the database are not among them.
    """
    there: set[int] = set()
    for path in files:
        size = int(path.stem)
        there.add(size)
        try:
            written = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            findings.add(TABLE, size, f"{path} can not be read")
            continue
        if size not in notes:
            findings.add(TABLE, size, f"{path} was published, and {RESTORED}")
        elif written != notes[size]:
            findings.add(TABLE, size, f"{path} is not the note of the database: one of the two was rewritten")
    return len(notes.keys() - there)
