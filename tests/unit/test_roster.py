"""The roster is read whole or refused whole, and says of every bad value where it stands."""

import gzip
import io
from datetime import date

import pytest
from pydantic import ValidationError

from ingest.roster import OPTIONAL_COLUMNS, ROSTER_COLUMNS, STATES, AccountType, RosterRow, read_roster
from schemas.collecting import FINDINGS_LIMIT
from schemas.errors import UnreadableError
from schemas.findings import Finding
from schemas.identifiers import Npi
from schemas.schedules import PayoutSchedule

HEADER = (
    "ncpdp_id,npi,legal_name,dba_name,tin,state,member_since,member_until,monthly_fee,fee_since,"
    "routing_number,account_number,account_type,payout_schedule"
)
ACCOUNT = "55-0012345678"
FACTS = {
    "ncpdp_id": "0123456",
    "npi": "1234567893",
    "legal_name": "Main Street Pharmacy LLC",
    "dba_name": "Main Street Drug",
    "tin": "012345678",
    "state": "OH",
    "member_since": "2024-02-29",
    "member_until": "",
    "monthly_fee": "200.00",
    "fee_since": "2024-03-01",
    "routing_number": "021000021",
    "account_number": ACCOUNT,
    "account_type": "checking",
    "payout_schedule": "daily",
}


def line(**changes: str) -> str:
    """Write a good line with some values changed; values with a comma or quote are given quoted."""
    return ",".join({**FACTS, **changes}.values())


def read(*lines: str, header: str = HEADER, end: str = "\n") -> tuple[RosterRow, ...]:
    """Read lines under the header."""
    return read_roster(io.BytesIO(end.join((header, *lines)).encode()), "roster.csv")


def findings_in(content: bytes) -> tuple[Finding, ...]:
    """Give the findings of content that must be refused, none of which may hold the account number."""
    with pytest.raises(UnreadableError) as caught:
        read_roster(io.BytesIO(content), "roster.csv")
    assert caught.value.name == "roster.csv"
    assert ACCOUNT not in repr(caught.value.findings) + str(caught.value)
    return caught.value.findings


def findings_of(*lines: str, header: str = HEADER) -> tuple[Finding, ...]:
    """Give the findings of lines that must be refused."""
    return findings_in("\n".join((header, *lines)).encode())


def test_the_header_is_the_published_one() -> None:
    """The columns that the documentation gives, in that order."""
    assert ",".join(ROSTER_COLUMNS) == HEADER


def test_a_good_line_is_read_exactly() -> None:
    """Every value in its type: cents, days, an open end, a secret."""
    (row,) = read(line())
    assert row.ncpdp_id == "0123456"
    assert type(row.npi) is Npi
    assert (row.legal_name, row.dba_name) == ("Main Street Pharmacy LLC", "Main Street Drug")
    assert (row.tin, row.state, row.routing_number) == ("012345678", "OH", "021000021")
    assert (row.member_since, row.member_until) == (date(2024, 2, 29), None)
    assert (row.monthly_fee_cents, row.fee_since) == (20000, date(2024, 3, 1))
    assert row.account_number.get_secret_value() == ACCOUNT
    assert row.account_type is AccountType.CHECKING
    assert (row.payout_schedule, type(row.payout_schedule)) == ("daily", PayoutSchedule)


def test_files_as_programs_write_them_are_read() -> None:
    """Byte order mark, CRLF, quoted values, blanks around values, blank lines, no last line end."""
    expected = read(line())
    assert read(line(), header="\ufeff" + HEADER) == expected
    assert read(line(), "", end="\r\n") == expected
    assert read(",".join(f'"{value}"' for value in FACTS.values())) == expected
    assert read(",".join(f" {value} " for value in FACTS.values())) == expected
    assert read("", line(), "  ") == expected


def test_values_may_hold_commas_quotes_and_letters_of_any_language() -> None:
    """Quoted as RFC 4180 has it."""
    (row,) = read(line(legal_name='"Müller, Sons ""& Co"""', dba_name=""))
    assert row.legal_name == 'Müller, Sons "& Co"'
    assert row.dba_name == ""


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("daily", "daily"),
        ("weekly", "weekly:fri"),
        ("weekly:mon", "weekly:mon"),
        ("weekly:fri", "weekly:fri"),
        ("twice_monthly", "twice_monthly"),
        ("twice_monthly:1-16", "twice_monthly:1-16"),
        ("monthly", "monthly"),
        ("monthly:31", "monthly:31"),
    ],
)
def test_payout_schedules(text: str, schedule: str) -> None:
    """A week may name its banking day; without one it is Friday. A month may name its day or its two days."""
    assert read(line(payout_schedule=text))[0].payout_schedule == schedule


