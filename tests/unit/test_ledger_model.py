"""The model of the ledger against the worked numbers, each refusal on purpose, and long random runs."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.model import events
from tests.model.events import Advice, Fact, Fee
from tests.model.facts import HOUSE, Ledger, Line, Malformed, Payout, Posted, Transaction
from tests.model.ledger_model import Model
from tests.model.matrix import DERIVED_EVENTS, EVENTS, MATRIX, MATRIX_TEXT
from tests.model.proofs import PROOFS, failures_of, release_cover
from tests.model.refusals import Refusal, Refused
from tests.model.steps import Posting, take
from tests.model.story import Story
from tests.model.strategies import next_step, small_world

JANUARY, FEBRUARY = 202601, 202602


@pytest.fixture
def story() -> Story:
    """Give a fresh story."""
    return Story()


def test_worked_example_row_by_row(story: Story) -> None:
    """The worked example of the rules of posting comes out to the cent, and every proof holds after each row."""
    model = story.model
    story.bank("opening", 300_00)
    story.post(events.opened(story.fact(), "opening", {"A": 300_00}))
    assert story.row() == (300_00, 0, 0, 5_000_00, 5_300_00)

    story.pay("12500", {"A": 10_000_00, "B": 2_500_00})
    assert story.row() == (10_300_00, 2_500_00, 0, 5_000_00, 17_800_00)

    fee_of_a, fee_of_b = Fee("A", JANUARY, 200_00), Fee("B", JANUARY, 200_00)
    story.post(events.fee_assessed(story.fact(), [fee_of_a, fee_of_b]))
    story.post(events.fee_waived(story.fact(), fee_of_b))
    story.post(events.fee_collected(story.fact(), [fee_of_a]))
    story.post(events.fee_swept(story.fact(), [fee_of_a]))
    assert story.row() == (10_100_00, 2_500_00, 0, 5_200_00, 17_800_00)

    story.release(Payout("a1", "A", 10_100_00))
    story.bank("file 1", -10_100_00)
    story.post(events.payout_settled(story.fact(), "file 1", [("A", "a1", 10_100_00)]))
    assert story.row() == (0, 2_500_00, 0, 5_200_00, 7_700_00)

    story.bank("R03", 10_100_00)
    story.post(events.payout_returned(story.fact(), "R03", "A", 10_100_00))
    story.post(events.hold_lifted(story.fact(), "A", 10_100_00))
    story.release(Payout("a2", "A", 10_100_00), Payout("b1", "B", 2_500_00))
    assert story.row() == (0, 0, 0, 5_200_00, 17_800_00)
    assert (model.balance("A", "in_transit"), model.balance("B", "in_transit")) == (10_100_00, 2_500_00)

    story.pay("600", {"A": 2_000_00, "B": -3_100_00, "C": 1_700_00})
    assert story.row() == (2_000_00, -3_100_00, 3_100_00, 2_100_00, 18_400_00)
    assert failures_of(model) == []

    story.bank("file 2", -12_600_00)
    story.post(
        events.payout_settled(story.fact(), "file 2", [("A", "a2", 10_100_00), ("B", "b1", 2_500_00)]),
    )
    assert story.row() == (2_000_00, -3_100_00, 3_100_00, 2_100_00, 5_800_00)

    story.pay("4000", {"B": 4_000_00})
    assert story.row() == (2_000_00, 900_00, 0, 5_200_00, 9_800_00)
    assert failures_of(model) == []
    assert release_cover(model) == []


def test_advance_is_summed_in_the_house_and_kept_apart_by_sign(story: Story) -> None:
    """One member falls into debt while another repays: two derived house entries, each with its own total."""
    story.pay("1", {"A": 700_00, "B": -300_00, "C": 100_00})
    funding = story.model.posted[-1]
    assert [entry.event for entry in funding.derived] == ["advanced"] * 3
    story.pay("2", {"A": -900_00, "B": 500_00, "C": 1_000_00})
    house = [entry for entry in story.model.posted[-1].derived if entry.owner == HOUSE]
    assert [(entry.event, entry.lines[0].amount_cents) for entry in house] == [
        ("advanced", 200_00),
        ("advance_repaid", -300_00),
    ]
    assert failures_of(story.model) == []


def test_reversal_turns_the_advance_too_and_advances_what_is_then_owed(story: Story) -> None:
    """Reversing the funding whose advance was repaid since leaves the member covered by a fresh advance."""
    story.pay("1", {"A": 500_00, "B": -300_00})
    first = story.model.posted[-1].transaction_id
    story.pay("2", {"B": 200_00})
    second = story.model.posted[-1].transaction_id
    posted = story.model.reverse(first, "undo 1", date(2026, 1, 11))
    assert len(posted.transaction.lines) == len(story.model.posted[first - 1].lines)
    assert story.model.balance("B", "due_available") == 200_00
    assert story.model.balance("B", "operating_advance") == 0
    story.model.reverse(second, "undo 2", date(2026, 1, 12))
    assert story.model.balance("B", "due_available") == 0
    assert failures_of(story.model) == []


def test_same_fact_gives_the_first_result_and_another_body_names_its_field(story: Story) -> None:
    """The order of lines is no difference; event, date and lines are named where they differ."""
    story.bank("d", 100)
    asked = events.suspended(story.fact("k"), "d", 60)
    first = story.post(asked)
    count = len(story.model.posted)
    assert story.post(replace(asked, lines=asked.lines[::-1])) is first
    assert len(story.model.posted) == count
    others = {
        "fact_on": replace(asked, fact_on=date(2026, 1, 11)),
        "lines": events.suspended(story.fact("k"), "d", 40),
        "bank_line": replace(asked, bank_line="d"),
        "reverses": replace(asked, reverses=1),
        "event": replace(asked, event="unsuspended"),
    }
    for field, other in others.items():
        with pytest.raises(Refused) as caught:
            story.post(other)
        assert Refusal.CONFLICT in caught.value.refusals
        assert caught.value.fields == {field}


def test_refusal_is_not_remembered(story: Story) -> None:
    """What was refused for want of money is posted under the same key once the money is there."""
    hold = events.held(story.fact("hold"), "A", 50_00)
    assert story.refused(hold) == {Refusal.OVERDRAWN}
    story.pay("1", {"A": 50_00})
    assert story.post(hold).transaction is hold


def test_closed_month_moves_the_accounting_date_and_a_missing_one_refuses(story: Story) -> None:
    """A fact of a closed month takes effect on the first open day after it; its own date is kept."""
    story.model.close_period(202512)
    story.bank("d", 100)
    late = events.suspended(Fact("late", date(2025, 12, 30)), "d", 10)
    assert (story.post(late).effective_on, late.fact_on) == (date(2026, 1, 1), date(2025, 12, 30))
    story.model.close_period(JANUARY)
    later = events.suspended(Fact("later", date(2025, 12, 30)), "d", 10)
    assert story.post(later).effective_on == date(2026, 2, 1)
    for day in (date(2025, 11, 30), date(2026, 3, 1)):
        assert story.refused(events.suspended(Fact("absent", day), "d", 10)) == {Refusal.PERIOD}
    story.model.close_period(FEBRUARY)
    assert story.refused(events.suspended(Fact("shut", date(2026, 2, 2)), "d", 10)) == {Refusal.PERIOD}
    with pytest.raises(Malformed):
        story.model.close_period(203001)


def test_refusal_1_unbalanced(story: Story) -> None:
    """Entries that do not balance, are empty or alone, and lines that come later are refused."""
    story.bank("d", 100)
    good = events.suspended(story.fact(), "d", 60)
    assert story.refused(replace(good, lines=good.lines[:1])) == {Refusal.UNBALANCED}
    assert story.refused(replace(good, lines=())) == {Refusal.UNBALANCED}
    tilted = (good.lines[0], replace(good.lines[1], amount_cents=-59))
    assert story.refused(replace(good, lines=tilted)) == {Refusal.UNBALANCED}
    promise = (Line("A", Ledger.CUSTODY, "advised", 5, "x"), Line("A", Ledger.CUSTODY, "due_available", -5))
    assert Refusal.UNBALANCED in story.refused(Transaction("funded", "k", date(2026, 1, 1), promise))
    zero = tuple(replace(line, amount_cents=0) for line in good.lines)
    assert story.refused(replace(good, lines=zero)) == {Refusal.UNBALANCED, Refusal.MATRIX}
    with pytest.raises(Refused) as caught:
        story.model.append(1, good.lines)
    assert caught.value.refusals == {Refusal.UNBALANCED}


def test_refusal_2_rewritten(story: Story) -> None:
    """Nothing posted can be changed or deleted."""
    with pytest.raises(Refused) as caught:
        story.model.rewrite(1)
    assert caught.value.refusals == {Refusal.REWRITTEN}


def test_refusal_3_matrix(story: Story) -> None:
    """A line on the wrong side, of the wrong kind of owner or of an unknown event, and an advance by name."""
    turned = events.operating_opened(story.fact(), -100)
    assert story.refused(turned) == {Refusal.MATRIX}
    house_only = Transaction("operating_opened", "k", date(2026, 1, 1), events.operating_opened(story.fact(), 1).lines)
    members = replace(house_only, lines=tuple(replace(line, owner="A") for line in house_only.lines))
    assert story.refused(members) == {Refusal.MATRIX}
    assert story.refused(replace(house_only, event="gifted")) == {Refusal.MATRIX}
    asked = Transaction(
        "advanced",
        "k",
        date(2026, 1, 1),
        (Line("A", Ledger.OPERATING, "advance_receivable", 5), Line("A", Ledger.OPERATING, "custody_float", -5)),
    )
    assert story.refused(asked) == {Refusal.MATRIX, Refusal.CASH, Refusal.ADVANCE}


def test_refusal_4_fee(story: Story) -> None:
    """Only the flat amount, once, and collected once from its open receivable."""
    fee = Fee("A", JANUARY, 200_00)
    story.pay("1", {"A": 900_00})
    only = {Refusal.FEE}
    assert story.refused(events.fee_assessed(story.fact(), [replace(fee, amount_cents=199_99)])) == only
    assert story.refused(events.fee_assessed(story.fact(), [replace(fee, month=202412)])) == only
    assert story.refused(events.fee_assessed(story.fact(), [fee, fee])) == only
    assert story.refused(events.fee_collected(story.fact(), [fee])) == only
    assessed = story.post(events.fee_assessed(story.fact(), [fee])).transaction_id
    assert story.refused(events.fee_assessed(story.fact(), [fee])) == only
    story.model.reverse(assessed, "undo", date(2026, 1, 11))
    story.post(events.fee_assessed(story.fact(), [fee]))
    assert story.refused(events.fee_collected(story.fact(), [replace(fee, amount_cents=100_00)])) == only
    story.post(events.fee_collected(story.fact(), [fee]))
    assert story.refused(events.fee_collected(story.fact(), [fee])) == only
    assert Refusal.FEE in story.refused(events.fee_waived(story.fact(), fee))
    assert story.model.balance("A", "due_available") == 700_00


def test_fee_due_is_the_amount_on_the_first_day_of_membership() -> None:
    """A member who joins mid-month owes what is in force that day; before, after or without a contract nothing.

    The month in which a member leaves asks nothing.
    """
    model = small_world()
    due = {(name, month): model.fee_due(name, month) for name in "ABCD" for month in (202512, 202601, 202602, 202603)}
    assert [due["B", month] for month in (202512, 202601, 202602, 202603)] == [None, 20_000, 20_000, 21_000]
    assert [due["C", month] for month in (202601, 202602, 202603)] == [19_999, None, None]
    assert due["D", 202603] is None


def test_refusal_7_overdrawn(story: Story) -> None:
    """Payout, fee, hold and levy stop at zero; a take-back by a payer does not."""
    story.pay("1", {"A": 100_00})
    only = {Refusal.OVERDRAWN}
    assert story.refused(events.held(story.fact(), "A", 100_01)) == only
    assert story.refused(events.levied(story.fact(), "A", 100_01)) == only
    story.post(events.fee_assessed(story.fact(), [Fee("A", JANUARY, 200_00)]))
    assert story.refused(events.fee_collected(story.fact(), [Fee("A", JANUARY, 200_00)])) == only
    story.model.approve_payout(Payout("p", "A", 100_01), proposer="finance", approver="controller")
    assert story.refused(events.payout_released(story.fact(), [Payout("p", "A", 100_01)])) == only
    story.bank("taken", -150_00)
    story.post(events.payer_debited(story.fact(), "taken", "A", 150_00))
    assert story.model.balance("A", "operating_advance") == 50_00


def test_refusal_8_wrong_side(story: Story) -> None:
    """No hold lifted that is not there, no deposit matched twice, no fee swept uncollected, no float below zero."""
    only = {Refusal.WRONG_SIDE}
    story.bank("d", 100)
    story.bank("e", 100)
    assert story.refused(events.hold_lifted(story.fact(), "A", 1)) == only
    story.post(events.suspended(story.fact(), "d", 100))
    assert story.refused(events.overpaid(story.fact(), "d", 1)) == only
    story.post(events.fee_assessed(story.fact(), [Fee("A", JANUARY, 200_00)]))
    assert story.refused(events.fee_swept(story.fact(), [Fee("A", JANUARY, 200_00)])) == only
    assert story.refused(events.fee_waived(story.fact(), Fee("A", FEBRUARY, 200_00))) == only
    assert story.refused(events.member_corrected(story.fact(), "A", "B", 5_000_01)) == only
    story.bank("out", -10)
    assert story.refused(events.bank_charged(story.fact(), "out", 11)) == only


def _waiting(story: Story, name: str, advice: Advice) -> Transaction:
    """Advise and deposit; give the funding that is still to be posted."""
    story.post(events.advised(story.fact(), advice))
    deposits = {}
    if advice.paid_cents:
        story.bank(name, advice.paid_cents)
        deposits = {name: advice.paid_cents}
    return events.funded(story.fact(), advice, deposits)


def test_refusal_8_float_covers_what_is_no_members(story: Story) -> None:
    """Network and unknown payees lean on the float, each payee by itself, until the float can bear no more."""
    only = {Refusal.WRONG_SIDE}
    story.post(_waiting(story, "1", Advice("1", {"A": 9_000_00}, {"x": 4_000_00}, -3_000_00)))
    over = _waiting(story, "2", Advice("2", {"A": 5_000_00}, {"y": -2_000_01}))
    assert story.refused(over) == only
    story.post(_waiting(story, "3", Advice("3", {"A": 5_000_00}, {"z": -2_000_00})))
    story.bank("out", -10)
    assert story.refused(events.float_withdrawn(story.fact(), "out", 1)) == only
    assert failures_of(story.model) == []
    story.post(events.network_adjustment_allocated(story.fact(), {"A": 3_000_00}))
    story.post(events.float_withdrawn(story.fact(), "out", 1))
    assert failures_of(story.model) == []


def test_refusal_9_cash(story: Story) -> None:
    """Cash nets to zero over owners, or to its bank line, each once; a bank fact can't be reversed."""
    only = {Refusal.CASH}
    story.model.add_bank_line("d", 100)
    assert story.refused(events.deposited(story.fact(), "d", 99)) == only
    assert story.refused(events.deposited(story.fact(), "nowhere", 100)) == only
    posted = story.post(events.deposited(story.fact(), "d", 100))
    assert story.refused(events.deposited(story.fact(), "d", 100)) == only
    undo = story.model.reversal_of(posted.transaction_id, "undo", date(2026, 1, 11))
    assert undo is not None
    assert story.refused(undo) == only
    whole = events.opened(story.fact(), "d", {"A": 100})
    assert story.refused(replace(whole, lines=whole.lines[:2])) == only
    story.model.add_bank_line("e", 100)
    strange = events.deposited(story.fact(), "e", 100)
    named = tuple(replace(line, reference="d" if line.reference else None) for line in strange.lines)
    assert story.refused(replace(strange, lines=named)) == only
    own = events.float_deposited(story.fact(), "d", 50)
    assert story.refused(replace(own, lines=own.lines[:2])) == only


