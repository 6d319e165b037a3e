"""The record of what auditors read: who, when, what, with which parameters; written before the answer is given."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from ledger.queries import Queries
from schemas.errors import RefusedError

_QUERIES = Queries("ledger", "reads.sql")


class ReadNotNotedError(RefusedError):
    """What an auditor asks can not be written down, so it is not answered."""

    def __init__(self, actor: str, what: str) -> None:
        self.actor, self.what = actor, what
        super().__init__(f"What {actor} reads is written down first, and now it can not be: {what} is not answered")


class Read(BaseModel):
    """One thing that an auditor read.

    Args:
        read_id: its number, counting up.
        at: the moment, aware.
        actor: who read.
        login: the database login that wrote it down.
        what: the command, such as ``ledger balances``.
        parameters: what it was given, by the names of its options.
    """

    model_config = ConfigDict(frozen=True)

    read_id: int
    at: datetime
    actor: str
    login: str
    what: str
    parameters: dict[str, Any]


def note_if_auditor(connection: Connection, actor: str, what: str, parameters: Mapping[str, Any]) -> bool | None:
    """Write down what an auditor is about to read; nothing where who acts is none.

    Args:
        connection: of a unit of work that commits before the answer is given.
        actor: who reads.
        what: the command.
        parameters: what it was given, as JSON can say it.

    Returns:
        Whether who acts is an auditor; None: no user yet. A role stays as it is.

    Raises:
        ReadNotNotedError: it can not be written: do not answer.
    """
    is_auditor = connection.execute(_QUERIES["is_auditor"], {"actor": actor}).scalar()
    if is_auditor:
        given = {"actor": actor, "what": what, "parameters": json.dumps(dict(parameters), sort_keys=True)}
        try:
            connection.execute(_QUERIES["note"], given)
        except DBAPIError as error:
            raise ReadNotNotedError(actor, what) from error
    return is_auditor


def reads(
    connection: Connection, *, actor: str | None = None, since: datetime | None = None, before: datetime | None = None
) -> list[Read]:
    """List what auditors read, in its order.

    Args:
        connection: of any role that reads.
        actor: of this auditor alone.
        since: from this moment on, aware.
        before: before this moment, aware.
    """
    rows = connection.execute(_QUERIES["reads"], {"actor": actor, "since": since, "before": before}).mappings()
    return [Read(**row) for row in rows]


class AuditorLogin(NamedTuple):
    """A login of the database that reads as an auditor, by SQL.

    Args:
        name: of the login.
        is_logged: whether the server logs every statement of it; nothing else notes a plain SELECT.
    """

    name: str
    is_logged: bool


def auditor_logins(connection: Connection) -> list[AuditorLogin]:
    """List who may log in as an auditor by SQL, by name; the application's own logins are not among them.

    Args:
        connection: of any role, also where the schema is not made yet.
    """
    return [AuditorLogin(row.name, row.is_logged) for row in connection.execute(_QUERIES["auditor_logins"])]
