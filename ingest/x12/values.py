"""Read the elements that claims are made of: amounts, adjustments, dates; and the codes that say what they mean."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from schemas.money import cents_from_text

CLAIM_STATUSES: Final = frozenset(("1", "2", "3", "4", "19", "20", "21", "22", "23", "25"))
"""CLP02 codes of 005010X221A1."""
MISPLACED: Final = frozenset(("BPR", "TRN", "TS3"))
"""Never inside a claim. Where one is, the segment that ended the claim is lost, and with it whose money follows."""
FILL_DATES: Final = {"472": 0, "232": 1, "150": 2, "050": 3, "036": 4}
"""DTM01 qualifiers that may say when a prescription was filled, best first. Others of the 835 never do."""
NO_FILL_DATE: Final = 9
GROUP_CODES: Final = frozenset(("CO", "OA", "PI", "PR"))
"""Claim adjustment group codes (X12 element 1033) that an 835 may use."""
REJECT_QUALIFIERS: Final = frozenset(("RX", "HE"))
"""LQ01: NCPDP reject codes and remittance advice remark codes."""

_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)", re.ASCII)
_CENTS_BY_PLACES = (100, 10, 1)


def real_date(text: str) -> date | None:
    """Read ``CCYYMMDD``; None unless it is a day that existed, in the years 1900 to 2099."""
    if len(text) != 8 or not text.isascii() or not text.isdecimal() or text[:2] not in {"19", "20"}:
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def is_decimal(text: str) -> bool:
    """Tell whether the text is a decimal number (X12 data type R without exponent)."""
    return _DECIMAL.fullmatch(text) is not None


def adjustment_triples(elements: list[str]) -> Iterator[tuple[int, str, str]]:
    """Walk a CAS: give the number of each amount (3, 6 .. 18), its reason and its text, unless both are empty.

    Source: 005010X221A1, CAS: one group code, then up to six of reason, amount, quantity.
    """
    for number in range(3, min(len(elements) + 1, 19), 3):
        reason = elements[number - 1]
        text = elements[number] if number < len(elements) else ""
        if reason or text:
            yield number, reason, text


def has_too_many_adjustments(elements: list[str]) -> bool:
    """Tell whether something stands behind the six adjustments that a CAS can hold."""
    return any(elements[20:])


def cents_of(text: str) -> int:
    """Read an amount as ``cents_from_text`` does, and quickly when it is an ordinary one such as ``1234.5``.

    Raises:
        ValueError: the text is no amount.
    """
    whole, _, part = text.partition(".")
    digits = whole + part
    if len(part) < 3 and len(digits) < 14 and digits.isdecimal():
        return int(digits) * _CENTS_BY_PLACES[len(part)]
    return cents_from_text(text)
