"""An 835 file from the vault into the books, set by set: each is accepted, quarantined, a duplicate or in conflict.

Sets are taken in groups, one database transaction each, and a group is written while the next one is read. A set with
many claims has a transaction of its own and is copied as it is read, so memory stays constant. A file that was
interrupted is taken up again: what is recorded stays, the rest follows.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from typing import BinaryIO

from ingest.advices import AdviceWriter, make_partition
from ingest.directory import Directory
from ingest.received_set import ReceivedSet
from ingest.x12.model import FileEnd, SetEnd, SetHeader
from ingest.x12.reader import Event, read_remittances
from ledger.activity import Begin

GROUP_CLAIMS = 20_000
"""Claims, adjustments and findings of finished sets that are held before they are written together.

Twice as many are in memory at most, but for what one set has more.
"""
GROUP_SETS = 500
"""Sets that are held before they are written together."""


class RemittanceLoader:
    """Takes the sets of one received file over.

    Args:
        begin: opens a unit of work; several may be open at a time, in two threads.
        directory: who is who.
        file_id: the received file.
        actor: who acts.
        progress: told the bytes done so far after each group, and while a large set is copied.
    """

    def __init__(
        self,
        begin: Begin,
        directory: Directory,
        file_id: int,
        actor: str,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self._begin = begin
        self._directory = directory
        self._file_id = file_id
        self._actor = actor
        self._progress = progress or (lambda _: None)
        self._payments: Counter[tuple[str, str, str]] = Counter()
        self._group: list[ReceivedSet] = []
        self._held = 0
        self._in_flight: Future[int] | None = None
        """The group that is being written: gives the bytes that are done with it."""

    def load(self, stream: BinaryIO, name: str) -> FileEnd:
        """Read to the end; give what the envelopes say. A failed group's error comes before that of any later one.

        Raises:
            UnreadableError: the stream holds no 835; nothing was taken.
        """
        # At its end it waits for the group in flight, whatever happened meanwhile: that group is whole or not there.
        with ThreadPoolExecutor(1, "remittances") as helper:
            return self._load(read_remittances(stream, name), helper)

    def _load(self, events: Iterator[Event], helper: ThreadPoolExecutor) -> FileEnd:
        current = ReceivedSet(None, 1)
        for event in events:
            if isinstance(event, SetHeader):
                current = self._opened(event)
            elif isinstance(event, list):
                current.add_claims(event)
                if current.held_claims >= GROUP_CLAIMS:
                    self._flush()
                    self._load_large(current, events)
                    current = ReceivedSet(None, 1)
            elif isinstance(event, SetEnd):
                self._close(current, event)
                current = ReceivedSet(None, 1)
                if self._held >= GROUP_CLAIMS or len(self._group) >= GROUP_SETS:
                    self._hand_over(helper)
            else:
                self._flush()
                return event
        raise AssertionError("the reader ends with FileEnd")

    def _opened(self, header: SetHeader) -> ReceivedSet:
        payment = (header.payer_id, header.trace_number, header.payee_id)
        self._payments[payment] += 1
        return ReceivedSet.begun(header, self._payments[payment], self._directory)

    def _close(self, current: ReceivedSet, end: SetEnd) -> None:
        current.end = end
        if not end.balances:
            current.let_go()
        self._group.append(current)
        self._held += current.held_claims + len(end.plb) + len(end.findings)

    def _hand_over(self, helper: ThreadPoolExecutor) -> None:
        """Let the helper write the finished sets while the next ones are read; one group at a time."""
        self._wait()
        self._in_flight = helper.submit(self._write, self._taken_out())

    def _flush(self) -> None:
        """Write all finished sets before anything else is done."""
        self._wait()
        if self._group:
            self._progress(self._write(self._taken_out()))

    def _wait(self) -> None:
        """See the group in flight written, or learn why it is not."""
        in_flight, self._in_flight = self._in_flight, None
        if in_flight is not None:
            self._progress(in_flight.result())

    def _taken_out(self) -> list[ReceivedSet]:
        group, self._group, self._held = self._group, [], 0
        return group

    def _write(self, group: Sequence[ReceivedSet]) -> int:
        """Write finished sets, all in one transaction; give the offset of their end."""
        while months := self._write_unless_months_lack(group):
            self._make_partitions(months)
        return group[-1].verdict.byte_end

    def _write_unless_months_lack(self, group: Sequence[ReceivedSet]) -> list[date]:
        """Write finished sets; or give the months whose partitions lack, and write nothing."""
        with self._begin() as connection:
            writer = AdviceWriter(connection, self._directory, self._file_id, self._begin)
            recorded = writer.lock()
            fresh = [received for received in group if received.verdict.ordinal not in recorded]
            if months := writer.months_without_partition(fresh):
                return months
            if fresh:
                writer.number(fresh)
                writer.decide(fresh)
                writer.copy_claims([received for received in fresh if received.status == "accepted"])
                writer.finish(fresh, self._actor)
        return []

    def _load_large(self, large: ReceivedSet, events: Iterator[Event]) -> None:
        """Copy a set's claims as they come; when it ends badly, forget them and record the set alone."""
        self._make_partitions(self._months_without_partition(large))
        try:
            with self._begin() as connection:
                writer = AdviceWriter(connection, self._directory, self._file_id, self._begin)
                is_known = large.header is not None and large.header.ordinal in writer.lock()
                writer.number([large])
                if is_known or not writer.may_take(large):
                    self._read_on(large, events, ReceivedSet.let_go)
                else:
                    with writer.copying() as copy:
                        self._read_on(large, events, copy)
                if not is_known:
                    writer.decide([large])
                    if large.status != "accepted":
                        raise _NotTakenError  # noqa: TRY301 (leaving the block is what rolls the rows back)
                    writer.finish([large], self._actor)
        except _NotTakenError:
            self._write([large])
        self._progress(large.verdict.byte_end)

    def _read_on(self, large: ReceivedSet, events: Iterator[Event], take: Callable[[ReceivedSet], None]) -> None:
        """Read a set to its end, and have its claims taken block by block."""
        take(large)
        for event in events:
            if isinstance(event, SetEnd):
                large.end = event
                return
            if isinstance(event, list):
                large.add_claims(event)
                self._progress(event[-1].byte_end)
                take(large)

    def _months_without_partition(self, large: ReceivedSet) -> list[date]:
        with self._begin() as connection:
            writer = AdviceWriter(connection, self._directory, self._file_id, self._begin)
            return writer.months_without_partition([large])

    def _make_partitions(self, months: Sequence[date]) -> None:
        """Make the partitions that claims go to, outside of their transaction: it waits for all who write claims."""
        for month in months:
            with self._begin() as connection:
                make_partition(connection, month)


class _NotTakenError(Exception):
    """Leaves the unit of work without its rows; never seen outside."""
