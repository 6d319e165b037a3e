"""A member's remittance is composed so that every set balances, none is below zero, and all pay what is paid."""

from dataclasses import replace

import pytest

from payouts.children.composing import compose
from payouts.children.leveling import level
from payouts.children.model import DEFAULT_DELIMITERS, ChildSet, Form, Method, OwnItem, Source


def share(advice_id: int, cents: int, *, plb_cents: int = 0) -> Source:
    """Make a share that comes to ``cents``."""
    return Source(
        advice_id=advice_id,
        delimiters=DEFAULT_DELIMITERS,
        payer_name="PAYER",
        head=b"",
        claims=(),
        claim_count=1,
        charge_cents=100_00,
        claims_cents=cents + plb_cents,
        plb_cents=plb_cents,
    )


def fee(month: int, cents: int = 200_00) -> OwnItem:
    """Make a month's fee."""
    return OwnItem(reason="CS", reference=f"PSAO-FEE-2026-{month:02d}", amount_cents=cents)


def forward(what: str, cents: int) -> OwnItem:
    """Make a forward balance: positive takes."""
    return OwnItem(reason="FB", reference=f"PSAO-{what}", amount_cents=cents)


def number(advice_id: int | None) -> str:
    """Number a payment."""
    return "CP1" if advice_id is None else f"CP1A{advice_id}"


def no_number(advice_id: int | None) -> str:
    """Refuse to number anything."""
    raise AssertionError(advice_id)


def said(sets: tuple[ChildSet, ...]) -> list[tuple[str, int, str, list[tuple[str, int]]]]:
    """Say of each set its trace number, payment, method and own items."""
    return [
        (
            each.trace_number,
            each.payment_cents,
            each.method,
            [(item.reference.removeprefix("PSAO-"), item.amount_cents) for item in each.own],
        )
        for each in sets
    ]


# Leveling ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("natural_cents", "transfers"),
    [
        ([], []),
        ([0, 5], [0, 0]),
        ([-3, 3], [3, -3]),
        ([10, -3, 20], [0, 3, -3]),
        ([10, -15, 8], [-10, 15, -5]),
        ([7, 7, -1], [-1, 0, 1]),
        ([-2, 9, -4, 1], [2, -6, 4, 0]),
    ],
)
def test_what_is_below_zero_is_lifted_by_the_largest(natural_cents: list[int], transfers: list[int]) -> None:
    """Only what is below zero is lifted, to zero; the largest give, of equals the first, and only as many as needed."""
    assert level(natural_cents) == transfers


def test_nothing_levels_a_sum_below_zero() -> None:
    """Sets that come to less than nothing are refused: no transfer among them could help."""
    with pytest.raises(ValueError, match="-1 cents"):
        level([4, -5])


# One payment ------------------------------------------------------------------------------------------------------


def test_one_payment_has_one_number_and_a_set_for_the_fee() -> None:
    """1,000 and 300 less a fee of 200 pay 1,100: the fee stands in the PSAO's set, lent by the largest."""
    sets = compose(
        [share(1, 1000_00, plb_cents=-50_00), share(2, 300_00)],
        [fee(11)],
        paid_cents=1100_00,
        form=Form.COMBINED,
        trace_number=number,
    )
    assert said(sets) == [
        ("CP1", 800_00, "ACH", [("TRANSFER", 200_00)]),
        ("CP1", 300_00, "ACH", []),
        ("CP1", 0, "ACH", [("FEE-2026-11", 200_00), ("TRANSFER", -200_00)]),
    ]
    assert [each.source and each.source.advice_id for each in sets] == [1, 2, None]


def test_a_payer_that_takes_back_more_than_it_pays_is_lifted_to_zero() -> None:
    """-120 of one payer is lent by the other, so that the remittance pays the 80 that are paid."""
    sets = compose([share(1, -120_00), share(2, 200_00)], [], paid_cents=80_00, form=Form.COMBINED, trace_number=number)
    assert said(sets) == [
        ("CP1", 0, "ACH", [("TRANSFER", -120_00)]),
        ("CP1", 80_00, "ACH", [("TRANSFER", 120_00)]),
    ]


