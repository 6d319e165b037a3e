"""What the command in hand was asked: its words and what it was given, wherever in the process one wants to know."""

from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple

# typer's own copy of click keeps the command in hand where only this function finds it; typer shows no other way.
from typer._click.globals import get_current_context

from app.redaction import MASK, redacted

_NOT_ASKED = frozenset({"as_user", "as_json"})
"""Who acts is known otherwise; how the answer is printed is no part of the question."""

_OF_PERSONS = {
    "members contact": frozenset({"name", "telephone", "email", "address"}),
    "bank call-back": frozenset({"number", "spoke_with"}),
}
"""What tells of a person outside by a name that says something else in other commands: noted as given, not what."""


class Asked(NamedTuple):
    """A command and what it was given.

    Args:
        what: its words, such as ``ledger balances``; empty: no command is in hand.
        parameters: its arguments and options as they stood, given or not, as JSON can say them; none that were empty.
    """

    what: str
    parameters: dict[str, Any]


def asked() -> Asked:
    """Say what the command in hand of this thread was asked."""
    context = get_current_context(silent=True)
    if context is None:
        return Asked("", {})
    parameters = context.params
    words: list[str] = []
    while context.parent is not None:
        words.insert(0, context.info_name or "")
        context = context.parent
    what = " ".join(words)
    masked = _OF_PERSONS.get(what, frozenset())
    given = {
        name: MASK if name in masked else redacted(name, _plain(value))
        for name, value in parameters.items()
        if name not in _NOT_ASKED and _is_given(value)
    }
    return Asked(what, given)


def _is_given(value: object) -> bool:
    return value is not None and value is not False and value not in ("", (), [])


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, Sequence):
        return [_plain(each) for each in value]
    return str(value)
