"""Cells of the CSV files that people open in a spreadsheet."""

from collections.abc import Callable
from typing import Protocol


class CsvFile(Protocol):
    """What rows of CSV are written into, as ``csv.writer`` asks for it."""

    def write(self, text: str, /) -> object:
        """Take a row."""


class CsvBytes:
    """Hands rows of CSV on as UTF-8 (RFC 4180 leaves the encoding open), each as it is written.

    Args:
        write: takes the bytes.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def write(self, text: str, /) -> None:
        """Take a row."""
        self._write(text.encode())


def plain_cell(text: str) -> str:
    """Keep a spreadsheet from taking a cell for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
