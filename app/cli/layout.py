"""How a table is laid out in a window: how wide each column is, and whether it is a table at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

_FRAME: Final = 3
"""What a column takes beside its cells: a line and a blank on either side of them."""
_LONGEST_WORD: Final = 30
"""A word longer than this, such as a digest, may be broken."""
_MOST_LINES: Final = 4
"""A cell that would have to be folded into more lines than these is better read below its name."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A column as it will stand there.

    Args:
        name: its heading.
        cells: one a row.
        is_number: amounts and counts stand right and are never broken: half an amount is another amount.
    """

    name: str
    cells: Sequence[str]
    is_number: bool

    @property
    def most(self) -> int:
        """Give the width at which nothing is folded."""
        return max(cell_len(self.name), self._widest)

    @property
    def least(self) -> int:
        """Give the width below which it is hard to read."""
        words = [word for text in (self.name, *self.cells) for word in text.split()]
        word = min(_LONGEST_WORD, max(map(cell_len, words), default=1))
        return max(word, self._widest if self.is_number else -(-self._widest // _MOST_LINES))

    @property
    def _widest(self) -> int:
        """Give the width of the longest line that a cell has by itself."""
        return max(cell_len(line) for cell in self.cells for line in cell.split("\n"))


def widths(columns: Sequence[Lines], window: int) -> list[int] | None:
    """Share a window between the columns of a table; None: no table can be read in it.

    Args:
        columns: at least one, each with at least one cell.
        window: its characters.
    """
    found = [column.least for column in columns]
    spare = window - _FRAME * len(columns) - 1 - sum(found)
    if spare < 0:
        return None
    missing = sorted(
        (column.most - least, place) for place, (column, least) in enumerate(zip(columns, found, strict=True))
    )
    for left, (wanted, place) in zip(range(len(columns), 0, -1), missing, strict=True):
        given = min(wanted, spare // left)
        found[place] += given
        spare -= given
    return found
