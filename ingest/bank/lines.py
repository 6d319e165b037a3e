"""Files of lines, as banks send them: the lines of a file, and what is found wrong in them."""

import re
from typing import BinaryIO, Final, NoReturn

from schemas.errors import UnreadableError
from schemas.findings import Finding

BYTES_LIMIT: Final = 16 << 20
"""No statement of one day comes near it: 400,000 lines. Read, it takes about 150 MB of memory."""
FINDINGS_LIMIT: Final = 100
"""So many findings of one file are kept; a file with more is not what it claims to be."""

_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f]")
_SHOWABLE = re.compile(r"[0-9A-Za-z]{1,2}|[+-]?[0-9.]{1,20}", re.ASCII)
"""A figure or a short code; a longer word could be a name that slipped into another field."""


class LineFindings:
    """The findings of one file, in the order in which they were met."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._kept: list[Finding] = []

    def __bool__(self) -> bool:
        return bool(self._kept)

    def add(self, rule: str, line: int | None, element: str, expected: str, found: str, *, advice: str = "") -> None:
        """Keep one finding.

        Raises:
            UnreadableError: that was one too many.
        """
        self._kept.append(Finding(rule=rule, line=line, element=element, expected=expected, found=found, advice=advice))
        if len(self._kept) >= FINDINGS_LIMIT:
            self.fail()

    def fail(self) -> NoReturn:
        """Refuse the file with what was found.

        Raises:
            UnreadableError: always.
        """
        raise UnreadableError(self._name, self._kept)


def shown(text: str) -> str:
    """Repeat a code or figure for a finding; anything longer or richer is only described."""
    if not text:
        return "nothing"
    return text if _SHOWABLE.fullmatch(text) else f"{len(text)} characters"


def _read(stream: BinaryIO) -> bytes:
    """Read to the end, or one byte beyond the limit; a pipe may give less than it is asked for."""
    blocks: list[bytes] = []
    missing = BYTES_LIMIT + 1
    while missing and (block := stream.read(missing)):
        blocks.append(block)
        missing -= len(block)
    return b"".join(blocks)


def read_lines(stream: BinaryIO, findings: LineFindings) -> list[str]:
    """Read a whole file as lines without their ends (LF, CRLF or CR); bytes that are not UTF-8 are taken as Latin-1.

    Raises:
        UnreadableError: the file is empty, too large, or not text.
    """
    content = _read(stream)
    if len(content) > BYTES_LIMIT:
        findings.add("file_size", None, "file", f"at most {BYTES_LIMIT} bytes", "more")
        findings.fail()
    control = _CONTROL.search(content)
    if control is not None:
        line = content.count(b"\n", 0, control.start()) + 1
        found = f"byte {control.group()[0]:02X} hex"
        advice = "Send the file as the bank made it, not packed."
        findings.add("file_is_text", line, "file", "text", found, advice=advice)
        findings.fail()
    if not content.strip():
        findings.add("file_not_empty", 1, "file", "records", "nothing", advice="Fetch the file from the bank again.")
        findings.fail()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
