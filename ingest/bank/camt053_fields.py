"""Fields of an ISO 20022 statement: found by path, read as amounts, days and codes, or said to be wrong.

Source: ISO 20022 message camt.053 (BankToCustomerStatement), versions 001.02 to 001.13.
"""

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Final

from lxml import etree

from ingest.bank.lines import shown
from schemas.collecting import FileFindings

LAST_TOLD_LINE: Final = 65_534
"""libxml2 counts the lines of elements no further; beyond it the path alone says where something stands."""
DETAILS: Final = "TxDtls"
"""The transactions of an entry are places of their own."""

_PASSED: Final = frozenset(("RltdPties", "RltdAgts", "RltdDts", "Chrgs", "Intrst", "Avlbty", "ValDt", "CardTx"))
"""Elements of which nothing is needed here: who the parties are, and what is charged for it."""
_AMOUNT = re.compile(r"[0-9]{1,13}\.[0-9]{2}", re.ASCII)
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T[0-9:.+\-Z]{5,30}|Z|[+-][0-9]{2}:[0-9]{2})?", re.ASCII)
_BREAK = re.compile(r"\s*[\r\n]\s*")


class Place:
    """An element with all that stands below it, by path, and where it stands itself, for findings.

    Args:
        element: of the statement; what is in other namespaces within is passed over.
        path: as ``Stmt[1]/Ntry[3]``.
        findings: where to say what is wrong.
    """

    __slots__ = ("_below", "element", "findings", "path")

    def __init__(self, element: etree._Element, path: str, findings: FileFindings) -> None:
        self.element = element
        self.path = path
        self.findings = findings
        self._below: dict[str, list[etree._Element]] = {}
        self._gather(element, "", _named(element.tag)[0])

    def _gather(self, element: etree._Element, base: str, namespace: str) -> None:
        below = self._below
        for child in element:
            within, name = _named(child.tag)
            if within != namespace or name in _PASSED:
                continue
            path = base + name
            if path in below:
                below[path].append(child)
            else:
                below[path] = [child]
            if name != DETAILS and len(child):
                self._gather(child, f"{path}/", namespace)

    @property
    def line(self) -> int | None:
        """Where it begins in the file; None where nobody counted so far."""
        return line_of(self.element)

    def refuse(self, rule: str, below: str, expected: str, found: str, *, advice: str = "") -> None:
        """Say what is wrong with something below this element."""
        where = f"{self.path}/{below}" if below else self.path
        self.findings.add(rule, where, expected, found, line=self.line, advice=advice)

    def places(self, path: str) -> Sequence["Place"]:
        """Give the elements of a path below as places of their own."""
        found = self._below.get(path, ())
        return [Place(each, f"{self.path}/{path}[{number}]", self.findings) for number, each in enumerate(found, 1)]

    def has(self, path: str) -> bool:
        """Say whether there is an element of a path below."""
        return path in self._below

    def _one(self, path: str) -> etree._Element | None:
        """Give the element of a path below, None where it is missing; a second one is a finding."""
        found = self._below.get(path)
        if found is None:
            return None
        if len(found) > 1:
            self.refuse("element_once", path, "one", f"{len(found)}")
        return found[0]

    def text(self, *paths: str) -> str:
        """Give the text of the first of the paths that has any, without blanks around it."""
        for path in paths:
            if path not in self._below:
                continue
            found = self._one(path)
            if found is not None and found.text and (text := found.text.strip()):
                return text
        return ""

    def texts(self, path: str) -> list[list[str]]:
        """Give the text of every element of a path, in order; each parted where a line break is within."""
        found = [each.text or "" for each in self._below.get(path, ())]
        return [[piece for piece in _BREAK.split(text) if piece.strip()] if "\n" in text else [text] for text in found]

    def code(self, path: str, *codes: str) -> str:
        """Give a code that has to be there and to be one of these; nothing where it is not, which is a finding."""
        found = self.text(path)
        if found in codes:
            return found
        self.refuse("code", path, " or ".join(codes), shown(found))
        return ""

    def cents(self, path: str, currency: str) -> int | None:
        """Read an amount with its two decimals as cents; None where there is none to read, which is a finding."""
        found = self._one(path)
        if found is None:
            self.refuse("amount", path, "an amount", "nothing")
            return None
        text, given = (found.text or "").strip(), found.get("Ccy", "")
        if given != currency:
            self.refuse("currency", f"{path}/@Ccy", currency, shown(given))
            return None
        if _AMOUNT.fullmatch(text) is None:
            self.refuse("amount", path, "digits, a point and two decimals", shown(text))
            return None
        return int(text.replace(".", ""))

    def currency(self, path: str) -> str:
        """Give the currency that an amount says, or nothing."""
        found = self._one(path)
        return "" if found is None else found.get("Ccy", "")

    def day(self, *paths: str) -> date | None:
        """Read the day of the first of the paths that is there; None where none is, or it is no day, a finding."""
        text = self.text(*paths)
        day = _day(text)
        if text and day is None:
            self.refuse("date", paths[0], "a day as YYYY-MM-DD", shown(text))
        return day


@lru_cache(maxsize=1024)
def _named(tag: object) -> tuple[str, str]:
    """Part a tag into its namespace and its name."""
    namespace, _, name = str(tag).rpartition("}")
    return namespace, name


@lru_cache(maxsize=1024)
def _day(text: str) -> date | None:
    match = _DAY.fullmatch(text)
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


def line_of(element: etree._Element) -> int | None:
    """Say on which line of the file an element begins; None where nobody counted so far."""
    line: object = element.sourceline
    return line if isinstance(line, int) and line <= LAST_TOLD_LINE else None
