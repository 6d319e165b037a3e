"""Repeat in an acknowledgement what a header says, in the shape that the standard gives it; replace what has another.

Source: ASC X12.5 (ISA) and X12.6 (GS). A damaged or careless header may hold anything, a delimiter of ours or a stretch
of free text; none of that may break the answer.
"""

import re

from ingest.x12.model import InterchangeRead
from ingest.x12.values import real_date

_NO_DATE, _NO_TIME, _NO_PARTY, _NO_QUALIFIER = "000101", "0000", "UNKNOWN", "ZZ"
_PARTY_WIDTH = 15
_TIME = re.compile(r"(?:[01][0-9]|2[0-3])[0-5][0-9]", re.ASCII)
_QUALIFIER = re.compile(r"[0-9A-Z]{2}", re.ASCII)
_UNFIT = re.compile(r"[^0-9A-Za-z .,_/&'()+-]")


def is_number(text: str, width: int) -> bool:
    """Tell whether the text is a number of at most so many digits."""
    return 0 < len(text) <= width and text.isascii() and text.isdecimal()


def qualifier(text: str) -> str:
    """Repeat ISA05 or ISA07; ``ZZ``, mutually defined, in place of what is none."""
    return text if _QUALIFIER.fullmatch(text) else _NO_QUALIFIER


def party(text: str) -> str:
    """Repeat ISA06 or ISA08 without padding and without what could be a delimiter of ours."""
    return _cleaned(text) or _NO_PARTY


def application(text: str, of_interchange: str) -> str:
    """Repeat GS02 or GS03; where it is none, the party of the interchange, which is never shorter than allowed."""
    cleaned = _cleaned(text)
    return cleaned if len(cleaned) > 1 else party(of_interchange)


def date(read: InterchangeRead) -> str:
    """Repeat ISA09, ``YYMMDD``; the first day of the century in place of what is no day."""
    return read.date if real_date(f"20{read.date}") else _NO_DATE


def time(read: InterchangeRead) -> str:
    """Repeat ISA10, ``HHMM``; midnight in place of what is no time of day."""
    return read.time if _TIME.fullmatch(read.time) else _NO_TIME


def _cleaned(text: str) -> str:
    return _UNFIT.sub(" ", text).strip()[:_PARTY_WIDTH]
