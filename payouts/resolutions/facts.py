"""What stands behind a case: the bank lines and advices that it is about, and those that could go with them."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ingest.cases import Case, CaseKind
from payouts.resolutions.errors import MovedOnError, NotOpenError, SubjectMissingError, UnknownNumberError
from payouts.resolutions.frame import QUERIES, Action, Resolution, actions_for

_BANK_LINE = re.compile(r"bank line (\d+)(?: for advices? ([\d, ]+))?")
"""The subject of a case about a bank line, and of a suggestion."""
_LONG_NUMBER = re.compile(r"\d{9,}")
"""It may be an account's: its end is shown."""

_OF_A_PAYMENT = frozenset({CaseKind.ADVICE_WITHOUT_DEPOSIT, CaseKind.DEPOSIT_SHORT, CaseKind.DEPOSIT_OVER})


class LineFacts(BaseModel):
    """A bank line; cents, credits positive. The description is the bank's text."""

    model_config = ConfigDict(frozen=True)

    bank_line_id: int
    as_of: date
    type_code: str
    amount_cents: int
    open_cents: int
    state: str
    bank_reference: str
    customer_reference: str
    description: str
    traces: tuple[str, ...]


class AdviceFacts(BaseModel):
    """An advice; cents. ``funded_cents`` is what was funded so far."""

    model_config = ConfigDict(frozen=True)

    advice_id: int
    payer_id: str
    payer_name: str
    trace_number: str
    paid_on: date
    payment_cents: int
    funded_cents: int
    state: str

    @property
    def missing_cents(self) -> int:
        """What is still to be funded."""
        return self.payment_cents - self.funded_cents


class Facts(BaseModel):
    """What stands behind a case: what it is about, and candidates of the same open amount on the other side."""

    model_config = ConfigDict(frozen=True)

    bank_lines: tuple[LineFacts, ...] = ()
    advices: tuple[AdviceFacts, ...] = ()
    candidate_lines: tuple[LineFacts, ...] = ()
    candidate_advices: tuple[AdviceFacts, ...] = ()
    notes: tuple[str, ...] = ()
    """What people wrote about the case, oldest first."""
    pending: tuple[int, ...] = ()
    """Approvals that wait for a second person."""


def facts_of(connection: Connection, case: Case) -> Facts:
    """Give what stands behind a case."""
    lines, advices = subjects_of(connection, case)
    notes = connection.execute(QUERIES["notes"], {"subject": f"exception {case.id}"}).scalars()
    pending = connection.execute(QUERIES["pending_of_case"], {"case_id": case.id}).scalars()
    missing = sum(each.missing_cents for each in advices if each.state == "accepted")
    opened = sum(each.open_cents for each in lines)
    other_advices = _advices(connection, "advices_of_amount", cents=opened) if opened > 0 and not advices else ()
    other_lines = _lines(connection, "lines_of_amount", cents=missing) if missing and not lines else ()
    return Facts(
        bank_lines=lines,
        advices=advices,
        candidate_lines=other_lines,
        candidate_advices=other_advices,
        notes=tuple(notes),
        pending=tuple(pending),
    )


def possible_actions(case: Case, facts: Facts) -> list[Action]:
    """Give what can be done about a case now, in the order of the table."""
    if case.state != "open":
        return []
    if any(each.state == "suspended" for each in facts.bank_lines):
        return [Action.UNSUSPEND, Action.WAIT]
    if case.kind is CaseKind.DIRECT_PAY_DIFFERS:
        # Of an advice that is paid through us there is nothing to do here: its payer has to be told.
        parked = [Action.RETURN_TO_PAYER, Action.REPLACE, Action.WAIT]
        return parked if facts.bank_lines else [Action.REFUSE, Action.WAIT]
    return [action for action in actions_for(case.kind) if action is not Action.UNSUSPEND]


def subjects_of(connection: Connection, case: Case) -> tuple[tuple[LineFacts, ...], tuple[AdviceFacts, ...]]:
    """Give the bank lines and advices that a case is about; a suggestion names both."""
    named = _BANK_LINE.fullmatch(case.subject)
    if named is not None:
        advices = [int(number) for number in (named[2] or "").split(", ") if number]
        return lines_by_id(connection, [int(named[1])]), advices_by_id(connection, advices)
    if case.kind in _OF_A_PAYMENT:
        advices_of = _advices(connection, "advices_of_payment", subject=case.subject)
        return _lines(connection, "lines_of_payment", subject=case.subject), advices_of
    if case.kind is CaseKind.DIRECT_PAY_DIFFERS:
        return (), advices_by_id(connection, [int(case.subject.removeprefix("advice "))])
    if case.kind is CaseKind.SET_CONFLICT:
        return (), _advices(connection, "advices_of_set", subject=case.subject)
    return (), ()


