"""Master keys, and values sealed with them: bank account numbers, and the key of each file in the vault.

A sealed value is AES-256-GCM (NIST SP 800-38D) with a fresh random nonce, and carries what is needed to open it again::

    1 byte    version, 1
    1 byte    length of the key id
    n bytes   key id, ASCII
    12 bytes  nonce
    rest      ciphertext, the last 16 bytes of it are the tag

Version and key id are authenticated together with the caller's associated data. That data says what the value belongs
to (a row, a file), so that a sealed value copied to another place does not open there.

A key is 32 bytes and is written down as base64. Where several stand together, parted by blanks, commas or lines, the
first one seals and all of them open: put a new key in front to change keys. A key's id is derived from the key itself,
so the two cannot be mixed up.
"""

import base64
import binascii
import contextlib
import hmac
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.files import sync_folder, write_first
from schemas.errors import CentralpayError, WrongUseError

KEY_BYTES = 32
KEY_FILE_NAME = "master.key"
_VERSION = 1
_NONCE_BYTES = 12
_TAG_BYTES = 16
_MAX_KEYS = 100
_MAX_KEY_TEXT = 16_384


class SealBrokenError(CentralpayError):
    """A sealed value does not open: changed, cut short, or sealed for something else."""

    def __init__(self) -> None:
        super().__init__("A sealed value does not open: it was changed, cut short, or belongs to another record.")


class UnknownKeyError(CentralpayError):
    """A value was sealed with a master key that the keyring does not hold.

    Args:
        key_id: the id of that key.
    """

    def __init__(self, key_id: str) -> None:
        self.key_id = key_id
        super().__init__(
            f"A value was sealed with master key {key_id}, which is not among the keys given. Add that key."
        )


class KeyUnusableError(WrongUseError):
    """A master key cannot be taken: malformed, missing, open to other users, or its folder cannot be written.

    Args:
        place: where the key was looked for, never the key.
        problem: what is wrong and what to do, as a sentence.
    """

    def __init__(self, place: str, problem: str) -> None:
        self.place = place
        super().__init__(f"Master key from {place}: {problem}")


@dataclass(frozen=True, eq=False)
class Keyring:
    """The master keys at hand: one that seals, and all that open.

    Args:
        current_key_id: id of the key that seals.
        keys: 32-byte keys by id; ids are 1 to 255 ASCII characters.
        made: True when ``load_keyring`` has just made the key: tell people to keep a copy of it.

    Raises:
        ValueError: the current id is not among the keys, or a key or id has the wrong size.
    """

    current_key_id: str
    keys: Mapping[str, bytes] = field(repr=False)
    made: bool = False

    def __post_init__(self) -> None:
        for key_id, key in self.keys.items():
            if not (key_id.isascii() and 1 <= len(key_id) <= 255):
                raise ValueError("a key id has 1 to 255 ASCII characters")
            if len(key) != KEY_BYTES:
                raise ValueError(f"a master key has {KEY_BYTES} bytes")
        if self.current_key_id not in self.keys:
            raise ValueError("the current key is not among the keys")
        object.__setattr__(self, "keys", MappingProxyType(dict(self.keys)))

    def seal(self, plaintext: bytes, associated_data: bytes) -> bytes:
        """Encrypt with the current key, bound to the associated data; each call gives other bytes."""
        key_id = self.current_key_id.encode("ascii")
        header = bytes((_VERSION, len(key_id))) + key_id
        # Taken from the system on purpose: a nonce that a caller could choose could repeat, and then nothing is secret.
        nonce = secrets.token_bytes(_NONCE_BYTES)
        body = AESGCM(self.keys[self.current_key_id]).encrypt(nonce, plaintext, header + associated_data)
        return header + nonce + body

    def open(self, sealed: bytes, associated_data: bytes) -> bytes:
        """Decrypt what ``seal`` made with the same associated data.

        Raises:
            UnknownKeyError: it names a key that is not held.
            SealBrokenError: it is not a sealed value, was changed, or belongs to other associated data.
        """
        if len(sealed) < 2 or sealed[0] != _VERSION:
            raise SealBrokenError
        header_bytes = 2 + sealed[1]
        header, nonce = sealed[:header_bytes], sealed[header_bytes : header_bytes + _NONCE_BYTES]
        body = sealed[header_bytes + _NONCE_BYTES :]
        if len(body) < _TAG_BYTES:
            raise SealBrokenError
        # A damaged id may hold anything; it is shown to people, so only what an id may hold gets through.
        key_id = header[2:].decode("ascii", "replace")
        if not (key_id.isascii() and key_id.isprintable()):
            raise SealBrokenError
        key = self.keys.get(key_id)
        if key is None:
            raise UnknownKeyError(key_id)
        try:
            return AESGCM(key).decrypt(nonce, body, header + associated_data)
        except InvalidTag:
            raise SealBrokenError from None


