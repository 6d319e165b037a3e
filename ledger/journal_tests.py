"""The journal-entry tests that auditors run as a routine over a general ledger.

Source: AICPA, Audit Data Standards (general ledger), its routine journal-entry tests; and those that this ledger's own
rules make possible. Some must find nothing; what the others find is to be looked at, and says nothing by itself.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ledger.queries import Queries
from schemas.errors import WrongUseError

_QUERIES = Queries("ledger", "journal_tests.sql")
_ALL: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class JournalTest:
    """A test: its name, what it looks for, among what, and whether it must find nothing."""

    name: str
    looks_for: str
    among: str
    must_be_zero: bool = False


JOURNAL_TESTS: Final = {
    test.name: test
    for test in (
        JournalTest("gaps", "gaps in the journal numbers of what is sealed", "leaves", must_be_zero=True),
        JournalTest("unbalanced", "entries that do not net to zero, or lack lines", "entries", must_be_zero=True),
        JournalTest("trial_balance", "accounts whose detail is not the trial balance", "balances", must_be_zero=True),
        JournalTest("log_totals", "entries that differ from the sealed log", "leaves", must_be_zero=True),
        JournalTest("maker_is_checker", "approvals by who proposed, or twice by one", "approvals", must_be_zero=True),
        JournalTest("without_role", "people who posted and may not", "users", must_be_zero=True),
        JournalTest("after_close", "entries in a month that was closed by then", "entries", must_be_zero=True),
        JournalTest("after_reopening", "entries in a month since it was reopened", "entries"),
        JournalTest("not_sealed", "entries that wait for the sealer", "entries"),
        JournalTest("duplicate_amounts", "the same amount, account and owner twice in a month", "lines"),
        JournalTest("duplicate_facts", "the same event, owner, day, amount and references twice", "entries"),
        JournalTest("round_thousands", "entries with a line of whole thousands", "entries"),
        JournalTest("dated_ahead", "documents dated after the day of entry", "transactions"),
        JournalTest("weekend", "entered on a Saturday or Sunday by the bank's clock", "transactions"),
        JournalTest("off_hours", "entered from 20:00 to 05:59 by the bank's clock", "transactions"),
        JournalTest("rare_users", "people with ten entries or fewer", "users"),
        JournalTest("rare_accounts", "accounts used three times or fewer", "accounts"),
        JournalTest("manual", "what people decided one by one, the largest first", "transactions"),
    )
}


class UnknownTestError(WrongUseError):
    """There is no journal test of that name."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"There is no journal test {name!r}; there are {', '.join(JOURNAL_TESTS)}")


class Finding(BaseModel):
    """Something that a test found; what does not apply is None. ``entered_at`` is by the bank's clock."""

    model_config = ConfigDict(frozen=True)

    transaction_id: int | None
    journal_no: int | None
    owner: str | None
    effective_on: date | None
    entered_at: str | None
    actor: str | None
    account: str | None
    amount_cents: int | None
    detail: str


class JournalTestResult(BaseModel):
    """What a test looked at, how much it found, and the first of it."""

    model_config = ConfigDict(frozen=True)

    name: str
    looks_for: str
    among: str
    must_be_zero: bool
    looked_at: int
    found: int
    first: tuple[Finding, ...]

    @property
    def fails(self) -> bool:
        """Say whether it found what must not be."""
        return self.must_be_zero and self.found > 0


def journal_tests(
    connection: Connection, from_on: date, to_on: date, *, name: str | None = None, most: int | None = 5
) -> list[JournalTestResult]:
    """Run all tests over a period, or one of them.

    Args:
        connection: reading is enough; best of one moment.
        from_on: first accounting day.
        to_on: last accounting day.
        name: the one to run; None: all.
        most: how many findings each gives; None: all.

    Raises:
        UnknownTestError: there is no such test.
        WrongUseError: the days run backwards.
    """
    if name is not None and name not in JOURNAL_TESTS:
        raise UnknownTestError(name)
    if to_on < from_on:
        raise WrongUseError(f"{from_on} to {to_on} are no days")
    asked = {"from_on": from_on, "to_on": to_on}
    looked_at = connection.execute(_QUERIES["looked_at"], asked).one()._asdict()
    limit = {"most": _ALL if most is None else most}
    chosen = JOURNAL_TESTS.values() if name is None else (JOURNAL_TESTS[name],)
    return [_run(connection, test, looked_at[test.among], asked | limit) for test in chosen]


def _run(connection: Connection, test: JournalTest, looked_at: int, asked: dict[str, date | int]) -> JournalTestResult:
    rows = connection.execute(_QUERIES[test.name], asked).mappings().all()
    return JournalTestResult(
        name=test.name,
        looks_for=test.looks_for,
        among=test.among,
        must_be_zero=test.must_be_zero,
        looked_at=looked_at,
        found=rows[0]["found"] if rows else 0,
        first=tuple(Finding(**{column: row[column] for column in Finding.model_fields}) for row in rows),
    )
