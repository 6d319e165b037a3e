"""What a reader found wrong in a file: values that are collected, never raised one by one."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Severity(StrEnum):
    """How much a finding weighs."""

    REFUSE = "refuse"
    """The set, or the whole file where it has no sets, is not accepted."""
    WARN = "warn"
    """Worth knowing; nothing is held back."""


class Finding(BaseModel):
    """One thing found in a file, where it stands, and what to do about it.

    No finding may carry a patient's name, id, birth date or address: ``found`` is left out for elements that hold them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str
    """Stable name of the rule, snake_case, such as ``claim_balances``."""
    element: str
    """The element or column: ``CLP04``, ``SE01``, ``routing_number``, ``record 49 field 2``."""
    expected: str
    found: str
    segment: int | None = None
    """Number of the segment within its transaction set, ST = 1; for envelope segments, within the file, ISA = 1."""
    line: int | None = None
    """Number of the line in a file of lines, first = 1."""
    byte_offset: int | None = None
    """Offset of the segment or line in the decompressed file, first byte = 0."""
    severity: Severity = Severity.REFUSE
    advice: str = ""
    """What a person should do next, as a sentence."""

    def sentence(self) -> str:
        """Say it in one line for a screen or a log."""
        if self.segment is not None:
            where = f"segment {self.segment}, {self.element}"
        elif self.line is not None:
            where = f"line {self.line}, {self.element}"
        else:
            where = self.element
        said = f"{where}: expected {self.expected}, found {self.found} ({self.rule})"
        return f"{said}. {self.advice}" if self.advice else said
