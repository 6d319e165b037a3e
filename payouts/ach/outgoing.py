"""Files for the bank: payments, prenotes and reversals, each sent one way, whatever it holds.

The file's turn is taken, modifier and trace numbers are drawn, it is written and read back, the vault keeps its bytes,
and file and entries are recorded (``sent``), all in the caller's transaction. Only then is it left in a folder.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from io import BytesIO
from pathlib import Path

from sqlalchemy import Connection

from ingest.vault import Vault
from ledger.files import leaving
from payouts.ach.handover import see_handover
from payouts.ach.payout_file import PLAIN, FileForm, FileHead, FileKind, OutgoingEntry, make_ach_file
from payouts.ach.sent import SentEntry, SentFile, find_entry, next_modifier, record_file, take_traces
from payouts.cycle.cycles import Originator
from schemas.calendar import next_banking_day
from schemas.errors import RefusedError, WrongUseError

__all__ = [
    "PLAIN",
    "Courier",
    "FileForm",
    "FileKind",
    "OutgoingEntry",
    "Sending",
    "SentEntry",
    "SentFile",
    "find_entry",
    "leave_file",
    "record_file",
    "write_prenotes",
    "write_reversals",
]


class NothingToSendError(RefusedError):
    """There is no entry for the file."""

    def __init__(self, kind: FileKind) -> None:
        super().__init__(f"There are no {kind} to send")


class FileFolderError(WrongUseError):
    """The folder for a file can not be written to; the file itself is kept."""

    def __init__(self, path: Path, reason: str, ach_file_id: int) -> None:
        again = f"centralpay ach write {ach_file_id} --out DIR"
        super().__init__(f"{path} can not be written: {reason}. The file is kept; leave it elsewhere: {again}")


@dataclass(frozen=True, slots=True)
class Sending:
    """A file as it was sent: its record, the trace number of each entry in their order, whose names were cut."""

    file: SentFile
    traces: tuple[str, ...]
    cut_names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Courier:
    """Hands files over.

    Args:
        connection: of a unit of work; all of a file is recorded in it, or nothing.
        vault: keeps the bytes.
        originator: who sends.
        actor: who acts.
        made_at: the moment of making, by the bank's clock.
        form: how the bank wants its files.
    """

    connection: Connection
    vault: Vault
    originator: Originator
    actor: str
    made_at: datetime
    form: FileForm = PLAIN

    def of(self, originator: Originator) -> "Courier":
        """Give the same courier for another sender."""
        return replace(self, originator=originator)

    def send(
        self,
        kind: FileKind,
        entries: Sequence[OutgoingEntry],
        *,
        business_date: date,
        effective_on: date,
        name: str,
        cycle_id: int | None = None,
    ) -> Sending:
        """Write a file of these entries, keep it and record it.

        Args:
            kind: what they are.
            entries: at least one.
            business_date: the day of handing over.
            effective_on: the banking day on which they shall settle.
            name: of the file; ``{modifier}`` in it becomes the file's modifier.
            cycle_id: of a file of payouts.

        Raises:
            HandoverError, FilesOfDayError, TracesInUseError, NothingToSendError, NachaError: it can not be sent so.
        """
        if not entries:
            raise NothingToSendError(kind)
        largest = max(each.amount_cents for each in entries)
        days = {"business_date": business_date, "effective_on": effective_on}
        see_handover(self.connection, **days, made_at=self.made_at, largest_cents=largest)
        modifier = next_modifier(self.connection, business_date)
        has_offset = self.form.offset_account is not None and kind is not FileKind.PRENOTES
        sequences = take_traces(self.connection, len(entries) + has_offset, self.originator.odfi_routing, business_date)
        reference = f"CP{cycle_id}" if cycle_id else kind.value.upper()
        head = FileHead(**days, made_at=self.made_at, id_modifier=modifier, reference=reference[:8])
        made = make_ach_file(kind, entries, sequences, self.originator, head=head, form=self.form)
        name = name.replace("{modifier}", modifier)
        facts = {
            "kind": kind.value,
            "cycle_id": cycle_id,
            **days,
            "id_modifier": modifier,
            "name": name,
            "sha256": self.vault.store(BytesIO(made.data), name).sha256,
            "credit_cents": made.credit_cents,
            "debit_cents": made.debit_cents,
        }
        rows = list(zip(made.traces, entries, strict=not has_offset))
        offset = (made.traces[-1], made.offset_cents) if has_offset else None
        file = record_file(self.connection, facts, rows, self.actor, offset=offset)
        return Sending(file, made.traces[: len(entries)], made.cut_names)


def write_prenotes(
    courier: Courier, entries: Sequence[OutgoingEntry], *, business_date: date, effective_on: date | None = None
) -> Sending:
    """Send a file of prenotes, one for each change of bank details (``change_id``).

    Args:
        courier: hands it over.
        entries: amount zero, no payout.
        business_date: the day of handing over.
        effective_on: the banking day of settlement; the next one when it is not said.

    Raises:
        The same as ``Courier.send``.
    """
    effective_on = effective_on or next_banking_day(business_date)
    name = f"{business_date}-prenotes-{{modifier}}.ach"
    return courier.send(FileKind.PRENOTES, entries, business_date=business_date, effective_on=effective_on, name=name)


def write_reversals(
    courier: Courier, entries: Sequence[OutgoingEntry], *, business_date: date, effective_on: date | None = None
) -> Sending:
    """Send a file of debits that take payouts back; ``reversals`` says which may be.

    Args:
        courier: hands it over; its originator is the one of the payouts.
        entries: the payout, its whole amount, and the account that got it.
        business_date: the day of handing over.
        effective_on: the banking day of settlement; the next one when it is not said.

    Raises:
        The same as ``Courier.send``; PayoutNotApprovedError from the database when nobody approved it.
    """
    effective_on = effective_on or next_banking_day(business_date)
    name = f"{business_date}-reversals-{{modifier}}.ach"
    return courier.send(FileKind.REVERSALS, entries, business_date=business_date, effective_on=effective_on, name=name)


def leave_file(vault: Vault, file: SentFile, out: Path) -> Path:
    """Leave a sent file in a folder, readable by its owner alone; again writes the same bytes.

    Raises:
        FileFolderError: it can not be written there.
    """
    path = out / file.name
    try:
        out.mkdir(parents=True, exist_ok=True)
        with vault.open(file.sha256) as source, leaving(path) as target:
            shutil.copyfileobj(source, target)
    except OSError as error:
        raise FileFolderError(path, error.strerror or "", file.ach_file_id) from error
    return path
