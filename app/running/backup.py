"""A backup: the database, then the vault, then the manifest, while everybody goes on working.

The database first: what it names was in the vault before it was committed, so a vault that is copied afterwards holds
all of it. What the vault holds beyond that (a file whose command was not done yet) is harmless.
"""

import base64
import fcntl
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from app.cluster import Cluster
from app.database import schema_status
from app.running import server_copy
from app.running.backup_folder import VAULT_LIST, BackupFolder, name_of, piece, write_private
from app.running.errors import BackupPlaceError, CopyFailedError
from app.running.manifest import CopyKind, Listed, Manifest
from app.session import Session
from app.settings import Settings
from ingest.encryption import KEY_FILE_NAME, Keyring, load_keyring
from ingest.vault.folder import VaultFolder
from ingest.vault.keys import keys_in_use
from ledger import activity
from ledger.snapshot import books, export

Told = Callable[[str, int, int], None]
"""Told what is in hand, and how much of how much is done."""


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made.

    Args:
        place: its folder.
        manifest: what it says of itself.
        new_objects: files of the vault that were copied; the others were there.
    """

    place: Path
    manifest: Manifest
    new_objects: int


def back_up(session: Session, root: Path, told: Told) -> Made:
    """Make a backup in a folder, beside those that are there.

    Args:
        session: an open one; its server is copied.
        root: the folder of backups; made at need, private.
        told: what is in hand.

    Raises:
        BackupPlaceError: the folder lies in the home, or can not be written.
        BackupUnderWayError: another process is at it.
        CopyFailedError: the server or a disk gave up; no backup was made.
    """
    settings = session.settings
    if _inside(root, settings.home):
        raise BackupPlaceError(f"{root} lies in the home {settings.home}; what takes one away would take the other.")
    folder = BackupFolder(root)
    with folder.alone() as lock, _sentences(root), folder.making(session.now) as making:
        with session.reading() as connection:
            schema, key_ids = schema_status(connection), _key_ids(session)
            seen = books(connection)
            if settings.database_url is not None:
                told("database", 0, 1)
                server_copy.dump(settings.database_url.get_secret_value(), making, export(connection), lock)
        if settings.database_url is None:
            url = Cluster(settings.postgres_dir).url()
            server_copy.base_backup(url, making, lock, lambda done, total: told("database", done, total))
        listed, new_objects = _copy_vault(session.vault.folder, folder, told)
        _write_list(making / VAULT_LIST, listed)
        manifest = Manifest(
            name=name_of(making),
            kind=CopyKind.BASE if settings.database_url is None else CopyKind.DUMP,
            made_at=session.now,
            made_by=session.actor,
            release=version("centralpay"),
            server=schema.server,
            schema_step=schema.current or "",
            pieces=tuple(piece(each) for each in sorted(making.iterdir())),
            vault_files=len(listed),
            vault_bytes=sum(each.size_bytes for each in listed),
            key_ids=tuple(sorted(key_ids | _key_ids(session))),
            books=seen,
            **_log_range(making, settings),
        )
        place = folder.finish(making, manifest)
    with session.begin() as connection:
        activity.record(connection, session.actor, "backup_made", manifest.name, transactions=seen.transactions)
    return Made(place, manifest, new_objects)


def copy_keys(session: Session, root: Path, place: Path) -> Path:
    """Copy the master keys at hand into a folder apart from the backups; keys that are there already are kept.

    Args:
        session: an open one.
        root: the folder of backups.
        place: the folder for the keys; made at need, private.

    Raises:
        BackupPlaceError: the folders are not apart, or it can not be written.
        KeyUnusableError: what lies there already is no key text.
    """
    home = session.settings.home
    if _inside(place, root) or _inside(root, place) or _inside(place, home):
        raise BackupPlaceError(
            f"The keys go where neither the backups nor the home are: {place} is not apart from {root} and {home}."
        )
    path = place / KEY_FILE_NAME
    keys = dict(session.keyring.keys)
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists():  # older backups may be under older keys
            keys |= load_keyring(environment_key=None, key_file=path, home_keys=place).keys
    except OSError as error:
        raise BackupPlaceError(f"{place}: {error.strerror}") from error
    write_private(path, key_text(Keyring(session.keyring.current_key_id, keys)).encode())
    return path


def key_text(keyring: Keyring) -> str:
    """Write keys down as ``load_keyring`` reads them: a line each in base64, the current one first."""
    others = (key for key_id, key in keyring.keys.items() if key_id != keyring.current_key_id)
    keys = (keyring.keys[keyring.current_key_id], *others)
    return "".join(base64.b64encode(key).decode("ascii") + "\n" for key in keys)


def _copy_vault(vault: VaultFolder, folder: BackupFolder, told: Told) -> tuple[list[Listed], int]:
    """Copy what the folder of backups has not; give all files of the vault, and how many were new."""
    known = _known(folder)
    total, done, new, listed = vault.stored_bytes(), 0, list[str](), list[Listed]()
    for sha256 in vault.digests():
        with _stored(vault.path(sha256)) as descriptor:
            if descriptor is None:  # let go since its folder was listed
                continue
            found = os.fstat(descriptor)
            stored = known.get((sha256, found.st_size, found.st_mtime_ns))
            if stored is None:
                with os.fdopen(descriptor, "rb", closefd=False) as source:
                    stored, _ = folder.add_object(source)
                new.append(stored)
            listed.append(Listed(sha256, stored, found.st_size, found.st_mtime_ns))
        done += found.st_size
        told("vault", done, max(total, done))
    folder.sync_objects(new)
    return listed, len(new)


def _known(folder: BackupFolder) -> Mapping[tuple[str, int, int], str]:
    """Tell from the newest backup which files need not be read: unchanged since, and among the objects."""
    known = {}
    for name in folder.backups()[:1]:
        for each in folder.listed(name):
            with suppress(OSError):
                if folder.object_path(each.stored_sha256).stat().st_size == each.size_bytes:
                    known[each.sha256, each.size_bytes, each.mtime_ns] = each.stored_sha256
    return known


@contextmanager
def _stored(path: Path) -> Iterator[int | None]:
    """Open a file of the vault while nobody replaces or erases it: who does holds its folder alone."""
    try:
        holding = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        yield None
        return
    try:
        fcntl.flock(holding, fcntl.LOCK_SH)
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            yield None
            return
        try:
            yield descriptor
        finally:
            os.close(descriptor)
    finally:
        os.close(holding)


def _key_ids(session: Session) -> set[str]:
    """Give the keys that something is under; asked before and after, for a rotation may be under way."""
    with session.reading() as connection:
        used = keys_in_use(connection, session.vault)
    return {each.key_id for each in used if each.is_current or each.files or each.numbers}


def _log_range(making: Path, settings: Settings) -> dict[str, str | None]:
    if settings.database_url is not None:
        return {}
    start, end = server_copy.log_range(making)
    return {"start_lsn": start, "end_lsn": end}


def _write_list(path: Path, listed: list[Listed]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as out:
        out.writelines(each.line() for each in listed)


def _inside(folder: Path, other: Path) -> bool:
    return folder.resolve().is_relative_to(other.resolve())


@contextmanager
def _sentences(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = re.sub(r"[^ -~]", "?", str(error.filename or root))
        raise CopyFailedError(f"No backup was made: {where}: {error.strerror or type(error).__name__}") from error
