"""Commands are loaded when they are asked for: what is there does not depend on how little of it was loaded."""

import json
import subprocess
import sys
from pathlib import Path

from app.cli import commands
from app.cli.commands import HOLDERS, command_tree

ROOT = Path(__file__).parents[2]
_ONE_BY_ONE = """
import json, os, sys
from app.cli.commands import HOLDERS, command_tree

def names(node):
    inner = getattr(node, "commands", None)
    return sorted(each.name for each in node.params) if inner is None else {n: names(each) for n, each in inner.items()}

print(json.dumps(names(command_tree())), flush=True)
for module in [name for name in sys.modules if name.startswith("app.cli")]:
    del sys.modules[module]  # all below stays loaded: that is what takes the time
for word in dict.fromkeys(word for _, words in HOLDERS for word in words):
    if (child := os.fork()) == 0:
        from app.cli.commands import command_tree
        print(json.dumps(names(command_tree(word))), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


def test_each_word_loads_all_that_it_begins() -> None:
    """In a process where nothing else was loaded, each first word has every command and option that the whole has.

    Each is asked in a process of its own: a module that another word had loaded would hide that the word lacks it.
    """
    said = subprocess.run(
        [sys.executable, "-c", _ONE_BY_ONE], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    whole, *parts = (json.loads(line) for line in said.stdout.splitlines())
    assert all(len(part) == 1 for part in parts)
    assert {word: names for part in parts for word, names in part.items()} == whole


def test_the_help_lists_all_in_the_order_of_the_table() -> None:
    """However little was loaded before, commands stand before groups, and each in the order of the table."""
    command_tree("vault")
    command_tree("db")
    words = list(dict.fromkeys(word for _, words in HOLDERS for word in words))
    whole = command_tree().commands
    assert set(whole) == set(words)
    groups = [word for word in whole if hasattr(whole[word], "commands")]
    assert groups == [word for word in words if word in groups]


def test_a_word_that_begins_nothing_is_looked_for_in_all() -> None:
    """A wrong word is told from the whole command line, as an option in its place is."""
    assert command_tree("shred") is command_tree("--help") is command_tree()


def test_every_module_with_commands_is_in_the_table() -> None:
    """A module that hangs commands into the command line, and that nobody loads, would be missing without a word."""
    folder = Path(commands.__file__).parent
    hanging = {path.stem for path in folder.glob("*.py") if "def register(app: typer.Typer)" in path.read_text("utf-8")}
    assert hanging == {holder for holder, _ in HOLDERS}
