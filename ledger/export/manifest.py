"""The manifest of a package: what its files hold, to the byte and to the cent, and which checkpoint they show.

A package is a folder of files, ``manifest.json`` among them. Auditors test completeness by control totals before they
test anything else: each file has its SHA-256, its length, its rows, debits, credits and dates here.
"""

import json
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ledger.export.errors import ManifestError

FORMAT: Final = "centralpay-export/1"
NAME: Final = "manifest.json"


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)


class Scope(_Facts):
    """What was asked for: accounting days, both included, of everybody or one owner, as known at a checkpoint."""

    from_on: date | None = Field(default=None, alias="from")
    to_on: date | None = Field(default=None, alias="to")
    owner: str | None = None
    """NCPDP id of the member, a later owner's with a number behind it, or ``house``; None: everybody."""
    known_at: int | None = None
    """Size of the checkpoint."""


class ShownCheckpoint(_Facts):
    """The checkpoint whose entries the package shows; the note is the signed one, the root its hex."""

    size: int
    journal_size: int
    root: str
    note: str
    vkey: str


class Totals(_Facts):
    """Control totals of a file: rows, debits and credits in cents, first and last accounting day; None: it has none."""

    rows: int | None = None
    debit_cents: int | None = None
    credit_cents: int | None = None
    from_on: date | None = Field(default=None, alias="from")
    to_on: date | None = Field(default=None, alias="to")


class PackageFile(_Facts):
    """A file of the package; its name has ``/`` between folders."""

    name: str
    sha256: str
    bytes: int
    rows: int | None = None
    debit_cents: int | None = None
    credit_cents: int | None = None
    from_on: date | None = Field(default=None, alias="from")
    to_on: date | None = Field(default=None, alias="to")


class Heading(_Facts):
    """What a manifest says beside its files.

    Args:
        origin: name of the log, as the checkpoints have it.
        company: whose books these are.
        made_at: the moment, aware.
        scope: what was asked for.
        checkpoint: what is shown; None where nothing sealed is.
        supersedes: SHA-256 of the manifest that this one takes the place of.
    """

    origin: str
    company: str
    made_at: datetime
    scope: Scope
    checkpoint: ShownCheckpoint | None
    supersedes: str | None = None


class Manifest(Heading):
    """All that ``manifest.json`` says."""

    format: Literal["centralpay-export/1"] = FORMAT
    files: tuple[PackageFile, ...]

    @classmethod
    def of(cls, heading: Heading, files: tuple[PackageFile, ...]) -> Self:
        """Put a manifest together, the files in the order of their names."""
        said = {name: getattr(heading, name) for name in Heading.model_fields}
        return cls(files=tuple(sorted(files, key=lambda each: each.name)), **said)

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Read one.

        Raises:
            ManifestError: it is none of this format.
        """
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            place = ".".join(map(str, error.errors(include_url=False)[0]["loc"])) or "the document"
            raise ManifestError(f"This is no manifest of {FORMAT}: {place} is not what it must be") from None

    def content(self) -> bytes:
        """Give the bytes of ``manifest.json``, the same for the same facts."""
        names = ("format", "origin", "company", "made_at", "scope", "checkpoint", "files", "supersedes")
        said = self.model_dump(mode="json")
        said["made_at"] = f"{self.made_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return (json.dumps({name: said[name] for name in names}, indent=1, ensure_ascii=False) + "\n").encode()

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes of ``manifest.json``, hex: it holds every byte of the package."""
        return sha256(self.content()).hexdigest()
