"""The Merkle tree of RFC 9162, 2.1: roots, inclusion proofs, consistency proofs, and their checking. SHA-256.

A range of leaves ``[first, end)`` that stands in a proof begins at a multiple of the power of two that covers it, so it
falls apart into perfect subtrees, the largest first: whoever keeps the hashes of some of those computes any proof from
few of them.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()
"""Root of the tree without leaves."""

Range = tuple[int, int]
"""Leaves ``[first, end)``, counted from 0."""
RangeHash = Callable[[int, int], bytes]
"""Gives the hash of the tree of a range of leaves."""


def leaf_hash(data: bytes) -> bytes:
    """Hash a leaf's data: SHA-256 of 0x00 and the data (RFC 9162, 2.1.1)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into their parent: SHA-256 of 0x01 and both (RFC 9162, 2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


def folded(hashes: Sequence[bytes]) -> bytes:
    """Give the root over 1, 2, 4, 8 … hashes of one height."""
    level = hashes
    while len(level) > 1:
        level = [sha256(b"\x01" + level[at] + level[at + 1]).digest() for at in range(0, len(level), 2)]
    return level[0]


def joined(parts: Iterable[bytes]) -> bytes:
    """Give the root over perfect subtrees that stand side by side, each smaller than the one before it."""
    found: bytes | None = None
    for part in reversed(list(parts)):
        found = part if found is None else node_hash(part, found)
    return EMPTY_ROOT if found is None else found


def perfect_parts(first: int, end: int) -> list[tuple[int, int]]:
    """Cut a range as it stands in a tree into perfect subtrees, from the left.

    Returns:
        ``(height, place)`` of each: it covers the leaves ``[place << height, (place + 1) << height)``.
    """
    parts, at = [], first
    while at < end:
        height = (end - at).bit_length() - 1
        parts.append((height, at >> height))
        at += 1 << height
    return parts


def root(leaves: Sequence[bytes]) -> bytes:
    """Give the root over leaf hashes (RFC 9162, 2.1.1)."""
    return joined(
        folded(leaves[place << height : (place + 1) << height]) for height, place in perfect_parts(0, len(leaves))
    )


def _split(count: int) -> int:
    """Give the largest power of two below a count of two or more."""
    return 1 << (count - 1).bit_length() - 1


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """Name the ranges whose hashes prove that a leaf is the one of that index, from the leaf up (RFC 9162, 2.1.3.1).

    Raises:
        ValueError: the tree of that size has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    ranges, first, end = list[Range](), 0, size
    while end - first > 1:
        middle = first + _split(end - first)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((first, middle))
            first = middle
    return ranges[::-1]


def consistency_ranges(old_size: int, size: int) -> list[Range]:
    """Name the ranges whose hashes prove that the tree of a size begins with that of another (RFC 9162, 2.1.4.1).

    Raises:
        ValueError: the old tree is the larger one.
    """
    if not 0 <= old_size <= size:
        raise ValueError(f"a tree of {size} leaves does not continue one of {old_size}")
    if old_size in (0, size):
        return []
    ranges, first, end, is_whole = list[Range](), 0, size, True
    while old_size != end:
        middle = first + _split(end - first)
        if old_size <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((first, middle))
            first, is_whole = middle, False
    if not is_whole:
        ranges.append((first, end))
    return ranges[::-1]


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Prove that a leaf stands at an index of the tree over leaf hashes.

    Raises:
        ValueError: there is no such leaf.
    """
    return tuple(root(leaves[first:end]) for first, end in inclusion_ranges(index, len(leaves)))


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> tuple[bytes, ...]:
    """Prove that the tree over leaf hashes begins with the tree over the first ``old_size`` of them.

    Raises:
        ValueError: there are not so many.
    """
    return tuple(root(leaves[first:end]) for first, end in consistency_ranges(old_size, len(leaves)))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Say whether a proof shows that a leaf hash is the one of that index under a root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(step, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, step)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def verify_consistency(old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Say whether a proof shows that the tree of one root begins with the tree of the other (RFC 9162, 2.1.4.2)."""
    if not 0 <= old_size <= size:
        return False
    if old_size == size:
        return not proof and old_root == root
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT
    is_perfect = old_size & (old_size - 1) == 0
    path = [old_root, *proof] if is_perfect else list(proof)
    return bool(path) and _leads_to_both(old_size, old_root, size, root, path)


def _leads_to_both(old_size: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    place, last = old_size - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, step)
        place, last = place >> 1, last >> 1
    return last == 0 and old == old_root and new == root
