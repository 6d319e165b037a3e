"""What taking files in refuses, one class each. What a reader finds in a file is ``schemas.errors.UnreadableError``."""

from schemas.errors import WrongUseError


class UnknownMemberError(WrongUseError):
    """No member has this NCPDP id or member id (on that date)."""

    def __init__(self, asked: str) -> None:
        super().__init__(f"{asked} is no member's NCPDP id and no member id; see the roster: centralpay members list")
