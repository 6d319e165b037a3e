"""Read a CAMT.053 file: the booked statements of a bank as XML.

Source: ISO 20022 message camt.053 (BankToCustomerStatement), versions 001.02 to 001.13. Read as a stream: an entry is
let go when it was read. Document types and entities are refused; nothing is fetched.

All or nothing, as with BAI2: a file is read whole or refused whole.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import BinaryIO, Final

from lxml import etree

from ingest.bank.camt053_fields import Place, line_of
from ingest.bank.camt053_statement import StatementPage, joined_pages
from ingest.bank.lines import shown
from ingest.bank.statement import BankFile
from schemas.collecting import FileFindings, FindingList

BYTES_LIMIT: Final = 512 << 20
"""A statement of 500,000 entries with their details; read, these take about 400 MB of memory."""

_ROOT = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.(0[2-9]|1[0-3])\}Document", re.ASCII)
_WANTED: Final = ("Document", "GrpHdr", "Stmt", "StmtPgntn", "Acct", "Bal", "TxsSummry", "Ntry")
"""Elements that are looked at when they begin or end; what is within them is read then."""


def read_camt053(stream: BinaryIO, name: str) -> BankFile:
    """Read a CAMT.053 file of at most 512 MB.

    Args:
        stream: the bytes, decompressed.
        name: the file as the user named it.

    Returns:
        The file, in which everything foots: opening balance and entries to closing balance, transactions to entries,
        entries to the bank's own sums. Entries that are not booked are left out, with a warning.

    Raises:
        UnreadableError: something does not foot or is no such XML; with all findings, by line and path.
    """
    findings = FileFindings(name)
    reader = _Reader(findings)
    source = _Bounded(stream)
    try:
        for event, element in _elements(source, findings):
            reader.take(event, element)
    except etree.XMLSyntaxError as error:
        advice = "The file is cut off, damaged or no XML; fetch it from the bank again."
        line = error.position[0] or None
        findings.add("xml_well_formed", "file", "well-formed XML", "a fault", line=line, advice=advice)
    if source.is_over:
        findings.add("file_size", "file", f"at most {BYTES_LIMIT} bytes", "more")
    return reader.finish()


class _Reader:
    """Walks the elements of one file; entries are let go as soon as they are read."""

    def __init__(self, findings: FileFindings) -> None:
        self._findings = findings
        self._pages: list[StatementPage] = []
        self._statement: etree._Element | None = None
        self._file_id = ""
        self._created_on: date | None = None
        self._entries = 0

    def take(self, event: str, element: etree._Element) -> None:
        """Take the beginning of a statement, or the end of any element that is looked at."""
        name, parent = _name(element), element.getparent()
        if event == "start":
            if name == "Stmt" and parent is not None and _name(parent) == "BkToCstmrStmt":
                self._statement = element
                self._entries = 0
                self._pages.append(StatementPage(Place(element, f"Stmt[{len(self._pages) + 1}]", self._findings)))
        elif self._statement is None:
            if name == "GrpHdr":
                self._take_header(Place(element, name, self._findings))
            elif name == "Ntry":
                self._misplaced(element)
        elif element is self._statement:
            page = self._pages[-1]
            page.take_rest(Place(element, page.path, self._findings))
            self._statement = None
            element.clear()
        elif parent is self._statement:
            self._take_part(name, element, parent)
        elif name == "Ntry":
            self._misplaced(element)

    def _take_part(self, name: str, element: etree._Element, statement: etree._Element) -> None:
        page = self._pages[-1]
        if name == "Ntry":
            self._entries += 1
            page.take_entry(Place(element, f"{page.path}/Ntry[{self._entries}]", self._findings))
            before = element.getprevious()
            if before is not None and before.tag == element.tag:
                statement.remove(before)
            return
        takers = {
            "StmtPgntn": page.take_page,
            "Acct": page.take_account,
            "Bal": page.take_balance,
            "TxsSummry": page.take_summary,
        }
        if name in takers:
            takers[name](Place(element, f"{page.path}/{name}", self._findings))

    def _take_header(self, place: Place) -> None:
        self._file_id = place.text("MsgId")
        self._created_on = place.day("CreDtTm")
        number, last = place.text("MsgPgntn/PgNb") or "1", place.text("MsgPgntn/LastPgInd") or "true"
        if number.lstrip("0") != "1" or last not in {"true", "1"}:
            advice = "Ask the bank for the statement in one message."
            place.refuse("pages_complete", "MsgPgntn", "page 1, the last", f"page {shown(number)}", advice=advice)

    def _misplaced(self, element: etree._Element) -> None:
        self._findings.add("entry_place", "Ntry", "within a Stmt", "elsewhere", line=line_of(element))

    def finish(self) -> BankFile:
        """Give the file, or refuse it."""
        self._findings.refuse_if_any()
        statements = tuple(joined_pages(self._pages, self._created_on))
        if not self._pages:
            advice = "Ask the bank for the statement of the day."
            self._findings.add("file_has_statements", "Stmt", "at least one statement", "none", advice=advice)
        self._findings.refuse_if_any()
        kept = FindingList()
        for warning in (each for page in self._pages for each in page.warnings()):
            kept.add(warning)
        created_on = self._created_on or max(each.as_of for each in statements)
        return BankFile(self._file_id, created_on, statements, kept.all())


def _name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


class _Bounded:
    """A stream that ends at the limit."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._left = BYTES_LIMIT
        self.is_over = False

    def read(self, size: int = -1) -> bytes:
        """Read on, up to the limit."""
        block = self._stream.read(size if 0 <= size <= self._left else self._left + 1)
        self._left -= len(block)
        if self._left < 0:
            self.is_over = True
            return b""
        return block


def _elements(source: _Bounded, findings: FileFindings) -> Iterator[tuple[str, etree._Element]]:
    """Give the beginnings and ends of elements while the file is read; its first one says what it is."""
    events = etree.iterparse(
        source,
        events=("start", "end"),
        tag=[f"{{*}}{name}" for name in _WANTED],
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    is_checked = False
    for event, element in events:
        if not is_checked:
            _check_root(element.getroottree().getroot(), findings)
            is_checked = True
        yield event, element
    if not is_checked and events.root is not None:
        _check_root(events.root, findings)


def _check_root(root: etree._Element, findings: FileFindings) -> None:
    if root.getroottree().docinfo.internalDTD is not None:
        advice = "A statement needs no document type; ask the bank for the file without it."
        findings.add("no_document_type", "DOCTYPE", "none", "one", line=1, advice=advice)
        findings.refuse()
    if _ROOT.fullmatch(str(root.tag)) is None:
        expected = "Document in the namespace of camt.053.001.02 to .13"
        findings.add("namespace", "Document", expected, "another", line=1, advice="Ask the bank for CAMT.053.")
        findings.refuse()
