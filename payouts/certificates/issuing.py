"""Certificates are issued: read as known at a checkpoint, kept, sealed, and given out with the proof that they are.

The order is: seal, read what is sealed, keep the bytes in the vault and their digests in one row each, which the trail
makes leaves of; seal again. The certificates of everybody are one file of the vault and two runs of the sealer, however
many there are. What a killed run leaves in the vault is nobody's; what it recorded the next run seals and gives out.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from typing import BinaryIO, Final
from uuid import UUID

from sqlalchemy import Connection

from ingest.vault import Vault
from ledger import activity
from ledger.activity import Begin
from ledger.known import known_at
from ledger.seal.checkpoints import Checkpoint, latest
from payouts.certificates.bodies import (
    Body,
    Heading,
    canonical,
    figures_digest,
    member_body,
    population_body,
)
from payouts.certificates.errors import CertificateRacedError, NothingSealedError
from payouts.certificates.newest import Newest, follows, newest_of, see_not_older
from payouts.certificates.population import proven_members, proven_population
from payouts.certificates.reading import QUERIES, members_months
from payouts.remittances.pipe import piped
from payouts.statements.placing import Places

Progress = Callable[[str, int], None]
"""Told what is in hand, and how much of it is done."""
_TOLD_EVERY: Final = 100


@dataclass
class _Index(Places):
    """Where each body stands, and what of it is written down beside."""

    member_ids: list[UUID | None] = field(default_factory=list[UUID | None])
    versions: list[int] = field(default_factory=list[int])
    supersedes: list[int | None] = field(default_factory=list[int | None])
    figures: list[bytes] = field(default_factory=list[bytes])
    closings: list[int] = field(default_factory=list[int])
    retained: list[int] = field(default_factory=list[int])

    def add(self, body: Body, content: bytes) -> None:
        """Take a body that follows the ones before it."""
        member = body["member"]
        self.place(content)
        self.member_ids.append(None if member is None else UUID(member["member_id"]))
        self.versions.append(body["version"])
        self.supersedes.append(body["supersedes"])
        self.figures.append(bytes.fromhex(figures_digest(body)))
        self.closings.append(body["figures"]["closing_cents"])
        self.retained.append(body["figures"]["retained_cents"])


@dataclass(frozen=True)
class _Todo:
    """What is to be written: under which heading, whose, and what they have."""

    heading: Heading
    newest: dict[UUID | None, Newest]
    wanted: list[UUID]


@dataclass(frozen=True)
class Certifier:
    """Issues certificates.

    Args:
        begin: opens a unit of work.
        reading: opens a snapshot to read in: all certificates of an issue are of one moment.
        vault: keeps them.
        seal: seals what waits and publishes it.
        origin: name of the seal.
        company: the PSAO's name.
        actor: who issues.
    """

    begin: Begin
    reading: Callable[[], AbstractContextManager[Connection]]
    vault: Vault
    seal: Callable[[], object]
    origin: str
    company: str
    actor: str

    def issue_member(
        self, member_id: UUID, from_on: date, to_on: date, *, anew: bool = False, at: Checkpoint | None = None
    ) -> int:
        """Issue a member's certificate, or give the one that was; by its number.

        Args:
            member_id: whose.
            from_on: first day of the first month.
            to_on: last day of the last one.
            anew: though one was issued: one that supersedes it, where the books say otherwise by now.
            at: as known there; None: as of now.

        Raises:
            CertificateUnprovenError: the books do not prove it; nothing was issued.
            CertificateRacedError: another was issued in between.
        """
        self._issue([member_id], from_on, to_on, anew=anew, at=at)
        return self._newest(from_on, to_on, member_id=member_id, is_one=True)[member_id].certificate_id

    def issue_everybody(
        self, from_on: date, to_on: date, tell: Progress, *, anew: bool = False, at: Checkpoint | None = None
    ) -> int:
        """Issue the certificates of all to whom the months say anything; what was issued stays. Give how many are new.

        Raises:
            CertificateUnprovenError: the books do not prove one of them; nothing was issued.
            CertificateRacedError: another was issued in between.
        """
        return self._issue(None, from_on, to_on, anew=anew, at=at, tell=tell)

    def issue_population(
        self, from_on: date, to_on: date, tell: Progress, *, anew: bool = False, at: Checkpoint | None = None
    ) -> int:
        """Issue the certificate of all members and of the bank account, or give the one that was; by its number.

        Raises:
            CertificateUnprovenError: the books do not prove it; nothing was issued.
            CertificateRacedError: another was issued in between.
        """
        newest = self._newest(from_on, to_on, member_id=None, is_one=True)
        if not newest or anew:
            checkpoint = at or self._sealed()
            with self.reading() as connection:
                known_at(connection, checkpoint)
                made = proven_population(connection, from_on, to_on, lambda done: tell("reading", done))
            before = newest.get(None)
            index, heading = _Index(), self._heading(from_on, to_on, checkpoint)
            see_not_older(checkpoint.size, before)
            body = population_body(heading, made, *follows(before))
            if before is None or before.figures_sha256 != figures_digest(body):
                content = canonical(body)
                index.add(body, content)
                name = f"certificate of all {from_on} {to_on}"
                stored = self.vault.store(BytesIO(content), name, unpack=False).sha256
                self._record(index, heading, stored, newest)
        self.seal()
        return self._newest(from_on, to_on, member_id=None, is_one=True)[None].certificate_id

    def _issue(
        self,
        member_ids: Iterable[UUID] | None,
        from_on: date,
        to_on: date,
        *,
        anew: bool,
        at: Checkpoint | None,
        tell: Progress = lambda *_: None,
    ) -> int:
        one = None if member_ids is None else next(iter(member_ids))
        newest = self._newest(from_on, to_on, member_id=one, is_one=one is not None)
        checkpoint = at
        if checkpoint is None and (one is None or one not in newest or anew):
            checkpoint = self._sealed()
        index = _Index()
        if checkpoint is not None:
            heading = self._heading(from_on, to_on, checkpoint)
            wanted = self._wanted(member_ids, newest, heading, anew=anew)
            if wanted:
                todo = _Todo(heading, newest, wanted)
                with piped(lambda out: self._write(out, index, todo, tell)) as stream:
                    stored = self.vault.store(stream, f"certificates {from_on} {to_on}", unpack=False)
                if index.ends:
                    self._record(index, heading, stored.sha256, newest)
        tell("sealing", len(index.ends))
        self.seal()
        return len(index.ends)

    def _wanted(
        self,
        member_ids: Iterable[UUID] | None,
        newest: dict[UUID | None, Newest],
        heading: Heading,
        *,
        anew: bool,
    ) -> list[UUID]:
        """Say whose certificate is to be read: of those who have one only when it is asked for anew."""
        if member_ids is None:
            with self.reading() as connection:
                known_at(connection, heading.checkpoint)
                span = {"from_on": heading.from_on, "to_on": heading.to_on}
                member_ids = connection.execute(QUERIES["everybody"], span).scalars().all()
        return [member_id for member_id in member_ids if anew or member_id not in newest]

    def _write(self, out: BinaryIO, index: _Index, todo: _Todo, tell: Progress) -> None:
        """Write all bodies, one after the other; works in a thread and on a connection of its own."""
        heading = todo.heading
        with self.reading() as connection:
            known_at(connection, heading.checkpoint)
            read = members_months(connection, todo.wanted, heading.from_on, heading.to_on)
            for done, each in enumerate(proven_members(read), 1):
                before = todo.newest.get(each.member.member_id)
                see_not_older(heading.checkpoint.size, before)
                body = member_body(heading, each, *follows(before))
                if before is None or before.figures_sha256 != figures_digest(body):
                    content = canonical(body)
                    index.add(body, content)
                    out.write(content)
                if done % _TOLD_EVERY == 0:
                    tell("writing certificates", done)

    def _record(self, index: _Index, heading: Heading, sha256: str, newest: dict[UUID | None, Newest]) -> None:
        facts = {
            "from_on": heading.from_on,
            "to_on": heading.to_on,
            "checkpoint_size": heading.checkpoint.size,
            "sha256": sha256,
            "size_bytes": index.size_bytes,
            "certificates": len(index.ends),
        }
        with self.begin() as connection:
            connection.execute(QUERIES["take_turn"])
            now = newest_of(connection, heading.from_on, heading.to_on)
            if any(now.get(member_id) != newest.get(member_id) for member_id in index.member_ids):
                raise CertificateRacedError
            issue_id = connection.execute(QUERIES["add_issue"], facts | {"actor": self.actor}).scalar_one()
            for rows in index.rows():
                connection.execute(QUERIES["add_certificates"], facts | rows | {"issue_id": issue_id})
            subject = f"{heading.from_on} to {heading.to_on}"
            size = heading.checkpoint.size
            activity.record(
                connection,
                self.actor,
                "certificate_issued",
                subject,
                certificates=len(index.ends),
                checkpoint=size,
                sha256=sha256,
            )

    def _sealed(self) -> Checkpoint:
        """Seal, and give the checkpoint to read at.

        Raises:
            NothingSealedError: there is none.
        """
        self.seal()
        with self.begin() as connection:
            checkpoint = latest(connection)
        if checkpoint is None:
            raise NothingSealedError
        return checkpoint

    def _heading(self, from_on: date, to_on: date, checkpoint: Checkpoint) -> Heading:
        return Heading(origin=self.origin, company=self.company, from_on=from_on, to_on=to_on, checkpoint=checkpoint)

    def _newest(
        self, from_on: date, to_on: date, *, member_id: UUID | None = None, is_one: bool = False
    ) -> dict[UUID | None, Newest]:
        with self.begin() as connection:
            return newest_of(connection, from_on, to_on, member_id=member_id, is_one=is_one)
