"""Which commands take ``--known-at`` and ``--as-of``: those that the page of the seal says."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from app.cli.commands import command_tree

PAGE: Final = Path(__file__).parents[2] / "docs" / "seal.md"
SHOWING: Final = {
    *("balances", "certificate", "check", "checkpoints", "due", "find", "invoiced", "journal", "list", "population"),
    *("preview", "reads", "register", "registers", "review", "rows", "runs", "schedule", "show", "statement", "status"),
    *("backups", "export", "health", "proof", "tests", "trial-balance", "verify", "year"),
}
"""Last words of commands that show something."""


def _commands() -> Iterator[tuple[str, set[str]]]:
    tree: Any = command_tree()
    waiting = [("", tree)]
    while waiting:
        name, command = waiting.pop()
        inner = getattr(command, "commands", {})
        waiting += [(f"{name} {word}".strip(), each) for word, each in inner.items()]
        if not inner:
            yield name, {option for each in command.params for option in each.opts}


def test_the_page_lists_what_does_not_take_it() -> None:
    """A command that shows something takes ``--known-at`` or stands in the table of those of now; and not both."""
    section = PAGE.read_text(encoding="utf-8").split("| of now alone | why |")[1].split("\n\n")[0]
    listed = {name for row in section.splitlines() if row for name in re.findall("`([^`]+)`", row.split("|")[1])}
    without = {name for name, options in _commands() if "--known-at" not in options}
    assert listed == {name for name in without if name.split()[-1] in SHOWING}


def test_the_page_lists_what_takes_a_day() -> None:
    """``--as-of`` is taken by what the page names, and by two commands that do something as of a day."""
    section = PAGE.read_text(encoding="utf-8").split("`--as-of` is taken by")[1].split("; the last day of a range")[0]
    named = set(re.findall("`([^`]+)`", section)) | {"audit register", "fees invoices", "unclaimed letters"}
    assert named == {name for name, options in _commands() if "--as-of" in options}
