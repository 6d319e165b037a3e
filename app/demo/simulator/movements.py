"""Lines of the simulated bank's statement: payments that came, files that were debited, returns that were credited.

Type codes: BAI Cash Management Balance Reporting Specifications, Version 2.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from app.demo.payers import bank_name
from app.demo.remittance import Payer
from app.demo.simulator.answers import Answer
from app.demo.simulator.entries import SentEntry, SentFile
from app.demo.simulator.rules import ReturnCredits
from ingest.bank.bai2_writer import StatementLine

ACH_CREDIT, WIRE_CREDIT, RETURN_CREDIT = "142", "195", "257"
ACH_DEBIT, RETURN_DEBIT, CHARGE_DEBIT = "455", "557", "698"


class Incoming(NamedTuple):
    """A payer's payment to the customer."""

    payer: Payer
    amount_cents: int
    trn: str
    """TRN02."""
    trace_number: str
    """Of its ACH entry: fifteen digits."""

    @property
    def addenda(self) -> str:
        """The TRN segment of its addenda."""
        return f"TRN*1*{self.trn}*{self.payer.payer_id}~"

    def line(self, day: date) -> StatementLine:
        """Give its line on the statement."""
        reference = f"{day:%Y%m%d}{self.trace_number[-7:]}"
        text = f"{bank_name(self.payer)} HCCLAIMPMT {self.addenda}"
        return StatementLine(ACH_CREDIT, self.amount_cents, reference, "", text)


def entry_movement(entry: SentEntry, day: date) -> StatementLine:
    """Give the line of one entry that settles by itself."""
    addenda = " ".join(("", *entry.addenda))
    text = f"ACH ORIGINATION {entry.company_id} {entry.trace_number} {entry.identification}{addenda}"
    code = ACH_DEBIT if entry.is_credit else ACH_CREDIT
    return StatementLine(code, entry.amount_cents, f"{day:%y%m%d}{entry.trace_number[-9:]}", "", text)


def total_movements(due: Iterable[tuple[SentFile, SentEntry]], account: str, day: date) -> Iterator[StatementLine]:
    """Give one line for the credits and one for the debits of each file.

    Entries to the account itself are the offset of a balanced file: then they are what moves on it, and no total.
    """
    files: dict[tuple[str, ...], list[tuple[SentFile, SentEntry]]] = defaultdict(list)
    for file, entry in due:
        files[file.identity].append((file, entry))
    for number, entries in enumerate(files.values(), 1):
        file, first = entries[0]
        own = [entry for _, entry in entries if entry.account_number == account]
        # An offset debits the account for the credits of the others; the others' own direction is the other way round.
        moving = [(entry.amount_cents, not entry.is_credit) for entry in own] or [
            (entry.amount_cents, entry.is_credit) for _, entry in entries
        ]
        text = f"ACH ORIGINATION {first.company_id} {first.entry_description} {file.reference}".rstrip()
        for code, is_debit in ((ACH_DEBIT, True), (ACH_CREDIT, False)):
            cents = sum(amount for amount, debits in moving if debits is is_debit)
            if cents:
                yield StatementLine(code, cents, f"{day:%Y%m%d}{code}{number:04d}", file.reference, text)


def return_movements(credited: Sequence[Answer], shown: ReturnCredits, day: date) -> Iterator[StatementLine]:
    """Give the lines by which returned entries' money comes back, or goes again where the entry was a debit."""
    for is_credit, code in ((True, RETURN_CREDIT), (False, RETURN_DEBIT)):
        moving = [each for each in credited if each.entry.is_credit is is_credit and each.amount_cents]
        if shown is ReturnCredits.DAY_TOTAL and moving:
            cents = sum(each.amount_cents for each in moving)
            text = f"ACH RETURN SETTLEMENT {len(moving)} ITEMS"
            yield StatementLine(code, cents, f"{day:%Y%m%d}RTN{code}", "", text)
            continue
        for each in moving:
            text = "ACH RETURN"
            if shown is ReturnCredits.SINGLE:
                text = f"ACH RETURN {each.code} {each.entry.trace_number} {each.entry.identification}".rstrip()
            yield StatementLine(code, each.amount_cents, f"{day:%y%m%d}{each.trace_number[-9:]}", "", text)
