"""The real ledger under the names of the model: what the model takes as a step, this takes in PostgreSQL.

Postings go through ``ledger.posting`` as the application; ``write``, ``rewrite`` and ``append`` go past it, as the
owner of the tables could. Everything commits for real.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Engine, text

from app.database import reading, unit_of_work
from ledger.balances import owner_balance
from ledger.batch import Batch
from ledger.batch import Line as RealLine
from ledger.batch import Transaction as RealTransaction
from ledger.chart import CUSTODIAL_ACCOUNT, Account, Event
from ledger.chart import HOUSE as HOUSE_ID
from ledger.chart import Ledger as RealLedgerName
from ledger.posting import Posted, post, reverse
from ledger.queries import Queries
from tests.integration.ledger_rows import (
    APPROVAL,
    BANK_LINE,
    CONTRACT,
    DAYS,
    DERIVED,
    DISBURSEMENT,
    ENTRY_ROW,
    GIVEN_BACK,
    MEMBER,
    SETTING,
    TRANSACTION_ROW,
    Row,
    insert_lines,
    line_row,
)
from tests.model.book import AccountKey, Turnover
from tests.model.chart import CHART, Kind
from tests.model.facts import HOUSE, Disbursement, Ledger, Line, Payout, Reference, Transaction, first_day
from tests.model.ledger_model import Model

ACTOR = "finance"
_POSTING = Queries("ledger", "posting.sql")
_OF_TRANSACTION = "entry_id IN (SELECT entry_id FROM entry WHERE transaction_id = :id)"
_REWRITES = (
    "UPDATE journal_transaction SET fact_on = fact_on WHERE transaction_id = :id",
    "DELETE FROM journal_transaction WHERE transaction_id = :id",
    "UPDATE entry SET effective_on = effective_on WHERE transaction_id = :id",
    "DELETE FROM entry WHERE transaction_id = :id",
    f"UPDATE line SET amount_cents = -amount_cents WHERE {_OF_TRANSACTION}",  # noqa: S608 (our own words)
    f"DELETE FROM line WHERE {_OF_TRANSACTION}",  # noqa: S608 (our own words)
)


class Derived(NamedTuple):
    """A line of an advance as the database derived it."""

    event: str
    owner: str
    account: str
    amount_cents: int


@dataclass
class RealLedger:
    """A ledger in PostgreSQL, told of members, bank lines and payouts by the names that the model has for them.

    Args:
        app: works as the application.
        owner: works as the owner of the tables.
    """

    app: Engine
    owner: Engine
    owners: dict[str, UUID] = field(default_factory=lambda: {HOUSE: HOUSE_ID})
    _numbers: dict[str, int] = field(default_factory=dict[str, int])

    # Reference facts

    def lay(self, model: Model) -> None:
        """Make the members, contracts and months of a model that has posted nothing yet."""
        with unit_of_work(self.owner) as connection:
            for statement in SETTING:
                connection.execute(statement)
            months = [first_day(month) for month in model.periods]
            # Months are never taken away from a real ledger: their guard, and their trail, keep them.
            connection.execute(text("ALTER TABLE period DISABLE TRIGGER USER"))
            connection.execute(text("DELETE FROM period WHERE month <> ALL (:months)"), {"months": months})
            connection.execute(text("ALTER TABLE period ENABLE TRIGGER USER"))
            for place, member in enumerate(model.members.values(), 1):
                number = UUID(int=place)
                self.owners[member.member_id] = number
                since, until = member.since, member.until + timedelta(days=1) if member.until else None
                connection.execute(MEMBER, {"member": number, "ncpdp": f"{place:07}", "since": since, "until": until})
                fees = sorted((fee.since, fee.amount_cents) for fee in model.fees if fee.member_id == member.member_id)
                ends = [*(day for day, _ in fees[1:]), until]
                for (day, cents), end in zip(fees, ends, strict=False):
                    contract = {"since": max(day, since), "until": end, "cents": cents}
                    connection.execute(CONTRACT, {"member": number, **contract})
        for month, is_open in model.periods.items():
            if not is_open:
                self.close_period(month)

    def open_period(self, month: int) -> None:
        """Create the month YYYYMM, open."""
        with unit_of_work(self.owner) as connection:
            connection.execute(
                text("INSERT INTO period (month) VALUES (:month) ON CONFLICT DO NOTHING"), {"month": first_day(month)}
            )

    def close_period(self, month: int) -> None:
        """Close the month YYYYMM, past the guard: whether it may be closed is asked in ``test_closing``."""
        with unit_of_work(self.owner) as connection:
            connection.execute(text("ALTER TABLE period DISABLE TRIGGER follows_its_records"))
            connection.execute(
                text("UPDATE period SET state = 'closed' WHERE month = :month"), {"month": first_day(month)}
            )
            connection.execute(text("ALTER TABLE period ENABLE TRIGGER follows_its_records"))

    def add_bank_line(self, name: str, amount_cents: int) -> None:
        """Take in a bank line, signed as the bank signs it; it is not posted by this."""
        with unit_of_work(self.owner) as connection:
            connection.execute(BANK_LINE, {"id": self.number(name), "cents": amount_cents, "name": name})

    def approve_payout(self, payout: Payout, *, proposer: str, approver: str) -> None:
        """Approve a payout as the one of its own cycle."""
        parameters = {
            "id": self.number(payout.payout_id),
            "member": self.owners[payout.member_id],
            "cents": payout.amount_cents,
            "proposer": proposer,
            "approver": approver,
        }
        with unit_of_work(self.owner) as connection:
            for statement in APPROVAL:
                connection.execute(statement, parameters)

    def approve_disbursement(self, disbursement: Disbursement, *, proposer: str, approver: str) -> None:
        """Approve a payment to another than a member, as one that empties no item of its own."""
        parameters = {
            "id": self.number(disbursement.disbursement_id),
            "event": disbursement.event,
            "owner": self.owners[disbursement.owner],
            "cents": disbursement.amount_cents,
            "proposer": proposer,
            "approver": approver,
        }
        with unit_of_work(self.owner) as connection:
            for statement in DISBURSEMENT:
                connection.execute(statement, parameters)

    def approve_given_back(self, *transactions: Transaction) -> None:
        """Approve the waivers and refunds among transactions, each for the fact that it is."""
        kinds = {"fee_waived": "fee_waiver", "fee_refunded": "fee_refund"}
        for transaction in transactions:
            for line in transaction.lines if transaction.event in kinds else ():
                if line.account != "fee_waived" or not isinstance(line.reference, int):
                    continue
                member, month = self.owners[line.owner], f"{first_day(line.reference):%Y-%m}"
                facts = {"member_id": str(member), "month": month, "amount_cents": line.amount_cents}
                named = json.dumps(facts | {"fact_key": transaction.fact_key})
                kind = kinds[transaction.event]
                with unit_of_work(self.owner) as connection:
                    connection.execute(GIVEN_BACK, {"kind": kind, "subject": f"{member} {month}", "facts": named})

    # Postings

    def post(self, *transactions: Transaction) -> list[Posted]:
        """Post transactions as one batch, in a database transaction of its own."""
        with unit_of_work(self.app) as connection:
            return self.post_on(connection, *transactions)

    def post_on(self, connection: Connection, *transactions: Transaction) -> list[Posted]:
        """Post transactions as one batch on a connection."""
        self.approve_given_back(*transactions)
        if any(transaction.reverses is not None for transaction in transactions):
            return self._post_naming_original(connection, transactions)
        return post(connection, self.batch(*transactions), ACTOR)

    def _post_naming_original(self, connection: Connection, transactions: Iterable[Transaction]) -> list[Posted]:
        """Call the function itself: ``ledger.posting.post`` has no word for a reversal that the caller builds."""
        given = [(transaction, self.transaction(transaction)) for transaction in transactions]
        lines = [(place, line) for place, (_, real) in enumerate(given, 1) for line in real.lines]
        parameters = {
            "actor": ACTOR,
            "events": [real.event.value for _, real in given],
            "fact_keys": [real.fact_key for _, real in given],
            "fact_on": [real.fact_on for _, real in given],
            "reasons": [real.reason for _, real in given],
            "reverses": [asked.reverses for asked, _ in given],
            "bank_lines": [real.bank_line_id for _, real in given],
            "line_transaction": [place for place, _ in lines],
            "line_owner": [line.owner for _, line in lines],
            "line_ledger": [line.ledger.value for _, line in lines],
            "line_account": [line.account.value for _, line in lines],
            "line_amount": [line.amount_cents for _, line in lines],
            "line_reference": [line.reference for _, line in lines],
        }
        return [Posted(*row) for row in connection.execute(_POSTING["post"], parameters)]

    def reverse(self, transaction_id: int, fact_key: str, fact_on: date) -> Posted:
        """Reverse a transaction by its number in the database."""
        with unit_of_work(self.app) as connection:
            return reverse(
                connection, transaction_id, fact_key=fact_key, fact_on=fact_on, actor=ACTOR, reason="it was wrong"
            )

    def write(self, asked: Transaction, effective_on: date | None = None) -> int:
        """Write a transaction into the tables as their owner, past ``post``; give its number."""
        with unit_of_work(self.owner) as connection:
            return int(str(self.write_on(connection, asked, effective_on)["transaction"]))

    def write_on(self, connection: Connection, asked: Transaction, effective_on: date | None = None) -> Row:
        """Write a transaction into the tables on a connection; give what its entries have to agree with."""
        self.approve_given_back(asked)
        frame = {
            "event": asked.event,
            "fact_key": asked.fact_key,
            "fact_on": asked.fact_on,
            "day": effective_on or asked.fact_on,
            "bank_line": None if asked.bank_line is None else self.number(asked.bank_line),
            "reverses": asked.reverses,
        }
        frame["transaction"] = connection.execute(TRANSACTION_ROW, frame).scalar_one()
        self.add_entries(connection, frame, asked.event, asked.lines)
        return frame

    def add_entries(self, connection: Connection, frame: Row, event: str, lines: Iterable[Line]) -> None:
        """Write lines as entries of a transaction that was just written, with one statement for all lines."""
        self.add_entries_of(connection, frame, {event: lines})

    def add_entries_of(self, connection: Connection, frame: Row, entries: Mapping[str, Iterable[Line]]) -> None:
        """Write the lines of several events as entries of one transaction, with one statement for all lines."""
        made: dict[tuple[str, UUID, str], int] = {}
        rows = []
        named = [(event, self.line(line)) for event, lines in entries.items() for line in lines]
        for place, (event, line) in enumerate(named, 1):
            key = (event, line.owner, line.ledger.value)
            if key not in made:
                entry = {**frame, "event": event, "owner": line.owner, "ledger": line.ledger.value}
                made[key] = int(connection.execute(ENTRY_ROW, entry).scalar_one())
            rows.append(line_row(line, made[key], event, frame["day"], place))
        insert_lines(connection, rows)

    def rewrite(self, transaction_id: int) -> None:
        """Try to change or delete a transaction, one way or another."""
        with unit_of_work(self.owner) as connection:
            connection.execute(text(_REWRITES[transaction_id % len(_REWRITES)]), {"id": transaction_id})

    def append(self, transaction_id: int, lines: tuple[Line, ...]) -> None:
        """Try to add lines to the first entry of a transaction."""
        with unit_of_work(self.owner) as connection:
            entry = connection.execute(
                text("SELECT * FROM entry WHERE transaction_id = :id ORDER BY entry_id LIMIT 1"), {"id": transaction_id}
            ).one()
            rows = [
                {
                    **line_row(self.line(line), entry.entry_id, entry.event, entry.effective_on, 90 + place),
                    "owner_id": entry.owner_id,
                    "ledger": entry.ledger,
                }
                for place, line in enumerate(lines)
            ]
            insert_lines(connection, rows)

    # Reading

    def balance(self, owner: str, account: str) -> int:
        """Give the balance of an account on its own side, in cents, as the model does."""
        wanted = CHART[account]
        with reading(self.app) as connection:
            cents = owner_balance(connection, self.owners[owner], Account(account), RealLedgerName(wanted.ledger.value))
        return cents if wanted.kind is Kind.ASSET else -cents

    def accounts(self) -> dict[AccountKey, Turnover]:
        """Give all stored balances that are not empty, under the names of the model."""
        names = {number: name for name, number in self.owners.items()}
        with reading(self.app) as connection:
            rows = connection.execute(text("SELECT * FROM balance WHERE debit_cents + credit_cents > 0")).all()
        return {
            AccountKey(names[row.owner_id], Ledger(row.ledger), row.account): Turnover(
                row.debit_cents, row.credit_cents
            )
            for row in rows
        }

    def derived(self, transaction_id: int) -> list[Derived]:
        """Give the lines that the database derived for a transaction, sorted."""
        names = {number: name for name, number in self.owners.items()}
        with reading(self.app) as connection:
            rows = connection.execute(DERIVED, {"id": transaction_id}).all()
        return sorted(Derived(row.event, names[row.owner_id], row.account, row.amount_cents) for row in rows)

    def effective_on(self, transaction_id: int) -> date:
        """Give the accounting date of a transaction; all its entries and lines have it too."""
        with reading(self.app) as connection:
            days = connection.execute(DAYS, {"id": transaction_id}).scalars().all()
        assert len(days) == 1
        day = days[0]
        assert isinstance(day, date)
        return day

    # Names

    def number(self, name: str) -> int:
        """Give the number that stands for a name of the model: bank line, payout, advice or identifier."""
        return self._numbers.setdefault(name, len(self._numbers) + 1)

    def line(self, line: Line) -> RealLine:
        """Translate a line."""
        account = Account(line.account)
        reference = CUSTODIAL_ACCOUNT if account is Account.CASH else self._reference(line.reference)
        ledger = RealLedgerName(line.ledger.value)
        return RealLine(self.owners[line.owner], ledger, account, line.amount_cents, reference)

    def _reference(self, reference: Reference) -> int | None:
        return self.number(reference) if isinstance(reference, str) else reference

    def transaction(self, asked: Transaction) -> RealTransaction:
        """Translate a transaction; what it reverses is already a number of the database."""
        bank_line = None if asked.bank_line is None else self.number(asked.bank_line)
        lines = tuple(self.line(line) for line in asked.lines)
        return RealTransaction(Event(asked.event), asked.fact_key, asked.fact_on, lines, bank_line_id=bank_line)

    def batch(self, *transactions: Transaction) -> Batch:
        """Translate a batch as it is given, lines of zero included."""
        return Batch([self.transaction(transaction) for transaction in transactions])
