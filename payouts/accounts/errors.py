"""What is refused around bank details and contacts, one class each; facts as attributes, the sentence here."""

from datetime import date
from uuid import UUID

from schemas.errors import RefusedError, WrongUseError


class UnknownChangeError(WrongUseError):
    """No such change of bank details."""

    def __init__(self, change_id: int) -> None:
        super().__init__(f"There is no change {change_id} of bank details; see: centralpay bank list --all")


class UnknownAccountError(WrongUseError):
    """No such bank account."""

    def __init__(self, asked: str) -> None:
        super().__init__(f"{asked} is no bank account of a member; see: centralpay bank show MEMBER")


class NoAccountError(RefusedError):
    """The member has no bank account."""

    def __init__(self, member_id: UUID) -> None:
        super().__init__(f"Member {member_id} has no bank account; see: centralpay bank show {member_id}")


class SameAccountError(RefusedError):
    """The details asked for are those that the member is paid into."""

    def __init__(self, ncpdp_id: str, last_four: str) -> None:
        super().__init__(f"Pharmacy {ncpdp_id} is paid into that account already, the one ending in {last_four}")


class ChangeOpenError(RefusedError):
    """Other details are asked for the member already."""

    def __init__(self, ncpdp_id: str, change_id: int) -> None:
        self.change_id = change_id
        super().__init__(
            f"Change {change_id} of pharmacy {ncpdp_id} asks for other details and is open; nothing else can be asked "
            f"before it is done or taken back: centralpay bank withdraw {change_id} --reason TEXT"
        )


class ChangeStateError(RefusedError):
    """The change is not in the state that the step needs."""

    def __init__(self, change_id: int, state: str, needed: str) -> None:
        self.state = state
        super().__init__(f"Change {change_id} of bank details is {state}, not {needed}")


class CallBackMissingError(RefusedError):
    """Nobody has called the member back, so the change can not be approved."""

    def __init__(self, change_id: int) -> None:
        super().__init__(
            f"Change {change_id} of bank details has no confirmed call-back; call the contact on file first: "
            f"centralpay bank call-back {change_id}"
        )


class CallBackDoneError(RefusedError):
    """The call-back of a change was recorded before; it stays as it was."""

    def __init__(self, change_id: int) -> None:
        super().__init__(f"The call-back of change {change_id} is recorded already, and stays as it was")


class NoCallBackNeededError(RefusedError):
    """The bank itself gave the details; nobody is called."""

    def __init__(self, change_id: int) -> None:
        super().__init__(f"Change {change_id} came from the bank itself: it needs a second person, and no call-back")


class NothingToCloseError(RefusedError):
    """No case of the change is open."""

    def __init__(self, change_id: int) -> None:
        super().__init__(f"Nothing of change {change_id} waits for a person")


class NumberNotOnFileError(RefusedError):
    """The number called is not that of the contact that was on file before the request."""

    def __init__(self, change_id: int, trusted_day: date, *, known: bool) -> None:
        said = (
            f"that of the contact in force on {trusted_day}; a number that changed less than 30 days before the "
            "request, or came with it, proves nothing"
            if known
            else f"on file: no contact in force on {trusted_day} was written down before the request"
        )
        super().__init__(f"The number called for change {change_id} must be {said}")


class CallerIsAskerError(RefusedError):
    """Who asked for the change may not call back."""

    def __init__(self, change_id: int) -> None:
        super().__init__(f"Another person than the one who asked for change {change_id} has to call back")


class CallerApprovesError(RefusedError):
    """Who called back may not approve: the call and the approval would be one person's word."""

    def __init__(self, change_id: int) -> None:
        super().__init__(f"Another person than the one who called back about change {change_id} has to approve it")


class CallTooEarlyError(WrongUseError):
    """A call-back before the request."""

    def __init__(self, change_id: int, requested_on: date) -> None:
        super().__init__(f"Change {change_id} was asked for on {requested_on}; nobody was called back before that")


class NotStoppedError(RefusedError):
    """The account has no stop to lift."""

    def __init__(self, last_four: str) -> None:
        super().__init__(f"The account ending in {last_four} is not stopped")


class AccountNumberError(WrongUseError):
    """What was given is no account number; it is not repeated."""

    def __init__(self, place: str) -> None:
        super().__init__(f"{place}: an account number has 1 to 17 letters, digits and dashes, and stands there alone")


class ContactError(WrongUseError):
    """A contact that can not be taken: what of it is wrong."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The contact can not be taken: {what}")


class ContactFollowsError(RefusedError):
    """Another contact is to be in force before the day on which it is written down, or before the one on file."""

    def __init__(self, since: date, earliest: date) -> None:
        self.earliest = earliest
        super().__init__(f"Another contact is in force from {earliest} at the earliest, not from {since}")


class NoticeFolderError(WrongUseError):
    """Letters can not be written to that folder; none of them counts as written."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} can not be written: {reason}; no letter counts as written")


class UnknownNoticeError(WrongUseError):
    """No such letter."""

    def __init__(self, notice_id: int) -> None:
        super().__init__(f"There is no letter {notice_id}; see: centralpay notices list --all")
