"""Which deposit pays which advice: the cascade, its differences, and what it leaves to people."""

from datetime import date, timedelta

import pytest

from ingest.matching import Deposit, Matched, Payment, Step, match_pools

DAY = date(2026, 11, 16)
P, Q = "1360000001", "1360000002"


def _payment(trace: str, cents: int, payer: str = P) -> Payment:
    return Payment(payer, trace, (abs(hash((trace, payer))),), cents, DAY)


def _deposit(line: int, cents: int, *traces: tuple[str, str], days: int = 0) -> Deposit:
    return Deposit(line, cents, DAY + timedelta(days=days), traces)


def _steps(outcome: Matched) -> list[tuple[str, Step]]:
    return [(payment.trace_number, match.step) for match in outcome.matches for payment in match.payments]


def _is_parked(outcome: Matched) -> bool:
    return not outcome.matches and not outcome.differences


def test_the_exact_key_and_amount_match() -> None:
    """Step 1: TRN03, TRN02 and amount."""
    outcome = match_pools([_payment("T1", 5)], [_deposit(1, 5, ("T1", P))])
    assert _steps(outcome) == [("T1", Step.EXACT)]
    assert [(deposit.bank_line_id, cents) for deposit, cents in outcome.matches[0].uses] == [(1, 5)]
    assert (outcome.parked_payments, outcome.parked_deposits) == ((), ())


def test_another_payers_trace_does_not_match() -> None:
    """The same trace and amount of another payer is another payment."""
    assert _is_parked(match_pools([_payment("T1", 5)], [_deposit(1, 5, ("T1", Q))]))


def test_amount_alone_never_matches() -> None:
    """A deposit that names nothing, or something else, stays parked whatever its amount."""
    assert _is_parked(
        match_pools([_payment("T1", 5)], [_deposit(1, 5), _deposit(2, 5, ("T9", P)), _deposit(3, 5, ("T9", ""))])
    )


def test_zero_money_needs_no_deposit() -> None:
    """An advice of nothing closes itself and takes no deposit, even one that names it."""
    outcome = match_pools([_payment("T1", 0)], [_deposit(1, 5, ("T1", P))])
    assert _steps(outcome) == [("T1", Step.ZERO)]
    assert [deposit.bank_line_id for deposit in outcome.parked_deposits] == [1]


def test_short_money_is_held() -> None:
    """Less than advised under the exact key: nothing is funded, and the difference says how much is missing."""
    outcome = match_pools([_payment("T1", 5)], [_deposit(1, 3, ("T1", P))])
    assert outcome.matches == ()
    assert [(each.payment.trace_number, each.cents) for each in outcome.differences] == [("T1", -2)]


def test_nothing_weaker_touches_what_is_short() -> None:
    """A payment that is short by its exact key is not funded by a deposit whose trace only resembles it."""
    outcome = match_pools([_payment("T1", 5)], [_deposit(1, 3, ("T1", P)), _deposit(2, 5, ("0t1", P))])
    assert outcome.matches == ()


def test_over_money_funds_the_advice_and_parks_the_rest() -> None:
    """More than advised under the exact key: the oldest money is used first, and no more than is needed."""
    deposits = [_deposit(2, 4, ("T1", P), days=1), _deposit(1, 3, ("T1", P))]
    outcome = match_pools([_payment("T1", 5)], deposits)
    assert [(deposit.bank_line_id, cents) for deposit, cents in outcome.matches[0].uses] == [(1, 3), (2, 2)]
    assert [each.cents for each in outcome.differences] == [2]


def test_several_deposits_pay_one_advice() -> None:
    """Deposits that name the same payment are taken together."""
    outcome = match_pools([_payment("T1", 5)], [_deposit(1, 2, ("T1", P)), _deposit(2, 3, ("T1", P))])
    assert _steps(outcome) == [("T1", Step.EXACT)]
    assert outcome.differences == ()


def test_one_deposit_pays_several_advices() -> None:
    """A deposit that names several payments funds them when they add up to it."""
    payments = [_payment("T1", 5), _payment("T2", 6, Q)]
    assert len(match_pools(payments, [_deposit(1, 11, ("T1", P), ("T2", Q))]).matches[0].payments) == 2
    assert _is_parked(match_pools(payments, [_deposit(1, 12, ("T1", P), ("T2", Q))]))
    assert _is_parked(match_pools(payments[:1], [_deposit(1, 11, ("T1", P), ("T2", Q))]))


def test_two_deposits_that_could_pay_the_same_advice_are_parked() -> None:
    """Of two deposits that name overlapping payments and both add up, neither is chosen."""
    payments = [_payment("T1", 5), _payment("T2", 6), _payment("T3", 6)]
    deposits = [_deposit(1, 11, ("T1", P), ("T2", P)), _deposit(2, 11, ("T1", P), ("T3", P))]
    assert _is_parked(match_pools(payments, deposits))


