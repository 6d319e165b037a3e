"""Strict reading of small CSV tables (RFC 4180) that people prepare: the roster and the payers.

UTF-8 with or without a byte order mark; lines end in LF or CRLF; the header is required exactly; columns that are
optional may follow, in any order. A value may be quoted but holds no line break, so every row is one line and a quote
that is never closed spoils that line only. Blanks around a value are dropped and blank lines are skipped. Everything
wrong is collected; a table with anything wrong is refused.
"""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import BinaryIO

from schemas.collecting import FileFindings, shown_shape

MAX_TABLE_BYTES = 64 << 20
_DAY = re.compile(r"(?:19|2[01])\d\d-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Column:
    """How the values of one column are read.

    Args:
        name: as in the header.
        expected: what a value must be, as it stands in a finding.
        read: turns the text of a cell, blanks dropped, into a value, or raises ValueError.
        may_be_blank: a blank cell is handed to ``read`` too; otherwise it is a finding.
        optional: the header may lack it; then no row has a value for it. It stands after the columns that are required.
    """

    name: str
    expected: str
    read: Callable[[str], object]
    may_be_blank: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """The values of one line that could be read, by column.

    Args:
        line: number of the line, the first of the file is 1.
        values: by column name; a column that could not be read is missing, and has a finding.
    """

    line: int
    values: Mapping[str, object] = field(repr=False)


def day_from_text(text: str) -> date:
    """Read a day as ISO 8601 has it, ``2026-07-03``, from the years 1900 to 2199; ValueError if it is none."""
    if _DAY.fullmatch(text) is None:
        raise ValueError("not a day")
    return date.fromisoformat(text)


def text_of_at_most(limit: int) -> Callable[[str], str]:
    """Make a reader of plain text up to ``limit`` characters; what cannot be printed is refused."""

    def read(text: str) -> str:
        if len(text) > limit or not text.isprintable():
            raise ValueError("not plain text")
        return text

    return read


def list_of(read: Callable[[str], str]) -> Callable[[str], tuple[str, ...]]:
    """Make a reader of a list whose items are parted by ``|``; an empty or repeated item is refused."""

    def read_list(text: str) -> tuple[str, ...]:
        items = tuple(read(item.strip()) for item in text.split("|")) if text else ()
        if len(set(items)) != len(items) or not all(items):
            raise ValueError("an empty or repeated item")
        return items

    return read_list


def read_rows(stream: BinaryIO, columns: Sequence[Column], findings: FileFindings) -> Iterator[Row]:
    """Read all rows, adding what is wrong to ``findings``; of a row of the wrong width nothing is yielded.

    Args:
        stream: the decompressed file, at most ``MAX_TABLE_BYTES``.
        columns: in the order of the header, those that are optional after the others.
        findings: where to put what is wrong. The caller asks ``refuse_if_any`` at the end.
    """
    header: list[Column] = []
    row_count = 0
    for line, cells in _lines_of_cells(stream, findings):
        if not header:
            header = _header(cells, columns)
            if not _header_holds(line, cells, header, findings):
                return
            continue
        row_count += 1
        if len(cells) != len(header):
            expected, found = f"{len(header)} values", f"{len(cells)} values"
            advice = "A value that holds a comma must stand in double quotes."
            findings.add("row_width", "row", expected, found, line=line, advice=advice)
            continue
        yield Row(line, dict(_values(line, cells, header, findings)))
    if not row_count and not findings:
        findings.add("table_not_empty", "file", "a header and at least one row", "no row" if header else "nothing")


def _lines_of_cells(stream: BinaryIO, findings: FileFindings) -> Iterator[tuple[int, list[str]]]:
    try:
        content = stream.read(MAX_TABLE_BYTES + 1)
    except OSError as error:
        findings.add("file_readable", "file", "a file that can be read", error.strerror or type(error).__name__)
        return
    if len(content) > MAX_TABLE_BYTES:
        findings.add("file_size", "file", f"at most {MAX_TABLE_BYTES} bytes", "more", advice="Split the table.")
        return
    if b"\0" in content:
        advice = "Export the sheet as CSV in UTF-8."
        findings.add("file_is_text", "file", "a CSV file in UTF-8", "binary or UTF-16 data", advice=advice)
        return
    for line, encoded in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not encoded.strip():
            continue
        try:
            text = encoded.removesuffix(b"\r").decode()
        except UnicodeDecodeError as error:
            found = f"a byte that is not, column {error.start + 1} of the line"
            findings.add("file_is_utf8", "row", "text in UTF-8", found, line=line, advice="Export as CSV in UTF-8.")
            continue
        if "\r" in text:
            found = "a carriage return inside the line"
            findings.add("row_ends", "row", "lines that end in LF or CRLF", found, line=line)
            continue
        try:
            cells = next(csv.reader((text,), strict=True), [])
        except csv.Error:
            found = "a quote that is not closed, or text beside a quoted value"
            advice = "Double a quote inside a value; a value holds no line break."
            findings.add("row_quotes", "row", "values parted by commas", found, line=line, advice=advice)
            continue
        yield line, [cell.strip() for cell in cells]


def _header(cells: list[str], columns: Sequence[Column]) -> list[Column]:
    """Give the columns that a header has to have: those required, then those of the optional ones that it names."""
    required = [column for column in columns if not column.optional]
    optional = {column.name: column for column in columns if column.optional}
    return required + [optional[name] for name in dict.fromkeys(cells[len(required) :]) if name in optional]


def _header_holds(line: int, cells: list[str], columns: Sequence[Column], findings: FileFindings) -> bool:
    names = [column.name for column in columns]
    if cells == names:
        return True
    # What stands there is not repeated: it may be no header but a row with an account number, or a remittance.
    missing = [name for name in names if name not in cells]
    if len(missing) == len(names):
        found = "a line with none of these names"
    elif missing:
        found = "no " + ", ".join(missing)
    elif len(cells) > len(names):
        found = f"{len(cells) - len(names)} more"
    else:
        found = "these names in another order"
    findings.add("header", "header", ",".join(names), found, line=line, advice="Give these columns in this order.")
    return False


def _values(
    line: int, cells: list[str], columns: Sequence[Column], findings: FileFindings
) -> Iterator[tuple[str, object]]:
    for column, cell in zip(columns, cells, strict=True):
        if not cell and not column.may_be_blank:
            findings.add("value_missing", column.name, column.expected, "nothing", line=line)
            continue
        try:
            yield column.name, column.read(cell)
        except ValueError:
            findings.add("value", column.name, column.expected, shown_shape(cell), line=line)
