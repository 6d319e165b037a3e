"""Check a value before it goes into a record: it fits and is legal, or the error names its field.

Source: Nacha Operating Rules, Appendix Three: data types. Text is left-justified and filled with blanks, so a value
with blanks at its ends would not come back as it went in.
"""

import re
from typing import Final, NamedTuple

from payouts.nacha.errors import NachaError

RECEIVER_NAME_WIDTH: Final = 22

_ACCOUNT = re.compile(r"(?=.*[1-9A-Za-z])[0-9A-Za-z-]{1,17}", re.ASCII)


class FittedName(NamedTuple):
    """A receiver's name as an entry holds it."""

    text: str
    was_cut: bool
    """True when characters were lost: the caller records it."""


def fit_receiver_name(name: str) -> FittedName:
    """Cut a receiver's name to the 22 characters of its field and say whether that was needed.

    The name alone may be cut: the bank credits by account number. What it may not hold is refused by ``AchEntry``.
    """
    text = name.strip()[:RECEIVER_NAME_WIDTH].rstrip()
    return FittedName(text, was_cut=len(text) < len(name.strip()))


def check_text(field: str, text: str, width: int, *, required: bool = True, place: str = "") -> None:
    """Refuse text that is too long, has a character outside printable ASCII, or blanks at its ends.

    Raises:
        NachaError: naming ``field``; also when ``required`` and empty.
    """
    if len(text) > width:
        raise NachaError(field, f"has {len(text)} characters, only {width} fit", place)
    if not text.isascii() or not text.isprintable():
        raise NachaError(field, "has a character that is not printable ASCII", place)
    if not text:
        if required:
            raise NachaError(field, "is empty", place)
    elif text[0] == " " or text[-1] == " ":
        raise NachaError(field, "begins or ends with a blank", place)


def check_account(field: str, account: str, place: str = "") -> None:
    """Refuse what is no account number: 1 to 17 letters, digits and dashes, not all zeros.

    Raises:
        NachaError: naming ``field``, never the number.
    """
    if _ACCOUNT.fullmatch(account) is None:
        if len(account) > 17:
            raise NachaError(field, f"has {len(account)} characters, only 17 fit", place)
        raise NachaError(field, "is not 1 to 17 letters, digits and dashes with a digit above zero", place)


def check_number(field: str, number: int, limit: int, *, least: int = 1, place: str = "") -> None:
    """Refuse a number outside ``least`` up to, not including, ``limit``.

    Raises:
        NachaError: naming ``field``.
    """
    if not least <= number < limit:
        raise NachaError(field, f"is {number}, must be from {least} to {limit - 1}", place)
