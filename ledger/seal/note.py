"""Checkpoints as signed notes (C2SP signed-note, C2SP tlog-checkpoint), and the keys that verify them (vkeys).

A note is text that ends with a newline, an empty line, and lines ``— <name> <base64(key hash, signature)>``. A
checkpoint's text is the origin, the size, the root in base64, and here two extension lines: when, and by whom::

    centralpay.example/1999999999
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
    time 2026-11-22T18:00:00Z
    by anna

    — centralpay.example/1999999999 Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5…
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.seal.errors import NoteUnreadableError, VerifierKeyError
from ledger.seal.tree import HASH_BYTES

ED25519: Final = b"\x01"
"""Algorithm of a key (C2SP signed-note): Ed25519."""
_KEY_BYTES: Final = 32
_MOMENT: Final = "%Y-%m-%dT%H:%M:%SZ"
_NAME: Final = re.compile(r"[^\s+]+")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_SIGNATURE: Final = re.compile(r"— ([^\s+]+) (\S+)")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A key that verifies: its name, and the public key of Ed25519 (32 bytes)."""

    name: str
    public: bytes

    @property
    def key_hash(self) -> bytes:
        """Four bytes that tell keys of one name apart."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        """Write it as C2SP writes it: name, hash in hex, algorithm and key in base64, a plus between."""
        return f"{self.name}+{self.key_hash.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read a verifier key.

        Raises:
            VerifierKeyError: it is none.
        """
        name, _, rest = text.strip().partition("+")
        hash_hex, _, encoded = rest.partition("+")
        key = _decoded(encoded)
        if not _NAME.fullmatch(name) or key is None or key[:1] != ED25519 or len(key) != 1 + _KEY_BYTES:
            raise VerifierKeyError(text)
        found = cls(name, key[1:])
        if found.key_hash.hex() != hash_hex:
            raise VerifierKeyError(text)
        return found

    def verifies(self, note: "SignedNote") -> bool:
        """Say whether a note carries this key's signature."""
        public = Ed25519PublicKey.from_public_bytes(self.public)
        for name, signed in note.signatures:
            if name == self.name and signed[:4] == self.key_hash:
                try:
                    public.verify(signed[4:], note.text.encode())
                except InvalidSignature:
                    return False
                return True
        return False


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs: its name and the private key."""

    name: str
    private: Ed25519PrivateKey

    @property
    def verifier(self) -> VerifierKey:
        """The key that verifies what this one signs."""
        return VerifierKey(self.name, self.private.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """Give the note of a text that ends with a newline."""
        signature = base64.b64encode(self.verifier.key_hash + self.private.sign(text.encode())).decode()
        return f"{text}\n— {self.name} {signature}\n"


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A note as it is written: the signed text, and who signed (name, key hash and signature)."""

    text: str
    signatures: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class CheckpointNote:
    """What a checkpoint's text says: origin, leaves, root (32 bytes), the moment (UTC, whole seconds), who sealed."""

    origin: str
    size: int
    root: bytes
    sealed_at: datetime
    sealed_by: str

    def text(self) -> str:
        """Write the text that is signed."""
        moment = self.sealed_at.astimezone(UTC).strftime(_MOMENT)
        root = base64.b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\ntime {moment}\nby {self.sealed_by}\n"


def parse_note(written: str) -> SignedNote:
    """Read a note; signatures are not checked here.

    Raises:
        NoteUnreadableError: it is none.
    """
    text, parted, signed = written.rpartition("\n\n")
    lines = signed.removesuffix("\n").split("\n")
    if not parted or not signed.endswith("\n") or not text:
        raise NoteUnreadableError("it has no signatures below an empty line")
    signatures = []
    for line in lines:
        found = _SIGNATURE.fullmatch(line)
        decoded = None if found is None else _decoded(found[2])
        if found is None or decoded is None or len(decoded) <= len(ED25519) + 4:
            raise NoteUnreadableError("a line of its signatures can not be read")
        signatures.append((found[1], decoded))
    return SignedNote(text + "\n", tuple(signatures))


def parse_checkpoint(text: str) -> CheckpointNote:
    """Read the text of a checkpoint, as ``SignedNote.text`` holds it.

    Raises:
        NoteUnreadableError: it is none of ours.
    """
    lines = text.removesuffix("\n").split("\n")
    if len(lines) != 5 or not text.endswith("\n"):
        raise NoteUnreadableError("a checkpoint has five lines: origin, size, root, time, by whom")
    origin, size, encoded, moment, hand = lines
    root = _decoded(encoded)
    if not _SIZE.fullmatch(size) or root is None or len(root) != HASH_BYTES or not origin:
        raise NoteUnreadableError("its origin, size or root can not be read")
    try:
        sealed_at = datetime.strptime(moment, f"time {_MOMENT}").replace(tzinfo=UTC)
    except ValueError:
        raise NoteUnreadableError("its fourth line is no time such as 2026-11-22T18:00:00Z") from None
    if not hand.startswith("by ") or not hand[3:]:
        raise NoteUnreadableError("its fifth line does not say who sealed")
    return CheckpointNote(origin, int(size), root, sealed_at, hand[3:])


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
