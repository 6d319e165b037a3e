"""The custodial account's bank: takes payments and our files, closes its days, and answers by rules.

One seed, one life: the same calls give the same bytes. The balance is right after every day, and each day opens with
the closing balance of the one before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import TypeVar

from app.demo.remittance import Payer
from app.demo.simulator.answers import Answer, AnswerKind, write_answers
from app.demo.simulator.camt053 import write_camt053
from app.demo.simulator.entries import DaysPastError, FileRepeatedError, SentEntry, SentFile, read_sent
from app.demo.simulator.movements import (
    CHARGE_DEBIT,
    RETURN_DEBIT,
    Incoming,
    entry_movement,
    return_movements,
    total_movements,
)
from app.demo.simulator.received_file import write_received
from app.demo.simulator.rules import Again, Change, Return, Rules, Settlement
from ingest.bank.bai2_writer import StatementLine, write_bai2
from ingest.bank.statement import is_credit_code
from schemas.calendar import add_banking_days, is_banking_day
from schemas.errors import WrongUseError

__all__ = ["Bank", "Day", "DaysPastError", "FileRepeatedError"]

_Due = TypeVar("_Due")


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What the bank gives its customer for one day; None where there is nothing to give."""

    day: date
    opening_cents: int
    closing_cents: int
    lines: tuple[StatementLine, ...]
    bai2: bytes
    camt053: bytes
    """The same statement as ISO 20022 camt.053."""
    answers: tuple[bytes, ...]
    """NACHA files of returns and corrections; more than one when some come again."""
    answered: tuple[Answer, ...]
    """What the first of them holds."""
    received: bytes | None
    """NACHA file of the payments that came in, with their TRN addenda."""


