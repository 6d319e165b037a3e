"""Exports under the hood: whole or not there, texts that look like syntax, columns that fit the database."""

import csv
import json
import multiprocessing
import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Barrier, Thread
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from app.database import reading, unit_of_work
from ledger.batch import Batch, Transaction, pair
from ledger.chart import HOUSE, Account, Event, Ledger
from ledger.export.accounts import ACCOUNTS
from ledger.export.columns import GL_DETAIL, JOURNAL, TRIAL_BALANCE, USER_LISTING
from ledger.export.errors import ExportNotWrittenError, ManifestError, RangeTurnedError, TargetTakenError
from ledger.export.folder import package
from ledger.export.making import Export, ExportForm, readme
from ledger.export.manifest import FORMAT, Heading, Manifest, Scope
from ledger.export.scope import Selection
from ledger.export.sealed import QUERIES, composed
from ledger.posting import post
from tests.integration.ledger_story import Books
from tests.support.outsiders import beancount_balances, beancount_entries, hledger_checks
from tests.support.sealing import NOON, sealed, sealer_of

HEADING = Heading(origin="o", company="c", made_at=NOON, scope=Scope(known_at=1), checkpoint=None)

TEXTS = (
    'date:2020-99-99, [2020-99-99] ; | * ! (1) "quoted" \\" \\n {1.00 USD} @ 2 USD = 3 USD #tag ^link',
    "line\nfeed\r\nand\ttab and \x01\x02 \x85 \u2028 control",
    '"; 2026-01-01 open Assets:Evil\n2026-01-01 balance Assets:Evil 1 USD',
    "=1+1",
    "Zoë's Apotheke - 薬局 🏥",
    "; | { } # at the beginning of a line",
    "\t-2+3 in a cell",
    "-" * 10_000,
    "\\",
    " ",
    "",
)


