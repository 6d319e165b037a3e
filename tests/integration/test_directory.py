"""Rosters and payer lists on file: whole or not at all, the same again changes nothing, who is who on a date."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from io import BytesIO
from uuid import UUID

import pytest

from ingest.directory import Directory, find_member, list_members, unknown_payee_ids
from ingest.errors import UnknownMemberError
from ingest.models import bank_account_context
from ingest.receiving import FileVerdict, Receiver
from tests.support.books import MAKER, Books, roster, roster_row
from tests.support.trade import BANK_ACCOUNT, A, B, C, payer_file, pharmacy

D = pharmacy(104)


def _import(books: Books, *rows: dict[str, str]) -> FileVerdict:
    return books.receive(roster(*rows), "roster.csv")


def _findings(verdict: FileVerdict) -> list[tuple[int | None, str, str]]:
    return [(each.line, each.element, each.rule) for each in verdict.findings]


def _directory(books: Books) -> Directory:
    with books.begin() as connection:
        return Directory.load(connection)


def _counts(books: Books) -> tuple[int, ...]:
    tables = ("owner", "pharmacy", "member", "member_identifier", "contract", "bank_account")
    return tuple(books.ask(f"SELECT count(*) FROM {table}")[0][0] for table in tables)  # noqa: S608 (names of ours)


def test_a_roster_makes_members(books: Books) -> None:
    """Each row is a member with two identifiers, a contract and a sealed bank account."""
    assert _counts(books) == (4, 3, 3, 6, 3, 3)
    with books.begin() as connection:
        first = list_members(connection)[0]
    assert (first.ncpdp_id, first.npi, first.monthly_fee_cents) == (A.ncpdp_id, A.npi, 200_00)
    assert (first.member_since, first.member_until) == (A.member_since, None)
    assert first.account_last_four == A.account_number[-4:]


def test_account_numbers_are_sealed_to_their_row(books: Books) -> None:
    """A number opens under its own row's id and stands nowhere in clear."""
    rows = books.ask("SELECT bank_account_id, sealed_number FROM bank_account ORDER BY last_four")
    opened = {books.keyring.open(bytes(row[1]), bank_account_context(row[0])).decode() for row in rows}
    assert opened == {store.account_number for store in (A, B, C)}
    assert A.account_number not in str(books.ask("SELECT b::text FROM bank_account b"))


def test_the_same_roster_again_changes_nothing(books: Books) -> None:
    """Rows that are on file as they are count as unchanged, new ones beside them are added."""
    before = _counts(books)
    verdict = _import(books, roster_row(C), roster_row(A), roster_row(B))
    assert verdict.summary == "0 added, 0 changed, 3 unchanged"
    assert _counts(books) == before
    assert _import(books, roster_row(A), roster_row(D)).summary == "1 added, 0 changed, 1 unchanged"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("npi", pharmacy(105).npi),
        ("tin", "839999999"),
        ("monthly_fee", "201.00"),
    ],
)
def test_what_is_on_file_is_not_overwritten(books: Books, column: str, value: str) -> None:
    """Other numbers or another fee of a known row are refused whole, and no secret is repeated."""
    verdict = _import(books, roster_row(A, **{column: value}), roster_row(D))
    assert verdict.status == "quarantined"
    assert (2, column, "on_file_stays") in _findings(verdict)
    assert _counts(books)[2] == 3
    if column not in {"npi", "monthly_fee"}:
        assert value not in str(verdict.findings)


@pytest.mark.parametrize(
    ("column", "value"),
    [("account_number", "999999"), ("account_type", "savings"), ("routing_number", B.routing)],
)
def test_without_a_desk_other_bank_details_are_refused(books: Books, column: str, value: str) -> None:
    """Where nobody is there to be asked, the roster is refused whole, its line named and no secret repeated."""
    receiver = Receiver(books.begin, books.vault, books.keyring, BANK_ACCOUNT, MAKER)
    verdict = receiver.receive(BytesIO(roster(roster_row(A, **{column: value}), roster_row(D))), "roster.csv")
    assert verdict.status == "quarantined"
    assert _findings(verdict) == [(2, column, "on_file_stays")]
    assert _counts(books)[2] == 3
    assert value not in str(verdict.findings)