def test_a_member_with_claims_but_no_payout_gets_zeros_without_payment() -> None:
    """-120 is carried to the next cycle: the carry lifts the payer's set, and no money moves."""
    sets = compose(
        [share(1, -120_00)], [forward("CARRY", -120_00)], paid_cents=0, form=Form.COMBINED, trace_number=number
    )
    assert said(sets) == [
        ("CP1", 0, "NON", [("TRANSFER", -120_00)]),
        ("CP1", 0, "NON", [("CARRY", -120_00), ("TRANSFER", 120_00)]),
    ]


def test_money_without_any_advice_is_the_psaos_set_alone() -> None:
    """A hold that is released is told in one set of the PSAO's own, in either form."""
    for form in Form:
        sets = compose([], [forward("HOLD", -75_00)], paid_cents=75_00, form=form, trace_number=number)
        assert said(sets) == [("CP1", 75_00, "ACH", [("HOLD", -75_00)])]


def test_nothing_makes_no_set() -> None:
    """Neither shares nor items nor money: no set, and no number is asked for."""
    for form in Form:
        assert compose([], [], paid_cents=0, form=form, trace_number=no_number) == ()


# A payment for each advice ----------------------------------------------------------------------------------------


def test_each_advice_has_its_number_and_the_fee_comes_from_the_largest() -> None:
    """300, 1,000 and 0 less a fee of 200: payments of 300 and 800, and a zero without payment."""
    sets = compose(
        [share(1, 300_00), share(2, 1000_00), share(3, 0)],
        [fee(11)],
        paid_cents=1100_00,
        form=Form.PER_ADVICE,
        trace_number=number,
    )
    assert said(sets) == [
        ("CP1A1", 300_00, "ACH", []),
        ("CP1A2", 800_00, "ACH", [("FEE-2026-11", 200_00)]),
        ("CP1A3", 0, "NON", []),
    ]


def test_what_is_taken_goes_whole_to_the_set_that_has_most_left() -> None:
    """A hold of 900 leaves 100 of 1,000, so the fees come from the 500, one after the other."""
    sets = compose(
        [share(1, 1000_00), share(2, 500_00)],
        [fee(10), fee(11), forward("HOLD", 900_00)],
        paid_cents=200_00,
        form=Form.PER_ADVICE,
        trace_number=number,
    )
    assert said(sets) == [
        ("CP1A1", 100_00, "ACH", [("HOLD", 900_00)]),
        ("CP1A2", 100_00, "ACH", [("FEE-2026-10", 200_00), ("FEE-2026-11", 200_00)]),
    ]


def test_a_fee_larger_than_any_set_is_lent_for() -> None:
    """A fee of 200 from sets of 150 and 100 stands in the larger; the other lends 50 and pays the 50 that are left."""
    sets = compose(
        [share(1, 150_00), share(2, 100_00)], [fee(11)], paid_cents=50_00, form=Form.PER_ADVICE, trace_number=number
    )
    assert said(sets) == [
        ("CP1A1", 0, "NON", [("FEE-2026-11", 200_00), ("TRANSFER", -50_00)]),
        ("CP1A2", 50_00, "ACH", [("TRANSFER", 50_00)]),
    ]


def test_what_is_given_fills_a_set_below_zero_first() -> None:
    """A carry of 200 goes into the set of -300, and the other lends the rest: zeros without payment."""
    sets = compose(
        [share(1, 100_00), share(2, -300_00)],
        [forward("CARRY", -200_00)],
        paid_cents=0,
        form=Form.PER_ADVICE,
        trace_number=number,
    )
    assert said(sets) == [
        ("CP1A1", 0, "NON", [("TRANSFER", 100_00)]),
        ("CP1A2", 0, "NON", [("CARRY", -200_00), ("TRANSFER", -100_00)]),
    ]


