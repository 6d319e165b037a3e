"""What is refused of a payout cycle beside its states: one class each; facts as attributes, the sentence here."""

from datetime import date

from payouts.errors import NothingToPayError
from schemas.errors import RefusedError, WrongUseError
from schemas.money import show_cents


class NobodyDueError(NothingToPayError):
    """There is money, and nobody's day has come, or nobody's minimum is reached."""

    def __init__(self, day: date, not_due: int, below_minimum: int) -> None:
        self.not_due = not_due
        self.below_minimum = below_minimum
        waits = [(not_due, "their day"), (below_minimum, "their minimum")]
        said = [f"{count} member{'s' * (count != 1)} for {what}" for count, what in waits if count]
        super().__init__(day, f"Nobody is due on {day}; with money there wait {' and '.join(said)}")


class ReasonMissingError(WrongUseError):
    """A step that is kept with its reason was asked for without one."""

    def __init__(self, step: str) -> None:
        super().__init__(f"{step} needs a reason of a few words: it is kept")


class MemberNotPaidError(WrongUseError):
    """The cycle does not pay the member."""

    def __init__(self, cycle_id: int, member: str) -> None:
        super().__init__(f"Cycle {cycle_id} has no payout for {member}; see: centralpay cycle show {cycle_id}")


class AlreadyExcludedError(RefusedError):
    """The member is excluded from the cycle already, for another reason."""

    def __init__(self, cycle_id: int, member: str, reason: str) -> None:
        super().__init__(f"{member} is excluded from cycle {cycle_id} already: {reason}")


class ApproversMissingError(RefusedError):
    """By its total the cycle needs two approvers, and one was asked for when it was proposed."""

    def __init__(self, cycle_id: int, total_cents: int, from_cents: int) -> None:
        self.cycle_id = cycle_id
        self.total_cents = total_cents
        self.from_cents = from_cents
        super().__init__(
            f"Cycle {cycle_id} pays {show_cents(total_cents)}; from {show_cents(from_cents)} on two people approve. "
            "That limit came after the proposal: propose again, once the cycle is void if it was approved"
        )


class CycleLimitError(RefusedError):
    """The cycle's total is beyond the limit of its day."""

    def __init__(self, cycle_id: int, total_cents: int, limit_cents: int) -> None:
        self.cycle_id = cycle_id
        self.total_cents = total_cents
        self.limit_cents = limit_cents
        super().__init__(
            f"Cycle {cycle_id} would pay {show_cents(total_cents)}; the limit of its day is {show_cents(limit_cents)}. "
            "Exclude members, or have the limit changed; nothing was released"
        )


class LimitAmountError(WrongUseError):
    """No limit can be this amount."""

    def __init__(self, said: str) -> None:
        right = "give an amount of dollars above zero, such as 250000.00, for payment_days 1 to 365, or none"
        super().__init__(f"{said!r} is no limit; {right}")


class LimitPastError(RefusedError):
    """A limit would change what held on a day that is past."""

    def __init__(self, since: date, today: date) -> None:
        super().__init__(f"A limit is set from today on, or later: {since} is before {today}")


class LimitSetError(RefusedError):
    """A limit of that name begins on that day already."""

    def __init__(self, name: str, since: date) -> None:
        super().__init__(f"A limit {name} begins on {since} already, and stays; set one from another day")
