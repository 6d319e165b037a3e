"""Cut the bytes of a file into lines of 94 characters, whatever the way they travelled did to them.

What is mended, with a warning: CR LF, no line ends at all, blanks stripped from line ends, blank lines.
What is not: longer lines and characters outside printable ASCII.
"""

from collections.abc import Iterator
from typing import BinaryIO, Final

from payouts.nacha.codes import RECORD_SIZE
from payouts.nacha.findings import refusal, warning
from schemas.collecting import FindingList
from schemas.errors import UnreadableError
from schemas.findings import Finding

FILE_BYTES_LIMIT: Final = 24 * 1024 * 1024
"""A file may have so many bytes: 130,000 entries with addenda, six times the nation's pharmacies; bounds the memory."""

_HARMLESS = "Nothing is lost by it."


def record_lines(stream: BinaryIO, name: str, findings: FindingList) -> Iterator[tuple[int, str]]:
    """Yield (number of the line, its 94 characters), filling up what was stripped.

    Raises:
        UnreadableError: more than ``FILE_BYTES_LIMIT`` bytes.
    """
    raw = stream.read(FILE_BYTES_LIMIT + 1)
    if len(raw) > FILE_BYTES_LIMIT:
        finding = Finding(
            rule="file_size",
            element="file",
            expected=f"at most {FILE_BYTES_LIMIT} bytes",
            found="more",
            advice="Check that this is a NACHA file; let the bank split it if it is.",
        )
        raise UnreadableError(name, [finding])
    # A trailing 0x1A is how some old systems mark the end of a file.
    lines = raw.rstrip(b"\x1a").splitlines()
    del raw
    if len(lines) == 1 and len(lines[0]) > RECORD_SIZE:
        findings.add(warning("line_ends", "record", "a line end after 94 characters", "none", 1, advice=_HARMLESS))
        whole = lines[0]
        lines = [whole[start : start + RECORD_SIZE] for start in range(0, len(whole), RECORD_SIZE)]
    for number, content in enumerate(lines, 1):
        # latin-1 gives every byte one character: columns stay where they are, and each character can be checked.
        line = content.decode("latin-1")
        if len(line) == RECORD_SIZE and line[0] != " " and line.isascii() and line.isprintable():
            yield number, line
        else:
            yield from _mended(number, line, findings)


def _mended(number: int, line: str, findings: FindingList) -> Iterator[tuple[int, str]]:
    bare = line.rstrip(" ")
    if not bare:
        findings.add(warning("line_blank", "record", "a record", "nothing", number, advice=_HARMLESS))
        return
    expected = f"{RECORD_SIZE} characters"
    if not (bare.isascii() and bare.isprintable()):
        place = next(place for place, letter in enumerate(bare, 1) if not " " <= letter <= "~")
        findings.add(refusal("characters", f"column {place}", "printable ASCII", "another character", number))
    if len(bare) > RECORD_SIZE:
        findings.add(refusal("line_length", "record", expected, f"{len(bare)} characters", number))
        return
    if len(line) != RECORD_SIZE:
        findings.add(warning("line_length", "record", expected, f"{len(line)} characters", number, advice=_HARMLESS))
    yield number, bare.ljust(RECORD_SIZE)