def test_refusal_9_advance_mirrors_its_member(story: Story) -> None:
    """An advance given up for one member can not be written off against another's."""
    story.pay("1", {"A": -100_00, "B": -100_00, "C": 300_00})
    whole = events.advance_written_off(story.fact(), "A", 50_00)
    crossed = tuple(replace(line, owner="B") if line.ledger is Ledger.OPERATING else line for line in whole.lines)
    assert story.refused(replace(whole, lines=crossed)) == {Refusal.CASH}
    story.post(whole)
    assert failures_of(story.model) == []


def test_refusal_10_advance(story: Story) -> None:
    """A debt written past the posting function, without its advance, is refused."""
    debt = events.member_corrected(story.fact(), "A", "B", 10_00)
    with pytest.raises(Refused) as caught:
        story.model.write(debt)
    assert caught.value.refusals == {Refusal.ADVANCE}
    story.post(debt)
    with pytest.raises(Refused) as caught:
        story.model.write(debt)
    assert Refusal.CONFLICT in caught.value.refusals


def test_refusal_11_not_approved(story: Story) -> None:
    """A release is an approved payout of that member to the cent, once; the proposer may not approve."""
    story.pay("1", {"A": 900_00, "B": 900_00})
    only = {Refusal.NOT_APPROVED}
    payout = Payout("p", "A", 100_00)
    assert story.refused(events.payout_released(story.fact(), [payout])) == only
    with pytest.raises(Refused) as caught:
        story.model.approve_payout(payout, proposer="finance", approver="finance")
    assert caught.value.refusals == only
    story.model.approve_payout(payout, proposer="finance", approver="controller")
    for other in (replace(payout, amount_cents=100_01), replace(payout, member_id="B")):
        assert story.refused(events.payout_released(story.fact(), [other])) == only
    story.post(events.payout_released(story.fact(), [payout]))
    assert story.refused(events.payout_released(story.fact(), [payout])) == only


