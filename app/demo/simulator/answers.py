"""Answers of banks to our entries, and the NACHA file that brings them.

Source of the columns: Nacha Operating Rules, Appendix Three (addenda records of types 98 and 99) and Appendix Four
(returns, dishonored and contested dishonored returns).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import groupby

from app.demo.simulator.entries import SentEntry
from payouts.nacha.codes import BLOCKING_FACTOR, FILLER, HASH_MODULUS, RECORD_SIZE, AddendaType, ServiceClass
from payouts.nacha.models import FILE_ID_MODIFIERS
from schemas.errors import WrongUseError
from schemas.identifiers import AbaRouting

OPERATOR_ROUTING = "061000146"
"""Routing number in the header of the files that bring answers: a Federal Reserve Bank's."""


class AnswerKind(StrEnum):
    """What a bank says about an entry."""

    RETURN = "return"
    """The receiver's bank does not take it."""
    CHANGE = "change"
    """The receiver's bank takes it and corrects it."""
    DISHONORED = "dishonored"
    """Our bank sends the return back."""
    CONTESTED = "contested"
    """The receiver's bank sends the dishonored return back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer."""

    kind: AnswerKind
    code: str
    entry: SentEntry
    trace_number: str
    """Of the answer: fifteen digits."""
    settled_on: date
    text: str = ""
    """Addenda information, or the corrected data of a change."""
    about: "Answer | None" = None
    """The return that was dishonored, or the dishonored return that is contested."""

    @property
    def amount_cents(self) -> int:
        """The entry's, nothing for a change."""
        return 0 if self.kind is AnswerKind.CHANGE else self.entry.amount_cents

    @property
    def addenda(self) -> str:
        """Columns 4 to 79 of the addenda record."""
        original = f"{self.code:3}{self.entry.trace_number:15}"
        rdfi = self.entry.routing[:8]
        first = self.about
        if self.kind is AnswerKind.CHANGE:
            return f"{original}{'':6}{rdfi}{self.text:29}{'':15}"
        if first is None:
            return f"{original}{'':6}{rdfi}{self.text:44}"
        if self.kind is AnswerKind.DISHONORED:
            return f"{original}{'':6}{rdfi}{'':3}{_named(first)}{self.text:21}"
        returned = first.about or first
        settled = f"{self.entry.settled_on:%j}"
        return f"{original}{returned.settled_on:%y%m%d}{rdfi}{settled}{_named(returned)}{_named(first)} "

    @property
    def sender(self) -> str:
        """Routing number, nine digits, of the bank that answers."""
        return self._own if self.kind is AnswerKind.DISHONORED else self.entry.routing

    @property
    def receiver(self) -> str:
        """Routing number, nine digits, of the bank that is answered."""
        return self.entry.routing if self.kind is AnswerKind.DISHONORED else self._own

    @property
    def _own(self) -> str:
        return AbaRouting.from_eight(self.entry.odfi)


def _named(answer: Answer) -> str:
    """Name an earlier answer: its trace, its settlement day of the year, its code without the letter."""
    return f"{answer.trace_number}{answer.settled_on:%j}{answer.code[1:]}"


def write_answers(answers: Sequence[Answer], day: date, *, file_of_day: int) -> bytes:
    """Write the file that brings these answers; it reads back by the reader of NACHA files.

    Args:
        answers: at least one.
        day: on which it is made.
        file_of_day: how many files were made before on that day; steps the file id modifier.

    Raises:
        WrongUseError: a text is too long for its field.
    """
    modifier = FILE_ID_MODIFIERS[file_of_day]
    destination = answers[0].entry.odfi
    sent = f"{OPERATOR_ROUTING}{day:%y%m%d}0600{modifier}094101"
    lines = [f"101 {AbaRouting.from_eight(destination)} {sent}{'ODFI':23}{'SIMULATED BANK':23}{'ANSWERS':8}"]
    totals = [0, 0, 0, 0]
    ordered = sorted(answers, key=_batch_key)
    batches = 0
    for number, (_, group) in enumerate(groupby(ordered, key=_batch_key), 1):
        batches = number
        batch = sorted(group, key=lambda each: each.trace_number)
        sums = [
            2 * len(batch),
            sum(int(each.receiver[:8]) for each in batch) % HASH_MODULUS,
            sum(0 if each.entry.is_credit else each.amount_cents for each in batch),
            sum(each.amount_cents if each.entry.is_credit else 0 for each in batch),
        ]
        lines.extend(_batch(number, batch, day, sums))
        totals = [total + more for total, more in zip(totals, sums, strict=True)]
    records = len(lines) + 1
    count, entry_hash, debits, credits_ = totals
    lines.append(
        f"9{batches:06d}{-(-records // BLOCKING_FACTOR):06d}{count:08d}{entry_hash % HASH_MODULUS:010d}"
        f"{debits:012d}{credits_:012d}{'':39}"
    )
    lines.extend([FILLER] * (-records % BLOCKING_FACTOR))
    for line in lines:
        if len(line) != RECORD_SIZE:
            raise WrongUseError("the simulated bank can not write this answer: a text of a rule is too long")
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def _batch_key(answer: Answer) -> tuple[str, ...]:
    """Give what all answers of one batch have in common."""
    entry = answer.entry
    company = (entry.company_id, entry.company_name, entry.entry_class, entry.entry_description)
    return (answer.kind.value, answer.sender, *company, "credit" if entry.is_credit else "debit")


def _batch(number: int, batch: Sequence[Answer], day: date, sums: Sequence[int]) -> Iterator[str]:
    entry, sender = batch[0].entry, batch[0].sender[:8]
    service_class = ServiceClass.CREDITS if entry.is_credit else ServiceClass.DEBITS
    entry_class = "COR" if batch[0].kind is AnswerKind.CHANGE else entry.entry_class
    count, entry_hash, debits, credits_ = sums
    yield (
        f"5{service_class}{entry.company_name:16}{'':20}{entry.company_id:10}{entry_class:3}"
        f"{entry.entry_description:10}{'':6}{day:%y%m%d}{day:%j}1{sender}{number:07d}"
    )
    for each in batch:
        sent = each.entry
        code = f"{sent.transaction_code[0]}{'1' if sent.is_credit else '6'}"
        yield (
            f"6{code}{each.receiver}{sent.account_number:17}{each.amount_cents:010d}{sent.identification:15}"
            f"{sent.receiver_name:22}  1{each.trace_number}"
        )
        kind = AddendaType.CHANGE if each.kind is AnswerKind.CHANGE else AddendaType.RETURN
        yield f"7{kind}{each.addenda}{each.trace_number}"
    yield (
        f"8{service_class}{count:06d}{entry_hash:010d}{debits:012d}{credits_:012d}{entry.company_id:10}{'':25}"
        f"{sender}{number:07d}"
    )
