"""Find an interchange in raw bytes and learn its delimiters from its ISA segment.

Source: ASC X12.5 and X12.6. The ISA has 16 elements of fixed width, 106 bytes with its terminator; its fourth byte
separates elements, ISA11 repetitions (from version 00402 on), ISA16 components, and the byte after ISA16 ends
segments. Senders wrap lines anywhere, trim the padding or overrun it, put text in front; none of ``*~:`` is assumed.
"""

import re
from dataclasses import dataclass, field
from typing import Final

LINE_BREAKS: Final = b"\r\n"
ISA_REACH: Final = 400
"""Bytes in which an ISA must be complete, however its lines are wrapped."""

_CANDIDATE = re.compile(rb"(?<![A-Za-z0-9])I[\r\n]*S[\r\n]*A(?=[^A-Za-z0-9 ])")
_WIDTHS = (3, 2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1)
_MOST = tuple(2 * width if width >= 4 else width for width in _WIDTHS)
_LENGTH = 105  # without the terminator
_TERMINATOR_MARK, _ELEMENT_MARK, _REPETITION_MARK, _COMPONENT_MARK = b"\x1c\x1d\x1e\x1f"


@dataclass(frozen=True)
class Delimiters:
    """The delimiters that one ISA declares, one character each (latin-1), and what follows from them."""

    element: str
    component: str
    terminator: str
    repetition: str = ""
    """Empty when the interchange has none (versions before 00402)."""
    normal: bytes = field(init=False, repr=False, compare=False)
    """Translation table that writes every delimiter as one control character, for digests."""

    @property
    def text(self) -> str:
        """Element, component, repetition (a blank where there is none) and terminator, for a column of four."""
        return self.element + self.component + (self.repetition or " ") + self.terminator

    @classmethod
    def from_text(cls, text: str) -> "Delimiters":
        """Read back what ``text`` gave."""
        element, component, repetition, terminator = tuple(text)
        return cls(element, component, terminator, "" if repetition == " " else repetition)

    def __post_init__(self) -> None:
        table = bytearray(range(256))
        for delimiter, mark in (
            (self.repetition, _REPETITION_MARK),
            (self.component, _COMPONENT_MARK),
            (self.element, _ELEMENT_MARK),
            (self.terminator, _TERMINATOR_MARK),
        ):
            if delimiter:
                table[ord(delimiter)] = mark
        object.__setattr__(self, "normal", bytes(table))


@dataclass(frozen=True)
class Isa:
    """An ISA segment as found: where it begins in the bytes searched, what it declares, how long it is."""

    start: int
    delimiters: Delimiters
    length: int
    """Bytes with the terminator, line breaks not counted; 106 when every element has its full width."""


def find_isa(raw: bytes) -> Isa | None:
    """Find the first ISA that can be read; it never begins inside a word, such as in ``LISA*``."""
    for candidate in _CANDIDATE.finditer(raw):
        isa = read_isa(raw, candidate.start())
        if isa is not None:
            return isa
    return None


def mentions_isa(raw: bytes) -> bool:
    """Tell whether something begins like an ISA, readable or not."""
    return _CANDIDATE.search(raw) is not None


def read_isa(raw: bytes, start: int) -> Isa | None:
    """Read the ISA at ``start``, or return None when it is no ISA or is cut off."""
    reach = raw[start : start + ISA_REACH]
    header = reach.translate(None, LINE_BREAKS)
    element = header[3:4]
    if not _may_delimit(element):
        return None
    parts = header.split(element, 16)
    if len(parts) < 17 or not _has_shape(parts):
        return None
    length = len(header) - len(parts[16]) + 1
    component = header[length - 1 : length]
    terminator = _terminator(reach, length) if _may_delimit(component) else None
    if terminator is None or len({element, component, terminator}) < 3:
        return None
    repetition = parts[11] if parts[12] >= b"00402" and _may_delimit(parts[11]) else b""
    return Isa(
        start,
        Delimiters(
            element.decode("latin-1"),
            component.decode("latin-1"),
            terminator.decode("latin-1"),
            repetition.decode("latin-1"),
        ),
        length + 1,
    )


def _may_delimit(byte: bytes) -> bool:
    return len(byte) == 1 and not byte.isalnum() and byte not in b" \r\n"


def _has_shape(parts: list[bytes]) -> bool:
    """Accept elements that are trimmed, and ids, dates and numbers that overrun; the codes never are longer."""
    fits = all(len(part) <= most for part, most in zip(parts, _MOST, strict=False))
    return fits and len(parts[12]) == 5 and parts[12].isdigit()


def _terminator(reach: bytes, length: int) -> bytes | None:
    """Take the byte after ``length`` bytes that are no line breaks; it may itself be a line break."""
    places = [place for place, byte in enumerate(reach) if byte not in LINE_BREAKS]
    rest = reach[places[length - 1] + 1 :]
    unbroken = rest.lstrip(LINE_BREAKS)
    breaks = rest[: len(rest) - len(unbroken)]
    following = unbroken.lstrip(b" \t")[:1] if breaks else unbroken[:1]
    if breaks and (not following or following.isalnum()):
        # The file ends each segment with a line break. Of CR LF the LF counts and the CR is stripped like wrapping.
        return b"\n" if b"\n" in breaks else b"\r"
    terminator = unbroken[:1]
    return terminator if terminator and not terminator.isalnum() and terminator != b" " else None


def isa_is_padded(isa: Isa) -> bool:
    """Tell whether the ISA has the 106 bytes that the standard gives it."""
    return isa.length == _LENGTH + 1
