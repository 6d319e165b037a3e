"""The books as files that outsiders' tools read, with a manifest and an offline verifier."""
