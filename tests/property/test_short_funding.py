"""Dividing what came short, and suggesting what may belong together: exact for any amounts, silent in any doubt."""

from datetime import date, timedelta

from hypothesis import example, given
from hypothesis import strategies as some

from ingest.matching import Payment
from payouts.resolutions.suggestions import MOST_BANKING_DAYS, PayerNames, UnnamedDeposit, pair_up, payers_in
from schemas.calendar import banking_days_between
from schemas.money import split_cents

DAY = date(2026, 11, 2)
PAYERS = ("1360000001", "1360000002")


@some.composite
def short_payments(draw: some.DrawFn) -> tuple[list[int], int]:
    """Draw positive shares and an amount that is less than their sum."""
    shares = draw(some.lists(some.integers(1, 10**13), min_size=1, max_size=60))
    return shares, draw(some.integers(0, sum(shares) - 1))


@given(short_payments())
@example(([700_001, 333_333, 216_666], 1_200_000))
@example(([1, 1, 1], 2))
def test_parts_are_exact_and_fair(drawn: tuple[list[int], int]) -> None:
    """Parts sum to what came, none exceeds its share, and each is its exact proportion, up or down to a cent."""
    shares, cents = drawn
    parts = split_cents(cents, shares)
    assert sum(parts) == cents
    for share, part in zip(shares, parts, strict=True):
        assert 0 <= part <= share
        assert abs(part * sum(shares) - share * cents) < sum(shares)


@given(short_payments())
def test_the_cents_that_floors_leave_go_to_the_largest_remainders(drawn: tuple[list[int], int]) -> None:
    """Who gets a cent more has a remainder at least as large as who does not; of equal ones the first gets it."""
    shares, cents = drawn
    parts, total = split_cents(cents, shares), sum(shares)
    remainder = [share * cents % total for share in shares]
    more = [part > share * cents // total for share, part in zip(shares, parts, strict=True)]
    given_up = [(remainder[place], -place) for place in range(len(shares)) if not more[place]]
    received = [(remainder[place], -place) for place in range(len(shares)) if more[place]]
    assert not received or not given_up or min(received) > max(given_up)


@given(short_payments(), some.data())
def test_parts_of_parts_settle_the_whole(drawn: tuple[list[int], int], data: some.DataObject) -> None:
    """However often the rest comes short again, what is left of each share comes with the last of the money."""
    left, cents = drawn
    while left:
        parts = split_cents(cents, left) if cents < sum(left) else left
        left = [share - part for share, part in zip(left, parts, strict=True) if share > part]
        if left:
            cents = data.draw(some.integers(1, sum(left)))
    assert left == []


def _payments() -> some.SearchStrategy[list[Payment]]:
    one = some.builds(
        lambda payer, cents, day: (payer, cents, DAY + timedelta(day)),
        some.sampled_from(PAYERS),
        some.sampled_from((100, 200)),
        some.integers(0, 12),
    )
    return some.lists(one, max_size=6).map(
        lambda drawn: [Payment(payer, f"T{n}", (n,), cents, day) for n, (payer, cents, day) in enumerate(drawn, 1)]
    )


def _deposits() -> some.SearchStrategy[list[UnnamedDeposit]]:
    one = some.tuples(
        some.sampled_from((100, 200)), some.integers(0, 12), some.frozensets(some.sampled_from(PAYERS), max_size=2)
    )
    return some.lists(one, max_size=6).map(
        lambda drawn: [
            UnnamedDeposit(n, cents, DAY + timedelta(day), payers) for n, (cents, day, payers) in enumerate(drawn, 1)
        ]
    )


def _fits(deposit: UnnamedDeposit, payment: Payment) -> bool:
    near = abs(banking_days_between(payment.paid_on, deposit.booked_on)) <= MOST_BANKING_DAYS
    return near and payment.cents == deposit.open_cents and payment.payer_id in deposit.payer_ids


@given(_payments(), _deposits())
def test_nothing_is_suggested_where_either_side_has_two(waiting: list[Payment], deposits: list[UnnamedDeposit]) -> None:
    """A pair is suggested exactly when each fits the other and nothing else, whatever the order of the pools."""
    found = {(deposit.bank_line_id, payment.advice_ids) for deposit, payment in _paired(waiting, deposits)}
    expected = {
        (deposit.bank_line_id, payment.advice_ids)
        for deposit in deposits
        for payment in waiting
        if _fits(deposit, payment)
        and [each for each in waiting if _fits(deposit, each)] == [payment]
        and [each for each in deposits if _fits(each, payment)] == [deposit]
    }
    assert found == expected
    turned = _paired(waiting[::-1], deposits[::-1])
    assert {(deposit.bank_line_id, payment.advice_ids) for deposit, payment in turned} == found


def _paired(waiting: list[Payment], deposits: list[UnnamedDeposit]) -> list[tuple[UnnamedDeposit, Payment]]:
    return pair_up(waiting, deposits, banking_days_between)


@given(some.text(max_size=40), some.sampled_from(("HARROWGATE BENEFIT", "harrowgate  benefit", "Harrowgate-Benefit")))
def test_a_payer_is_found_by_whole_words_only(around: str, said: str) -> None:
    """Case and signs between the words do not matter; a name inside of another word is no name."""
    payers = [PayerNames("1360000001", ("Harrowgate Benefit",))]
    assert payers_in(f"{around} {said} {around}", payers) == {"1360000001"}
    assert payers_in(f"X{said}X", payers) == frozenset()
