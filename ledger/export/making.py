"""One export: the journal in a form, its seal, the verifier, and a page that says how to check it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, text

from ledger.chart import HOUSE
from ledger.export.copying import Tell
from ledger.export.errors import NothingSealedError
from ledger.export.flat import FlatFiles
from ledger.export.folder import PackageFolder, package
from ledger.export.manifest import Heading, Manifest, ShownCheckpoint
from ledger.export.plain import BeancountJournal, HledgerJournal, write_journal
from ledger.export.scope import Selection
from ledger.export.sealed import QUERIES, composed, pin, write_sealed
from ledger.seal import checkpoints
from ledger.seal.checkpoints import Checkpoint

VERIFIER: Final = "verify.py"
README: Final = "README.txt"


class ExportForm(StrEnum):
    """What an export is written for."""

    ADS = "ads"
    """Auditors' tools: general ledger of the Audit Data Standards (AICPA, July 2015)."""
    HLEDGER = "hledger"
    """A journal in plain text for hledger."""
    BEANCOUNT = "beancount"
    """A journal in plain text for beancount."""
    JSONL = "jsonl"
    """Programs: a JSON object a line of the journal."""
    CSV = "csv"
    """Spreadsheets and databases: the same as rows."""


_JOURNALS: Final = {ExportForm.HLEDGER: HledgerJournal(), ExportForm.BEANCOUNT: BeancountJournal()}


@dataclass(frozen=True, slots=True)
class Export:
    """What is asked for.

    Args:
        form: in which form.
        chosen: what is shown.
        company: whose books.
        made_at: the moment, aware.
        with_seal: whether the folder ``sealed`` goes with it.
        packed: one ZIP file in place of a folder.
    """

    form: ExportForm
    chosen: Selection
    company: str
    made_at: datetime
    with_seal: bool = True
    packed: bool = False

    def write(self, connection: Connection, out: Path, tell: Tell) -> Manifest:
        """Write it, whole or not at all, and give its manifest.

        Args:
            connection: that sees one moment and writes nothing.
            out: the folder, or with ``packed`` the ZIP file; nothing may be there.
            tell: is told how far it is.

        Raises:
            ExportError: something is there, or it can not be written.
            UnknownCheckpointError: the selection names no checkpoint of these books.
        """
        checkpoint = checkpoints.of_size(connection, self.chosen.size)
        heading = self._heading(connection, checkpoint)
        pin(connection)
        with package(out, packed=self.packed) as folder:
            self._write_journal(connection, folder, checkpoint, tell)
            if self.with_seal:
                write_sealed(connection, folder, self.chosen, tell)
                folder.put(VERIFIER, files("ledger.export").joinpath("verifier", VERIFIER).read_bytes())
            folder.put(README, readme(self.form, heading, with_seal=self.with_seal).encode())
            return folder.finish(heading)

    def _heading(self, connection: Connection, checkpoint: Checkpoint) -> Heading:
        keys = checkpoints.keys(connection)
        key = next(each for each in keys if each.until_size is None or checkpoint.size <= each.until_size)
        shown = ShownCheckpoint(
            size=checkpoint.size,
            journal_size=checkpoint.journal_size,
            root=checkpoint.root,
            note=checkpoint.note,
            vkey=key.vkey,
        )
        origin = checkpoint.note.partition("\n")[0]
        return Heading(
            origin=origin, company=self.company, made_at=self.made_at, scope=self.chosen.scope, checkpoint=shown
        )

    def _write_journal(self, connection: Connection, folder: PackageFolder, checkpoint: Checkpoint, tell: Tell) -> None:
        if self.form in _JOURNALS:
            write_journal(connection, folder, self.chosen, _JOURNALS[self.form], (self.company, tell))
            return
        flat = FlatFiles(connection, folder, self.chosen, checkpoint.journal_size, tell)
        if self.form is ExportForm.ADS:
            flat.write_ads()
        elif self.form is ExportForm.JSONL:
            flat.write_jsonl()
        else:
            flat.write_csv()


def latest_checkpoint(connection: Connection) -> Checkpoint:
    """Give the last checkpoint.

    Raises:
        NothingSealedError: there is none.
    """
    found = checkpoints.latest(connection)
    if found is None:
        raise NothingSealedError
    return found


def owner_name(connection: Connection, owner: UUID) -> str:
    """Say how exports call an owner: by NCPDP id, a later owner of the same pharmacy with a number behind it."""
    if owner == HOUSE:
        return "house"
    query = composed("owner_name", "owner_names")
    return str(connection.execute(text(query), {"owner": owner}).scalar_one())


def not_sealed_yet(connection: Connection) -> int:
    """Count the entries that are posted and in no checkpoint yet: no export shows them."""
    return int(connection.execute(QUERIES["not_sealed_yet"]).scalar_one())


_FORMS: Final = {
    ExportForm.ADS: "GL_Detail_*.csv and listings: AICPA Audit Data Standards; amounts positive, D or C; Journal_ID\n"
    "  is the journal number, an entry of one owner; Segment01 to 05: member, payer, bank account, reference,\n"
    "  transaction. Entered_Date and Entered_Time are New York's. Trial balances are signed, debit positive.",
    ExportForm.HLEDGER: "journal.hledger: every entry, balances asserted at each month's end. Check it:\n"
    "  hledger -f journal.hledger check -s ordereddates",
    ExportForm.BEANCOUNT: "journal.beancount: every entry, balances asserted at each month's end. Check it:\n"
    "  bean-check journal.beancount",
    ExportForm.JSONL: "journal.jsonl: a JSON object a line of the journal; cents, debit positive; moments in UTC.",
    ExportForm.CSV: "journal.csv: a row a line of the journal; cents, debit positive; moments in UTC.",
}


def readme(form: ExportForm, heading: Heading, *, with_seal: bool) -> str:
    """Write the page that says what is in the folder and how to check it."""
    scope, shown = heading.scope, heading.checkpoint
    days = f"{scope.from_on or 'the beginning'} to {scope.to_on or 'the end'}"
    lines = [
        f"{heading.company}: the books, {days}, {scope.owner or 'all owners'}",
        "",
        _FORMS[form],
        "manifest.json: every file with SHA-256, bytes, rows, debit and credit cents, first and last day.",
        "  To check a file: sha256sum FILE",
    ]
    if shown is not None:
        lines.append(f"Shown is what checkpoint {shown.size} of {heading.origin} seals, root {shown.root}.")
    if with_seal:
        lines += [
            "sealed/: every entry with all its facts, all leaves of the tree, all signed checkpoints. verify.py hashes",
            "  the entries again, and compares files, totals, leaves, roots and signatures. It needs Python and its",
            "  package cryptography, nothing of ours, and no connection. Read it, then run it:",
            "  python verify.py . --vkey KEY        KEY: the verifier key that you were told by another way than this",
            "  With --manifest SHA256, which whoever made the export can tell you, every byte of every file is held.",
        ]
    return "\n".join(lines) + "\n"
