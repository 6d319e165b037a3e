"""What happens next: a step drawn from the model's state, about a third of the postings wrong on purpose.

A state machine draws with ``steps(model)`` and takes the step on the model and on a real ledger; a plain run calls
``next_step(model, Random(seed))``. Neither changes the model.
"""

from collections.abc import Sequence
from datetime import date
from random import Random

from hypothesis import strategies as st

from tests.model.draw import Draw
from tests.model.facts import REVERSED, Disbursement, FlatFee, Member, Payout, Posted, next_month
from tests.model.ledger_model import Model
from tests.model.mistakes import MISTAKES, OFFERS, reversible
from tests.model.refusals import Refusal
from tests.model.steps import (
    AddBankLine,
    ApproveDisbursement,
    ApprovePayout,
    ClosePeriod,
    OpenPeriod,
    Post,
    Reverse,
    Step,
)

WRONG_IN_100 = 26
"""Steps out of a hundred that are meant to be refused; some of them have no room and become sensible ones."""

OFTEN = ("deposited", "debited", "advised", "funded", "fee_assessed", "payout_released", "payout_settled")
"""Events on which others depend."""


_OTHERS = (("levy_released", "levied"), ("escheat_released", "unclaimed"), ("refund_released", "due_to_payer"))
"""Events by which money leaves to others than members, and the accounts that they empty."""


def small_world() -> Model:
    """Give a model with four members, their fees, one closed month and three open ones, and nothing posted.

    One member joins in the middle of a month and its fee changes, one leaves, one has no fee agreed.
    """
    model = Model()
    for month in (202512, 202601, 202602, 202603):
        model.open_period(month)
    model.close_period(202512)
    model.add_member(Member("A", date(2025, 1, 1)))
    model.add_member(Member("B", date(2026, 1, 15)))
    model.add_member(Member("C", date(2025, 6, 1), date(2026, 2, 10)))
    model.add_member(Member("D", date(2026, 2, 1)))
    model.add_fee(FlatFee("A", date(2025, 1, 1), 20_000))
    model.add_fee(FlatFee("B", date(2026, 1, 10), 20_000))
    model.add_fee(FlatFee("B", date(2026, 3, 1), 21_000))
    model.add_fee(FlatFee("C", date(2025, 6, 1), 19_999))
    return model


@st.composite
def steps(draw: st.DrawFn, model: Model) -> Step:
    """Draw the next step from the model's state; the chance is Hypothesis's, so a failing run shrinks."""
    return next_step(model, draw(st.randoms(use_true_random=False)))


def next_step(model: Model, random: Random) -> Step:
    """Choose the next step; there is always one."""
    draw = Draw(model, random)
    if random.randrange(100) < WRONG_IN_100:
        refusal = random.choice(list(Refusal))
        mistake = MISTAKES[refusal](draw)
        if mistake is not None:
            return mistake
    for maker in random.sample(_SENSIBLE, len(_SENSIBLE)):
        step = maker(draw)
        if step is not None:
            return step
    return arrival(draw)


def arrival(draw: Draw) -> Step:
    """Let the bank report a line: the money of an advice, the debit of what is in transit, or anything."""
    name = f"bank-{len(draw.model.bank_lines) + 1}"
    advice = draw.open_advice()
    in_transit = sum(item.amount_cents for item in draw.items("in_transit"))
    if advice is not None and advice.paid_cents and draw.one_in(2):
        return AddBankLine(name, advice.paid_cents)
    if in_transit and draw.one_in(2):
        return AddBankLine(name, -in_transit)
    return AddBankLine(name, draw.amount() if draw.one_in(2) else -draw.amount(20_000))


def approval(draw: Draw) -> Step | None:
    """Approve a payout of what a member is due now."""
    due = draw.holder("due_available")
    if due is None:
        return None
    payout = Payout(f"payout-{len(draw.model.payouts) + 1}", due.owner, draw.part(due.amount_cents))
    return ApprovePayout(payout, "finance", "approver")


def other_approval(draw: Draw) -> Step | None:
    """Approve a payment of what is levied, unclaimed or owed to a payer now."""
    event, account = draw.random.choice(_OTHERS)
    owed = draw.holder(account)
    if owed is None:
        return None
    name = f"disbursement-{len(draw.model.disbursements) + 1}"
    found = Disbursement(name, event, owed.owner, draw.part(owed.amount_cents))
    return ApproveDisbursement(found, "finance", "approver")


def calendar(draw: Draw) -> Step | None:
    """Once in a while open the next month, or close the earliest open one while another stays open."""
    is_open = [month for month, is_open in sorted(draw.model.periods.items()) if is_open]
    if len(draw.model.posted) < 20 * len(draw.model.periods) or not draw.one_in(2):
        return None
    if len(is_open) > 2:
        return ClosePeriod(is_open[0])
    return OpenPeriod(next_month(max(draw.model.periods)))


def reversal(draw: Draw) -> Step | None:
    """Reverse something, save the fee's steps on which a later one rests."""
    posted = reversible(draw)
    if posted is None or _is_rested_on(draw, posted):
        return None
    return Reverse(posted.transaction_id, draw.key(REVERSED), draw.day())


def _is_rested_on(draw: Draw, posted: Posted) -> bool:
    known = draw.model.fee_months()
    months = [known[line.owner, line.reference] for line in posted.transaction.lines if isinstance(line.reference, int)]
    match posted.transaction.event:
        case "fee_assessed":
            return any(month.collected_cents for month in months)
        case "fee_swept":
            return any(month.refunded_cents for month in months)
        case "fee_waived":
            return any(month.collected_cents for month in months)
        case _:
            return False


def replay(draw: Draw) -> Step | None:
    """Post the same fact with the same body again, its lines in another order."""
    posted = draw.one_of(draw.model.posted)
    if posted is None or not draw.one_in(2):
        return None
    same = posted.transaction
    return Post(type(same)(same.event, same.fact_key, same.fact_on, same.lines[::-1], same.bank_line, same.reverses))


def _offer(events: Sequence[str], draw: Draw) -> Step | None:
    event = draw.random.choice(events)
    found = OFFERS[event](draw, draw.fact(event))
    return Post(found) if found is not None else None


def often(draw: Draw) -> Step | None:
    """Offer an event on which others depend."""
    return _offer(OFTEN, draw)


def any_event(draw: Draw) -> Step | None:
    """Offer any event that can be asked for."""
    return _offer(sorted(OFFERS), draw)


_SENSIBLE = [
    *[often] * 8,
    *[any_event] * 10,
    *[arrival] * 3,
    approval,
    other_approval,
    calendar,
    reversal,
    replay,
]
