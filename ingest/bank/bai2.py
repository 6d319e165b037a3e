"""Read a BAI2 file: the bank's report of what stood on an account and what moved it.

Source: BAI Cash Management Balance Reporting Specifications, Version 2. Records nest as 01 (02 (03 16* 49)* 98)* 99,
and every trailer repeats the sum of all amounts and the number of all lines within, its own and the 88s counted.

All or nothing: a file is read whole or refused whole. Several records on one line are refused, even where a person
could part them: a text may hold ``/`` and ``16,``, so that two readers could part them differently.
"""

import re
from typing import TYPE_CHECKING, BinaryIO, Final

from ingest.bank.bai2_account import Account
from ingest.bank.bai2_records import Record, amount_of, closed_fields, count_of, date_of, logical_records
from ingest.bank.lines import read_lines, shown
from ingest.bank.statement import AsOfModifier, BankFile, BankItem, BankStatement, GroupStatus
from schemas.collecting import FileFindings, FindingList
from schemas.findings import Finding, Severity

if TYPE_CHECKING:
    from datetime import date

__all__ = ["AsOfModifier", "BankFile", "BankItem", "BankStatement", "GroupStatus", "read_bai2"]

_NEXT: Final = {
    "": ("01",),
    "01": ("02", "99"),
    "02": ("03", "98"),
    "03": ("16", "49"),
    "16": ("16", "49"),
    "49": ("03", "98"),
    "98": ("02", "99"),
    "99": (),
}
"""Which records may follow a record."""
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


WAIVABLE: Final = frozenset(("control_total", "record_count"))
"""Rules that a bank may break by its way of counting; then the balances have to be there, and to hold."""


def read_bai2(stream: BinaryIO, name: str, waived: frozenset[str] = frozenset()) -> BankFile:
    """Read a BAI2 file of at most 16 MB.

    Args:
        stream: the bytes, decompressed.
        name: the file as the user named it.
        waived: rules of ``WAIVABLE`` that an approver waived for this file: what breaks them becomes a warning.

    Returns:
        The file, in which everything foots: records 49, 98 and 99 in total and count; opening balance and items to
        closing balance, and items to their totals 100 and 400, wherever the bank gives these.

    Raises:
        UnreadableError: something does not foot or is no BAI2; with all findings, by line.
    """
    findings = FileFindings(name)
    lines = read_lines(stream, findings)
    if lines[0][:3] != "01,":
        advice = "This is no BAI2 file, or its beginning is missing."
        findings.add("file_header", "record code", "01,", shown(lines[0][:3].strip()), line=1, advice=advice)
        findings.refuse()
    reader = _Reader(findings, waived & WAIVABLE)
    for record in logical_records(lines, findings):
        reader.take(record)
    return reader.finish(len(lines) - (not lines[-1]))


