"""What a backup says of itself: its manifest, and the list of the vault's files in it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from ledger.snapshot import Books


class CopyKind(StrEnum):
    """How the database was copied."""

    BASE = "base_backup"
    """Byte by byte, with the log that makes it one moment (``pg_basebackup``); of the embedded server."""
    DUMP = "dump"
    """As rows (``pg_dump``); of any other server."""


class Piece(BaseModel):
    """A file of a backup; sizes in bytes."""

    model_config = ConfigDict(frozen=True)

    name: str
    size_bytes: int
    sha256: str


class Manifest(BaseModel):
    """What a backup says of itself; written last.

    Args:
        layout: of the folder; 1.
        made_at: when it was begun, UTC.
        made_by: who asked for it.
        release: of centralpay.
        server: version of PostgreSQL.
        schema_step: the step that the schema is at.
        pieces: every file of it but this one.
        vault_files: how many files of the vault its list names.
        vault_bytes: room that they take.
        key_ids: the master keys that files and account numbers are under.
        start_lsn: where in the server's log the copy begins; None for a dump.
        end_lsn: where it is one moment.
        books: the books as they were when it was begun.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    layout: int = 1
    name: str
    kind: CopyKind
    made_at: datetime
    made_by: str
    release: str
    server: str
    schema_step: str
    pieces: tuple[Piece, ...]
    vault_files: int
    vault_bytes: int
    key_ids: tuple[str, ...]
    start_lsn: str | None = None
    end_lsn: str | None = None
    books: Books

    @property
    def database_bytes(self) -> int:
        """Room that the copy of the database takes."""
        return sum(each.size_bytes for each in self.pieces)


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of the vault in a backup.

    Args:
        sha256: of its content: its name in the vault.
        stored_sha256: of the bytes as they are stored: its name among the objects.
        size_bytes: of those bytes.
        mtime_ns: when they were stored, to tell without reading whether they are still the same.
    """

    sha256: str
    stored_sha256: str
    size_bytes: int
    mtime_ns: int

    def line(self) -> str:
        """Write it down."""
        return f"{self.sha256} {self.stored_sha256} {self.size_bytes} {self.mtime_ns}\n"
