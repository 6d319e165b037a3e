"""The commands, and which module holds which: loaded when one of them is asked for, all of them for the whole help.

To load every module takes longer than most commands do. A module is named here once, in the order of the help, with the
first words of all that it hangs into the command line.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Final

import typer
from typer.core import TyperGroup

HOLDERS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("setup", ("demo", "db")),
    ("files", ("ingest", "match", "members", "payers")),
    ("people", ("members", "users", "approvals", "float")),
    ("bank_details", ("bank",)),
    ("bank_care", ("members", "bank")),
    ("notices", ("notices",)),
    ("exceptions", ("exceptions",)),
    ("corrections", ("approvals", "corrections", "interest")),
    ("fees", ("fees",)),
    ("cycle", ("cycle",)),
    ("papers", ("cycle",)),
    ("statements", ("statement", "statements")),
    ("certificates", ("certificate", "certificates")),
    ("outgoing", ("cycle", "ach")),
    ("returns", ("cycle", "returns")),
    ("limits", ("limits",)),
    ("schedules", ("members", "cut-offs")),
    ("holds", ("holds", "levies")),
    ("disbursements", ("disbursements",)),
    ("direct_pay", ("members",)),
    ("negatives", ("float", "negatives")),
    ("unclaimed", ("unclaimed",)),
    ("books", ("ledger",)),
    ("closing", ("close", "periods")),
    ("audit", ("audit",)),
    ("reads", ("audit",)),
    ("claims", ("claim", "reversals", "forward-balances")),
    ("vault", ("vault",)),
    ("running", ("health", "db")),
    ("jobs", ("scheduler", "jobs")),
)

_FIRST_WORDS: Final = tuple(dict.fromkeys(word for _, words in HOLDERS for word in words))
_HELP: Final = (
    "Central payment for pharmacies: what payers remit is allocated to the cent, paid on schedule, and proven."
)
_EPILOG: Final = (
    "To look around: centralpay demo --days 7. Each command tells more, with an example: centralpay cycle propose "
    "--help. Exit codes: 0 done, 1 the database or the disk gave up, 2 wrong use, 3 some input was refused, 4 a proof "
    "failed, 5 refused by a rule."
)


def command_tree(word: str | None = None) -> TyperGroup:
    """Give the command line, built from the signatures of its functions once in a process.

    Args:
        word: the first that was typed: only what it begins is loaded. All is, when it begins nothing, or is None.
    """
    return _tree(word if word in _FIRST_WORDS else None)


@cache
def _tree(word: str | None) -> TyperGroup:
    with _uncollected():
        for holder, words in HOLDERS:
            if word is None or word in words:
                _hang(holder)
    tree = typer.Typer(
        name="centralpay",
        help=_HELP,
        epilog=_EPILOG,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    wanted = _FIRST_WORDS if word is None else (word,)
    commands = {each.name: each for each in _everything().registered_commands}
    groups = {each.name: each for each in _everything().registered_groups}
    tree.registered_commands = [commands[each] for each in wanted if each in commands]
    tree.registered_groups = [groups[each] for each in wanted if each in groups]
    return _told_whole(typer.main.get_group(tree))


def _told_whole(group: TyperGroup) -> TyperGroup:
    """Let the list of commands say the first sentence of each to its end; by itself it is cut to fit one line."""
    for command in group.commands.values():
        sentence = (command.help or "").partition("\n\n")[0].replace("\n", " ").partition(". ")[0]
        command.short_help = sentence.removesuffix(".") + "."
        if isinstance(command, TyperGroup):
            _told_whole(command)
    return group


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage: what modules make stays, and to go through it again and again is a tenth of the start."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if was_on:
            gc.enable()


@cache
def _everything() -> typer.Typer:
    """Give what the modules that are loaded have hung."""
    return typer.Typer()


@cache
def _hang(holder: str) -> None:
    """Load a module and let it hang its commands, once in a process: some hang into a group of another's."""
    import_module(f"app.cli.{holder}").register(_everything())
