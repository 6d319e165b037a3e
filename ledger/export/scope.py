"""What an export shows: accounting days of everybody or of one owner, as one checkpoint knows them."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from ledger.export.errors import RangeTurnedError
from ledger.export.manifest import Scope


@dataclass(frozen=True, slots=True)
class Selection:
    """What is chosen from the sealed journal.

    Args:
        size: of the checkpoint; what was sealed later is not shown.
        from_on: first accounting day (effective date); None: from the beginning.
        to_on: last accounting day; None: to the end.
        owner: one owner's entries only; None: everybody's.
        owner_name: how exports call that owner: NCPDP id, a later owner's with a number behind it, or ``house``.

    Raises:
        RangeTurnedError: the last day is before the first.
    """

    size: int
    from_on: date | None = None
    to_on: date | None = None
    owner: UUID | None = None
    owner_name: str | None = None

    def __post_init__(self) -> None:
        if self.from_on is not None and self.to_on is not None and self.to_on < self.from_on:
            raise RangeTurnedError

    @property
    def parameters(self) -> dict[str, Any]:
        """Give the parameters that every statement of ``export.sql`` takes."""
        return {"size": self.size, "from_on": self.from_on, "to_on": self.to_on, "owner": self.owner}

    @property
    def scope(self) -> Scope:
        """Say it as the manifest does."""
        return Scope(from_on=self.from_on, to_on=self.to_on, owner=self.owner_name, known_at=self.size)