def test_columns_that_are_optional_may_follow_in_any_order() -> None:
    """Without a column, or with a blank cell, the roster says nothing of it; a value is read as its column has it."""
    assert "payout_minimum" in OPTIONAL_COLUMNS
    assert read(line())[0].payout_minimum_cents is None
    header = f"{HEADER},payout_minimum"
    found = read(f"{line()},50.00", f"{line(ncpdp_id='0123457', npi='1234567802')},", header=header)
    assert [row.payout_minimum_cents for row in found] == [5000, None]


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ("payout_minimum,payout_minimum", "1 more"),
        ("minimum", "1 more"),
        ("payout_minimum,minimum", "1 more"),
    ],
)
def test_columns_that_nobody_knows_are_refused(more: str, found: str) -> None:
    """A column of another name, or the same one twice, may mean anything: the roster is refused whole."""
    (finding,) = findings_of(line(), header=f"{HEADER},{more}")
    assert (finding.rule, finding.found) == ("header", found)


@pytest.mark.parametrize("value", ["-1", "1000000.01", "50.005", "fifty"])
def test_a_minimum_is_an_amount_of_dollars(value: str) -> None:
    """Below zero, beyond a million, parts of a cent and words are refused where they stand."""
    (finding,) = findings_of(f"{line()},{value}", header=f"{HEADER},payout_minimum")
    assert (finding.rule, finding.element, finding.line) == ("value", "payout_minimum", 2)


def test_the_states_are_those_of_the_postal_service() -> None:
    """Fifty states, the District, five territories, three associated states, three armed forces."""
    assert len(STATES) == 50 + 1 + 5 + 3 + 3
    assert {"DC", "PR", "GU", "AP"} < STATES


@pytest.mark.parametrize(
    ("column", "value", "found"),
    [
        ("ncpdp_id", "123456", "the shape 999999"),
        ("ncpdp_id", "", "nothing"),
        ("npi", "1234567890", "the shape 9999999999"),
        ("npi", "12345", "the shape 99999"),
        ("npi", "x" * 50, "50 characters"),
        ("legal_name", "", "nothing"),
        ("legal_name", "x" * 101, "101 characters"),
        ("legal_name", "a\tb", "the shape a?a"),
        ("dba_name", "a\x7fb", "the shape a?a"),
        ("tin", "12-3456789", "the shape 99-9999999"),
        ("state", "ZZ", "the shape AA"),
        ("state", "oh", "the shape aa"),
        ("state", ACCOUNT, "the shape 99-9999999999"),
        ("member_since", "2024-02-30", "the shape 9999-99-99"),
        ("member_since", "02/29/2024", "the shape 99/99/9999"),
        ("member_since", "20240229", "the shape 99999999"),
        ("member_since", "2024-W01-1", "the shape 9999-A99-9"),
        ("member_since", "0024-02-28", "the shape 9999-99-99"),
        ("member_until", "9999-12-31", "the shape 9999-99-99"),
        ("member_until", "none", "the shape aaaa"),
        ("monthly_fee", "", "nothing"),
        ("monthly_fee", "-1", "the shape -9"),
        ("monthly_fee", "$200", "the shape $999"),
        ("monthly_fee", "200.005", "the shape 999.999"),
        ("monthly_fee", "1000000.01", "the shape 9999999.99"),
        ("monthly_fee", ACCOUNT, "the shape 99-9999999999"),
        ("fee_since", "", "nothing"),
        ("routing_number", "021000022", "the shape 999999999"),
        ("routing_number", ACCOUNT, "the shape 99-9999999999"),
        ("account_number", "", "nothing"),
        ("account_number", "123456789012345678", "the shape 999999999999999999"),
        ("account_number", "12_34", "the shape 99_99"),
        ("account_number", "---", "the shape ---"),
        ("account_number", "\uff11\uff12\uff13", "the shape 999"),
        ("account_type", "Checking", "the shape Aaaaaaaa"),
        ("account_type", ACCOUNT, "the shape 99-9999999999"),
        ("payout_schedule", "weekly:sat", "the shape aaaaaa:aaa"),
        ("payout_schedule", "yearly", "the shape aaaaaa"),
        ("payout_schedule", ACCOUNT, "the shape 99-9999999999"),
    ],
)
def test_each_bad_value_is_named(column: str, value: str, found: str) -> None:
    """One bad value gives one finding: line, column, what was expected, and the shape of what was found."""
    (finding,) = findings_of(line(ncpdp_id="7654321", npi="1245319599"), line(**{column: value}))
    assert (finding.line, finding.element, finding.found) == (3, column, found)
    assert finding.expected


