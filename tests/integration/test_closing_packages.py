"""What becomes of a closed month's package: changed, cut off, lost, written again, written by another program."""

import json
import shutil
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from ledger.errors import PeriodClosedError
from payouts import decisions
from payouts.closing.closing import Closer
from payouts.closing.errors import (
    CloseUnfinishedError,
    MonthNotProvenError,
    NotClosedError,
    PackageAlteredError,
    PackageDiffersError,
    ReasonMissingError,
)
from payouts.closing.model import Close
from payouts.closing.pieces import PIECES
from payouts.closing.reopening import propose_reopening
from tests.support.books import CHECKER, MAKER, Books
from tests.support.closing import CHECK, banking_days, closer_of, telling, write

OCTOBER = date(2026, 10, 1)
AFTER = date(2026, 11, 3)
LOST = "the disk with the packages was lost"


@pytest.fixture
def closer(new_books: Books, auditor: Engine) -> Closer:
    """Give what closes the months of an office that did nothing in October but to take in its bank's statements."""
    new_books.found()
    for day in banking_days(OCTOBER, date(2026, 10, 31)):
        new_books.book(day)
    return closer_of(new_books, auditor)


@pytest.fixture
def out(new_books: Books) -> Path:
    """Give the folder of packages."""
    return new_books.folder / "closed"


def _closed(closer: Closer, out: Path) -> Close:
    return closer.close(OCTOBER, AFTER, [], out, telling)


def _later_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the packages have one more piece, as a later release may."""
    pieces = (*PIECES, lambda _, folder, *__: folder.put("more.txt", b"more\n"))
    monkeypatch.setattr("payouts.closing.packing.PIECES", pieces)


@pytest.mark.parametrize("name", ["checks.csv", "sealed/leaves", "manifest.json"])
@pytest.mark.parametrize("harm", ["changed", "cut off", "missing"])
def test_a_package_that_is_not_whole_is_found(closer: Closer, out: Path, name: str, harm: str) -> None:
    """The file is named, nothing is written over; put away, the package is written as it was."""
    made = _closed(closer, out)
    place = out / made.folder / name
    if harm == "missing":
        place.unlink()
    else:
        content = place.read_bytes()
        place.write_bytes(content[:-1] + bytes([content[-1] ^ 1]) if harm == "changed" else content[:-1])
    with pytest.raises(PackageAlteredError, match=f"{name} is missing or not as it was written"):
        _closed(closer, out)
    shutil.rmtree(out / made.folder)
    assert _closed(closer, out).manifest_sha256 == made.manifest_sha256
    assert place.is_file()


def test_a_lost_package_gets_another_edition(
    closer: Closer, out: Path, new_books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lost, and the program writes other bytes by now: refused, until an approver says why; then it names the first."""
    first = _closed(closer, out)
    shutil.rmtree(out)
    assert closer.repack(OCTOBER, LOST, out, telling) == first
    shutil.rmtree(out)
    _later_program(monkeypatch)
    with pytest.raises(PackageDiffersError, match="periods repack 2026-10"):
        _closed(closer, out)
    assert not out.exists() or not list(out.iterdir())
    second = closer.repack(OCTOBER, LOST, out, telling)
    assert (second.version, second.edition, second.edition_reason, second.supersedes) == (
        1,
        2,
        LOST,
        first.manifest_sha256,
    )
    folder = out / "close-2026-10-v1-edition-2"
    said = json.loads((folder / "manifest.json").read_bytes())
    assert (said["supersedes"], said["checkpoint"]["size"]) == (first.manifest_sha256, first.checkpoint_size)
    assert LOST in (folder / "README.txt").read_text(encoding="utf-8")
    assert new_books.ask("SELECT count(*) FROM seal_pending")[0][0] == 0
    assert _closed(closer, out) == second
    assert closer.repack(OCTOBER, LOST, out, telling) == second


def test_the_next_version_names_the_last_edition(
    closer: Closer, out: Path, new_books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reopened after a second edition, version 2 supersedes that one, and is written again as it was."""
    _closed(closer, out)
    shutil.rmtree(out)
    _later_program(monkeypatch)
    second = closer.repack(OCTOBER, LOST, out, telling)
    with new_books.begin() as connection:
        approval = propose_reopening(connection, OCTOBER, "a deposit was booked twice", MAKER)
    with new_books.begin() as connection:
        decisions.decide(connection, approval, CHECKER, approve=True)
    third = _closed(closer, out)
    assert (third.version, third.edition, third.supersedes) == (2, 1, second.manifest_sha256)
    shutil.rmtree(out)
    assert _closed(closer, out) == third


def test_what_is_not_packed_is_not_packed_anew(closer: Closer, out: Path, new_books: Books) -> None:
    """An open month, one whose close is not finished, and no reason: refused, each with what to do."""
    with pytest.raises(NotClosedError):
        closer.repack(OCTOBER, LOST, out, telling)
    with pytest.raises(ReasonMissingError, match="To write a package anew"):
        closer.repack(OCTOBER, " ", out, telling)
    with new_books.begin() as connection:
        connection.execute(text("SELECT close_period('2026-10-01', '2026-11-03', :who)"), {"who": CHECKER})
        write(connection, CHECK, verdict="holds")
        connection.execute(text("SELECT tie_out_period('2026-10-01', 1)"))
    with pytest.raises(CloseUnfinishedError):
        closer.repack(OCTOBER, LOST, out, telling)


def test_no_edition_of_changed_books(closer: Closer, out: Path, owner: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the seal does not hold, a package that differs is no other edition: nothing is written."""
    _closed(closer, out)
    shutil.rmtree(out)
    _later_program(monkeypatch)
    with owner.begin() as connection:
        connection.execute(text("ALTER TABLE trail DISABLE TRIGGER USER"))
        connection.execute(text("UPDATE trail SET row_key = row_key || 'x' WHERE trail_id = 3"))
        connection.execute(text("ALTER TABLE trail ENABLE TRIGGER USER"))
    with pytest.raises(MonthNotProvenError, match="P11"):
        closer.repack(OCTOBER, LOST, out, telling)
    assert not out.exists()


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ("1, sha256('x'), NULL, 'charles', now(), 2, 'lost'", "package_supersedes_the_last"),
        ("1, sha256('x'), sha256('y'), 'charles', now(), 3, 'lost'", "package_supersedes_the_last"),
        ("2, sha256('x'), NULL, 'charles', now(), 1, NULL", "package_is_of_the_standing_close"),
    ],
    ids=["names none", "leaves one out", "of another version"],
)
def test_editions_are_guarded(closer: Closer, out: Path, new_books: Books, values: str, rule: str) -> None:
    """An edition follows the one before and names it, whoever writes it."""
    _closed(closer, out)
    with pytest.raises(PeriodClosedError) as caught, new_books.begin() as connection:
        connection.execute(text(f"INSERT INTO period_package VALUES ('2026-10-01', {values})"))  # noqa: S608 (a test's)
    assert caught.value.rule == rule
