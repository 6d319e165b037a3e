"""A proof for somebody outside: one leaf, what it is the hash of, its way to a signed checkpoint.

As JSON it is one document that the offline verifier checks; as text it is a C2SP tlog-proof, whose ``extra`` line holds
the leaf's data, so that whoever has the checkpoint needs nothing else.
"""

import base64
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ledger.seal import checkpoints, tree
from ledger.seal.canonical import ENTRY, EntryFacts, LineFacts, TrailFacts, entry_data, microseconds, trail_data
from ledger.seal.checkpoints import QUERIES, Checkpoint
from ledger.seal.errors import SealBrokenError, UnknownLeafError
from ledger.seal.proving import StoredTree

FORMAT: Final = "centralpay-proof/1"
_TEXT_FORMAT: Final = "c2sp.org/tlog-proof@v1"


class Evidence(BaseModel):
    """A leaf and its proof.

    Args:
        format: of this document.
        origin: name of the seal.
        leaf_index: place in the tree, from 0.
        leaf: the leaf's hash, 64 hex digits.
        data: what it is the hash of (after 0x00), in base64: ``ledger.seal.canonical``.
        entry: the same as the lines of ``sealed/entries.jsonl`` in an export say it; None: a row of the trail.
        trail: the same as the lines of ``sealed/trail.jsonl`` say it; None: an entry.
        size: the checkpoint that it is proven in.
        root: its root, 64 hex digits.
        proof: the hashes from the leaf up (RFC 9162, 2.1.3), 64 hex digits each.
        note: the signed checkpoint.
        vkey: the key that verifies it.
    """

    model_config = ConfigDict(frozen=True)

    format: str = FORMAT
    origin: str
    leaf_index: int
    leaf: str
    data: str
    entry: dict[str, Any] | None
    trail: dict[str, Any] | None
    size: int
    root: str
    proof: tuple[str, ...]
    note: str
    vkey: str

    def text(self) -> str:
        """Write it as a C2SP tlog-proof."""
        hashes = "".join(f"{base64.b64encode(bytes.fromhex(each)).decode()}\n" for each in self.proof)
        return f"{_TEXT_FORMAT}\nextra {self.data}\nindex {self.leaf_index}\n{hashes}\n{self.note}"


def leaf_of_journal(connection: Connection, journal_no: int) -> int:
    """Give the place of an entry by its journal number.

    Raises:
        UnknownLeafError: no such number is given yet.
    """
    return _place(connection, f"Journal number {journal_no}", "leaf_of_journal_no", journal_no=journal_no)


def leaf_of_entry(connection: Connection, owner_id: UUID, entry_id: int) -> int:
    """Give the place of an entry.

    Raises:
        UnknownLeafError: there is none, or it is not sealed yet.
    """
    return _place(connection, f"Entry {owner_id}/{entry_id}", "leaf_of_entry", owner_id=owner_id, entry_id=entry_id)


def leaf_of_trail(connection: Connection, trail_id: int) -> int:
    """Give the place of a row of the trail.

    Raises:
        UnknownLeafError: there is none, or it is not sealed yet.
    """
    return _place(connection, f"Trail row {trail_id}", "leaf_of_trail", trail_id=trail_id)


def leaf_of_row(connection: Connection, table_name: str, row_key: str, checkpoint: Checkpoint) -> int:
    """Give the place of the last version of a row that a checkpoint covers.

    Raises:
        UnknownLeafError: it covers none.
    """
    what = f"{table_name} {row_key}"
    return _place(connection, what, "leaf_of_row", table_name=table_name, row_key=row_key, size=checkpoint.size)