def test_refusal_12_reversal(story: Story) -> None:
    """Only the whole, only once, never of a reversal; other events reverse nothing."""
    story.pay("1", {"A": 500_00, "B": -300_00})
    only, on = {Refusal.REVERSAL}, date(2026, 1, 11)
    number = story.model.posted[-1].transaction_id
    advice = next(posted for posted in story.model.posted if posted.transaction.event == "advised")
    whole = story.model.reversal_of(advice.transaction_id, "undo", on)
    assert whole is not None
    part = tuple(line for line in whole.lines if line.owner == "A")
    assert story.refused(replace(whole, lines=part)) == only
    reversal = story.model.reverse(number, "undo", on)
    assert story.model.reverse(number, "undo", on) is reversal
    assert Refusal.REVERSAL in _refused_reversal(story.model, number)
    assert Refusal.REVERSAL in _refused_reversal(story.model, reversal.transaction_id)
    assert _refused_reversal(story.model, 99) == only
    assert story.refused(replace(events.operating_opened(story.fact(), 1), reverses=1)) == only


def _refused_reversal(model: Model, number: int) -> frozenset[Refusal]:
    with pytest.raises(Refused) as caught:
        model.reverse(number, "again", date(2026, 1, 12))
    return caught.value.refusals


def test_what_no_rule_speaks_about_is_malformed(story: Story) -> None:
    """An unknown owner and a reference of the wrong kind are the caller's mistake, not a refusal."""
    with pytest.raises(Malformed):
        story.post(events.held(story.fact(), "nobody", 1))
    with pytest.raises(Malformed):
        story.post(Transaction("held", "k", date(2026, 1, 1), (Line("A", Ledger.CUSTODY, "held", -1, "why"),)))


