"""How papers write amounts, days and counts: United States English, whole cents, a true minus sign."""

from datetime import date
from typing import Any, Final

from payouts.papers.sender import Sender

MINUS: Final = "\u2212"
"""Wider than a hyphen: it is not lost on a bad print."""

FOLD: Final = "\u200b"
"""Has no width: a line may break there."""

_LONG: Final = 26
_PIECE: Final = 13


def amount(cents: int) -> str:
    """Write cents as dollars: ``1,234.56``, less than nothing with the sign before."""
    whole, rest = divmod(abs(cents), 100)
    return f"{MINUS if cents < 0 else ''}{whole:,}.{rest:02d}"


def dollars(cents: int) -> str:
    """Write cents as dollars with their mark: ``$1,234.56``; less than nothing with the sign before."""
    whole, rest = divmod(abs(cents), 100)
    return f"{MINUS if cents < 0 else ''}${whole:,}.{rest:02d}"


def short_day(day: date) -> str:
    """Write a day: ``Nov 20, 2026``."""
    return f"{day:%b} {day.day}, {day.year}"


def long_day(day: date) -> str:
    """Write a day with the day of the week: ``Friday, November 20, 2026``."""
    return f"{day:%A}, {day:%B} {day.day}, {day.year}"


def month_words(day: date) -> str:
    """Write a month: ``November 2026``."""
    return f"{day:%B} {day.year}"


def counted(count: int, noun: str) -> str:
    """Write how many there are: ``1 claim``, ``1,204 claims``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def sentence(text: str) -> str:
    """Begin a label with a capital letter and leave the rest as it is."""
    return text[:1].upper() + text[1:]


def foldable(number: str) -> str:
    """Let a trace number fold that is longer than a column: TRN02 has up to 50 characters and no blank."""
    if len(number) <= _LONG:
        return number
    return FOLD.join(number[start : start + _PIECE] for start in range(0, len(number), _PIECE))


def folded(name: str) -> str:
    """Let a name fold whose words are longer than a column."""
    return " ".join(map(foldable, name.split(" ")))


def contact(sender: Sender) -> str:
    """Say whom to ask."""
    return f"Questions? Call {sender.name}" + (f" at {sender.telephone}" if sender.telephone else "")


def frame(sender: Sender, title: str, whom: str, made_on: date) -> dict[str, Any]:
    """Give what every paper has: who sends it, for whom, its title and day, whom to ask."""
    return {
        "title": title,
        "whom": folded(whom),
        "made": [made_on.year, made_on.month, made_on.day],
        "contact": contact(sender),
        "sender": {"name": sender.name, "lines": list(sender.lines)},
    }
