"""A backup put back into an empty home, and everything in it proven before anybody works with it.

All of it is built in ``<home>/restoring`` and checked there by its hashes; then the vault, the keys and at last the
database take their names. A restore that was killed is begun again: what it left is cleared away first.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from app import database
from app.cluster import Cluster
from app.database import Role, SchemaStatus
from app.running import server_copy
from app.running.backup import key_text
from app.running.backup_folder import BackupFolder, copied, write_private
from app.running.errors import (
    BackupDamagedError,
    BackupPlaceError,
    CopyFailedError,
    HomeNotEmptyError,
    KeyMissingError,
)
from app.running.manifest import CopyKind, Listed, Manifest
from app.settings import Settings
from ingest.encryption import KEY_FILE_NAME, Keyring, load_keyring
from ingest.vault import Vault
from ingest.vault import upkeep as vault_upkeep
from ingest.vault.report import VaultCheck
from ledger import activity
from ledger.files import sync_folder
from ledger.proofs import Verdict, verify
from ledger.seal.outside import Outside
from ledger.snapshot import Books, books, books_at

Told = Callable[[str, int, int], None]
"""Told what is in hand, and how much of how much is done."""

_MARK = "begun-in-an-empty-home"
_PARTS = ("vault", "keys", "postgres")
"""What takes its name in the home, in this order: who finds a database finds the rest."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A backup that is back, and what was found when it was looked at.

    Args:
        manifest: what the backup says of itself.
        schema: what the database has; steps may be missing where this release is newer.
        books: those of the backup's own moment, rebuilt from the lines that are back.
        transactions: all that are back; more than the moment's where others posted during the backup.
        verdicts: the proofs; None: the schema is not up to date, so they can not be asked.
        vault: what ``vault verify`` found; None likewise.
    """

    manifest: Manifest
    schema: SchemaStatus
    books: Books
    transactions: int
    verdicts: tuple[Verdict, ...] | None
    vault: VaultCheck | None

    @property
    def is_same(self) -> bool:
        """Say whether the books are, to the cent and owner by owner, those that were backed up."""
        return self.books == self.manifest.books

    @property
    def holds(self) -> bool:
        """Say whether the books are the same, every proof holds and the vault has lost nothing."""
        proven = self.verdicts is not None and all(each.holds for each in self.verdicts)
        return self.is_same and proven and self.vault is not None and self.vault.holds


def put_back(settings: Settings, root: Path, name: str | None, keys: Path | None, told: Told) -> Manifest:
    """Put a backup into an empty home, or its database into an empty one of another server.

    Args:
        settings: name the home, and the other server if there is one.
        root: the folder of backups.
        name: which one; None: the newest.
        keys: the folder that the keys were copied to; None: they are given by the settings.
        told: what is in hand.

    Raises:
        HomeNotEmptyError: something is there already.
        BackupDamagedError: a file of the backup is not what it was.
        KeyMissingError, KeyUnusableError: the keys do not open it.
        BackupPlaceError: there is no such backup, or it can not be put there.
        CopyFailedError: a disk or the server gave up.
    """
    folder = BackupFolder(root)
    manifest = folder.manifest(_chosen(folder, name))
    keyring = _keys(settings, keys)
    missing = tuple(each for each in manifest.key_ids if each not in keyring.keys)
    if missing:
        raise KeyMissingError(missing)
    with _empty_home(settings) as building:
        _see_pieces(root / manifest.name, manifest, told)
        _put_vault(folder, manifest, building / "vault", told)
        (building / "keys").mkdir(mode=0o700)
        if settings.master_key is None and settings.master_key_file is None:
            write_private(building / "keys" / KEY_FILE_NAME, key_text(keyring).encode())
        told("database", 0, 1)
        _put_database(settings, root / manifest.name, manifest, building / "postgres", told)
        for part in _PARTS:
            if (building / part).exists():
                (building / part).rename(settings.home / part)
        sync_folder(settings.home)
    return manifest


def look(settings: Settings, manifest: Manifest, actor: str, now: datetime, told: Told) -> Restored:
    """Start what was put back and prove it; nothing changes but the record of activity.

    Args:
        settings: name the home, and the other server if there is one.
        manifest: of the backup.
        actor: who restored it.
        now: what was abandoned in the vault is more than a day older.
        told: what is in hand.

    Raises:
        ClusterError: the server can not be started.
    """
    vault = Vault(settings.vault_dir, settings.keyring())
    with ExitStack() as stack:
        told("starting", 0, 1)
        url = stack.enter_context(database.opened(settings))
        schema = database.status(url)
        engine = stack.enter_context(database.connected(url, Role.AUDITOR))
        reading = partial(database.reading, engine)
        outside = Outside(published=settings.checkpoints_folder)
        with reading() as connection:
            told("proofs", 0, 1)
            found, transactions = books_at(connection, manifest.books), books(connection).transactions
            verdicts = None if schema.pending else tuple(verify(connection, outside))
        check = None
        if not schema.pending:
            writing = stack.enter_context(database.connected(url, Role.APP))
            with database.unit_of_work(writing) as connection:
                activity.record(connection, actor, "backup_restored", manifest.name, same=int(found == manifest.books))
            check = vault_upkeep.verify(
                reading, vault, now, progress=lambda done, total: told("vault verify", done, total)
            )
    return Restored(manifest, schema, found, transactions, verdicts, check)


def _chosen(folder: BackupFolder, name: str | None) -> str:
    if name is not None:
        if Path(name).name != name:
            raise BackupPlaceError(f"{name!r} is no name of a backup.")
        return name
    there = folder.backups()
    if not there:
        raise BackupPlaceError(f"{folder.root} holds no backup that is whole.")
    return there[0]


def _keys(settings: Settings, keys: Path | None) -> Keyring:
    if keys is not None:
        return load_keyring(environment_key=None, key_file=keys / KEY_FILE_NAME, home_keys=keys)
    if settings.master_key is None and settings.master_key_file is None:
        raise BackupPlaceError(
            "The keys lie apart from the backup: name their folder with --keys, or give them in "
            "CENTRALPAY_MASTER_KEY_FILE. Nothing was restored."
        )
    return settings.keyring()


@contextmanager
def _empty_home(settings: Settings) -> Iterator[Path]:
    """Give the folder to build in; it is gone at the end, and the home as empty as before if it does not get whole."""
    home, building = settings.home, settings.home / "restoring"
    if settings.database_url is not None:
        server_copy.see_empty(settings.database_url.get_secret_value())
    try:
        _clear_unfinished(home, building)
        _see_empty(home)
        building.mkdir(mode=0o700, parents=True)
        home.chmod(0o700)
        (building / _MARK).touch(mode=0o600)
        try:
            yield building
        finally:
            shutil.rmtree(building, ignore_errors=True)
    except OSError as error:
        where, said = error.filename or home, error.strerror or type(error).__name__
        raise CopyFailedError(f"Nothing was restored: {where}: {said}") from error


def _clear_unfinished(home: Path, building: Path) -> None:
    """Take away what a killed restore left. It began in an empty home, and the database takes its name last."""
    if (building / _MARK).exists() and not (home / "postgres").exists():
        for left in (home / "vault", home / "keys", building):
            shutil.rmtree(left, ignore_errors=True)


def _see_empty(home: Path) -> None:
    """See that no file lies in the home; empty folders that a command made there are taken away."""
    for parent, folders, files in os.walk(home, topdown=False):
        if files:
            raise HomeNotEmptyError(str(home), Path(parent, files[0]).relative_to(home).parts[0])
        for each in folders:
            Path(parent, each).rmdir()


def _see_pieces(place: Path, manifest: Manifest, told: Told) -> None:
    """Compare every file of the backup with what the manifest says of it."""
    done = 0
    for each in manifest.pieces:
        try:
            with (place / each.name).open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
        except FileNotFoundError:
            raise BackupDamagedError(place, each.name, f"SHA-256 {each.sha256}", "no such file") from None
        if found != each.sha256:
            raise BackupDamagedError(place, each.name, f"SHA-256 {each.sha256}", f"SHA-256 {found}")
        done += each.size_bytes
        told("checking", done, manifest.database_bytes)


def _put_vault(folder: BackupFolder, manifest: Manifest, vault: Path, told: Told) -> None:
    """Copy the vault's files, comparing each with its hash as it is read."""
    vault.mkdir(mode=0o700)
    done = 0
    for each in folder.listed(manifest.name):
        _put_file(folder, each, vault)
        done += each.size_bytes
        told("vault", done, manifest.vault_bytes)
    for parent in sorted(vault.iterdir()):
        sync_folder(parent)
    sync_folder(vault)


