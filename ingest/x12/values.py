"""Read the elements that claims are made of: amounts, adjustments, dates, stores, quantities.

A remittance says the same dates, stores and quantities over and over, so each distinct one is read once and remembered
within bounds: a memory is a ``dict`` that reads what it lacks. Amounts vary too much for that. What cannot be read is
never remembered: it raises the shared ``Doubt``, and the claim in hand is examined again (``examination.py``).
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from ingest.x12.identity import rendering_identifier
from schemas.money import cents_from_text

FILL_DATES: Final = {"472": 0, "232": 1, "150": 2, "050": 3, "036": 4}
"""DTM01 qualifiers that may say when a prescription was filled, best first. Others of the 835 never do."""
NO_FILL_DATE: Final = 9
GROUP_CODES: Final = frozenset(("CO", "OA", "PI", "PR"))
"""Claim adjustment group codes (X12 element 1033) that an 835 may use."""

_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)", re.ASCII)
_CENTS_BY_PLACES = (100, 10, 1)
_ADJUSTMENTS_LIMIT = 1 << 16
_MEMORY_LIMIT = 1 << 16


class Doubt:
    """Whether something in the claim in hand needs a closer look."""

    __slots__ = ("raised",)

    def __init__(self) -> None:
        self.raised = False


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


class Adjustments(dict[str, tuple[str, int]]):
    """By CAS segment: its reasons with cents, ``CO45:1234;CO90:-500``, and the sum of the cents.

    Copays and fees come again and again, ingredient costs do not: when the memory is full it learns no more, rather
    than forget the frequent ones, which come early. An unusual shape raises the doubt and is not remembered.

    Raises:
        ValueError: on looking up a CAS with an amount that cannot be read.
    """

    def __init__(self, element: str, doubt: Doubt) -> None:
        super().__init__()
        self._element = element
        self._doubt = doubt

    def __missing__(self, segment: str) -> tuple[str, int]:
        elements = segment.split(self._element)
        if len(elements) == 4 and elements[2]:
            group, cents = elements[1], cents_of(elements[3])
            read = (f"{group}{elements[2]}:{cents}", cents)
        else:
            group = elements[1] if len(elements) > 1 else ""
            several = [(reason, cents_of(text)) for _, reason, text in adjustment_triples(elements)]
            reasons = ";".join([f"{group}{reason}:{cents}" for reason, cents in several])
            read = (reasons, sum(cents for _, cents in several))
        if group not in GROUP_CODES or not read[0] or has_too_many_adjustments(elements):
            self._doubt.raised = True
        elif len(self) < _ADJUSTMENTS_LIMIT:
            self[segment] = read
        return read


class FillDates(dict[str, tuple[int, str]]):
    """By DTM segment: its rank among ``FILL_DATES`` and the date; ``NO_FILL_DATE`` when it is none."""

    def __init__(self, element: str, doubt: Doubt) -> None:
        super().__init__()
        self._element = element
        self._doubt = doubt

    def __missing__(self, segment: str) -> tuple[int, str]:
        _, qualifier, text, *_ = (segment + 2 * self._element).split(self._element)
        if real_date(text) is None:
            self._doubt.raised = True
            return NO_FILL_DATE, ""
        if len(self) >= _MEMORY_LIMIT:
            self.clear()
        read = self[segment] = (FILL_DATES.get(qualifier, NO_FILL_DATE), text)
        return read


class Renderings(dict[str, str]):
    """By NM1*82 segment: the qualified identifier of the pharmacy, or empty."""

    def __init__(self, element: str) -> None:
        super().__init__()
        self._element = element

    def __missing__(self, segment: str) -> str:
        elements = (segment + 9 * self._element).split(self._element)
        if len(self) >= _MEMORY_LIMIT:
            self.clear()
        read = self[segment] = rendering_identifier(elements[8], elements[9])
        return read


class Quantities(dict[str, str]):
    """Quantities that are decimal text; anything else raises the doubt and reads as empty."""

    def __init__(self, doubt: Doubt) -> None:
        super().__init__()
        self._doubt = doubt
        self[""] = ""

    def __missing__(self, text: str) -> str:
        if not is_decimal(text):
            self._doubt.raised = True
            return ""
        if len(self) < _MEMORY_LIMIT:
            self[text] = text
        return text
