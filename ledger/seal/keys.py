"""The key that signs checkpoints: Ed25519 (RFC 8032), in a file of its own that only its owner can read.

The file holds one line as the signed-note programs of others write it, ``PRIVATE+KEY+name+hash+base64(01, seed)``. The
key that is to follow waits beside it as ``<file>.next`` until a second person has approved it. The database knows
public keys only, so a backup of it can not sign.
"""

import base64
import binascii
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.files import sync_folder, write_first, write_whole
from ledger.seal.errors import SealKeyUnusableError
from ledger.seal.note import ED25519, SigningKey, VerifierKey

KEY_FILE_NAME: Final = "seal.key"
_PREFIX: Final = "PRIVATE+KEY"
_SEED_BYTES: Final = 32
_LONGEST: Final = 4096
_LOST: Final = "put it back from your copy, or, where it is lost, ask for another: centralpay ledger seal-key rotate"


@dataclass(frozen=True)
class SealKeys:
    """Where the signing key is.

    Args:
        path: the file.
        name: of a key that is made: the origin of the checkpoints, a C2SP key name.
        is_ours: whether the file is in our own folder, where a first key is made; a file that a secret store mounts is
            never made.
    """

    path: Path
    name: str
    is_ours: bool = True

    @property
    def next_path(self) -> Path:
        """Where the key waits that is to follow."""
        return self.path.with_name(self.path.name + ".next")

    def first(self) -> SigningKey:
        """Give the key of an installation that has sealed nothing yet; it is made where there is none.

        Raises:
            SealKeyUnusableError: it can not be made or read.
        """
        if self.is_ours and not self.path.exists():
            _make(self.path, self.name, replace=False)
        return _read(self.path)

    def recorded(self, vkey: str) -> SigningKey:
        """Give the key that the database records; one that was approved meanwhile takes its place.

        Raises:
            SealKeyUnusableError: the key at hand is not that one.
        """
        waits = self.next_path.exists() and _read(self.next_path)
        if waits and str(waits.verifier) == vkey:
            _rename(self.next_path, self.path)
        if not self.path.exists():
            raise SealKeyUnusableError(self.path, f"it is not there; {_LOST}")
        key = _read(self.path)
        if str(key.verifier) != vkey:
            raise SealKeyUnusableError(self.path, f"it is not the key that signed last; {_LOST}")
        return key

    def make_next(self) -> VerifierKey:
        """Make the key that is to follow, or give the one that waits already under the same name.

        Raises:
            SealKeyUnusableError: it can not be made or read.
        """
        if self.next_path.exists():
            waits = _read(self.next_path).verifier
            if waits.name == self.name:
                return waits
        _make(self.next_path, self.name, replace=True)
        return _read(self.next_path).verifier


def _read(path: Path) -> SigningKey:
    try:
        with path.open("rb") as stream:
            mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
            text = stream.read(_LONGEST).decode("utf-8", "replace").strip()
    except OSError as error:
        raise SealKeyUnusableError(path, f"can not be read ({error.strerror})") from error
    if mode & 0o077:
        raise SealKeyUnusableError(path, f"other users can read it; see who has, then: chmod 600 {path}")
    name, _, rest = text.removeprefix(_PREFIX + "+").partition("+")
    try:
        secret = base64.b64decode(rest.partition("+")[2], validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if not text.startswith(_PREFIX) or secret[:1] != ED25519 or len(secret) != 1 + _SEED_BYTES:
        raise SealKeyUnusableError(path, f"it holds no signing key of Ed25519; {_LOST}")
    key = SigningKey(name, Ed25519PrivateKey.from_private_bytes(secret[1:]))
    if key.verifier.key_hash.hex() != rest.partition("+")[0]:
        raise SealKeyUnusableError(path, f"its name or hash was changed; {_LOST}")
    return key


def _make(path: Path, name: str, *, replace: bool) -> None:
    """Write a new key; of two processes that make the first one, both go on with the winner's."""
    private = Ed25519PrivateKey.generate()
    key = SigningKey(name, private)
    secret = base64.b64encode(ED25519 + private.private_bytes_raw()).decode()
    line = f"{_PREFIX}+{name}+{key.verifier.key_hash.hex()}+{secret}\n"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        (write_whole if replace else write_first)(path, line.encode())
        sync_folder(path.parent)
    except OSError as error:
        raise SealKeyUnusableError(path, f"can not be made ({error.strerror})") from error


def _rename(path: Path, target: Path) -> None:
    try:
        path.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        raise SealKeyUnusableError(target, f"the approved key can not take its place ({error.strerror})") from error
