"""What the model knows: reference facts, posted transactions, and the balances kept beside them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from tests.model.chart import CHART, Kind
from tests.model.facts import (
    HOUSE,
    Disbursement,
    FlatFee,
    Ledger,
    Line,
    Member,
    Payout,
    Posted,
    Reference,
    Transaction,
    first_day,
    last_day,
    month_of,
)

RELEASES = ("payout_released", "levy_released", "escheat_released", "refund_released")
"""Events by which what was approved leaves."""


class AccountKey(NamedTuple):
    """One account in one owner's book."""

    owner: str
    ledger: Ledger
    account: str


class ItemKey(NamedTuple):
    """One reference of an account in one owner's book."""

    owner: str
    ledger: Ledger
    account: str
    reference: Reference


@dataclass(frozen=True)
class Turnover:
    """What an account has taken up, in cents; both sums only grow."""

    debit_cents: int = 0
    credit_cents: int = 0

    @property
    def balance_cents(self) -> int:
        """Debit less credit."""
        return self.debit_cents - self.credit_cents

    def plus(self, amount_cents: int) -> "Turnover":
        """Take up one line."""
        return Turnover(self.debit_cents + max(0, amount_cents), self.credit_cents + max(0, -amount_cents))


@dataclass(frozen=True)
class FeeMonth:
    """What has become of one member's fee of one month, in cents, net of reversals."""

    assessed_cents: int = 0
    waived_cents: int = 0
    collected_cents: int = 0
    swept_cents: int = 0
    refunded_cents: int = 0


_FEE_LINES = {
    ("fee_assessed", "fee_receivable"): "assessed_cents",
    ("fee_waived", "fee_waived"): "waived_cents",
    ("fee_collected", "fee_withheld"): "collected_cents",
    ("fee_swept", "fee_withheld"): "swept_cents",
    ("fee_refunded", "fee_waived"): "refunded_cents",
}


class Book:
    """The state of the model and every question that can be asked of it."""

    def __init__(self) -> None:
        self.periods: dict[int, bool] = {}
        """Months as YYYYMM; True while open. A month that is absent does not exist."""
        self.members: dict[str, Member] = {}
        self.fees: list[FlatFee] = []
        self.bank_lines: dict[str, int] = {}
        """Amounts in cents as the bank signs them: a credit to the account is positive."""
        self.payouts: dict[str, Payout] = {}
        self.disbursements: dict[str, Disbursement] = {}
        self.posted: list[Posted] = []
        self.accounts: dict[AccountKey, Turnover] = defaultdict(Turnover)
        self.items: dict[ItemKey, int] = defaultdict(int)
        """Balance of each reference in cents, debit positive."""

    def owner_kind(self, owner: str) -> str:
        """Tell a member from the house."""
        if owner == HOUSE:
            return "house"
        return "member" if owner in self.members else "unknown"

    def balance(self, owner: str, account: str) -> int:
        """Give the balance of an account on its own side, in cents: a liability in credit is positive."""
        stored = self.accounts.get(AccountKey(owner, CHART[account].ledger, account), Turnover()).balance_cents
        return stored if CHART[account].kind is Kind.ASSET else -stored

    def total(self, account: str) -> int:
        """Sum an account over all owners, on its own side, in cents."""
        return sum(self.balance(owner, account) for owner in (HOUSE, *self.members))

    def open_items(self, account: str) -> dict[tuple[str, Reference], int]:
        """Give (owner, reference) to balance on the account's own side in cents, without those at zero."""
        sign = 1 if CHART[account].kind is Kind.ASSET else -1
        return {
            (key.owner, key.reference): sign * cents
            for key, cents in self.items.items()
            if key.account == account and cents
        }

    def live(self) -> Iterator[Posted]:
        """Give what is posted, without reversals and what they reversed."""
        reversed_ids = {posted.transaction.reverses for posted in self.posted}
        for posted in self.posted:
            if posted.transaction.reverses is None and posted.transaction_id not in reversed_ids:
                yield posted

    def find(self, transaction_id: int) -> Posted | None:
        """Find a transaction by its id."""
        return self.posted[transaction_id - 1] if 0 < transaction_id <= len(self.posted) else None

    def find_fact(self, fact_key: str) -> Posted | None:
        """Find a transaction by the key of its fact."""
        return next((posted for posted in self.posted if posted.transaction.fact_key == fact_key), None)

    def is_posted(self, bank_line: str) -> bool:
        """Say whether a bank line has been posted."""
        return any(posted.transaction.bank_line == bank_line for posted in self.posted)

    def fee_due(self, member_id: str, month: int) -> int | None:
        """Give the flat fee in cents in force on the member's first day of the month YYYYMM; None if there is none.

        A month begun is whole, the one in which the member leaves before its last day asks nothing.
        """
        member = self.members.get(member_id)
        if member is None:
            return None
        day = max(first_day(month), member.since)
        if day > last_day(month) or (member.until is not None and member.until < last_day(month)):
            return None
        in_force = [fee for fee in self.fees if fee.member_id == member_id and fee.since <= day]
        return max(in_force, key=lambda fee: fee.since).amount_cents if in_force else None

    def fee_months(self) -> dict[tuple[str, int], FeeMonth]:
        """Tell what has become of each (member, month)."""
        months: dict[tuple[str, int], FeeMonth] = defaultdict(FeeMonth)
        for transaction in (posted.transaction for posted in self.live()):
            for line in transaction.lines:
                name = _FEE_LINES.get((transaction.event, line.account))
                if name is not None and isinstance(line.reference, int):
                    key = (line.owner, line.reference)
                    value = getattr(months[key], name) + abs(line.amount_cents)
                    months[key] = replace(months[key], **{name: value})
        return months

    def released_payouts(self) -> frozenset[Reference]:
        """Name the payouts and disbursements that are released, net of reversals."""
        return frozenset(
            line.reference
            for posted in self.live()
            if posted.transaction.event in RELEASES
            for line in posted.transaction.lines
            if line.account == "in_transit"
        )

    def effective_on(self, fact_on: date) -> date | None:
        """Give the accounting date of a fact: its own, or the first open day after its closed month; None if none."""
        month = month_of(fact_on)
        if month not in self.periods:
            return None
        if self.periods[month]:
            return fact_on
        later = [open_month for open_month, is_open in self.periods.items() if is_open and open_month > month]
        return first_day(min(later)) if later else None

    def take_up(self, lines: Iterable[Line]) -> None:
        """Add lines to the balances."""
        for line in lines:
            account = AccountKey(line.owner, line.ledger, line.account)
            self.accounts[account] = self.accounts[account].plus(line.amount_cents)
            self.items[ItemKey(*account, line.reference)] += line.amount_cents

    def reversal_of(self, transaction_id: int, fact_key: str, fact_on: date) -> Transaction | None:
        """Build the reversal of a whole transaction, its derived advance included; None if there is none.

        It is dated no earlier than what it turns.
        """
        original = self.find(transaction_id)
        if original is None:
            return None
        lines = tuple(line.turned() for line in original.lines)
        return Transaction("reversed", fact_key, max(fact_on, original.effective_on), lines, reverses=transaction_id)
