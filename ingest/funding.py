"""Money to advices: matches both pools and funds what matched, each match in a transaction of its own."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ingest.advices import shares_of
from ingest.cases import CaseKind, settle_cases
from ingest.matching import Deposit, Difference, Match, Payment, Step, match_pools
from ledger import activity
from ledger.activity import Begin
from ledger.batch import Batch
from ledger.errors import FloatMissingError, LiabilityInDebitError
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
    step: int


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
    done, uncovered = _fund_all(begin, outcome.matches, actor, progress)
    with begin() as connection:
        _settle_cases(connection, outcome.differences, uncovered)
        waiting = Parked(advices=len(_payments(connection)), deposits=len(_deposits(connection)))
    return MatchReport(funded=tuple(done), parked=waiting)


def _fund_all(
    begin: Begin, matches: Sequence[Match], actor: str, progress: Callable[[int, int], None] | None
) -> tuple[list[Funded], list[tuple[Match, int]]]:
    """Fund match by match; give what was funded, and what the float could not cover with what it lacks.

    What could not be covered is tried again as long as others are funded: they may repay the float.
    """
    done: list[Funded] = []
    uncovered: list[tuple[Match, int]] = []
    waiting = list(matches)
    while waiting:
        before, uncovered = len(done), []
        for number, match in enumerate(waiting, len(matches) - len(waiting) + 1):
            try:
                with begin() as connection:
                    if _fund(connection, match, actor):
                        done += (_report(match.step, payment) for payment in match.payments)
            except FloatMissingError as error:
                uncovered.append((match, int(error.facts["missing_cents"])))
            except LiabilityInDebitError:
                # Another process used the deposit since the pools were read; the next sweep matches what is left.
                pass
            if progress is not None:
                progress(number, len(matches))
        waiting = [match for match, _ in uncovered] if len(done) > before else []
    return done, uncovered


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
    # A payment may have thousands of sets: the fact's name stays short.
    named = sha256(",".join(map(str, advice_ids)).encode()).hexdigest()
    key = f"funded:{advice_ids[0]}:{named}"
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


def _settle_cases(
    connection: Connection, differences: Sequence[Difference], uncovered: Sequence[tuple[Match, int]]
) -> None:
    """Bring the cases of matching to what stands now; one sweep at a time, for two may see different things."""
    connection.execute(_QUERIES["lock_cases"])
    payments = _payments(connection)
    deposits = _deposits(connection)
    name = _namer(payments)
    waiting = {each.advice_ids: each for each in payments}
    short = {
        name(each.payment): (-each.cents, f"{_compared(each)}; held")
        for each in differences
        if each.cents < 0 and each.payment.advice_ids in waiting
    }
    float_missing = {
        name(payment): (missing, f"the float lacks {show_cents(missing)} to cover its negatives; the payment waits")
        for match, missing in uncovered
        for payment in match.payments
    }
    advices = {
        name(each): (each.cents, f"{each.payer_name or each.payer_id} advised it for {each.paid_on}; no money yet")
        for each in payments
        if name(each) not in short and name(each) not in float_missing
    }
    # Money that is short or waits for the float is in its payment's case.
    held = {deposit.bank_line_id for each in differences if each.cents < 0 for deposit in each.deposits}
    held |= {deposit.bank_line_id for match, _ in uncovered for deposit, _ in match.uses}
    free = [each for each in deposits if each.bank_line_id not in held]
    over, excess = _over(connection, free)
    unexplained = {
        f"bank line {each.bank_line_id}": (each.open_cents, f"booked {each.booked_on}; {_named(each)}")
        for each in free
        if each.bank_line_id not in excess
    }
    negative = {
        row.subject: (row.cents, "owes after the payers' reversals and adjustments; the float covers it")
        for row in connection.execute(_QUERIES["negative_members"])
    }
    for kind, standing in (
        (CaseKind.DEPOSIT_SHORT, short),
        (CaseKind.DEPOSIT_OVER, over),
        (CaseKind.FLOAT_MISSING, float_missing),
        (CaseKind.ADVICE_WITHOUT_DEPOSIT, advices),
        (CaseKind.DEPOSIT_WITHOUT_ADVICE, unexplained),
        (CaseKind.NEGATIVE_MEMBER, negative),
    ):
        settle_cases(connection, kind, standing, "no longer so at a later match")


def _over(connection: Connection, deposits: Sequence[Deposit]) -> tuple[dict[str, tuple[int, str]], set[int]]:
    """Find money that came under the exact key of a payment beyond what it was funded with: cases, and bank lines."""
    keyed = [each for each in deposits if len(each.traces) == 1 and each.traces[0][1]]
    traces = sorted({each.traces[0][0] for each in keyed})
    funded_cents: dict[tuple[str, str], int] = {
        (row.trace_number, row.payer_id): row.cents
        for row in connection.execute(_QUERIES["funded_payments"], {"traces": traces})
    }
    payers = Counter(trace for trace, _ in funded_cents)
    cases: dict[str, tuple[int, str]] = {}
    lines: set[int] = set()
    for each in keyed:
        key = each.traces[0]
        if key in funded_cents:
            lines.add(each.bank_line_id)
            subject = key[0] if payers[key[0]] == 1 else f"{key[0]} of {key[1]}"
            cents = cases.get(subject, (0, ""))[0] + each.open_cents
            said = f"advised {show_cents(funded_cents[key])}, {show_cents(cents)} more deposited"
            cases[subject] = (cents, f"{said}; the advice is funded, the rest is parked")
    return cases, lines


def _namer(payments: Sequence[Payment]) -> Callable[[Payment], str]:
    """Give what names a payment in a case: its trace number, and the payer too where another payer uses the same."""
    payers: Mapping[str, int] = Counter(each.trace_number for each in payments)
    return lambda each: (
        f"{each.trace_number} of {each.payer_id}" if payers.get(each.trace_number, 0) > 1 else each.trace_number
    )


def _compared(each: Difference) -> str:
    advised = each.payment.cents
    return f"advised {show_cents(advised)}, deposited {show_cents(advised + each.cents)}"


def _named(deposit: Deposit) -> str:
    traces = ", ".join(trace for trace, _ in deposit.traces)
    return f"it names {traces}" if traces else "it names no payment"
