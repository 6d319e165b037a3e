"""A certificate's body: what is said, as one text that has one way to be written, so that its SHA-256 names it.

Canonical bytes are JSON in UTF-8 with sorted keys and no blanks; amounts are integer cents and there is no fraction in
it, so that any JSON writer that sorts keys writes the same bytes again.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from ledger.seal.checkpoints import Checkpoint
from payouts.certificates.kinds import PARTS
from payouts.certificates.model import FORMAT, MemberMonths, PopulationFigures
from payouts.certificates.population import PROVEN as PROVEN_OF_ALL
from payouts.certificates.proving import PROVEN

Body = Mapping[str, Any]
"""What a certificate says: objects, arrays, texts, whole numbers, booleans and null."""

RETAINED: Final = "the flat fee and nothing else"


class Heading(BaseModel):
    """What a certificate says beside its figures.

    Args:
        origin: name of the seal, as in its checkpoints.
        company: the PSAO's name.
        from_on: first day.
        to_on: last day.
        checkpoint: the books were read as they were sealed there.
    """

    model_config = ConfigDict(frozen=True)

    origin: str
    company: str
    from_on: date
    to_on: date
    checkpoint: Checkpoint


def member_body(heading: Heading, months: MemberMonths, version: int, supersedes: int | None) -> Body:
    """Give the body of a member's certificate; ``supersedes`` is the number of the one before."""
    about = _about(heading, "member", version, supersedes)
    return about | _said(months.member.model_dump(mode="json"), months.figures.model_dump(mode="json"), PROVEN)


def population_body(heading: Heading, figures: PopulationFigures, version: int, supersedes: int | None) -> Body:
    """Give the body of the certificate of all members."""
    about = _about(heading, "population", version, supersedes)
    return about | _said(None, figures.model_dump(mode="json"), PROVEN_OF_ALL)


def _about(heading: Heading, scope: str, version: int, supersedes: int | None) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "scope": scope,
        "origin": heading.origin,
        "company": heading.company,
        "from": heading.from_on.isoformat(),
        "to": heading.to_on.isoformat(),
        "version": version,
        "supersedes": supersedes,
        "checkpoint": checkpoint_said(heading.checkpoint),
    }


def _said(member: dict[str, Any] | None, figures: dict[str, Any], proven: Sequence[str]) -> dict[str, Any]:
    return {
        "member": member,
        "figures": figures,
        "parts": dict(PARTS),
        "retained_is": RETAINED,
        "proven": list(proven),
    }


def checkpoint_said(checkpoint: Checkpoint) -> dict[str, Any]:
    """Name a checkpoint as a body does."""
    return {
        "size": checkpoint.size,
        "journal_size": checkpoint.journal_size,
        "root": checkpoint.root,
        "time": f"{checkpoint.sealed_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }


def canonical(said: Any) -> bytes:  # noqa: ANN401 (what JSON can hold)
    """Write what JSON can hold in its one way."""
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(content: bytes) -> str:
    """Give the SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def figures_digest(body: Body) -> str:
    """Give the SHA-256 of what a certificate says of the books, whatever its version and checkpoint."""
    return digest(canonical({"member": body["member"], "figures": body["figures"]}))


def envelope_text(body: Body, proof: Body) -> bytes:
    """Write what is given out: the body and its proof, for people to look at and programs to read."""
    return (
        json.dumps({"certificate": body, "proof": proof}, sort_keys=True, indent=1, ensure_ascii=False).encode() + b"\n"
    )
