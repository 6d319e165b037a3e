"""A set in conflict, read again from the vault and booked as the advice that takes another's place.

The set is read twice: first to know all of it, whose claims it holds and whether it can be booked; then, when the
advice that it replaces is out of the way, to copy its claims. Offsets are those of the whole file, so what is kept of
each claim leads to its bytes.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from typing import BinaryIO

from sqlalchemy import Connection

from ingest.advices import AdviceWriter, make_partition
from ingest.directory import Directory
from ingest.received_set import ReceivedSet, SplitError
from ingest.x12.model import SetEnd, SetHeader
from ingest.x12.reader import read_remittances

Opened = Callable[[], AbstractContextManager[BinaryIO]]
"""Opens the bytes of a received file, from their beginning."""


class ConflictingSet:
    """A set in conflict, while it is taken over within one database transaction.

    Args:
        connection: of the unit of work that commits or forgets all of it.
        opened: opens the file that holds it.
        name: the file's, for messages.
        file_id: the received file.
        set_ordinal: which of its sets.
    """

    def __init__(self, connection: Connection, opened: Opened, name: str, *, file_id: int, set_ordinal: int) -> None:
        self._connection = connection
        self._opened = opened
        self._name = name
        self._set_ordinal = set_ordinal
        self._directory = Directory.load(connection)
        self._writer = AdviceWriter(connection, self._directory, file_id, self._same)
        self._unknown: set[str] = set()

    def read(self) -> ReceivedSet:
        """Read the set to its end, and see that the books can hold it; keep none of its claims.

        Raises:
            UnreadableError: the file is no 835.
            SplitError: the file has no such set, or it does not foot.
        """
        received = self._pass(self._note)
        if not received.verdict.balances or received.header is None:
            raise SplitError(f"Set {self._set_ordinal} of {self._name} does not foot; it can not be booked.")
        # First of all that is locked: who writes claims waits for it.
        make_partition(self._connection, received.header.settled_on)
        self._writer.register(self._unknown)
        return received

    def book(self, replaces: int, approval_id: int, *, day: date, actor: str) -> ReceivedSet:
        """Book the set as an advice that takes the place of another, which has given its identity up on a day.

        Raises:
            SplitError: a fault of ours: the identity is taken, or the shares do not add up.
        """
        (number,) = self._writer.new_ids(1)
        with self._writer.copying() as copy:

            def write(received: ReceivedSet) -> None:
                received.advice_id = number
                copy(received)

            received = self._pass(write)
        received.advice_id = number
        self._writer.decide([received])
        if received.status != "accepted":
            raise SplitError(f"Set {self._set_ordinal} of {self._name} is {received.status}; it can not be booked.")
        self._writer.take_place(received, replaces, approval_id, day=day, actor=actor)
        return received

    def _pass(self, take: Callable[[ReceivedSet], None]) -> ReceivedSet:
        """Read the file up to the end of the set; hand its claims over block by block."""
        payments: Counter[tuple[str, str, str]] = Counter()
        current: ReceivedSet | None = None
        with self._opened() as stream:
            for event in read_remittances(stream, self._name):
                if isinstance(event, SetHeader):
                    payment = (event.payer_id, event.trace_number, event.payee_id)
                    payments[payment] += 1
                    current = None
                    if event.ordinal == self._set_ordinal:
                        current = ReceivedSet.begun(event, payments[payment], self._directory)
                elif current is not None and isinstance(event, list):
                    current.add_claims(event)
                    take(current)
                elif current is not None and isinstance(event, SetEnd):
                    current.end = event
                    return current
        raise SplitError(f"{self._name} has no set {self._set_ordinal} that can be booked.")

    def _note(self, received: ReceivedSet) -> None:
        if received.rows is not None:
            self._unknown.update(received.rows.unknown)
            received.let_go()

    @contextmanager
    def _same(self) -> Iterator[Connection]:
        """Give the writer this transaction where it would open another: all of a replacement stands or falls."""
        yield self._connection
