"""What taking files in refuses, one class each. What a reader finds in a file is ``schemas.errors.UnreadableError``."""

from datetime import date

from schemas.errors import RefusedError, WrongUseError


class UnknownMemberError(WrongUseError):
    """No member has this NCPDP id or member id (on that date)."""

    def __init__(self, asked: str) -> None:
        super().__init__(f"{asked} is no member's NCPDP id and no member id; see the roster: centralpay members list")


class UnknownPayerNameError(WrongUseError):
    """The list of payers has none of that id or name, or several."""

    def __init__(self, asked: str) -> None:
        super().__init__(f"{asked!r} is not the id or name of one payer of the list: centralpay payers import FILE")


class NotMemberOnError(RefusedError):
    """On the day on which something begins it is no member's."""

    def __init__(self, member: str, on: date) -> None:
        super().__init__(f"{member} is no member on {on}; see the roster: centralpay members list")


class DirectPayOverlapError(RefusedError):
    """The member is on direct pay with that payer already.

    Attributes:
        since: first day of that enrolment.
        until: its last; None: it goes on.
    """

    def __init__(self, since: date, until: date | None) -> None:
        self.since, self.until = since, until
        days = f"from {since} on" if until is None else f"from {since} to {until}"
        super().__init__(f"It is on direct pay with that payer {days}; begin after that, or end that first")


class NoDirectPayError(RefusedError):
    """The member is not on direct pay with that payer."""

    def __init__(self, member: str, payer: str) -> None:
        said = f"{member} is not on direct pay with {payer}"
        super().__init__(f"{said}; see: centralpay members direct-pay list")


class DirectPayEndError(RefusedError):
    """The enrolment does not end like that.

    Attributes:
        since: its first day.
        until: its last; None: it goes on.
    """

    def __init__(self, asked: date, since: date, until: date | None) -> None:
        self.since, self.until = since, until
        why = (
            f"it ends on {until} already; an end may only be brought forward"
            if until is not None and until <= asked
            else f"it begins on {since}; the day before that takes it back as if it had never held"
        )
        super().__init__(f"Direct pay can not end on {asked}: {why}")
