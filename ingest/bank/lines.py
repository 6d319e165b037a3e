"""Files of lines, as banks send them: the lines of a file, and what is found wrong in them."""

import re
from typing import BinaryIO, Final

from schemas.collecting import FileFindings

BYTES_LIMIT: Final = 16 << 20
"""No statement of one day comes near it: 400,000 lines. Read, it takes about 150 MB of memory."""

_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f]")
_SHOWABLE = re.compile(r"[0-9A-Za-z]{1,2}|[+-]?[0-9.]{1,20}", re.ASCII)
"""A figure or a short code; a longer word could be a name that slipped into another field."""


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


def read_lines(stream: BinaryIO, findings: FileFindings) -> list[str]:
    """Read a whole file as lines without their ends (LF, CRLF or CR); bytes that are not UTF-8 are taken as Latin-1.

    Raises:
        UnreadableError: the file is empty, too large, or not text.
    """
    content = _read(stream)
    if len(content) > BYTES_LIMIT:
        findings.add("file_size", "file", f"at most {BYTES_LIMIT} bytes", "more")
        findings.refuse()
    control = _CONTROL.search(content)
    if control is not None:
        line = content.count(b"\n", 0, control.start()) + 1
        found = f"byte {control.group()[0]:02X} hex"
        advice = "Send the file as the bank made it, not packed."
        findings.add("file_is_text", "file", "text", found, line=line, advice=advice)
        findings.refuse()
    if not content.strip():
        findings.add(
            "file_not_empty", "file", "records", "nothing", line=1, advice="Fetch the file from the bank again."
        )
        findings.refuse()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
