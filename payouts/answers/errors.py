"""What is refused about money that goes and comes back, one class each."""

from schemas.errors import RefusedError, WrongUseError
from schemas.money import show_cents


class UnknownAnswerError(WrongUseError):
    """No such answer."""

    def __init__(self, answer_id: int) -> None:
        super().__init__(f"There is no answer {answer_id} of a bank; see: centralpay returns list --all")


class AnswerStateError(RefusedError):
    """The answer is not in the state that the step needs, or of a kind that has no such step."""

    def __init__(self, answer_id: int, found: str, needed: str) -> None:
        self.answer_id = answer_id
        super().__init__(f"Answer {answer_id} is {found}; this needs {needed}")


class AmountDiffersError(RefusedError):
    """A bank line does not have the amount that it should move."""

    def __init__(self, what: str, cents: int, found_cents: int) -> None:
        self.difference_cents = found_cents - cents
        super().__init__(
            f"{what} {show_cents(cents)}, the bank line has {show_cents(found_cents)} open: "
            f"a difference of {show_cents(self.difference_cents)}"
        )


class NothingInTransitError(RefusedError):
    """Nothing of the cycle is on its way."""

    def __init__(self, cycle_id: int) -> None:
        self.cycle_id = cycle_id
        super().__init__(f"Nothing of cycle {cycle_id} is in transit; nothing is left to settle")


class NotReturnedYetError(RefusedError):
    """A step needs what has not come: the payout is not settled, or its return is not posted."""

    def __init__(self, answer_id: int, why: str) -> None:
        self.answer_id = answer_id
        super().__init__(f"Answer {answer_id} can not be posted: {why}")


class NotReversedError(RefusedError):
    """No reversing entry of the payment waits for its money."""

    def __init__(self, payout_id: int) -> None:
        self.payout_id = payout_id
        super().__init__(f"Payout {payout_id} was not asked back by a reversing entry, or it came back already")


class HoldNotLegalError(RefusedError):
    """An authority's release is recorded for a legal hold only."""

    def __init__(self, answer_id: int) -> None:
        super().__init__(f"Answer {answer_id} keeps no money on a legal hold; its hold needs no authority's release")
