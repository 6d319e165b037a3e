"""What our accounts are called outside: a number and a type for auditors' tools, a path for plain-text accounting.

The numbers are text and stay as they are for ever: C for custody, O for operating, then 1 assets, 2 liabilities,
3 equity, 4 revenue, 5 expenses. An account of type "either" (a network adjustment) stands among the assets: it is what
payers' adjustments of the network as a whole have still to be divided, in debit as a rule.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ledger.chart import Account, Ledger


@dataclass(frozen=True, slots=True)
class OutsideAccount:
    """An account as others see it.

    Args:
        number: in the chart that auditors get.
        account: ours.
        ledger: the ledger that it is in; for others a business unit.
        type: Assets, Liabilities, Equity, Revenue or Expenses, as the Audit Data Standards name them.
        subtype: what it is among those.
        name: for people.
    """

    number: str
    account: Account
    ledger: Ledger
    type: str
    subtype: str
    name: str

    @property
    def path(self) -> str:
        """Where it is in a plain-text journal, before its owner: ``Assets:Custody:Cash``."""
        first = {"Revenue": "Income"}.get(self.type, self.type)
        last = "".join(word.capitalize() for word in self.account.value.split("_"))
        return f"{first}:{self.ledger.value.capitalize()}:{last}"


def _custody(number: str, account: Account, kind: str, subtype: str, name: str) -> OutsideAccount:
    return OutsideAccount(number, account, Ledger.CUSTODY, kind, subtype, name)


def _operating(number: str, account: Account, kind: str, subtype: str, name: str) -> OutsideAccount:
    return OutsideAccount(number, account, Ledger.OPERATING, kind, subtype, name)


_A, _L = "Assets", "Liabilities"

ACCOUNTS: Final = (
    _custody("C1000", Account.CASH, _A, "Cash", "Custodial cash"),
    _custody("C1100", Account.ADVISED, _A, "Receivable", "Advised by payers, not received"),
    _custody("C1200", Account.UNMATCHED_DEBIT, _A, "Clearing", "Bank debits not explained"),
    _custody("C1300", Account.NETWORK_ADJUSTMENT_UNFUNDED, _A, "Clearing", "Network adjustments, not funded"),
    _custody("C1310", Account.NETWORK_ADJUSTMENT, _A, "Clearing", "Network adjustments, to be divided"),
    _custody("C2000", Account.DUE_UNFUNDED, _L, "Owed to members", "Owed to members once funded"),
    _custody("C2010", Account.DUE_AVAILABLE, _L, "Owed to members", "Owed to members, payable"),
    _custody("C2020", Account.OPERATING_ADVANCE, _L, "Owed to the PSAO", "Advanced for members' negatives"),
    _custody("C2030", Account.HELD, _L, "Owed to members", "Held"),
    _custody("C2040", Account.LEVIED, _L, "Owed to third parties", "Levied"),
    _custody("C2050", Account.IN_TRANSIT, _L, "Clearing", "Released, not settled"),
    _custody("C2060", Account.FEE_WITHHELD, _L, "Owed to the PSAO", "Flat fees collected, not swept"),
    _custody("C2070", Account.UNCLAIMED, _L, "Owed to third parties", "Unclaimed property"),
    _custody("C2100", Account.UNMATCHED_DEPOSIT, _L, "Clearing", "Bank credits not matched"),
    _custody("C2110", Account.SUSPENSE, _L, "Clearing", "Deposits set aside"),
    _custody("C2120", Account.UNKNOWN_PAYEE_UNFUNDED, _L, "Owed to third parties", "Unknown payees, not funded"),
    _custody("C2130", Account.UNKNOWN_PAYEE, _L, "Owed to third parties", "Unknown payees"),
    _custody("C2140", Account.DUE_TO_PAYER, _L, "Owed to third parties", "Owed to payers"),
    _custody("C2150", Account.INTEREST_DUE, _L, "Owed to members", "Interest to be divided"),
    _custody("C2200", Account.OPERATING_FLOAT, _L, "Owed to the PSAO", "The PSAO's own money"),
    _operating("O1000", Account.OPERATING_CASH, _A, "Cash", "Operating cash"),
    _operating("O1100", Account.CUSTODY_FLOAT, _A, "Held in custody", "Own money in the custodial account"),
    _operating("O1200", Account.FEE_RECEIVABLE, _A, "Receivable", "Flat fees receivable"),
    _operating("O1300", Account.ADVANCE_RECEIVABLE, _A, "Receivable", "Advances receivable"),
    _operating("O3000", Account.EQUITY, "Equity", "Own funds", "Own funds"),
    _operating("O4000", Account.FEE_REVENUE, "Revenue", "Flat fees", "Flat fees"),
    _operating("O5000", Account.FEE_WAIVED, "Expenses", "Flat fees", "Flat fees waived or refunded"),
    _operating("O5100", Account.BAD_DEBT, "Expenses", "Bad debt", "Advances written off"),
    _operating("O5200", Account.BANK_CHARGES, "Expenses", "Bank charges", "Charges of the custodial bank"),
)
"""Every account of the chart, once."""

NUMBERS: Final = MappingProxyType({each.account.value: each.number for each in ACCOUNTS})
PATHS: Final = MappingProxyType({each.account.value: each.path for each in ACCOUNTS})
