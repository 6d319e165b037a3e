"""Level the sets of one remittance: what one takes back beyond what it pays is moved to those that pay.

Source: ASC X12 005010X221A1, section 1.10.2.1.3: BPR02 is never below zero; a forward balance (PLB FB) carries what is.
"""

from collections.abc import Sequence


def level(natural_cents: Sequence[int]) -> list[int]:
    """Give what to add to each amount so that none is below zero and their sum stays.

    Amounts below zero are lifted to zero, no further; the largest give first, as much as they have, and of equals the
    earlier. So as few amounts as possible are touched, and the same amounts are always leveled in the same way.

    Args:
        natural_cents: what each set would pay by itself.

    Returns:
        As many transfers in cents as there are amounts; their sum is zero.

    Raises:
        ValueError: the amounts sum to less than zero, so that nothing could level them.
    """
    total_cents = sum(natural_cents)
    if total_cents < 0:
        raise ValueError(f"sets that sum to {total_cents} cents can not be leveled")
    transfers = [max(-cents, 0) for cents in natural_cents]
    missing_cents = sum(transfers)
    for place in sorted(range(len(natural_cents)), key=lambda place: -natural_cents[place]):
        if not missing_cents:
            break
        given_cents = min(natural_cents[place], missing_cents)
        transfers[place] = -given_cents
        missing_cents -= given_cents
    return transfers
