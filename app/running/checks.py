"""Whether an installation is well: each thing that is looked at, its value, and the limit it must keep."""

from datetime import date, datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from app.database import SchemaStatus
from app.running.figures import Figures
from app.session import BANK_ZONE
from ingest.cases import CaseKind
from schemas.calendar import banking_days_between

PROOF_AGE_LIMIT = timedelta(hours=26)
"""A night's run that is two hours late is still one; a night that was left out is not."""
FILE_AGE_LIMIT_DAYS = 2
"""Banking days. A payer's and the bank's files come on every one; what is missing for two is looked for."""
LAG_LIMIT_S = 900
LEAST_FREE_BYTES = 2 << 30


class CheckName(StrEnum):
    """What is looked at."""

    DATABASE = "database"
    """It answers."""
    SCHEMA = "schema"
    """It has every step that this release needs."""
    PROOFS = "proofs"
    """They held when they were last run, and that is not long ago."""
    SCHEDULER = "scheduler"
    """No job has been due for long without a run."""
    JOBS = "jobs"
    """No job has given up."""
    REMITTANCES = "remittances"
    """Payers' 835s come in."""
    BANK_STATEMENTS = "bank_statements"
    """The bank's statements come in."""
    DISK = "disk"
    """There is room in the home."""


class Check(BaseModel):
    """One thing that was looked at; ``value`` and ``limit`` are for people."""

    model_config = ConfigDict(frozen=True)

    name: CheckName
    ok: bool
    value: str
    limit: str


class Health(BaseModel):
    """All that was looked at."""

    model_config = ConfigDict(frozen=True)

    checked_at: datetime
    failing_proofs: tuple[str, ...]
    """Proofs that failed when they were last run: no money leaves."""
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Say whether all of it is well."""
        return all(each.ok for each in self.checks)


def health(now: datetime, schema: SchemaStatus | None, figures: Figures | None, free_bytes: int) -> Health:
    """Judge what was seen.

    Args:
        now: when.
        schema: what the database has; None when it does not answer.
        figures: None when they can not be read.
        free_bytes: room in the home's file system.
    """
    found = [_database(schema, figures)]
    if schema is not None:
        found.append(_schema(schema))
    if figures is not None:
        found += [
            _proofs(figures),
            _scheduler(figures),
            _jobs(figures),
            _files(CheckName.REMITTANCES, figures, figures.remittance_at),
            _files(CheckName.BANK_STATEMENTS, figures, figures.statement_at),
        ]
    failing = () if figures is None else figures.failing_proofs
    return Health(checked_at=now, failing_proofs=failing, checks=(*found, _disk(free_bytes)))


def _database(schema: SchemaStatus | None, figures: Figures | None) -> Check:
    if schema is None:
        return Check(name=CheckName.DATABASE, ok=False, value="does not answer", limit="answers")
    if figures is None and not schema.pending:
        return Check(name=CheckName.DATABASE, ok=False, value="can not be read in time", limit="answers")
    return Check(name=CheckName.DATABASE, ok=True, value=f"answers, PostgreSQL {schema.server}", limit="answers")


def _disk(free_bytes: int) -> Check:
    return Check(
        name=CheckName.DISK,
        ok=free_bytes >= LEAST_FREE_BYTES,
        value=f"{free_bytes / (1 << 30):.1f} GiB free",
        limit=f"at least {LEAST_FREE_BYTES >> 30} GiB",
    )


def _schema(schema: SchemaStatus) -> Check:
    behind = len(schema.pending)
    value = f"{schema.current or 'empty'}, " + (f"{behind} steps behind" if behind else "up to date")
    return Check(name=CheckName.SCHEMA, ok=behind == 0, value=value, limit="up to date")


def _proofs(figures: Figures) -> Check:
    hours = int(PROOF_AGE_LIMIT.total_seconds()) // 3600
    limit = f"all hold, run within {hours} hours"
    if figures.failing_proofs:
        value = f"{', '.join(figures.failing_proofs)} fails"
    elif figures.verified_at is None:
        value = "never run by the scheduler"
    else:
        value = f"all held, {_ago(figures.taken_at - figures.verified_at)} ago"
    recent = figures.verified_at is not None and figures.taken_at - figures.verified_at <= PROOF_AGE_LIMIT
    return Check(name=CheckName.PROOFS, ok=recent and not figures.failing_proofs, value=value, limit=limit)


def _scheduler(figures: Figures) -> Check:
    lag = figures.lag_seconds
    value = "no job ever ran" if lag is None else f"{_ago(timedelta(seconds=lag))} behind"
    limit = f"at most {_ago(timedelta(seconds=LAG_LIMIT_S))} behind"
    return Check(name=CheckName.SCHEDULER, ok=lag is not None and lag <= LAG_LIMIT_S, value=value, limit=limit)


def _jobs(figures: Figures) -> Check:
    failed = figures.cases.get(CaseKind.JOB_FAILED, 0)
    return Check(name=CheckName.JOBS, ok=failed == 0, value=f"{failed} gave up", limit="none gave up")


def _files(name: CheckName, figures: Figures, newest: datetime | None) -> Check:
    """Judge when files of a kind last came; before the first, from the first file of any kind on."""
    limit = f"one within {FILE_AGE_LIMIT_DAYS} banking days"
    since = newest or figures.first_file_at
    if since is None:
        return Check(name=name, ok=True, value="no file of any kind yet", limit=limit)
    days = banking_days_between(_bank_day(since), _bank_day(figures.taken_at))
    value = "none yet" if newest is None else f"{_bank_day(newest)}, {days} banking days ago"
    return Check(name=name, ok=days <= FILE_AGE_LIMIT_DAYS, value=value, limit=limit)


def _bank_day(moment: datetime) -> date:
    return moment.astimezone(BANK_ZONE).date()


def _ago(span: timedelta) -> str:
    minutes, seconds = divmod(max(int(span.total_seconds()), 0), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{seconds} s"