def id_of_key(key: bytes) -> str:
    """Derive the id of a key: 16 hex digits that tell nothing of the key."""
    return hmac.digest(key, b"centralpay master key id", "sha256")[:8].hex()


def load_keyring(*, environment_key: str | None, key_file: Path | None, home_keys: Path) -> Keyring:
    """Take the master keys from the environment, else from a file, else from the home folder, making one there at need.

    Args:
        environment_key: base64 text of one or more keys, the current one first; None when the variable is not set.
        key_file: a file of the same text, such as a mounted secret; it is never made here.
        home_keys: folder of our own key; made with mode 0700, the file in it with mode 0600. Two processes that start
            at once end with the same key.

    Returns:
        The keyring; its ``made`` says that a new key was written and must be backed up.

    Raises:
        KeyUnusableError: text that is no key, a file that cannot be read, or a home key that other users can read.
    """
    if environment_key is not None:
        return _keyring_from_text(environment_key, "the environment")
    if key_file is not None:
        return _keyring_from_text(_read_key_text(key_file), str(key_file))
    path = home_keys / KEY_FILE_NAME
    try:
        made = _make_home_key(path)
        mode = path.stat().st_mode
    except OSError as error:
        raise KeyUnusableError(str(path), f"cannot be made or read ({error.strerror}).") from error
    if stat.S_IMODE(mode) & 0o077:
        advice = f"Check who has seen it, then run: chmod 600 {path}"
        raise KeyUnusableError(str(path), f"other users can read or change the file. {advice}")
    return _keyring_from_text(_read_key_text(path), str(path), made=made)


def _read_key_text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(_MAX_KEY_TEXT + 1).decode("ascii", "replace")
    except OSError as error:
        raise KeyUnusableError(str(path), f"cannot be read ({error.strerror}).") from error


def _keyring_from_text(text: str, place: str, *, made: bool = False) -> Keyring:
    words = text.replace(",", " ").split()
    if not words:
        raise KeyUnusableError(place, "it is empty. Give 32 random bytes as base64, or leave the setting out.")
    if len(words) > _MAX_KEYS or len(text) > _MAX_KEY_TEXT:
        raise KeyUnusableError(place, f"more than {_MAX_KEYS} keys or {_MAX_KEY_TEXT} characters.")
    keys: dict[str, bytes] = {}
    for number, word in enumerate(words, start=1):
        try:
            key = base64.b64decode(word, altchars=b"-_" if "-" in word or "_" in word else None, validate=True)
        except (binascii.Error, ValueError):
            raise KeyUnusableError(place, f"key {number} is not base64.") from None
        if len(key) != KEY_BYTES:
            raise KeyUnusableError(place, f"key {number} has {len(key)} bytes; a master key has {KEY_BYTES}.")
        keys.setdefault(id_of_key(key), key)
    return Keyring(next(iter(keys)), keys, made)


def _make_home_key(path: Path) -> bool:
    """Make the key file if there is none; True if it was this call that made it."""
    folder = path.parent
    folder.parent.mkdir(parents=True, exist_ok=True)
    # A folder that others may enter (a restored copy, a careless umask) is closed again: nothing in it is for them.
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if stat.S_IMODE(folder.stat().st_mode) != 0o700:
        folder.chmod(0o700)
    made = not path.exists() and _place_new_key(path)
    # Also when another process has just made it: what is sealed from now on must find the key again after a power cut.
    for changed in (folder, folder.parent):
        sync_folder(changed)
    return made


def _place_new_key(path: Path) -> bool:
    # Of two processes one wins, and both read the winner's.
    return write_first(path, base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
