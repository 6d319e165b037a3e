"""What an installation looks like at one moment: counts, cents and ages, read by a handful of set-based queries.

No query reads claim lines or names a member. Amounts are integer cents, instants aware and in UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ingest.kinds import FileKind
from ledger.queries import Queries

_QUERIES = Queries("payouts", "health.sql")
_STATEMENTS = frozenset({FileKind.BAI2, FileKind.CAMT053})


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one moment.

    Args:
        taken_at: the moment.
        files: received files by kind and status.
        first_file_at: when the first file came in; None when none ever did.
        remittance_at: when the newest accepted 835 came in.
        statement_at: when the newest accepted bank statement came in.
        cases: open exceptions by kind.
        cycles: cycles by state.
        claims: claims of all advices that count.
        parked_deposits: deposits that are not matched, and their cents.
        parked_advices: advices without their money, and their cents.
        in_transit_cents: released and not settled.
        float_cents: the PSAO's own money in the custodial account.
        negatives: members whose negative the float covers, and the cents.
        failing_proofs: proofs that failed when they were last run.
        verified_at: when all proofs were last run to their end; None: never.
        runs: job runs by state.
        lag_seconds: how long the oldest moment of a job has been due without a run; None: no job ever ran.
        database_bytes: room that the database takes.
    """

    taken_at: datetime
    files: Mapping[tuple[str, str], int]
    first_file_at: datetime | None
    remittance_at: datetime | None
    statement_at: datetime | None
    cases: Mapping[str, int]
    cycles: Mapping[str, int]
    claims: int
    parked_deposits: tuple[int, int]
    parked_advices: tuple[int, int]
    in_transit_cents: int
    float_cents: int
    negatives: tuple[int, int]
    failing_proofs: tuple[str, ...]
    verified_at: datetime | None
    runs: Mapping[str, int]
    lag_seconds: float | None
    database_bytes: int


def bound(connection: Connection) -> None:
    """Let no statement of the connection's transaction take, or wait for, more than five seconds."""
    connection.execute(_QUERIES["bound"])


def figures(connection: Connection, now: datetime, overdue_since: datetime | None) -> Figures:
    """Read the figures in one snapshot, where the connection's isolation gives one.

    Args:
        connection: of the auditor's role.
        now: the moment that ages are measured from.
        overdue_since: the oldest moment of a job that no run stands for; None: nothing is due.
    """
    files = connection.execute(_QUERIES["files"]).all()
    taken = [row for row in files if row.status == "accepted"]
    row = connection.execute(_QUERIES["amounts"]).one()
    runs = {each.state: each.runs for each in connection.execute(_QUERIES["runs"])}
    return Figures(
        taken_at=now,
        files={(each.kind, each.status): each.files for each in files},
        first_file_at=min((each.first_at for each in files), default=None),
        remittance_at=max((each.newest_at for each in taken if each.kind == FileKind.REMITTANCE_835), default=None),
        statement_at=max((each.newest_at for each in taken if each.kind in _STATEMENTS), default=None),
        cases={each.kind: each.cases for each in connection.execute(_QUERIES["cases"])},
        cycles={each.state: each.cycles for each in connection.execute(_QUERIES["cycles"])},
        claims=row.claims,
        parked_deposits=(row.parked_deposits, row.parked_deposit_cents),
        parked_advices=(row.parked_advices, row.parked_advice_cents),
        in_transit_cents=row.in_transit_cents,
        float_cents=row.float_cents,
        negatives=(row.negatives, row.negative_cents),
        failing_proofs=tuple(connection.execute(_QUERIES["failing_proofs"]).scalars()),
        verified_at=connection.execute(_QUERIES["verified"]).scalar_one(),
        runs=runs,
        lag_seconds=_lag_seconds(now, overdue_since) if runs else None,
        database_bytes=row.database_bytes,
    )


def _lag_seconds(now: datetime, overdue_since: datetime | None) -> float:
    return 0.0 if overdue_since is None else max((now - overdue_since).total_seconds(), 0.0)
