"""Bank statements into the books: every booked line once, ``deposited`` or ``debited`` on the bank's date."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from sqlalchemy import Connection

from ingest.bank.bai2 import read_bai2
from ingest.bank.camt053 import read_camt053
from ingest.bank.received_entries import join_entries
from ingest.bank.statement import BankStatement, Feed
from ingest.bank.traces import traces_of
from ingest.bank_checks import begun_on, of_account, repeated_days, unfit
from ingest.bank_days import (
    OPENING_CODE,
    Differing,
    FeedsDifferError,
    Placed,
    add_details,
    close_confirmed_cases,
    place_statement,
    words_of,
)
from ingest.encryption import Keyring
from ingest.waivers import waived_rules
from ledger.batch import Batch
from ledger.chart import CUSTODIAL_ACCOUNT
from ledger.events import bank_booked
from ledger.posting import post
from ledger.queries import Queries
from schemas.errors import UnreadableError, WrongUseError
from schemas.findings import Finding

OPENING_REFERENCE = "OPENING"
"""Bank reference of the line for the opening balance, by which a person can say whose money it is."""

_QUERIES = Queries("ingest", "bank.sql")
_ACCOUNT_CONTEXT = f"custodial_account:{CUSTODIAL_ACCOUNT}".encode()


@dataclass(frozen=True, slots=True)
class Booked:
    """What of a bank file was new."""

    lines: int
    repeated: int = 0
    """Statements whose lines were booked before; they booked nothing."""
    clearer: int = 0
    """Booked lines for which it named payments that nobody had named before."""
    joined: int = 0
    """Received entries that were given to their lines."""
    warnings: tuple[Finding, ...] = ()

    @property
    def sentence(self) -> str:
        """Say it in one line."""
        said = [f"{self.lines} bank lines booked"]
        if self.repeated:
            said.append(f"{_many(self.repeated, 'statement')} said again what was booked")
        if self.clearer:
            said.append(f"payments named for {_many(self.clearer, 'line')}")
        if self.joined:
            said.append(f"{self.joined} received {'entry' if self.joined == 1 else 'entries'} joined")
        return ", ".join(said)


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def load_bank_file(
    connection: Connection,
    stream: BinaryIO,
    name: str,
    *,
    feed: Feed = Feed.BAI2,
    file_id: int,
    own_account: str,
    keyring: Keyring,
    actor: str,
) -> Booked:
    """Book a bank's statements: all of a file or nothing, and no money that another statement booked.

    Raises:
        FeedsDifferError: it says other lines of a day than the statement that was booked.
        UnreadableError: the file does not foot, holds intraday figures, or is of another account.
    """
    if feed is Feed.BAI2:
        file = read_bai2(stream, name, waived_rules(connection, file_id))
    else:
        file = read_camt053(stream, name)
    connection.execute(_QUERIES["lock_account"])
    if connection.execute(_QUERIES["is_loaded"], {"file_id": file_id}).scalar():
        # Another process took the same file in while this one read it.
        return Booked(0, len(file.statements), warnings=file.warnings)
    statements, warnings = of_account(file, feed, own_account)
    findings = [finding for statement in statements for finding in unfit(connection, statement, feed, own_account)]
    findings += repeated_days(statements, feed)
    if findings:
        raise UnreadableError(name, findings)
    placed = _placed(connection, statements, feed, name)
    _ensure_account(connection, own_account, keyring)
    batch = Batch()
    lines = clearer = 0
    for each in placed:
        for bank_line_id, as_of, cents in _add_statement(connection, each, feed, file_id):
            batch.add(bank_booked(bank_line_id, as_of, cents))
            lines += 1
        clearer += add_details(connection, each.details, file_id)
        close_confirmed_cases(connection, each.statement)
    post(connection, batch, actor)
    repeated = sum(each.repeats is not None for each in placed)
    return Booked(lines, repeated, clearer, join_entries(connection, actor), warnings)


def _placed(connection: Connection, statements: Sequence[BankStatement], feed: Feed, name: str) -> list[Placed]:
    """Say of each statement, in the order of their days, what it is beside what was booked.

    Raises:
        FeedsDifferError: one of them is neither more of its day nor the same again.
    """
    outcomes = [place_statement(connection, each, feed) for each in sorted(statements, key=lambda each: each.as_of)]
    differing = [each for each in outcomes if isinstance(each, Differing)]
    if differing:
        raise FeedsDifferError(name, differing)
    return [each for each in outcomes if isinstance(each, Placed)]


def _ensure_account(connection: Connection, number: str, keyring: Keyring) -> None:
    for row in connection.execute(_QUERIES["accounts"]):
        if keyring.open(bytes(row.sealed_number), _ACCOUNT_CONTEXT).decode() != number:
            raise WrongUseError("CENTRALPAY_BANK_ACCOUNT is not the custodial account that these books were begun with")
        return
    sealed = keyring.seal(number.encode(), _ACCOUNT_CONTEXT)
    facts = {"id": CUSTODIAL_ACCOUNT, "last_four": number[-4:], "sealed_number": sealed}
    connection.execute(_QUERIES["add_account"], facts)


def _add_statement(connection: Connection, placed: Placed, feed: Feed, file_id: int) -> Sequence[tuple[int, date, int]]:
    """Write a statement and its lines; give the new ones (id, day, cents), none where it says booked ones again."""
    statement = placed.statement
    first = begun_on(connection) is None
    facts = {"account": CUSTODIAL_ACCOUNT, "as_of": statement.as_of, "file_id": file_id}
    # The balances of a statement that is said again stand with the one that booked its lines.
    books = placed.repeats is None
    opening_cents, closing_cents = (statement.opening_cents, statement.closing_cents) if books else (None, None)
    balances = {"opening_cents": opening_cents, "closing_cents": closing_cents}
    words = {"feed": feed.value, "repeats": placed.repeats}
    connection.execute(_QUERIES["add_statement"], facts | balances | words)
    if not books:
        return []
    rows: list[tuple[object, ...]] = []
    if first and statement.opening_cents:
        said = "balance before the first statement"
        rows.append((statement.opening_cents, OPENING_CODE, OPENING_REFERENCE, "", said, "[]", 1))
    alike = placed.alike.copy()
    for item in statement.items:
        identity = words_of(item)
        alike[identity] += 1
        rows.append((*identity, json.dumps(traces_of(item)), alike[identity]))
    columns = {name: [row[place] for row in rows] for place, name in enumerate(_COLUMNS)}
    added = connection.execute(_QUERIES["add_lines"], facts | columns)
    return sorted((row.bank_line_id, row.as_of, row.amount_cents) for row in added)


_COLUMNS = ("amounts", "type_codes", "bank_references", "customer_references", "descriptions", "traces", "ordinals")
