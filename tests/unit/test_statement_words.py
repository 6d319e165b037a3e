"""What statements call events: none without words of its own, and no deduction without a name of who took it."""

import csv
from pathlib import Path

import pytest

import migrations
from payouts.statements.model import NOT_TAKEN, US, Movement, YearTotals
from payouts.statements.words import KEPT, described, taken_by, total_of, total_words

_RULES = Path(migrations.__file__).parent / "sql" / "2026_11_22_0001_foundation" / "posting_rules.csv"
_OWED = {"due_available", "due_unfunded", "held"}
_WITHIN = {"held", "hold_lifted"}
"""Events that move money within what is owed: a statement's balance does not change by them."""


def _rules() -> set[tuple[str, str]]:
    """Give the events that change what is owed to a member, and on which side."""
    with _RULES.open(newline="") as rules:
        rows = [row for row in csv.reader(rules) if row[2] == "member" and row[3] in _OWED and row[0] not in _WITHIN]
    return {(row[0], row[4]) for row in rows}


EVENTS = sorted({event for event, _ in _rules()})


def test_there_are_events() -> None:
    """The matrix is read: a payout takes, a return gives."""
    assert {("payout_released", "debit"), ("payout_returned", "credit"), ("fee_collected", "debit")} <= _rules()


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_has_words_and_a_total(event: str) -> None:
    """No event is told by the machine's name of it, and each falls under a part of the year."""
    assert described(event, None, None) != event.replace("_", " ")
    assert total_words(total_of(event, None))
    assert total_of(event, None) == total_of("reversed", event)


@pytest.mark.parametrize("event", sorted(event for event, side in _rules() if side == "debit"))
def test_every_deduction_says_who_took_it(event: str) -> None:
    """What the matrix lets an event take from a member is taken by somebody, or paid to the member."""
    who = taken_by(event, None, "HARROWGATE")
    assert who.startswith(("payer HARROWGATE", "us: the flat fee", "a legal order", "the state", "another")) or (
        event in NOT_TAKEN and who.startswith("nobody")
    )


@pytest.mark.parametrize("event", EVENTS)
def test_every_reversal_that_takes_says_for_whom(event: str) -> None:
    """Taking back what an event gave has a name behind it, with the payer's name or without."""
    for payer in ("HARROWGATE", None):
        who = taken_by("reversed", event, payer)
        assert who
        assert "{" not in who


def test_only_the_fee_is_ours() -> None:
    """No other event names us as the taker, and a refund only where it is taken back: nothing else is kept."""
    ours = {event for event in EVENTS if taken_by(event, None, "X").startswith("us")}
    assert ours == KEPT
    assert taken_by("fee_collected", None, None) == US


def test_a_movement_without_a_taker_can_not_be_made() -> None:
    """The model refuses a deduction that nobody is named for; a payout needs no name."""
    day = {"date": "2026-11-20", "reversed_event": None, "description": "x", "taken_by": None}
    with pytest.raises(ValueError, match="who took it"):
        Movement.model_validate(day | {"event": "levied", "amount_cents": -1})
    assert Movement.model_validate(day | {"event": "payout_released", "amount_cents": -1}).taken_by is None


def test_a_year_that_does_not_foot_can_not_be_made() -> None:
    """Opening and all parts are the closing balance, or there are no totals."""
    zero = dict.fromkeys((name for name in YearTotals.model_fields if name.endswith("_cents")), 0)
    year = {"year": 2026, "to_date": "2026-11-30", **zero}
    assert YearTotals.model_validate(year | {"claims_cents": 5, "paid_cents": -5}).closing_cents == 0
    with pytest.raises(ValueError, match="does not foot"):
        YearTotals.model_validate(year | {"claims_cents": 5})
