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

from ledger.export.errors import TargetTakenError
from ledger.export.folder import package
from ledger.export.manifest import NAME, Heading, Manifest, ShownCheckpoint
from ledger.export.scope import Selection
from ledger.export.sealed import pin, write_sealed
from ledger.known import known_at
from ledger.seal import checkpoints
from payouts.closing.checks import QUERIES
from payouts.closing.errors import PackageDiffersError
from payouts.closing.model import Close, Contents, Tell, month_after
from payouts.closing.pieces import PIECES
from payouts.closing.readme import readme
from payouts.closing.tables import write_tables

VERIFIER: Final = "verify.py"
_BLOCK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Packed:
    """A package as it was written.

    Args:
        path: its folder.
        sha256: of its manifest, hex.
        supersedes: the manifest of the version before.
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
            ExportError: something else stands there, or it can not be written.
        """
        target = out / close.folder
        asked = {"month": close.month, "version": close.version}
        before = connection.execute(QUERIES["package_before"], asked).one_or_none()
        supersedes = None if before is None else str(before.manifest_sha256)
        if (target / NAME).is_file():
            made = hashlib.sha256((target / NAME).read_bytes()).hexdigest()
            if close.manifest_sha256 is None:
                # Written, and killed before it was recorded: only what the books give again is recorded.
                again = target.with_name(f".{target.name}.again")
                shutil.rmtree(again, ignore_errors=True)
                sha256 = self._write(connection, close, again, tell)
                shutil.rmtree(again)
            else:
                sha256 = close.manifest_sha256
            if made != sha256 or not _is_whole(target, tell):
                raise TargetTakenError(target)
            return Packed(target, sha256, supersedes)
        return Packed(target, self._write(connection, close, target, tell), supersedes)

    def _write(self, connection: Connection, close: Close, target: Path, tell: Tell) -> str:
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
        return sha256

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
            supersedes=None if before is None else before.manifest_sha256,
        )
        return Contents(
            self.company, close, checkpoint, None if before is None else before.checkpoint_size, chosen
        ), heading


def _is_whole(target: Path, tell: Tell) -> bool:
    """Say whether every file that the manifest names is there and has its hash."""
    listed = Manifest.read((target / NAME).read_bytes()).files
    for done, each in enumerate(listed):
        tell("checking the package", done, len(listed))
        path, digest = target / each.name, hashlib.sha256()
        if not path.is_file():
            return False
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
        if digest.hexdigest() != each.sha256:
            return False
    return True
