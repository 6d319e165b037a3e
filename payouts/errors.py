"""What the payout side refuses, one class each; facts as attributes, the sentence here."""

from collections.abc import Sequence
from datetime import date

from schemas.errors import CentralpayError, RefusedError, WrongUseError


class NotAUserError(RefusedError):
    """Who acts is no user."""

    def __init__(self, actor: str) -> None:
        self.actor = actor
        super().__init__(f"{actor} is not a user; an admin adds users: centralpay users add {actor} --role operator")


class RoleMissingError(RefusedError):
    """Who acts has no role that allows it.

    Args:
        actor: who.
        role: the one that who acts has.
        needed: roles that would do.
        instead: what who acts may do in its place, as a sentence.
    """

    def __init__(self, actor: str, role: str, needed: Sequence[str], instead: str = "") -> None:
        self.actor = actor
        self.role = role
        super().__init__(f"{actor} is {role}; this needs {' or '.join(needed)}{instead and f'. {instead}'}")


class UserExistsError(RefusedError):
    """The user is there already with another role."""

    def __init__(self, name: str, role: str) -> None:
        super().__init__(f"{name} is a user already, as {role}; roles are not changed by adding")


class UserNameError(WrongUseError):
    """No user can have this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} can not be a user's name: 1 to 64 letters, digits, dots, dashes, _ and @")


class OutFolderError(WrongUseError):
    """The folder for what a cycle sends can not be written to."""

    def __init__(self, cycle_id: int, path: str, reason: str, *, released: bool) -> None:
        said = "is released and what it sends is kept, but" if released else "is not released:"
        super().__init__(f"Cycle {cycle_id} {said} {path} can not be written: {reason}; give another --out")


class UnknownCycleError(WrongUseError):
    """No such cycle."""

    def __init__(self, cycle_id: int) -> None:
        super().__init__(f"There is no cycle {cycle_id}; see: centralpay cycle list")


class UnknownApprovalError(WrongUseError):
    """No such approval."""

    def __init__(self, approval_id: int) -> None:
        super().__init__(f"There is no approval {approval_id}; see: centralpay approvals list")


class NotABankingDayError(WrongUseError):
    """The cycle's day is a weekend or a Fed holiday."""

    def __init__(self, day: date, next_day: date) -> None:
        super().__init__(f"{day:%A} {day} is no banking day of the Federal Reserve; the next one is {next_day}")


class CycleOpenError(RefusedError):
    """A cycle is approved and waits for release."""

    def __init__(self, cycle_id: int) -> None:
        self.cycle_id = cycle_id
        super().__init__(
            f"Cycle {cycle_id} is approved: release it first (centralpay cycle release {cycle_id} --out DIR)"
        )


class NothingToPayError(RefusedError):
    """No member has anything to be paid, and no fee can be collected."""

    def __init__(self, day: date, said: str | None = None) -> None:
        nothing = f"Nothing is available by {day}: no payout and no fee; run centralpay match first?"
        super().__init__(said or nothing)


class CycleStateError(RefusedError):
    """The cycle is not in the state that the step needs."""

    def __init__(self, cycle_id: int, state: str, needed: str) -> None:
        self.state = state
        super().__init__(f"Cycle {cycle_id} is {state}, not {needed}")


class SetChangedError(RefusedError):
    """What would be approved or released is not what was proposed."""

    def __init__(self, cycle_id: int) -> None:
        super().__init__(f"The set of cycle {cycle_id} is not the one that was proposed; propose again")


class FloatGateError(RefusedError):
    """The float does not cover what is unexplained: nothing may leave."""

    def __init__(self, available_cents: int, needed_cents: int) -> None:
        self.missing_cents = needed_cents - available_cents
        super().__init__(
            f"The float of {available_cents} cents does not cover unexplained debits and network adjustments of "
            f"{needed_cents} cents; nothing leaves before they are explained"
        )


class ChildrenDifferError(CentralpayError):
    """A member's remittance would not say what was approved: a fault of ours, or of what the vault holds."""

    def __init__(self, cycle_id: int, what: str) -> None:
        self.cycle_id = cycle_id
        super().__init__(f"The remittances of cycle {cycle_id} are not what was approved: {what}; nothing was released")


class ProofGateError(CentralpayError):
    """A proof of the whole fails: no money leaves."""

    def __init__(self, proof: str, detail: str) -> None:
        self.proof = proof
        super().__init__(f"No money leaves while a proof fails: {proof}: {detail}")


class AskedOtherwiseError(RefusedError):
    """Something else is pending on the same subject."""

    def __init__(self, approval_id: int, subject: str) -> None:
        self.approval_id = approval_id
        super().__init__(
            f"Approval {approval_id} waits for a second person and says something else of {subject}; reject it first: "
            f"centralpay approvals reject {approval_id} --reason TEXT"
        )


class BankReferenceError(WrongUseError):
    """No single open bank line has that reference."""

    def __init__(self, reference: str, found: int) -> None:
        said = "no open bank line has it" if not found else f"{found} open bank lines have it"
        super().__init__(f"Bank reference {reference!r}: {said}; it must name one. See: centralpay exceptions list")


class SealKeyMovedError(RefusedError):
    """The signing key can not be succeeded by this one."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The signing key stays as it is: {reason}")
