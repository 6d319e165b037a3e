"""What a register is: rows, totals, and ties, each a total beside what the books say of it by another way."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from schemas.errors import WrongUseError

Cell = str | int | bool | date | None


class Span(StrEnum):
    """The time that a register is of."""

    RANGE = "range"
    """From a day to a day."""
    DAY = "day"
    """As it stood in the evening of a day."""


class Unit(StrEnum):
    """What a total counts."""

    CENTS = "cents"
    COUNT = "count"


class RegisterRow(BaseModel):
    """A row of a register: names that end in ``_cents`` are amounts, other whole numbers but ``_id`` are counts."""

    model_config = ConfigDict(frozen=True)

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Name the columns in their order."""
        return tuple(cls.model_fields)

    def cells(self) -> list[Cell]:
        """Give the values in the order of the columns."""
        return [getattr(self, name) for name in self.columns()]


class Tie(BaseModel):
    """A total of the register beside what the books say of it, read another way; both in ``unit``."""

    model_config = ConfigDict(frozen=True)

    what: str
    unit: Unit
    register_total: int
    books_total: int

    @property
    def difference(self) -> int:
        """The register less the books."""
        return self.register_total - self.books_total

    @property
    def agrees(self) -> bool:
        """Say whether both are the same."""
        return not self.difference


@dataclass(frozen=True, slots=True)
class Summed:
    """What remains of a register whose rows went by.

    Args:
        rows: how many they were.
        totals: of every amount that is summed and every count that is tied, by column; cents where the name says so.
        ties: what agrees with the books, or does not.
    """

    rows: int
    totals: dict[str, int]
    ties: tuple[Tie, ...]


class Register(BaseModel):
    """A register as it was read. ``from_on`` None: as it stood on ``to_on``.

    Args:
        name: as the command line says it.
        title: for people.
        columns: names of the rows' columns.
        rows: what it lists.
        totals: of every amount that is summed, by column; cents.
        figures: further figures, such as a median, in words' order.
        ties: what agrees with the books, or does not.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    from_on: date | None
    to_on: date
    columns: tuple[str, ...]
    rows: tuple[RegisterRow, ...]
    totals: dict[str, int]
    figures: dict[str, int | str | None] = {}
    ties: tuple[Tie, ...]

    @property
    def agrees(self) -> bool:
        """Say whether every total agrees with the books."""
        return all(tie.agrees for tie in self.ties)

    def document(self) -> dict[str, Any]:
        """Give it as JSON holds it; amounts are integer cents."""
        rows = [row.model_dump(mode="json") for row in self.rows]
        ties = [tie.model_dump(mode="json") | {"difference": tie.difference, "agrees": tie.agrees} for tie in self.ties]
        shown = self.model_dump(mode="json", include={"name", "title", "from_on", "to_on", "totals", "figures"})
        return shown | {"rows": rows, "ties": ties, "agrees": self.agrees}


class UnknownRegisterError(WrongUseError):
    """There is no register of that name."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        self.name = name
        super().__init__(f"There is no register {name!r}; there are {', '.join(known)}")


class RegisterDaysError(WrongUseError):
    """The days that were given are none that the register can be of."""

    def __init__(self, name: str, said: str) -> None:
        self.name = name
        super().__init__(f"The register {name}: {said}")
