"""Where a roster hands in bank details that are not on file: it asks, and overwrites nothing."""

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
    """Takes other bank details in.

    Args:
        ask: asks to pay the member of a row into the row's account, in the import's transaction.
        first_wait: a new member's first account goes the same way; until it is live the member has none.
    """

    ask: Callable[[Connection, UUID, RosterRow], Answer]
    first_wait: bool = False