def test_names_and_schedules_follow_the_roster(books: Books) -> None:
    """The name over the door may change without a second person."""
    verdict = _import(books, roster_row(A, dba_name="New Name", payout_schedule="weekly", state="WI"))
    assert verdict.summary == "0 added, 1 changed, 0 unchanged"
    row = books.ask("SELECT dba_name, payout_schedule, state FROM member WHERE dba_name = 'New Name'")[0]
    assert tuple(row) == ("New Name", "weekly:fri", "WI")


def test_a_membership_ends_with_all_that_belongs_to_it(books: Books) -> None:
    """Identifiers and contract end on the last day; the bank account stays, for money that arrives later."""
    verdict = _import(books, roster_row(A, member_until="2026-11-30"))
    assert verdict.summary == "0 added, 1 changed, 0 unchanged"
    member = books.member(A)
    directory = _directory(books)
    assert directory.member(f"NPI:{A.npi}", "20261130") == member
    assert directory.member(f"NPI:{A.npi}", "20261201") is None
    assert directory.member(f"NCPDP:{A.ncpdp_id}", "20231231") is None
    (in_force,) = books.ask("SELECT lower(in_force), upper(in_force) FROM contract WHERE member_id = :m", m=member)
    assert tuple(in_force) == (A.member_since, date(2026, 12, 1))
    assert books.ask("SELECT upper_inf(in_use) FROM bank_account WHERE member_id = :member", member=member)[0][0]
    assert _import(books, roster_row(A, member_until="2026-11-30")).status == "duplicate"
    assert _findings(_import(books, roster_row(A, member_until="2026-12-31"))) == [(2, "member_until", "on_file_stays")]


def test_a_fee_may_change_from_a_later_day(books: Books) -> None:
    """The old contract ends the day before, and another one follows; the earlier fee can not be put back."""
    later = roster_row(A, monthly_fee="250.00", fee_since="2026-12-01")
    assert _import(books, later).summary == "0 added, 1 changed, 0 unchanged"
    rows = books.ask(
        "SELECT monthly_fee_cents, lower(in_force), upper(in_force) FROM contract WHERE member_id = :member ORDER BY 2",
        member=books.member(A),
    )
    assert [tuple(row) for row in rows] == [
        (200_00, A.member_since, date(2026, 12, 1)),
        (250_00, date(2026, 12, 1), None),
    ]
    assert (2, "fee_since", "on_file_stays") in _findings(_import(books, roster_row(A), roster_row(D)))


def test_a_fee_may_change_and_the_membership_end_in_one_row(books: Books) -> None:
    """Both contracts end where the membership does."""
    row = roster_row(A, monthly_fee="250.00", fee_since="2026-12-01", member_until="2026-12-31")
    assert _import(books, row).status == "accepted"
    rows = books.ask(
        "SELECT upper(in_force) FROM contract WHERE member_id = :member ORDER BY 1", member=books.member(A)
    )
    assert [each[0] for each in rows] == [date(2026, 12, 1), date(2027, 1, 1)]


def test_a_store_is_sold_in_one_roster(books: Books) -> None:
    """The old membership ends, the new one begins the day after: two members of one pharmacy, each on their days."""
    new = roster_row(A, member_since="2026-11-10", fee_since="2026-11-10", tin="839999999", account_number="5550001")
    verdict = _import(books, roster_row(A, member_until="2026-11-09"), new)
    assert verdict.summary == "1 added, 1 changed, 0 unchanged"
    directory = _directory(books)
    before, after = (directory.member(f"NPI:{A.npi}", day) for day in ("20261109", "20261110"))
    assert None not in {before, after}
    assert before != after
    assert _counts(books)[1:3] == (3, 4)
    with books.begin() as connection:
        assert find_member(connection, A.ncpdp_id, date(2026, 11, 9)) == before
        assert find_member(connection, A.ncpdp_id) == after
        assert find_member(connection, str(before).upper()) == before


