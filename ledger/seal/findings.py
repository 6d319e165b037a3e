"""What a check of the seal found: every failure counted, the first ones of each kind named: memory is bounded."""

from collections import Counter
from uuid import UUID

from pydantic import BaseModel, ConfigDict

MOST_NAMED = 20
"""How many failures of one kind are named; the others are counted."""


class Finding(BaseModel):
    """Something that is not what was sealed.

    Args:
        table: where it stands: a table, or ``checkpoints`` for those that are kept outside.
        key: of the row, the values of its primary key with ``|`` between them.
        said: what was sealed and what is there, for people.
        owner_id: whose entry it is, if it is one.
    """

    model_config = ConfigDict(frozen=True)

    table: str
    key: str
    said: str
    owner_id: UUID | None = None

    def __str__(self) -> str:
        """Name the row, then what is wrong with it."""
        return f"{self.table} {self.key}: {self.said}"


class Findings:
    """Failures as they are found."""

    def __init__(self) -> None:
        self.count = 0
        self.named: list[Finding] = []
        self._of_table: Counter[str] = Counter()

    def add(self, table: str, key: object, said: str) -> None:
        """Count a failure; name it if it is one of the first of its table."""
        self.count += 1
        self._of_table[table] += 1
        if self._of_table[table] <= MOST_NAMED:
            self.named.append(Finding(table=table, key=str(key), said=said))

    def set_of(self, named: list[Finding], total: int) -> None:
        """Count a set of failures of which the first are named."""
        self.count += total
        self.named.extend(named)
