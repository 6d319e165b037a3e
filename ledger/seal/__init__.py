"""The seal: every entry and action a leaf of one Merkle tree, whose roots are signed and published."""
