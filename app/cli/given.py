"""What people give on the command line beside dates: amounts in dollars, and tables in CSV files."""

from pathlib import Path

from payouts.resolutions.frame import Table
from schemas.errors import WrongUseError
from schemas.money import cents_from_text


def cents_from(text: str) -> int:
    """Read an amount of dollars as positive integer cents.

    Raises:
        WrongUseError: it is none, or not more than nothing.
    """
    try:
        cents = cents_from_text(text.replace(",", ""))
    except ValueError:
        raise WrongUseError(f"{text!r} is no amount of dollars; write it as 1200.00") from None
    if cents <= 0:
        raise WrongUseError(f"{text!r}: an amount is more than nothing")
    return cents


def cents_given(text: str | None) -> int | None:
    """Read an amount as ``cents_from`` does; None where none is given."""
    return None if text is None else cents_from(text)


def table_given(path: Path | None) -> Table | None:
    """Read a file; None where none is given.

    Raises:
        WrongUseError: it can not be read.
    """
    if path is None:
        return None
    try:
        return Table(path.name, path.read_bytes())
    except OSError as error:
        raise WrongUseError(f"{path}: {error.strerror}") from error
