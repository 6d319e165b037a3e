"""The roster: the CSV file that says which pharmacies are members, since when, for what fee, and paid where."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from enum import StrEnum
from typing import Annotated, BinaryIO, Self, cast

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from ingest.tables import (
    Column,
    Row,
    day_from_text,
    read_rows,
    text_of_at_most,
)
from schemas.collecting import FileFindings
from schemas.identifiers import AbaRouting, Identifier, Ncpdp, Npi, Tin
from schemas.money import cents_from_text
from schemas.schedules import SCHEDULES, PayoutSchedule

MAX_MONTHLY_FEE_CENTS = 100_000_000
MAX_PAYOUT_MINIMUM_CENTS = 100_000_000
_LONGEST_NAME = 100
_ACCOUNT_NUMBER = re.compile(r"(?=.*[1-9A-Za-z])[0-9A-Za-z-]{1,17}", re.ASCII)

_STATE_CODES = (
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR "
    "PA RI SC SD TN TX UT VT VA WA WV WI WY AS GU MP PR VI FM MH PW AA AE AP"
)
STATES = frozenset(_STATE_CODES.split())
"""States, the District, territories, freely associated states, armed forces (USPS Publication 28, appendix B)."""


class AccountType(StrEnum):
    """Kind of bank account; decides the ACH transaction code."""

    CHECKING = "checking"
    """Demand account."""
    SAVINGS = "savings"
    """Savings account."""


class RosterRow(BaseModel):
    """One pharmacy under one ownership. Both ends of the membership are inclusive; ``member_until`` None is open.

    The account number follows the NACHA field for it: 1 to 17 letters, digits and dashes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    ncpdp_id: Ncpdp
    npi: Npi
    legal_name: Annotated[str, Field(min_length=1, max_length=_LONGEST_NAME)]
    dba_name: Annotated[str, Field(max_length=_LONGEST_NAME)]
    """The name over the door; may be empty."""
    tin: Annotated[Tin, Field(repr=False)]
    state: str
    member_since: date
    member_until: date | None
    monthly_fee_cents: Annotated[int, Field(ge=0, le=MAX_MONTHLY_FEE_CENTS)]
    fee_since: date
    routing_number: AbaRouting
    account_number: SecretStr
    account_type: AccountType
    payout_schedule: PayoutSchedule
    payout_minimum_cents: Annotated[int, Field(ge=0, le=MAX_PAYOUT_MINIMUM_CENTS)] | None = None
    """Less is not paid, but waits; None: the roster does not say, and what is on file stays."""

    @field_validator("state")
    @classmethod
    def _state_exists(cls, state: str) -> str:
        return _state(state)

    @field_validator("account_number")
    @classmethod
    def _account_number_fits(cls, number: SecretStr) -> SecretStr:
        return account_number(number.get_secret_value())

    @model_validator(mode="after")
    def _dates_agree(self) -> Self:
        for column, expected, _ in _date_problems(self.member_since, self.member_until, self.fee_since):
            raise ValueError(f"{column} must be {expected}")
        return self


def read_roster(stream: BinaryIO, name: str) -> tuple[RosterRow, ...]:
    """Read a roster; all of it is good, or nothing is returned.

    Two rows may have the same NCPDP id or NPI when their memberships do not overlap: a change of ownership.

    Args:
        stream: the decompressed file; the header must be ``ROSTER_COLUMNS``, and ``OPTIONAL_COLUMNS`` may follow.
        name: the file as the user named it, for messages.

    Raises:
        UnreadableError: with every finding, none of which holds an account number, a routing number or a TIN
            (which may be a person's).
    """
    findings = FileFindings(name)
    rows = list(read_rows(stream, _COLUMNS, findings))
    for row in rows:
        since, until, fee_since = _days(row)
        for column, expected, found in _date_problems(since, until, fee_since):
            findings.add("dates_agree", column, expected, found, line=row.line)
    for column in ("ncpdp_id", "npi"):
        _refuse_overlaps(rows, column, findings)
    findings.refuse_if_any()
    return tuple(_roster_row(row) for row in rows)


def _roster_row(row: Row) -> RosterRow:
    facts = dict(row.values)
    facts["monthly_fee_cents"] = facts.pop("monthly_fee")
    facts["payout_minimum_cents"] = facts.pop("payout_minimum", None)
    return RosterRow.model_validate(facts)


def _state(text: str) -> str:
    if text not in STATES:
        raise ValueError("not a state")
    return text


