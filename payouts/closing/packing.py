"""The package of a closed month: what an auditor needs to re-perform it, as known at the close's checkpoint.

The same close gives the same bytes, whenever and however often it is packed: everything is read at one checkpoint, and
the moment of making that it states is the moment of the close. So a package that a killed run left half made is made
again, and its manifest's hash, which the books keep and seal, tells for ever whether a folder is the month's package.
"""

import hashlib
import shutil
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from ledger.export.folder import package
from ledger.export.manifest import NAME, Heading, Manifest, ShownCheckpoint
from ledger.export.scope import Selection
from ledger.export.sealed import pin, write_sealed
from ledger.known import known_at
from ledger.seal import checkpoints
from payouts.closing.checks import QUERIES
from payouts.closing.errors import PackageAlteredError, PackageDiffersError
from payouts.closing.model import Close, Contents, Tell, month_after
from payouts.closing.pieces import PIECES
from payouts.closing.readme import readme
from payouts.closing.tables import write_tables

VERIFIER: Final = "verify.py"


@dataclass(frozen=True, slots=True)
class Packed:
    """A package as it was written.

    Args:
        path: its folder.
        sha256: of its manifest, hex.
        supersedes: the manifest of the edition or version before.
    """

    path: Path
    sha256: str
    supersedes: str | None


@dataclass(frozen=True)
class Packer:
    """Writes packages of closed months.

    Args:
        company: whose books these are.
    """

    company: str

    def pack(self, connection: Connection, close: Close, out: Path, tell: Tell) -> Packed:
        """Write the package of a close below a folder; what stands there already is checked, to the byte.

        Args:
            connection: that sees one moment and writes nothing.
            close: sealed already.
            out: where the package's folder comes.
            tell: is told how far it is.

        Raises:
            PackageDiffersError: it is another than was recorded of the close.
            PackageAlteredError: what stands there is not the package.
            ExportError: it can not be written.
        """
        target = out / close.folder
        if not target.is_dir() or not any(target.iterdir()):
            return Packed(target, *self._write(connection, close, target, tell))
        sha256, supersedes = close.manifest_sha256, close.supersedes
        if sha256 is None:
            # Written, and killed before it was recorded: only what the books give again is recorded.
            again = target.with_name(f".{target.name}.again")
            shutil.rmtree(again, ignore_errors=True)
            sha256, supersedes = self._write(connection, close, again, tell)
            shutil.rmtree(again)
        if (wrong := _first_wrong(target, sha256, tell)) is not None:
            raise PackageAlteredError(close.month, target, wrong)
        return Packed(target, sha256, supersedes)

    def _write(self, connection: Connection, close: Close, target: Path, tell: Tell) -> tuple[str, str | None]:
        """Write a package; give its manifest's hash, and the one that it supersedes."""
        contents, heading = self._begin(connection, close)
        pin(connection)
        known_at(connection, contents.checkpoint)
        with package(target) as folder:
            write_tables(connection, folder, close, contents.before_size, tell)
            for piece in PIECES:
                piece(connection, folder, contents, tell)
            write_sealed(connection, folder, contents.chosen, tell)
            folder.put(VERIFIER, files("ledger.export").joinpath("verifier", VERIFIER).read_bytes())
            folder.put("README.txt", readme(close, heading).encode())
            made = folder.finish(heading)
            sha256 = hashlib.sha256(made.content()).hexdigest()
            if close.manifest_sha256 is not None and sha256 != close.manifest_sha256:
                raise PackageDiffersError(close.month, close.manifest_sha256, sha256, target)
        return sha256, heading.supersedes

    def _begin(self, connection: Connection, close: Close) -> tuple[Contents, Heading]:
        if close.checkpoint_size is None:
            raise ValueError("a close is packed once it is sealed")
        checkpoint = checkpoints.of_size(connection, close.checkpoint_size)
        before = connection.execute(
            QUERIES["package_before"], {"month": close.month, "version": close.version}
        ).one_or_none()
        chosen = Selection(checkpoint.size, close.month, month_after(close.month) - timedelta(days=1))
        key = next(
            each
            for each in checkpoints.keys(connection)
            if each.until_size is None or checkpoint.size <= each.until_size
        )
        heading = Heading(
            origin=key.name,
            company=self.company,
            made_at=close.closed_at,
            scope=chosen.scope,
            checkpoint=ShownCheckpoint(
                size=checkpoint.size,
                journal_size=checkpoint.journal_size,
                root=checkpoint.root,
                note=checkpoint.note,
                vkey=key.vkey,
            ),
            supersedes=close.supersedes or (None if before is None else before.manifest_sha256),
        )
        return Contents(
            self.company, close, checkpoint, None if before is None else before.checkpoint_size, chosen
        ), heading


def _first_wrong(target: Path, sha256: str, tell: Tell) -> str | None:
    """Name the first file that is not there or not as it was written; None: the package is whole."""
    if not (target / NAME).is_file() or _hash(target / NAME) != sha256:
        return NAME
    listed = Manifest.read((target / NAME).read_bytes()).files
    for done, each in enumerate(listed):
        tell("checking the package", done, len(listed))
        if not (target / each.name).is_file() or _hash(target / each.name) != each.sha256:
            return each.name
    return None


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
