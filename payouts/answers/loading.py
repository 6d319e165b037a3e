"""NACHA files from the bank: answers to our entries are taken one by one, all of a file or nothing.

The same answer in another file is known by its own trace number and changes nothing. What comes in a file beside
answers, payments to us, is handed on as plain values (``ingest.bank.received_entries``): only statements move cash.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, BinaryIO, Final

from sqlalchemy import Connection, Row

from ingest.bank.received_entries import ReceivedEntry, load_received_entries
from ingest.encryption import Keyring
from ledger import activity
from ledger.queries import Queries
from payouts.ach.outgoing import SentEntry, find_entry
from payouts.answers.arrivals import open_unknown, take_prenote_answer, take_return
from payouts.answers.changes import take_notification
from payouts.answers.codes import DETAIL_CODES, Treatment, meaning_of, treatment_of
from payouts.answers.incoming import not_ours, received_entry
from payouts.answers.returns import settle_return_cases
from payouts.nacha.answers import (
    Answer,
    ChangeAddenda,
    ContestedAddenda,
    DishonoredAddenda,
    ReturnAddenda,
    read_answer,
)
from payouts.nacha.errors import NachaError
from payouts.nacha.leniency import Leniency
from payouts.nacha.reader import NOTHING_LET_THROUGH, read_nacha
from payouts.nacha.records import Batch, Entry, FileRecords, date_from
from schemas.errors import UnreadableError
from schemas.findings import Finding

_QUERIES = Queries("payouts", "answers.sql")

_KINDS: Final[dict[type[Answer], str]] = {
    ReturnAddenda: "return",
    ChangeAddenda: "change",
    DishonoredAddenda: "dishonored",
    ContestedAddenda: "contested",
}
_WORDS: Final = {"return": "returns", "change": "notifications of change"}
_NUMBER = re.compile(r"\d(?:[ ./-]?\d){4,}|(?=\S*\d)\S{5,}")
"""What may be an account number, however it is written: five digits, parted or not, or a word with one."""
_WORD = re.compile(r"\S{5,}")
_CREDIT_RETURN_CODES: Final = frozenset({"21", "31", "41", "51"})
"""Transaction codes under which a credit comes back; a NOC has them, too."""


@dataclass(frozen=True, slots=True)
class _Received:
    """An answer as a file holds it."""

    entry: Entry
    answer: Answer
    on: date

    @property
    def kind(self) -> str:
        return _KINDS[type(self.answer)]

    @property
    def amount_cents(self) -> int:
        return 0 if self.kind == "change" else self.entry.amount_cents

    @property
    def text(self) -> str:
        """What the bank wrote, without whole numbers: they may be an account's."""
        said = ""
        if isinstance(self.answer, ChangeAddenda):
            said = " ".join(self.answer.corrected_data.split())
            # Letters may be part of an account number, too; of corrected details all but the end is one.
            return _end(said.replace(" ", "")) if self.answer.code in DETAIL_CODES else _WORD.sub(_end_of, said)
        if isinstance(self.answer, (ReturnAddenda, DishonoredAddenda)):
            said = self.answer.information
        return _NUMBER.sub(_end_of, said)


def _end_of(found: re.Match[str]) -> str:
    return _end("".join(letter for letter in found[0] if letter.isalnum()))


def _end(said: str) -> str:
    return f"…{said[-4:]}" if len(said) > 4 else said


@dataclass(frozen=True, slots=True)
class _Answered:
    """What of ours is answered, and how the answer is treated."""

    sent: SentEntry | None
    payout: Row[Any] | None
    treatment: Treatment


