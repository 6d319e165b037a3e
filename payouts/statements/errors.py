"""What statements refuse, one class each."""

from datetime import date

from schemas.errors import RefusedError, WrongUseError


class RangeError(WrongUseError):
    """The range ends before it begins."""

    def __init__(self, from_on: date, to_on: date) -> None:
        super().__init__(f"The statement would end on {to_on}, before it begins on {from_on}")


class PayerUnknownError(WrongUseError):
    """No payer has this id, and none ever remitted under it."""

    def __init__(self, payer_id: str) -> None:
        self.payer_id = payer_id
        super().__init__(f"{payer_id!r} is no payer that remits; a payer's id is 1 and its EIN, as in TRN03")


class UnknownStatementError(WrongUseError):
    """No statement was issued under this number."""

    def __init__(self, statement_id: int) -> None:
        self.statement_id = statement_id
        super().__init__(f"No statement {statement_id} was issued; see: centralpay statements list --member MEMBER")


class IssueChangedError(RefusedError):
    """What the vault holds of an issue is not what was written down of it."""

    def __init__(self, statement_id: int) -> None:
        self.statement_id = statement_id
        super().__init__(
            f"The bytes of statement {statement_id} are not those that were issued; see: centralpay vault verify"
        )


class UnpinnedError(RefusedError):
    """What was not read as known at a checkpoint is given out to nobody: it could not be read again."""

    def __init__(self) -> None:
        super().__init__("A statement is issued as known at a checkpoint; this one was read without")


class UnsealedStatementError(WrongUseError):
    """The statement was issued before there was a seal: there is no checkpoint to read it at again."""

    def __init__(self, statement_id: int) -> None:
        self.statement_id = statement_id
        super().__init__(
            f"Statement {statement_id} was issued before there was a seal; its bytes are kept: "
            f"centralpay statements again {statement_id} --out FILE"
        )


class NobodyError(WrongUseError):
    """There is nobody to issue a statement to."""

    def __init__(self, from_on: date, to_on: date) -> None:
        super().__init__(f"From {from_on} to {to_on} there is nothing to say to anybody: no statement was issued")
