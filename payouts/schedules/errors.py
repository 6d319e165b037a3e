"""What is refused of schedules and cut-offs; facts as attributes, the sentence here."""

from datetime import date

from schemas.errors import RefusedError, WrongUseError
from schemas.schedules import SCHEDULES


class ScheduleUnknownError(WrongUseError):
    """No schedule is written so."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text!r} is no payout schedule; write {SCHEDULES}, of two days of the month the earlier one first"
        )


class MinimumError(WrongUseError):
    """No least payment can be this amount."""

    def __init__(self, said: str, most: str) -> None:
        super().__init__(f"{said!r} is no least payment; give dollars from 0 to {most}, such as 50.00")


class CutOffTimeError(WrongUseError):
    """No time of day is written so."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is no time of day; write it as 17:00")


class CutOffPastError(RefusedError):
    """A cut-off would change what held on a day that is past."""

    def __init__(self, since: date, today: date) -> None:
        self.since = since
        super().__init__(f"A cut-off is set from today on, or later: {since} is before {today}")


class CutOffSetError(RefusedError):
    """A cut-off of that name begins on that day already."""

    def __init__(self, name: str, since: date) -> None:
        super().__init__(f"A cut-off {name} begins on {since} already, and stays; set one from another day")
