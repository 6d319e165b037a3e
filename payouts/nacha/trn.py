"""The TRN segment in a payment's addenda: what ties the money to its remittance advice.

Source: ASC X12 005010X221, segment TRN; CCD healthcare EFT standard (45 CFR 162.1602): one addenda of type 05 whose
80 characters hold ``TRN*1*trace*1EIN`` with an optional fourth element, and its terminator.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

from payouts.nacha.errors import NachaError
from schemas.identifiers import PayerId

TERMINATORS: Final = ("~", "\\")
"""Segment terminators that receiving banks know."""
ADDENDA_TEXT_WIDTH: Final = 80

# Printable ASCII without the three delimiters; an X12 element has no blanks at its ends.
_TEXT = r"(?! )[ -)+-\[\]-}]{1,30}(?<! )"
_ELEMENT = re.compile(_TEXT)
_SEGMENT = re.compile(rf"TRN\*1\*({_TEXT})\*(1[0-9]{{9}})(?:\*({_TEXT}))?([~\\])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trn:
    """A reassociation trace number.

    Raises:
        NachaError: an element is too long, empty, or has a delimiter or another illegal character in it.
    """

    trace_number: str
    """TRN02: 1 to 30 characters, the same as in the remittance advice. No patient data."""
    originator: PayerId
    """TRN03: the digit 1 and the EIN of the company that pays."""
    reference: str = ""
    """TRN04: up to 30 characters; left out when empty."""
    terminator: str = TERMINATORS[0]

    def __post_init__(self) -> None:
        if _ELEMENT.fullmatch(self.trace_number) is None:
            raise NachaError("trace_number", _problem(self.trace_number), "TRN")
        if self.reference and _ELEMENT.fullmatch(self.reference) is None:
            raise NachaError("reference", _problem(self.reference), "TRN")
        if self.terminator not in TERMINATORS:
            raise NachaError("terminator", r"must be ~ or \ ", "TRN")

    @property
    def text(self) -> str:
        """The segment as the addenda carries it, 79 characters at most."""
        reference = f"*{self.reference}" if self.reference else ""
        return f"TRN*1*{self.trace_number}*{self.originator}{reference}{self.terminator}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read the segment back.

        Raises:
            NachaError: the text is not exactly one TRN segment.
        """
        parts = trn_parts(text)
        if parts is None:
            raise NachaError("text", "is not one TRN segment, TRN*1*trace*1EIN and a terminator", "TRN")
        trace_number, originator, reference, terminator = parts
        return cls(
            trace_number=trace_number, originator=PayerId(originator), reference=reference, terminator=terminator
        )


def trn_parts(text: str) -> tuple[str, str, str, str] | None:
    """Split a TRN segment into trace number, originator, reference or nothing, and terminator; None when it is none."""
    match = _SEGMENT.fullmatch(text)
    return None if match is None else (match[1], match[2], match[3] or "", match[4])


def _problem(element: str) -> str:
    if len(element) > 30:
        return f"has {len(element)} characters, only 30 fit"
    if not element:
        return "is empty"
    return r"has *, ~, \, a character that is not printable ASCII, or a blank at an end"
