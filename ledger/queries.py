"""Named SQL in ``.sql`` files: one file for a domain, each statement behind a line ``-- name: …``."""

import re
from functools import cached_property
from importlib.resources import files

from sqlalchemy import TextClause, text

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


class Queries:
    """The named statements of one file in a package's folder ``sql``.

    Args:
        package: the package whose folder ``sql`` holds the file.
        file: the file's name.
    """

    def __init__(self, package: str, file: str) -> None:
        self.package = package
        self.file = file

    @cached_property
    def _statements(self) -> dict[str, TextClause]:
        source = files(self.package).joinpath("sql", self.file).read_text(encoding="utf-8")
        pieces = _NAME.split(source)[1:]
        return {name: text(body.strip()) for name, body in zip(pieces[::2], pieces[1::2], strict=True)}

    def __getitem__(self, name: str) -> TextClause:
        """Give the statement of that name.

        Raises:
            KeyError: the file has no such name.
        """
        return self._statements[name]
