"""What commands print: tables for people, or one JSON document; progress and warnings on standard error."""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from app.cli.layout import Lines, widths
from schemas.money import show_cents

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document; amounts are integer cents.")]
AsUser = Annotated[
    str | None, typer.Option("--as", metavar="USER", help="Who acts; else CENTRALPAY_USER, else the system's user.")
]

_MOST_NUMBER = (1 << 63) - 1
"""No row has a larger number."""
_NO_WIDTH = 1_000_000
"""Characters of a line that nothing folds."""

_STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What moves a cursor, wipes a line or turns the order of letters round; files and people may have written it."""


def steady(text: str) -> str:
    """Give a text in which nothing steers the terminal that shows it, and no tab is wider than it was measured."""
    return _STEERING.sub("\N{REPLACEMENT CHARACTER}", text.replace("\t", " "))


class Window(Console):
    """A console that shows texts as they are: no picture in place of ``:bank:``, nothing that steers the terminal."""

    def __init__(self, **how: Any) -> None:  # noqa: ANN401 (as rich's own)
        super().__init__(highlight=False, emoji=False, **how)

    def render_str(self, text: str, **how: Any) -> Text:  # noqa: ANN401 (as rich's own)
        """Make a text of a string, as every string that is printed and every cell of a table is."""
        return super().render_str(steady(text), **how)


ERRORS = Window(stderr=True)
SCREEN = Window()


def possible(numbers: int | list[int] | None) -> int | list[int] | None:
    """Refuse numbers that no row can have, as the callback of an argument or option."""
    for number in [numbers] if isinstance(numbers, int) else numbers or ():
        if not 1 <= number <= _MOST_NUMBER:
            raise typer.BadParameter(f"{number} is the number of nothing")
    return numbers


def warn(sentence: str) -> None:
    """Say something that is not the result."""
    ERRORS.print(f"[yellow]{escape(sentence)}[/yellow]", soft_wrap=True)


def print_json(document: BaseModel | dict[str, Any]) -> None:
    """Print the command's one document."""
    if isinstance(document, BaseModel):
        document = document.model_dump(mode="json", exclude_none=True)
    sys.stdout.write(json.dumps(document, indent=2, default=str) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str = "none") -> None:
    """Print rows as a table; integers are cents and stand right as dollars, text stands left.

    A column whose name ends in ``#`` holds counts: right, as they are. In a window that is too narrow for the table
    each row is printed by itself, a line for each column that has something to say.
    """
    if not rows:
        SCREEN.print(f"[bold]{escape(title)}[/bold]: {empty}")
        return
    cells = [[_cell(column, cell) for column, cell in zip(columns, row, strict=True)] for row in rows]
    laid = [
        Lines(
            name=column.removesuffix("#").strip(),
            cells=[row[place] for row in cells],
            is_number=column.endswith("#") or any(type(row[place]) is int for row in rows),
        )
        for place, column in enumerate(columns)
    ]
    # A pipe has no width: no cell may be cut or folded there.
    room = widths(laid, SCREEN.width) if SCREEN.is_terminal else [column.most for column in laid]
    SCREEN.print(f"[bold]{escape(title)}[/bold]", soft_wrap=not SCREEN.is_terminal)
    shown = _one_by_one(laid) if room is None else _table(laid, room)
    (SCREEN if SCREEN.is_terminal else Window(width=_NO_WIDTH)).print(shown)


def _table(columns: Sequence[Lines], room: Sequence[int]) -> Table:
    table = Table(header_style="bold")
    for column, width in zip(columns, room, strict=True):
        table.add_column(
            Text(column.name), justify="right" if column.is_number else "left", overflow="fold", width=width
        )
    for cells in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*map(Text, cells))
    return table


def _one_by_one(columns: Sequence[Lines]) -> Table:
    """Give each row as lines of name and cell, and a line of nothing between two rows."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for cells in zip(*(column.cells for column in columns), strict=True):
        for column, cell in zip(columns, cells, strict=True):
            if cell:
                table.add_row(Text(column.name), Text(cell))
        table.add_row()
    return table


def _cell(column: str, cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int):
        return f"{cell:,}" if column.endswith("#") else show_cents(cell)
    return steady(str(cell))


@contextmanager
def progress(label: str, total: int | None) -> Iterator["Bar"]:
    """Show a bar on a terminal's standard error; nothing anywhere else."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=ERRORS, transient=True, disable=not ERRORS.is_terminal) as bars:
        yield Bar(bars, bars.add_task(label, total=total))


class Bar:
    """A bar that is told where it stands."""

    def __init__(self, bars: Progress, task: Any) -> None:  # noqa: ANN401 (rich's own id type)
        self._bars = bars
        self._task = task

    def at(self, done: int, total: int | None = None) -> None:
        """Say how far the work is."""
        self._bars.update(self._task, completed=done, total=total)

    def step(self, label: str) -> None:
        """Say what is in hand."""
        self._bars.update(self._task, description=label)
