"""What keeps a bank statement that foots from being booked: another account, another currency, figures not final."""

from collections.abc import Iterator, Sequence
from datetime import date

from sqlalchemy import Connection

from ingest.bank.statement import BankFile, BankStatement, Feed
from ingest.bank_days import OPENING_CODE
from ledger.chart import CUSTODIAL_ACCOUNT
from ledger.posting import effective_date
from ledger.queries import Queries
from schemas.findings import Finding, Severity

_QUERIES = Queries("ingest", "bank.sql")
_PLACES = {
    Feed.BAI2: {
        "account": "record 03 account",
        "currency": "record 03 currency",
        "status": "record 02 group status and as-of date modifier",
        "items": "record 16",
        "day": "record 02 as-of date",
    },
    Feed.CAMT053: {
        "account": "Stmt/Acct/Id",
        "currency": "Stmt/Acct/Ccy",
        "status": "Stmt/Bal",
        "items": "Stmt/Ntry",
        "day": "Stmt/Bal/Dt",
    },
}
"""Where in a file of each format stands what may keep a statement from being booked."""


def of_account(file: BankFile, feed: Feed, own_account: str) -> tuple[Sequence[BankStatement], tuple[Finding, ...]]:
    """Leave out the statements of the customer's other accounts, where the format brings them together."""
    own = [each for each in file.statements if _same_account(each.account, own_account)]
    if feed is Feed.BAI2 or not own:
        return file.statements, file.warnings
    others = tuple(
        Finding(
            rule="account_is_custodial",
            element=_PLACES[feed]["account"],
            expected=f"the custodial account, ending {own_account[-4:]}",
            found=f"an account ending {each.account[-4:]}",
            line=each.line,
            severity=Severity.WARN,
            advice="Its statement was passed over.",
        )
        for each in file.statements
        if not _same_account(each.account, own_account)
    )
    return own, (*file.warnings, *others)


def _same_account(number: str, other: str) -> bool:
    return number.lstrip("0") == other.lstrip("0")


def begun_on(connection: Connection) -> date | None:
    """Give the day of the first statement that was booked."""
    day: date | None = connection.execute(_QUERIES["begun_on"], {"account": CUSTODIAL_ACCOUNT}).scalar()
    return day


def _opened(connection: Connection) -> bool:
    """Say whether the books began with money in the account."""
    return bool(connection.execute(_QUERIES["opened"], {"type_code": OPENING_CODE}).scalar())


def repeated_days(statements: Sequence[BankStatement], feed: Feed) -> Iterator[Finding]:
    """Find days that a file reports twice: nobody could tell lines that are alike from lines that are repeated."""
    days: set[date] = set()
    for statement in statements:
        if statement.as_of in days:
            yield Finding(
                rule="day_is_reported_once",
                element=_PLACES[feed]["day"],
                expected="one statement of the account for a day",
                found=f"another one for {statement.as_of}",
                line=statement.line,
                advice="Ask the bank for one statement that holds all lines of the day.",
            )
        days.add(statement.as_of)


def unfit(connection: Connection, statement: BankStatement, feed: Feed, own_account: str) -> Iterator[Finding]:
    """Find what keeps a statement that foots from being booked."""
    places = _PLACES[feed]
    if not _same_account(statement.account, own_account):
        yield Finding(
            rule="account_is_custodial",
            element=places["account"],
            expected=f"the custodial account, ending {own_account[-4:]}",
            found=f"an account ending {statement.account[-4:]}",
            line=statement.line,
            advice="Ask the bank for the custodial account's statement, or correct CENTRALPAY_BANK_ACCOUNT.",
        )
    if statement.currency != "USD":
        yield Finding(
            rule="currency_is_dollars",
            element=places["currency"],
            expected="USD",
            found=statement.currency,
            line=statement.line,
            advice="Only dollars are booked here.",
        )
    if not statement.is_booked:
        yield Finding(
            rule="statement_is_booked",
            element=places["status"],
            expected="a final prior-day statement",
            found="an intraday statement, or a test, correction or deletion",
            line=statement.line,
            advice="Intraday figures are repeated by the prior-day file; ingest that one.",
        )
    if not statement.items and statement.opening_cents != statement.closing_cents:
        yield Finding(
            rule="statement_has_its_items",
            element=places["items"],
            expected="the items that moved the balance",
            found="none",
            line=statement.line,
            advice="Ask the bank for the statement in detail; a summary can not be booked.",
        )
    begun = begun_on(connection)
    if begun is not None and statement.as_of < begun and (statement.opening_cents or _opened(connection)):
        yield Finding(
            rule="statement_follows_the_first",
            element=places["day"],
            expected=f"a day from {begun} on, when these books began with the account's opening balance",
            found=statement.as_of.isoformat(),
            line=statement.line,
            advice="That opening balance holds this day's lines already.",
        )
    if effective_date(connection, statement.as_of) is None:
        yield Finding(
            rule="period_exists",
            element=places["day"],
            expected="a date in an accounting period",
            found=statement.as_of.isoformat(),
            line=statement.line,
            advice="Check the date with the bank.",
        )
