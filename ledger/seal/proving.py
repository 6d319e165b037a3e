"""Proofs from what is stored: few hashes are read, however many leaves there are.

Stored are the leaves and the roots of full subtrees of 2^8, 2^16, 2^24 … leaves. Any other hash is computed from at
most 255 of the next lower height.
"""

from typing import Final

from sqlalchemy import Connection

from ledger.seal.checkpoints import QUERIES
from ledger.seal.errors import SealBrokenError
from ledger.seal.tree import HASH_BYTES, consistency_ranges, folded, inclusion_ranges, joined, perfect_parts

STEP: Final = 8
"""Heights of stored subtrees are its multiples."""
_BLOCK: Final = 1 << STEP


class StoredTree:
    """The tree as the database holds it, for many proofs: what was read is kept.

    Args:
        connection: that reads; its transaction sees one moment.
        most_blocks: of 256 hashes (8 kB) that are kept.
    """

    def __init__(self, connection: Connection, most_blocks: int = 4096) -> None:
        self._connection = connection
        self._most = most_blocks
        self._blocks: dict[tuple[int, int], bytes] = {}

    def hash_of(self, first: int, end: int) -> bytes:
        """Give the hash of a range of leaves as it stands in a proof (``ledger.seal.tree``).

        Raises:
            SealBrokenError: a leaf or a subtree is missing.
        """
        return joined(self.perfect(height, place) for height, place in perfect_parts(first, end))

    def root(self, size: int) -> bytes:
        """Give the root over the first leaves."""
        return self.hash_of(0, size)

    def perfect(self, height: int, place: int) -> bytes:
        """Give the root of a full subtree of ``2 ** height`` leaves, the ``place``-th from the left."""
        above = height % STEP
        level = height - above
        first = place << above
        offset = (first % _BLOCK) * HASH_BYTES
        hashes = self._block(level, first // _BLOCK)[offset : offset + (HASH_BYTES << above)]
        if len(hashes) != HASH_BYTES << above:
            raise SealBrokenError((place + 1) << height, f"a subtree of 2^{level} leaves is missing")
        return folded([hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)])

    def _block(self, level: int, number: int) -> bytes:
        found = self._blocks.get((level, number))
        if found is None:
            bounds = {"first": number * _BLOCK, "end": (number + 1) * _BLOCK}
            if level == 0:
                row = self._connection.execute(QUERIES["leaves"], bounds).one()
            else:
                row = self._connection.execute(QUERIES["subtrees"], bounds | {"height": level}).one()
            found = bytes(row.hashes or b"")
            if len(self._blocks) >= self._most:
                self._blocks.pop(next(iter(self._blocks)))
            self._blocks[level, number] = found
        return found

    def inclusion(self, leaf_index: int, size: int) -> tuple[bytes, ...]:
        """Prove that a leaf is in the tree of a size (RFC 9162, 2.1.3).

        Raises:
            ValueError: a tree of that size has no such leaf.
        """
        return tuple(self.hash_of(first, end) for first, end in inclusion_ranges(leaf_index, size))

    def consistency(self, old_size: int, size: int) -> tuple[bytes, ...]:
        """Prove that the tree of a size begins with that of another (RFC 9162, 2.1.4).

        Raises:
            ValueError: the old tree is the larger one.
        """
        return tuple(self.hash_of(first, end) for first, end in consistency_ranges(old_size, size))


def inclusion(connection: Connection, leaf_index: int, size: int) -> tuple[bytes, ...]:
    """Prove that a leaf is in the tree of a size, from the leaf up; for many leaves keep a ``StoredTree``.

    Raises:
        ValueError: a tree of that size has no such leaf.
        SealBrokenError: a leaf or a subtree is missing.
    """
    return StoredTree(connection).inclusion(leaf_index, size)


def consistency(connection: Connection, old_size: int, size: int) -> tuple[bytes, ...]:
    """Prove that the tree of a size begins with that of another.

    Raises:
        ValueError: the old tree is the larger one.
        SealBrokenError: a leaf or a subtree is missing.
    """
    return StoredTree(connection).consistency(old_size, size)
