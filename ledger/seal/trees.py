"""The tree as it is stored, against the tree that its leaves give: roots, signatures, consistency, subtrees."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row

from ledger.queries import Queries
from ledger.seal.checkpoints import SealKey, keys
from ledger.seal.errors import NoteUnreadableError, VerifierKeyError
from ledger.seal.findings import MOST_NAMED, Findings
from ledger.seal.forsaken import tell_forsaken
from ledger.seal.growing import BLOCK_HEIGHT, GrowingTree
from ledger.seal.note import SignedNote, VerifierKey, parse_checkpoint, parse_note
from ledger.seal.outside import RESTORED, TABLE, KeptNote, Outside, compare_published
from ledger.seal.tree import EMPTY_ROOT, verify_consistency

_QUERIES: Final = Queries("ledger", "verify.sql")
_RUN: Final = 1 << 16
"""Leaves that are read at a time; whole blocks of the growing tree."""

_Stored = Row[Any]


@dataclass(frozen=True, slots=True)
class Tree:
    """The tree of the leaves.

    Args:
        leaves: how many there are.
        sizes: of the checkpoints, ascending.
        moments: when each was sealed, by its size.
        notes: what a reader should know and is no failure.
    """

    leaves: int
    sizes: tuple[int, ...]
    moments: Mapping[int, datetime]
    notes: tuple[str, ...]

    @property
    def size(self) -> int:
        """Leaves of the last checkpoint."""
        return self.sizes[-1] if self.sizes else 0


def check_tree(connection: Connection, outside: Outside, findings: Findings) -> Tree:
    """Grow the tree from the leaves and compare all that is stored, signed, published and kept of it."""
    stored = connection.execute(_QUERIES["checkpoints"]).all()
    leaves = _see_leaves(connection, findings)
    sizes = tuple(each.size for each in stored)
    roots = _grown(connection, leaves, {*sizes, *(each.said.size for each in outside.kept)}, findings)
    recorded = keys(connection)
    _see_keys(recorded, outside, findings)
    _see_journal_sizes(connection, stored, findings)
    before: _Stored | None = None
    for each in stored:
        for wrong in (*_wrong_root(each, roots), *_wrong_chain(each, before), *_wrong_note(each, recorded, outside)):
            findings.add("seal_checkpoint", each.size, wrong)
        before = each
    if leaves != (sizes[-1] if sizes else 0):
        last = f"checkpoint {sizes[-1]}" if sizes else "no checkpoint"
        findings.add(
            "seal_checkpoint", sizes[-1] if sizes else 0, f"there are {leaves} leaves and {last} that covers them"
        )
    roots_of = _Roots(roots, leaves, recorded, outside)
    notes = [_kept(each, roots_of, findings) for each in outside.kept]
    if outside.published is not None:
        lacking = compare_published(outside.files, {each.size: each.note for each in stored}, findings)
        notes += [f"{lacking} checkpoints are not in {outside.published} yet"] if lacking else []
        notes += tell_forsaken(outside.published, recorded, findings)
    moments = {each.size: each.sealed_at for each in stored}
    return Tree(leaves, sizes, moments, tuple(each for each in notes if each))


# The leaves ----------------------------------------------------------------------------------------------------------


def _see_leaves(connection: Connection, findings: Findings) -> int:
    """See that leaves have no gap; give how many they are, the missing ones included."""
    row = connection.execute(_QUERIES["leaf_range"]).one()
    if row.first:
        findings.add("seal_leaf", 0, f"the leaves before {row.first} are gone")
    if row.leaves != row.size - row.first:
        for gap in connection.execute(_QUERIES["missing_leaves"], {"most": MOST_NAMED}):
            what = f"leaf {gap.first} is" if gap.first == gap.last else f"leaves {gap.first} to {gap.last} are"
            findings.add("seal_leaf", gap.first, f"{what} gone")
    return int(row.size)


def _grown(connection: Connection, leaves: int, wanted: set[int], findings: Findings) -> dict[int, bytes]:
    """Give the roots of these sizes, as far as there are leaves; compare the stored subtrees on the way."""
    subtrees = _Subtrees(connection, findings)
    tree = GrowingTree(subtrees.grown)
    sizes = sorted(size for size in wanted if 0 < size <= leaves)
    roots = {0: EMPTY_ROOT}
    for first in range(0, leaves, _RUN):
        end = min(first + _RUN, leaves)
        subtrees.load(first, end)
        run = connection.execute(_QUERIES["leaves"], {"first": first, "end": end}).one()
        if run.leaves != end - first:
            break  # a gap, which is named: no root after it can be told
        passed = sizes[bisect_right(sizes, first) : bisect_right(sizes, end)]
        roots.update(tree.roots(bytes(run.hashes), passed))
    subtrees.see_no_others(tree.size)
    return roots


class _Subtrees:
    """The subtrees that are stored, compared with those that grow."""

    def __init__(self, connection: Connection, findings: Findings) -> None:
        self._connection = connection
        self._findings = findings
        self._stored: dict[tuple[int, int], bytes] = {}

    def load(self, first: int, end: int) -> None:
        """Read those that end within a run of leaves."""
        self._stored = {}
        height = BLOCK_HEIGHT
        while end >> height:
            asked = {"height": height, "first": first >> height, "end": end >> height}
            for row in self._connection.execute(_QUERIES["subtrees"], asked):
                self._stored[row.height, row.subtree] = bytes(row.hash)
            height += BLOCK_HEIGHT

    def grown(self, height: int, subtree: int, found: bytes) -> None:
        """Compare one."""
        stored = self._stored.get((height, subtree))
        if stored != found:
            first, last = subtree << height, ((subtree + 1) << height) - 1
            said = "is not stored" if stored is None else "is not the hash of its leaves"
            said = f"the subtree of leaves {first} to {last} {said}: it was changed, or one of them"
            self._findings.add("seal_subtree", f"{height}|{subtree}", said)

    def see_no_others(self, size: int) -> None:
        """See that there are no more than the leaves have; those were compared."""
        for row in self._connection.execute(_QUERIES["other_subtrees"], {"size": size}):
            self._findings.add(
                "seal_subtree", f"{row.height}|{row.subtree}", "is a subtree of leaves that are not there"
            )


# The checkpoints -----------------------------------------------------------------------------------------------------


def _see_journal_sizes(connection: Connection, stored: Sequence[_Stored], findings: Findings) -> None:
    counted = {row.size: row.entries for row in connection.execute(_QUERIES["journal_sizes"])}
    entries = 0
    for each in stored:
        entries += counted.get(each.size, 0)
        if each.journal_size != entries:
            said = f"it says that it covers {each.journal_size} entries; it covers {entries}"
            findings.add("seal_checkpoint", each.size, said)


def _wrong_root(each: _Stored, roots: Mapping[int, bytes]) -> list[str]:
    if each.size not in roots:
        return ["some of its leaves are not there: its root can not be told"]
    if bytes(each.root) != roots[each.size]:
        return [f"its root is {bytes(each.root).hex()}, that of its leaves is {roots[each.size].hex()}"]
    return []


def _wrong_chain(each: _Stored, before: _Stored | None) -> list[str]:
    if before is None:
        first = each.previous_size is None and not each.consistency
        return [] if first else [f"it continues checkpoint {each.previous_size}, which is not there"]
    if each.previous_size != before.size:
        return [f"it continues checkpoint {each.previous_size}, before it is {before.size}"]
    proof = [bytes(each_hash) for each_hash in each.consistency]
    wrong = []
    if not verify_consistency(before.size, bytes(before.root), each.size, bytes(each.root), proof):
        wrong.append(f"its consistency proof does not lead from checkpoint {before.size} to it")
    if each.sealed_at < before.sealed_at:
        wrong.append(f"it is older than checkpoint {before.size}")
    return wrong


def _wrong_note(each: _Stored, recorded: Sequence[SealKey], outside: Outside) -> list[str]:
    try:
        signed = parse_note(each.note)
        said = parse_checkpoint(signed.text)
    except NoteUnreadableError as error:
        return [f"its note can not be read: {error}"]
    wrong = []
    if (said.size, said.root) != (each.size, bytes(each.root)):
        wrong.append(f"its note is signed for checkpoint {said.size} with the root {said.root.hex()}")
    if said.sealed_at != each.sealed_at:
        wrong.append(f"it says {each.sealed_at:%Y-%m-%dT%H:%M:%SZ}, signed is {said.sealed_at:%Y-%m-%dT%H:%M:%SZ}")
    if said.sealed_by != each.sealed_by:
        wrong.append(f"it says that {each.sealed_by!r} sealed it, signed is {said.sealed_by!r}")
    if not _signed(signed, said.size, recorded, outside):
        wrong.append("its note is signed by none of the keys of that time")
    return wrong


def _signed(note: SignedNote, size: int, recorded: Sequence[SealKey], outside: Outside) -> bool:
    return any(key.verifies(note) for key in outside.vkeys or _keys_of(size, recorded))


def _keys_of(size: int, recorded: Sequence[SealKey]) -> list[VerifierKey]:
    """Give the keys that were to sign a checkpoint of that size."""
    found = []
    for each in recorded:
        try:
            if each.is_of(size):
                found.append(each.verifier)
        except VerifierKeyError:
            continue  # named by _see_keys
    return found


def _see_keys(recorded: Sequence[SealKey], outside: Outside, findings: Findings) -> None:
    """See that the recorded keys can be read and follow each other, and that the published one is among them."""
    end: int | None = 0
    for each in recorded:
        try:
            _ = each.verifier
        except VerifierKeyError as error:
            findings.add("seal_key", each.vkey, str(error))
        if each.since_size != end:
            findings.add("seal_key", each.vkey, f"it begins with {each.since_size}, the one before it ends with {end}")
        end = each.until_size
    if recorded and end is not None:
        findings.add("seal_key", recorded[-1].vkey, f"it ended with {end}, and the key that follows it is gone")
    published = outside.published / "vkey" if outside.published is not None else None
    if published is not None and published.is_file():
        known = {each.vkey for each in recorded}
        for vkey in published.read_text(encoding="utf-8", errors="replace").split():
            if vkey not in known:
                findings.add(TABLE, "vkey", f"{published} names {vkey}, which the database does not record")


@dataclass(frozen=True, slots=True)
class _Roots:
    """What a kept checkpoint is compared with: roots by size, how many leaves there are, the keys."""

    roots: Mapping[int, bytes]
    leaves: int
    recorded: Sequence[SealKey]
    outside: Outside


def _kept(each: KeptNote, here: _Roots, findings: Findings) -> str:
    """Compare a checkpoint that somebody kept; give what is to be said where it agrees."""
    size = each.said.size
    moment = f"{each.said.sealed_at:%Y-%m-%dT%H:%M:%SZ}"
    if not _signed(each.signed, size, here.recorded, here.outside):
        findings.add(TABLE, size, f"{each.place} is signed by none of the keys of that time")
    elif size > here.leaves:
        findings.add(
            TABLE, size, f"{each.place} was signed at {moment} over {size} leaves, here are {here.leaves}: {RESTORED}"
        )
    elif here.roots.get(size) != each.said.root:
        findings.add(TABLE, size, f"{each.place} was signed at {moment}; what it covers was rewritten since")
    else:
        return f"{each.place}: checkpoint {size}, {moment}, is a beginning of this tree"
    return ""
