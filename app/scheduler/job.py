"""What a job is: a name, when it is due, and a plain function of the session and the moment it is due for."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.session import Session
from payouts.jobs.due import CatchUp
from payouts.jobs.timetable import Timetable


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run that was not refused and did not fail.

    Args:
        said: counts and amounts in one line, for a person; nothing of a patient, no account number.
        then: jobs that are run right after it, by name.
        proof_failed: a proof does not hold.
    """

    said: str
    then: tuple[str, ...] = ()
    proof_failed: bool = False


Body = Callable[[Session, datetime], Outcome]
"""Does the work in units of its own, so that being stopped and called again does no harm."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job.

    Args:
        name: of lower-case letters and underscores; stays, for the runs are kept under it.
        says: what it does, in one line.
        body: does it.
        timetable: when it is due; None: whenever ``ready`` says so, at most once a minute.
        catch_up: what becomes of moments that were missed.
        ready: says whether there is anything to do, where there is no timetable.
    """

    name: str
    says: str
    body: Body
    timetable: Timetable | None
    catch_up: CatchUp = CatchUp.LATEST
    ready: Callable[[], bool] | None = None

    @property
    def when(self) -> str:
        """When it is due, in words."""
        if self.timetable is None:
            return "when there is something"
        return f"{self.timetable.days.value}, {self.timetable.says}"
