"""The Merkle tree and pymerkle agree on every size, both ways; what is changed is refused."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree, InvalidProof, verify_consistency, verify_inclusion

from ledger.seal import tree

SIZES = st.integers(min_value=1, max_value=700)


def theirs(size: int) -> InmemoryTree:
    """Give pymerkle's tree over numbered leaves."""
    return InmemoryTree.init_from_entries([_data(number) for number in range(size)], algorithm="sha256")


def ours(size: int) -> list[bytes]:
    """Give our leaves of the same data."""
    return [tree.leaf_hash(_data(number)) for number in range(size)]


def _data(number: int) -> bytes:
    return b"leaf %d" % number


@given(SIZES, st.data())
def test_inclusion_agrees_with_pymerkle(size: int, data: st.DataObject) -> None:
    """Both give the same root; each one's inclusion proof is accepted by the other."""
    index = data.draw(st.integers(0, size - 1))
    leaves, other = ours(size), theirs(size)
    root = other.get_root(size)
    assert tree.root(leaves) == root
    proof = tree.inclusion_proof(leaves, index)
    path = other.prove_inclusion(index + 1, size)
    assert tree.verify_inclusion(leaves[index], index, size, proof, root)
    verify_inclusion(leaves[index], root, path)
    # pymerkle's path begins with the leaf or holds it where its rule says; its other hashes are ours.
    assert sorted(proof) == sorted(each for each in path.path if each != leaves[index])


@given(SIZES, st.data())
def test_consistency_agrees_with_pymerkle(size: int, data: st.DataObject) -> None:
    """Both prove that the larger tree begins with the smaller one."""
    old_size = data.draw(st.integers(1, size))
    leaves, other = ours(size), theirs(size)
    old_root, root = other.get_root(old_size), other.get_root(size)
    assert tree.verify_consistency(old_size, old_root, size, root, tree.consistency_proof(leaves, old_size))
    path = other.prove_consistency(old_size, size)
    verify_consistency(old_root, root, path)
    with pytest.raises(InvalidProof):
        verify_consistency(tree.node_hash(old_root, old_root), root, path)


@given(SIZES, SIZES, st.data())
def test_a_changed_leaf_breaks_everything(one: int, two: int, data: st.DataObject) -> None:
    """A tree in which one old leaf is another has no root, inclusion or consistency of the true one."""
    old_size, size = sorted((one, two))
    index = data.draw(st.integers(0, old_size - 1))
    leaves = ours(size)
    changed = [*leaves[:index], tree.leaf_hash(b"changed"), *leaves[index + 1 :]]
    old_root, root = tree.root(leaves[:old_size]), tree.root(changed)
    assert root != tree.root(leaves)
    assert not tree.verify_consistency(old_size, old_root, size, root, tree.consistency_proof(changed, old_size))
    assert not tree.verify_inclusion(leaves[index], index, size, tree.inclusion_proof(changed, index), root)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=20))
def test_a_chain_of_checkpoints_holds(steps: list[int]) -> None:
    """However a tree grows, each checkpoint is proven to begin with every earlier one."""
    sizes = [sum(steps[: place + 1]) for place in range(len(steps))]
    leaves = ours(sizes[-1])
    for old, new in pairwise(sizes):
        proof = tree.consistency_proof(leaves[:new], old)
        assert tree.verify_consistency(old, tree.root(leaves[:old]), new, tree.root(leaves[:new]), proof)
