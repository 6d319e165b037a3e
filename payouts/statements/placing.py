"""Where each paper of an issue stands in the one file that the vault keeps of it, gathered while they are written."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, Final

_WRITTEN_ROWS: Final = 1_000


@dataclass
class Places:
    """Places of papers that follow one another; what else is kept of each is a list in a field of the subclass."""

    starts: list[int] = field(default_factory=list[int])
    ends: list[int] = field(default_factory=list[int])
    digests: list[bytes] = field(default_factory=list[bytes])

    def place(self, content: bytes) -> None:
        """Take a paper that follows the ones before it."""
        start = self.size_bytes
        self.starts.append(start)
        self.ends.append(start + len(content))
        self.digests.append(hashlib.sha256(content).digest())

    @property
    def size_bytes(self) -> int:
        """Say how long all are together."""
        return self.ends[-1] if self.ends else 0

    def rows(self) -> Iterator[dict[str, Any]]:
        """Give the rows to write, some at a time, as arrays."""
        names = [each.name for each in fields(self) if not each.name.startswith("_")]
        for at in range(0, len(self.ends), _WRITTEN_ROWS):
            yield {name: getattr(self, name)[at : at + _WRITTEN_ROWS] for name in names}
