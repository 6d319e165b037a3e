"""What a bank statement says, whatever its format: the file, its statements, their items."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Final

from schemas.findings import Finding


class Feed(StrEnum):
    """The format in which a bank reports; the words of its type codes are the format's own."""

    BAI2 = "bai2"
    """BAI2 cash management report."""
    CAMT053 = "camt053"
    """ISO 20022 bank-to-customer statement."""


class GroupStatus(StrEnum):
    """BAI2 record 02 field 4: what the group does to what was reported before."""

    UPDATE = "1"
    """New figures."""
    DELETION = "2"
    """Takes back a group that was sent before."""
    CORRECTION = "3"
    """Replaces a group that was sent before."""
    TEST = "4"
    """A test; no figure in it is true."""


class AsOfModifier(StrEnum):
    """BAI2 record 02 field 8: how final the figures are."""

    INTERIM_PREVIOUS_DAY = "1"
    """The day before, not final: a final group follows and repeats it."""
    FINAL_PREVIOUS_DAY = "2"
    """The day before, final: the booked statement."""
    INTERIM_SAME_DAY = "3"
    """Intraday; the prior-day group repeats it."""
    FINAL_SAME_DAY = "4"
    """The end of today; the prior-day group repeats it."""


@dataclass(frozen=True, slots=True)
class BankItem:
    """One movement of money on an account (BAI2 record 16 and its 88s)."""

    type_code: str
    """Three digits of the BAI2 uniform type codes, or an ISO 20022 bank transaction code that none of them means."""
    amount_cents: int
    """Above zero, in the smallest unit of the statement's currency."""
    is_credit: bool
    """True: into the account."""
    funds_type: str
    """Empty, 0, 1, 2, S, V, D or Z: when the money can be used."""
    bank_reference: str
    customer_reference: str
    text: str
    """The lines of the text, joined without anything between them: for what a line break cut in two."""
    text_spaced: str
    """The same lines, joined with one blank: for banks that break their lines between words."""
    line: int
    """Where the item begins in its file, first line = 1."""
    ordinal: int
    """Position among the detail records of its statement, first = 1; records that move no money are counted too."""
    batch: int = 0
    """Number of the booking that the bank made of this item and others together; 0: one of its own."""


@dataclass(frozen=True, slots=True)
class BankStatement:
    """One account on one day (BAI2 records 03 to 49)."""

    account: str
    currency: str
    """ISO 4217."""
    as_of: date
    as_of_modifier: AsOfModifier | None
    group_status: GroupStatus
    file_created_on: date
    opening_cents: int | None
    """Opening ledger balance, type code 010."""
    closing_cents: int | None
    """Closing ledger balance, type code 015."""
    items: tuple[BankItem, ...]
    line: int
    """Where the statement begins in its file, first line = 1."""

    @property
    def is_booked(self) -> bool:
        """Say whether these are the final figures of a past day, the only ones that may be posted.

        Where the bank leaves the modifier out, the day must lie before the day on which the file was made.
        """
        if self.group_status is not GroupStatus.UPDATE:
            return False
        if self.as_of_modifier is None:
            return self.as_of < self.file_created_on
        return self.as_of_modifier is AsOfModifier.FINAL_PREVIOUS_DAY


@dataclass(frozen=True, slots=True)
class BankFile:
    """A bank file that foots."""

    file_id: str
    """The sender's number of the file, unique on the day it was created."""
    created_on: date
    statements: tuple[BankStatement, ...]
    warnings: tuple[Finding, ...] = ()
    """What was read over, and is worth knowing."""


TOTAL_CREDITS: Final = "100"
TOTAL_DEBITS: Final = "400"
NON_MONETARY: Final = "890"
"""A message of the bank in the place of an item; it has no amount."""


@lru_cache(maxsize=1024)
def is_credit_code(type_code: str) -> bool | None:
    """Tell by its BAI2 type code whether a detail record is a credit; None for a code that details nothing.

    Source: BAI Cash Management Balance Reporting Specifications, Version 2, appendix of uniform type codes: 100-399
    credits, 400-699 debits; of the loan codes 721-728 are payments received and 760 is a disbursement; 920-959 and
    960-999 are credits and debits that bank and customer agree on. 100 and 400 are the totals of the others.
    """
    if len(type_code) != 3 or not (type_code.isascii() and type_code.isdigit()):
        return None
    if type_code in (TOTAL_CREDITS, TOTAL_DEBITS):
        return None
    if "100" <= type_code <= "399" or "721" <= type_code <= "728" or "920" <= type_code <= "959":
        return True
    if "400" <= type_code <= "699" or type_code == "760" or type_code >= "960":
        return False
    return None
