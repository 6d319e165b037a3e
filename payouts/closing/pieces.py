"""What a month's package holds beside its own tables: journals for outsiders' tools, registers, and certificates.

Each piece is written by the module whose matter it is; here is only which of them, of which days, under which names.
"""

import csv
import io
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from ledger.export.flat import FlatFiles
from ledger.export.folder import PackageFolder
from ledger.export.manifest import Totals
from ledger.export.plain import BeancountJournal, HledgerJournal, write_journal
from payouts.certificates.bodies import RETAINED, canonical
from payouts.certificates.model import MemberMonths
from payouts.certificates.population import PROVEN as PROVEN_OF_ALL
from payouts.certificates.population import proven_population
from payouts.certificates.proving import PROVEN
from payouts.closing.model import Contents, Tell
from payouts.fees.register import streamed_fees, write_register_csv
from payouts.registers.catalogue import FEES, REGISTERS
from payouts.registers.forms import RegisterCsv
from payouts.registers.model import Span, Summed, Unit
from payouts.registers.reading import see_register
from payouts.spreadsheet import CsvBytes
from schemas.money import text_from_cents

Piece = Callable[[Connection, PackageFolder, Contents, Tell], None]
"""Writes some files of a package, on a connection that reads at the close's checkpoint."""


def journals(connection: Connection, folder: PackageFolder, contents: Contents, tell: Tell) -> None:
    """Write the general ledger of the Audit Data Standards (AICPA, July 2015), and journals for hledger, beancount."""
    FlatFiles(connection, folder, contents.chosen, contents.checkpoint.journal_size, tell).write_ads()
    for form in (HledgerJournal(), BeancountJournal()):
        write_journal(connection, folder, contents.chosen, form, (contents.company, tell))


def registers(connection: Connection, folder: PackageFolder, contents: Contents, tell: Tell) -> None:
    """Write every register of the month as CSV, and what in each agrees with the books."""
    ties = io.StringIO()
    writer = csv.writer(ties, lineterminator="\r\n")
    writer.writerow(["register", "what", "register_total", "books", "difference", "agrees"])
    for done, kind in enumerate(REGISTERS.values()):
        tell(f"register {kind.name}", done, len(REGISTERS) + 1)
        from_on = contents.close.month if kind.span is Span.RANGE else None
        with folder.writing(f"registers/{kind.name}.csv") as file:
            rows = RegisterCsv(kind.row.columns(), CsvBytes(file.write))
            made = see_register(connection, kind.name, from_on, contents.last, rows.add)
            file.totals = Totals(rows=made.rows)
        writer.writerows(_ties(kind.name, made))
    tell(f"register {FEES}", len(REGISTERS), len(REGISTERS) + 1)
    with folder.writing(f"registers/{FEES}.csv") as file:
        fees = streamed_fees(connection, contents.close.month, as_of=contents.last)
        file.totals = Totals(rows=write_register_csv(fees, CsvBytes(file.write)) + 1)
    folder.put("registers/agrees.csv", ties.getvalue().encode())


def certificates(connection: Connection, folder: PackageFolder, contents: Contents, tell: Tell) -> None:
    """Write the figures of all members' pass-through certificates, and of the population's, all of them proven."""
    with folder.writing("certificates/members.jsonl") as file:

        def written(each: MemberMonths) -> None:
            member, figures = (of.model_dump(mode="json") for of in (each.member, each.figures))
            said = {"member": member, "figures": figures, "proven": list(PROVEN), "retained_is": RETAINED}
            file.write(canonical(said) + b"\n")

        month, last = contents.close.month, contents.last
        made = proven_population(connection, month, last, lambda done: tell("certificates", done, None), seen=written)
        file.totals = Totals(rows=made.members)
    figures = made.model_dump(mode="json")
    said: dict[str, Any] = {"figures": figures, "proven": list(PROVEN_OF_ALL), "retained_is": RETAINED}
    folder.put("certificates/population.json", canonical(said) + b"\n")


def _ties(name: str, made: Summed) -> list[list[str]]:
    rows: list[list[str]] = []
    for tie in made.ties:
        figures = (tie.register_total, tie.books_total, tie.difference)
        shown = [text_from_cents(each) if tie.unit is Unit.CENTS else str(each) for each in figures]
        rows.append([name, tie.what, *shown, "yes" if tie.agrees else "NO"])
    return rows


PIECES: tuple[Piece, ...] = (journals, registers, certificates)
"""All of them, in the order in which they are written."""
