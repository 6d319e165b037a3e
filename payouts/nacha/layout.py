"""The columns of a record, named and in order: one pattern splits a line, or says which columns are wrong.

Source: Nacha Operating Rules, Appendix Three.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from payouts.nacha.codes import RECORD_SIZE
from schemas.collecting import shown_figure
from schemas.findings import Finding


class Column(NamedTuple):
    """One field of a record."""

    name: str
    """Name of the field; begins with an underscore when nobody needs its content."""
    width: int
    pattern: str = "."
    """What one character of it must be, or the whole of it where ``expected`` says so."""
    expected: str = ""
    """What the whole field must be, when it is not ``width`` characters of ``pattern``."""

    @property
    def expression(self) -> str:
        """Regular expression of the whole field."""
        return self.pattern if self.expected else f"{self.pattern}{{{self.width}}}"


def text(name: str, width: int) -> Column:
    """Give a field of any characters."""
    return Column(name, width)


def number(name: str, width: int) -> Column:
    """Give a field of digits."""
    return Column(name, width, "[0-9]")


def choice(name: str, width: int, pattern: str, expected: str) -> Column:
    """Give a field whose content has a pattern of its own."""
    return Column(name, width, pattern, expected)


class Layout:
    """The columns of one record type; ``split`` gives the named ones."""

    def __init__(self, record: str, *columns: Column) -> None:
        if sum(column.width for column in columns) != RECORD_SIZE:
            raise ValueError(f"{record} has not {RECORD_SIZE} columns")
        self.record: Final = record
        self.columns: Final = columns
        groups = (f"{'(?:' if column.name.startswith('_') else '('}{column.expression})" for column in columns)
        self._pattern = re.compile("".join(groups), re.DOTALL)

    def split(self, line: str) -> tuple[str, ...] | None:
        """Give the named fields of a line with their blanks; None when a column is wrong."""
        match = self._pattern.fullmatch(line)
        return None if match is None else match.groups()

    def findings(self, number: int, line: str) -> Iterator[Finding]:
        """Say which columns of a line are wrong. Text may be a person's and is never shown.

        Args:
            number: of the line, first = 1.
            line: 94 characters.
        """
        start = 0
        for column in self.columns:
            content = line[start : start + column.width]
            if re.fullmatch(column.expression, content, re.DOTALL) is None:
                yield Finding(
                    rule="column_shape",
                    element=f"{self.record} {column.name.removeprefix('_')}",
                    expected=column.expected
                    or f"{column.width} digits in columns {start + 1} to {start + column.width}",
                    found=shown_figure(content),
                    line=number,
                    advice="Ask the sender for a file with correct columns.",
                )
            start += column.width
