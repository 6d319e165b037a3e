"""Issued statements keep their bytes: what was given out can be given again as it was, whatever is posted later.

The statements of everybody for a range are one file of the vault, with the place of each member's bytes in it. It is
written first; what a killed run leaves of it is nobody's, and the next run makes it anew.

A statement that is given out pins a checkpoint of the seal: it is read as known at it, and says so. Whoever reads it
again at that checkpoint finds the same figures, whatever was posted since.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO
from typing import Any, BinaryIO, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ingest.vault import Vault
from ledger import activity
from ledger.activity import Begin
from ledger.seal.checkpoints import Checkpoint
from payouts.papers.sender import Sender
from payouts.remittances.pipe import piped
from payouts.statements.errors import IssueChangedError, NobodyError, UnknownStatementError, UnpinnedError
from payouts.statements.forms import StatementForm, written_in_order
from payouts.statements.model import Statement
from payouts.statements.placing import Places
from payouts.statements.reading import QUERIES, statements

Progress = Callable[[str, int, int | None], None]
"""Told what is in hand, how much of it is done, and of how much; None: that is not known."""
_TOLD_EVERY: Final = 100


class Issue(BaseModel):
    """The statements of everybody for a range in one form, as they were issued."""

    model_config = ConfigDict(frozen=True)

    issue_id: int
    from_on: date
    to_on: date
    form: StatementForm
    version: int
    """Counts up when the same range is issued anew."""
    members: int
    size_bytes: int
    sha256: str
    """Of all of them, one after the other; the vault holds them under it."""
    issued_by: str
    issued_at: datetime
    checkpoint_size: int | None
    """The checkpoint that they were read at; None: issued before there was a seal."""


class IssuedStatement(BaseModel):
    """A statement that was issued: whose, of what range, in what form, and where its bytes are."""

    model_config = ConfigDict(frozen=True)

    statement_id: int
    member_id: UUID
    ncpdp_id: str
    from_on: date
    to_on: date
    form: StatementForm
    payer_id: str | None
    version: int | None
    """Of an issue of everybody's; None: it was asked for alone."""
    closing_cents: int
    issued_by: str
    issued_at: datetime
    file_name: str
    byte_start: int
    byte_end: int
    sha256: str
    """Of its own bytes."""
    file_sha256: str
    """Of the file in the vault that they stand in."""
    checkpoint_size: int | None
    """The checkpoint that it was read at; None: issued before there was a seal."""


@dataclass
class _Index(Places):
    """Where each member's bytes stand, and under which name they are left."""

    member_ids: list[UUID] = field(default_factory=list[UUID])
    file_names: list[str] = field(default_factory=list[str])
    closings: list[int] = field(default_factory=list[int])
    _names: set[str] = field(default_factory=set[str])

    def add(self, made: Statement, content: bytes, form: StatementForm) -> None:
        """Take a statement that follows the ones before it."""
        # Two owners of one pharmacy may stand in one range.
        name, number = made.ncpdp_id, 1
        while name in self._names:
            number += 1
            name = f"{made.ncpdp_id}-{number}"
        self._names.add(name)
        self.place(content)
        self.member_ids.append(made.member_id)
        self.file_names.append(f"{name}.{form.value}")
        self.closings.append(made.closing_cents)


def issue(
    connection: Connection, vault: Vault, made: Statement, content: bytes, *, form: StatementForm, actor: str
) -> int:
    """Keep the bytes of one member's statement as they are; give the number under which it was issued.

    Raises:
        UnpinnedError: it was not read as known at a checkpoint.
    """
    if made.known_at is None:
        raise UnpinnedError
    name = f"statement {made.ncpdp_id} {made.from_date} {made.to_date}"
    sha256 = vault.store(BytesIO(content), name, unpack=False).sha256
    index = _Index()
    index.add(made, content, form)
    facts = {"from_on": made.from_date, "to_on": made.to_date, "form": form.value}
    pinned = {"version": None, "payer_id": made.payer_id, "sha256": sha256, "checkpoint_size": made.known_at.size}
    _record(connection, index, facts | pinned, actor)
    _tell(connection, actor, made.ncpdp_id, facts | {"sha256": sha256})
    found = connection.execute(QUERIES["issued"], {"member_id": made.member_id, "statement_id": None}).all()
    return int(found[-1].statement_id)


def issued_to(connection: Connection, member_id: UUID) -> list[IssuedStatement]:
    """List what was issued to a member, the newest last."""
    rows = connection.execute(QUERIES["issued"], {"member_id": member_id, "statement_id": None}).mappings()
    return [IssuedStatement(**row) for row in rows]


def issued(connection: Connection, statement_id: int) -> IssuedStatement:
    """Give what was issued under a number.

    Raises:
        UnknownStatementError: nothing was.
    """
    asked = {"statement_id": statement_id, "member_id": None}
    row = connection.execute(QUERIES["issued"], asked).mappings().first()
    if row is None:
        raise UnknownStatementError(statement_id)
    return IssuedStatement(**row)


