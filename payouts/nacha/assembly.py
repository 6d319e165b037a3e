"""Put the records of a file together, one line after the other: files, batches, entries, addenda.

A record that is missing, out of its place or unreadable is a finding, and reading goes on with the next one.

Source: Nacha Operating Rules, Appendix Three: a file is 1 (5 (6 7*)* 8)* 9, filled up to whole blocks.
"""

from dataclasses import dataclass, field

from payouts.nacha.codes import BLOCKING_FACTOR, UNREAD_CLASSES
from payouts.nacha.findings import ASK_SENDER, refusal, warning
from payouts.nacha.layout import Layout
from payouts.nacha.records import (
    ADDENDA,
    ANSWERS,
    BATCH_CONTROL,
    BATCH_HEADER,
    ENTRY,
    FILE_CONTROL,
    FILE_HEADER,
    RETURN_ADDENDA,
    Addenda,
    Batch,
    BatchControl,
    BatchHeader,
    Entry,
    FileControl,
    FileHeader,
    FileRecords,
)
from schemas.collecting import FindingList, shown_code

_TRUNCATED = "The file is cut off or badly put together; ask the sender for the whole of it."
_CONTROL_WIDTH = 55
"""Columns of a file control that are not blank."""


@dataclass(slots=True)
class _OpenFile:
    header: FileHeader | None
    record_count: int = 0
    batches: list[Batch] = field(default_factory=list)
    is_whole: bool = True


@dataclass(slots=True)
class _OpenBatch:
    header: BatchHeader | None
    """None when everything up to the batch control is passed over."""
    entries: list[Entry] = field(default_factory=list)
    is_whole: bool = True