@dataclass(frozen=True, slots=True)
class PaymentFiles:
    """Takes NACHA files from the bank in.

    Args:
        keyring: opens and seals account numbers.
        own_account: number of the custodial bank account, to which payments may come.
        actor: who takes them in.
        today: the business date, where a file has none of its own.
        leniency: what our bank does otherwise than the format says.
    """

    keyring: Keyring
    own_account: str
    actor: str
    today: date
    leniency: frozenset[Leniency] = NOTHING_LET_THROUGH

    def load(self, connection: Connection, stream: BinaryIO, name: str, file_id: int) -> str:
        """Take a file in, in the unit of work of its receipt; say what it held.

        Raises:
            UnreadableError: a record is wrong, or an entry is neither an answer nor to us; nothing was changed.
        """
        files = read_nacha(stream, name, self.leniency).accepted_files()
        answers, payments = list[_Received](), list[ReceivedEntry]()
        findings: list[Finding] = []
        for file in files:
            for batch, entry in _entries(file):
                on = self._received_on(file)
                try:
                    if entry.is_answer:
                        answers.append(_Received(entry, read_answer(entry), on))
                    elif (finding := not_ours(entry, self.own_account)) is not None:
                        findings.append(finding)
                    else:
                        payments.append(received_entry(batch, entry, on))
                except NachaError as error:
                    findings.append(_unreadable(entry, error))
        if findings:
            raise UnreadableError(name, findings)
        taken = Counter(received.kind for received in answers if self._take(connection, received, file_id))
        if taken:
            settle_return_cases(connection)
        said = [_summary(taken, len(answers))] if answers or not payments else []
        if payments:
            said.append(load_received_entries(connection, payments, file_id, self.actor).sentence)
        return "; ".join(said)

    def _received_on(self, file: FileRecords) -> date:
        """Give the day of a file: the bank's own date in its header."""
        return (date_from(file.header.created_on) if file.header else None) or self.today

    def _take(self, connection: Connection, received: _Received, file_id: int) -> bool:
        """Take one answer; False when it was taken before."""
        answer = received.answer
        answered = _answered(connection, received)
        sent, treatment = answered.sent, answered.treatment
        facts = {
            "file_id": file_id,
            "line": received.entry.line,
            "kind": received.kind,
            "code": answer.code,
            "original_trace": int(answer.original_trace),
            "answer_trace": int(received.entry.trace_number),
            "amount_cents": received.amount_cents,
            "received_on": received.on,
            "text": received.text,
            "entry_kind": sent.kind if sent else None,
            "payout_id": sent.payout_id if sent else None,
            "change_id": sent.change_id if sent else None,
            "treatment": treatment.value,
            "about_answer_id": _about(connection, received),
        }
        answer_id = connection.execute(_QUERIES["add_answer"], facts).scalar()
        if answer_id is None:
            return False
        payout_id = sent.payout_id if sent else None
        activity.record(
            connection,
            self.actor,
            "answer_received",
            f"answer {answer_id}",
            code=answer.code,
            payout=payout_id,
            treatment=treatment.value,
        )
        self._act(connection, answer_id, received, answered)
        return True

    def _act(self, connection: Connection, answer_id: int, received: _Received, answered: _Answered) -> None:
        """Do at once what an answer asks for; its money is the sweep's."""
        answer, code, on = received.answer, received.answer.code, received.on
        sent, payout, treatment = answered.sent, answered.payout, answered.treatment
        said = f"{code}, {meaning_of(code)}"
        if sent is not None and sent.change_id is not None and received.kind in {"return", "change"}:
            take_prenote_answer(connection, answer_id, sent.change_id, code, on=on, actor=self.actor)
        elif payout is None or sent is None or sent.kind != "payout":
            what = "nothing of ours has" if sent is None else f"our {sent.kind} has"
            detail = f"{said}: {what} trace {answer.original_trace}"
            open_unknown(connection, answer_id, received.amount_cents, detail)
        elif isinstance(answer, ChangeAddenda):
            if treatment is Treatment.UNKNOWN:
                open_unknown(connection, answer_id, 0, f"{said}: payout {payout.payout_id} to {payout.ncpdp_id}")
            else:
                noc = (code, answer.corrected_data)
                take_notification(connection, answer_id, payout, noc, on, keyring=self.keyring, actor=self.actor)
        elif isinstance(answer, ReturnAddenda):
            take_return(connection, answer_id, payout, code, treatment, on=on, actor=self.actor)


def _entries(file: FileRecords) -> Iterator[tuple[Batch, Entry]]:
    for batch in file.batches:
        for entry in batch.entries:
            yield batch, entry


def _answered(connection: Connection, received: _Received) -> _Answered:
    """Find what of ours an answer is about, and how it is treated; what answers a debit does not answer a payment."""
    sent, payout, age = find_entry(connection, received.answer.original_trace, received.on), None, None
    if sent is not None and sent.payout_id is not None:
        payout = connection.execute(_QUERIES["sent_payout"], {"payout_id": sent.payout_id}).one()
        if payout.details_changed:
            age = (received.on - payout.details_since).days
    information = received.answer.information if isinstance(received.answer, ReturnAddenda) else ""
    treatment = treatment_of(received.answer.code, information, age)
    is_debits = received.entry.transaction_code not in _CREDIT_RETURN_CODES
    if received.kind == "return" and payout is not None and is_debits and treatment.returns_credit:
        treatment = Treatment.UNKNOWN
    return _Answered(sent, payout, treatment)


def _about(connection: Connection, received: _Received) -> int | None:
    """Find the answer that an answer is about: of a dispute the one that it names, of a second return the first."""
    answer = received.answer
    kinds = {"return": ["return", "contested"], "dishonored": ["return", "contested"], "contested": ["dishonored"]}
    if isinstance(answer, ChangeAddenda):
        return None
    named = ""
    if isinstance(answer, DishonoredAddenda):
        named = answer.return_trace
    elif isinstance(answer, ContestedAddenda):
        named = answer.dishonored_trace
    asked = {"original_trace": int(answer.original_trace), "on": received.on, "kinds": kinds[received.kind]}
    rows = connection.execute(_QUERIES["returns_of"], asked).all()
    exact = [row.answer_id for row in rows if named.isdigit() and row.answer_trace == int(named)]
    return next(iter([*exact, *(row.answer_id for row in rows)]), None)


def _summary(taken: Counter[str], total: int) -> str:
    if not total:
        return "no answers"
    told = [f"{count} {_WORDS.get(kind, f'{kind} returns')}" for kind, count in sorted(taken.items())]
    known = total - taken.total()
    return ", ".join(told + ([f"{known} taken before"] if known else []))


def _unreadable(entry: Entry, error: NachaError) -> Finding:
    return Finding(
        rule="answer_columns",
        element="addenda",
        expected="the columns of its code",
        found=str(error),
        line=entry.line,
        advice="Ask the bank for the file again.",
    )
