"""The documentation's page of figures: each case's section lies between two marks and is replaced when measured."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from schemas.errors import WrongUseError

_FIRST = "<!-- bench:{} -->"
_LAST = "<!-- /bench:{} -->"


def write_sections(path: Path, sections: Mapping[str, str]) -> None:
    """Replace the sections of these names and leave everything else as it is.

    A section lies between ``<!-- bench:NAME -->`` and ``<!-- /bench:NAME -->``, each on a line of its own.

    Raises:
        WrongUseError: there is no such file, or it lacks a section's marks; nothing was written.
    """
    page = check_places(path, sections)
    for name, section in sections.items():
        before, after = _between(name).split(page)
        page = f"{before}\n{section}\n\n{after}"
    path.write_text(page, encoding="utf-8")


def check_places(path: Path, names: Iterable[str]) -> str:
    """Give a page's text when it has one place for each of these sections.

    Raises:
        WrongUseError: there is no such file, or it lacks a section's marks.
    """
    try:
        page = path.read_text(encoding="utf-8")
    except OSError as error:
        raise WrongUseError(f"{path}: {error.strerror}") from error
    for name in names:
        if len(_between(name).findall(page)) != 1:
            raise WrongUseError(f"{path} has not exactly one place for the figures of {name}: {_FIRST.format(name)} …")
    return page


def _between(name: str) -> re.Pattern[str]:
    first, last = re.escape(_FIRST.format(name)), re.escape(_LAST.format(name))
    return re.compile(f"(?<={first}\n).*?(?={last})", re.DOTALL)
