"""What papers refuse."""

from schemas.errors import CentralpayError, RefusedError, WrongUseError


class NoticesNotKeptError(RefusedError):
    """The cycle has no notices: nothing of it left, or it was released before notices were kept."""

    def __init__(self, cycle_id: int, state: str) -> None:
        self.cycle_id = cycle_id
        self.state = state
        said = "its release kept no notices" if state in {"released", "settled"} else "notices are made by its release"
        super().__init__(f"Cycle {cycle_id} is {state}: {said}")


class NoticesDifferError(CentralpayError):
    """A notice would not say what its payment is: a fault of ours; nothing was released."""

    def __init__(self, cycle_id: int, what: str) -> None:
        self.cycle_id = cycle_id
        super().__init__(f"The notices of cycle {cycle_id} are not its payments: {what}; nothing was released")


class PrintingStoppedError(CentralpayError):
    """A process that sets papers ended before its work did; what is there stays, and is gone on with the next time."""

    def __init__(self, said: str) -> None:
        super().__init__(f"The papers could not be set: {said or 'a process that sets them was ended'}; try again")


class InvoiceFolderError(WrongUseError):
    """The folder for invoices can not be written to."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"{path} can not be written: {reason}; invoices that were issued stay so: "
            "centralpay fees invoiced --out DIR leaves them"
        )