def test_a_trace_without_payer_matches_with_its_amount() -> None:
    """Step 2: the bank's text leaves TRN03 out, and one payment has the trace and amount."""
    outcome = match_pools([_payment("T1", 5), _payment("T1", 6, Q)], [_deposit(1, 5, ("T1", ""))])
    assert _steps(outcome) == [("T1", Step.NO_PAYER)]


@pytest.mark.parametrize("deposits", [[5], [5, 5]])
def test_a_trace_without_payer_is_parked_between_two_payers(deposits: list[int]) -> None:
    """Two payers used the trace for the same amount: nobody guesses whose deposit it is."""
    pool = [_deposit(line, cents, ("T1", "")) for line, cents in enumerate(deposits)]
    assert _is_parked(match_pools([_payment("T1", 5), _payment("T1", 5, Q)], pool))


def test_two_deposits_without_payer_for_one_advice_are_parked() -> None:
    """Either could be another payer's whose remittance has not come yet."""
    deposits = [_deposit(1, 5, ("T1", "")), _deposit(2, 5, ("T1", ""))]
    assert _is_parked(match_pools([_payment("T1", 5)], deposits))


def test_more_money_without_payer_is_not_taken_for_the_advice() -> None:
    """A bank reference that happens to equal a small payment's trace does not pay it out of unrelated money."""
    assert _is_parked(match_pools([_payment("1001", 5)], [_deposit(1, 9_000, ("1001", ""))]))


def test_less_money_without_payer_is_held() -> None:
    """Less money under the only payment of a trace is short, as with the payer."""
    outcome = match_pools([_payment("T1", 5)], [_deposit(1, 3, ("T1", ""))])
    assert [each.cents for each in outcome.differences] == [-2]


def test_parts_without_payer_that_add_up_are_taken() -> None:
    """Deposits under the only payment of a trace that are together exactly its amount leave no choice."""
    deposits = [_deposit(1, 2, ("T1", "")), _deposit(2, 3, ("T1", ""))]
    assert _steps(match_pools([_payment("T1", 5)], deposits)) == [("T1", Step.NO_PAYER)]


@pytest.mark.parametrize(("advised", "banked"), [("00T1", "T1"), ("t1", "T1"), ("T 1", "T1"), ("T1", "000t1 ")])
def test_traces_are_compared_without_case_blanks_and_leading_zeros(advised: str, banked: str) -> None:
    """Step 3, with and without the payer."""
    for payer in (P, ""):
        outcome = match_pools([_payment(advised, 5)], [_deposit(1, 5, (banked, payer))])
        assert _steps(outcome) == [(advised, Step.NORMALISED)]


def test_traces_of_zeros_only_resemble_nothing() -> None:
    """What is empty once zeros are put aside says nothing."""
    assert _is_parked(match_pools([_payment("000", 5)], [_deposit(1, 5, ("0", P))]))


def test_two_payments_that_look_alike_are_parked() -> None:
    """Step 3 needs the only candidate on both sides."""
    payments = [_payment("01T", 5), _payment("001T", 5)]
    assert _is_parked(match_pools(payments, [_deposit(1, 5, ("1T", P))]))


@pytest.mark.parametrize(
    ("advised", "banked"), [("1234567890", "12345678"), ("12345678", "1234567890"), ("0012345678", "123456789")]
)
def test_a_long_prefix_of_the_same_payer_matches(advised: str, banked: str) -> None:
    """Step 4: one trace begins with the other, eight characters or more."""
    outcome = match_pools([_payment(advised, 5)], [_deposit(1, 5, (banked, P))])
    assert _steps(outcome) == [(advised, Step.PREFIX)]


@pytest.mark.parametrize(
    ("trace", "payer", "cents"), [("1234567", P, 5), ("12345678", "", 5), ("12345678", Q, 5), ("12345678", P, 6)]
)
def test_a_prefix_needs_length_payer_and_amount(trace: str, payer: str, cents: int) -> None:
    """Seven characters, no payer, another payer, another amount: parked."""
    assert _is_parked(match_pools([_payment("1234567890", 5)], [_deposit(1, cents, (trace, payer))]))


def test_a_prefix_does_not_match_when_neither_side_names_a_payer() -> None:
    """Two absent payers are not the same payer."""
    assert _is_parked(match_pools([_payment("1234567890", 5, "")], [_deposit(1, 5, ("12345678", ""))]))


def test_two_prefixes_are_parked() -> None:
    """A trace cut short that fits two payments is no answer."""
    payments = [_payment("1234567890", 5), _payment("1234567891", 5)]
    assert _is_parked(match_pools(payments, [_deposit(1, 5, ("123456789", P))]))


def test_a_days_work_without_payers_is_quick() -> None:
    """Thousands of pairs at one step are matched pair by pair, not each against all."""
    payments = [_payment(f"T{number}", 5) for number in range(3000)]
    deposits = [_deposit(number, 5 + number, (f"T{number}", "")) for number in range(3000)]
    outcome = match_pools([*payments, _payment("X", 7)], deposits)
    assert _steps(outcome) == [("T0", Step.NO_PAYER)]
