"""Which past a question is about: ``--as-of`` an accounting date, ``--known-at`` a checkpoint of the seal."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Final

import typer
from sqlalchemy import Connection

from app.cli.dates import day_from
from app.cli.screen import SCREEN
from app.session import Session
from ledger.known import known_at
from ledger.seal.checkpoints import Checkpoint, named
from schemas.calendar import BANK_ZONE

AsOf = Annotated[
    str | None, typer.Option("--as-of", metavar="YYYY-MM-DD", help="By accounting date; else everything recorded.")
]
KNOWN_AT_HELP: Final = (
    "What was sealed by then: a checkpoint's size, 'latest', or an instant that is over: the last checkpoint at or "
    "before it. In UTC where it names no zone; a date alone is its end."
)
KnownAt = Annotated[
    str | None,
    typer.Option(
        "--known-at",
        metavar="CHECKPOINT|INSTANT",
        help=KNOWN_AT_HELP,
    ),
]


@dataclass(frozen=True)
class Moment:
    """What was asked for, as it was found.

    Args:
        as_of: the last accounting date that counts; None: all.
        checkpoint: what was sealed by it counts; None: everything recorded.
    """

    as_of: date | None = None
    checkpoint: Checkpoint | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """Give it as every JSON document of such a command says it."""
        return {
            "as_of": None if self.as_of is None else str(self.as_of),
            "known_at": checkpoint_facts(self.checkpoint),
        }

    @property
    def known(self) -> dict[str, Any]:
        """Give the checkpoint alone, for commands to which an accounting date means nothing."""
        return {"known_at": checkpoint_facts(self.checkpoint)}

    def day(self, today: date) -> date:
        """Give the day that a question is about that names none: of the checkpoint by the bank's clock, else today."""
        if self.as_of is not None:
            return self.as_of
        return today if self.checkpoint is None else self.checkpoint.sealed_at.astimezone(BANK_ZONE).date()

    def now(self, now: datetime) -> datetime:
        """Give the moment from which ages are counted: the checkpoint's, else now."""
        return now if self.checkpoint is None else self.checkpoint.sealed_at

    def say(self) -> None:
        """Say below a table which past it shows; nothing of the present."""
        words = [] if self.as_of is None else [f"as of {self.as_of}"]
        if self.checkpoint is not None:
            words.append(checkpoint_words(self.checkpoint))
        if words:
            SCREEN.print(", ".join(words)[0].upper() + ", ".join(words)[1:], soft_wrap=True)


def checkpoint_facts(checkpoint: Checkpoint | None) -> dict[str, Any] | None:
    """Give the checkpoint that was read at as JSON says it, or None."""
    if checkpoint is None:
        return None
    return {"size": checkpoint.size, "root": checkpoint.root, "sealed_at": f"{checkpoint.sealed_at:%Y-%m-%dT%H:%M:%SZ}"}


def checkpoint_words(checkpoint: Checkpoint) -> str:
    """Name a checkpoint in words."""
    return (
        f"known at checkpoint {checkpoint.size} ({checkpoint.root[:16]}…, {checkpoint.sealed_at:%Y-%m-%d %H:%M:%S} UTC)"
    )


def day_of(as_of: str | None) -> date | None:
    """Read the day of ``--as-of``.

    Raises:
        WrongUseError: it is none.
    """
    return None if as_of is None else day_from(as_of)


@contextmanager
def reading_as_known(session: Session, known: str | None) -> Iterator[tuple[Connection, Checkpoint | None]]:
    """Open a reading snapshot and, where a checkpoint is asked for, let it read what was sealed by then.

    Raises:
        WrongUseError: there is no such checkpoint.
    """
    with session.reading() as connection:
        checkpoint = None if known is None else named(connection, known, session.now)
        if checkpoint is not None:
            known_at(connection, checkpoint)
        yield connection, checkpoint


@contextmanager
def asked(session: Session, as_of: str | None, known: str | None) -> Iterator[tuple[Connection, Moment]]:
    """Open a reading snapshot of what two options ask for.

    Raises:
        WrongUseError: there is no such day or checkpoint.
    """
    day = day_of(as_of)
    with reading_as_known(session, known) as (connection, checkpoint):
        yield connection, Moment(day, checkpoint)