def test_matrix_and_builders_name_the_same_events() -> None:
    """Every event has a builder, save those that are derived and the reversal; the matrix has no row twice."""
    assert len(MATRIX) == len(MATRIX_TEXT.splitlines()) - 1 == 162
    named = {builder.__name__ for builder in events.BUILDERS}
    assert named == set(EVENTS) - {*DERIVED_EVENTS, "reversed"}


def _two_owners_in_one(model: Model) -> None:
    lines = (Line("A", Ledger.CUSTODY, "held", -1), Line("B", Ledger.CUSTODY, "held", 1))
    bad = Transaction("held", "bad", date(2026, 1, 1), lines)
    model.posted.append(Posted(99, bad, bad.fact_on, ()))


def _funded_without_cash(model: Model) -> None:
    model.take_up([Line("A", Ledger.CUSTODY, "advised", 1, "x"), Line("A", Ledger.CUSTODY, "due_available", -1)])


def _network_taken_beyond_the_float(model: Model) -> None:
    model.take_up(
        [Line(HOUSE, Ledger.CUSTODY, "network_adjustment", 5_000_01), Line(HOUSE, Ledger.CUSTODY, "cash", -5_000_01)]
    )


def _cash_from_nowhere(model: Model) -> None:
    model.take_up([Line(HOUSE, Ledger.CUSTODY, "cash", 1)])