@pytest.mark.parametrize(
    ("row", "elements"),
    [
        (roster_row(A, member_since="2026-11-10", fee_since="2026-11-10"), ["ncpdp_id", "npi"]),
        (roster_row(D, npi=A.npi), ["npi"]),
        (roster_row(A, npi=D.npi, member_since="2020-01-01", fee_since="2020-01-01"), ["ncpdp_id"]),
    ],
)
def test_a_new_member_on_days_of_another_is_a_finding(books: Books, row: dict[str, str], elements: list[str]) -> None:
    """A second member under an identifier that is on file for these days is refused with its line, not by an error."""
    verdict = _import(books, roster_row(B), row)
    assert verdict.status == "quarantined"
    assert _findings(verdict) == [(3, element, "memberships_apart") for element in elements]
    assert _counts(books) == (4, 3, 3, 6, 3, 3)


def test_an_earlier_owner_may_be_added(books: Books) -> None:
    """A membership that ended before the one on file does not touch it."""
    earlier = roster_row(A, member_since="2020-01-01", member_until="2023-12-31", fee_since="2020-01-01")
    assert _import(books, earlier).summary == "1 added, 0 changed, 0 unchanged"


def test_a_refused_roster_may_be_imported_later(books: Books) -> None:
    """What was refused for what is on file is read anew when that has changed."""
    new = roster(roster_row(A, member_since="2026-11-10", fee_since="2026-11-10"))
    assert books.receive(new).status == "quarantined"
    assert _import(books, roster_row(A, member_until="2026-11-09")).status == "accepted"
    assert books.receive(new).status == "accepted"
    assert books.receive(new).status == "duplicate"


def test_two_imports_at_once_make_each_member_once(new_books: Books) -> None:
    """Two processes that import rosters with the same rows both succeed."""
    new_books.found()
    rosters = [roster(roster_row(A), roster_row(B)), roster(roster_row(B), roster_row(A), roster_row(C))]
    with ThreadPoolExecutor(2) as pool:
        assert [each.status for each in pool.map(new_books.receive, rosters)] == ["accepted"] * 2
    assert _counts(new_books)[2] == 3


def test_payers_follow_their_list(books: Books) -> None:
    """A list adds and changes payers; the same list under another name changes nothing."""
    content = payer_file(books.folder / "payers.csv").read_bytes()
    assert books.receive(content, "payers.csv").summary == "2 added, 0 changed, 0 unchanged"
    changed = content.replace(b"TALLGRASS", b"BLUESTEM")
    assert books.receive(changed, "payers.csv").summary == "0 added, 1 changed, 1 unchanged"
    assert books.receive(changed + b"\n", "payers.csv").summary == "0 added, 0 changed, 2 unchanged"


def test_an_identifier_names_one_member_on_a_day() -> None:
    """Both ends of the range count; other identifiers and other days name nobody."""
    one, two = UUID(int=1), UUID(int=2)
    directory = Directory([("NPI:1", "20260101", "20260630", one), ("NPI:1", "20260701", "99991231", two)])
    days = ("20251231", "20260101", "20260630", "20260701", "20991231")
    assert [directory.member("NPI:1", day) for day in days] == [None, one, one, two, two]
    assert directory.member("NCPDP:1", "20260101") is None


def test_unknown_payees_keep_their_number(books: Books) -> None:
    """An identifier that names no member is registered once."""
    with books.begin() as connection:
        first = unknown_payee_ids(connection, ["NPI:9", "NPI:8", "NPI:9"])
    with books.begin() as connection:
        assert unknown_payee_ids(connection, ["NPI:8", "NPI:7"])["NPI:8"] == first["NPI:8"]


def test_a_member_that_is_none_is_said(books: Books) -> None:
    """Neither an NCPDP id nor a member id of ours."""
    with pytest.raises(UnknownMemberError, match="members list"), books.begin() as connection:
        find_member(connection, D.ncpdp_id)
