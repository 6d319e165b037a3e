"""An 835 file from the vault into the books, set by set: each is accepted, quarantined, a duplicate or in conflict.

Sets are taken in groups, one database transaction each; a set with many claims has a transaction of its own, so memory
stays constant. A file that was interrupted is taken up again: what is recorded stays, the rest follows.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import BinaryIO

from sqlalchemy import Connection

from ingest.advices import AdviceWriter, ReceivedSet, make_partition
from ingest.directory import Directory
from ingest.x12.model import FileEnd, SetEnd, SetHeader
from ingest.x12.reader import Event, read_remittances
from ledger.activity import Begin
from ledger.posting import effective_date

GROUP_CLAIMS = 20_000
"""Claims of finished sets that are held before they are written together."""
GROUP_SETS = 500
"""Sets that are held before they are written together."""


class RemittanceLoader:
    """Takes the sets of one received file over.

    Args:
        begin: opens a unit of work.
        directory: who is who.
        file_id: the received file.
        actor: who acts.
        progress: told the bytes read so far after each group.
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
        self._group: list[ReceivedSet] = []
        self._held_claims = 0
        self._payments: Counter[tuple[str, str]] = Counter()
        self._months: set[date] = set()

    def load(self, stream: BinaryIO, name: str) -> FileEnd:
        """Read to the end; give what the envelopes say.

        Raises:
            UnreadableError: the stream holds no 835; nothing was taken.
        """
        events = read_remittances(stream, name)
        current = ReceivedSet(None, 1)
        for event in events:
            if isinstance(event, SetHeader):
                current = self._opened(event)
            elif isinstance(event, list):
                current.add_claims(event)
                if len(current.claims) >= GROUP_CLAIMS:
                    self._flush()
                    current = self._load_large(current, events)
            elif isinstance(event, SetEnd):
                self._close(current, event)
                current = ReceivedSet(None, 1)
            else:
                self._flush()
                return event
        raise AssertionError("the reader ends with FileEnd")

    def _opened(self, header: SetHeader) -> ReceivedSet:
        payment = (header.payer_id, header.trace_number)
        self._payments[payment] += 1
        return ReceivedSet(header, self._payments[payment])

    def _close(self, current: ReceivedSet, end: SetEnd) -> None:
        current.end = end
        if not end.balances:
            current.claims = []
        self._group.append(current)
        self._held_claims += len(current.claims)
        if self._held_claims >= GROUP_CLAIMS or len(self._group) >= GROUP_SETS:
            self._flush()

    def _flush(self) -> None:
        """Write the finished sets, all in one transaction."""
        group, self._group, self._held_claims = self._group, [], 0
        if not group:
            return
        self._make_months(group)
        with self._begin() as connection:
            writer = self._writer(connection)
            recorded = writer.lock()
            fresh = [received for received in group if received.verdict.ordinal not in recorded]
            writer.number(fresh)
            # In one order for everybody: loaders that meet the same advices wait for each other, never in a circle.
            for received in sorted(fresh, key=_identity):
                writer.decide(received)
            writer.copy_claims([received for received in fresh if received.status == "accepted"])
            writer.finish(fresh, self._actor)
        self._progress(group[-1].verdict.byte_end)

    def _load_large(self, large: ReceivedSet, events: Iterator[Event]) -> ReceivedSet:
        """Copy a set's claims as they come; when it ends badly, forget them and record the set alone."""
        self._make_months([large])
        try:
            with self._begin() as connection:
                writer = self._writer(connection)
                is_known = large.header is not None and large.header.ordinal in writer.lock()
                writer.number([large])
                is_copied = not is_known and self._has_period(connection, large) and not writer.is_taken(large)
                for event in events:
                    if isinstance(event, SetEnd):
                        large.end = event
                        break
                    if isinstance(event, list):
                        large.add_claims(event)
                    if not is_copied:
                        large.claims = []
                    elif len(large.claims) >= GROUP_CLAIMS:
                        self._progress(large.claims[-1].byte_end)
                        writer.copy_claims([large])
                if is_known:
                    return ReceivedSet(None, 1)
                writer.decide(large)
                if large.status != "accepted":
                    raise _NotTakenError  # noqa: TRY301 (leaving the block is what rolls the rows back)
                writer.copy_claims([large])
                writer.finish([large], self._actor)
        except _NotTakenError:
            large.claims = []
            self._group.append(large)
            self._flush()
        self._progress(large.verdict.byte_end)
        return ReceivedSet(None, 1)

    def _writer(self, connection: Connection) -> AdviceWriter:
        return AdviceWriter(connection, self._directory, self._file_id, self._begin)

    def _make_months(self, sets: Iterable[ReceivedSet]) -> None:
        """Make the partitions that claims of these sets go to, before their own transaction begins."""
        days = {received.header.settled_on for received in sets if received.header and received.claims}
        for month in sorted({day.replace(day=1) for day in days} - self._months):
            with self._begin() as connection:
                make_partition(connection, month)
            self._months.add(month)

    @staticmethod
    def _has_period(connection: Connection, received: ReceivedSet) -> bool:
        return received.header is not None and effective_date(connection, received.header.settled_on) is not None


def _identity(received: ReceivedSet) -> tuple[str, str, str, int]:
    header = received.header
    if header is None:
        return "", "", "", received.ordinal_in_payment
    return header.payer_id, header.trace_number, header.payee_id, received.ordinal_in_payment


class _NotTakenError(Exception):
    """Leaves the unit of work without its rows; never seen outside."""
