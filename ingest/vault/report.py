"""What a pass over the vault says: the condition of each file, what of it is lost, and which keys are in use."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from ingest.vault.sealed_header import Part

LISTED_LIMIT = 1000
"""So many files of a condition are listed; the rest is counted."""


class Condition(StrEnum):
    """How a file is found."""

    @property
    def words(self) -> str:
        """As people read it."""
        return self.value.replace("_", " ")

    SOUND = "sound"
    """All of it opens, and its content has the SHA-256 that is its name."""
    DAMAGED = "damaged"
    """A part does not open, or the content is another."""
    MISSING = "missing"
    """The database names it, and it is not there."""
    KEY_MISSING = "key_missing"
    """It is under a master key that is not among those given, or the key's id in it is damaged."""
    UNNAMED = "unnamed"
    """Sound, and the database does not name it: whoever stored it was stopped before its turn came. Harmless."""
    LETTING_GO = "letting_go"
    """It was decided that it goes; the command that erases it was stopped."""
    LET_GO = "let_go"
    """It was let go, and is not there."""
    CAME_AGAIN = "came_again"
    """It was let go, and is there: somebody sent it again."""
    ABANDONED = "abandoned"
    """What a process that was killed left unfinished, more than a day ago."""
    FOREIGN = "foreign"
    """It is not the vault's: a copy that somebody made, a file in the wrong place."""


LOSSES = (Condition.DAMAGED, Condition.MISSING, Condition.KEY_MISSING)
"""What must not be; nothing else is a loss."""


class Found(BaseModel):
    """One file, or one stretch of it, that is not simply sound.

    ``lost_from_byte`` up to but not including ``lost_to_byte`` of the plain content can not be read; None where the
    size is not known. ``first_chunk`` and ``last_chunk`` count from 0, None where the whole file does not open.
    """

    model_config = ConfigDict(frozen=True)

    condition: Condition
    names: str
    """As it was received, and what else the database calls it; empty when nothing names it."""
    sha256: str = ""
    part: Part | None = None
    first_chunk: int | None = None
    last_chunk: int | None = None
    lost_from_byte: int | None = None
    lost_to_byte: int | None = None
    key_id: str | None = None
    """The master key that is missing."""


class KeyUse(BaseModel):
    """How many files a master key wraps."""

    model_config = ConfigDict(frozen=True)

    key_id: str
    is_current: bool
    files: int


class VaultCheck(BaseModel):
    """What a pass over the vault found."""

    model_config = ConfigDict(frozen=True)

    files: int
    """Of the vault's own; all were read."""
    plain_bytes: int
    """Of what could be read."""
    counts: dict[Condition, int]
    found: tuple[Found, ...]
    """Everything but what is sound or let go, at most ``LISTED_LIMIT`` files of a condition."""
    keys: tuple[KeyUse, ...]
    tidied: bool
    """Whether what was abandoned was removed."""

    @property
    def holds(self) -> bool:
        """Say whether nothing is lost."""
        return not any(self.counts.get(condition) for condition in LOSSES)
