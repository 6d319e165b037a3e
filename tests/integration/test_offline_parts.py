"""Whole and in part, of months and of owners: what the exporter writes is what the offline verifier asks for."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from app.database import Role, connected, reading
from ingest.directory import find_member
from ledger.chart import HOUSE
from ledger.export.making import owner_name
from ledger.export.scope import Selection
from ledger.seal import checkpoints
from tests.conftest import NewDatabase
from tests.integration.test_offline_verifier import NOW, announce, run, write_export
from tests.support.command import Shell
from tests.support.office import CHECKER, Office
from tests.support.trade import A, B, C, Part, remittance

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 30), date(2026, 11, 20), date(2026, 12, 4)
WHY = 'a "word" of C:\\temp\\ ; and, more: \u00e9\u2028\u00a0 \u0661'


@dataclass(frozen=True)
class Books:
    """Sealed books of three months.

    Args:
        url: of their database.
        vkey: of their seal.
    """

    url: str
    vkey: str


@pytest.fixture(scope="module")
def books(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    """Give books with money of October, November and December, a waived fee for an odd reason, and a reversal."""
    folder = tmp_path_factory.mktemp("parts")
    with new_database() as url:
        office = Office(Shell(folder / "home", url), folder)
        office.found(A, B, C)
        office.put_in("OWN1", 1_000_00, OCTOBER)
        for trace, day in (("T1", OCTOBER), ("T2", NOVEMBER), ("T3", DECEMBER)):
            office.fund(remittance(trace, day, Part(A, (900_00,)), Part(B, (50_00, 20_00))))
        office.run("fees", "assess", "--month", "2026-11")
        why = ("--month", "2026-11", "--reason", WHY, "--date", f"{DECEMBER}")
        asked = office.ask("fees", "waive", A.ncpdp_id, *why)
        office.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER)
        office.run("ledger", "seal")
        with connected(url, Role.AUDITOR) as engine, reading(engine) as connection:
            yield Books(url, checkpoints.keys(connection)[-1].vkey)


@pytest.mark.parametrize(
    ("from_on", "to_on", "whose"),
    [
        (None, None, None),
        (date(2026, 11, 1), None, None),
        (None, date(2026, 11, 15), None),
        (date(2026, 11, 5), date(2026, 12, 31), None),
        (date(2026, 11, 1), date(2026, 11, 30), None),
        (date(2026, 11, 10), date(2026, 11, 12), None),
        (date(2027, 1, 1), None, None),
        (None, date(2020, 1, 1), None),
        (None, None, "house"),
        (date(2026, 11, 2), date(2026, 12, 31), A.ncpdp_id),
        (None, None, C.ncpdp_id),
    ],
)
def test_what_is_exported_holds(
    books: Books, tmp_path: Path, from_on: date | None, to_on: date | None, whose: str | None
) -> None:
    """Every form of any part: nothing is WRONG, also where nothing happened, and nothing was left unlooked at."""
    with connected(books.url, Role.AUDITOR) as engine, reading(engine) as connection:
        size = checkpoints.named(connection, "latest", NOW).size
        owner = None if whose is None else HOUSE if whose == "house" else find_member(connection, whose)
        name = None if owner is None else owner_name(connection, owner)
        write_export(connection, tmp_path / "export", Selection(size, from_on, to_on, owner, name))
    code, said = run(tmp_path / "export", "--vkey", books.vkey)
    assert code == 0, said
    for file in ("GL_Detail_", "journal.csv", "journal.jsonl", "journal.hledger", "journal.beancount"):
        assert f"of {file}" in said, said
    assert "balances of Trial_Balance_" in said
    assert ("what was left out of a part of the books" in said) == any((from_on, to_on, whose))


def test_a_part_begins_with_what_its_lines_do_not_tell_and_goes_on_from_there(books: Books, tmp_path: Path) -> None:
    """Two months of a part: the second begins where the first ended, and no account's balances are shifted midway."""
    with connected(books.url, Role.AUDITOR) as engine, reading(engine) as connection:
        size = checkpoints.named(connection, "latest", NOW).size
        chosen = Selection(size, date(2026, 11, 1), date(2026, 12, 31))
        write_export(connection, tmp_path / "export", chosen)
    (path,) = (tmp_path / "export").glob("Trial_Balance_*")
    content = path.read_text()
    row = next(line for line in content.splitlines() if ",2026-12-31," in line and ",0.00," not in line)
    shifted = ",".join(f"9{cell}" if "." in cell and cell[0] != "-" else cell for cell in row.split(","))
    assert shifted != row
    path.write_text(content.replace(row, shifted))
    announce(tmp_path / "export")
    code, said = run(tmp_path / "export", "--vkey", books.vkey)
    assert (code, "the lines make" in said) == (1, True), said


def test_a_reason_stands_in_a_journal_to_the_letter(books: Books, tmp_path: Path) -> None:
    """Quotes, backslashes and commas of a reason are compared as they are written; another quote is found."""
    with connected(books.url, Role.AUDITOR) as engine, reading(engine) as connection:
        write_export(connection, tmp_path / "export", Selection(checkpoints.named(connection, "latest", NOW).size))
    rows = [
        json.loads(line) for line in (tmp_path / "export" / "sealed" / "entries.jsonl").read_text().split("\n")[:-1]
    ]
    assert any(row["reason"] and 'a "word" of' in row["reason"] for row in rows)
    path = tmp_path / "export" / "journal.beancount"
    content = path.read_text()
    assert '\\"word\\"' in content
    path.write_text(content.replace('\\"word\\"', '\\"work\\"'))
    announce(tmp_path / "export")
    code, said = run(tmp_path / "export", "--vkey", books.vkey)
    assert (code, "journal.beancount line" in said) == (1, True), said
