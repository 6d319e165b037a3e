"""The steps of the schema, as Alembic takes them; nothing else imports it, for most commands find nothing to take."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from sqlalchemy import Connection

from schemas.errors import WrongUseError

_ALEMBIC: Final = threading.Lock()  # it keeps the running upgrade in module variables


def take(connection: Connection, folder: Path, revision: str, *, back: bool = False) -> None:
    """Take the steps up to a revision, or back down to it, each in a transaction of its own.

    Args:
        connection: works as the owner of the schema.
        folder: of the migrations.
        revision: a step, ``head`` or ``base``.
        back: down instead of up.

    Raises:
        WrongUseError: the schema comes from a newer release.
    """
    configuration = _configuration(folder)
    with _ALEMBIC, _ours():
        configuration.attributes["connection"] = connection
        if back:
            command.downgrade(configuration, revision)
        else:
            command.upgrade(configuration, revision)


def pending(connection: Connection, folder: Path, schema: str) -> tuple[str | None, tuple[str, ...]]:
    """Give the step that a schema is at, None when it is empty, and those that it lacks, in their order.

    Raises:
        WrongUseError: the schema comes from a newer release.
    """
    with _ours():
        context = MigrationContext.configure(connection, opts={"version_table_schema": schema})
        current = context.get_current_revision()
        steps = _steps(folder).iterate_revisions("head", current or "base")
        lacking = tuple(step.revision for step in steps if step.revision != current)
    return current, lacking[::-1]


@cache
def _steps(folder: Path) -> ScriptDirectory:
    """Give the steps of this release; they do not change while it runs."""
    return ScriptDirectory.from_config(_configuration(folder))


def _configuration(folder: Path) -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(folder).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    return configuration


@contextmanager
def _ours() -> Iterator[None]:
    """Turn what Alembic finds wrong into our error."""
    try:
        yield
    except (CommandError, RevisionError) as error:
        raise WrongUseError(
            f"The schema does not fit this release of centralpay, likely a newer one's: {error}"
        ) from error
