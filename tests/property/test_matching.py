"""Whatever is in the pools: no cent of a deposit is used twice, no payment funded twice, no pair without a trace."""

from collections import Counter
from datetime import date
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from ingest.matching import Deposit, Match, Matched, Payment, match_pools

_DAY = date(2026, 11, 16)
_PAYERS = ("", "1360000001", "1360000002")
_TRACES = ("A1", "a1", "0A1", "B2", "123456789", "1234567890", "1234567891", "0")
_CENTS = st.integers(1, 6)

_payments = st.lists(
    st.builds(
        Payment,
        payer_id=st.sampled_from(_PAYERS),
        trace_number=st.sampled_from(_TRACES),
        advice_ids=st.just(()),
        cents=st.integers(0, 6),
        paid_on=st.just(_DAY),
    ),
    max_size=7,
    unique_by=lambda each: (each.payer_id, each.trace_number),
)
_named = st.lists(st.tuples(st.sampled_from(_TRACES), st.sampled_from(_PAYERS)), max_size=3, unique=True)
_deposits = st.lists(
    st.builds(
        Deposit,
        bank_line_id=st.integers(1, 40),
        open_cents=_CENTS,
        booked_on=st.dates(_DAY, date(2026, 11, 18)),
        traces=_named.map(tuple),
    ),
    max_size=7,
    unique_by=lambda each: each.bank_line_id,
)


def _agree(payment: Payment, deposit: Deposit) -> bool:
    """Say whether a trace of the deposit can mean the payment at any step."""

    def plain(trace: str) -> str:
        return trace.upper().lstrip("0")

    for trace, payer_id in deposit.traces:
        if payer_id not in {"", payment.payer_id}:
            continue
        one, other = plain(trace), plain(payment.trace_number)
        if trace == payment.trace_number or (one and one == other):
            return True
        shorter, longer = sorted((one, other), key=len)
        if payer_id and len(shorter) >= 8 and longer.startswith(shorter):
            return True
    return False


def _key(match: Match) -> object:
    payments = sorted((each.payer_id, each.trace_number) for each in match.payments)
    return match.step, payments, sorted((deposit.bank_line_id, cents) for deposit, cents in match.uses)


def _said(outcome: Matched) -> object:
    differences = [
        (each.payment, {one.bank_line_id for one in each.deposits}, each.cents) for each in outcome.differences
    ]
    return [_key(match) for match in outcome.matches], differences, outcome.parked_payments, outcome.parked_deposits


@given(_payments, _deposits)
def test_money_is_used_once(payments: list[Payment], deposits: list[Deposit]) -> None:
    """Each match is funded to the cent, no payment twice, and of no deposit more than is open."""
    outcome = match_pools(payments, deposits)
    used: Counter[int] = Counter()
    for match in outcome.matches:
        assert sum(cents for _, cents in match.uses) == match.cents
        for deposit, cents in match.uses:
            assert cents > 0
            used[deposit.bank_line_id] += cents
    for deposit in deposits:
        assert used[deposit.bank_line_id] <= deposit.open_cents
    funded = Counter((each.payer_id, each.trace_number) for match in outcome.matches for each in match.payments)
    assert set(funded.values()) <= {1}
    short = {(each.payment.payer_id, each.payment.trace_number) for each in outcome.differences if each.cents < 0}
    parked = {(each.payer_id, each.trace_number) for each in outcome.parked_payments}
    assert not (funded.keys() & short | funded.keys() & parked | short & parked)
    assert funded.keys() | short | parked == {(each.payer_id, each.trace_number) for each in payments}


@given(_payments, _deposits)
def test_only_traces_that_agree_are_matched(payments: list[Payment], deposits: list[Deposit]) -> None:
    """Every deposit that funds a payment names it; amount alone never decides."""
    for match in match_pools(payments, deposits).matches:
        for deposit, _ in match.uses:
            assert any(_agree(payment, deposit) for payment in match.payments)
        for payment in match.payments:
            assert payment.cents == 0 or any(_agree(payment, deposit) for deposit, _ in match.uses)


@given(_payments, _deposits, st.integers(0, 2**16))
def test_the_order_of_the_pools_does_not_matter(payments: list[Payment], deposits: list[Deposit], seed: int) -> None:
    """Shuffled pools give the same outcome."""
    shuffled = [*payments], [*deposits]
    for pool in shuffled:
        Random(seed).shuffle(pool)
    assert _said(match_pools(*shuffled)) == _said(match_pools(payments, deposits))


@given(_payments, _deposits, st.permutations(range(1, 41)))
def test_the_numbers_of_bank_lines_decide_nothing(
    payments: list[Payment], deposits: list[Deposit], numbers: list[int]
) -> None:
    """Who is funded does not depend on which of the deposits was booked under the smaller number."""
    renamed = [
        Deposit(numbers[each.bank_line_id - 1], each.open_cents, each.booked_on, each.traces) for each in deposits
    ]

    def funded(outcome: Matched) -> set[tuple[str, str]]:
        return {(each.payer_id, each.trace_number) for match in outcome.matches for each in match.payments}

    assert funded(match_pools(payments, renamed)) == funded(match_pools(payments, deposits))