def lines_by_id(connection: Connection, ids: Sequence[int]) -> tuple[LineFacts, ...]:
    """Give bank lines by number; what does not exist is left out."""
    return _lines(connection, "lines_by_id", ids=list(ids))


def advices_by_id(connection: Connection, ids: Sequence[int]) -> tuple[AdviceFacts, ...]:
    """Give advices by number; what does not exist is left out."""
    return _advices(connection, "advices_by_id", ids=list(ids))


def _lines(connection: Connection, query: str, **asked: object) -> tuple[LineFacts, ...]:
    return tuple(
        LineFacts(
            **{
                **row,
                "description": _LONG_NUMBER.sub(lambda number: f"…{number[0][-4:]}", row["description"]),
                "traces": tuple(" of ".join(filter(None, trace)) for trace in row["traces"]),
            }
        )
        for row in connection.execute(QUERIES[query], asked).mappings()
    )


def _advices(connection: Connection, query: str, **asked: object) -> tuple[AdviceFacts, ...]:
    return tuple(AdviceFacts(**row) for row in connection.execute(QUERIES[query], asked).mappings())


def open_deposits(connection: Connection, case: Case, request: Resolution) -> tuple[LineFacts, ...]:
    """Give the deposits that a request names, or else its case; each has something open.

    Raises:
        SubjectMissingError, UnknownNumberError, NotOpenError: there is none, or it has nothing to give.
    """
    lines = lines_by_id(connection, request.bank_lines) if request.bank_lines else subjects_of(connection, case)[0]
    missing = set(request.bank_lines) - {each.bank_line_id for each in lines}
    if missing:
        raise UnknownNumberError("bank line", min(missing))
    if not lines:
        raise SubjectMissingError("deposits", "--bank-line N (see: centralpay exceptions show ID)")
    for each in lines:
        if each.amount_cents < 0:
            raise NotOpenError(f"Bank line {each.bank_line_id}", "it is a debit, no deposit")
        if each.state != "unmatched" or each.open_cents <= 0:
            raise NotOpenError(f"Bank line {each.bank_line_id}", f"it is {each.state}, nothing of it is open")
    return lines


def waiting_advices(connection: Connection, case: Case, request: Resolution) -> tuple[AdviceFacts, ...]:
    """Give the advices that a request names, or else those of its case that still wait for money.

    Raises:
        SubjectMissingError, UnknownNumberError, NotOpenError: there is none, or it waits for nothing.
    """
    if not request.advices:
        advices = tuple(each for each in subjects_of(connection, case)[1] if each.state == "accepted")
        if not advices:
            raise SubjectMissingError("advices", "--advice N (see: centralpay exceptions show ID)")
        return advices
    advices = advices_by_id(connection, request.advices)
    if missing := set(request.advices) - {each.advice_id for each in advices}:
        raise UnknownNumberError("advice", min(missing))
    for each in advices:
        if each.state != "accepted":
            raise NotOpenError(f"Advice {each.advice_id} ({each.trace_number})", f"it is {each.state}")
    return advices


def bound(lines: Sequence[LineFacts], advices: Sequence[AdviceFacts]) -> dict[str, dict[str, int]]:
    """Give what an approval binds: what is open of these deposits, what is missing of these advices."""
    return {
        "bank_lines": {str(each.bank_line_id): each.open_cents for each in lines},
        "advices": {str(each.advice_id): each.missing_cents for each in advices},
    }


def as_bound(connection: Connection, facts: Mapping[str, Any]) -> tuple[tuple[LineFacts, ...], tuple[AdviceFacts, ...]]:
    """Give deposits and advices that an approval binds, as they are now.

    Raises:
        MovedOnError: they are not as they were when it was proposed.
    """
    lines = lines_by_id(connection, [int(number) for number in facts["bank_lines"]])
    advices = advices_by_id(connection, [int(number) for number in facts["advices"]])
    for line in lines:
        if line.state != "unmatched" or line.open_cents != facts["bank_lines"][str(line.bank_line_id)]:
            raise MovedOnError(f"Bank line {line.bank_line_id} is {line.state} with another amount open than proposed")
    for advice in advices:
        if advice.state != "accepted" or advice.missing_cents != facts["advices"][str(advice.advice_id)]:
            raise MovedOnError(f"Advice {advice.advice_id} is {advice.state} and lacks another amount than proposed")
    return lines, advices


def last_day(lines: Sequence[LineFacts], advices: Sequence[AdviceFacts]) -> date:
    """Give the later of the days of deposits and advices: the day on which both were there."""
    return max([each.as_of for each in lines] + [each.paid_on for each in advices])