def test_what_is_given_beyond_any_set_has_a_set_and_a_number_of_its_own() -> None:
    """A released hold of 500 is no advice's money: its own set, which then also bears the fee, being the largest."""
    sets = compose(
        [share(1, 100_00)],
        [fee(11), forward("HOLD", -500_00)],
        paid_cents=400_00,
        form=Form.PER_ADVICE,
        trace_number=number,
    )
    assert said(sets) == [
        ("CP1A1", 100_00, "ACH", []),
        ("CP1", 300_00, "ACH", [("HOLD", -500_00), ("FEE-2026-11", 200_00)]),
    ]


# What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", list(Form))
def test_what_does_not_add_up_is_refused(form: Form) -> None:
    """Shares less own items must be what is paid, to the cent."""
    with pytest.raises(ValueError, match="10000 cents less own items of 2000 are not the 8001"):
        compose([share(1, 100_00)], [fee(11, 20_00)], paid_cents=80_01, form=form, trace_number=number)


def test_less_than_nothing_can_not_be_paid() -> None:
    """A member that owes is told zero with a carry, never a negative payment."""
    with pytest.raises(ValueError, match="-100 cents can not be paid"):
        compose([share(1, -1_00)], [], paid_cents=-1_00, form=Form.COMBINED, trace_number=number)


def test_an_advice_is_told_once() -> None:
    """Two shares of one advice would be told under one number."""
    with pytest.raises(ValueError, match="comes twice"):
        compose([share(1, 1), share(1, 2)], [], paid_cents=3, form=Form.COMBINED, trace_number=number)


def test_each_payment_has_a_number_of_its_own() -> None:
    """With a payment for each advice the same number for two would tie money to the wrong remittance."""
    with pytest.raises(ValueError, match="same trace number"):
        compose([share(1, 1), share(2, 2)], [], paid_cents=3, form=Form.PER_ADVICE, trace_number=lambda _: "CP1")


@pytest.mark.parametrize(
    ("reason", "reference", "cents", "match"),
    [
        ("WO", "PSAO-FEE-2026-11", 1, "no reason of the PSAO's own"),
        ("CS", "FEE-2026-11", 1, "does not begin with PSAO-"),
        ("CS", "PSAO-" + 46 * "X", 1, "up to 50 characters, not 51"),
        ("CS", "PSAO-FEE", 0, "no amount of a PLB"),
        ("CS", "PSAO-FEE", 10**15, "no amount of a PLB"),
    ],
)
def test_an_own_item_is_one_that_a_plb_can_hold(reason: str, reference: str, cents: int, match: str) -> None:
    """A reason of the PSAO's own, a reserved reference that fits, an amount other than zero."""
    with pytest.raises(ValueError, match=match):
        OwnItem(reason=reason, reference=reference, amount_cents=cents)


@pytest.mark.parametrize(
    ("cents", "payment_cents", "trace", "method", "match"),
    [
        (5, 4, "CP1", Method.ACH, "pays 4 cents, its parts make 5"),
        (-5, -5, "CP1", Method.ACH, "pays -5 cents"),
        (5, 5, "CP1", Method.NON, "without a payment"),
        (5, 5, "", Method.ACH, "not 0"),
        (5, 5, 31 * "1", Method.ACH, "1 to 30 characters, not 31"),
    ],
)
def test_a_set_that_can_not_be_told_is_not_made(
    cents: int, payment_cents: int, trace: str, method: Method, match: str
) -> None:
    """It balances, pays nothing negative, pays only by a payment, and its number fits the payment's addenda."""
    with pytest.raises(ValueError, match=match):
        ChildSet(source=share(1, cents), payment_cents=payment_cents, trace_number=trace, method=method)


def test_an_own_set_says_something() -> None:
    """A set without claims and without items is none."""
    with pytest.raises(ValueError, match="says nothing"):
        ChildSet(source=None, payment_cents=0, trace_number="CP1", method=Method.NON)


def test_a_share_has_no_negative_number_of_claims() -> None:
    """The count goes into TS3 as it stands."""
    with pytest.raises(ValueError, match="-1 claims"):
        replace(share(1, 1), claim_count=-1)
