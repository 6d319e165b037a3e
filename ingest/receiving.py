"""Files in: every received file goes to the vault first, then to the reader of its kind."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ingest.advices import findings_json
from ingest.bank.statement import Feed
from ingest.bank_days import FeedsDifferError, open_difference_cases
from ingest.bank_lines import load_bank_file
from ingest.details_desk import DetailsDesk
from ingest.directory import Directory, import_payers, import_roster
from ingest.encryption import Keyring
from ingest.kinds import HEAD_BYTES, FileKind, detect_kind, unknown_kind
from ingest.payers import read_payers
from ingest.remittances import RemittanceLoader
from ingest.roster import read_roster
from ingest.vault import StoredFile, Vault
from ingest.vault.expiry import LetGo, let_go
from ingest.waivers import Waiver, waive
from ledger import activity
from ledger.activity import Begin
from ledger.queries import Queries
from schemas.errors import UnreadableError
from schemas.findings import Finding, Severity

_QUERIES = Queries("ingest", "advices.sql")

Progress = Callable[[int], None]
PaymentFileLoader = Callable[[Connection, BinaryIO, str, int], str]
"""Takes a NACHA file from the bank (stream, name, file id) in the unit of work of its receipt; says what it held.

The format and what follows from answers are above this package: who composes the Receiver hands the loader in.
"""
Status = Literal["accepted", "quarantined", "duplicate", "conflict"]


class SetVerdict(BaseModel):
    """What became of one transaction set."""

    model_config = ConfigDict(frozen=True)

    trn: str
    status: Status
    claims: int
    findings: tuple[Finding, ...]


class FileVerdict(BaseModel):
    """What became of one file; ``findings`` are those of the file as a whole, ``sets`` its transaction sets."""

    model_config = ConfigDict(frozen=True)

    path: str
    kind: str
    sha256: str
    status: Status
    sets: tuple[SetVerdict, ...] = ()
    findings: tuple[Finding, ...] = ()
    summary: str = ""

    @property
    def is_done(self) -> bool:
        """Say whether nothing of it needs a person: accepted, or here before."""
        return self.status in {"accepted", "duplicate"}


@dataclass(frozen=True)
class Receiver:
    """Takes files in.

    Args:
        begin: opens a unit of work.
        vault: where every file goes first.
        keyring: seals and opens bank details.
        own_account: number of the custodial bank account.
        actor: who acts.
        desk: where a roster hands in other bank details; without one they are refused.
        payment_files: what takes NACHA files from the bank in; without one they are kept and refused.
    """

    begin: Begin
    vault: Vault
    keyring: Keyring
    own_account: str
    actor: str
    desk: DetailsDesk | None = None
    payment_files: PaymentFileLoader | None = None
    _held: dict[str, Directory] = field(default_factory=dict, init=False, repr=False, compare=False)
    """The directory, read once for all files of a command; a roster among them makes it be read anew."""

    def receive(
        self,
        source: BinaryIO,
        name: str,
        *,
        expected: FileKind | None = None,
        progress: Progress | None = None,
        waiver: Waiver | None = None,
    ) -> FileVerdict:
        """Take one file in: vault, kind, reader, books. Being stopped and called again does no harm.

        Args:
            source: the file's bytes; may be compressed, may be a pipe.
            name: the file as the user named it.
            expected: the only kind that will do, or any.
            progress: told the bytes read so far.
            waiver: a rule that was found broken in it before, by another person, and that who acts lets through.

        Raises:
            UnreadableError: an archive that can not be unpacked came through a pipe; there is nothing left to keep.
            CentralpayError: whatever refuses the operation as such; the file is kept in the vault.
        """
        try:
            stored = self.vault.store(source, name)
        except UnreadableError as error:
            return self._keep_packed(source, name, error)
        with self.vault.open(stored.sha256) as stream:
            head = stream.read(HEAD_BYTES)
        kind = detect_kind(head, name)
        file_id, verdict = self._register(stored, name, kind)
        if verdict is not None:
            return verdict
        if waiver is not None:
            with self.begin() as connection:
                waive(connection, file_id, waiver, self.actor)
        try:
            if kind is FileKind.UNKNOWN or (expected is not None and kind is not expected):
                raise unknown_kind(head, name) if expected is None else _other_kind(name, expected, kind)
            return self._read(stored, name, kind, file_id, progress)
        except UnreadableError as error:
            return self._refuse(stored, name, kind, file_id, error)

    def _refuse(
        self, stored: StoredFile, name: str, kind: FileKind, file_id: int, error: UnreadableError
    ) -> FileVerdict:
        """Write down that a file can not be read, and why; it changed nothing."""
        with self.begin() as connection:
            _finish(connection, file_id, "unreadable", error.findings)
            activity.record(connection, self.actor, "file_refused", name, findings=len(error.findings))
            if isinstance(error, FeedsDifferError):
                open_difference_cases(connection, error)
        return FileVerdict(
            path=name,
            kind=kind,
            sha256=stored.sha256,
            status="quarantined",
            findings=error.findings,
            summary=str(error),
        )

    def _keep_packed(self, source: BinaryIO, name: str, error: UnreadableError) -> FileVerdict:
        """Keep an archive that can not be unpacked as it came, and refuse it."""
        if not source.seekable():
            raise error
        source.seek(0)
        stored = self.vault.store(source, name, unpack=False)
        file_id, verdict = self._register(stored, name, FileKind.UNKNOWN)
        return verdict or self._refuse(stored, name, FileKind.UNKNOWN, file_id, error)

    def _register(self, stored: StoredFile, name: str, kind: FileKind) -> tuple[int, FileVerdict | None]:
        """Write the file down; give its verdict too when it was read to the end before."""
        digest = bytes.fromhex(stored.sha256)
        with self.begin() as connection:
            facts = {"sha256": digest, "name": name, "kind": kind.value, "size_bytes": stored.size_bytes}
            connection.execute(_QUERIES["add_file"], facts | {"actor": self.actor})
            row = connection.execute(_QUERIES["file"], {"sha256": digest}).one()
            gone = let_go(connection, stored.sha256)
            if gone is None and row.status in {"reading", "unreadable"}:
                # What could not be read may be readable to a newer reader; it changed nothing then.
                return row.file_id, None
            sets = tuple(
                each.model_copy(update={"status": "duplicate"}) if each.status == "accepted" else each
                for each in _sets(connection, row.file_id)
            )
        if gone is not None:
            # What was let go stays so: the bytes that came with it now go as well.
            self.vault.folder.erase(stored.sha256)
        verdict = FileVerdict(
            path=name,
            kind=row.kind,
            sha256=stored.sha256,
            status="duplicate",
            sets=sets,
            summary=_before(gone),
        )
        return row.file_id, verdict

    def _read(
        self, stored: StoredFile, name: str, kind: FileKind, file_id: int, progress: Progress | None
    ) -> FileVerdict:
        if kind is FileKind.REMITTANCE_835:
            return self._read_remittances(stored, name, file_id, progress)
        with self.vault.open(stored.sha256) as stream, self.begin() as connection:
            if kind in {FileKind.BAI2, FileKind.CAMT053}:
                summary, warnings = self._book(connection, Feed(kind.value), stream, name, file_id)
            else:
                summary, warnings = self._load(connection, kind, stream, name, file_id), ()
            _finish(connection, file_id, "accepted", warnings)
        return FileVerdict(
            path=name, kind=kind, sha256=stored.sha256, status="accepted", findings=warnings, summary=summary
        )

    def _book(
        self, connection: Connection, feed: Feed, stream: BinaryIO, name: str, file_id: int
    ) -> tuple[str, tuple[Finding, ...]]:
        booked = load_bank_file(
            connection,
            stream,
            name,
            feed=feed,
            file_id=file_id,
            own_account=self.own_account,
            keyring=self.keyring,
            actor=self.actor,
        )
        return booked.sentence, booked.warnings

    def _load(self, connection: Connection, kind: FileKind, stream: BinaryIO, name: str, file_id: int) -> str:
        if kind is FileKind.NACHA and self.payment_files is not None:
            return self.payment_files(connection, stream, name, file_id)
        if kind is FileKind.ROSTER:
            self._held.clear()
            done = import_roster(
                connection,
                read_roster(stream, name),
                name=name,
                keyring=self.keyring,
                actor=self.actor,
                desk=self.desk,
            )
        elif kind is FileKind.PAYERS:
            done = import_payers(connection, read_payers(stream, name), name=name, actor=self.actor)
        else:
            raise UnreadableError(name, [_not_yet(kind)])
        return done.summary

    def _read_remittances(self, stored: StoredFile, name: str, file_id: int, progress: Progress | None) -> FileVerdict:
        if "directory" not in self._held:
            with self.begin() as connection:
                self._held["directory"] = Directory.load(connection)
        directory = self._held["directory"]
        loader = RemittanceLoader(self.begin, directory, file_id, self.actor, progress)
        with self.vault.open(stored.sha256) as stream:
            end = loader.load(stream, name)
        findings = list(end.findings)
        if end.sets == 0:
            findings.append(_no_sets())
        with self.begin() as connection:
            sets = _sets(connection, file_id)
            refused = any(finding.severity is Severity.REFUSE for finding in findings)
            status = _worst(sets, refused=refused)
            _finish(connection, file_id, "accepted" if status in {"accepted", "duplicate"} else "quarantined", findings)
            activity.record(connection, self.actor, "file_ingested", name, sets=len(sets), status=status)
        counts = ", ".join(
            f"{sum(each.status == wanted for each in sets)} {wanted}"
            for wanted in ("accepted", "quarantined", "duplicate", "conflict")
            if any(each.status == wanted for each in sets)
        )
        return FileVerdict(
            path=name,
            kind=FileKind.REMITTANCE_835,
            sha256=stored.sha256,
            status=status,
            sets=sets,
            findings=tuple(findings),
            summary=f"sets: {counts or 'none'}",
        )


def refused(name: str, rule: str, found: str) -> FileVerdict:
    """Give the verdict on a file that could not even be opened; there is nothing to keep in the vault."""
    finding = Finding(rule=rule, element="file", expected="a file that can be read", found=found)
    return FileVerdict(
        path=name, kind="unknown", sha256="", status="quarantined", findings=(finding,), summary=finding.sentence()
    )


def _before(gone: LetGo | None) -> str:
    if gone is None:
        return "received before; nothing changed"
    said = f"let go on {gone.let_go_on} by {gone.actor} ({gone.reason})"
    return f"received before and {said}; nothing changed, and its bytes are not kept again"


def _worst(sets: Sequence[SetVerdict], *, refused: bool) -> Status:
    """The file's verdict: what most needs a person; a duplicate only when all of it was here before."""
    if refused or any(each.status == "quarantined" for each in sets):
        return "quarantined"
    if any(each.status == "conflict" for each in sets):
        return "conflict"
    return "duplicate" if sets and all(each.status == "duplicate" for each in sets) else "accepted"


