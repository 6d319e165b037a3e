"""A new master key in the place of an old one: the key of every file in the vault and every account number under it.

The new key stands first in the key text, the old one stays behind it until nothing is under it any more. A file's
content is not encrypted anew: its own key is wrapped anew, in a copy that takes the file's name when it is whole. At
every moment one of the two lies there whole, so a process that is killed is simply run again. Account numbers change in
one transaction. The hash that a cycle's approval is bound to knows an account by its row, so it stays.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ingest.encryption import Keyring, SealBrokenError, UnknownKeyError
from ingest.vault import NotInVaultError, Vault
from ingest.vault.sealed_header import Header, Part, VaultDamagedError, sealing_key_id
from ledger import activity
from ledger.activity import Begin
from ledger.queries import Queries
from schemas.errors import RefusedError

_QUERIES = Queries("ingest", "vault.sql")
_COPIED_BYTES = 1 << 20

Progress = Callable[[int, int], None]
"""Told the files that are done, and all."""


class NumbersChangedError(RefusedError):
    """Account numbers were changed by another process while they were sealed anew; none of them was touched."""

    def __init__(self) -> None:
        super().__init__("Account numbers changed meanwhile; none was sealed anew. Run again: centralpay vault rotate")


class KeyInUse(BaseModel):
    """What a master key seals."""

    model_config = ConfigDict(frozen=True)

    key_id: str
    is_current: bool
    is_given: bool
    files: int
    numbers: int


class Rotated(BaseModel):
    """What a rotation changed, and which keys are in use after it."""

    model_config = ConfigDict(frozen=True)

    files_rewrapped: int
    numbers_resealed: int
    unopened: tuple[str, ...]
    """SHA-256 of files, and rows of account numbers, that do not open with the key they name: they stay as they are."""
    keys: tuple[KeyInUse, ...]

    @property
    def old_key_ids(self) -> tuple[str, ...]:
        """The old keys that something is still under; none: they may be taken away."""
        return tuple(each.key_id for each in self.keys if not each.is_current)


def rotate(begin: Begin, vault: Vault, actor: str, progress: Progress | None = None) -> Rotated:
    """Put everything that is under an old master key under the current one. Again, it changes nothing.

    Args:
        begin: opens a unit of work.
        vault: its keyring has the new key first, and the old ones.
        actor: who acts.
        progress: told the files done, and all.

    Raises:
        NumbersChangedError: another process is at the account numbers.
        VaultUnusableError: the folder can not be written.
    """
    with begin() as connection:
        before = keys_in_use(connection, vault)
        if any(not each.is_current for each in before):
            activity.record(connection, actor, "master_key_rotated", vault.keyring.current_key_id)
        resealed, unopened = _reseal_numbers(connection, vault.keyring, actor)
    rewrapped, files = 0, sum(each.files for each in before)
    for number, sha256 in enumerate(vault.folder.digests(), 1):
        try:
            with suppress(NotInVaultError):
                rewrapped += rewrap(vault, sha256)
        except (VaultDamagedError, UnknownKeyError):
            unopened.append(sha256)
        if progress:
            progress(number, files)
    with begin() as connection:
        keys = keys_in_use(connection, vault)
    return Rotated(files_rewrapped=rewrapped, numbers_resealed=resealed, unopened=tuple(unopened), keys=keys)


def keys_in_use(connection: Connection, vault: Vault) -> tuple[KeyInUse, ...]:
    """Count what each master key seals, by what the seals themselves say; nothing is decrypted."""
    files: Counter[str] = Counter()
    for sha256 in vault.folder.digests():
        with suppress(NotInVaultError, VaultDamagedError), _stored(vault, sha256) as descriptor:
            files[Header.read(descriptor, sha256).key_id] += 1
    numbers: Counter[str] = Counter()
    for row in connection.execute(_QUERIES["sealed_numbers"]):
        with suppress(SealBrokenError):
            numbers[sealing_key_id(bytes(row.sealed_number))] += 1
    keyring = vault.keyring
    return tuple(
        KeyInUse(
            key_id=key_id,
            is_current=key_id == keyring.current_key_id,
            is_given=key_id in keyring.keys,
            files=files[key_id],
            numbers=numbers[key_id],
        )
        for key_id in sorted({*files, *numbers, keyring.current_key_id})
    )


def rewrap(vault: Vault, sha256: str) -> bool:
    """Put one file under the current master key; False if it is there already, or was replaced meanwhile.

    Raises:
        NotInVaultError: it is not there.
        VaultDamagedError: its key does not open.
        UnknownKeyError: its master key is not at hand.
    """
    with _stored(vault, sha256) as descriptor:
        header = Header.read(descriptor, sha256)
        if header.key_id == vault.keyring.current_key_id:
            return False
        key = header.key(vault.keyring)
        anew = Header.wrapping(key, header.chunk_bytes, sha256, vault.keyring)
        with vault.folder.incoming() as (out, part):
            out.write(anew.stored())
            for piece in _body(descriptor, header):
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
            with vault.folder.held(sha256, alone=True) as path, suppress(FileNotFoundError):
                # It may have been let go, or healed, while it was copied; then the copy is not its place any more.
                if os.path.samestat(path.stat(), os.fstat(descriptor)):
                    part.replace(path)
                    return True
    return False


@contextmanager
def _stored(vault: Vault, sha256: str) -> Iterator[int]:
    path = vault.folder.path(sha256)
    with vault.folder.usable():
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            raise NotInVaultError(sha256) from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _body(descriptor: int, header: Header) -> Iterator[bytes]:
    """Give everything behind the header as it is stored."""
    at = header.stored_bytes
    try:
        while piece := os.pread(descriptor, _COPIED_BYTES, at):
            yield piece
            at += len(piece)
    except OSError:
        raise VaultDamagedError(header.sha256, Part.CHUNK) from None


def _reseal_numbers(connection: Connection, keyring: Keyring, actor: str) -> tuple[int, list[str]]:
    """Seal the account numbers anew; give how many, and the rows whose number does not open."""
    connection.execute(_QUERIES["lock_numbers"])
    old: list[tuple[str, bytes, bytes]] = []
    unopened = []
    for row in connection.execute(_QUERIES["sealed_numbers"]):
        sealed, bound = bytes(row.sealed_number), row.sealed_for.encode()
        try:
            if sealing_key_id(sealed) != keyring.current_key_id:
                old.append((row.context, sealed, keyring.seal(keyring.open(sealed, bound), bound)))
        except (SealBrokenError, UnknownKeyError):
            unopened.append(row.context)
    if old:
        contexts, read, resealed = (list(column) for column in zip(*old, strict=True))
        facts = {"actor": actor, "contexts": contexts, "read": read, "resealed": resealed}
        if connection.execute(_QUERIES["reseal"], facts).scalar_one() != len(old):
            raise NumbersChangedError
    return len(old), unopened
