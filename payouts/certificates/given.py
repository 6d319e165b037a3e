"""Certificates as they are given out: the bytes that were issued, with the proof of their leaf."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import date, datetime
from itertools import groupby, islice
from typing import Any, BinaryIO, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ingest.vault import Vault
from ledger.seal.canonical import microseconds
from ledger.seal.checkpoints import Checkpoint, SealKey, keys, of_size
from ledger.seal.proving import StoredTree
from payouts.certificates.bodies import Body, digest
from payouts.certificates.errors import CertificateChangedError, CertificateNotSealedError, UnknownCertificateError
from payouts.certificates.reading import QUERIES

_AT_ONCE: Final = 1_000


class Certificate(BaseModel):
    """A certificate that was issued: whose, of what months, and where its bytes are."""

    model_config = ConfigDict(frozen=True)

    certificate_id: int
    member_id: UUID | None
    """None: of all members and the bank account."""
    ncpdp_id: str | None
    from_on: date
    to_on: date
    version: int
    supersedes: int | None
    superseded_by: int | None
    checkpoint_size: int
    """As known there."""
    closing_cents: int
    retained_cents: int
    issued_by: str
    issued_at: datetime
    body_sha256: str
    file_sha256: str
    """Of the file in the vault that it stands in."""
    byte_start: int
    byte_end: int
    leaf_index: int | None
    """None: not sealed yet."""
    sealed_size: int | None
    """The first checkpoint that covers the leaf."""

    @property
    def name(self) -> str:
        """Name of its file: NCPDP id and months, or ``population``."""
        months = f"{self.from_on:%Y-%m}"
        if self.to_on.replace(day=1) != self.from_on:
            months += f"-to-{self.to_on:%Y-%m}"
        return f"{self.ncpdp_id or 'population'}-{months}"


class GivenOut(BaseModel):
    """A certificate with its body and its proof, as it is given out."""

    model_config = ConfigDict(frozen=True)

    of: Certificate
    body: dict[str, Any]
    proof: dict[str, Any]


def certificate(connection: Connection, certificate_id: int) -> Certificate:
    """Give the certificate of a number.

    Raises:
        UnknownCertificateError: none was issued under it.
    """
    found = _listed(connection, certificate_id=certificate_id)
    if not found:
        raise UnknownCertificateError(certificate_id)
    return found[0]


def of_member(connection: Connection, member_id: UUID | None) -> list[Certificate]:
    """List what was issued to a member, or of the population (None), the newest last."""
    return sorted(_listed(connection, member_id=member_id), key=lambda each: each.certificate_id)


def newest_of_everybody(connection: Connection, from_on: date, to_on: date) -> list[Certificate]:
    """List every member's last certificate of some months, in the order in which they stand in the vault."""
    return _listed(connection, from_on=from_on, to_on=to_on)


def given_out(connection: Connection, vault: Vault, of: Iterable[Certificate]) -> Iterator[GivenOut]:
    """Give certificates out, as they were issued, each with the proof of its leaf.

    Args:
        connection: a snapshot.
        vault: keeps the bytes.
        of: which; best in the order in which they stand in the vault.

    Raises:
        CertificateNotSealedError: one is not sealed yet.
        CertificateChangedError: its bytes are not what was written down of them.
        NotInVaultError, VaultDamagedError: the vault has lost them.
    """
    tree = StoredTree(connection)
    checkpoints: dict[int, Checkpoint] = {}
    recorded = keys(connection)
    waiting = iter(of)
    while some := list(islice(waiting, _AT_ONCE)):
        leaves = _leaves(connection, some)
        for sha256, each_of_file in groupby(some, key=lambda each: each.file_sha256):
            with closing(vault.open(sha256)) as source:
                for each in each_of_file:
                    if each.sealed_size is None or each.leaf_index is None:
                        raise CertificateNotSealedError(each.certificate_id)
                    if each.sealed_size not in checkpoints:
                        checkpoints[each.sealed_size] = of_size(connection, each.sealed_size)
                    proof = {
                        "leaf": leaves[each.certificate_id],
                        "index": each.leaf_index,
                        "size": each.sealed_size,
                        "hashes": [one.hex() for one in tree.inclusion(each.leaf_index, each.sealed_size)],
                        "note": checkpoints[each.sealed_size].note,
                        "vkey": key_of(recorded, each.sealed_size),
                    }
                    yield GivenOut(of=each, body=dict(body_of(source, each)), proof=proof)


def key_of(recorded: Sequence[SealKey], size: int) -> str:
    """Name the key that signed the checkpoint of a size."""
    return next(key.vkey for key in reversed(recorded) if key.since_size < size)


def body_of(source: BinaryIO, of: Certificate) -> Body:
    """Read a certificate's body from its issue's file.

    Raises:
        CertificateChangedError: it is not what was written down of it.
    """
    source.seek(of.byte_start)
    content = source.read(of.byte_end - of.byte_start)
    if digest(content) != of.body_sha256:
        raise CertificateChangedError(of.certificate_id)
    body = json.loads(content)
    if not isinstance(body, dict):
        raise CertificateChangedError(of.certificate_id)
    return body


def _leaves(connection: Connection, of: Sequence[Certificate]) -> dict[int, dict[str, Any]]:
    leaves: dict[int, dict[str, Any]] = defaultdict(dict)
    for row in connection.execute(QUERIES["leaves"], {"keys": [str(each.certificate_id) for each in of]}):
        leaves[row.certificate_id] = leaves[row.certificate_id] or {
            "trail_id": row.trail_id,
            "table": row.table_name,
            "key": row.row_key,
            "recorded_at": microseconds(row.recorded_at),
            "xid": row.xid,
            "content": row.content,
        }
    return leaves


def _listed(
    connection: Connection,
    *,
    certificate_id: int | None = None,
    member_id: UUID | None = None,
    from_on: date | None = None,
    to_on: date | None = None,
) -> list[Certificate]:
    asked = {"certificate_id": certificate_id, "member_id": member_id, "from_on": from_on, "to_on": to_on}
    return [Certificate(**row) for row in connection.execute(QUERIES["issued"], asked).mappings()]
