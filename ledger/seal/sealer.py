"""The sealer: makes leaves of what is committed and waits, and signs the tree over all of them.

One at a time, by a lock that nobody who posts takes. Each run is one unit of work: leaves, subtrees and their
checkpoint are there together or not at all. The checkpoints are published after the commit, and again by the next run
what a kill left out. The checkpoint itself is the record of who sealed when: an activity would be new to seal.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import Connection

from ledger.activity import Begin
from ledger.seal import checkpoints
from ledger.seal.checkpoints import QUERIES, Checkpoint, SealKey
from ledger.seal.errors import CheckpointsUnpublishedError, NoteUnreadableError, SealBrokenError, VerifierKeyError
from ledger.seal.keys import SealKeys
from ledger.seal.note import CheckpointNote, SigningKey, parse_note
from ledger.seal.proving import STEP, StoredTree
from ledger.seal.published import Published
from ledger.seal.tree import HASH_BYTES

Progress = Callable[[int, int], None]
"""Told how many transactions and trail rows are sealed, and of how many."""

MOST: Final = 200_000
"""Transactions and trail rows of one run; what is more is sealed by the next run of the same call."""
_COMPARED: Final = 100
"""Last checkpoints that are compared word for word with the published ones; ``verify`` compares all."""
_CHUNK: Final = 1 << 16
"""Hashes that are in memory at once: 2 MB."""


class Sealer:
    """Seals what waits.

    Args:
        begin: opens a unit of work.
        keys: where the signing key is.
        published: the folder of the checkpoints.
        most: transactions and trail rows of one run.
    """

    def __init__(self, begin: Begin, keys: SealKeys, published: Published, *, most: int = MOST) -> None:
        self._begin = begin
        self._keys = keys
        self._published = published
        self._most = most

    def seal(self, actor: str, moment: datetime, progress: Progress | None = None) -> Checkpoint | None:
        """Seal what waits and publish it; what others commit meanwhile is sealed too, or next time.

        Args:
            actor: who seals; stands in the checkpoint.
            moment: now, aware; the checkpoint's time is that of its signature, counted on from it.
            progress: is told how far it is.

        Returns:
            The last checkpoint that was made, or None where nothing waited.

        Raises:
            SealForkedError: what is published says otherwise than the database; nothing was sealed.
            SealBrokenError: what is stored does not give the root that was signed last; nothing was sealed.
            SealKeyUnusableError: the signing key can not be used; nothing was sealed.
            CheckpointsUnpublishedError: it is sealed, and the folder can not be written.
        """
        began = time.monotonic()
        sealed, last, total = 0, None, 0
        while True:
            with self._begin() as connection:
                total = total or checkpoints.waiting(connection)
                now = moment + timedelta(seconds=time.monotonic() - began)
                taken, checkpoint = self._run(connection, actor, now)
            sealed += taken
            last = checkpoint or last
            if progress is not None:
                progress(sealed, max(total, sealed))
            if taken < self._most or sealed >= total:
                break
        self.publish()
        return last

    def publish(self) -> None:
        """Write the checkpoints that are not published yet.

        Raises:
            SealBrokenError: one of them is signed by none of the keys; nothing was written.
            CheckpointsUnpublishedError: the folder can not be read or written.
        """
        with self._begin() as connection:
            # In turn: of two sealers at once, none names an older checkpoint the last.
            connection.execute(QUERIES["turn"])
            newest = checkpoints.newest(connection, 1)
            if not newest:
                return
            published = self._published.sizes()
            known = {int(row.size) for row in connection.execute(QUERIES["sizes"])}
            missing = sorted(known - published)
            keys = checkpoints.keys(connection)
            rows = checkpoints.after(connection, missing[0] - 1) if missing else []
            rows = [row for row in rows if row.size not in published]
            for row in rows:
                _see_signed(row, keys)
            self._published.publish(rows, newest[0], [key.vkey for key in keys])

    def _run(self, connection: Connection, actor: str, now: datetime) -> tuple[int, Checkpoint | None]:
        """Seal one run's worth; give how much of what waited it was, and its checkpoint."""
        connection.execute(QUERIES["turn"])
        before = self._trusted(connection)
        key = self._signing_key(connection, actor)
        batch = connection.execute(QUERIES["batch"], {"most": self._most}).one()
        if not batch.leaves:
            return 0, None
        old_size, size = int(batch.first_leaf), int(batch.first_leaf + batch.leaves)
        _add_subtrees(connection, old_size, size)
        tree = StoredTree(connection)
        root = tree.root(size)
        # A clock that was set back does not reorder the checkpoints.
        sealed_at = max(now, before.sealed_at if before else now).astimezone(UTC).replace(microsecond=0)
        note = key.sign(CheckpointNote(key.name, size, root, sealed_at, actor).text())
        said = {"size": size, "root": root, "note": note, "sealed_at": sealed_at, "actor": actor}
        proof = {"consistency": list(tree.consistency(old_size, size))}
        connection.execute(QUERIES["add_checkpoint"], said | proof)
        return int(batch.taken), checkpoints.of_size(connection, size)

    def _trusted(self, connection: Connection) -> Checkpoint | None:
        """Give the last checkpoint, after seeing that it is what is stored and what was published.

        A folder that can not be read now does not stop the seal: the run ends with that error when it publishes.
        """
        newest = checkpoints.newest(connection, _COMPARED)
        known = [int(row.size) for row in connection.execute(QUERIES["sizes"])]
        with suppress(CheckpointsUnpublishedError):
            self._published.compare(known, {each.size: each.note for each in newest})
        if not newest:
            return None
        if StoredTree(connection).root(newest[0].size) != newest[0].root_bytes:
            raise SealBrokenError(newest[0].size, "what is stored gives another root")
        _see_signed(newest[0], checkpoints.keys(connection))
        return newest[0]

    def _signing_key(self, connection: Connection, actor: str) -> SigningKey:
        recorded = checkpoints.keys(connection)
        if recorded:
            return self._keys.recorded(recorded[-1].vkey)
        key = self._keys.first()
        vkey = {"name": key.name, "vkey": str(key.verifier), "approval_id": None, "actor": actor}
        connection.execute(QUERIES["add_key"], vkey)
        return key


