"""What a release leaves in a folder: the NACHA file for the bank's courier, the members' 835s, and a list of them.

The vault holds the same bytes for ever, so a delivery can be repeated, and what a kill leaves half done is done again.
Each file is made beside its place and renamed; files with patients or account numbers are for their owner's eyes only.
"""

import csv
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from ingest.vault import Vault
from ledger.activity import Begin
from ledger.files import leaving
from ledger.queries import Queries
from payouts.errors import OutFolderError
from payouts.papers.printing import NOTICE_FOLDER, Printing
from payouts.remittances.child_file import Progress
from payouts.spreadsheet import plain_cell
from schemas.money import text_from_cents

CHILD_FOLDER: Final = "835"

_QUERIES = Queries("payouts", "remittances.sql")
_COPY_BYTES = 1 << 20
_TOLD_EVERY = 100
_HEADER = (
    *("ncpdp", "file", "set", "payer id", "payer name", "payer's trace", "claims", "claims amount"),
    *("payer's PLB", "ours", "BPR02", "our trace", "method"),
)


@dataclass(frozen=True)
class Delivery:
    """Delivers what one released cycle sends.

    Args:
        begin: opens a unit of work.
        vault: holds the bytes.
        cycle_id: the cycle.
        out: the folder.
    """

    begin: Begin
    vault: Vault
    cycle_id: int
    out: Path

    def prepare(self, *, released: bool = False) -> None:
        """Make the folder before anything leaves: a typing error in its name is found in time.

        Args:
            released: the cycle was released before this; else a folder that can not be made leaves it as it is.

        Raises:
            OutFolderError: it can not be made.
        """
        try:
            self.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutFolderError(self.cycle_id, str(self.out), error.strerror or "", released=released) from error

    def payments(self, path: Path, sha256: str) -> None:
        """Leave the NACHA file; two releases at once write the same bytes, each beside the place.

        Raises:
            OutFolderError: it can not be written; the cycle is released.
        """
        with self._written(path), self.vault.open(sha256) as source, leaving(path) as target:
            shutil.copyfileobj(source, target, _COPY_BYTES)

    def children(self, sha256: str, progress: Progress) -> None:
        """Leave each member's 835 and the list of them; one delivery of a cycle at a time.

        Raises:
            OutFolderError: one can not be written; the cycle is released.
        """
        folder = self.out / CHILD_FOLDER
        making = folder / f".cycle-{self.cycle_id}"
        with self.begin() as connection, self._written(folder):
            # What a killed delivery left is nobody else's: only who holds the cycle's turn works there.
            connection.execute(_QUERIES["lock_delivery"], {"cycle_id": self.cycle_id})
            folder.mkdir(mode=0o700, exist_ok=True)
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir(mode=0o700)
            self._cut(connection, sha256, making, progress)
            self._list(connection, making)
            for path in making.iterdir():
                path.replace(folder / path.name)
            making.rmdir()

    def notices(self, sha256: str, progress: Progress) -> int:
        """Leave the notice of each payment as a PDF, and the list of the payments; give how many notices there are.

        Raises:
            OutFolderError: one can not be written; the cycle is released.
            PrintingStoppedError: a process that sets them was ended; the cycle is released, and the next time goes on.
        """
        folder = self.out / NOTICE_FOLDER
        with self.begin() as connection, self._written(folder):
            connection.execute(_QUERIES["lock_delivery"], {"cycle_id": self.cycle_id})
            return Printing(self.vault, self.cycle_id, sha256).leave(folder, progress)

    def _cut(self, connection: Connection, sha256: str, making: Path, progress: Progress) -> None:
        """Cut the stream of all into the members' files; flushing each to the disk is left to the vault's one."""
        rows = connection.execute(_QUERIES["child_files"], {"cycle_id": self.cycle_id}).all()
        with self.vault.open(sha256) as source:
            for number, row in enumerate(rows, 1):
                source.seek(row.byte_start)
                left = row.byte_end - row.byte_start
                descriptor = os.open(making / row.file_name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb", buffering=0) as target:
                    while left:
                        left -= target.write(source.read(min(left, _COPY_BYTES)))
                if number % _TOLD_EVERY == 0 or number == len(rows):
                    progress("leaving the members' 835s", number, len(rows))

    def _list(self, connection: Connection, making: Path) -> None:
        """Write what each set of each file says in figures, for whoever sends the files on."""
        descriptor = os.open(making / index_name(self.cycle_id), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as target:
            writer = csv.writer(target, lineterminator="\r\n")
            writer.writerow(_HEADER)
            for row in connection.execute(_QUERIES["child_index"], {"cycle_id": self.cycle_id}):
                amounts = (row.claims_cents, row.payer_plb_cents, row.own_plb_cents, row.payment_cents)
                claims, payers, ours, paid = map(text_from_cents, amounts)
                payer = (row.payer_id, plain_cell(row.payer_name), plain_cell(row.payer_trace))
                figures = (row.claim_count, claims, payers, ours, paid, row.trace_number, row.method)
                writer.writerow((row.ncpdp_id, row.file_name, row.set_ordinal, *payer, *figures))

    @contextmanager
    def _written(self, path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutFolderError(self.cycle_id, str(path), error.strerror or "", released=True) from error


def index_name(cycle_id: int) -> str:
    """Name the list of what a cycle's remittances say; each cycle has its own beside the others'."""
    return f"index-cycle-{cycle_id}.csv"