def again(vault: Vault, of: IssuedStatement) -> bytes:
    """Give the bytes of a statement as they were issued.

    Raises:
        IssueChangedError: they are not what was written down of them.
        NotInVaultError, VaultDamagedError: the vault has lost them.
    """
    content = vault.read(of.file_sha256, of.byte_start, of.byte_end)
    if hashlib.sha256(content).hexdigest() != of.sha256:
        raise IssueChangedError(of.statement_id)
    return content


@dataclass(frozen=True)
class Issuer:
    """Issues everybody's statements of a range, as at a month's end.

    Args:
        begin: opens a unit of work.
        reading: opens a snapshot to read in: all statements of an issue are of one moment.
        vault: keeps them.
        sender: stands at the head of papers.
        actor: who issues.
        pin: seals what is recorded and gives the checkpoint that an issue is read at.
        processes: how many write at once; one for each processor when it is not said.
    """

    begin: Begin
    reading: Callable[[], AbstractContextManager[Connection]]
    vault: Vault
    sender: Sender
    actor: str
    pin: Callable[[], Checkpoint]
    processes: int = 0

    def issue(
        self, from_on: date, to_on: date, form: StatementForm, progress: Progress, *, anew: bool = False
    ) -> Issue:
        """Issue everybody's statements of a range; what was issued keeps its bytes, unless it is asked for anew.

        Raises:
            RangeError: the range ends before it begins.
            NobodyError: the range says nothing of anybody.
            PrintingStoppedError: a process that writes them ended before its work did; nothing was issued.
            SealError: it can not be sealed; nothing was issued.
        """
        asked = {"from_on": from_on, "to_on": to_on, "form": form.value}
        with self.begin() as connection:
            before = _last(connection, asked)
        if before is not None and not anew:
            return before
        index, checkpoint = _Index(), self.pin()
        with piped(lambda out: self._write(out, index, asked, checkpoint, progress)) as stream:
            stored = self.vault.store(stream, f"statements {from_on} {to_on}", unpack=False)
        if not index.ends:
            raise NobodyError(from_on, to_on)
        with self.begin() as connection:
            connection.execute(QUERIES["take_turn"])
            last = _last(connection, asked)
            if last is not None and last != before:
                return last  # another was faster: its bytes are the ones that are given out
            version = 1 if last is None else last.version + 1
            facts = asked | {"version": version, "payer_id": None, "sha256": stored.sha256}
            facts |= {"checkpoint_size": checkpoint.size}
            _record(connection, index, facts, self.actor)
            _tell(connection, self.actor, f"everybody, {form.value}", facts)
            made = _last(connection, asked)
        if made is None:
            raise LookupError("an issue that was recorded is there")
        return made

    def files(self, of: Issue) -> Iterator[tuple[str, bytes]]:
        """Give each statement of an issue with its file's name, as it was issued.

        Raises:
            IssueChangedError: its bytes are not what was written down of them.
            NotInVaultError, VaultDamagedError: the vault has lost them.
        """
        with self.begin() as connection:
            rows = connection.execute(QUERIES["of_issue"], {"issue_id": of.issue_id}).all()
        with closing(self.vault.open(of.sha256)) as source:
            for row in rows:
                content = source.read(row.byte_end - row.byte_start)
                if hashlib.sha256(content).hexdigest() != row.sha256:
                    raise IssueChangedError(row.statement_id)
                yield row.file_name, content

    def _write(
        self, out: BinaryIO, index: _Index, asked: dict[str, Any], checkpoint: Checkpoint, progress: Progress
    ) -> None:
        """Write all statements, one after the other; works in a thread and on a connection of its own."""
        form = StatementForm(asked["form"])
        with self.reading() as connection:
            made = statements(connection, None, asked["from_on"], asked["to_on"], checkpoint=checkpoint)
            with closing(written_in_order(made, form, self.sender, self.processes)) as each_written:
                for each, content in each_written:
                    index.add(each, content, form)
                    out.write(content)
                    if len(index.ends) % _TOLD_EVERY == 0:
                        progress("writing statements", len(index.ends), None)


def _last(connection: Connection, asked: dict[str, Any]) -> Issue | None:
    row = connection.execute(QUERIES["last_issue"], asked).mappings().first()
    return None if row is None else Issue(**row)


def _record(connection: Connection, index: _Index, facts: dict[str, Any], actor: str) -> None:
    figures = {"size_bytes": index.size_bytes, "members": len(index.ends), "actor": actor}
    issue_id = connection.execute(QUERIES["add_issue"], facts | figures).scalar_one()
    for rows in index.rows():
        connection.execute(QUERIES["add_statements"], rows | {"issue_id": issue_id})


def _tell(connection: Connection, actor: str, subject: str, facts: dict[str, Any]) -> None:
    """Record who gave it out; by this record the vault knows what it has to keep."""
    days = {"from": facts["from_on"].isoformat(), "to": facts["to_on"].isoformat()}
    activity.record(connection, actor, "statement_issued", subject, **days, sha256=facts["sha256"])