class _Reader:
    """Walks the records of one file and keeps the sums of file, group and account."""

    def __init__(self, findings: FileFindings, waived: frozenset[str]) -> None:
        self._findings = findings
        self._waived = waived
        self._warnings = FindingList()
        self._last = ""
        self._created_on: date | None = None
        self._stated = 0
        self._file_total = self._file_lines = self._groups = 0
        self._group_total = self._group_lines = self._accounts = 0
        self._account: Account | None = None
        self._statements: list[BankStatement] = []
        self._take = {
            "01": self._file_header,
            "02": self._group_header,
            "03": self._account_header,
            "49": self._account_trailer,
            "98": self._group_trailer,
            "99": self._file_trailer,
        }

    def take(self, record: Record) -> None:
        """Take the next record."""
        if record.code not in _NEXT[self._last]:
            self._out_of_order(record)
        self._last = record.code
        if record.code == "16" and self._account is not None:
            self._account.add(record)
        else:
            self._take[record.code](record)

    def _out_of_order(self, record: Record) -> None:
        allowed = _NEXT[self._last]
        expected = " or ".join(allowed) if allowed else "the end of the file"
        advice = "" if allowed else "Give each file by itself."
        self._findings.add("record_order", "record code", expected, record.code, line=record.line, advice=advice)
        self._findings.refuse()

    def finish(self, lines: int) -> BankFile:
        """Give the file, or refuse it."""
        if self._last != "99":
            expected = " or ".join(_NEXT[self._last])
            advice = "The file was cut off; fetch it from the bank again."
            self._findings.add(
                "file_complete", "record code", expected, "the end of the file", line=lines, advice=advice
            )
        warnings = self._warnings.all()
        for statement in self._statements if warnings else ():
            if statement.opening_cents is None or statement.closing_cents is None:
                advice = "Where a total is waived, only balances tell whether an item is missing."
                expected = "an opening and a closing ledger balance"
                self._findings.add("balance_present", "record 03", expected, "none", line=statement.line, advice=advice)
        if self._findings or self._created_on is None:
            self._findings.refuse()
        return BankFile(self._file_id, self._created_on, tuple(self._statements), warnings)

    # Headers ---------------------------------------------------------------------------------------------------------

    def _fields(self, record: Record, least: int) -> list[str]:
        """Part a record into its fields; the ones missing at the end are empty."""
        fields = closed_fields(record, self._findings)
        return fields + [""] * (least - len(fields))

    def _file_header(self, record: Record) -> None:
        fields = self._fields(record, 9)
        self._file_lines = 1 + len(record.more)
        self._created_on = date_of(fields[3], record.line, "record 01 field 4", self._findings)
        self._file_id = fields[5]
        if fields[8] != "2":
            advice = "Ask the bank for BAI version 2."
            self._findings.add("version", "record 01 field 9", "2", shown(fields[8]), line=record.line, advice=advice)

    def _group_header(self, record: Record) -> None:
        fields = self._fields(record, 8)
        line, findings = record.line, self._findings
        self._group_total = self._accounts = 0
        self._group_lines = 1 + len(record.more)
        self._as_of = date_of(fields[4], line, "record 02 field 5", findings)
        self._currency = self._currency_of(fields[6] or "USD", line, "record 02 field 7")
        self._status = GroupStatus.UPDATE
        self._modifier = None
        if fields[3] in set(GroupStatus):
            self._status = GroupStatus(fields[3])
        else:
            findings.add("group_status", "record 02 field 4", "1, 2, 3 or 4", shown(fields[3]), line=line)
        if fields[7] in set(AsOfModifier):
            self._modifier = AsOfModifier(fields[7])
        elif fields[7]:
            findings.add("as_of_modifier", "record 02 field 8", "1, 2, 3, 4 or nothing", shown(fields[7]), line=line)

    def _currency_of(self, text: str, line: int, element: str) -> str:
        if _CURRENCY.fullmatch(text) is None:
            self._findings.add("currency", element, "three letters or nothing", shown(text), line=line)
        return text

    def _account_header(self, record: Record) -> None:
        fields = self._fields(record, 3)
        self._account = Account(record, fields, self._findings)
        self._account_currency = self._currency_of(fields[2] or self._currency, record.line, "record 03 field 3")

    # Trailers --------------------------------------------------------------------------------------------------------

    def _account_trailer(self, record: Record) -> None:
        fields = self._fields(record, 3)
        account = self._account
        if account is None:
            return
        account.lines += 1 + len(record.more)
        total_holds = self._total(record, fields[1], account.total)
        lines_hold = self._count(record, 3, fields[2], "lines", account.lines)
        balance_holds = account.check_balance(record.line)
        if not (total_holds and lines_hold and balance_holds):
            account.look_for_glued_records()
        # The next level sums what this one says of itself, so that one wrong figure is one finding.
        self._group_total += account.total if total_holds else self._stated
        self._group_lines += account.lines
        self._accounts += 1
        if self._as_of is not None and self._created_on is not None:
            statement = BankStatement(
                account=account.number,
                currency=self._account_currency,
                as_of=self._as_of,
                as_of_modifier=self._modifier,
                group_status=self._status,
                file_created_on=self._created_on,
                opening_cents=account.opening_cents,
                closing_cents=account.closing_cents,
                items=tuple(account.items),
                line=account.line,
            )
            self._statements.append(statement)
        self._account = None

    def _group_trailer(self, record: Record) -> None:
        fields = self._fields(record, 4)
        self._group_lines += 1 + len(record.more)
        total_holds = self._total(record, fields[1], self._group_total)
        self._count(record, 3, fields[2], "accounts", self._accounts)
        self._count(record, 4, fields[3], "lines", self._group_lines)
        self._file_total += self._group_total if total_holds else self._stated
        self._file_lines += self._group_lines
        self._groups += 1

    def _file_trailer(self, record: Record) -> None:
        fields = self._fields(record, 4)
        self._file_lines += 1 + len(record.more)
        self._total(record, fields[1], self._file_total)
        self._count(record, 3, fields[2], "groups", self._groups)
        self._count(record, 4, fields[3], "lines", self._file_lines)

    def _total(self, record: Record, text: str, total: int) -> bool:
        element = f"record {record.code} field 2"
        self._stated = amount_of(text, record.line, element, self._findings)
        if self._stated == total:
            return True
        advice = "An amount within is wrong or missing; fetch the file from the bank again."
        self._wrong("control_total", element, str(total), str(self._stated), line=record.line, advice=advice)
        return False

    def _count(self, record: Record, place: int, text: str, what: str, count: int) -> bool:
        element = f"record {record.code} field {place}"
        stated = count_of(text, record.line, element, self._findings)
        if stated is None or stated == count:
            return stated is not None
        self._wrong("record_count", element, f"{count} {what}", str(stated), line=record.line)
        return False

    def _wrong(self, rule: str, element: str, expected: str, found: str, *, line: int, advice: str = "") -> None:
        """Say that a total or count is wrong: a warning where an approver waived that."""
        if rule not in self._waived:
            self._findings.add(rule, element, expected, found, line=line, advice=advice)
            return
        said = "An approver waived this rule for the file."
        finding = Finding(rule=rule, element=element, expected=expected, found=found, line=line, advice=said)
        self._warnings.add(finding.model_copy(update={"severity": Severity.WARN}))
