"""Retention by date: received files that are old enough, and that nothing needs any more, are let go for good.

First the decision is committed, then the bytes are erased, then it is committed that they are gone. Stopped anywhere
and run again it ends the same: what was decided is carried out, whatever the next call asks. The row of the file stays,
with who let it go, when and why; a copy that is sent again is known as one that was here.

Medicare Part D records are kept for ten years (42 CFR 423.505(d)); other law asks for less, none that we know for less
than seven.
"""

from collections.abc import Callable, Sequence
from datetime import date

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ingest.vault import Vault
from ledger import activity
from ledger.activity import Begin
from ledger.queries import Queries
from schemas.errors import RefusedError, WrongUseError

RETENTION_YEARS = 10
"""Medicare Part D: 42 CFR 423.505(d)."""
LEAST_RETENTION_YEARS = 7
_QUERIES = Queries("ingest", "vault.sql")
_ERASED_TOGETHER = 100

Progress = Callable[[int, int], None]
"""Told the files that are done, and all."""


class RetentionError(RefusedError):
    """The day lies within the retention period; ``latest`` is the last one that does not."""

    def __init__(self, before: date, latest: date, years: int) -> None:
        self.latest = latest
        super().__init__(
            f"Files are kept for {years} years: those received before {latest} may go, not before {before}"
        )


class OldFile(BaseModel):
    """A received file that is old enough to go."""

    model_config = ConfigDict(frozen=True)

    file_id: int
    sha256: str
    name: str
    kind: str
    size_bytes: int
    received_on: date
    reasons: str | None
    """Why it has to stay; None: it may go."""


class Expiry(BaseModel):
    """What was let go, and what has to stay."""

    model_config = ConfigDict(frozen=True)

    before: date
    is_dry_run: bool
    let_go: tuple[OldFile, ...]
    """In a dry run: what would be."""
    kept: tuple[OldFile, ...]
    erased: int
    """Files whose bytes were destroyed by this call, those decided by an earlier one included."""


class LetGo(BaseModel):
    """Who let a file go, when, and why."""

    model_config = ConfigDict(frozen=True)

    actor: str
    let_go_on: date
    reason: str


def latest_day(today: date, years: int) -> date:
    """Give the latest day before which files may be let go."""
    try:
        return today.replace(year=today.year - years)
    except ValueError:  # 29 February
        return today.replace(year=today.year - years, day=28)


def plan(connection: Connection, vault: Vault, before: date) -> tuple[list[OldFile], list[OldFile]]:
    """Give the files received before a day that may go, and those that have to stay, with the reasons."""
    may_go: list[OldFile] = []
    stays: list[OldFile] = []
    for row in connection.execute(_QUERIES["old_files"], {"before": before}).mappings():
        file = OldFile(**row)
        if file.reasons is None and not vault.folder.path(file.sha256).exists():
            # Not this vault, or a loss: nothing that a command may call destroyed.
            file = file.model_copy(update={"reasons": "it is not in this vault; see: centralpay vault verify"})
        (may_go if file.reasons is None else stays).append(file)
    return may_go, stays


def expire(
    begin: Begin,
    vault: Vault,
    *,
    before: date,
    reason: str,
    actor: str,
    today: date,
    years: int = RETENTION_YEARS,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Expiry:
    """Let go of the files received before a day, by UTC, that nothing needs; and carry out what was decided earlier.

    Args:
        begin: opens a unit of work.
        vault: where they lie.
        before: files received on that day stay.
        reason: why; it is kept.
        actor: who acts.
        today: from which the retention period counts.
        years: the retention period.
        dry_run: only tell.
        progress: told the files done, and all.

    Raises:
        WrongUseError: there is no reason, or the period is shorter than ``LEAST_RETENTION_YEARS``.
        RetentionError: the day lies within the retention period.
    """
    if not reason.strip():
        raise WrongUseError("Say why with --reason; it is kept.")
    if years < LEAST_RETENTION_YEARS:
        raise WrongUseError(f"Files are kept for {LEAST_RETENTION_YEARS} years at least, not {years}.")
    latest = latest_day(today, years)
    if before > latest:
        raise RetentionError(before, latest, years)
    with begin() as connection:
        may_go, stays = plan(connection, vault, before)
        if may_go and not dry_run:
            may_go = decide(connection, may_go, before, reason, actor)
    erased = 0 if dry_run else carry_out(begin, vault, actor, progress)
    return Expiry(before=before, is_dry_run=dry_run, let_go=tuple(may_go), kept=tuple(stays), erased=erased)


def decide(connection: Connection, files: Sequence[OldFile], before: date, reason: str, actor: str) -> list[OldFile]:
    """Write down that files are let go; give those that are, for something may have come to need one meanwhile."""
    facts = {"file_ids": [file.file_id for file in files], "before": before, "reason": reason, "actor": actor}
    decided = set(connection.execute(_QUERIES["decide"], facts).scalars())
    activity.record(connection, actor, "files_let_go", f"before {before}", files=len(decided), reason=reason)
    return [file for file in files if file.file_id in decided]


def carry_out(begin: Begin, vault: Vault, actor: str, progress: Progress | None = None) -> int:
    """Erase what it was decided to let go, and what of it came again; give how many files were erased."""
    with begin() as connection:
        rows = connection.execute(_QUERIES["to_erase"]).all()
    # What is not there needs no erasing; but only a folder that was synced without it may be recorded as gone.
    rows = [row for row in rows if not row.is_gone or vault.folder.path(row.sha256).exists()]
    erased = 0
    for start in range(0, len(rows), _ERASED_TOGETHER):
        some = rows[start : start + _ERASED_TOGETHER]
        erased += sum(vault.folder.erase(row.sha256) for row in some)
        with begin() as connection:
            connection.execute(_QUERIES["gone"], {"file_ids": [row.file_id for row in some], "actor": actor})
        if progress:
            progress(start + len(some), len(rows))
    return erased


def let_go(connection: Connection, sha256: str) -> LetGo | None:
    """Say who let a file go, when and why; None if nobody did."""
    row = connection.execute(_QUERIES["let_go"], {"sha256": bytes.fromhex(sha256)}).mappings().first()
    return None if row is None else LetGo(**row)
