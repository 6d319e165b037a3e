"""What the ledger says of a stretch of a demonstration week: sums of the events that it took in, member by member."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from ledger.balances import BalanceRow, JournalLine, journal
from ledger.chart import Account

_ALL: Final = 1 << 40
_HOUSE: Final = "house"
_SHOWN: Final = {
    "funded": (Account.DUE_AVAILABLE, -1),
    "payout_settled": (Account.IN_TRANSIT, 1),
    "payout_returned": (Account.HELD, -1),
    "fee_assessed": (Account.FEE_RECEIVABLE, 1),
    "fee_waived": (Account.FEE_RECEIVABLE, -1),
}
"""Event to the account whose lines say its amount, and the sign by which that is positive."""

Balances = Mapping[tuple[str, str], int]
"""Owner (NCPDP id or ``house``) and account to cents; positive is what is owed, or what of a fee is open."""


@dataclass(frozen=True, slots=True)
class Happened:
    """Events of members since an earlier look: event to NCPDP id to cents; a transaction of funding is one payment."""

    sums: Mapping[str, Mapping[str, int]]
    payments: int
    last: int
    """The last transaction that is in it."""

    def of(self, event: str) -> dict[str, int]:
        """Give the sums of an event by member."""
        return dict(self.sums.get(event, {}))

    def total(self, event: str) -> int:
        """Give the sum of an event."""
        return sum(self.of(event).values())


def happened_since(connection: Connection, last: int) -> Happened:
    """Read what was posted after a transaction."""
    sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    payments: set[int] = set()
    newest = last
    for line in journal(connection, owner=None, from_on=None, to_on=None, most=_ALL):
        if line.transaction_id <= last:
            continue
        newest = max(newest, line.transaction_id)
        if line.event == "funded":
            payments.add(line.transaction_id)
        _add(sums, line)
    return Happened(sums, len(payments), newest)


def _add(sums: dict[str, dict[str, int]], line: JournalLine) -> None:
    account, sign = _SHOWN.get(line.entry_event, (None, 0))
    if line.account is account and line.owner != _HOUSE:
        sums[line.entry_event][line.owner] += sign * line.amount_cents


def balances_of(rows: list[BalanceRow]) -> Balances:
    """Give what stands in the accounts, by owner."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        sign = 1 if row.account is Account.FEE_RECEIVABLE else -1
        found[row.owner, row.account.value] += sign * row.balance_cents
    return found
