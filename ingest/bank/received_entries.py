"""ACH entries that arrived, as the bank's file of received items tells them: what the statement's lines are for.

Only statements move cash, so an entry books nothing. It gives its payment (TRN) to the statement's line of the same
money, whichever of the two comes first. Which line that is must be told by what both say: the same payment or the
entry's trace; else the company; else the amount on the entry's own day, or on the next banking day once the statement
of its own day is there and does not have it. Each time the line must be the only one for the entry, and the entry the
only one for the line. The others wait, and are listed.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ingest.bank.entry_lines import Known, OpenLine, WaitingEntry, told_apart
from ingest.bank.traces import Trace, joined_traces
from ingest.bank_days import OPENING_CODE, add_details
from ingest.cases import CaseKind, list_cases, settle_cases
from ledger import activity
from ledger.chart import CUSTODIAL_ACCOUNT
from ledger.queries import Queries
from schemas.money import show_cents

_QUERIES = Queries("ingest", "bank.sql")
_WINDOW = timedelta(days=5)
_CASE = "received entry "
"""How the subject of a case about an entry begins; the entry's trace follows."""


@dataclass(frozen=True, slots=True)
class ReceivedEntry:
    """One ACH entry to the account, as the file of received items has it."""

    trace: str
    """Fifteen digits."""
    amount_cents: int
    """Not below zero."""
    is_credit: bool
    """True: into the account."""
    settled_on: date
    company_id: str
    company_name: str
    identification: str
    trns: tuple[Trace, ...]
    """TRN02 and TRN03 of its addenda, the latter empty where it names no payer."""
    line: int
    """Where the entry stands in its file, first line = 1."""


class ReceivedSummary(BaseModel):
    """What became of the entries of a file."""

    model_config = ConfigDict(frozen=True)

    entries: int
    """In the file, with money in them."""
    added: int
    """Not received before."""
    joined: int
    """Told apart and given to lines of statements, earlier ones that waited included."""
    waiting: int
    """Whose line is not there or not told apart, of all that were ever received."""

    @property
    def sentence(self) -> str:
        """Say it in one line."""
        known = self.entries - self.added
        return (
            f"{self.entries} received entries, {known} of them known; {self.joined} joined to bank lines, "
            f"{self.waiting} waiting"
        )


def load_received_entries(
    connection: Connection, entries: Sequence[ReceivedEntry], file_id: int, actor: str
) -> ReceivedSummary:
    """Take in the entries of one file and give those that can be told apart to the statements' lines.

    An entry that came before, by trace, amount and day, is not taken again; entries without money are passed over.

    Args:
        connection: a unit of work.
        entries: in any order.
        file_id: the received file that holds them.
        actor: who acts.
    """
    moving = [entry for entry in entries if entry.amount_cents]
    connection.execute(_QUERIES["lock_account"])
    facts = {
        "file_id": file_id,
        "lines": [entry.line for entry in moving],
        "entry_traces": [entry.trace for entry in moving],
        "amounts": [entry.amount_cents if entry.is_credit else -entry.amount_cents for entry in moving],
        "days": [entry.settled_on for entry in moving],
        "company_ids": [entry.company_id for entry in moving],
        "company_names": [entry.company_name for entry in moving],
        "identifications": [entry.identification for entry in moving],
        "traces": [json.dumps(joined_traces(list(entry.trns), [])) for entry in moving],
    }
    added = len(connection.execute(_QUERIES["add_entries"], facts).all()) if moving else 0
    joined = join_entries(connection, actor)
    waiting = len(_waiting(connection))
    activity.record(connection, actor, "entries_received", f"file {file_id}", entries=len(moving), added=added)
    return ReceivedSummary(entries=len(moving), added=added, joined=joined, waiting=waiting)


def join_entries(connection: Connection, actor: str) -> int:
    """Give every waiting entry whose line is told apart to that line; give how many. Called when either side grew.

    Entries that wait although the statement that should have their line is there become cases.
    """
    waiting = _waiting(connection)
    if not waiting:
        return 0
    first = min(entry.settled_on for entry in waiting) - _WINDOW
    last = max(entry.settled_on for entry in waiting) + _WINDOW
    span = {"account": CUSTODIAL_ACCOUNT, "first": first, "last": last}
    booked_days = frozenset(connection.execute(_QUERIES["statement_days"], span).scalars())
    lines = _lines(connection, waiting, first, last)
    pairs = list(told_apart(waiting, lines, Known(booked_days, tuple(_payers(connection)))))
    if pairs:
        ids = {"entries": [entry.entry_id for entry, _ in pairs], "lines": [line.line_id for _, line in pairs]}
        connection.execute(_QUERIES["join_entries"], ids)
    for entry, line in pairs:
        if not set(entry.payments) <= set(line.payments):
            named = joined_traces(list(line.payments), list(entry.payments))
            add_details(connection, ((line.line_id, trace) for trace in named), entry.file_id)
        activity.record(connection, actor, "entry_joined", entry.trace, bank_line=line.line_id, amount=entry.cents)
    done = {entry.entry_id for entry, _ in pairs}
    _settle_cases(connection, [entry for entry in waiting if entry.entry_id not in done], booked_days)
    return len(pairs)


def _waiting(connection: Connection) -> list[WaitingEntry]:
    return [
        WaitingEntry(
            row.received_entry_id,
            row.file_id,
            row.trace,
            row.amount_cents,
            row.settled_on,
            row.company_id,
            row.company_name,
            tuple((trace, payer) for trace, payer in row.traces),
        )
        for row in connection.execute(_QUERIES["entries_waiting"])
    ]


def _lines(connection: Connection, waiting: Sequence[WaitingEntry], first: date, last: date) -> list[OpenLine]:
    facts = {
        "account": CUSTODIAL_ACCOUNT,
        "amounts": sorted({entry.cents for entry in waiting}),
        "first": first,
        "last": last,
        "opening_code": OPENING_CODE,
    }
    lines = []
    for row in connection.execute(_QUERIES["lines_for_entries"], facts):
        references = frozenset({row.bank_reference.strip(), row.customer_reference.strip()} - {""})
        payments = tuple((trace, payer) for trace, payer in row.traces if payer or trace not in references)
        words = f"{row.bank_reference} {row.customer_reference} {row.description}".upper()
        lines.append(OpenLine(row.bank_line_id, row.as_of, row.amount_cents, references, words, payments))
    return lines


def _payers(connection: Connection) -> Iterator[frozenset[str]]:
    """Give for each payer the words by which banks know it."""
    for row in connection.execute(_QUERIES["payer_words"]):
        yield frozenset(word.strip().upper() for word in row.words if word.strip())


def _settle_cases(connection: Connection, left: Sequence[WaitingEntry], booked_days: frozenset[date]) -> None:
    """Open a case for each entry whose statement came without a line that is told apart; close those of the others."""
    standing = {
        f"{_CASE}{entry.trace}": (entry.cents, _missed(entry))
        for entry in left
        if any(day >= entry.settled_on for day in booked_days)
    }
    others = {
        case.subject: (case.amount_cents, case.detail)
        for case in list_cases(connection)
        if case.kind is CaseKind.FEEDS_DIFFER and not case.subject.startswith(_CASE)
    }
    settle_cases(connection, CaseKind.FEEDS_DIFFER, others | standing, "the entry has its line now")


def _missed(entry: WaitingEntry) -> str:
    said = f"the bank received {show_cents(entry.cents)} from {entry.company_id or 'a company'} on {entry.settled_on}"
    return f"{said}; the statement has no line, or more than one, that can be this"