def _see_signed(checkpoint: Checkpoint, keys: list[SealKey]) -> None:
    """See that a checkpoint carries the signature of its key, which the database can not tell."""
    with suppress(NoteUnreadableError, VerifierKeyError):
        note = parse_note(checkpoint.note)
        if any(key.verifier.verifies(note) for key in keys if key.is_of(checkpoint.size)):
            return
    raise SealBrokenError(checkpoint.size, "its note is signed by none of the keys of that time")


def _add_subtrees(connection: Connection, old_size: int, size: int) -> None:
    """Store the roots of the subtrees that are full with the new leaves, from the hashes of the height below."""
    height = STEP
    while size >> height:
        first, end = old_size >> height, size >> height
        step = _CHUNK >> STEP
        for at in range(first, end, step):
            until = min(at + step, end)
            bounds = {"first": at << STEP, "end": until << STEP, "height": height - STEP}
            query = QUERIES["leaves"] if height == STEP else QUERIES["subtrees"]
            hashes = _parents(bytes(connection.execute(query, bounds).scalar_one()))
            connection.execute(
                QUERIES["add_subtrees"],
                {
                    "height": height,
                    "first": at,
                    "hashes": [hashes[place : place + HASH_BYTES] for place in range(0, len(hashes), HASH_BYTES)],
                },
            )
        height += STEP


def _parents(hashes: bytes) -> bytes:
    """Give the hashes eight levels up, side by side as they are given."""
    for _ in range(STEP):
        pairs = range(0, len(hashes), 2 * HASH_BYTES)
        hashes = b"".join([sha256(b"\x01" + hashes[at : at + 2 * HASH_BYTES]).digest() for at in pairs])
    return hashes
