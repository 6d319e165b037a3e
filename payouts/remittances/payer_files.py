"""What of the payers' files goes into the members' remittances, cut out of the vault where the books say it stands.

Claims and PLBs are copied, never written anew, so nothing of them is lost that nobody here understands; who the patient
is passes through as bytes. A file is read in its own order as far as memory allows: a chunk of the vault is decrypted
once for many pieces, however the payer mixed its pharmacies.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, BinaryIO, Final, NamedTuple, Self
from uuid import UUID

from sqlalchemy import Connection, Row

from ingest.vault import Vault
from ingest.x12.delimiters import Delimiters
from ingest.x12.model import SetEnd, SetHeader
from ingest.x12.reader import read_remittances
from ingest.x12.segments import Batch, Cutter
from ledger.queries import Queries
from payouts.children.model import Source

BATCH_BYTES: Final = 16 << 20
"""How much of the payers' files is held at a time, unless one member's PLBs alone are more."""
OPEN_FILES: Final = 16
"""Files of the vault that are open at a time; each holds one chunk."""
HEADS: Final = 4096
"""Heads of sets that are held: of one that pays thousands of members it is asked for each."""

_QUERIES = Queries("payouts", "remittances.sql")
_HEAD_BYTES = 1 << 12


class Piece(NamedTuple):
    """A stretch of a file in the vault."""

    sha256: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Parent:
    """A payer's set: where it stands, and how its interchange is written."""

    advice_id: int
    payer_name: str
    paid_on: date
    place: Piece
    delimiters: Delimiters
    plb_pieces: Mapping[int, Piece]
    """By number of the segment; empty where the books say where its PLBs stand."""


class ParentFiles:
    """The payers' files of a cycle, open in turn; use it in a ``with``."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._open: OrderedDict[str, BinaryIO] = OrderedDict()
        self._heads: dict[int, bytes] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in self._open.values():
            stream.close()
        self._open.clear()

    def read(self, piece: Piece) -> bytes:
        """Read a piece.

        Raises:
            ValueError: the file ends before it.
            VaultDamagedError, NotInVaultError: the file is not what was received.
        """
        stream = self._stream(piece.sha256)
        stream.seek(piece.start)
        data = stream.read(piece.end - piece.start)
        if len(data) != piece.end - piece.start:
            raise ValueError(f"bytes {piece.start} to {piece.end} do not lie in file {piece.sha256}")
        return data

    def head(self, parent: Parent) -> bytes:
        """Read a payer's set from its ST up to its first LX, CLP, PLB or SE."""
        if parent.advice_id not in self._heads:
            if len(self._heads) >= HEADS:
                self._heads.clear()
            self._heads[parent.advice_id] = self._cut_head(parent)
        return self._heads[parent.advice_id]

    def _cut_head(self, parent: Parent) -> bytes:
        cutter, place, size = Cutter(parent.delimiters), parent.place, _HEAD_BYTES
        while True:
            end = min(place.start + size, place.end)
            raw = self.read(place._replace(end=end))
            first = next(Batch(raw, 0, cutter, last=end == place.end).loops(), None)
            if first is not None:
                return raw[first[2] : first[3]]
            if end == place.end:
                raise ValueError(f"the set of advice {parent.advice_id} has no head")
            size *= 2

    def _stream(self, sha256: str) -> BinaryIO:
        if sha256 in self._open:
            self._open.move_to_end(sha256)
        else:
            if len(self._open) >= OPEN_FILES:
                self._open.popitem(last=False)[1].close()
            self._open[sha256] = self._vault.open(sha256)
        return self._open[sha256]


def parents_of(connection: Connection, vault: Vault, cycle_id: int) -> dict[int, Parent]:
    """Give the payers' sets that a cycle tells of, by advice.

    A set that was taken in before the books kept its delimiters and where its PLBs stand is looked up in its file.
    """
    rows = list(connection.execute(_QUERIES["told_advices"], {"cycle_id": cycle_id}))
    lacking = sorted((row for row in rows if row.delimiters is None or row.lacks_plb_bytes), key=lambda row: row.sha256)
    found: dict[int, tuple[Delimiters, dict[int, Piece]]] = {}
    for sha256, group in groupby(lacking, key=lambda row: row.sha256):
        found |= _looked_up(vault, str(sha256), {row.set_ordinal: row.advice_id for row in group})
    return {row.advice_id: _parent(row, found.get(row.advice_id)) for row in rows}


