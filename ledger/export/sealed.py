"""The folder ``sealed`` of a package: what ``verify.py`` needs to hash every entry again, without the database.

``entries.jsonl`` and ``trail.jsonl`` hold all facts of the canonical bytes, a leaf a line, in the order of the leaves;
``leaves`` all leaves of the tree, 32 bytes each, whatever the range; ``checkpoints.jsonl`` every signed note with the
proof that it continues the one before (RFC 9162, 2.1.4).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection

from ledger.export.copying import Tell, copy_out
from ledger.export.folder import PackageFolder
from ledger.export.manifest import Totals
from ledger.export.scope import Selection
from ledger.queries import Queries

QUERIES: Final = Queries("ledger", "export.sql")

FOLDER: Final = "sealed"
_LEAVES_AT_ONCE: Final = 1 << 16


def write_sealed(connection: Connection, folder: PackageFolder, chosen: Selection, tell: Tell) -> None:
    """Write the sealed entries of a selection, the trail when it is everybody's, all leaves and all checkpoints.

    Args:
        connection: that sees one moment.
        folder: of the package.
        chosen: what is shown; the leaves and checkpoints are those of its size.
        tell: is told how far it is.
    """
    pin(connection)
    _write_entries(connection, folder, chosen, tell)
    if chosen.owner is None:
        with folder.writing(f"{FOLDER}/trail.jsonl") as file:
            rows = copy_out(connection, QUERIES["sealed_trail"], {"size": chosen.size}, file.write)
            file.totals = Totals(rows=rows)
    _write_leaves(connection, folder, chosen.size, tell)
    _write_checkpoints(connection, folder, chosen.size)


def composed(query: str, *named: str) -> str:
    """Give the text of a statement of ``export.sql`` that reads others of it by their names."""
    parts = ", ".join(f"{name} AS ({QUERIES[name].text})" for name in named)
    return f"WITH {parts} {QUERIES[query].text}" if named else str(QUERIES[query].text)


def pin(connection: Connection) -> None:
    """Let this transaction write dates and moments in one way."""
    connection.execute(QUERIES["pin"])


@contextmanager
def by_hashing(connection: Connection) -> Iterator[None]:
    """Let statements of this block, which go through all of it once, join by hashing; afterwards they need not."""
    connection.execute(QUERIES["by_hashing"])
    yield
    connection.execute(QUERIES["row_by_row"])


def journal_totals(connection: Connection, chosen: Selection) -> tuple[int, Totals]:
    """Give the number of entries of a selection, and the control totals of their lines."""
    row = connection.execute(QUERIES["journal_totals"], chosen.parameters).one()
    totals = Totals(
        rows=row.lines,
        debit_cents=row.debit_cents,
        credit_cents=row.credit_cents,
        from_on=row.from_on,
        to_on=row.to_on,
    )
    return row.entries, totals


def _write_entries(connection: Connection, folder: PackageFolder, chosen: Selection, tell: Tell) -> None:
    entries, totals = journal_totals(connection, chosen)
    with folder.writing(f"{FOLDER}/entries.jsonl") as file:
        rows = copy_out(
            connection,
            QUERIES["sealed_entries"],
            chosen.parameters,
            file.write,
            told=lambda done: tell("sealed entries", done, entries),
        )
        file.totals = totals.model_copy(update={"rows": rows})


def _write_leaves(connection: Connection, folder: PackageFolder, size: int, tell: Tell) -> None:
    with folder.writing(f"{FOLDER}/leaves") as file:
        for first in range(0, size, _LEAVES_AT_ONCE):
            parameters = {"first": first, "size": size, "most": _LEAVES_AT_ONCE}
            file.write(connection.execute(QUERIES["leaves"], parameters).scalar_one())
            tell("leaves", first, size)
        file.totals = Totals(rows=size)


def _write_checkpoints(connection: Connection, folder: PackageFolder, size: int) -> None:
    with folder.writing(f"{FOLDER}/checkpoints.jsonl") as file:
        rows = 0
        for row in connection.execute(QUERIES["checkpoints"], {"size": size}):
            hashes = [bytes(each).hex() for each in row.consistency]
            said = {"size": row.size, "note": row.note, "previous_size": row.previous_size, "consistency": hashes}
            file.write((json.dumps(said, ensure_ascii=False) + "\n").encode())
            rows += 1
        file.totals = Totals(rows=rows)
