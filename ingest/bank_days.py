"""What a bank day's books hold already, and what a further statement of that day is: a repetition, more, or another.

Only statements move cash, so the same money must never come in by two of them. A day's first statement is booked. A
later one that opens where the last one closed goes on, and is booked too. One that says the same lines again, in the
same format or another, books nothing. Anything else is refused: nobody could tell which of its lines are new.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row

from ingest.bank.pairing import DayLine, Pairing, pair_lines
from ingest.bank.statement import BankItem, BankStatement, Feed
from ingest.bank.traces import Trace, joined_traces, named_payments
from ingest.cases import CaseKind, list_cases, open_case, settle_cases
from ledger.chart import CUSTODIAL_ACCOUNT
from ledger.queries import Queries
from schemas.errors import UnreadableError
from schemas.findings import Finding
from schemas.money import show_cents

OPENING_CODE = "010"
"""Type code of the line that books what the account held before its first statement."""

_QUERIES = Queries("ingest", "bank.sql")
_ADVICE = (
    "Nothing was booked twice. Ask the bank which statement of the day is right; lines that came later belong into a "
    "statement that opens with the closing balance of the one before, or into the next day's."
)


class FeedsDifferError(UnreadableError):
    """A statement says other lines of a day than those that were booked; nothing of its file was taken over."""

    def __init__(self, name: str, days: Sequence["Differing"]) -> None:
        self.days = tuple(days)
        super().__init__(name, [finding for day in days for finding in day.findings])


@dataclass(frozen=True, slots=True)
class Differing:
    """A statement that is neither more of its day nor the same again."""

    day: date
    cents: int
    """How much more it moves into the account than what was booked."""
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """What a statement is beside what its day holds."""

    statement: BankStatement
    alike: Counter[object]
    """How many lines of the same words the day holds already."""
    repeats: int | None = None
    """The file whose lines it says again; it books nothing."""
    details: tuple[tuple[int, Trace], ...] = ()
    """Payments that it names for lines that were booked without them: bank line, and TRN02 and TRN03."""


@dataclass(frozen=True, slots=True)
class _Booked:
    """One statement of the day, or all of them together."""

    file_id: int
    opening_cents: int | None
    closing_cents: int | None
    lines: tuple[DayLine, ...]
    feeds: frozenset[str]

    def balances_like(self, statement: BankStatement) -> bool:
        """Whether a statement has the same balances; one that it does not give can not differ."""
        pairs = (
            (self.opening_cents, statement.opening_cents),
            (self.closing_cents, statement.closing_cents),
        )
        return all(mine is None or its is None or mine == its for mine, its in pairs)


def place_statement(connection: Connection, statement: BankStatement, feed: Feed) -> Placed | Differing:
    """Say what a statement is beside the books of its day, or what of it differs from them."""
    facts = {"account": CUSTODIAL_ACCOUNT, "as_of": statement.as_of}
    statements = connection.execute(_QUERIES["day_statements"], facts).all()
    if not statements:
        return Placed(statement, Counter())
    rows = connection.execute(_QUERIES["day_lines"], facts | {"opening_code": OPENING_CODE}).all()
    lines = [(row.file_id, _booked_line(row)) for row in rows]
    alike: Counter[object] = Counter(line.words for _, line in lines)
    candidates = list(_candidates(statements, lines))
    compared: list[tuple[_Booked, Pairing]] = []
    for booked in candidates:
        for again in _readings(statement):
            pairing = pair_lines(booked.lines, again, same_format=booked.feeds == {feed.value})
            if pairing.is_whole and booked.balances_like(statement):
                return Placed(statement, alike, booked.file_id, tuple(_details(pairing)))
            compared.append((booked, pairing))
    if _goes_on(statement, candidates):
        return Placed(statement, alike)
    booked, pairing = min(compared, key=_left)
    cents = sum(line.cents for line in pairing.only_again) - sum(line.cents for line in pairing.only_booked)
    return Differing(statement.as_of, cents, tuple(_differences(statement, booked, pairing)))


def _candidates(statements: Sequence[Row[Any]], lines: Sequence[tuple[int, DayLine]]) -> Iterator[_Booked]:
    """Give what can be said again: the day as a whole first, then each of its statements."""
    of_file: dict[int, list[DayLine]] = defaultdict(list)
    for file_id, line in lines:
        of_file[file_id].append(line)
    first, last = statements[0], statements[-1]
    feeds = frozenset(row.feed for row in statements)
    yield _Booked(first.file_id, first.opening_cents, last.closing_cents, tuple(line for _, line in lines), feeds)
    for row in statements if len(statements) > 1 else ():
        own = tuple(of_file[row.file_id])
        yield _Booked(row.file_id, row.opening_cents, row.closing_cents, own, frozenset({row.feed}))


def _goes_on(statement: BankStatement, candidates: Sequence[_Booked]) -> bool:
    """Whether a statement opens where the day's last one closed, and can not be another version of the day."""
    day = candidates[0]
    if statement.opening_cents is None or statement.opening_cents != day.closing_cents:
        return False
    return statement.opening_cents != day.opening_cents or not day.lines