def test_all_bad_values_are_collected() -> None:
    """Every value of a line that is wrong everywhere, and the lines behind it."""
    findings = findings_of(",".join(["?"] * 14), line(state="ZZ"))
    # A question mark is a name like any other.
    expected = [name for name in ROSTER_COLUMNS if name not in ("legal_name", "dba_name")]
    assert [finding.element for finding in findings] == [*expected, "state"]
    assert {finding.line for finding in findings} == {2, 3}


def test_findings_end_at_the_limit_and_say_so() -> None:
    """A file that is wrong throughout gives the limit of findings; the last one counts what was left out."""
    findings = findings_of(*[line(state="ZZ", member_since="x")] * 600)
    assert len(findings) == FINDINGS_LIMIT + 1
    assert findings[-1].rule == "findings_cut"
    assert findings[-1].found == f"{2 * 600 - FINDINGS_LIMIT} more"


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"member_until": "2024-02-28"}, "member_until"),
        ({"fee_since": "2024-02-28"}, "fee_since"),
        ({"member_until": "2024-12-31", "fee_since": "2025-01-01"}, "fee_since"),
    ],
)
def test_dates_that_do_not_agree_are_named(changes: dict[str, str], column: str) -> None:
    """A membership does not end before it begins; the fee begins within it."""
    (finding,) = findings_of(line(**changes))
    assert (finding.rule, finding.element, finding.line) == ("dates_agree", column, 2)


def test_a_membership_of_one_day_is_one() -> None:
    """Both ends are inclusive."""
    (row,) = read(line(member_since="2024-03-01", member_until="2024-03-01"))
    assert row.member_since == row.member_until == row.fee_since


def test_a_change_of_ownership_is_two_rows() -> None:
    """The same store may stand twice when one membership ends before the next begins, in any order of lines."""
    old = line(member_until="2024-06-30")
    new = line(member_since="2024-07-01", fee_since="2024-07-01", tin="987654321")
    assert len(read(old, new)) == len(read(new, old)) == 2


@pytest.mark.parametrize("column", ["ncpdp_id", "npi"])
def test_overlapping_memberships_are_refused(column: str) -> None:
    """One NCPDP id or one NPI names one member on a day; the finding names both lines and the first common day."""
    other = {"ncpdp_id": "7654321", "npi": "1245319599"}
    del other[column]
    first = line(member_until="2024-06-30")
    second = line(member_since="2024-06-30", fee_since="2024-07-01", **other)
    (finding,) = findings_of(first, second)
    assert (finding.rule, finding.element, finding.line) == ("memberships_apart", column, 3)
    assert "line 2" in finding.expected
    assert "2024-06-30" in finding.found


def test_an_overlap_behind_a_shorter_membership_is_found() -> None:
    """A long membership overlaps also with those that do not come next after it."""
    long = line(member_since="2024-01-01", member_until="2024-12-31")
    short = line(member_since="2024-02-01", member_until="2024-02-28", fee_since="2024-02-01")
    late = line(member_since="2024-10-01", fee_since="2024-10-01")
    assert {(finding.line, finding.element) for finding in findings_of(long, short, late)} == {
        (3, "ncpdp_id"),
        (3, "npi"),
        (4, "ncpdp_id"),
        (4, "npi"),
    }


