"""Acknowledgements of received 835 files, beside each other in a folder: one file for each that came in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.cli.screen import progress
from app.session import Session
from ingest.kinds import FileKind
from ingest.receiving import FileVerdict
from ingest.x12.acknowledgement import acknowledge
from ledger.files import write_whole
from schemas.errors import CentralpayError, UnreadableError, WrongUseError

_UNFIT = re.compile(r"[^0-9A-Za-z._-]+")
_LONGEST_NAME = 100


@dataclass(frozen=True)
class Acknowledged:
    """What became of the acknowledgement of one received file."""

    path: Path | None
    """Where it is; None when there is none."""
    reason: str = ""
    """Why there is none, as a sentence; empty for a file that is no 835."""
    failed: bool = False
    """Whether there should be one, but it could not be written."""


NOT_ACKNOWLEDGED = Acknowledged(None)


def ack_folder(folder: Path) -> Path:
    """Make the folder before anything is taken in: a typing error in its name is found in time.

    Raises:
        WrongUseError: it can not be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise WrongUseError(f"{folder}: {error.strerror}") from error
    return folder


def acknowledge_all(session: Session, verdicts: Sequence[FileVerdict], folder: Path) -> list[Acknowledged]:
    """Acknowledge each 835, whatever its verdict; other kinds are passed over. One that fails keeps no other out."""
    return [_acknowledge(session, verdict, folder) for verdict in verdicts]


def _acknowledge(session: Session, verdict: FileVerdict, folder: Path) -> Acknowledged:
    if verdict.kind != FileKind.REMITTANCE_835 or not verdict.sha256:
        return NOT_ACKNOWLEDGED
    refused = [ordinal for ordinal, each in enumerate(verdict.sets, 1) if each.status == "quarantined"]
    name = Path(verdict.path).name
    try:
        with session.vault.open(verdict.sha256) as stream, progress(f"acknowledging {name}", None) as bar:
            content = acknowledge(stream, verdict.path, refused, bar.at)
        if not content:
            return Acknowledged(None, "it holds nothing that an acknowledgement could answer.")
        place = folder / ack_name(name, verdict.sha256)
        write_whole(place, content)
        return Acknowledged(place)
    except UnreadableError:
        return Acknowledged(None, "it has no ISA that can be read, and so nobody to answer.")
    except CentralpayError as error:
        return Acknowledged(None, str(error), failed=True)
    except OSError as error:
        return Acknowledged(None, f"{folder} can not be written ({error.strerror}).", failed=True)


def ack_name(name: str, sha256: str) -> str:
    """Name an acknowledgement: the file's own name, cleaned, the beginning of its SHA-256, and ``.999``."""
    cleaned = _UNFIT.sub("_", name)[:_LONGEST_NAME].strip("._-")
    return f"{cleaned or 'file'}.{sha256[:8]}.999"
