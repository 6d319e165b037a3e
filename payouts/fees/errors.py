"""What is refused of the flat fee: facts as attributes, the sentence here."""

from datetime import date

from schemas.errors import RefusedError, WrongUseError
from schemas.money import show_cents


class FeeOrderError(WrongUseError):
    """A wish about a fee that says nothing that can be carried out."""


class MonthAheadError(WrongUseError):
    """A fee would be assessed for a month that is further ahead than the next one."""

    def __init__(self, month: date, today: date) -> None:
        self.month = month
        super().__init__(f"{month:%Y-%m} is too far ahead: on {today} fees are assessed for months up to the next one")


class FeeNotOpenError(RefusedError):
    """Less of the month's fee is open than would be waived."""

    def __init__(self, ncpdp_id: str, month: date, open_cents: int) -> None:
        self.open_cents = open_cents
        said = f"{show_cents(open_cents)} are open" if open_cents else "nothing is open"
        super().__init__(
            f"Of the fee of {ncpdp_id} for {month:%Y-%m} {said}; no more than that can be waived, what is collected is "
            "refunded: centralpay fees refund"
        )


class FeeNotCollectedError(RefusedError):
    """Less of the month's fee was collected, and not refunded since, than would be refunded."""

    def __init__(self, ncpdp_id: str, month: date, kept_cents: int) -> None:
        self.kept_cents = kept_cents
        said = f"{show_cents(kept_cents)} were collected" if kept_cents else "nothing was collected"
        super().__init__(
            f"Of the fee of {ncpdp_id} for {month:%Y-%m} {said} and not refunded since; no more than that can be "
            "refunded, what is open is waived: centralpay fees waive"
        )