def test_an_overlap_is_found_beside_other_findings() -> None:
    """A bad value elsewhere in the line does not hide that the store stands twice; a bad date adds no false overlap."""
    rules = [finding.rule for finding in findings_of(line(state="ZZ"), line())]
    assert rules == ["value", "memberships_apart", "memberships_apart"]
    assert [finding.rule for finding in findings_of(line(member_until="soon"), line())] == ["value"]


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (HEADER.replace("npi,", ""), "no npi"),
        (HEADER.replace("npi,legal_name", "legal_name,npi"), "these names in another order"),
        (HEADER + ",remark", "1 more"),
        (HEADER.replace(",tin,", ",TIN,"), "no tin"),
        (HEADER.replace(",", ";"), "a line with none of these names"),
        (line(), "a line with none of these names"),
    ],
)
def test_a_wrong_header_is_named_and_nothing_else_is_read(header: str, found: str) -> None:
    """Missing, swapped, additional or misspelt columns, other separators, no header: one finding on its line."""
    (finding,) = findings_of(line(), header=header)
    assert (finding.rule, finding.line, finding.found) == ("header", 1, found)
    assert finding.expected == HEADER


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        (line(legal_name="Main, Inc"), "row_width"),
        ("0123456", "row_width"),
        (line(legal_name='"Main'), "row_quotes"),
        (line(legal_name='"Main" Street'), "row_quotes"),
        (line(legal_name="Ma\rin"), "row_ends"),
        (line(legal_name="x" * 200_000), "row_quotes"),
    ],
)
def test_a_line_that_falls_apart_is_named_and_the_next_is_read(bad: str, rule: str) -> None:
    """Too many or too few values, an open quote, text beside a quote: that line, and still the bad value after it."""
    first, second = findings_of(bad, line(state="ZZ"))
    assert (first.rule, first.line) == (rule, 2)
    assert (second.element, second.line) == ("state", 3)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "table_not_empty"),
        (b"\xef\xbb\xbf\r\n", "table_not_empty"),
        (HEADER.encode(), "table_not_empty"),
        (HEADER.encode("utf-16"), "file_is_text"),
        (b"\x00\x01\x02", "file_is_text"),
        (gzip.compress(HEADER.encode(), mtime=0), "file_is_text"),
        (HEADER.encode() + b"\n" + line(legal_name="M\u00fcller").encode("latin-1"), "file_is_utf8"),
        (b"payer_id,name,ach_company_ids,aliases\n1123456789,A,,\n", "header"),
        (b"ISA*00*          *00*          *ZZ*SENDER~NM1*QC*1*DOE*JANE~", "header"),
    ],
)
def test_what_is_no_roster_is_refused_in_words(content: bytes, rule: str) -> None:
    """Nothing, a header alone, binary data, UTF-16, another encoding, another kind of file; no content is repeated."""
    findings = findings_in(content)
    assert findings[0].rule == rule
    assert "DOE" not in repr(findings)


def test_a_byte_that_is_no_utf8_is_placed() -> None:
    """Line and column of the first bad byte of each bad line."""
    bad = line(legal_name="M\u00fcller").encode("latin-1")
    findings = findings_in(HEADER.encode() + b"\n" + bad + b"\n" + bad)
    assert [finding.line for finding in findings] == [2, 3]
    assert f"column {bad.index(0xFC) + 1}" in findings[0].found


def test_a_row_hides_what_is_secret_and_cannot_be_changed() -> None:
    """Neither account number nor TIN is in the repr; rows are frozen."""
    (row,) = read(line())
    assert ACCOUNT not in repr(row)
    assert "012345678" not in repr(row)
    with pytest.raises(ValidationError, match="frozen"):
        row.state = "NY"  # type: ignore[misc]  # what must not work


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "ZZ"},
        {"account_number": "1" * 18},
        {"monthly_fee_cents": -1},
        {"monthly_fee_cents": "20000"},
        {"member_until": date(2024, 1, 1)},
        {"fee_since": date(2023, 1, 1)},
        {"account_type": "current"},
        {"tin": "1"},
        {"legal_name": ""},
        {"remark": "x"},
    ],
)
def test_a_row_holds_its_rules_without_the_reader(changes: dict[str, object]) -> None:
    """Whoever builds a row is held to the same rules, and the refusal does not show the account number."""
    (row,) = read(line())
    facts = {**row.model_dump(), **changes}
    with pytest.raises(ValidationError) as caught:
        RosterRow.model_validate(facts)
    assert "1" * 18 not in str(caught.value)
