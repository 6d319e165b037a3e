"""What a bank does otherwise than the format says, and is let through by name: each leniency waives certain findings.

What is waived is told as a warning, never passed over in silence. No leniency touches amounts, totals of money, routing
numbers, transaction codes or characters: those are refused from everybody.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from payouts.nacha.findings import warning
from payouts.nacha.records import ANSWERS
from schemas.collecting import FindingList
from schemas.findings import Finding, Severity


class Leniency(StrEnum):
    """A habit of a bank that is let through."""

    MISSING_FILE_HEADER = "missing_file_header"
    """Files begin with a batch: record 1 is left out."""
    MISSING_BATCH_CONTROL = "missing_batch_control"
    """Batches end without record 8; their counts and totals are then not checked."""
    MISSING_FILE_CONTROL = "missing_file_control"
    """Files end without record 9; counts and totals of the file are then not checked."""
    BLOCK_COUNT = "block_count"
    """The file control counts blocks otherwise, such as without the filler."""
    BATCH_COUNT = "batch_count"
    """The file control counts batches otherwise."""
    ENTRY_COUNT = "entry_count"
    """Controls count entries otherwise, such as without addenda."""
    ENTRY_HASH = "entry_hash"
    """Controls have no entry hash, or one that does not fit."""
    LOWER_CASE_CODES = "lower_case_codes"
    """File id modifier, entry class and reason codes are written in small letters."""
    TRACE_ORDER = "trace_order"
    """Trace numbers do not ascend, as where returns of several files stand in one batch."""
    ADDENDA_INDICATOR = "addenda_indicator"
    """Entries have an addenda and say that they have none."""
    ADDENDA_TRACE = "addenda_trace"
    """Addenda do not repeat the end of their entry's trace number."""
    CONTROL_COMPANY = "control_company"
    """Batch controls do not repeat the company identification of the header."""
    COMPANY_NAME = "company_name"
    """Batch headers have no company name, or zeros."""
    IMPOSSIBLE_DATES = "impossible_dates"
    """Creation and effective dates, or times, that do not exist."""


_WAIVED: Final[Mapping[Leniency, frozenset[str]]] = {
    Leniency.MISSING_FILE_HEADER: frozenset({"file_header_present"}),
    Leniency.MISSING_BATCH_CONTROL: frozenset({"batch_control_present"}),
    Leniency.MISSING_FILE_CONTROL: frozenset({"file_control_present"}),
    Leniency.BLOCK_COUNT: frozenset({"file_block_count"}),
    Leniency.BATCH_COUNT: frozenset({"file_batch_count"}),
    Leniency.ENTRY_COUNT: frozenset({"batch_entry_addenda_count", "file_entry_addenda_count"}),
    Leniency.ENTRY_HASH: frozenset({"batch_entry_hash", "file_entry_hash"}),
    Leniency.LOWER_CASE_CODES: frozenset(),
    Leniency.TRACE_ORDER: frozenset({"trace_order"}),
    Leniency.ADDENDA_INDICATOR: frozenset({"addenda_unsaid"}),
    Leniency.ADDENDA_TRACE: frozenset({"addenda_trace"}),
    Leniency.CONTROL_COMPANY: frozenset({"batch_company_id_agrees"}),
    Leniency.COMPANY_NAME: frozenset({"company_name"}),
    Leniency.IMPOSSIBLE_DATES: frozenset({"created_on", "created_time", "effective_date"}),
}
_CODE_COLUMNS: Final = {"1": slice(33, 34), "5": slice(50, 53), "7": slice(3, 6)}
"""By record type: the columns of the codes that may come in small letters."""


class LenientFindings(FindingList):
    """The findings of a file of one bank: what it may do otherwise becomes a warning that names the leniency.

    Args:
        leniency: what is let through.
    """

    def __init__(self, leniency: frozenset[Leniency]) -> None:
        super().__init__()
        self._names = {rule: each for each in sorted(leniency) for rule in _WAIVED[each]}

    def add(self, finding: Finding) -> None:
        """Keep a finding, as a warning where it is waived."""
        name = self._names.get(finding.rule)
        if name is not None and finding.severity is Severity.REFUSE:
            told = {"severity": Severity.WARN, "advice": f"Let through for this bank by the leniency {name}."}
            finding = finding.model_copy(update=told)
        super().add(finding)


def with_capital_codes(number: int, line: str, findings: FindingList) -> str:
    """Write the codes of a record in capitals, and warn where that changed them.

    Args:
        number: of the line, first = 1.
        line: 94 characters.
        findings: takes the warning.
    """
    columns = _CODE_COLUMNS.get(line[0])
    if columns is None or (line[0] == "7" and line[1:3] not in ANSWERS):
        return line
    code = line[columns]
    if code == code.upper():
        return line
    advice = f"Let through for this bank by the leniency {Leniency.LOWER_CASE_CODES}."
    element = f"columns {columns.start + 1} to {columns.stop}"
    findings.add(warning("code_case", element, "capital letters", "small letters", number, advice=advice))
    return line[: columns.start] + code.upper() + line[columns.stop :]
