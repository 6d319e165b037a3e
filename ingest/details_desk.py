"""Where a roster hands in bank details that are not on file, and what follows once all of it is taken over."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection

from ingest.roster import RosterRow


class Answer(StrEnum):
    """What became of a roster row's other bank details."""

    ASKED = "asked"
    """A change was asked for."""
    STANDS = "stands"
    """Just these were asked before: they are open, or were turned down."""
    WAITS = "waits"
    """Others are asked for the member already; these wait until that is done or taken back."""


@dataclass(frozen=True, slots=True)
class DetailsDesk:
    """Takes other bank details in, and sees to what a roster makes necessary.

    Args:
        ask: asks to pay the member of a row into the row's account, in the import's transaction.
        first_wait: a new member's first account goes the same way; until it is live the member has none.
        follow: carries out what follows from memberships and contracts as they are now, in the import's transaction.
    """

    ask: Callable[[Connection, UUID, RosterRow], Answer]
    first_wait: bool = False
    follow: Callable[[Connection], None] | None = None