def account_number(text: str) -> SecretStr:
    """Read a bank account number as the NACHA field for it has it: 1 to 17 letters, digits and dashes.

    Raises:
        ValueError: it is none; the number is not repeated.
    """
    if _ACCOUNT_NUMBER.fullmatch(text) is None:
        raise ValueError("not an account number")
    return SecretStr(text)


def _fee_cents(text: str) -> int:
    cents = cents_from_text(text)
    if not 0 <= cents <= MAX_MONTHLY_FEE_CENTS:
        raise ValueError("not a fee")
    return cents


def _day_or_open(text: str) -> date | None:
    return day_from_text(text) if text else None


def _minimum_cents(text: str) -> int | None:
    if not text:
        return None
    cents = cents_from_text(text)
    if not 0 <= cents <= MAX_PAYOUT_MINIMUM_CENTS:
        raise ValueError("not a minimum")
    return cents


def _date_problems(since: date | None, until: date | None, fee_since: date | None) -> Iterator[tuple[str, str, str]]:
    """Yield column, expected and found of each date that does not fit the others; None is open or unreadable."""
    if since and until and until < since:
        yield "member_until", f"a day not before member_since, {since}", str(until)
    elif fee_since and since and not since <= fee_since <= (until or date.max):
        yield "fee_since", f"a day of the membership, {since} to {until or 'open'}", str(fee_since)


def _days(row: Row) -> tuple[date | None, date | None, date | None]:
    since, until, fee_since = (row.values.get(name) for name in ("member_since", "member_until", "fee_since"))
    return cast("tuple[date | None, date | None, date | None]", (since, until, fee_since))


def _refuse_overlaps(rows: Iterable[Row], column: str, findings: FileFindings) -> None:
    """Find rows that give one identifier to two members on the same day."""
    memberships = defaultdict(list)
    for row in rows:
        since, until, _ = _days(row)
        # A date that could not be read has its own finding; to guess it would only add a second, wrong one.
        if column in row.values and "member_until" in row.values and since and since <= (until or date.max):
            memberships[str(row.values[column])].append((since, until or date.max, row.line))
    for identifier, spans in memberships.items():
        spans.sort()
        _, latest, latest_line = spans[0]
        for since, until, line in spans[1:]:
            if since <= latest:
                expected = f"a membership apart from that of line {latest_line}"
                found = f"{identifier} on both from {since}"
                findings.add("memberships_apart", column, expected, found, line=line, advice=_OVERLAP_ADVICE)
            if until > latest:
                latest, latest_line = until, line


def _identifier(name: str, kind: type[Identifier]) -> Column:
    check_digit = " with a right check digit" if kind in (Npi, AbaRouting) else ""
    return Column(name, kind.shape + check_digit, kind)


def _name(column: str, *, may_be_blank: bool) -> Column:
    expected = f"{'nothing, or ' if may_be_blank else ''}a name of at most {_LONGEST_NAME} characters"
    return Column(column, expected, text_of_at_most(_LONGEST_NAME), may_be_blank)


_OVERLAP_ADVICE = "At a change of ownership the old membership ends the day before the new one begins."
_DAY = "a day such as 2026-07-03, from the years 1900 to 2199"
_MINIMUM = "nothing, or dollars from 0 to 1000000.00, such as 50.00"
_COLUMNS = (
    _identifier("ncpdp_id", Ncpdp),
    _identifier("npi", Npi),
    _name("legal_name", may_be_blank=False),
    _name("dba_name", may_be_blank=True),
    _identifier("tin", Tin),
    Column("state", "a USPS state code in capitals", _state),
    Column("member_since", _DAY, day_from_text),
    Column("member_until", f"nothing, or {_DAY}", _day_or_open, may_be_blank=True),
    Column("monthly_fee", "dollars from 0 to 1000000.00, such as 200.00", _fee_cents),
    Column("fee_since", _DAY, day_from_text),
    _identifier("routing_number", AbaRouting),
    Column("account_number", "1 to 17 letters, digits and dashes", account_number),
    Column("account_type", "checking or savings", AccountType),
    Column("payout_schedule", SCHEDULES, PayoutSchedule.read),
    Column("payout_minimum", _MINIMUM, _minimum_cents, may_be_blank=True, optional=True),
)
ROSTER_COLUMNS = tuple(column.name for column in _COLUMNS if not column.optional)
"""The header, in its order."""
OPTIONAL_COLUMNS = tuple(column.name for column in _COLUMNS if column.optional)
"""What may follow it, in any order; a roster without a column leaves what is on file as it is."""
