"""The page on the lists that people bring: its examples are read, and its tables are those of the readers."""

import io
import re
from datetime import date
from pathlib import Path

from ingest.payers import PAYER_COLUMNS, read_payers
from ingest.roster import OPTIONAL_COLUMNS, ROSTER_COLUMNS, read_roster
from payouts.people.users import UserRole

PAGE = (Path(__file__).parents[2] / "docs" / "members-and-payers.md").read_text(encoding="utf-8")
ROSTER, PAYERS = re.findall(r"^```csv\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def _named(after: str, before: str) -> tuple[str, ...]:
    """Give the names in the first column of the tables between two headings."""
    part = PAGE.partition(after)[2].partition(before)[0]
    return tuple(re.findall(r"^\| `([a-z_]+)` \|", part, re.MULTILINE))


def test_the_roster_of_the_page_is_one() -> None:
    """It is read whole: a name with a comma, a leading zero, a member without an end and without a minimum."""
    first, second = read_roster(io.BytesIO(ROSTER.encode()), "roster.csv")
    assert (first.ncpdp_id, first.legal_name) == ("0123456", "Main Street Pharmacy, LLC")
    assert (first.member_until, first.payout_minimum_cents) == (None, None)
    assert (second.member_since, second.payout_minimum_cents) == (date(2026, 11, 20), 50_00)


def test_the_payers_of_the_page_are_some() -> None:
    """They are read whole: lists with several words, and none."""
    first, second = read_payers(io.BytesIO(PAYERS.encode()), "payers.csv")
    assert first.aliases == ("EXAMPLE PBM", "EXBM CLAIMS")
    assert (second.ach_company_ids, second.aliases) == ((), ())


def test_every_column_and_every_role_is_explained() -> None:
    """In the order of the headers; a column or a role that is added has to be told here."""
    assert _named("## The roster", "## The payers") == ROSTER_COLUMNS + OPTIONAL_COLUMNS
    assert _named("## The payers", "## Who may act") == PAYER_COLUMNS
    assert set(_named("## Who may act", "\0")) == set(UserRole)