def _put_file(folder: BackupFolder, each: Listed, vault: Path) -> None:
    path, stored = vault / each.sha256[:2] / f"{each.sha256}.vault", folder.object_path(each.stored_sha256)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        try:
            with stored.open("rb") as source:
                found = copied(source, out)
        except FileNotFoundError:
            found = "no such file"
        out.flush()
        os.fsync(descriptor)
    os.utime(path, ns=(each.mtime_ns, each.mtime_ns))  # the next backup need not copy it again
    if found != each.stored_sha256:
        name = str(stored.relative_to(folder.root))
        raise BackupDamagedError(folder.root, name, f"SHA-256 {each.stored_sha256}", found)


def _put_database(settings: Settings, place: Path, manifest: Manifest, data_dir: Path, told: Told) -> None:
    if manifest.kind is CopyKind.BASE:
        if settings.database_url is not None:
            raise BackupPlaceError(
                "The backup is of an embedded server, byte by byte; it can not be put into the server that "
                "CENTRALPAY_DATABASE_URL names. Unset that, and restore into a home."
            )
        server_copy.put_back_base(place, data_dir)
        return

    def passing(done: int, total: int) -> None:
        told("transaction numbers", done, total)

    with ExitStack() as stack:
        if settings.database_url is not None:
            url = settings.database_url.get_secret_value()
        else:
            cluster = Cluster(data_dir)
            stack.enter_context(cluster.running())
            database.make_database(cluster)
            url = cluster.url(database.DATABASE)
        server_copy.put_back_dump(url, place, manifest.books.next_xid, passing)
