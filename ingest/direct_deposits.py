"""Deposits for what a payer should have paid directly: never matched, for two things contradict each other.

A direct advice says that its payer paid the member by itself; a deposit under its trace number says that the money came
to us. Which of the two holds is a person's to find out: the deposit stays parked and a case names the advice.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection

from ingest.cases import CaseKind, open_case
from ingest.direct_pay import QUERIES
from ingest.matching import Deposit, Payment, normal_trace
from schemas.money import show_cents


class NamedAdvice(NamedTuple):
    """A direct advice that a deposit names; cents."""

    advice_id: int
    payer_id: str
    payer_name: str
    trace_number: str
    paid_on: date
    payment_cents: int
    ncpdp_id: str
    trace: str
    """The trace number as it is compared."""


def direct_advices_named(connection: Connection, deposits: Iterable[Deposit]) -> dict[int, tuple[NamedAdvice, ...]]:
    """Give the direct advices that deposits name, by bank line: the same trace, and the same payer or none."""
    named = [(each.bank_line_id, normal_trace(trace), payer_id) for each in deposits for trace, payer_id in each.traces]
    traces = sorted({trace for _, trace, _ in named if trace})
    if not traces:
        return {}
    by_trace: dict[str, list[NamedAdvice]] = defaultdict(list)
    for row in connection.execute(QUERIES["named"], {"traces": traces}):
        by_trace[row.trace].append(NamedAdvice(*row))
    found: dict[int, dict[int, NamedAdvice]] = defaultdict(dict)
    for line, trace, payer_id in named:
        for advice in by_trace.get(trace, ()):
            if payer_id in {"", advice.payer_id}:
                found[line][advice.advice_id] = advice
    return {line: tuple(advices[number] for number in sorted(advices)) for line, advices in found.items()}


def without_direct(connection: Connection, deposits: Sequence[Deposit], payments: Collection[Payment]) -> list[Deposit]:
    """Leave out the deposits that name a direct advice, but for those that name a payment that waits exactly."""
    named = direct_advices_named(connection, deposits)
    if not named:
        return list(deposits)
    waiting = {(each.trace_number, each.payer_id) for each in payments}
    return [each for each in deposits if each.bank_line_id not in named or waiting.intersection(each.traces)]


def cases_of_deposits(
    deposits: Iterable[Deposit], named: Mapping[int, Sequence[NamedAdvice]]
) -> dict[str, tuple[int, str]]:
    """Give the cases of deposits that name direct advices: subject to (cents, detail)."""
    return {
        f"bank line {each.bank_line_id} for advice {', '.join(str(advice.advice_id) for advice in advices)}": (
            each.open_cents,
            f"booked {each.booked_on}; it names {'; '.join(map(_said, advices))}",
        )
        for each in deposits
        if (advices := named.get(each.bank_line_id))
    }


def settle_direct_pay_cases(connection: Connection, standing: Mapping[str, tuple[int, str]], resolution: str) -> None:
    """Make the open cases of deposits those that stand; those of advices end with the enrolment or the advice."""
    for subject, (cents, detail) in standing.items():
        open_case(connection, CaseKind.DIRECT_PAY_DIFFERS, subject, cents, detail)
    connection.execute(QUERIES["close_cases"], {"subjects": list(standing), "resolution": resolution})


def _said(advice: NamedAdvice) -> str:
    paid = f"{advice.payer_name} should have paid {advice.ncpdp_id} {show_cents(advice.payment_cents)} directly"
    return f"{advice.trace_number}, by which {paid} on {advice.paid_on}"
