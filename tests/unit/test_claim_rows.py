"""Claims as rows of COPY text: whose each is, what is remembered of them, and that they are let go."""

from datetime import date
from uuid import UUID

from ingest.claim_rows import NOBODY, ClaimRows
from ingest.directory import Directory
from ingest.x12.model import Claim
from ledger.chart import HOUSE

DAY = date(2026, 11, 16)
OLD, NEW = UUID(int=1), UUID(int=2)
DIRECTORY = Directory([("NPI:1", "20200101", "20261109", OLD), ("NPI:1", "20261110", "99991231", NEW)])
CLAIM = Claim(3, "NPI:1", "77", "1", 1000, 900, 100, "PCN", "20261101", "00093505698", "30", "CO45:100", "", 10, 20)


def _columns(text: str) -> list[list[str]]:
    assert text.endswith("\n")
    return [line.split("\t") for line in text[:-1].split("\n")]


def test_a_claim_is_one_row() -> None:
    """Day of payment, advice, owner and no unknown payee come before what the claim says; what is absent is null."""
    rows = ClaimRows(DAY, DIRECTORY)
    assert rows.add([CLAIM]) is None
    (row,) = _columns(rows.take(5, {}))
    said = ["3", "77", "1", "1000", "900", "100", "PCN", "20261101", "00093505698", "30", "CO45:100", "\\N", "10", "20"]
    assert row == ["2026-11-16", "5", str(OLD), "\\N", *said]


def test_a_claim_is_the_owners_of_its_fill_date() -> None:
    """A store that was sold gives each claim to who owned it when it was filled, or paid where no date is said."""
    rows = ClaimRows(DAY, DIRECTORY)
    rows.add([CLAIM, CLAIM._replace(fill_date="20261110"), CLAIM._replace(fill_date="")])
    assert sorted(row[2] for row in _columns(rows.take(5, {}))) == [str(OLD), str(NEW), str(NEW)]


def test_strangers_are_the_houses_under_their_numbers() -> None:
    """What names no member, or nobody, waits in the house; the identifiers are told before rows are taken."""
    rows = ClaimRows(DAY, DIRECTORY)
    rows.add([CLAIM._replace(payee="NPI:9"), CLAIM._replace(payee="")])
    assert set(rows.unknown) == {"NPI:9", NOBODY}
    assert {tuple(row[2:4]) for row in _columns(rows.take(5, {"NPI:9": 41, NOBODY: 42}))} == {
        (str(HOUSE), "41"),
        (str(HOUSE), "42"),
    }
    assert rows.payees == {"NPI:9", NOBODY}


def test_rows_are_let_go_and_what_was_met_is_remembered() -> None:
    """Taken rows are gone, the next ones follow; payees and reversals stay known."""
    rows = ClaimRows(DAY, DIRECTORY)
    rows.add([CLAIM._replace(status="22"), CLAIM])
    assert (rows.count, rows.has_reversal) == (2, True)
    rows.take(5, {})
    assert (rows.count, rows.take(5, {})) == (0, "")
    rows.add([CLAIM])
    assert (rows.count, len(_columns(rows.take(5, {}))), rows.has_reversal) == (1, 1, True)
    assert rows.payees == {"NPI:1"}


def test_of_claims_with_a_misfit_none_is_written() -> None:
    """A number that no column holds is told; no row of its block is written."""
    rows = ClaimRows(DAY, DIRECTORY)
    misfit = rows.add([CLAIM, CLAIM._replace(rx_number="x" * 81)])
    assert misfit is not None
    assert (misfit.rule, misfit.element, rows.count) == ("element_fits", "CLP01", 0)
