"""What is refused of holds, levies, disbursements and unclaimed property: facts as attributes, the sentence here."""

from datetime import date

from schemas.errors import RefusedError, WrongUseError
from schemas.money import show_cents


class HoldOrderError(WrongUseError):
    """An order to keep money back that says nothing that can be carried out."""


class UnknownHoldError(WrongUseError):
    """No such hold."""

    def __init__(self, hold_id: int) -> None:
        super().__init__(f"There is no hold {hold_id}; see: centralpay holds list --all")


class HoldStateError(RefusedError):
    """The hold is over."""

    def __init__(self, hold_id: int, state: str) -> None:
        self.state = state
        super().__init__(f"Hold {hold_id} is {state}: nothing more can be done with it")


class HoldKeepsLessError(RefusedError):
    """More would be lifted than the hold keeps."""

    def __init__(self, hold_id: int, asked_cents: int, kept_cents: int) -> None:
        self.kept_cents = kept_cents
        super().__init__(f"Hold {hold_id} keeps {show_cents(kept_cents)}, not {show_cents(asked_cents)}")


class LiftRefusedError(RefusedError):
    """What the hold waits for has not come."""

    def __init__(self, hold_id: int, reason: str) -> None:
        self.reason = reason
        super().__init__(f"Hold {hold_id} can not be lifted: {reason}")


class LevyError(RefusedError):
    """The legal order can not be carried out so."""


class DisbursementOrderError(WrongUseError):
    """A disbursement that says nothing that can be paid."""


class UnknownDisbursementError(WrongUseError):
    """No such disbursement."""

    def __init__(self, disbursement_id: int) -> None:
        super().__init__(f"There is no disbursement {disbursement_id}; see: centralpay disbursements list --all")


class DisbursementStateError(RefusedError):
    """The disbursement is not in the state that the step needs."""

    def __init__(self, disbursement_id: int, state: str, needed: str) -> None:
        self.state = state
        super().__init__(f"Disbursement {disbursement_id} is {state}, not {needed}")


class DisbursementBeyondError(RefusedError):
    """More would leave than the item has that is not promised to another disbursement."""

    def __init__(self, kind: str, subject: str, asked_cents: int, free_cents: int) -> None:
        self.free_cents = free_cents
        super().__init__(
            f"A {kind} of {show_cents(asked_cents)} is more than item {subject} "
            f"has left to pay: {show_cents(free_cents)}"
        )


class DisbursementFolderError(WrongUseError):
    """The folder for the instruction can not be written to."""

    def __init__(self, disbursement_id: int, path: str, reason: str, *, released: bool) -> None:
        said = "is released" if released else "is not released"
        super().__init__(
            f"Disbursement {disbursement_id} {said}, but {path} can not be written: {reason}; "
            "release it with another --out"
        )


class SettlementLineError(RefusedError):
    """The bank line is no open debit of the disbursement's amount."""

    def __init__(self, disbursement_id: int, bank_line_id: int) -> None:
        super().__init__(
            f"Bank line {bank_line_id} is no open debit of the amount of disbursement {disbursement_id}, "
            "booked on its day or later"
        )


class OwesNothingError(RefusedError):
    """The member owes less than would be paid back or given up."""

    def __init__(self, ncpdp_id: str, owed_cents: int) -> None:
        self.owed_cents = owed_cents
        said = f"owes {show_cents(owed_cents)}" if owed_cents else "owes nothing"
        super().__init__(f"{ncpdp_id} {said}; no more than that can be paid back or written off")


class WriteOffOrderError(WrongUseError):
    """A write-off that says nothing that can be carried out."""


class NoDormancyRuleError(RefusedError):
    """No rule says when this state counts property as abandoned."""

    def __init__(self, state: str, day: date) -> None:
        self.state = state
        super().__init__(
            f"No dormancy rule for {state} is in force on {day}: ask counsel, then: "
            "centralpay unclaimed rules import FILE.csv"
        )


class DormancyRulesError(RefusedError):
    """Rules that do not agree, or several where one is needed."""


class UnclaimedError(RefusedError):
    """It is too early, or a letter is missing, or the money is not there any more."""