def test_a_package_is_whole_or_not_there(tmp_path: Path) -> None:
    """What fails while it is written leaves neither the folder nor anything beside it."""
    out = tmp_path / "out"
    with pytest.raises(ZeroDivisionError):
        _make(out, meanwhile=lambda: 1 // 0)
    with pytest.raises(RuntimeError):
        _make(out, is_finished=False)
    assert list(tmp_path.iterdir()) == []
    with package(out) as folder:
        folder.put("b/a.csv", b"a")
        folder.finish(HEADING)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    manifest = Manifest.read((out / "manifest.json").read_bytes())
    assert [(each.name, each.bytes) for each in manifest.files] == [("b/a.csv", 1)]
    assert {path.stat().st_mode & 0o777 for path in out.rglob("*") if path.is_file()} == {0o600}
    assert out.stat().st_mode & 0o777 == 0o700


def test_an_export_never_writes_into_what_is_there(tmp_path: Path) -> None:
    """A folder with something in it, a file, a link: refused before and after the work, and left as it is."""
    out = tmp_path / "out"
    with pytest.raises(TargetTakenError):
        _make(out, meanwhile=lambda: _take(out))
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert [path.name for path in out.iterdir()] == ["late.txt"]
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    for taken in (out, out / "late.txt", link):
        with pytest.raises(TargetTakenError):
            _make(taken, meanwhile=lambda: pytest.fail("it began"))
    archive = tmp_path / "a.zip"
    with pytest.raises(TargetTakenError):
        _make(archive, meanwhile=lambda: archive.write_text("mine"), is_packed=True)
    assert archive.read_text() == "mine"


def test_a_killed_export_leaves_no_name_and_the_next_one_clears_up(tmp_path: Path) -> None:
    """After SIGKILL nothing stands where the package was to be; the hidden rest goes with the next export there."""
    process = multiprocessing.get_context("fork").Process(target=_die_writing, args=(tmp_path / "out",))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".out.part-")
    assert not list(left.rglob("manifest.json"))
    with package(tmp_path / "out") as folder:
        folder.finish(HEADING)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_of_exports_to_one_place_one_has_it(tmp_path: Path) -> None:
    """Four at once: one package stands there, whole; the others are told that it is taken."""
    out, told, start = tmp_path / "out", list[str](), Barrier(4)

    def export(name: str) -> None:
        try:
            with package(out) as folder:
                folder.put("who.txt", name.encode() * 100_000)
                start.wait()
                folder.finish(HEADING)
            told.append("done")
        except TargetTakenError:
            told.append("taken")

    threads = [Thread(target=export, args=(f"{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["done", "taken", "taken", "taken"]
    assert len(set((out / "who.txt").read_text())) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, packed: bool) -> None:
    """When the system takes no more bytes the error names the target, and nothing is left."""
    with _no_file_above(1 << 16), pytest.raises(ExportNotWrittenError) as caught:
        _make(tmp_path / "out", content=os.urandom(1 << 20), is_packed=packed)
    assert str(tmp_path / "out") in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_reads_back_and_nothing_else_does() -> None:
    """What is written is read as it was; another format, a field too many or a missing one is refused by its place."""
    manifest = Manifest.of(HEADING, ())
    assert Manifest.read(manifest.content()) == manifest
    assert FORMAT.encode() in manifest.content()
    for wrong in (b"", b"{}", manifest.content().replace(b"export/1", b"export/2"), b'{"evil": 1}'):
        with pytest.raises(ManifestError):
            Manifest.read(wrong)


def test_a_range_is_not_turned() -> None:
    """The last day is not before the first; one day is a range."""
    day = date(2026, 11, 20)
    assert Selection(1, day, day).scope == Scope(from_on=day, to_on=day, known_at=1)
    with pytest.raises(RangeTurnedError):
        Selection(1, date(2026, 11, 21), day)


def test_every_account_is_told_outside_as_what_it_is(auditor: Engine) -> None:
    """The chart of the exports has each account once, with the type that the database says."""
    theirs = {"asset": "Assets", "liability": "Liabilities", "either": "Assets", "equity": "Equity"}
    theirs |= {"income": "Revenue", "expense": "Expenses"}
    with reading(auditor) as connection:
        chart = {
            (row.ledger, row.account): theirs[row.type]
            for row in connection.execute(text("SELECT ledger, account, type FROM account"))
        }
    assert {(each.ledger.value, each.account.value): each.type for each in ACCOUNTS} == chart
    assert len({each.number for each in ACCOUNTS}) == len({each.path for each in ACCOUNTS}) == len(ACCOUNTS)


def test_the_statements_give_the_columns_of_the_table(auditor: Engine) -> None:
    """What the database gives are the columns that the one table names, none more, none less."""
    asked = Selection(1).parameters | {"first": 1, "last": 1, "numbers": "{}", "zone": "UTC"}
    day = date(2026, 11, 1)
    asked |= {"first_on": day, "last_on": day, "first_month": day}
    with reading(auditor) as connection:
        for columns, query in (
            (JOURNAL, composed("journal", "owner_names", "lines")),
            (GL_DETAIL, composed("gl_detail", "owner_names", "lines")),
            (TRIAL_BALANCE, composed("trial_balance")),
            (USER_LISTING, str(QUERIES["users"].text)),
        ):
            found = connection.execute(text(f"SELECT * FROM ({query}) q LIMIT 0"), asked)  # noqa: S608 (our own)
            assert list(found.keys()) == [each.name for each in columns]


def test_texts_that_look_like_syntax_are_only_texts(
    app: Engine, owner: Engine, auditor: Engine, tmp_path: Path
) -> None:
    """Reasons and fact keys with quotes, line feeds, directives, dates and formulas change no journal's meaning."""
    Books(app, owner)
    lines = tuple(pair(HOUSE, Ledger.OPERATING, (Account.OPERATING_CASH, None), (Account.EQUITY, None), 1_00))
    batch = Batch()
    for place, said in enumerate(TEXTS):
        batch.add(Transaction(Event.OPERATING_OPENED, f"{place}:{said}", date(2026, 1, 12), lines, reason=said or None))
    with unit_of_work(app) as connection:
        post(connection, batch, "zoë")
    shown = sealed(sealer_of(app, tmp_path / "seal"))
    outs = {}
    for form in ExportForm:
        asked = Export(
            form, Selection(shown.size), 'Acme "1" \\ \n', datetime(2026, 11, 22, tzinfo=UTC), with_seal=False
        )
        with reading(auditor) as connection:
            outs[form] = tmp_path / form.value
            asked.write(connection, outs[form], lambda *_: None)
    cents = 1_00 * len(TEXTS)
    assert beancount_entries(outs[ExportForm.BEANCOUNT] / "journal.beancount")[1] == []
    found = beancount_balances(outs[ExportForm.BEANCOUNT] / "journal.beancount")
    assert found["Assets:Operating:OperatingCash:House"] == cents - 5_000_00
    assert not [path for path in found if "Evil" in path]
    assert hledger_checks(outs[ExportForm.HLEDGER] / "journal.hledger") == ""
    _see_said(outs)


def _see_said(outs: dict[ExportForm, Path]) -> None:
    """See that each form that keeps texts has every one to the letter; no cell is one that a spreadsheet would run."""
    given = {text or None for text in TEXTS}
    documents = (outs[ExportForm.JSONL] / "journal.jsonl").read_bytes().splitlines()
    assert {each["reason"] for each in map(json.loads, documents) if each["actor"] == "zoë"} == given
    cells = {text if text[:1] not in {"=", "+", "-", "@", "\t", "\r"} or not text else f"'{text}" for text in TEXTS}
    with (outs[ExportForm.CSV] / "journal.csv").open(encoding="utf-8", newline="") as file:
        assert {row["reason"] for row in csv.DictReader(file) if row["actor"] == "zoë"} == cells
    (detail,) = outs[ExportForm.ADS].glob("GL_Detail_*.csv")
    with detail.open(encoding="utf-8", newline="") as file:
        heads = {row["JE_Header_Description"] for row in csv.DictReader(file) if row["Entered_By"] == "zoë"}
    assert heads == {
        f"operating_opened; {place}:{text}" + (f"; {text}" if text else "") for place, text in enumerate(TEXTS)
    }


def test_two_owners_of_one_pharmacy_are_told_apart(owner: Engine, auditor: Engine) -> None:
    """After a change of ownership the second member has a number behind the NCPDP id; the first keeps its name."""
    ids = {"first": UUID(int=1), "second": UUID(int=2)}
    with unit_of_work(owner) as connection:
        connection.execute(text("INSERT INTO pharmacy (ncpdp_id) VALUES ('0123456')"))
        for member, days in ((ids["first"], "[2025-01-01,2026-01-01)"), (ids["second"], "[2026-01-01,)")):
            facts = {"member": member, "days": days}
            connection.execute(text("INSERT INTO owner (owner_id, kind) VALUES (:member, 'member')"), facts)
            connection.execute(
                text("""
                INSERT INTO member
                    (member_id, pharmacy_id, membership, legal_name, dba_name, tin, state, payout_schedule)
                SELECT :member, pharmacy_id, CAST(:days AS daterange), 'L', 'D', '123456789', 'IL', 'daily'
                FROM pharmacy"""),
                facts,
            )
    with reading(auditor) as connection:
        names = {row.member_id: row.name for row in connection.execute(QUERIES["owner_names"])}
    assert names == {ids["first"]: "0123456", ids["second"]: "0123456-2"}


def test_the_page_in_the_folder_is_short() -> None:
    """Whoever opens the folder reads what is in it, and how to check it, in fifteen lines or so."""
    for form in ExportForm:
        page = readme(form, HEADING, with_seal=True)
        assert len(page.splitlines()) <= 16
        assert max(map(len, page.splitlines())) <= 120
        assert "verify.py" in page


def _make(
    out: Path,
    *,
    content: bytes = b"a",
    meanwhile: Callable[[], object] = lambda: None,
    is_finished: bool = True,
    is_packed: bool = False,
) -> None:
    with package(out, packed=is_packed) as folder:
        folder.put("a.csv", content)
        meanwhile()
        if is_finished:
            folder.finish(HEADING)


def _take(out: Path) -> None:
    out.mkdir()
    (out / "late.txt").write_text("mine")


def _die_writing(out: Path) -> None:
    with package(out) as folder:
        folder.put("a.csv", b"a")
        os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def _no_file_above(most_bytes: int) -> Iterator[None]:
    """Let this process write no file longer than that: what a full disk does, by the system's own limit."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
