"""A turn at a run: begun once for a moment under the lock of its job, tried again within bounds, ended one way.

Whoever adds the row of a moment runs it. A process that dies leaves its row running and its lock free: the next one
takes the run over, as another attempt of the same row. An attempt that was taken over writes nothing any more.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from ingest.cases import CaseKind, open_case
from ledger import activity
from payouts.jobs.runs import QUERIES, RunState, run_name

BACKOFF: Final = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
"""How long an attempt that failed waits for the next one; after the last of them the run has failed."""
MOST_DEATHS: Final = 10
"""So often the process of one run may end under it before a person looks."""
_LONGEST_TEXT: Final = 1000


def take_lock(connection: Connection, job: str) -> bool:
    """Take the lock of a job until the transaction ends; False: another process runs it at this moment."""
    connection.execute(QUERIES["wait_long"])
    return bool(connection.execute(QUERIES["take_turn"], {"job": job}).scalar_one())


@dataclass(frozen=True, slots=True)
class Turn:
    """Writes down what becomes of one run; its caller holds the lock of the job, so what is running has died.

    Args:
        connection: of a unit of work.
        job: the job's name.
        scheduled_for: the moment, aware.
        now: by the scheduler's clock, aware.
        run_by: host and process.
        actor: who acts.
    """

    connection: Connection
    job: str
    scheduled_for: datetime
    now: datetime
    run_by: str
    actor: str

    def begin(self, moments: int = 1, *, again: bool = False) -> int | None:
        """Begin the run or go on with it; give the number of the attempt, or None when there is nothing to do.

        Args:
            moments: how many moments of its timetable the run stands for.
            again: a person asks: what waits, was refused or has failed is tried at once.
        """
        beginning = self._key | {"now": self.now, "run_by": self.run_by}
        attempt = self.connection.execute(QUERIES["add"], beginning | {"moments": moments}).scalar()
        if attempt is not None:
            return int(attempt)
        row = self.connection.execute(QUERIES["lock"], self._key).one()
        if row.state == RunState.RUNNING and row.deaths + 1 >= MOST_DEATHS and not again:
            self._fail(row.attempt, f"its process ended {MOST_DEATHS} times while it ran")
            return None
        is_due = row.state == RunState.WAITING and row.retry_at <= self.now
        is_asked = again and row.state in (RunState.WAITING, RunState.REFUSED, RunState.FAILED)
        if not (row.state == RunState.RUNNING or is_due or is_asked):
            return None
        if row.state == RunState.RUNNING:
            self._record("job_taken_over", row.attempt + 1, "its process ended before it did")
        return int(self.connection.execute(QUERIES["begin_again"], beginning).scalar_one())

    def done(self, attempt: int, outcome: str) -> bool:
        """Write down that it is done; the exceptions about earlier runs of the job are resolved.

        Returns:
            Whether this attempt was still the one that runs.
        """
        if not self._end(attempt, RunState.DONE, outcome=outcome):
            return False
        self.connection.execute(QUERIES["close_cases"], {"job": self.job})
        return True

    def refused(self, attempt: int, sentence: str) -> bool:
        """Write down that a rule refused it, which is an answer; gives what ``done`` gives."""
        return self._end(attempt, RunState.REFUSED, error=sentence)

    def failed(self, attempt: int, error: str) -> RunState | None:
        """Write down that the attempt failed: the run waits for the next one, or has failed, and a person is told.

        Args:
            attempt: which.
            error: class and sentence; nothing of a patient.

        Returns:
            How the run stands; None: another process has taken it over.
        """
        failures = self.connection.execute(QUERIES["lock"], self._key).one().failures
        if failures >= len(BACKOFF):
            return self._fail(attempt, error)
        retry_at = self.now + BACKOFF[failures]
        is_ours = self._end(attempt, RunState.WAITING, error=error, retry_at=retry_at)
        return RunState.WAITING if is_ours else None

    def _fail(self, attempt: int, error: str) -> RunState | None:
        if not self._end(attempt, RunState.FAILED, error=error):
            return None
        name = run_name(self.job, self.scheduled_for)
        again = "centralpay jobs run {} --at {}".format(*name.split())
        detail = f"failed at attempt {attempt}: {_line(error)}. Mend it, then: {again}"
        # A job that goes on failing is one thing to look at, under the name of its first run that failed.
        first = self.connection.execute(QUERIES["case_of"], {"job": self.job}).scalar()
        open_case(self.connection, CaseKind.JOB_FAILED, first or name, 0, detail)
        return RunState.FAILED

    def _end(
        self,
        attempt: int,
        state: RunState,
        *,
        outcome: str | None = None,
        error: str | None = None,
        retry_at: datetime | None = None,
    ) -> bool:
        facts: dict[str, Any] = {"attempt": attempt, "state": state.value, "now": self.now, "retry_at": retry_at}
        facts |= {
            "outcome": None if outcome is None else _line(outcome),
            "error": None if error is None else _line(error),
        }
        if not self.connection.execute(QUERIES["finish"], self._key | facts).rowcount:
            return False
        self._record(f"job_{state.value}", attempt, outcome or error or "")
        return True

    def _record(self, action: str, attempt: int, said: str) -> None:
        name = run_name(self.job, self.scheduled_for)
        activity.record(self.connection, self.actor, action, name, attempt=attempt, said=_line(said))

    @property
    def _key(self) -> dict[str, Any]:
        return {"job": self.job, "scheduled_for": self.scheduled_for}


def _line(text: str) -> str:
    return " ".join(text.split())[:_LONGEST_TEXT]
