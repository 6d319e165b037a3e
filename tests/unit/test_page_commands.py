"""Commands that README, docs and messages show are commands: their names and options are those of the command line."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.cli.commands import command_tree

ROOT = Path(__file__).parents[2]
PACKAGES = ("app", "payouts", "ingest", "ledger", "schemas")
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))


def _shown() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for line in page.read_text(encoding="utf-8").splitlines():
            if line.startswith("$ centralpay "):
                yield page.name, line.removeprefix("$ centralpay ")


@pytest.mark.parametrize(("page", "line"), list(_shown()))
def test_a_command_that_a_page_shows_can_be_typed(page: str, line: str) -> None:
    """It is read up to the point where it would be done: a wrong name, option, date shape or choice ends the test."""
    command, words = command_tree(), shlex.split(line, comments=True)
    while words and words[0] in (inner := getattr(command, "commands", {})):
        command = inner[words.pop(0)]
    assert not hasattr(command, "commands"), f"{page}: centralpay {line} names no command"
    command.make_context("centralpay", words)


def test_every_page_of_commands_is_looked_at() -> None:
    """A page with another mark before its commands would pass unseen: these show some."""
    assert {page for page, _ in _shown()} >= {"README.md", "schedules-and-fees.md", "statements.md", "operations.md"}


def test_a_list_of_commands_says_each_sentence_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing in the help of a group ends in three dots: half of what a command does is no help."""
    groups = [("", command_tree()), *command_tree().commands.items()]
    for name, group in groups:
        if hasattr(group, "commands"):
            with pytest.raises(SystemExit):
                group.main(["--help"], prog_name=f"centralpay {name}", standalone_mode=True)
    told = capsys.readouterr().out
    assert told.count("Commands:") > 30
    assert "..." not in told.replace("COMMAND [ARGS]...", "")


def test_a_command_that_a_message_names_can_be_typed() -> None:
    """What a message tells people to run is there, with its options.

    A close once said: see centralpay certificate population; it is certificates population.
    """
    tree: Any = command_tree()
    named = [each for package in PACKAGES for path in (ROOT / package).rglob("*.py") for each in _named_in(path)]
    named.remove("notices 1")  # what made a PDF, in the PDF
    assert len(named) > 80
    assert [text for text in named if tree.commands.get(text.split()[0]) and not _can_be_typed(tree, text)] == []


def _named_in(path: Path) -> Iterator[str]:
    """Give what stands behind our name in the texts of a module, up to the end of each sentence."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        text = ""
        if isinstance(node, ast.JoinedStr):
            text = "".join(part.value if isinstance(part, ast.Constant) else "N" for part in node.values)  # type: ignore[misc]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        yield from re.findall(r"centralpay ([a-z][^;:.,()\n]*)", text)


def _can_be_typed(tree: Any, text: str) -> bool:  # noqa: ANN401 (typer's own copy of click)
    """Whether its words name a command, or a group at the end of the text, that has the options that follow."""
    node, words = tree, text.split()
    while words and words[0] in getattr(node, "commands", {}):
        node = node.commands[words.pop(0)]
    if hasattr(node, "commands"):
        return not words
    options = {name for each in node.params for name in (*each.opts, *each.secondary_opts)} | {"--help"}
    takes_words = any(each.param_type_name == "argument" for each in node.params)
    is_argument = len(words) > 1 and not words[0].startswith("--") and words[1].startswith("--")
    return all(word in options for word in words if word.startswith("--")) and (takes_words or not is_argument)