def evidence(
    connection: Connection, leaf_index: int, checkpoint: Checkpoint, tree_: StoredTree | None = None
) -> Evidence:
    """Prove a leaf in a checkpoint; the facts are read from the books and must give the stored leaf.

    Args:
        connection: that reads.
        leaf_index: place of the leaf.
        checkpoint: that covers it.
        tree_: one for many proofs.

    Raises:
        UnknownLeafError: the checkpoint does not cover it.
        SealBrokenError: the facts or the tree are not what was sealed.
    """
    row = connection.execute(QUERIES["leaf"], {"leaf_index": leaf_index}).first()
    if row is None or leaf_index >= checkpoint.size:
        raise UnknownLeafError(f"Leaf {leaf_index}", f"checkpoint {checkpoint.size} does not cover it")
    entry = trail = None
    if row.kind == ENTRY:
        facts = entry_facts(connection, leaf_index)
        data, entry = entry_data(facts), entry_document(leaf_index, facts)
    else:
        told = trail_facts(connection, leaf_index)
        data, trail = trail_data(told), trail_document(leaf_index, told)
    leaf = bytes(row.leaf)
    proof = (tree_ or StoredTree(connection)).inclusion(leaf_index, checkpoint.size)
    if tree.leaf_hash(data) != leaf:
        raise SealBrokenError(checkpoint.size, f"what leaf {leaf_index} is the hash of was changed")
    if not tree.verify_inclusion(leaf, leaf_index, checkpoint.size, proof, checkpoint.root_bytes):
        raise SealBrokenError(checkpoint.size, f"leaf {leaf_index} does not lead to its root")
    key = next(
        each for each in checkpoints.keys(connection) if each.until_size is None or checkpoint.size <= each.until_size
    )
    return Evidence(
        origin=key.name,
        leaf_index=leaf_index,
        leaf=leaf.hex(),
        data=base64.b64encode(data).decode(),
        entry=entry,
        trail=trail,
        size=checkpoint.size,
        root=checkpoint.root,
        proof=tuple(each.hex() for each in proof),
        note=checkpoint.note,
        vkey=key.vkey,
    )


def entry_facts(connection: Connection, leaf_index: int) -> EntryFacts:
    """Read what the leaf of an entry is the hash of.

    Raises:
        SealBrokenError: the entry is gone.
    """
    row = connection.execute(QUERIES["entry"], {"leaf_index": leaf_index}).mappings().first()
    if row is None:
        raise SealBrokenError(leaf_index + 1, f"the entry of leaf {leaf_index} is gone")
    whose = {"owner_id": row["owner_id"], "entry_id": row["entry_id"]}
    lines = tuple(LineFacts(**line) for line in connection.execute(QUERIES["lines"], whose).mappings())
    return EntryFacts(**row, lines=lines)


def trail_facts(connection: Connection, leaf_index: int) -> TrailFacts:
    """Read what the leaf of a trail row is the hash of.

    Raises:
        SealBrokenError: the row is gone.
    """
    row = connection.execute(QUERIES["trail_row"], {"leaf_index": leaf_index}).mappings().first()
    if row is None:
        raise SealBrokenError(leaf_index + 1, f"the trail row of leaf {leaf_index} is gone")
    return TrailFacts(**row)


def entry_document(leaf_index: int, entry: EntryFacts) -> dict[str, Any]:
    """Say an entry as a line of ``sealed/entries.jsonl``: moments in microseconds, amounts in cents."""
    return {
        "index": leaf_index,
        "journal": entry.journal_no,
        "transaction": entry.transaction_id,
        "event": entry.event,
        "fact_key": entry.fact_key,
        "fact_on": str(entry.fact_on),
        "effective_on": str(entry.effective_on),
        "recorded_at": microseconds(entry.recorded_at),
        "actor": entry.actor,
        "reason": entry.reason,
        "bank_line": entry.bank_line_id,
        "reverses": entry.reverses,
        "xid": entry.xid,
        "owner": str(entry.owner_id),
        "entry": entry.entry_id,
        "ledger": entry.ledger,
        "entry_event": entry.entry_event,
        "entry_fact_key": entry.entry_fact_key,
        "entry_effective_on": str(entry.entry_effective_on),
        "entry_xid": entry.entry_xid,
        "lines": [
            [
                line.line_no,
                line.account,
                line.reference,
                line.amount_cents,
                line.event,
                line.ledger,
                str(line.effective_on),
            ]
            for line in entry.lines
        ],
    }


def trail_document(leaf_index: int, row: TrailFacts) -> dict[str, Any]:
    """Say a row of the trail as a line of ``sealed/trail.jsonl``."""
    content: Mapping[str, str | None] = row.content
    return {
        "index": leaf_index,
        "trail_id": row.trail_id,
        "table": row.table_name,
        "key": row.row_key,
        "recorded_at": microseconds(row.recorded_at),
        "xid": row.xid,
        "content": {name: content[name] for name in sorted(content, key=str.encode)},
    }


def _place(connection: Connection, what: str, query: str, **parameters: object) -> int:
    found = connection.execute(QUERIES[query], parameters).scalar()
    if found is None:
        raise UnknownLeafError(what, "it is not sealed, or there is no such thing; see: centralpay ledger checkpoints")
    return int(found)
