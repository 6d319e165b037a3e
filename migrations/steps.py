"""A step of the schema is a folder of SQL files: the numbered ones up in their order, ``down_…`` back, last first."""

from pathlib import Path
from typing import Final

from alembic import op

_FOLDER: Final = Path(__file__).parent / "sql"


def run_up(step: str) -> None:
    """Run a step's files in their order."""
    _run(sorted((_FOLDER / step).glob("[0-9]*.sql")))


def run_down(step: str) -> None:
    """Take a step back, last file first."""
    _run(sorted((_FOLDER / step).glob("down_*.sql"), reverse=True))


def _run(paths: list[Path]) -> None:
    for path in paths:
        op.get_bind().exec_driver_sql(path.read_text(encoding="utf-8"))
