"""Say what is wrong with a claim, segment by segment: amounts, dates, balances, codes, segments out of place.

Only claims that ``claims.py`` doubts come here, so this walk is plain rather than fast. It reads every element anew
and names the segment, the element and its byte offset. Source: 005010X221A1, section 1.10.2 and loops 2100, 2110.
"""

from ingest.x12.loop import Loop
from ingest.x12.values import (
    CLAIM_STATUSES,
    FILL_DATES,
    GROUP_CODES,
    MISPLACED,
    NO_FILL_DATE,
    adjustment_triples,
    has_too_many_adjustments,
    is_decimal,
    real_date,
)
from schemas.collecting import shown_code, shown_figure
from schemas.money import text_from_cents


def examine_claim(loop: Loop) -> None:
    """Add the findings of a claim, CLP first."""
    if loop.text(0, 2) not in CLAIM_STATUSES:
        loop.warn("claim_status", 0, 2, "a claim status of the 835", shown_code(loop.text(0, 2)))
    if not loop.text(0, 1):
        loop.warn("rx_number", 0, 1, "the prescription number", "nothing")
    if loop.text(0, 5):
        loop.cents(0, 5)
    _examine_balances(loop)
    for index, kind in enumerate(loop.kinds):
        if kind == "DTM":
            _examine_date(loop, index)
        elif kind in MISPLACED:
            loop.refuse("segment_out_of_place", index, 0, "no such segment inside a claim", "one")


def examine_other(loop: Loop, expected: frozenset[str]) -> None:
    """Find in a loop that is no claim what would be money that belongs to nobody, or is lost on somebody else.

    Args:
        loop: a head, an LX or a PLB, with what follows it up to the next loop.
        expected: which of ``MISPLACED`` belong there.
    """
    for index, kind in enumerate(loop.kinds):
        if kind in {"SVC", "CAS"}:
            loop.refuse("outside_claim", index, 0, "such segments only after a CLP", "one before any")
        elif kind in MISPLACED and kind not in expected:
            loop.refuse("segment_out_of_place", index, 0, f"no such segment behind {loop.kinds[0]}", "one")


def _examine_balances(loop: Loop) -> None:
    """Check each service, then the claim, as far as their amounts can be read."""
    services = [index for index, kind in enumerate(loop.kinds) if kind == "SVC"]
    bounds = [*services, len(loop.kinds)]
    total_cents = _adjusted_cents(loop, range(1, bounds[0]))
    for first, after in zip(services, bounds[1:], strict=True):
        if first == services[0]:
            _examine_quantity(loop, first)
        adjusted_cents = _adjusted_cents(loop, range(first + 1, after))
        charge_cents = loop.cents(first, 2)
        paid_cents = loop.cents(first, 3) if loop.text(first, 3) else 0
        if charge_cents is None or paid_cents is None or adjusted_cents is None:
            total_cents = None
            continue
        _compare(loop, "service_balances", (first, 3), (charge_cents, adjusted_cents, paid_cents))
        if total_cents is not None:
            total_cents += adjusted_cents
    charge_cents, paid_cents = loop.cents(0, 3), loop.cents(0, 4)
    if charge_cents is not None and paid_cents is not None and total_cents is not None:
        _compare(loop, "claim_balances", (0, 4), (charge_cents, total_cents, paid_cents))


def _compare(loop: Loop, rule: str, place: tuple[int, int], cents: tuple[int, int, int]) -> None:
    """Check that the charge less its adjustments is what was paid."""
    charge_cents, adjusted_cents, paid_cents = cents
    due_cents = charge_cents - adjusted_cents
    if due_cents != paid_cents:
        charge, adjusted, due = (text_from_cents(amount) for amount in (charge_cents, adjusted_cents, due_cents))
        expected = f"{due} (charge {charge} less adjustments {adjusted})"
        loop.refuse(rule, *place, expected, text_from_cents(paid_cents))


def _adjusted_cents(loop: Loop, stretch: range) -> int | None:
    """Sum the CAS segments of a stretch; None when one has an amount that cannot be read."""
    total_cents: int | None = 0
    for index in stretch:
        if loop.kinds[index] != "CAS":
            continue
        elements = loop.elements(index)
        group = loop.text(index, 1)
        if group not in GROUP_CODES:
            loop.warn("group_code", index, 1, "CO, OA, PI or PR", shown_code(group))
        if has_too_many_adjustments(elements):
            loop.refuse("adjustment_too_long", index, 20, "at most six adjustments in a segment", "more")
        numbers = [number for number, _, _ in adjustment_triples(elements)]
        if not numbers:
            loop.warn("adjustment_empty", index, 3, "a reason and an amount", "nothing")
        for number in numbers:
            cents = loop.cents(index, number)
            total_cents = None if cents is None or total_cents is None else total_cents + cents
    return total_cents


def _examine_quantity(loop: Loop, index: int) -> None:
    quantity = loop.text(index, 5)
    if quantity and not is_decimal(quantity):
        loop.warn("quantity", index, 5, "a decimal number", shown_figure(quantity))


def _examine_date(loop: Loop, index: int) -> None:
    """Refuse an impossible date only where it may decide whose claim it is; the others are worth a warning."""
    text = loop.text(index, 2)
    if real_date(text) is None:
        decides = FILL_DATES.get(loop.text(index, 1), NO_FILL_DATE) <= FILL_DATES["232"]
        say = loop.refuse if decides else loop.warn
        say("impossible_date", index, 2, "a real date as CCYYMMDD", shown_figure(text))
