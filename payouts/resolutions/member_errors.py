"""What the clearing of exceptions between members refuses, one class each; facts as attributes, the sentence here."""

from collections.abc import Sequence
from datetime import date

from schemas.errors import RefusedError, WrongUseError
from schemas.money import show_cents


class UncoveredError(RefusedError):
    """Members would owe more than the PSAO's own money in the account covers."""

    def __init__(self, missing_cents: int) -> None:
        self.missing_cents = missing_cents
        super().__init__(
            f"Members would owe, and the float lacks {show_cents(missing_cents)} to cover it; put own money in first: "
            "centralpay float deposit --bank-reference REF"
        )


class RowsSumError(RefusedError):
    """The rows do not come to what they divide."""

    def __init__(self, name: str, rows_cents: int, needed_cents: int, what: str) -> None:
        self.rows_cents = rows_cents
        self.needed_cents = needed_cents
        super().__init__(f"{name} sums to {show_cents(rows_cents)}; {what} is {show_cents(needed_cents)}, to the cent")


class NothingToDivideByError(RefusedError):
    """No member has a claim or a balance by which it could be divided."""

    def __init__(self, what: str) -> None:
        super().__init__(f"No member has {what}: nothing to divide by; name members and amounts: --rows FILE.csv")


class SeveralError(WrongUseError):
    """More than one thing fits; a person has to name it."""

    def __init__(self, what: str, option: str, found: Sequence[object]) -> None:
        self.found = tuple(found)
        super().__init__(f"Several {what} fit, say which: {option} " + ", ".join(str(each) for each in found))


class NotAvailableError(RefusedError):
    """A member has less available than a correction takes from it."""

    def __init__(self, member: str, available_cents: int, needed_cents: int) -> None:
        self.missing_cents = needed_cents - max(available_cents, 0)
        super().__init__(
            f"{member} has {show_cents(available_cents)} available, {show_cents(needed_cents)} would be taken: one "
            "member's negative is not covered with another's money. Wait for its next funding, or let the PSAO's own "
            "money cover it visibly: --float-covers"
        )


class SameMemberError(WrongUseError):
    """A correction from a member to itself."""

    def __init__(self, member: str) -> None:
        super().__init__(f"{member} can not be corrected to itself: name two members")


class ClaimNotCreditedError(RefusedError):
    """A named claim is none that the ledger credited to the member."""

    def __init__(self, line: int, trace: str, rx: str, cents: int, member: str) -> None:
        self.line = line
        super().__init__(
            f"Line {line}: no funded advice {trace} credited {member} with {show_cents(cents)} for prescription {rx}; "
            f"see: centralpay claim find --rx {rx}"
        )


class ClaimCorrectedError(RefusedError):
    """A named claim was corrected before, and that stands; or it is named twice."""

    def __init__(self, line: int, rx: str, approval_id: int | None) -> None:
        self.approval_id = approval_id
        said = "is named twice" if approval_id is None else f"stands in correction {approval_id} already"
        super().__init__(f"Line {line}: the claim of prescription {rx} {said}; a claim is corrected once")


class ClaimTakenBackError(RefusedError):
    """The payer took the claim back itself."""

    def __init__(self, line: int, rx: str) -> None:
        super().__init__(f"Line {line}: the payer took the claim of prescription {rx} back itself")


class SeveralClaimsError(RefusedError):
    """Several claims of the member are alike in all that was named."""

    def __init__(self, line: int, rx: str, found: int) -> None:
        super().__init__(
            f"Line {line}: {found} claims of prescription {rx} are alike in trace and amount; name the amount alone: "
            "--amount X"
        )


class UnknownPayerError(WrongUseError):
    """No single payer has that id or name."""

    def __init__(self, asked: str) -> None:
        super().__init__(f"{asked!r} names no single payer; give its payer id, as in TRN03 of its remittances")


class IdentifierTakenError(RefusedError):
    """The identifier names a member on some of the days."""

    def __init__(self, identifier: str, member: str, since: date, until: date | None) -> None:
        super().__init__(f"{identifier} names {member} from {since} to {until or 'today and on'}; name other days")


class IdentifierKindError(WrongUseError):
    """No member can have such an identifier."""

    def __init__(self, identifier: str) -> None:
        super().__init__(f"{identifier} is no NCPDP id and no NPI: its money can be assigned, the name not kept")


class OutsideMembershipError(RefusedError):
    """The days for which an identifier is to be kept are not all days of the membership."""

    def __init__(self, member: str, since: date, until: date | None) -> None:
        super().__init__(f"{member} is a member from {since} to {until or 'today and on'}; name days within")


class PartFundedError(RefusedError):
    """Some of an advice's money is there and some is not."""

    def __init__(self, trace: str) -> None:
        super().__init__(f"Advice {trace} is funded in part; what is of it can be assigned when the rest has come")


class NothingFoundError(RefusedError):
    """The identifier has nothing that could be given to a member."""

    def __init__(self, identifier: str) -> None:
        super().__init__(f"Nothing that waits is for {identifier}: it was assigned before, or no advice names it")


class UnknownCorrectionError(WrongUseError):
    """No such correction."""

    def __init__(self, approval_id: int) -> None:
        super().__init__(f"There is no correction {approval_id}; see: centralpay corrections list")
