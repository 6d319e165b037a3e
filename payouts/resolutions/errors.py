"""What the clearing of exceptions refuses, one class each; facts as attributes, the sentence here."""

from collections.abc import Sequence
from datetime import date, timedelta

from schemas.errors import RefusedError, WrongUseError
from schemas.money import show_cents


class UnknownCaseError(WrongUseError):
    """No such exception."""

    def __init__(self, case_id: int) -> None:
        self.case_id = case_id
        super().__init__(f"There is no exception {case_id}; see: centralpay exceptions list --all")


class CaseResolvedError(RefusedError):
    """The exception is resolved already."""

    def __init__(self, case_id: int, resolution: str) -> None:
        self.case_id = case_id
        super().__init__(f"Exception {case_id} is resolved already: {resolution}")


class UnfitActionError(RefusedError):
    """The case takes other actions."""

    def __init__(self, case_id: int, kind: str, action: str, fitting: Sequence[str]) -> None:
        self.case_id = case_id
        self.action = action
        super().__init__(f"Exception {case_id} ({kind}) does not take {action}; it takes: {', '.join(fitting)}")


class ReasonMissingError(WrongUseError):
    """No reason was given."""

    def __init__(self) -> None:
        super().__init__("Say why: --reason TEXT; it is kept")


class SubjectMissingError(WrongUseError):
    """The request and its case do not say which bank lines or advices are meant."""

    def __init__(self, what: str, option: str) -> None:
        super().__init__(f"Say which {what}: {option}")


class NotOpenError(RefusedError):
    """A bank line or advice has nothing open that could be used."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what} can not be used: {why}")


class MovedOnError(RefusedError):
    """The world is not what it was when this was proposed."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}; nothing was done: propose it anew")


class AmountError(RefusedError):
    """The amount is not what is open."""

    def __init__(self, asked_cents: int, open_cents: int, what: str) -> None:
        self.asked_cents = asked_cents
        self.open_cents = open_cents
        super().__init__(
            f"{show_cents(asked_cents)} is not part of the {show_cents(open_cents)} that is open of {what}"
        )


class UnknownNumberError(WrongUseError):
    """There is no bank line or advice of that number."""

    def __init__(self, what: str, number: int) -> None:
        self.number = number
        super().__init__(f"There is no {what} {number}; see: centralpay exceptions show ID")


class DifferenceError(RefusedError):
    """Deposits and advices do not come to the same."""

    def __init__(self, deposited_cents: int, advised_cents: int) -> None:
        self.difference_cents = deposited_cents - advised_cents
        said = f"{show_cents(deposited_cents)} are open, {show_cents(advised_cents)} are missing"
        difference = show_cents(abs(self.difference_cents))
        fitting = (
            f"{difference} too little: name more deposits, or divide what came with --action fund_short"
            if self.difference_cents < 0
            else f"{difference} too much: name more advices, or first owe it back with --action return_to_payer "
            f"--amount {difference.replace(',', '')}"
        )
        super().__init__(f"{said}: {fitting}")


class NotShortError(RefusedError):
    """There is no less money than was advised."""

    def __init__(self, deposited_cents: int, advised_cents: int) -> None:
        super().__init__(
            f"{show_cents(deposited_cents)} are open, {show_cents(advised_cents)} are missing: this is not short; "
            "use --action match"
        )


class NegativeShareError(RefusedError):
    """A share takes money back: a part of the payment can not be divided pro rata."""

    def __init__(self, shares: int, cents: int) -> None:
        self.shares = shares
        super().__init__(
            f"{shares} shares take back {show_cents(-cents)} together: what came can not be divided pro rata, because "
            "nobody can say how much of it they should give; wait for the rest, or ask the payer for another advice"
        )


class SharesChangedError(RefusedError):
    """The shares are not those that were proposed."""

    def __init__(self) -> None:
        super().__init__("The members' shares are not those that were proposed; nothing was done: propose it anew")


class TooEarlyError(RefusedError):
    """The advice of a deposit may still come."""

    def __init__(self, bank_line_id: int, booked_on: date) -> None:
        self.bank_line_id = bank_line_id
        super().__init__(
            f"Bank line {bank_line_id} was booked on {booked_on}: its advice may still come that day; "
            "a deposit is set aside from the day after on"
        )


class AdviceToldError(RefusedError):
    """A share of the advice was told to its member, or an open cycle tells it."""

    def __init__(self, advice_id: int, cycle_id: int, *, is_open: bool) -> None:
        self.advice_id = advice_id
        self.cycle_id = cycle_id
        said = (
            f"cycle {cycle_id} is open and tells members of it; void that cycle first"
            if is_open
            else f"cycle {cycle_id} told members of it in their remittances, which stay; correct between members "
            "instead, and refuse the new set"
        )
        super().__init__(f"Advice {advice_id} can not be replaced: {said}")


class UnknownTransactionError(WrongUseError):
    """No such transaction."""

    def __init__(self, transaction_id: int) -> None:
        super().__init__(f"There is no transaction {transaction_id}; see: centralpay ledger journal")


class ReversedAlreadyError(RefusedError):
    """The transaction is reversed already."""

    def __init__(self, transaction_id: int, reversed_by: int) -> None:
        self.reversed_by = reversed_by
        super().__init__(f"Transaction {transaction_id} is reversed already, by transaction {reversed_by}")


class IrreversibleError(RefusedError):
    """The transaction is not reversed by itself."""

    def __init__(self, transaction_id: int, event: str, instead: str) -> None:
        self.event = event
        super().__init__(f"Transaction {transaction_id} ({event}) is not reversed by itself: {instead}")


class VaultNeededError(WrongUseError):
    """A decision that reads a received file again was made without the vault."""

    def __init__(self, approval_id: int) -> None:
        super().__init__(f"Approval {approval_id} reads a received file again: decide on it where the vault is open")


class AlreadyStandsError(RefusedError):
    """The set says what the advice that stands says."""

    def __init__(self, subject: str, advice_id: int) -> None:
        self.advice_id = advice_id
        super().__init__(
            f"Advice {advice_id}, which stands now, has the same content as {subject}; close the case: --action refuse"
        )


class StillDirectError(RefusedError):
    """The direct pay by which an advice is direct holds on its day."""

    def __init__(self, advice_id: int, paid_on: date, member: str, payer_id: str) -> None:
        self.advice_id = advice_id
        super().__init__(
            f"Advice {advice_id} was paid on {paid_on}, when {member} is on direct pay: end that before first: "
            f"centralpay members direct-pay end {member} {payer_id} --until {paid_on - timedelta(days=1)}"
        )


class DirectEndedError(RefusedError):
    """An advice that was direct can not be so again: there is no direct pay on its day any more."""

    def __init__(self, advice_id: int, paid_on: date, member: str) -> None:
        self.advice_id = advice_id
        super().__init__(
            f"Advice {advice_id}, whose place was taken, was paid to {member} directly, and {member} is not on direct "
            f"pay on {paid_on} any more; begin that again first: centralpay members direct-pay begin"
        )


class DirectReplacementError(RefusedError):
    """A set that its payer paid directly would take the place of an advice that is paid through us."""

    def __init__(self, subject: str, advice_id: int) -> None:
        self.advice_id = advice_id
        super().__init__(
            f"{subject} says what its payer paid directly, and advice {advice_id} is paid through us: refuse the set, "
            "or end the direct pay before its day (centralpay members direct-pay end) and replace then"
        )
