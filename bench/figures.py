"""Measured figures and how they are shown: medians beside budgets, as tables on the screen and in the documentation."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table

_COLUMNS = ("what", "size", "unit", "median", "runs", "budget", "ambition", "verdict")


@dataclass(frozen=True, slots=True)
class Budget:
    """What a figure may be at worst, and what it is hoped to be."""

    limit: float
    ambition: float | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One quantity, measured several times.

    Args:
        what: the work, in the words of the trade.
        size: how much of it was done in one run.
        unit: such as ``claims/s``; what ends in ``/s`` is better when more, all else when less.
        runs: one value a run, in the order of the runs.
        budget: None for what is told beside, without a promise.
    """

    what: str
    size: str
    unit: str
    runs: tuple[float, ...]
    budget: Budget | None = None

    @property
    def median(self) -> float:
        """The middle of the runs."""
        return median(self.runs)

    @property
    def verdict(self) -> str:
        """Say whether the median keeps the budget; nothing where there is none."""
        if self.budget is None:
            return ""
        if self.budget.ambition is not None and self._keeps(self.budget.ambition):
            return "met, ambition too"
        return "met" if self._keeps(self.budget.limit) else "MISSED"

    def _keeps(self, limit: float) -> bool:
        return self.median >= limit if self.unit.endswith("/s") else self.median <= limit

    def cells(self) -> tuple[str, ...]:
        """Give the figure as the cells of a table's row."""
        limit = _shown(self.budget.limit) if self.budget else ""
        ambition = _shown(self.budget.ambition) if self.budget and self.budget.ambition is not None else ""
        runs = " · ".join(map(_shown, self.runs))
        return (self.what, self.size, self.unit, _shown(self.median), runs, limit, ambition, self.verdict)


@dataclass(frozen=True, slots=True)
class Listing:
    """What was counted rather than timed: rows of text under columns of their own."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of one case.

    Args:
        name: as ``--only`` takes it.
        title: what the case is about.
        figures: in the order of the work.
        listings: shown after them.
    """

    name: str
    title: str
    figures: tuple[Figure, ...]
    listings: tuple[Listing, ...] = ()


def print_report(report: Report) -> None:
    """Print a case's tables; a pipe gets them wide enough that nothing is cut."""
    figures = Listing(report.title, _COLUMNS, tuple(figure.cells() for figure in report.figures))
    console = Console(highlight=False)
    console = console if console.is_terminal else Console(highlight=False, width=200)
    for listing in (figures, *report.listings):
        table = Table(title=listing.title, title_justify="left", title_style="bold", header_style="bold")
        for column in listing.columns:
            table.add_column(column, justify="right" if column in {"median", "budget", "ambition"} else "left")
        for row in listing.rows:
            table.add_row(*row)
        console.print(table)


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table of the documentation; every cell in one line."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines)


def report_markdown(report: Report, circumstances: str) -> str:
    """Write a case as a section of the documentation, with a line that says when and how it was measured."""
    parts = [f"### {report.title}", circumstances]
    parts.append(markdown_table(_COLUMNS, [figure.cells() for figure in report.figures]))
    for listing in report.listings:
        parts += [f"{listing.title}:", markdown_table(listing.columns, listing.rows)]
    return "\n\n".join(parts)


def _shown(value: float) -> str:
    """Three digits that mean something, thousands apart: ``123,000``, ``4.57``, ``0.082``."""
    if value >= 1000:
        digits = len(str(int(value))) - 3
        return f"{round(value, -digits):,.0f}"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"
