"""Everything that the database can be asked for as known at a checkpoint, row by row."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, text

from ledger.activity import Begin
from ledger.known import known_at
from ledger.seal.checkpoints import Checkpoint, latest
from ledger.seal.keys import SealKeys
from ledger.seal.published import Published
from ledger.seal.sealer import Sealer
from schemas.calendar import BANK_ZONE

_MOMENT: Final = datetime(2026, 11, 20, 18, 0, tzinfo=BANK_ZONE)
_NAMES: Final = """
    SELECT v.viewname FROM pg_views v
    JOIN pg_class c ON c.relname = v.viewname AND c.relnamespace = 'centralpay'::regnamespace
    WHERE v.schemaname = 'centralpay_known' AND v.viewname NOT IN ('trail', 'balance') ORDER BY 1
"""
NOT_TOLD: Final[Mapping[str, tuple[str, ...]]] = {
    "received_file": ("status", "findings"),
    "remittance_set": ("status", "findings", "advice_id"),
    "received_entry": ("bank_line_id",),
}
"""What of a row is read as it is now: how far a file was read, and which line of the bank an entry was joined to."""
_BALANCES: Final = """
    SELECT concat_ws(' ', owner_id, ledger, account, debit_cents, credit_cents) FROM balance
    WHERE debit_cents <> 0 OR credit_cents <> 0 ORDER BY 1
"""


def everything(connection: Connection) -> dict[str, list[str]]:
    """Read every row of every table and view that can be read of the past, in the present or as ``known_at`` says."""
    found = {"balance": list(connection.execute(text(_BALANCES)).scalars())}
    for name in connection.execute(text(_NAMES)).scalars().all():
        left_out = "".join(f" - '{column}'" for column in NOT_TOLD.get(name, ()))
        rows = connection.execute(text(f"SELECT (to_jsonb(x){left_out})::text FROM {name} x ORDER BY 1"))  # noqa: S608
        found[name] = list(rows.scalars())
    return found


@dataclass(frozen=True)
class Seal:
    """Seals the books of a test.

    Args:
        begin: opens a unit of work.
        folder: of the key and the published checkpoints.
    """

    begin: Begin
    folder: Path

    def seal(self) -> Checkpoint:
        """Seal what waits and give the last checkpoint."""
        keys = SealKeys(self.folder / "seal.key", "centralpay.example/tests")
        Sealer(self.begin, keys, Published(self.folder / "checkpoints", is_ours=True)).seal("sam", _MOMENT)
        with self.begin() as connection:
            found = latest(connection)
        assert found is not None
        return found

    def asked(self, checkpoint: Checkpoint | None) -> dict[str, list[str]]:
        """Ask for everything, now or as known at a checkpoint."""
        with self.begin() as connection:
            known_at(connection, checkpoint)
            return everything(connection)


def differences(was: Mapping[str, list[str]], known: Mapping[str, list[str]]) -> list[str]:
    """Say in which tables two answers differ, and the first row that does."""
    found: list[str] = []
    for name in sorted(was.keys() | known.keys()):
        lost, new = set(was.get(name, [])) - set(known.get(name, [])), set(known.get(name, [])) - set(was.get(name, []))
        if lost or new or len(was[name]) != len(known[name]):
            found.append(f"{name}: was {sorted(lost)[:1]}, known {sorted(new)[:1]}")
    return found
