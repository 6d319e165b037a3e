"""Why a month is not closed, or not reopened: one class each; facts as attributes, the sentence here."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from payouts.closing.model import Check
from payouts.errors import ProofGateError
from schemas.errors import CentralpayError, RefusedError, WrongUseError


class MonthNotProvenError(ProofGateError):
    """A proof fails, or the books are not the bank's on a day: nothing carries that over."""

    def __init__(self, month: date, failing: Sequence[Check]) -> None:
        self.month = month
        self.checks = tuple(failing)
        said = "; ".join(f"{each.name}: {each.detail}" for each in failing)
        CentralpayError.__init__(self, f"{month:%Y-%m} is not closed, what fails has to hold first. {said}")


class MonthBlockedError(RefusedError):
    """Something is open that a month is not closed with."""

    def __init__(self, month: date, blocking: Sequence[Check]) -> None:
        self.month = month
        self.checks = tuple(blocking)
        said = "; ".join(f"{each.name}: {each.detail}. {each.todo}" for each in blocking)
        super().__init__(f"{month:%Y-%m} is not closed. {said}")


class MonthNotOverError(RefusedError):
    """The month is not over on the business day."""

    def __init__(self, month: date, on: date) -> None:
        self.month = month
        super().__init__(f"{month:%Y-%m} is not over on {on}: it can be closed from the first day of the next month on")


class EarlierMonthOpenError(RefusedError):
    """An earlier month with entries is open."""

    def __init__(self, month: date, earlier: date) -> None:
        self.earlier = earlier
        super().__init__(
            f"{month:%Y-%m} is not closed while {earlier:%Y-%m} is open: each begins with what the one before ends "
            f"with. First: centralpay close --month {earlier:%Y-%m}"
        )


class NoSuchMonthError(WrongUseError):
    """There is no accounting month of that name."""

    def __init__(self, month: date) -> None:
        super().__init__(f"{month:%Y-%m} is no accounting month; they are from 2000-01 to 2049-12")


class CarryError(WrongUseError):
    """What is to be carried over is not there, or is carried over by nobody."""

    def __init__(self, subject: str, why: str) -> None:
        self.subject = subject
        super().__init__(f"{subject!r} can not be carried over: {why}")


class PostedMeanwhileError(RefusedError):
    """Others post into the month while it is proven."""

    def __init__(self, month: date, times: int) -> None:
        super().__init__(
            f"{month:%Y-%m} is not closed: {times} times something was posted into it while it was proven; run it again"
        )


class NotSealedError(RefusedError):
    """The sealer has not taken all of the month yet."""

    def __init__(self, month: date) -> None:
        super().__init__(
            f"{month:%Y-%m} is closed, and not all of it is sealed: run centralpay close again to finish it"
        )


class PackageDiffersError(ProofGateError):
    """What the books make of the month now is not the package that was recorded."""

    def __init__(self, month: date, recorded: str, made: str, path: Path) -> None:
        self.recorded = recorded
        self.made = made
        CentralpayError.__init__(
            self,
            f"The package of {month:%Y-%m} was recorded with the manifest {recorded}; {path} would have {made}: this "
            "program, or the books, are not those that made it. Put a copy of the package back; or, where none is "
            f"left, write another edition that names it: centralpay periods repack {month:%Y-%m} --reason TEXT",
        )


class PackageAlteredError(ProofGateError):
    """What stands in the package's folder is not the package: changed, cut off, or something else."""

    def __init__(self, month: date, path: Path, name: str) -> None:
        self.path = path
        self.name = name
        CentralpayError.__init__(
            self,
            f"{path} is not the package of {month:%Y-%m}: {name} is missing or not as it was written. Put the folder "
            f"away and run it again: the package is written anew",
        )


class ClosedWithError(RefusedError):
    """The month had no entries, and was closed with a later one."""

    def __init__(self, month: date, closed_with: date | None) -> None:
        with_it = "a later month" if closed_with is None else f"{closed_with:%Y-%m}"
        super().__init__(f"{month:%Y-%m} had no entries and was closed with {with_it}: there is nothing of it to close")


class NotClosedError(RefusedError):
    """The month is open: there is nothing to reopen."""

    def __init__(self, month: date, closed_with: date | None = None) -> None:
        self.month = month
        said = "is not closed"
        if closed_with is not None:
            said = f"had no entries and was closed with {closed_with:%Y-%m}: what is of it goes into a later month"
        super().__init__(f"{month:%Y-%m} {said}")


class CloseUnfinishedError(RefusedError):
    """The month is closed, but its package is not written: first what stood is put down, then the rest."""

    def __init__(self, month: date) -> None:
        super().__init__(f"The close of {month:%Y-%m} is not finished; first: centralpay close --month {month:%Y-%m}")


class LaterMonthClosedError(RefusedError):
    """A later month is closed: it begins with what this one ends with."""

    def __init__(self, month: date, later: date) -> None:
        self.later = later
        super().__init__(
            f"{month:%Y-%m} is not reopened while {later:%Y-%m} is closed: each begins with what the one before ends "
            f"with. The latest first: centralpay periods reopen {later:%Y-%m} --reason TEXT"
        )


class ReasonMissingError(WrongUseError):
    """To reopen a month, or to write its package anew, takes a reason."""

    def __init__(self, what: str) -> None:
        super().__init__(f"To {what} takes a reason of a few words: it is kept")
