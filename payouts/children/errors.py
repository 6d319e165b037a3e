"""What can go wrong with a child remittance, one class each; facts as attributes, the sentence here."""

from collections.abc import Sequence

from schemas.errors import CentralpayError, RefusedError
from schemas.findings import Finding


class UnfitDelimitersError(RefusedError):
    """A payer's delimiters occur in what its set has to say, such as the dash in a negative amount.

    Args:
        advice_id: the advice that came with them.
        delimiters: as ``Delimiters.text`` gives them.
    """

    def __init__(self, advice_id: int, delimiters: str) -> None:
        self.advice_id = advice_id
        self.delimiters = delimiters
        super().__init__(
            f"Advice {advice_id} came with the delimiters {delimiters!r}, in which no amount can be told to a member; "
            "ask the payer for others"
        )


class ChildUnsoundError(CentralpayError):
    """A child remittance does not read back as one that balances: a fault of ours, and nothing of it may leave.

    Args:
        name: the file, for the message.
        ordinal: number of the set in the file, first = 1; None when it is the file that is unsound.
        findings: what weighs against it, at least one.
    """

    def __init__(self, name: str, ordinal: int | None, findings: Sequence[Finding]) -> None:
        self.name = name
        self.ordinal = ordinal
        self.findings = tuple(findings)
        where = "" if ordinal is None else f", set {ordinal}"
        super().__init__(f"{name}{where} is no sound remittance: {self.findings[0].sentence()}")