def read_sources(
    shares: Iterable[Row[Any]], parents: Mapping[int, Parent], files: ParentFiles
) -> Iterator[tuple[UUID, list[Source]]]:
    """Give the sources of member after member, ready to be copied; use those of one before asking for the next.

    Args:
        shares: rows of ``told_shares``, those of a member one after the other.
        parents: by advice.
        files: where they are read.
    """
    by_member = ((member_id, list(rows)) for member_id, rows in groupby(shares, key=lambda row: row.member_id))
    for batch in _batches(by_member):
        is_large = len(batch) == 1 and _size(batch[0][1]) > BATCH_BYTES
        wanted = (piece for _, rows in batch for row in rows for piece in _claims(row, parents[row.advice_id]))
        held = {} if is_large else {piece: files.read(piece) for piece in sorted(wanted)}
        for member_id, rows in batch:
            yield member_id, [_source(row, parents[row.advice_id], files, held) for row in rows]


def _batches(
    members: Iterable[tuple[UUID, list[Row[Any]]]],
) -> Iterator[list[tuple[UUID, list[Row[Any]]]]]:
    """Put members together whose claims are held at the same time; one with very many stands alone."""
    batch: list[tuple[UUID, list[Row[Any]]]] = []
    held_bytes = 0
    for member_id, rows in members:
        size = _size(rows)
        if batch and held_bytes + size > BATCH_BYTES:
            yield batch
            batch, held_bytes = [], 0
        batch.append((member_id, rows))
        held_bytes += size
    if batch:
        yield batch


def _size(rows: Sequence[Row[Any]]) -> int:
    return sum(sum(row.claim_ends) - sum(row.claim_starts) for row in rows)


def _claims(row: Row[Any], parent: Parent) -> Iterator[Piece]:
    sha256 = parent.place.sha256
    return (Piece(sha256, start, end) for start, end in zip(row.claim_starts, row.claim_ends, strict=True))


def _plbs(row: Row[Any], parent: Parent) -> Iterator[Piece]:
    sha256 = parent.place.sha256
    for segment, start, end in zip(row.plb_segments, row.plb_starts, row.plb_ends, strict=True):
        yield parent.plb_pieces.get(segment) or Piece(sha256, start, end)


def _source(row: Row[Any], parent: Parent, files: ParentFiles, held: dict[Piece, bytes]) -> Source:
    """Make a source; claims that are not held are read when they are written."""
    return Source(
        advice_id=row.advice_id,
        delimiters=parent.delimiters,
        payer_name=parent.payer_name,
        head=files.head(parent),
        claims=(held.pop(piece, b"") or files.read(piece) for piece in _claims(row, parent)),
        plb=tuple([files.read(piece) for piece in _plbs(row, parent)]),
        claim_count=row.claim_count,
        charge_cents=row.charge_cents,
        claims_cents=row.claims_cents,
        plb_cents=row.plb_cents,
    )


def _parent(row: Row[Any], found: tuple[Delimiters, dict[int, Piece]] | None) -> Parent:
    return Parent(
        advice_id=row.advice_id,
        payer_name=row.payer_name,
        paid_on=row.paid_on,
        place=Piece(row.sha256, row.byte_start, row.byte_end),
        delimiters=found[0] if found else Delimiters.from_text(row.delimiters),
        plb_pieces=found[1] if found else {},
    )


def _looked_up(
    vault: Vault, sha256: str, ordinals: Mapping[int, int]
) -> dict[int, tuple[Delimiters, dict[int, Piece]]]:
    """Read a file again; give delimiters and PLBs of the sets with these ordinals, by advice."""
    found: dict[int, tuple[Delimiters, dict[int, Piece]]] = {}
    with vault.open(sha256) as stream:
        for event in read_remittances(stream, sha256):
            if isinstance(event, SetHeader) and event.ordinal in ordinals:
                found[ordinals[event.ordinal]] = (event.delimiters, {})
            elif isinstance(event, SetEnd) and event.ordinal in ordinals:
                pieces = {plb.segment: Piece(sha256, plb.byte_start, plb.byte_end) for plb in event.plb}
                found[ordinals[event.ordinal]][1].update(pieces)
    return found