@dataclass
class Bank:
    """One account and what is in it.

    Args:
        account: its number.
        balance_cents: what it holds; each statement opens with it.
        rules: what the bank does of itself.
        seed: the only source of chance.
    """

    account: str
    balance_cents: int = 0
    rules: Rules = field(default_factory=Rules)
    seed: int = 0
    closed_on: date = date.min
    """The last day that was closed."""
    _taken: set[tuple[str, ...]] = field(default_factory=set, init=False, repr=False)
    _debits: dict[date, list[tuple[SentFile, SentEntry]]] = field(default_factory=dict, init=False, repr=False)
    _lines: dict[date, list[StatementLine]] = field(default_factory=dict, init=False, repr=False)
    _incoming: dict[date, list[Incoming]] = field(default_factory=dict, init=False, repr=False)
    _answers: dict[date, list[tuple[Answer, Return | None]]] = field(default_factory=dict, init=False, repr=False)
    _credits: dict[date, list[Answer]] = field(default_factory=dict, init=False, repr=False)
    _again: dict[date, list[bytes | tuple[Answer, ...]]] = field(default_factory=dict, init=False, repr=False)
    _sequence: int = field(default=0, init=False, repr=False)

    # What the customer and others do ---------------------------------------------------------------------------------

    def send(self, content: bytes, day: date) -> tuple[SentFile, ...]:
        """Take a NACHA file from the customer, to settle on its effective date.

        Args:
            content: the file's bytes.
            day: on which it comes, after the last closed one.

        Raises:
            UnreadableError: it does not hold together.
            FileRepeatedError: a file with the same origin, date, time and modifier was taken before.
            DaysPastError: the day is closed.
        """
        self._still_open(day)
        files = read_sent(content, day)
        for file in files:
            if file.identity in self._taken:
                raise FileRepeatedError(file.identity)
        for file in files:
            self._taken.add(file.identity)
            for entry in file.entries:
                self._debits.setdefault(entry.settled_on, []).append((file, entry))
                if entry.account_number != self.account:
                    self._plan(entry)
        return files

    def receive(self, payer: Payer, amount_cents: int, trace_number: str, day: date) -> None:
        """Take a payer's health care payment (CCD+) for the customer, above zero, with its TRN."""
        self._still_open(day)
        self._sequence += 1
        came = Incoming(payer, amount_cents, trace_number, f"{payer.routing[:8]}{self._sequence:07d}")
        self._incoming.setdefault(day, []).append(came)
        self._lines.setdefault(day, []).append(came.line(day))

    def post(self, line: StatementLine, day: date) -> None:
        """Move money on the account by any other line."""
        self._still_open(day)
        self._lines.setdefault(day, []).append(line)

    def charge(self, amount_cents: int, text: str, day: date) -> None:
        """Charge the customer for the bank's services."""
        self._sequence += 1
        self.post(StatementLine(CHARGE_DEBIT, amount_cents, f"FEE{self._sequence:07d}", "", text), day)

    # The bank's own work ---------------------------------------------------------------------------------------------

    def close(self, day: date) -> Day:
        """Close a banking day: settle and answer what is due, and what was due on days that were not closed.

        Raises:
            WrongUseError: banks are closed on that day anyway.
            DaysPastError: it is not after the last closed one.
        """
        if not is_banking_day(day):
            raise WrongUseError(f"{day} is no banking day")
        self._still_open(day)
        self._settle(day)
        answered = self._answer(day)
        files = [write_answers(answered, day, file_of_day=0)] if answered else []
        for place, content in enumerate(_due(self._again, day), 1):
            again = content if isinstance(content, bytes) else write_answers(content, day, file_of_day=place)
            files.append(again)
        self._note_again(day, files[0] if answered else b"", answered)
        came = _due(self._incoming, day)
        opening_cents, lines = self.balance_cents, tuple(_due(self._lines, day))
        moved_cents = sum(each.amount_cents if is_credit_code(each.type_code) else -each.amount_cents for each in lines)
        bai2 = self.statement(day, *lines)
        if self.balance_cents != opening_cents + moved_cents:
            raise AssertionError(f"{day} opens with {opening_cents}, moves {moved_cents}, ends at {self.balance_cents}")
        self.closed_on = day
        return Day(
            day=day,
            opening_cents=opening_cents,
            closing_cents=self.balance_cents,
            lines=lines,
            bai2=bai2,
            camt053=write_camt053(account=self.account, as_of=day, opening_cents=opening_cents, items=lines),
            answers=tuple(files),
            answered=answered,
            received=write_received(came, day, self.account) if came else None,
        )

    def statement(self, day: date, *lines: StatementLine) -> bytes:
        """Write the BAI2 statement of these lines, and go on from its closing balance."""
        written = write_bai2(account=self.account, as_of=day, opening_cents=self.balance_cents, items=lines)
        for line in lines:
            self.balance_cents += line.amount_cents if is_credit_code(line.type_code) else -line.amount_cents
        return written

    def _still_open(self, day: date) -> None:
        if day <= self.closed_on:
            raise DaysPastError(day, self.closed_on)

    def _plan(self, entry: SentEntry) -> None:
        """Decide what will come back of an entry; the same seed decides the same."""
        for number, change in enumerate(self.rules.changes):
            if change.pick.takes(entry, self._chance("change", number, entry)):
                due = add_banking_days(entry.settled_on, change.after_days)
                self._expect(due, AnswerKind.CHANGE, change, entry)
                break
        for number, rule in enumerate(self.rules.returns):
            if rule.pick.takes(entry, self._chance("return", number, entry)):
                due = add_banking_days(entry.settled_on, rule.after_days)
                self._expect(due, AnswerKind.RETURN, rule, entry)
                break

    def _chance(self, what: str, number: int, entry: SentEntry) -> Random:
        return Random(f"{self.seed}:{what}:{number}:{entry.trace_number}")  # noqa: S311 (repeatable chance is the point)

    def _expect(self, due: date, kind: AnswerKind, rule: Return | Change, entry: SentEntry) -> None:
        text = rule.corrected if isinstance(rule, Change) else rule.information
        answer = self._made(kind, rule.code, entry, due, text=text)
        self._answers.setdefault(due, []).append((answer, rule if isinstance(rule, Return) else None))

    def _made(
        self, kind: AnswerKind, code: str, entry: SentEntry, due: date, *, text: str = "", about: Answer | None = None
    ) -> Answer:
        sender = entry.odfi if kind is AnswerKind.DISHONORED else entry.routing[:8]
        self._sequence += 1
        trace_number = f"{sender}{self._sequence:07d}"
        return Answer(
            kind=kind, code=code, entry=entry, trace_number=trace_number, settled_on=due, text=text, about=about
        )

    def _settle(self, day: date) -> None:
        due = _due(self._debits, day)
        posted = self._lines.setdefault(day, [])
        if self.rules.settlement is Settlement.BY_ENTRY:
            posted.extend(entry_movement(entry, day) for _, entry in due if entry.amount_cents)
        else:
            posted.extend(total_movements(due, self.account, day))

    def _answer(self, day: date) -> tuple[Answer, ...]:
        """Give the answers that are due, and plan what follows from them."""
        due = _due(self._answers, day)
        posted = self._lines.setdefault(day, [])
        for answer, rule in due:
            if answer.kind is AnswerKind.DISHONORED:
                posted.append(_dishonored(answer, day))
            if answer.kind is AnswerKind.CONTESTED:
                self._credits.setdefault(day, []).append(answer)
            if rule is not None:
                self._follow(answer, rule, day)
        posted.extend(return_movements(_due(self._credits, day), self.rules.return_credits, day))
        return tuple(answer for answer, _ in due)

    def _follow(self, answer: Answer, rule: Return, day: date) -> None:
        """Plan the credit of a return, and its dispute."""
        dishonor = rule.dishonored
        if answer.kind is AnswerKind.RETURN:
            if rule.credited_after_days is not None:
                credited_on = add_banking_days(day, rule.credited_after_days)
                self._credits.setdefault(credited_on, []).append(answer)
            if dishonor is not None:
                due = add_banking_days(day, dishonor.after_days)
                again = self._made(AnswerKind.DISHONORED, dishonor.code, answer.entry, due, about=answer)
                self._answers.setdefault(due, []).append((again, rule))
        elif answer.kind is AnswerKind.DISHONORED and dishonor is not None and dishonor.contested is not None:
            due = add_banking_days(day, dishonor.contested.after_days)
            again = self._made(AnswerKind.CONTESTED, dishonor.contested.code, answer.entry, due, about=answer)
            self._answers.setdefault(due, []).append((again, None))

    def _note_again(self, day: date, content: bytes, answered: Sequence[Answer]) -> None:
        """Remember what comes a second time on the next banking day."""
        wanted = {rule.again for rule in self.rules.returns for each in answered if _is_of(each, rule)}
        later = self._again.setdefault(add_banking_days(day, 1), [])
        if Again.SAME_FILE in wanted:
            later.append(content)
        if Again.OTHER_FILE in wanted:
            later.append(tuple(answered))


def _is_of(answer: Answer, rule: Return) -> bool:
    return answer.kind is AnswerKind.RETURN and answer.code == rule.code


def _dishonored(answer: Answer, day: date) -> StatementLine:
    text = f"ACH DISHONORED RETURN {answer.code} {answer.entry.trace_number} {answer.entry.identification}"
    return StatementLine(RETURN_DEBIT, answer.amount_cents, f"{day:%y%m%d}{answer.trace_number[-9:]}", "", text)


def _due(agenda: dict[date, list[_Due]], day: date) -> list[_Due]:
    """Take everything out of an agenda that is due by a day, in order."""
    days = sorted(each for each in agenda if each <= day)
    return [what for each in days for what in agenda.pop(each)]
