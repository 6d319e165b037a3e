"""Dividing an amount among members: exact to the cent, fair, and the same in whatever order the members come."""

from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payouts.resolutions.network import divide

MEMBERS = st.integers(min_value=1, max_value=60).map(lambda number: UUID(int=number))
WEIGHTS = st.dictionaries(MEMBERS, st.integers(min_value=0, max_value=10**13), max_size=40)
CENTS = st.integers(min_value=-(10**13), max_value=10**13)


@given(CENTS, WEIGHTS.filter(lambda weights: sum(weights.values()) > 0))
def test_nothing_stays_and_nothing_is_made(cents: int, weights: dict[UUID, int]) -> None:
    """The parts sum to the amount, none has the other sign, none is zero, and who weighs nothing gets nothing."""
    parts = divide(cents, weights)
    assert sum(parts.values()) == cents
    assert all(part and (part > 0) is (cents > 0) for part in parts.values())
    assert all(weights[member] for member in parts)


@given(CENTS, WEIGHTS.filter(lambda weights: sum(weights.values()) > 0))
def test_every_part_is_its_quota_but_for_one_cent(cents: int, weights: dict[UUID, int]) -> None:
    """No part is a cent or more away from the exact share of its weight."""
    parts, total = divide(cents, weights), sum(weights.values())
    for member, weight in weights.items():
        assert abs(parts.get(member, 0) * total - cents * weight) < total


@given(CENTS, WEIGHTS.filter(lambda weights: sum(weights.values()) > 0))
def test_more_weight_never_gets_less(cents: int, weights: dict[UUID, int]) -> None:
    """A larger weight gets at least as much, given or taken; of equal ones the smaller id gets at least as much."""
    parts = divide(cents, weights)
    ranked = sorted(weights, key=lambda member: (-weights[member], member))
    amounts = [abs(parts.get(member, 0)) for member in ranked]
    assert amounts == sorted(amounts, reverse=True)


@given(CENTS, WEIGHTS.filter(lambda weights: sum(weights.values()) > 0), st.randoms(use_true_random=False))
def test_the_order_of_the_members_does_not_matter(cents: int, weights: dict[UUID, int], chance: Random) -> None:
    """The same weights in another order give the same parts, and taking is the mirror of giving."""
    items = list(weights.items())
    chance.shuffle(items)
    assert divide(cents, dict(items)) == divide(cents, weights)
    assert divide(-cents, weights) == {member: -part for member, part in divide(cents, weights).items()}


def test_ties_go_to_the_smaller_member_id() -> None:
    """Ten cents among three alike: four, three and three; among four: three, three, two and two."""
    a, b, c, d = (UUID(int=number) for number in (1, 2, 3, 4))
    assert divide(10, {c: 1, b: 1, a: 1}) == {a: 4, b: 3, c: 3}
    assert divide(-10, {d: 5, c: 5, b: 5, a: 5}) == {a: -3, b: -3, c: -2, d: -2}


@pytest.mark.parametrize("weights", [{}, {UUID(int=1): 0}, {UUID(int=1): -1, UUID(int=2): 5}])
def test_without_weights_nothing_is_divided(weights: dict[UUID, int]) -> None:
    """An amount without anything to divide it by, or with a weight below zero, is refused."""
    with pytest.raises(ValueError, match="weights are zero or more"):
        divide(100, weights)
    if weights and min(weights.values()) >= 0:
        assert divide(0, weights) == {}
