"""Code values of NACHA records and what each says about the direction of the money.

Source: Nacha Operating Rules, Appendix Three: transaction codes, service class codes, addenda type codes.
"""

from enum import StrEnum
from typing import Final

RECORD_SIZE: Final = 94
"""Bytes of every record."""
BLOCKING_FACTOR: Final = 10
"""Records of a block; a file is filled up to whole blocks."""
FILLER: Final = "9" * RECORD_SIZE
"""Record that fills a block up."""
HASH_MODULUS: Final = 10**10
"""Entry hashes keep their last ten digits."""

ENTRY_CENTS_LIMIT: Final = 10**10
"""An entry's amount has ten digits."""
TOTAL_CENTS_LIMIT: Final = 10**12
"""Totals of a batch or file have twelve digits."""
BATCH_COUNT_LIMIT: Final = 10**6
"""Entries and addenda of a batch, and batches and blocks of a file, are counted in six digits."""
FILE_COUNT_LIMIT: Final = 10**8
"""Entries and addenda of a file are counted in eight digits."""
SEQUENCE_LIMIT: Final = 10**7
"""Batch numbers and the last part of trace numbers have seven digits."""

OWN_ENTRY_CLASS: Final = "CCD"
"""Standard entry class of all that we write: corporate credit or debit, with one addenda at most."""
HEALTH_CARE_PAYMENT: Final = "HCCLAIMPMT"
"""Company entry description of a health care claim payment; every such entry carries a TRN."""


REVERSAL: Final = "REVERSAL"
"""Company entry description of entries that take back what an earlier file sent by mistake; in capitals."""


class TransactionCode(StrEnum):
    """Kinds of entries that we write."""

    CHECKING_CREDIT = "22"
    """Live credit to a checking account."""
    CHECKING_PRENOTE = "23"
    """Nothing, to see whether a checking account takes credits."""
    CHECKING_DEBIT = "27"
    """Debit of a checking account: a credit taken back, or our own account in a balanced batch."""
    SAVINGS_CREDIT = "32"
    """Live credit to a savings account."""
    SAVINGS_PRENOTE = "33"
    """Nothing, to see whether a savings account takes credits."""
    SAVINGS_DEBIT = "37"
    """Debit of a savings account: a credit taken back."""


OWN_PRENOTE_CODES: Final = frozenset({TransactionCode.CHECKING_PRENOTE, TransactionCode.SAVINGS_PRENOTE})
OWN_CREDIT_CODES: Final = frozenset({TransactionCode.CHECKING_CREDIT, TransactionCode.SAVINGS_CREDIT})
OWN_DEBIT_CODES: Final = frozenset({TransactionCode.CHECKING_DEBIT, TransactionCode.SAVINGS_DEBIT})


class ServiceClass(StrEnum):
    """Which directions a batch may hold."""

    MIXED = "200"
    """Debits and credits."""
    CREDITS = "220"
    """Credits only: payments and prenotes."""
    DEBITS = "225"
    """Debits only: reversals of payments."""


class LineEnd(StrEnum):
    """What ends each record of a file: the bank's choice."""

    LF = "lf"
    """A line feed."""
    CRLF = "crlf"
    """Carriage return and line feed."""

    @property
    def characters(self) -> str:
        """Give the characters themselves."""
        return "\r\n" if self is LineEnd.CRLF else "\n"


class AddendaType(StrEnum):
    """Kinds of addenda records that mean something to us."""

    PAYMENT = "05"
    """Remittance text for the receiver."""
    CHANGE = "98"
    """Notification of change."""
    RETURN = "99"
    """Return, dishonored or contested return."""


CREDIT_CODES: Final = frozenset(f"{kind}{step}" for kind in "2345" for step in "1234")
"""Checking, savings, general ledger, loan: return or change, live, prenote, zero with remittance."""
DEBIT_CODES: Final = frozenset(f"{kind}{step}" for kind in "234" for step in "6789") | {"55", "56"}
"""The same for debits; a loan account takes only reversals (55) and their returns (56)."""
LIVE_CODES: Final = frozenset({"22", "27", "32", "37", "42", "47", "52", "55"})
"""Codes of entries that move money now: their amount is above zero."""
NO_MONEY_CODES: Final = frozenset(f"{kind}{step}" for kind in "234" for step in "3489") | {"53", "54"}
"""Codes of prenotes and of entries that only carry remittance: their amount is zero."""
ADDENDA_CODES: Final = frozenset({"02", "05", "98", "99", *(str(code) for code in range(10, 19))})
"""Addenda type codes that exist: terminal (02), remittance (05), international (10 to 18), change (98), return (99)."""
UNREAD_CLASSES: Final = frozenset({"ADV", "IAT"})
"""Standard entry classes whose records have other columns."""
SINGLE_ADDENDA_CLASSES: Final = frozenset({"CCD", "PPD", "WEB"})
"""Standard entry classes with at most one remittance addenda to an entry."""
