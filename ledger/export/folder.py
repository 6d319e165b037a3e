"""The folder of a package, whole or not there: written beside its place, synced, then renamed.

Who is killed while writing leaves a hidden folder without the name that was asked for; the next export to the same
place clears it away. Of two that write to one place the first one has it, and the other is told so.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from ledger.export.errors import ExportNotWrittenError, TargetTakenError
from ledger.export.manifest import NAME, Heading, Manifest, PackageFile, Totals
from ledger.files import sync_folder

_BLOCK_BYTES: Final = 1 << 20
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the first moment that the ZIP format knows


class HashedFile:
    """A file that is hashed as it is written; ``totals`` is what the manifest will say of it beside hash and length."""

    def __init__(self, file: BinaryIO) -> None:
        self.totals = Totals()
        self.length = 0
        self.write_raw = file.write
        self.digest = hashlib.sha256()

    def write(self, content: bytes) -> None:
        """Write bytes at the end."""
        self.digest.update(content)
        self.length += len(content)
        self.write_raw(content)


class PackageFolder:
    """A package in the making.

    Args:
        path: the folder to write into; nobody knows its name yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest: Manifest | None = None
        self._files: list[PackageFile] = []

    @contextmanager
    def writing(self, name: str) -> Iterator[HashedFile]:
        """Give a file of the package to write; for its owner's eyes (0600), synced at the end.

        Args:
            name: with ``/`` between folders, such as ``sealed/entries.jsonl``.
        """
        place = self.path / name
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb", buffering=_BLOCK_BYTES) as file:
            hashed = HashedFile(file)
            yield hashed
            file.flush()
            os.fsync(file.fileno())
        facts = {field: getattr(hashed.totals, field) for field in Totals.model_fields}
        self._files.append(PackageFile(name=name, sha256=hashed.digest.hexdigest(), bytes=hashed.length, **facts))

    def put(self, name: str, content: bytes, totals: Totals | None = None) -> None:
        """Write a whole file of the package."""
        with self.writing(name) as file:
            file.totals = totals or Totals()
            file.write(content)

    def finish(self, heading: Heading) -> Manifest:
        """Write the manifest, after everything else."""
        manifest = Manifest.of(heading, tuple(self._files))
        self.put(NAME, manifest.content())
        self.manifest = manifest
        return manifest


@contextmanager
def package(out: Path, *, packed: bool = False) -> Iterator[PackageFolder]:
    """Give a package to write; when the block ends well it stands at ``out``, whole, else nothing does.

    Args:
        out: the folder, which must not be there or be empty; with ``packed`` the ZIP file.
        packed: one ZIP file in place of a folder.

    Raises:
        TargetTakenError: something is there.
        ExportNotWrittenError: the disk is full, or it may not be written there.
        RuntimeError: the block ended without ``finish``.
    """
    out = out.absolute()
    try:
        _see_free(out, packed=packed)
        out.parent.mkdir(parents=True, exist_ok=True)
        _clear_leftovers(out)
        place, held = _place_beside(out)
        try:
            folder = PackageFolder(place / "package")
            folder.path.mkdir(mode=0o700)
            yield folder
            if folder.manifest is None:
                raise RuntimeError("A package without a manifest is none.")
            _publish(folder, out, packed=packed)
        finally:
            shutil.rmtree(place, ignore_errors=True)
            os.close(held)
    except OSError as error:
        raise ExportNotWrittenError(out, error.strerror) from error


def _see_free(out: Path, *, packed: bool) -> None:
    if out.is_symlink() or (out.exists() and (packed or not out.is_dir() or any(out.iterdir()))):
        raise TargetTakenError(out)


def _publish(folder: PackageFolder, out: Path, *, packed: bool) -> None:
    for inner in [path for path in folder.path.rglob("*") if path.is_dir()]:
        sync_folder(inner)
    sync_folder(folder.path)
    if packed:
        done = _packed(folder, out)
        try:
            # Unlike a rename it takes nobody's place.
            os.link(done, out)
        except FileExistsError:
            raise TargetTakenError(out) from None
    else:
        try:
            # Takes the place of nothing or of an empty folder, never of a full one.
            folder.path.rename(out)
        except OSError:
            _see_free(out, packed=False)
            raise
    sync_folder(out.parent)


def _packed(folder: PackageFolder, out: Path) -> Path:
    """Put the files into one ZIP, each with the same date: the same files make the same ZIP."""
    done = folder.path.parent / "package.zip"
    descriptor = os.open(done, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for path in sorted(each for each in folder.path.rglob("*") if each.is_file()):
                name = f"{out.stem}/{path.relative_to(folder.path).as_posix()}"
                member = zipfile.ZipInfo(name, _EPOCH)
                member.compress_type, member.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
                with path.open("rb") as source, archive.open(member, "w", force_zip64=True) as target:
                    shutil.copyfileobj(source, target, _BLOCK_BYTES)
        file.flush()
        os.fsync(file.fileno())
    return done


def _prefix(out: Path) -> str:
    return f".{out.name}.part-"


def _place_beside(out: Path) -> tuple[Path, int]:
    """Make a folder beside the target and lock it; one that is cleared away in between is made again."""
    while True:
        place = Path(tempfile.mkdtemp(prefix=_prefix(out), dir=out.parent))
        with suppress(FileNotFoundError, BlockingIOError):
            held = _hold(place)
            if place.exists():
                return place, held
            os.close(held)


def _hold(place: Path) -> int:
    """Lock a folder for as long as this process writes into it."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _clear_leftovers(out: Path) -> None:
    """Remove what killed exports to the same place have left; what one is still writing stays."""
    for place in [each for each in out.parent.iterdir() if each.name.startswith(_prefix(out))]:
        with suppress(OSError):
            held = _hold(place)
            shutil.rmtree(place, ignore_errors=True)
            os.close(held)
