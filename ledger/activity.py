"""The record of every change of state: who, when, what, why. Append-only."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import Connection

from ledger.queries import Queries

Begin = Callable[[], AbstractContextManager[Connection]]
"""Opens a unit of work: one database transaction that commits when its block ends well. Handed in by ``app``."""

_QUERIES = Queries("ledger", "activity.sql")


def record(connection: Connection, actor: str, action: str, subject: str, **detail: str | int | None) -> None:
    """Write one activity; the detail holds codes, amounts and reasons, never a person's data."""
    facts = json.dumps(detail, sort_keys=True)
    connection.execute(_QUERIES["record"], {"actor": actor, "action": action, "subject": subject, "detail": facts})
