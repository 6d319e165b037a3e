"""The Merkle tree against the vectors of the certificate-transparency projects, and what its checks refuse."""

import pytest

from ledger.seal import tree

DATA = tuple(
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
)  # fmt: skip
"""The eight leaves on which the implementations of RFC 6962 and RFC 9162 are checked."""
LEAVES = [tree.leaf_hash(data) for data in DATA]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
INCLUSION = {
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 3): ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",),
    (1, 5): (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}
CONSISTENCY = {
    (1, 1): (),
    (1, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}


def test_roots_are_the_known_ones() -> None:
    """The tree without leaves and those of one to eight have the published roots."""
    assert tree.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert [tree.root(LEAVES[:size]).hex() for size in range(1, 9)] == list(ROOTS)


@pytest.mark.parametrize(("index", "size"), INCLUSION, ids=str)
def test_inclusion_proofs_are_the_known_ones(index: int, size: int) -> None:
    """The published inclusion proofs are made and accepted."""
    proof = tree.inclusion_proof(LEAVES[:size], index)
    assert tuple(each.hex() for each in proof) == INCLUSION[index, size]
    assert tree.verify_inclusion(LEAVES[index], index, size, proof, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(("old_size", "size"), CONSISTENCY, ids=str)
def test_consistency_proofs_are_the_known_ones(old_size: int, size: int) -> None:
    """The published consistency proofs are made and accepted."""
    proof = tree.consistency_proof(LEAVES[:size], old_size)
    assert tuple(each.hex() for each in proof) == CONSISTENCY[old_size, size]
    old_root, root = (bytes.fromhex(ROOTS[each - 1]) for each in (old_size, size))
    assert tree.verify_consistency(old_size, old_root, size, root, proof)


def test_every_other_proof_is_refused() -> None:
    """A proof that is shorter, longer, changed, of another leaf, another place or another root proves nothing."""
    root = tree.root(LEAVES)
    for index in range(8):
        proof = tree.inclusion_proof(LEAVES, index)
        wrong = bytes(32)
        for other in (proof[:-1], (*proof, wrong), (wrong, *proof[1:]), proof[::-1]):
            assert not tree.verify_inclusion(LEAVES[index], index, 8, other, root)
        assert not tree.verify_inclusion(LEAVES[(index + 1) % 8], index, 8, proof, root)
        assert not tree.verify_inclusion(LEAVES[index], (index + 1) % 8, 8, proof, root)
        assert not tree.verify_inclusion(LEAVES[index], index, 8, proof, wrong)
        assert not tree.verify_inclusion(LEAVES[index], index + 8, 8, proof, root)
    for old_size in range(1, 8):
        proof = tree.consistency_proof(LEAVES, old_size)
        old_root = tree.root(LEAVES[:old_size])
        for other in (proof[:-1], (*proof, bytes(32)), (bytes(32), *proof[1:])):
            assert not tree.verify_consistency(old_size, old_root, 8, root, other)
        assert not tree.verify_consistency(old_size, bytes(32), 8, root, proof)
        assert not tree.verify_consistency(old_size, old_root, 8, bytes(32), proof)
    assert not tree.verify_consistency(8, root, 8, root, (bytes(32),))
    assert not tree.verify_consistency(0, bytes(32), 8, root, ())


def test_proofs_of_nothing_are_not_made() -> None:
    """A leaf beyond the tree has no inclusion proof, a larger tree no consistency with a smaller one."""
    with pytest.raises(ValueError, match="has no leaf 8"):
        tree.inclusion_proof(LEAVES, 8)
    with pytest.raises(ValueError, match="does not continue"):
        tree.consistency_proof(LEAVES, 9)
