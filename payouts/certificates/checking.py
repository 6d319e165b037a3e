"""A certificate is checked: its text is the sealed one, it foots, and the books of then still say the same."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ledger.known import known_at
from ledger.seal.canonical import TrailFacts, trail_data
from ledger.seal.checkpoints import keys, of_size
from ledger.seal.errors import SealError
from ledger.seal.note import parse_checkpoint, parse_note
from ledger.seal.tree import leaf_hash, verify_inclusion
from payouts.certificates.bodies import Body, Heading, canonical, digest, member_body, population_body
from payouts.certificates.errors import CertificateUnreadableError
from payouts.certificates.model import FORMAT
from payouts.certificates.population import population
from payouts.certificates.reading import members_months
from schemas.errors import WrongUseError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WORDS: Final = ("parts", "retained_is", "proven")
"""What of a certificate is said by the program, and not by the books; its leaf covers it like the rest."""


class Check(BaseModel):
    """One thing that a certificate is held to."""

    model_config = ConfigDict(frozen=True)

    what: str
    holds: bool
    detail: str = ""


def read_envelope(name: str, content: bytes) -> tuple[Body, Mapping[str, Any]]:
    """Read a certificate as it was given out: its body and its proof.

    Raises:
        CertificateUnreadableError: it is none.
    """
    try:
        told = json.loads(content)
        body, proof = told["certificate"], told["proof"]
        if body["format"] != FORMAT or not isinstance(proof["leaf"]["content"], dict):
            raise CertificateUnreadableError(name, "another format")
        _facts(proof)
        _heading_days(body)
        _ = (
            body["figures"]["opening_cents"],
            body["checkpoint"]["size"],
            body["member"],
            bytes.fromhex("".join(proof["hashes"])),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise CertificateUnreadableError(name, "something else") from error
    return body, proof


def checks(connection: Connection, body: Body, proof: Mapping[str, Any]) -> list[Check]:
    """Hold a certificate against its proof and the books; the connection's transaction ends up in the past.

    Args:
        connection: a snapshot of its own.
        body: what it says.
        proof: as it was given out with it.
    """
    return [*_sealed(connection, body, proof), *_foots(body), _says_the_same(connection, body)]


def _sealed(connection: Connection, body: Body, proof: Mapping[str, Any]) -> Iterator[Check]:
    content = proof["leaf"]["content"]
    said = digest(canonical(body))
    yield Check(what="its text is the one that was sealed", holds=content.get("body_sha256") == said, detail=said)
    member = body["member"]
    row = (None if member is None else member["member_id"], body["from"], body["to"], str(body["version"]))
    sealed = tuple(content.get(name) for name in ("member_id", "from_on", "to_on", "version"))
    yield Check(what="it says whose, of what months and which version it is", holds=row == sealed)
    try:
        note = parse_note(proof["note"])
        checkpoint = parse_checkpoint(note.text)
        ours = of_size(connection, checkpoint.size).note == proof["note"]
        signed = any(key.verifier.verifies(note) for key in keys(connection))
    except (SealError, WrongUseError) as error:
        yield Check(what="its checkpoint is one of these books", holds=False, detail=str(error))
        return
    hashes = [bytes.fromhex(each) for each in proof["hashes"]]
    leaf = leaf_hash(trail_data(_facts(proof)))
    included = verify_inclusion(leaf, proof["index"], checkpoint.size, hashes, checkpoint.root)
    where = f"leaf {proof['index']} of checkpoint {checkpoint.size}"
    yield Check(
        what="its leaf is under the signed root", holds=included and proof["size"] == checkpoint.size, detail=where
    )
    yield Check(what="its checkpoint is one of these books, signed by our key", holds=ours and signed)


def _foots(body: Body) -> Iterator[Check]:
    figures = body["figures"]
    foots = figures["opening_cents"] + sum(figures["changes_cents"].values()) == figures["closing_cents"]
    parts = sum(figures["closing_parts_cents"].values()) == figures["closing_cents"]
    yield Check(what="it foots", holds=foots and parts)
    kept = figures["retained_cents"] == -figures["changes_cents"]["flat_fee"]
    yield Check(what="what was kept is the flat fee", holds=kept)


def _says_the_same(connection: Connection, body: Body) -> Check:
    what = "the books, as known at its checkpoint, say the same, to the cent"
    try:
        checkpoint = of_size(connection, body["checkpoint"]["size"])
        made = again(connection, body)
    except WrongUseError as error:
        return Check(what=what, holds=False, detail=str(error))
    if made is None:
        return Check(what=what, holds=False, detail="no such member is known there")
    # The words beside the figures are of the program that issued it; a later one may say them otherwise.
    made = {**made, **{name: body.get(name) for name in _WORDS}}
    same = canonical(made) == canonical(body)
    return Check(
        what=what, holds=same, detail=f"read at checkpoint {checkpoint.size}" if same else _first_other(made, body)
    )


def again(connection: Connection, body: Body) -> Body | None:
    """Make a certificate's body anew from the books as known at its checkpoint; None: its member is not known there.

    Raises:
        UnknownCheckpointError: these books have no such checkpoint.
    """
    checkpoint = of_size(connection, body["checkpoint"]["size"])
    from_on, to_on = _heading_days(body)
    heading = Heading(
        origin=body["origin"], company=body["company"], from_on=from_on, to_on=to_on, checkpoint=checkpoint
    )
    known_at(connection, checkpoint)
    if body["member"] is None:
        figures, _ = population(connection, from_on, to_on)
        return population_body(heading, figures, body["version"], body["supersedes"])
    try:
        (months,) = members_months(connection, [UUID(body["member"]["member_id"])], from_on, to_on)
    except KeyError:
        return None
    return member_body(heading, months, body["version"], body["supersedes"])


def _first_other(made: Body, body: Body) -> str:
    """Name the first field that differs."""
    for name in sorted({*made, *body}):
        one, other = made.get(name), body.get(name)
        if one == other:
            continue
        if isinstance(one, dict) and isinstance(other, dict):
            inner = next(key for key in sorted({*one, *other}) if one.get(key) != other.get(key))
            return f"{name}.{inner} differs"
        return f"{name} differs"
    return ""


def _heading_days(body: Body) -> tuple[date, date]:
    return date.fromisoformat(body["from"]), date.fromisoformat(body["to"])


def _facts(proof: Mapping[str, Any]) -> TrailFacts:
    leaf = proof["leaf"]
    return TrailFacts(
        trail_id=int(leaf["trail_id"]),
        table_name=str(leaf["table"]),
        row_key=str(leaf["key"]),
        recorded_at=_EPOCH + timedelta(microseconds=int(leaf["recorded_at"])),
        xid=int(leaf["xid"]),
        content=leaf["content"],
    )


def all_hold(of: Sequence[Check]) -> bool:
    """Say whether nothing failed."""
    return all(each.holds for each in of)
