"""Sealers for tests, with keys and folders of their own."""

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Engine

from app.database import unit_of_work
from ledger.seal.checkpoints import Checkpoint
from ledger.seal.keys import SealKeys
from ledger.seal.published import Published
from ledger.seal.sealer import MOST, Sealer

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def sealer_of(app: Engine, folder: Path, *, most: int = MOST, name: str = "test/seal") -> Sealer:
    """Give a sealer with its key and its checkpoints in a folder."""
    keys = SealKeys(folder / "keys" / "seal.key", name)
    return Sealer(partial(unit_of_work, app), keys, Published(folder / "checkpoints", is_ours=True), most=most)


def sealed(sealer: Sealer, minutes: int = 0) -> Checkpoint:
    """Seal so many minutes after noon; there is something to seal."""
    made = sealer.seal("sam", NOON + timedelta(minutes=minutes))
    assert made is not None
    return made
