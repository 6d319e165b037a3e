"""The remittances of a generated day by kind: each plan is one file with one peculiarity of real ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from app.demo.day import Funding, Shape
from app.demo.remittance import Syntax

_PLAIN = Syntax()


@dataclass(frozen=True, slots=True)
class Plan:
    """One remittance file to be."""

    label: str
    shape: Shape
    weight: int
    """Its part of the day's claims, beside the other plans' weights."""
    syntax: Syntax = _PLAIN
    compressed: bool = False
    store_at_claim: bool = True
    """NM1*82 is written; without it TS3 or N1*PE names the pharmacy."""
    traces: int = 1
    """Payments in the file; in more than one, the second does not balance."""
    funding: Funding = Funding.FUNDED


PLANS = (
    Plan("chain", Shape.CHAIN, 26, Syntax(line_end="\n")),
    Plan("by-pharmacy", Shape.PER_PHARMACY, 22, store_at_claim=False),
    Plan("wrapped", Shape.CLAIM_LEVEL, 18, Syntax(columns=80)),
    Plan(
        "control-characters",
        Shape.CHAIN,
        14,
        Syntax(element="\x1d", component="\x1f", terminator="\x1e"),
        store_at_claim=False,
        funding=Funding.SHORT,
    ),
    Plan("four-payments", Shape.CLAIM_LEVEL, 12, compressed=True, traces=4),
    Plan("money-to-come", Shape.CHAIN, 8, Syntax(line_end="\r\n"), funding=Funding.AWAITED),
)
MORE_PLANS = (
    Plan("chain", Shape.CHAIN, 10),
    Plan("by-pharmacy", Shape.PER_PHARMACY, 10, store_at_claim=False),
    Plan("claim-level", Shape.CLAIM_LEVEL, 10),
)
"""For payers beyond the sixth, in turn."""


def plans_for(payers: int) -> tuple[Plan, ...]:
    """Choose at least the six plans that make the day; fewer payers send several of them."""
    more = tuple(MORE_PLANS[number % len(MORE_PLANS)] for number in range(payers - len(PLANS)))
    return PLANS + more


def split_count(count: int, weights: Sequence[int]) -> list[int]:
    """Split a count by weights into whole parts that sum to it."""
    total = sum(weights)
    reached = (count * upto // total for upto in accumulate(weights, initial=0))
    return [after - before for before, after in pairwise(reached)]
