"""The tree grown again from its leaves, once, from the left: every checkpoint's root, every stored subtree."""

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from ledger.seal.tree import HASH_BYTES, folded, joined, node_hash, perfect_parts

BLOCK_HEIGHT: Final = 8
BLOCK: Final = 1 << BLOCK_HEIGHT
"""Leaves that are folded at a time: those of the lowest subtrees that are stored."""


class Grown(Protocol):
    """Told each full subtree of a height that is a multiple of eight, as soon as its last leaf is there."""

    def __call__(self, height: int, subtree: int, found: bytes) -> None:
        """Take the hash of one."""


class GrowingTree:
    """The hashes of the perfect subtrees of the leaves so far, the largest first; memory grows with the logarithm.

    Args:
        grown: told each full subtree of 2^8, 2^16, … leaves.
    """

    def __init__(self, grown: Grown) -> None:
        self.size = 0
        self._parts: list[tuple[int, bytes]] = []
        self._grown = grown

    def roots(self, hashes: bytes, sizes: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        """Take the next leaves and give the roots of the trees of these sizes, as they are passed.

        Args:
            hashes: 32 bytes a leaf, one after the other; all but the last call bring whole blocks.
            sizes: ascending, each above the size so far and not above the size then.
        """
        waiting = list(reversed(sizes))
        leaves = [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
        for first in range(0, len(leaves), BLOCK):
            block = leaves[first : first + BLOCK]
            while waiting and waiting[-1] < self.size + len(block):
                size = waiting.pop()
                yield size, self._root(block[: size - self.size])
            if len(block) == BLOCK:
                self._push(BLOCK_HEIGHT, folded(block))
            else:
                while waiting:
                    yield waiting.pop(), self._root(block)
            self.size += len(block)
            while waiting and waiting[-1] == self.size:
                yield waiting.pop(), self._root([])

    def _root(self, rest: Sequence[bytes]) -> bytes:
        parts = [found for _, found in self._parts]
        parts += [folded(rest[at << height : (at + 1) << height]) for height, at in perfect_parts(0, len(rest))]
        return joined(parts)

    def _push(self, height: int, found: bytes) -> None:
        self._tell(height, found, BLOCK)
        while self._parts and self._parts[-1][0] == height:
            found = node_hash(self._parts.pop()[1], found)
            height += 1
            self._tell(height, found, BLOCK)
        self._parts.append((height, found))

    def _tell(self, height: int, found: bytes, coming: int) -> None:
        if height % BLOCK_HEIGHT == 0:
            self._grown(height, ((self.size + coming) >> height) - 1, found)
