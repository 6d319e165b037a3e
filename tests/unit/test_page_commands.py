"""Commands that README and docs show are commands: their names, options and values are those of the command line."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from app.cli.main import app

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))


def _shown() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for line in page.read_text(encoding="utf-8").splitlines():
            if line.startswith("$ centralpay "):
                yield page.name, line.removeprefix("$ centralpay ")


@pytest.mark.parametrize(("page", "line"), list(_shown()))
def test_a_command_that_a_page_shows_can_be_typed(page: str, line: str) -> None:
    """It is read up to the point where it would be done: a wrong name, option, date shape or choice ends the test."""
    command, words = typer.main.get_command(app), shlex.split(line, comments=True)
    while words and words[0] in (inner := getattr(command, "commands", {})):
        command = inner[words.pop(0)]
    assert not hasattr(command, "commands"), f"{page}: centralpay {line} names no command"
    command.make_context("centralpay", words)


def test_every_page_of_commands_is_looked_at() -> None:
    """A page with another mark before its commands would pass unseen: these show some."""
    assert {page for page, _ in _shown()} >= {"README.md", "schedules-and-fees.md", "statements.md", "operations.md"}