def _sets(connection: Connection, file_id: int) -> tuple[SetVerdict, ...]:
    rows = connection.execute(_QUERIES["sets"], {"file_id": file_id})
    return tuple(
        SetVerdict(trn=row.trn, status=row.status, claims=row.claims, findings=_findings(row.findings)) for row in rows
    )


def _findings(stored: list[dict[str, Any]]) -> tuple[Finding, ...]:
    return tuple(Finding.model_validate_json(json.dumps(each)) for each in stored)


def _finish(connection: Connection, file_id: int, status: str, findings: Sequence[Finding]) -> None:
    facts = {"file_id": file_id, "status": status, "findings": findings_json(findings)}
    connection.execute(_QUERIES["finish_file"], facts)


def _other_kind(name: str, expected: FileKind, kind: FileKind) -> UnreadableError:
    found = "a file of no known kind" if kind is FileKind.UNKNOWN else f"a file of kind {kind.value}"
    finding = Finding(
        rule="kind_expected",
        element="file",
        expected=f"a {expected.value} file",
        found=found,
        advice="Check that this is the file that was meant.",
    )
    return UnreadableError(name, [finding])


def _not_yet(kind: FileKind) -> Finding:
    return Finding(
        rule="kind_is_read",
        element="file",
        expected="an 835, a BAI2 statement, a roster or a payer list",
        found=f"a file of kind {kind.value}",
        advice="This release does not read it; the file is kept in the vault.",
    )


def _no_sets() -> Finding:
    return Finding(
        rule="file_has_sets",
        element="ST",
        expected="at least one transaction set",
        found="none",
        advice="Ask the payer for the complete file.",
    )
