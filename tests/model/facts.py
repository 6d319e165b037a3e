"""The values of the model: lines, transactions, entries, members, payouts, disbursements, months."""

from calendar import monthrange
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

HOUSE = "house"
"""The owner of everything that is no member's: the PSAO's house book."""

REVERSED = "reversed"
"""The event of a reversal; it has no rows in the matrix."""


Reference = str | int | None
"""An advice, bank line, payout or identifier as text; a month as the integer YYYYMM; or nothing."""


class Malformed(ValueError):  # noqa: N818 (said of the transaction, as a refusal is)
    """A transaction that no rule speaks about: an owner nobody knows, a reference of the wrong kind."""


class Ledger(StrEnum):
    """The two ledgers, which never mix within an entry."""

    CUSTODY = "custody"
    """Other people's money: assets and liabilities only."""
    OPERATING = "operating"
    """The PSAO's own: fee revenue, advances, bank charges."""


@dataclass(frozen=True)
class Line:
    """One line of an entry; the amount is in cents, debit positive, credit negative."""

    owner: str
    ledger: Ledger
    account: str
    amount_cents: int
    reference: Reference = None

    @property
    def side(self) -> str:
        """Name the side: ``debit``, ``credit``, or ``none`` for an amount of zero."""
        if self.amount_cents == 0:
            return "none"
        return "debit" if self.amount_cents > 0 else "credit"

    def turned(self) -> "Line":
        """Turn the sign."""
        return replace(self, amount_cents=-self.amount_cents)


@dataclass(frozen=True)
class Entry:
    """The lines of one owner in one ledger that belong to one event; they sum to zero by themselves."""

    event: str
    owner: str
    ledger: Ledger
    lines: tuple[Line, ...]


def entries_of(event: str, lines: Sequence[Line]) -> tuple[Entry, ...]:
    """Group lines by owner and ledger, in the order in which the pairs first appear."""
    pairs = dict.fromkeys((line.owner, line.ledger) for line in lines)
    return tuple(
        Entry(event, owner, ledger, tuple(line for line in lines if (line.owner, line.ledger) == (owner, ledger)))
        for owner, ledger in pairs
    )


@dataclass(frozen=True)
class Transaction:
    """One business event as it is asked for: its primary lines, without the advance that may follow from them."""

    event: str
    fact_key: str
    fact_on: date
    lines: tuple[Line, ...]
    bank_line: str | None = None
    reverses: int | None = None

    def entries(self) -> tuple[Entry, ...]:
        """Group the primary lines into entries."""
        return entries_of(self.event, self.lines)

    def differences(self, other: "Transaction") -> frozenset[str]:
        """Name the fields of the body that differ; the order of the lines is no difference."""
        pairs = {
            "event": (self.event, other.event),
            "fact_on": (self.fact_on, other.fact_on),
            "reverses": (self.reverses, other.reverses),
            "bank_line": (self.bank_line, other.bank_line),
            "lines": (Counter(self.lines), Counter(other.lines)),
        }
        return frozenset(name for name, (mine, theirs) in pairs.items() if mine != theirs)


@dataclass(frozen=True)
class Posted:
    """A transaction as it was created, with the advance entries derived from it."""

    transaction_id: int
    transaction: Transaction
    effective_on: date
    derived: tuple[Entry, ...]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries, the primary ones first."""
        return self.transaction.entries() + self.derived

    @property
    def lines(self) -> tuple[Line, ...]:
        """All lines, the primary ones first."""
        return self.transaction.lines + tuple(line for entry in self.derived for line in entry.lines)


@dataclass(frozen=True)
class Member:
    """A pharmacy under one ownership and contract; both dates are inclusive."""

    member_id: str
    since: date
    until: date | None = None


@dataclass(frozen=True)
class FlatFee:
    """The flat monthly fee of a member's contract from a day on, in cents, until the next one begins."""

    member_id: str
    since: date
    amount_cents: int


@dataclass(frozen=True)
class Payout:
    """An approved payout: one member, one amount in cents."""

    payout_id: str
    member_id: str
    amount_cents: int


@dataclass(frozen=True)
class Disbursement:
    """An approved payment to another than a member: the event by which it leaves, whose book, one amount in cents."""

    disbursement_id: str
    event: str
    owner: str
    amount_cents: int


def month_of(day: date) -> int:
    """Give the month of a day as YYYYMM."""
    return day.year * 100 + day.month


def first_day(month: int) -> date:
    """Give the first day of the month YYYYMM."""
    return date(month // 100, month % 100, 1)


def last_day(month: int) -> date:
    """Give the last day of the month YYYYMM."""
    return date(month // 100, month % 100, monthrange(month // 100, month % 100)[1])


def next_month(month: int) -> int:
    """Give the month after the month YYYYMM."""
    return month + 1 if month % 100 < 12 else month + 89
