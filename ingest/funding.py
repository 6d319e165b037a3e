"""Money to advices: matches both pools and funds what matched, each match in a transaction of its own."""

from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ingest.advices import shares_of
from ingest.cases import CaseKind, settle_cases
from ingest.matching import Deposit, Difference, Match, Payment, Step, match_pools
from ledger import activity
from ledger.activity import Begin
from ledger.batch import Batch
from ledger.errors import FloatMissingError
from ledger.events import funded
from ledger.posting import post
from ledger.queries import Queries
from schemas.money import show_cents

_QUERIES = Queries("ingest", "matching.sql")
_BANK = Queries("ingest", "bank.sql")


class Funded(BaseModel):
    """One payment that was funded."""

    model_config = ConfigDict(frozen=True)

    trn: str
    payer_id: str
    amount_cents: int
    step: str


class Parked(BaseModel):
    """How many payments and deposits wait."""

    model_config = ConfigDict(frozen=True)

    advices: int
    deposits: int


class MatchReport(BaseModel):
    """What a sweep of both pools did."""

    model_config = ConfigDict(frozen=True)

    funded: tuple[Funded, ...]
    parked: Parked


def sweep(begin: Begin, actor: str, progress: Callable[[int, int], None] | None = None) -> MatchReport:
    """Match what is parked on both sides, fund what matches, and bring the exception cases up to date.

    Each match is one database transaction, so a sweep may be stopped and run again. An advice whose negative the float
    can not cover is not funded: it waits, and a case says how much is missing.
    """
    with begin() as connection:
        outcome = match_pools(_payments(connection), _deposits(connection))
    done: list[Funded] = []
    uncovered: dict[str, tuple[int, str]] = {}
    for number, match in enumerate(outcome.matches, 1):
        try:
            with begin() as connection:
                if _fund(connection, match, actor):
                    done += (_report(match.step, payment) for payment in match.payments)
        except FloatMissingError as error:
            missing = int(error.facts["missing_cents"])
            for payment in match.payments:
                uncovered[payment.trace_number] = (
                    missing,
                    f"the float lacks {show_cents(missing)} to cover the negatives of this payment; it waits",
                )
        if progress is not None:
            progress(number, len(outcome.matches))
    with begin() as connection:
        _settle(connection, outcome.differences, uncovered)
        waiting = Parked(advices=len(_payments(connection)), deposits=len(_deposits(connection)))
    return MatchReport(funded=tuple(done), parked=waiting)


def _payments(connection: Connection) -> list[Payment]:
    return [
        Payment(row.payer_id, row.trace_number, tuple(row.advice_ids), row.cents, row.paid_on, row.payer_name)
        for row in connection.execute(_QUERIES["waiting_payments"])
    ]


def _deposits(connection: Connection) -> list[Deposit]:
    return [
        Deposit(row.bank_line_id, row.open_cents, row.as_of, tuple((trace, payer) for trace, payer in row.traces))
        for row in connection.execute(_BANK["open_lines"])
        if row.amount_cents > 0
    ]


def _fund(connection: Connection, match: Match, actor: str) -> bool:
    """Fund one match; False when another process was faster."""
    advice_ids = sorted(advice_id for payment in match.payments for advice_id in payment.advice_ids)
    locked = connection.execute(_QUERIES["lock_advices"], {"advice_ids": advice_ids}).scalars().all()
    if list(locked) != advice_ids:
        return False
    shares = [share for own in shares_of(connection, advice_ids).values() for share in own]
    dates = [payment.paid_on for payment in match.payments] + [deposit.booked_on for deposit, _ in match.uses]
    uses = {deposit.bank_line_id: cents for deposit, cents in match.uses}
    key = f"funded:{','.join(map(str, advice_ids))}"
    batch = Batch()
    batch.add(funded(key, max(dates), shares, uses))
    post(connection, batch, actor)
    connection.execute(_QUERIES["mark_funded"], {"advice_ids": advice_ids})
    connection.execute(_BANK["settle_lines"], {"lines": list(uses)})
    for payment in match.payments:
        activity.record(connection, actor, "funded", payment.trace_number, cents=payment.cents, step=match.step.value)
    return True


def _report(step: Step, payment: Payment) -> Funded:
    return Funded(trn=payment.trace_number, payer_id=payment.payer_id, amount_cents=payment.cents, step=step.value)


def _settle(connection: Connection, differences: Sequence[Difference], uncovered: dict[str, tuple[int, str]]) -> None:
    """Bring the cases of matching to what stands now."""
    short, over = {}, {}
    for each in differences:
        advised = each.payment.cents
        said = f"advised {show_cents(advised)}, deposited {show_cents(advised + each.cents)}"
        if each.cents < 0:
            short[each.payment.trace_number] = (-each.cents, f"{said}; held")
        else:
            over[each.payment.trace_number] = (each.cents, f"{said}; the advice is funded, the rest is parked")
    held = {deposit.bank_line_id for each in differences for deposit in each.deposits}
    advices = {
        each.trace_number: (
            each.cents,
            f"{each.payer_name or each.payer_id} advised it for {each.paid_on}; no money yet",
        )
        for each in _payments(connection)
        if each.trace_number not in short and each.trace_number not in uncovered
    }
    deposits = {
        f"bank line {each.bank_line_id}": (each.open_cents, f"booked {each.booked_on}; {_named(each)}")
        for each in _deposits(connection)
        if each.bank_line_id not in held and not _waits_for_float(each, uncovered)
    }
    negative = {
        row.subject: (row.cents, "owes after the payers' reversals and adjustments; the float covers it")
        for row in connection.execute(_QUERIES["negative_members"])
    }
    for kind, standing in (
        (CaseKind.DEPOSIT_SHORT, short),
        (CaseKind.DEPOSIT_OVER, over),
        (CaseKind.FLOAT_MISSING, uncovered),
        (CaseKind.ADVICE_WITHOUT_DEPOSIT, advices),
        (CaseKind.DEPOSIT_WITHOUT_ADVICE, deposits),
        (CaseKind.NEGATIVE_MEMBER, negative),
    ):
        settle_cases(connection, kind, standing, "no longer so at a later match")


def _waits_for_float(deposit: Deposit, uncovered: dict[str, tuple[int, str]]) -> bool:
    """Say whether a deposit waits with its payment for the float."""
    return any(trace in uncovered for trace, _ in deposit.traces)


def _named(deposit: Deposit) -> str:
    traces = ", ".join(trace for trace, _ in deposit.traces)
    return f"it names {traces}" if traces else "it names no payment"
