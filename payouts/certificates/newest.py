"""The last certificate of somebody for some months, and what may follow it."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection

from payouts.certificates.errors import CertificateOlderError
from payouts.certificates.reading import QUERIES


@dataclass(frozen=True)
class Newest:
    """The last certificate of somebody for some months."""

    certificate_id: int
    version: int
    checkpoint_size: int
    figures_sha256: str


def newest_of(
    connection: Connection, from_on: date, to_on: date, *, member_id: UUID | None = None, is_one: bool = False
) -> dict[UUID | None, Newest]:
    """Give the last certificates of some months: of everybody and the population (None), or with ``is_one`` of one."""
    asked = {"from_on": from_on, "to_on": to_on, "member_id": member_id, "is_one": is_one}
    return {
        row.member_id: Newest(row.certificate_id, row.version, row.checkpoint_size, row.figures_sha256)
        for row in connection.execute(QUERIES["newest"], asked)
    }


def see_not_older(size: int, before: Newest | None) -> None:
    """See that a certificate read at a checkpoint does not supersede one of a later checkpoint.

    Raises:
        CertificateOlderError: it would.
    """
    if before is not None and size < before.checkpoint_size:
        raise CertificateOlderError(before.certificate_id, before.checkpoint_size, size)


def follows(before: Newest | None) -> tuple[int, int | None]:
    """Give the version that follows, and the number that it supersedes."""
    return (1, None) if before is None else (before.version + 1, before.certificate_id)
