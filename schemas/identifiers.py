"""Identifiers of the trade, with their check digits: NPI, NCPDP id, ABA routing number, payer id.

Each is a ``str`` subtype that can only be built from valid text, and is a pydantic type as well.
"""

import re
from collections.abc import Iterator
from typing import Any, ClassVar, Self

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class Identifier(str):
    """Base of all identifiers: text that satisfies its own ``problem``."""

    __slots__ = ()
    pattern: ClassVar[re.Pattern[str]]
    shape: ClassVar[str]

    def __new__(cls, text: str) -> Self:
        """Build from text.

        Raises:
            ValueError: the text breaks the identifier's shape or check digit; the message says which.
        """
        problem = cls.problem(text)
        if problem is not None:
            raise ValueError(problem)
        return super().__new__(cls, text)

    @classmethod
    def problem(cls, text: str) -> str | None:
        """Say what is wrong with the text, or None."""
        if cls.pattern.fullmatch(text) is None:
            return f"{text!r} is not {cls.shape}"
        if not cls._check_digit_holds(text):
            return f"{text!r} has a wrong check digit for {cls.shape}"
        return None

    @classmethod
    def _check_digit_holds(cls, text: str) -> bool:
        del text
        return True

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 (pydantic's signature)
        del source, handler
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())


def _luhn_holds(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


class Npi(Identifier):
    """National Provider Identifier: ten digits, Luhn over the prefix 80840 and the number (45 CFR 162.406)."""

    pattern = re.compile(r"[12]\d{9}", re.ASCII)
    shape = "an NPI (ten digits, first 1 or 2)"

    @classmethod
    def _check_digit_holds(cls, text: str) -> bool:
        return _luhn_holds("80840" + text)

    @classmethod
    def from_nine(cls, nine: str) -> "Npi":
        """Complete nine digits with their check digit."""
        return next(cls(nine + digit) for digit in "0123456789" if _luhn_holds("80840" + nine + digit))


class Ncpdp(Identifier):
    """NCPDP provider id of a pharmacy: seven digits. Not all ranges follow the published check digit."""

    pattern = re.compile(r"\d{7}", re.ASCII)
    shape = "an NCPDP id (seven digits)"


class AbaRouting(Identifier):
    """ABA routing number: nine digits, weights 3-7-1, prefixes 00-12, 21-32, 61-72, 80, not all zeros."""

    pattern = re.compile(r"(?:0\d|1[0-2]|2[1-9]|3[0-2]|6[1-9]|7[0-2]|80)\d{7}", re.ASCII)
    shape = "an ABA routing number (nine digits, prefix 00-12, 21-32, 61-72 or 80)"

    @classmethod
    def _check_digit_holds(cls, text: str) -> bool:
        return text != "000000000" and cls._weighted(text) % 10 == 0

    @staticmethod
    def _weighted(text: str) -> int:
        return sum(int(digit) * weight for digit, weight in zip(text, _aba_weights(), strict=False))

    @classmethod
    def from_eight(cls, eight: str) -> "AbaRouting":
        """Complete eight digits with their check digit."""
        return cls(eight + str(-cls._weighted(eight) % 10))


def _aba_weights() -> Iterator[int]:
    while True:
        yield from (3, 7, 1)


class PayerId(Identifier):
    """A payer as TRN03 and BPR10 name it: the digit 1 and the employer's nine-digit EIN."""

    pattern = re.compile(r"1\d{9}", re.ASCII)
    shape = "a payer id (1 and the nine digits of the EIN)"


class Tin(Identifier):
    """Taxpayer identification number: nine digits, no dash."""

    pattern = re.compile(r"\d{9}", re.ASCII)
    shape = "a TIN (nine digits)"
