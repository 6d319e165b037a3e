"""The payer file is read whole or refused whole."""

import io

import pytest

from ingest.payers import PAYER_COLUMNS, PayerRow, read_payers
from schemas.errors import UnreadableError
from schemas.findings import Finding
from schemas.identifiers import PayerId

HEADER = "payer_id,name,ach_company_ids,aliases"
GOOD = "1123456789,Example PBM,1123456789|9000000001,EXAMPLE PBM INC|EXPBM"


def read(*lines: str, end: str = "\n") -> tuple[PayerRow, ...]:
    """Read lines under the header."""
    return read_payers(io.BytesIO(end.join((HEADER, *lines)).encode()), "payers.csv")


def findings_of(*lines: str) -> tuple[Finding, ...]:
    """Give the findings of lines that must be refused."""
    with pytest.raises(UnreadableError) as caught:
        read(*lines)
    return caught.value.findings


def test_the_header_is_the_published_one() -> None:
    """The columns that the documentation gives, in that order."""
    assert ",".join(PAYER_COLUMNS) == HEADER


def test_a_good_file_is_read() -> None:
    """Lists are split, blank lists are empty, both line ends and a missing last one are taken."""
    expected = (
        PayerRow(
            payer_id=PayerId("1123456789"),
            name="Example PBM",
            ach_company_ids=("1123456789", "9000000001"),
            aliases=("EXAMPLE PBM INC", "EXPBM"),
        ),
        PayerRow(payer_id=PayerId("1987654321"), name="Second, Inc.", ach_company_ids=(), aliases=()),
    )
    for end in ("\n", "\r\n"):
        assert read(GOOD, '1987654321,"Second, Inc.",,', end=end) == expected
        assert read(GOOD, '1987654321,"Second, Inc.",,', "", end=end) == expected


def test_blanks_around_items_are_dropped() -> None:
    """People put blanks beside the bar."""
    assert read("1123456789,A, 1 | 2 , X Y | Z")[0].aliases == ("X Y", "Z")


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("123456789,A,,", "payer_id"),
        ("2123456789,A,,", "payer_id"),
        (",A,,", "payer_id"),
        ("1123456789,,,", "name"),
        (f"1123456789,{'x' * 101},,", "name"),
        ("1123456789,A\tB,,", "name"),
        ("1123456789,A,12345678901,", "ach_company_ids"),
        ("1123456789,A,1-23,", "ach_company_ids"),
        ("1123456789,A,1||2,", "ach_company_ids"),
        ("1123456789,A,1|1,", "ach_company_ids"),
        ("1123456789,A,1|,", "ach_company_ids"),
        ("1123456789,A,,X||Y", "aliases"),
        ("1123456789,A,,X| X", "aliases"),
        (f"1123456789,A,,{'x' * 101}", "aliases"),
    ],
)
def test_each_bad_value_is_named(line: str, column: str) -> None:
    """One bad value gives one finding with its line, its column and what was expected."""
    (finding,) = findings_of(GOOD.replace("1123456789,Ex", "1000000001,Ex"), line)
    assert (finding.line, finding.element) == (3, column)
    assert finding.expected


def test_a_payer_stands_once() -> None:
    """The second row of a payer id names the first: which of the two is meant is not for us to choose."""
    (finding,) = findings_of(GOOD, "", GOOD)
    assert (finding.rule, finding.line, finding.element) == ("payer_once", 4, "payer_id")
    assert "line 2" in finding.expected


def test_two_payers_may_share_an_alias() -> None:
    """One bank name for two legal entities occurs; matching has to ask for more than the name then."""
    rows = read("1123456789,A,1,SHARED", "1987654321,B,1,SHARED")
    assert [row.aliases for row in rows] == [("SHARED",), ("SHARED",)]


def test_a_payer_cannot_be_changed() -> None:
    """Rows are frozen."""
    (row,) = read(GOOD)
    with pytest.raises(ValueError, match="frozen"):
        row.name = "Other"  # type: ignore[misc]  # what must not work