def _booked_line(row: Row[Any]) -> DayLine:
    traces = [(str(trace), str(payer)) for trace, payer in row.traces]
    references = {row.bank_reference.strip(), row.customer_reference.strip()}
    payments = [each for each in traces if each[1] or each[0] not in references]
    return DayLine(
        number=row.bank_line_id,
        cents=row.amount_cents,
        type_code=row.type_code,
        bank_reference=row.bank_reference,
        customer_reference=row.customer_reference,
        text=row.description,
        payments=tuple(payments),
        is_open=row.state == "unmatched",
    )


def words_of(item: BankItem) -> tuple[int, str, str, str, str]:
    """Give all that the bank says in an item: signed cents, type code, its and the customer's reference, text."""
    cents = item.amount_cents if item.is_credit else -item.amount_cents
    return (cents, item.type_code, item.bank_reference, item.customer_reference, item.text)


def _readings(statement: BankStatement) -> Iterator[list[DayLine]]:
    """Give the lines of a statement: as its items, and with the items of one booking put together again."""
    yield [_line(item) for item in statement.items]
    if not any(item.batch for item in statement.items):
        return
    batches: dict[int, list[BankItem]] = defaultdict(list)
    whole = []
    for item in statement.items:
        if item.batch:
            batches[item.batch].append(item)
        else:
            whole.append(_line(item))
    yield whole + [_together(items) for items in batches.values()]


def _line(item: BankItem) -> DayLine:
    return DayLine(item.line, *words_of(item), payments=tuple(named_payments(item)))


def _together(items: Sequence[BankItem]) -> DayLine:
    cents = sum(words_of(item)[0] for item in items)
    payments = sorted({payment for item in items for payment in named_payments(item)})
    first = items[0]
    references = {item.bank_reference for item in items}
    reference = first.bank_reference if len(references) == 1 else ""
    text = "".join(item.text for item in items)
    return DayLine(first.line, cents, first.type_code, reference, "", text, tuple(payments))


def _details(pairing: Pairing) -> Iterator[tuple[int, Trace]]:
    """Give the payments that lines name now and did not before, where it is certain which line is meant."""
    for pair in pairing.pairs:
        if not (pair.is_certain and pair.booked.is_open) or set(pair.again.payments) <= set(pair.booked.payments):
            continue
        for trace in joined_traces(list(pair.booked.payments), list(pair.again.payments)):
            yield pair.booked.number, trace


def _left(compared: tuple[_Booked, Pairing]) -> int:
    _, pairing = compared
    return len(pairing.only_booked) + len(pairing.only_again)


def _differences(statement: BankStatement, booked: _Booked, pairing: Pairing) -> Iterator[Finding]:
    """Name the lines that only one side has; where all have their like, the balances that are not the same."""
    element = f"statement of {statement.as_of}"
    expected = "the lines of the day that were booked"
    for line in pairing.only_again:
        found = f"{_said(line)} that was not booked"
        yield Finding(
            rule="feeds_agree", element=element, expected=expected, found=found, line=line.number, advice=_ADVICE
        )
    for line in pairing.only_booked:
        found = f"nothing for bank line {line.number}, {_said(line)}"
        at = statement.line
        yield Finding(rule="feeds_agree", element=element, expected=expected, found=found, line=at, advice=_ADVICE)
    if pairing.is_whole:
        yield Finding(
            rule="feeds_agree",
            element=element,
            expected=_balances(booked.opening_cents, booked.closing_cents),
            found=_balances(statement.opening_cents, statement.closing_cents),
            line=statement.line,
            advice=_ADVICE,
        )


def _said(line: DayLine) -> str:
    return f"a {'credit' if line.cents > 0 else 'debit'} of {show_cents(abs(line.cents))}, type {line.type_code}"


def _balances(*cents: int | None) -> str:
    opening, closing = ("none" if each is None else show_cents(each) for each in cents)
    return f"opening balance {opening}, closing balance {closing}"


def add_details(connection: Connection, details: Iterable[tuple[int, Trace]], file_id: int) -> int:
    """Write down what a feed says that lines are for; give how many lines that made clearer."""
    named = list(details)
    facts = {
        "lines": [line for line, _ in named],
        "trace_numbers": [trace for _, (trace, _) in named],
        "payer_ids": [payer for _, (_, payer) in named],
        "file_id": file_id,
    }
    return len(set(connection.execute(_QUERIES["add_details"], facts).scalars())) if named else 0


def open_difference_cases(connection: Connection, error: FeedsDifferError) -> None:
    """Open a case for each day on which a refused file differs from the books; a person asks the bank.

    The bank's next statement closes it, if that opens where the books closed.
    """
    for day in error.days:
        detail = f"{error.name} says other lines than the statement that was booked; {day.findings[0].sentence()}"
        open_case(connection, CaseKind.FEEDS_DIFFER, f"{day.day}", day.cents, detail)


def close_confirmed_cases(connection: Connection, statement: BankStatement) -> None:
    """Close the case about the statement day before when this statement opens where the books closed that day."""
    facts = {"account": CUSTODIAL_ACCOUNT, "as_of": statement.as_of}
    before = connection.execute(_QUERIES["day_before"], facts).first()
    if before is None or statement.opening_cents != before.closing_cents:
        return
    open_cases = {
        case.subject: (case.amount_cents, case.detail)
        for case in list_cases(connection)
        if case.kind is CaseKind.FEEDS_DIFFER
    }
    if open_cases.pop(f"{before.as_of}", None) is not None:
        said = f"the bank's statement of {statement.as_of} opens where the books closed"
        settle_cases(connection, CaseKind.FEEDS_DIFFER, open_cases, said)
