"""The checkpoints: signed roots of the tree, each named by its size, the number of leaves that it covers."""

import re
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ledger.queries import Queries
from ledger.seal.errors import InstantToComeError, UnknownCheckpointError
from ledger.seal.note import VerifierKey

QUERIES: Final = Queries("ledger", "seal.sql")
_SIZE: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
_INSTANT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].+)?", re.ASCII)


class Checkpoint(BaseModel):
    """A checkpoint.

    Args:
        size: leaves that it covers, ``0 … size - 1``: its name.
        journal_size: entries among them: the last journal number that it covers.
        root: 64 hex digits.
        previous_size: the checkpoint that it continues; None: the first.
        sealed_at: moment of the signature, whole seconds, UTC; never before the one that it continues.
        sealed_by: who sealed.
        note: the signed note, as it is published (C2SP signed-note).
    """

    model_config = ConfigDict(frozen=True)

    size: int
    journal_size: int
    root: str
    previous_size: int | None
    sealed_at: datetime
    sealed_by: str
    note: str

    @property
    def root_bytes(self) -> bytes:
        """The root, 32 bytes."""
        return bytes.fromhex(self.root)


class SealKey(BaseModel):
    """A public key that verifies the checkpoints above ``since_size``, up to ``until_size`` (None: to the last)."""

    model_config = ConfigDict(frozen=True)

    vkey: str
    name: str
    since_size: int
    until_size: int | None
    recorded_at: datetime
    recorded_by: str

    @property
    def verifier(self) -> VerifierKey:
        """The key, read."""
        return VerifierKey.parse(self.vkey)

    def is_of(self, size: int) -> bool:
        """Say whether it is this key that signs the checkpoint of a size."""
        return self.since_size < size and (self.until_size is None or size <= self.until_size)


def latest(connection: Connection) -> Checkpoint | None:
    """Give the last checkpoint, or None where nothing is sealed yet."""
    return next(iter(newest(connection, 1)), None)


def newest(connection: Connection, most: int) -> list[Checkpoint]:
    """List the last checkpoints, the newest first."""
    return _found(connection, "latest", most=most)


def after(connection: Connection, size: int) -> list[Checkpoint]:
    """List the checkpoints above a size, in their order; with 0 all."""
    return _found(connection, "checkpoints", above=size)


def of_size(connection: Connection, size: int) -> Checkpoint:
    """Give the checkpoint of a size.

    Raises:
        UnknownCheckpointError: there is none; says what there is.
    """
    found = _found(connection, "of_size", size=size)
    if not found:
        raise _unknown(connection, str(size))
    return found[0]


def named(connection: Connection, text: str, now: datetime) -> Checkpoint:
    """Give the checkpoint that somebody names: its size, ``latest``, or an instant: the last one at or before it.

    An instant is ISO text, in UTC where it names no zone; a date alone is its end, in UTC. One that is still to come
    is refused: the last checkpoint before it may be still to come as well, so the answer would not stay the same.

    Args:
        connection: to read from.
        text: what was asked for.
        now: the moment of asking, aware.

    Raises:
        UnknownCheckpointError: there is none, or the text is neither; says what there is.
        InstantToComeError: it is an instant that is not over.
    """
    if text == "latest":
        found = newest(connection, 1)
    elif _SIZE.fullmatch(text):
        found = _found(connection, "of_size", size=int(text))
    else:
        moment = _instant(connection, text)
        if moment > now:
            raise InstantToComeError(text, now)
        found = _found(connection, "of_moment", moment=moment)
    if not found:
        raise _unknown(connection, text)
    return found[0]


def keys(connection: Connection) -> list[SealKey]:
    """List the keys that verify, the oldest first."""
    return [SealKey(**row) for row in connection.execute(QUERIES["keys"]).mappings()]


def waiting(connection: Connection) -> int:
    """Count the transactions and trail rows that are committed and not sealed yet."""
    return int(connection.execute(QUERIES["waiting"]).scalar_one())


def _instant(connection: Connection, text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text) if _INSTANT.fullmatch(text) else None
    except ValueError:
        found = None
    if found is None:
        raise _unknown(connection, text)
    if len(text) == len("2026-11-22"):
        found = found.replace(hour=23, minute=59, second=59, microsecond=999_999)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _unknown(connection: Connection, text: str) -> UnknownCheckpointError:
    span = connection.execute(QUERIES["span"]).one()
    if not span.number:
        return UnknownCheckpointError(text, "nothing is sealed yet: centralpay ledger seal")
    said = (
        f"there are {span.number}, from {span.first_size} ({_shown(span.first_at)}) to {span.last_size} "
        f"({_shown(span.last_at)}): give a size, an instant such as 2026-11-22T18:00:00Z, or 'latest'"
    )
    return UnknownCheckpointError(text, said)


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _found(connection: Connection, query: str, **parameters: Any) -> list[Checkpoint]:  # noqa: ANN401 (a driver's)
    return [Checkpoint(**row) for row in connection.execute(QUERIES[query], parameters).mappings()]
