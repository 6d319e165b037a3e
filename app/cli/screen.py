"""What commands print: tables for people, or one JSON document; progress and warnings on standard error."""

import json
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

from schemas.money import show_cents

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document; amounts are integer cents.")]
AsUser = Annotated[
    str | None, typer.Option("--as", metavar="USER", help="Who acts; else CENTRALPAY_USER, else the system's user.")
]

_MOST_NUMBER = (1 << 63) - 1
"""No row has a larger number."""

ERRORS = Console(stderr=True, highlight=False)
SCREEN = Console(highlight=False)


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

    A column whose name ends in ``#`` holds counts: right, as they are.
    """
    if not rows:
        SCREEN.print(f"[bold]{escape(title)}[/bold]: {empty}")
        return
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for place, column in enumerate(columns):
        right = column.endswith("#") or isinstance(rows[0][place], int)
        table.add_column(column.removesuffix("#").strip(), justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(column, cell) for column, cell in zip(columns, row, strict=True)))
    if SCREEN.is_terminal:
        SCREEN.print(table)
    else:
        # A pipe has no width: no cell may be cut or folded there.
        Console(highlight=False, width=240).print(table)


def _cell(column: str, cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int):
        return f"{cell:,}" if column.endswith("#") else show_cents(cell)
    return escape(str(cell))


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