class Assembly:
    """Takes the lines of a file in order; ``finish`` gives what they made."""

    def __init__(self, findings: FindingList) -> None:
        self.read_count = 0
        """Records that could be read, filler not counted."""
        self._findings = findings
        self._files: list[FileRecords] = []
        self._file: _OpenFile | None = None
        self._batch: _OpenBatch | None = None
        self._entry: tuple[int, tuple[str, ...]] | None = None
        self._addenda: list[Addenda] = []
        self._entry_is_lost = False
        self._filler_count = 0
        self._line = 0
        self._takers = {
            "1": self._take_file_header,
            "5": self._take_batch_header,
            "6": self._take_entry,
            "7": self._take_addenda,
            "8": self._take_batch_control,
            "9": self._take_file_control,
        }

    def take(self, number: int, line: str) -> None:
        """Take the next line.

        Args:
            number: of the line, first = 1.
            line: 94 characters.
        """
        self._line = number
        taker = self._takers.get(line[0])
        if taker is None:
            self._refuse("record_type", "record type", "1, 5, 6, 7, 8 or 9", shown_code(line[0]))
        else:
            taker(line)

    def finish(self) -> tuple[FileRecords, ...]:
        """End what is still open and give the files."""
        if self._file is not None:
            self._end_file(None, is_missing=True)
        self._check_filler()
        return tuple(self._files)

    def _take_file_header(self, line: str) -> None:
        if self._file is not None:
            self._end_file(None, is_missing=True)
        self._check_filler()
        fields = self._split(FILE_HEADER, line)
        header = None if fields is None else FileHeader(self._line, *(each.strip() for each in fields))
        self._file = _OpenFile(header, record_count=1)

    def _take_batch_header(self, line: str) -> None:
        file = self._count()
        self._end_batch(None, is_missing=True)
        fields = self._split(BATCH_HEADER, line)
        header = None
        if fields is not None:
            *texts, odfi, batch_number = (each.strip() for each in fields)
            header = BatchHeader(self._line, int(batch_number), odfi, *texts)
            if header.entry_class in UNREAD_CLASSES:
                advice = "Their records have other columns; let the bank send such entries in another file."
                self._refuse(
                    "entry_class", "batch header entry_class", "not ADV or IAT", header.entry_class, advice=advice
                )
                header = None
        if header is None:
            file.is_whole = False
        self._batch = _OpenBatch(header)

    def _take_entry(self, line: str) -> None:
        file = self._count()
        self._end_entry()
        self._entry_is_lost = False
        batch = self._batch
        if batch is None:
            self._refuse("entry_place", "entry", "a batch header before it", "none", advice=_TRUNCATED)
            file.is_whole = False
            self._entry_is_lost = True
        elif batch.header is not None:
            fields = self._split(ENTRY, line)
            if fields is None:
                self._lose_entry(batch)
            else:
                self._entry = self._line, fields

    def _take_addenda(self, line: str) -> None:
        file, batch = self._count(), self._batch
        if batch is None or self._entry is None:
            if batch is None:
                file.is_whole = False
            else:
                batch.is_whole = False
            if batch is None or (batch.header is not None and not self._entry_is_lost):
                self._refuse("addenda_place", "addenda", "an entry before it", "none", advice=_TRUNCATED)
            return
        is_answer = line[1:3] in ANSWERS
        fields = self._split(RETURN_ADDENDA if is_answer else ADDENDA, line)
        if fields is None:
            self._lose_entry(batch)
        elif is_answer:
            type_code, text, trace = fields
            self._addenda.append(Addenda(self._line, type_code, text.rstrip(), "", trace))
        else:
            type_code, text, sequence, trace = fields
            self._addenda.append(Addenda(self._line, type_code, text.rstrip(), sequence, trace))

    def _take_batch_control(self, line: str) -> None:
        file = self._count()
        if self._batch is None:
            self._refuse("batch_header_present", "batch control", "a batch header before it", "none", advice=_TRUNCATED)
            file.is_whole = False
            return
        fields = self._split(BATCH_CONTROL, line)
        control = None
        if fields is not None:
            service_class, count, entry_hash, debits, credits_, company_id, odfi, batch_number = fields
            control = BatchControl(
                self._line,
                service_class,
                int(count),
                int(entry_hash),
                int(debits),
                int(credits_),
                company_id.strip(),
                odfi,
                int(batch_number),
            )
        self._end_batch(control, is_missing=False)

    def _take_file_control(self, line: str) -> None:
        bare = line.rstrip(" ")
        if len(bare) > _CONTROL_WIDTH and not bare.strip("9"):
            if self._file is not None:
                self._end_file(None, is_missing=True)
            self._filler_count += 1
            return
        self._count()
        fields = self._split(FILE_CONTROL, line)
        control = None if fields is None else FileControl(self._line, *(int(each) for each in fields))
        self._end_file(control, is_missing=False)

    def _count(self) -> _OpenFile:
        """Count a record of the open file; without a file header before it, open one that has none."""
        if self._file is None:
            self._check_filler()
            self._refuse("file_header_present", "file header", "record 1 before any other", "none", advice=_TRUNCATED)
            self._file = _OpenFile(None)
        self._file.record_count += 1
        return self._file

    def _split(self, layout: Layout, line: str) -> tuple[str, ...] | None:
        fields = layout.split(line)
        if fields is None:
            for finding in layout.findings(self._line, line):
                self._findings.add(finding)
        else:
            self.read_count += 1
        return fields

    def _lose_entry(self, batch: _OpenBatch) -> None:
        """Give an entry up: one of its records is unreadable, and that has been said."""
        self._entry, self._addenda = None, []
        self._entry_is_lost = True
        batch.is_whole = False

    def _end_entry(self) -> None:
        if self._entry is None or self._batch is None:
            return
        number, (code, routing, account, amount, identification, name, discretionary, indicator, trace) = self._entry
        self._batch.entries.append(
            Entry(
                number,
                code,
                routing,
                account.rstrip(),
                int(amount),
                identification.rstrip(),
                name.rstrip(),
                discretionary.rstrip(),
                indicator == "1",
                trace,
                tuple(self._addenda),
            )
        )
        self._entry, self._addenda = None, []

    def _end_batch(self, control: BatchControl | None, *, is_missing: bool) -> None:
        batch, file = self._batch, self._file
        if batch is None or file is None:
            return
        self._end_entry()
        self._batch = None
        if is_missing:
            self._refuse(
                "batch_control_present", "batch control", "record 8 after the batch", "none", advice=_TRUNCATED
            )
        if batch.header is not None:
            file.batches.append(Batch(batch.header, tuple(batch.entries), control, batch.is_whole))

    def _end_file(self, control: FileControl | None, *, is_missing: bool) -> None:
        file = self._file
        if file is None:
            return
        self._end_batch(None, is_missing=True)
        self._file = None
        if is_missing:
            self._refuse(
                "file_control_present", "file control", "record 9 after the batches", "none", advice=_TRUNCATED
            )
        self._filler_count = 0
        self._files.append(FileRecords(file.header, tuple(file.batches), control, file.record_count, file.is_whole))

    def _check_filler(self) -> None:
        """Compare the filler after the last file with what fills its last block."""
        if not self._files:
            if self._filler_count:
                self._refuse("file_header_present", "filler", "a file before it", "none", advice=_TRUNCATED)
                self._filler_count = 0
            return
        expected = -self._files[-1].record_count % BLOCKING_FACTOR
        if self._filler_count != expected:
            advice = "The records are whole; nothing is lost by it."
            self._findings.add(warning("filler", "filler", expected, self._filler_count, self._line, advice=advice))

    def _refuse(self, rule: str, element: str, expected: str, found: str, *, advice: str = ASK_SENDER) -> None:
        self._findings.add(refusal(rule, element, expected, found, self._line, advice=advice))
