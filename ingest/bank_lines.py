"""Bank statements into the books: every booked line once, ``deposited`` or ``debited`` on the bank's date."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from sqlalchemy import Connection

from ingest.bank.bai2 import BankItem, BankStatement, read_bai2
from ingest.encryption import Keyring
from ledger.batch import Batch
from ledger.chart import CUSTODIAL_ACCOUNT
from ledger.events import bank_booked
from ledger.posting import effective_date, post
from ledger.queries import Queries
from schemas.errors import UnreadableError, WrongUseError
from schemas.findings import Finding

OPENING_CODE = "010"
"""Type code of the line that books what the account held before its first statement."""

OPENING_REFERENCE = "OPENING"
"""Bank reference of that line, by which a person can say whose money it is."""

_QUERIES = Queries("ingest", "bank.sql")
_TRACE = re.compile(r"TRN\*1\*([^*~\\/|^\s]{1,50})(?:\*(\d{10}))?")
_ACCOUNT_CONTEXT = f"custodial_account:{CUSTODIAL_ACCOUNT}".encode()


@dataclass(frozen=True, slots=True)
class Booked:
    """What of a bank file was new."""

    lines: int


def load_bank_file(
    connection: Connection, stream: BinaryIO, name: str, *, file_id: int, own_account: str, keyring: Keyring, actor: str
) -> Booked:
    """Book a BAI2 file: all of it or nothing. Lines that were booked before are not booked again.

    Raises:
        UnreadableError: the file does not foot, holds intraday figures, or is of another account.
    """
    file = read_bai2(stream, name)
    connection.execute(_QUERIES["lock_account"])
    findings = [finding for statement in file.statements for finding in _unfit(connection, statement, own_account)]
    findings += _repeated(file.statements)
    if findings:
        raise UnreadableError(name, findings)
    _ensure_account(connection, own_account, keyring)
    batch = Batch()
    lines = 0
    for statement in sorted(file.statements, key=lambda each: each.as_of):
        for bank_line_id, as_of, cents in _add_statement(connection, statement, file_id):
            batch.add(bank_booked(bank_line_id, as_of, cents))
            lines += 1
    post(connection, batch, actor)
    return Booked(lines)


def traces_of(item: BankItem) -> list[tuple[str, str]]:
    """Find the payments that a bank item names: (TRN02, TRN03), the latter empty when absent.

    A TRN in the text counts, wherever its lines were broken; without one, the references may be a trace.
    """
    joined, spaced = (
        {(match[1], match[2] or "") for match in _TRACE.finditer(text)} for text in (item.text, item.text_spaced)
    )
    whole = [trace for trace, payer in joined | spaced if payer]
    # The same trace with and without its payer is one. So is one that only one reading of the lines has, because the
    # other cut it short; without a payer nobody can tell which reading is right, and both stay.
    found = {
        (trace, payer)
        for trace, payer in joined | spaced
        if payer
        or not any(
            other == trace or (other.startswith(trace) and (trace, payer) not in joined & spaced) for other in whole
        )
    }
    if found:
        return sorted(found)
    references = {item.bank_reference.strip(), item.customer_reference.strip()}
    return [(reference, "") for reference in sorted(references) if reference]


def _ensure_account(connection: Connection, number: str, keyring: Keyring) -> None:
    for row in connection.execute(_QUERIES["accounts"]):
        if keyring.open(bytes(row.sealed_number), _ACCOUNT_CONTEXT).decode() != number:
            raise WrongUseError("CENTRALPAY_BANK_ACCOUNT is not the custodial account that these books were begun with")
        return
    sealed = keyring.seal(number.encode(), _ACCOUNT_CONTEXT)
    facts = {"id": CUSTODIAL_ACCOUNT, "last_four": number[-4:], "sealed_number": sealed}
    connection.execute(_QUERIES["add_account"], facts)


def _add_statement(connection: Connection, statement: BankStatement, file_id: int) -> Sequence[tuple[int, date, int]]:
    """Write a statement and its lines; give the new lines (id, day, cents)."""
    first = _begun_on(connection) is None
    facts = {"account": CUSTODIAL_ACCOUNT, "as_of": statement.as_of, "file_id": file_id}
    balances = {"opening_cents": statement.opening_cents, "closing_cents": statement.closing_cents}
    connection.execute(_QUERIES["add_statement"], facts | balances)
    alike: Counter[tuple[object, ...]] = Counter()
    columns: dict[str, list[object]] = {name: [] for name in _COLUMNS}
    if first and statement.opening_cents:
        opening = (
            OPENING_CODE,
            statement.opening_cents,
            OPENING_REFERENCE,
            "",
            "balance before the first statement",
            "[]",
            1,
        )
        for name, value in zip(_COLUMNS, opening, strict=True):
            columns[name].append(value)
    for item in statement.items:
        cents = item.amount_cents if item.is_credit else -item.amount_cents
        identity = (item.type_code, cents, item.bank_reference, item.customer_reference, item.text)
        alike[identity] += 1
        row = (*identity, json.dumps(traces_of(item)), alike[identity])
        for name, value in zip(_COLUMNS, row, strict=True):
            columns[name].append(value)
    rows = connection.execute(_QUERIES["add_lines"], facts | columns)
    return sorted((row.bank_line_id, row.as_of, row.amount_cents) for row in rows)


_COLUMNS = ("type_codes", "amounts", "bank_references", "customer_references", "descriptions", "traces", "ordinals")


def _begun_on(connection: Connection) -> date | None:
    """Give the day of the first statement that was booked."""
    day: date | None = connection.execute(_QUERIES["begun_on"], {"account": CUSTODIAL_ACCOUNT}).scalar()
    return day


def _opened(connection: Connection) -> bool:
    """Say whether the books began with money in the account."""
    return bool(connection.execute(_QUERIES["opened"], {"type_code": OPENING_CODE}).scalar())


def _repeated(statements: Sequence[BankStatement]) -> Iterator[Finding]:
    """Find days that a file reports twice: nobody could tell lines that are alike from lines that are repeated."""
    days: set[date] = set()
    for statement in statements:
        if statement.as_of in days:
            yield Finding(
                rule="day_is_reported_once",
                element="record 02 as-of date",
                expected="one statement of the account for a day",
                found=f"another one for {statement.as_of}",
                line=statement.line,
                advice="Ask the bank for one statement that holds all lines of the day.",
            )
        days.add(statement.as_of)


def _unfit(connection: Connection, statement: BankStatement, own_account: str) -> Iterator[Finding]:
    """Find what keeps a statement that foots from being booked."""
    if statement.account.lstrip("0") != own_account.lstrip("0"):
        yield Finding(
            rule="account_is_custodial",
            element="record 03 account",
            expected=f"the custodial account, ending {own_account[-4:]}",
            found=f"an account ending {statement.account[-4:]}",
            line=statement.line,
            advice="Ask the bank for the custodial account's statement, or correct CENTRALPAY_BANK_ACCOUNT.",
        )
    if statement.currency != "USD":
        yield Finding(
            rule="currency_is_dollars",
            element="record 03 currency",
            expected="USD",
            found=statement.currency,
            line=statement.line,
            advice="Only dollars are booked here.",
        )
    if not statement.is_booked:
        yield Finding(
            rule="statement_is_booked",
            element="record 02 group status and as-of date modifier",
            expected="a final prior-day statement",
            found="an intraday statement, or a test, correction or deletion",
            line=statement.line,
            advice="Intraday figures are repeated by the prior-day file; ingest that one.",
        )
    if not statement.items and statement.opening_cents != statement.closing_cents:
        yield Finding(
            rule="statement_has_its_items",
            element="record 16",
            expected="the items that moved the balance",
            found="none",
            line=statement.line,
            advice="Ask the bank for the statement in detail; a summary can not be booked.",
        )
    begun_on = _begun_on(connection)
    if begun_on is not None and statement.as_of < begun_on and (statement.opening_cents or _opened(connection)):
        yield Finding(
            rule="statement_follows_the_first",
            element="record 02 as-of date",
            expected=f"a day from {begun_on} on, when these books began with the account's opening balance",
            found=statement.as_of.isoformat(),
            line=statement.line,
            advice="That opening balance holds this day's lines already.",
        )
    if effective_date(connection, statement.as_of) is None:
        yield Finding(
            rule="period_exists",
            element="record 02 as-of date",
            expected="a date in an accounting period",
            found=statement.as_of.isoformat(),
            line=statement.line,
            advice="Check the date with the bank.",
        )
