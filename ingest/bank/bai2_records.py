"""BAI2 records: lines to logical records, and where in them a field ends.

Source: BAI Cash Management Balance Reporting Specifications, Version 2. A logical record is a line and the 88s after
it. Commas part its fields and ``/`` ends it, except in the text of a record 16: that holds commas and slashes as it
likes and runs on, through its 88s, to the next line that is no 88. So an 88 goes on with the same field where that is
text, and begins the next field everywhere else.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple

from ingest.bank.lines import shown
from schemas.collecting import FileFindings
from schemas.money import MAX_CENTS

CODES: Final = frozenset(("01", "02", "03", "16", "49", "88", "98", "99"))
PLAIN_FUNDS: Final = frozenset(("", "0", "1", "2", "Z"))
"""Funds types that nothing follows."""
FUNDS_PARTS: Final = "three amounts after S, date and time after V, the number of its parts and those after D"
_TEXT_PLACE = 6
"""Fields before the text of a record 16 with a plain funds type: record code to customer reference."""


class Record(NamedTuple):
    """A logical record as it stands in the file."""

    code: str
    line: int
    first: str
    """The first line, whole."""
    more: Sequence[str]
    """What follows ``88,`` in its continuations."""


class Detail(NamedTuple):
    """The fields of a record 16."""

    type_code: str
    amount: str
    funds_type: str
    bank_reference: str
    customer_reference: str
    pieces: list[str]
    """The text, line by line."""


def logical_records(lines: list[str], findings: FileFindings) -> Iterator[Record]:
    """Gather each line with its 88s; blank lines are passed over, other lines that are no records are findings."""
    code, first, at = "", "", 0
    more: list[str] = []
    for number, line in enumerate(lines, 1):
        head = line[:3]
        if head == "88,":
            if code:
                more.append(line[3:])
            else:
                _not_a_record(line, number, findings)
            continue
        if head[2:] == "," and head[:2] in CODES:
            if code:
                yield Record(code, at, first, more)
            code, first, at, more = head[:2], line, number, []
        elif line.strip():
            _not_a_record(line, number, findings)
    if code:
        yield Record(code, at, first, more)


def _not_a_record(line: str, number: int, findings: FileFindings) -> None:
    found = shown(line[:3].strip())
    advice = ""
    if line[:2].isdigit() and line[2:3] not in ("", ","):
        advice = "A comma must follow the record code."
    elif not line[:2].isdigit():
        advice = "Perhaps a text was broken into two lines; each further line begins with 88."
    findings.add("record_known", "record code", "01, 02, 03, 16, 49, 88, 98 or 99", found, line=number, advice=advice)


def closed_fields(record: Record, findings: FileFindings) -> list[str]:
    """Part a record that holds no text into its fields, the record code first."""
    fields: list[str] = []
    for offset, body in enumerate((record.first, *record.more)):
        fields.extend(_closed(body, record.line + offset, record.code, findings).split(","))
    return fields


def _closed(body: str, line: int, code: str, findings: FileFindings) -> str:
    """Take the ending ``/`` off a line, or say that it is not the only one or not there."""
    body = body.rstrip()
    content, slash, rest = body.partition("/")
    if rest:
        advice = "Several records stand on one line; ask the bank for a file with one record on each."
        findings.add(
            "one_record_a_line", f"record {code}", "the end of the line after /", "more of it", line=line, advice=advice
        )
    elif not slash:
        advice = "The line may have been cut off; fetch the file from the bank again."
        findings.add("record_ended", f"record {code}", "/ at the end of the line", "none", line=line, advice=advice)
    return content


def detail(record: Record, findings: FileFindings) -> Detail | None:
    """Part a record 16 into its fields; None when that is impossible, which is then a finding."""
    parts = record.first.split(",", _TEXT_PLACE)
    if len(parts) == 7 and parts[3] in PLAIN_FUNDS:
        _, type_code, amount, funds_type, bank, customer, text = parts
        pieces = [text.rstrip()]
        if record.more:
            pieces += [body.rstrip() for body in record.more]
    else:
        opened = _open(record, findings)
        if opened is None:
            return None
        fields, pieces = opened
        type_code, amount, funds_type, bank, customer = *fields[1:4], *fields[-2:]
    if pieces and pieces[0] in ("", "/"):
        del pieces[0]
    if pieces and pieces[-1][-1:] == "/" and all(piece[-1:] == "/" for piece in pieces):
        # The standard ends a text with nothing, but some banks write their / there as well. Told by the record alone,
        # so that the same item reads the same in every file.
        pieces = [piece[:-1].rstrip() for piece in pieces]
    return Detail(type_code, amount, funds_type, bank, customer, pieces)


def _open(record: Record, findings: FileFindings) -> tuple[list[str], list[str]] | None:
    """Take the fields and the text of a record 16 line by line: they may be parted anywhere and the funds type decides.

    Returns:
        The fields before the text, filled up with empty ones, and the lines of the text.
    """
    fields: list[str] = []
    pieces: list[str] = []
    bodies = [record.first, *record.more]
    for offset, raw in enumerate(bodies):
        body = raw.rstrip()
        place = _text_place(fields + body.removesuffix("/").split(","))
        if place is None and body.partition("/")[2]:
            _closed(body, record.line + offset, "16", findings)
            return None
        if place is None:
            expected = "0, 1, 2, S, V, D with the number of its parts, or Z"
            findings.add("funds_type", "record 16 field 4", expected, "another", line=record.line + offset)
            return None
        missing = max(place - len(fields), 0)
        parts = body.split(",", missing)
        if len(parts) > missing:
            pieces = [parts.pop(), *[further.rstrip() for further in bodies[offset + 1 :]]]
            fields.extend(parts)
            break
        fields.extend(_closed(body, record.line + offset, "16", findings).split(","))
    fields += [""] * ((_text_place(fields) or 0) - len(fields))
    if not parts_hold(fields[3], fields[4:-2]):
        findings.add("funds_parts", "record 16 field 5", FUNDS_PARTS, "another", line=record.line)
        return None
    return fields, pieces


def parts_hold(funds_type: str, parts: Sequence[str]) -> bool:
    """Say whether what follows a funds type can be that: else a reference stands where a part is missing.

    S: three amounts; V: date and time; D: how many, then days and amount of each. S and V may leave theirs empty.
    """
    return all(part.lstrip("+-").isdigit() or (not part and funds_type != "D") for part in parts)


def _text_place(fields: list[str]) -> int | None:
    """Count the fields of a record 16 before its text; None when the funds type tells nothing."""
    parts = parts_after(fields[3] if len(fields) > 3 else "", fields[4:5])
    return None if parts is None else _TEXT_PLACE + parts


def parts_after(funds_type: str, first: Sequence[str]) -> int | None:
    """Count the fields that belong to a funds type; None when it is none.

    Args:
        funds_type: as it stands in the file.
        first: the field after it, if there is one.
    """
    if funds_type in PLAIN_FUNDS:
        return 0
    if funds_type == "D":
        count = first[0] if first else "0"
        return 1 + 2 * int(count) if len(count) <= 3 and count.isascii() and count.isdigit() else None
    return {"S": 3, "V": 2}.get(funds_type)


def amount_of(text: str, line: int, element: str, findings: FileFindings) -> int:
    """Read an amount: digits with an optional sign, no point, in the smallest unit. What cannot be read counts 0."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    if digits.isdigit() and digits.isascii() and len(digits) <= 18:
        cents = int(digits)
        if cents < MAX_CENTS:
            return -cents if text[0] == "-" else cents
    findings.add("amount", element, "digits with an optional sign, no point", shown(text), line=line)
    return 0


def count_of(text: str, line: int, element: str, findings: FileFindings) -> int | None:
    """Read a number of records, accounts or groups; None when it is none."""
    if text.isdigit() and text.isascii() and len(text) <= 9:
        return int(text)
    findings.add("count", element, "a number", shown(text), line=line)
    return None


def date_of(text: str, line: int, element: str, findings: FileFindings) -> date | None:
    """Read a date as YYMMDD, all of them in this century; None when there is no such day."""
    if len(text) == 6 and text.isascii() and text.isdigit():
        try:
            return date(2000 + int(text[:2]), int(text[2:4]), int(text[4:]))
        except ValueError:
            pass
    findings.add("date", element, "a day as YYMMDD", shown(text), line=line)
    return None
