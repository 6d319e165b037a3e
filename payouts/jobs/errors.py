"""What is refused of jobs, one class each; facts as attributes, the sentence here."""

from collections.abc import Sequence
from datetime import datetime, time

from schemas.errors import CentralpayError, RefusedError, WrongUseError


class QuietHoursError(WrongUseError):
    """A job would be due at a time of day that some days have twice and others not at all."""

    def __init__(self, at: time) -> None:
        self.at = at
        super().__init__(f"No job is due between 01:00 and 03:00 by the bank's clock, and {at:%H:%M} is")


class UnknownJobError(WrongUseError):
    """No job has that name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"There is no job {name!r}; there are {', '.join(known)}")


class FutureRunError(WrongUseError):
    """A job would be run for a moment that has not come."""

    def __init__(self, at: datetime) -> None:
        super().__init__(f"{at:%Y-%m-%d %H:%M} has not come yet: a job is run for now, or for a moment that was missed")


class JobRunningError(RefusedError):
    """The job is running elsewhere at this moment."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"{name} is running at this moment, in another process; see: centralpay jobs runs --job {name}"
        )


class PlaceUnfitError(CentralpayError):
    """A folder that a job works in can not be used now; no rule refuses the job, and it is tried again."""


class SchedulerUserError(RefusedError):
    """The scheduler has no user of its own that may only propose."""

    def __init__(self, name: str, role: str | None) -> None:
        self.role = role
        said = f"{name} is not a user" if role is None else f"{name} is {role}"
        super().__init__(
            f"{said}; the scheduler works as an operator of its own, who proposes and never approves. "
            f"An admin adds it: centralpay users add {name if role is None else 'scheduler'} --role operator"
        )