def _left_and_charged(model: Model) -> None:
    """Record an exit after the month was collected, and give nothing back."""
    model.members["A"] = replace(model.members["A"], until=date(2026, 1, 20))


def _float_without_mirror(model: Model) -> None:
    model.take_up([Line(HOUSE, Ledger.CUSTODY, "cash", 7), Line(HOUSE, Ledger.CUSTODY, "operating_float", -7)])


@pytest.mark.parametrize(
    ("proof", "harm"),
    [
        ("P1", _two_owners_in_one),
        ("P2", _funded_without_cash),
        ("P3 members", _funded_without_cash),
        ("P3 house", _network_taken_beyond_the_float),
        ("P4", _cash_from_nowhere),
        ("P6", _left_and_charged),
        ("P9", _float_without_mirror),
        ("P10", _cash_from_nowhere),
    ],
)
def test_each_proof_fails_when_it_should(story: Story, proof: str, harm: Callable[[Model], None]) -> None:
    """Each proof holds before the harm and says what is wrong after it; P6 catches what no refusal prevents."""
    story.pay("1", {"A": 900_00})
    story.post(events.fee_assessed(story.fact(), [Fee("A", JANUARY, 200_00)]))
    story.post(events.fee_collected(story.fact(), [Fee("A", JANUARY, 200_00)]))
    assert failures_of(story.model) == []
    harm(story.model)
    assert PROOFS[proof](story.model) != []


