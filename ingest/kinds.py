"""What kind of file this is, told by its content. Names and endings of files are not believed."""

import codecs
import re
from enum import StrEnum

from ingest.payers import PAYER_COLUMNS
from ingest.roster import ROSTER_COLUMNS
from schemas.errors import UnreadableError
from schemas.findings import Finding

HEAD_BYTES = 1 << 16
"""How much of a file ``detect_kind`` looks at."""

# The envelope's first elements have fixed widths (X12.5): with these, ISA inside a name or a letter is not mistaken.
_ISA = re.compile(r"ISA([^\w\s])..\1.{10}\1..\1.{10}\1", re.DOTALL | re.ASCII)
_ISA_AT_START = re.compile(r"ISA[^\w\s]", re.ASCII)
# Positions 35 to 40 of a NACHA file header: record size 094, blocking factor 10, format code 1.
_NACHA_SIZES = "094101"
_NACHA_BATCH = re.compile(r"5(?:200|220|225|280).{46}[A-Z]{3}")
_CAMT_NAMESPACE = re.compile(r"""["']urn:iso:std:iso:20022:tech:xsd:camt\.053\.|<(?:\w+:)?BkToCstmrStmt[\s>]""")


class FileKind(StrEnum):
    """Kinds of files that can be ingested."""

    REMITTANCE_835 = "remittance_835"
    """X12 835: what a payer says it paid, and for which claims."""
    BAI2 = "bai2"
    """BAI2 cash management report: what came in at the bank."""
    CAMT053 = "camt053"
    """ISO 20022 bank-to-customer statement: the same as XML."""
    NACHA = "nacha"
    """ACH file from the bank: returns and notifications of change."""
    ROSTER = "roster"
    """CSV of our member pharmacies."""
    PAYERS = "payers"
    """CSV of the payers that remit."""
    UNKNOWN = "unknown"
    """None of these."""


def detect_kind(head: bytes, name: str) -> FileKind:
    """Tell the kind of a file from the first ``HEAD_BYTES`` of its decompressed content.

    A file that is damaged but can only be meant as one kind is given that kind, so that its reader says what is wrong.

    Args:
        head: the beginning of the content; more than ``HEAD_BYTES`` is not looked at.
        name: the file as the user named it; no part of the decision.
    """
    del name
    text = _text(head[:HEAD_BYTES]).lstrip()
    if text.startswith("<"):
        return FileKind.CAMT053 if _CAMT_NAMESPACE.search(text) else FileKind.UNKNOWN
    first_line = text.partition("\n")[0].rstrip("\r")
    if text.startswith("01,"):
        return FileKind.BAI2
    if _is_nacha(first_line):
        return FileKind.NACHA
    names = [cell.strip().strip('"').lower() for cell in first_line.split(",")]
    for kind, columns in ((FileKind.ROSTER, ROSTER_COLUMNS), (FileKind.PAYERS, PAYER_COLUMNS)):
        # Half of the names is enough to know what is meant; the reader says which are missing.
        if columns[0] in names and 2 * len(set(columns) & set(names)) >= len(columns):
            return kind
    return FileKind.REMITTANCE_835 if _is_remittance(text) else FileKind.UNKNOWN


def unknown_kind(head: bytes, name: str) -> UnreadableError:
    """Make the error for a file of no known kind. It says what the file looks like and repeats none of its content."""
    finding = Finding(
        rule="kind_known",
        element="file",
        expected="an 835, BAI2, CAMT.053 or NACHA file, a roster or a payer file",
        found=_look(head[:HEAD_BYTES]),
        advice="Check that this is the file that was meant.",
    )
    return UnreadableError(name, [finding])


def _text(head: bytes) -> str:
    """Decode for looking only: every byte gives a character, so that no content is an error."""
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if head.startswith(mark):
            text = head.removeprefix(mark).decode(encoding, "replace")
            # Only XML may come in UTF-16; the other formats are bytes of one width by definition.
            return text if text.lstrip().startswith("<") else ""
    return head.removeprefix(codecs.BOM_UTF8).decode("latin-1")


def _is_nacha(first_line: str) -> bool:
    if first_line.startswith("101") and first_line[34:40] == _NACHA_SIZES:
        return True
    # A header with wrong sizes still has its 94 columns; files without line breaks have a multiple of them.
    if first_line.startswith("101 ") and len(first_line) % 94 == 0:
        return True
    return _NACHA_BATCH.match(first_line) is not None


def _is_remittance(text: str) -> bool:
    """Whether there is an X12 envelope, and no transaction set in sight, or an 835 among those in sight."""
    # Some senders break lines anywhere, even inside the envelope.
    joined = text.replace("\r", "").replace("\n", "")
    envelope = _ISA.search(joined) or _ISA_AT_START.match(joined)
    if envelope is None:
        return False
    separator = re.escape(joined[envelope.start() + 3])
    # re.ASCII matters: 0x1C to 0x1F, which serve as separators and terminators, are blanks to Unicode.
    # A set begins after a terminator, which is no letter, digit or separator, or which is a line break.
    terminated = re.findall(rf"[^\w\s{separator}]\s*ST{separator}(\d{{3}})\b", joined[envelope.start() :], re.ASCII)
    in_lines = re.findall(rf"[\r\n]\s*ST{separator}(\d{{3}})\b", text, re.ASCII)
    kinds = {*terminated, *in_lines}
    return not kinds or "835" in kinds


def _look(head: bytes) -> str:
    looks = {
        b"\x1f\x8b": "gzip data inside gzip data",
        b"PK\x03\x04": "a zip file or an office document",
        b"%PDF": "a PDF document",
        b"\xd0\xcf\x11\xe0": "an old office document",
        codecs.BOM_UTF16_LE: "text in UTF-16",
        codecs.BOM_UTF16_BE: "text in UTF-16",
    }
    look = next((look for magic, look in looks.items() if head.startswith(magic)), None)
    if look is not None:
        return look
    if not head.strip():
        return "nothing"
    if b"\0" in head:
        return "binary data"
    text = _text(head).lstrip()
    if text.startswith("<"):
        return "XML that is no CAMT.053"
    if _ISA_AT_START.match(text):
        return "an X12 interchange without an 835"
    return "text of no known form"
