"""Money as integer cents. Decimal text exists only at the borders: files and screens."""

import re
from collections.abc import Sequence

MAX_CENTS = 10**15
"""No single amount may reach ten trillion dollars; far below BIGINT, far above any payer's day."""

_DECIMAL = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?")


def cents_from_text(text: str) -> int:
    """Read a decimal amount of dollars as integer cents, exactly.

    Args:
        text: digits with an optional sign and point, such as ``-12``, ``.5``, ``1200.00`` (X12 data type R).

    Raises:
        ValueError: the text is no decimal number, has a fraction of a cent, or is beyond ``MAX_CENTS``.
    """
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not an amount of money")
    sign, whole, fraction = match[1], match[2], match[3] or ""
    if not whole and not fraction:
        raise ValueError(f"{text!r} is not an amount of money")
    if not (whole + fraction).isascii():
        raise ValueError(f"{text!r} has digits that are not ASCII")
    if fraction[2:].strip("0"):
        raise ValueError(f"{text!r} has a fraction of a cent")
    cents = int(whole or "0") * 100 + int(fraction[:2].ljust(2, "0"))
    if cents >= MAX_CENTS:
        raise ValueError(f"{text!r} is too large to be an amount of money")
    return -cents if sign == "-" else cents


def text_from_cents(cents: int) -> str:
    """Write cents as plain dollars for a file: ``-12.05``, no grouping."""
    sign = "-" if cents < 0 else ""
    whole, part = divmod(abs(cents), 100)
    return f"{sign}{whole}.{part:02d}"


def show_cents(cents: int) -> str:
    """Write cents for a person: ``-1,212.05``."""
    sign = "-" if cents < 0 else ""
    whole, part = divmod(abs(cents), 100)
    return f"{sign}{whole:,}.{part:02d}"


def split_cents(cents: int, weights: Sequence[int]) -> list[int]:
    """Divide an amount in the proportion of weights: whole cents, exact in their sum, by the largest remainder.

    Args:
        cents: what there is, zero or more.
        weights: none below zero, not all of them zero, in the order that decides between equal remainders.

    Returns:
        The part of each weight; a larger weight never gets the smaller part.
    """
    total = sum(weights)
    parts = [cents * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-(cents * weights[place] % total), place))
    for place in by_remainder[: cents - sum(parts)]:
        parts[place] += 1
    return parts