def test_release_needs_a_float_above_unexplained_debits(story: Story) -> None:
    """An unexplained bank debit beyond the float holds back every release."""
    story.bank("odd", -5_000_00)
    assert release_cover(story.model) == []
    story.bank("odder", -1)
    assert len(release_cover(story.model)) == 1


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), random=st.randoms(use_true_random=False))
def test_any_accepted_run_keeps_the_proofs(seed: int, random: Random) -> None:
    """Whatever is accepted and refused on the way, the proofs hold at every step and a refusal changes nothing."""
    model, past = small_world(), Random(seed)
    for _ in range(60):
        with suppress(Refused):
            take(model, next_step(model, past))
    for _ in range(20):
        step = next_step(model, random)
        before = dict(model.items)
        try:
            take(model, step)
        except Refused:
            assert model.items == before
        assert failures_of(model) == []


def test_two_thousand_steps_meet_every_event_and_every_refusal() -> None:
    """A long run covers all events and all refusals, about a third of its postings refused, and keeps the proofs."""
    model, random = small_world(), Random(835)
    met: Counter[str] = Counter()
    alone: Counter[Refusal] = Counter()
    postings = refused = 0
    for _ in range(2_000):
        step = next_step(model, random)
        postings += isinstance(step, Posting)
        try:
            posted = take(model, step)
        except Refused as refusal:
            refused += isinstance(step, Posting)
            if len(refusal.refusals) == 1:
                alone.update(refusal.refusals)
        else:
            met.update({entry.event for entry in posted.entries} if posted else ())
    assert set(met) == set(EVENTS)
    assert set(alone) == set(Refusal)
    assert 0.25 < refused / postings < 0.45
    assert failures_of(model) == []
