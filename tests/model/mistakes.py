"""Wrong next steps, by the refusal that each is meant to meet, or None where none can be made. Others may apply too."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from tests.model import events, offers_fees, offers_in, offers_out
from tests.model.chart import CHART, Refers
from tests.model.draw import Draw
from tests.model.events import Fee
from tests.model.facts import HOUSE, REVERSED, Ledger, Line, Payout, Posted, Reference, Transaction, first_day
from tests.model.matrix import DERIVED_EVENTS, MATRIX
from tests.model.refusals import Refusal
from tests.model.steps import Append, ApprovePayout, Post, Reverse, Rewrite, Step, Write

Offer = Callable[[Draw, events.Fact], Transaction | None]

OFFERS: dict[str, Offer] = {
    builder.__name__: getattr(module, builder.__name__)
    for builder in events.BUILDERS
    for module in (offers_in, offers_out, offers_fees)
    if hasattr(module, builder.__name__)
}
"""The sensible transaction of each event that can be asked for."""


def offer(draw: Draw) -> Transaction | None:
    """Offer a sensible transaction of any event for which the state has room."""
    for event in draw.random.sample(sorted(OFFERS), 8):
        found = OFFERS[event](draw, draw.fact(event))
        if found is not None:
            return found
    return None


def reversible(draw: Draw) -> Posted | None:
    """Pick a transaction that is no bank fact, not reversed and no reversal.

    What settled or came back is turned together with its payout's state, which this model does not know: the machine of
    payouts turns it.
    """
    kept = ("deposited", "debited", "payout_settled", "payout_returned")
    return draw.one_of([posted for posted in draw.model.live() if posted.transaction.event not in kept])


def lopsided(draw: Draw) -> Step | None:
    """Change one amount, drop a line, ask for nothing, or add to what is posted."""
    posted = draw.one_of(draw.model.posted)
    if posted is not None and draw.one_in(4):
        extra = (Line(HOUSE, Ledger.CUSTODY, "cash", 100), Line(HOUSE, Ledger.CUSTODY, "operating_float", -100))
        return Append(posted.transaction_id, extra)
    if draw.one_in(6):
        return Post(_promise_made_payable(draw))
    good = offer(draw)
    if good is None:
        return None
    kept = list(good.lines)
    line = kept.pop(draw.random.randrange(len(kept)))
    match draw.random.randrange(6):
        case 0:
            return Post(replace(good, lines=()))
        case 1 | 2:
            return Post(replace(good, lines=tuple(kept)))
        case _:
            cents = line.amount_cents + (1 if line.amount_cents != -1 else 2)
            return Post(replace(good, lines=(*kept, replace(line, amount_cents=cents))))


def _promise_made_payable(draw: Draw) -> Transaction:
    advice, cents = draw.open_advice(), draw.amount(1_000)
    name = advice.advice_id if advice else "none-such"
    lines = events.funded(draw.fact("funded"), events.Advice(name, {draw.member(): cents}), {}).lines
    kept = tuple(line for line in lines if line.account in ("advised", "due_available"))
    return Transaction("funded", draw.key("funded"), draw.day(), kept)


def rewritten(draw: Draw) -> Step | None:
    """Change or delete what is posted."""
    posted = draw.one_of(draw.model.posted)
    return Rewrite(posted.transaction_id) if posted else None


def misplaced(draw: Draw) -> Step | None:
    """Move a line to an account that its event may not touch, or ask for an advance by name."""
    if draw.one_in(8):
        return Post(_asked_advance(draw))
    good = offer(draw)
    if good is None:
        return None
    at = draw.random.randrange(len(good.lines))
    line = good.lines[at]
    kind = draw.model.owner_kind(line.owner)
    wrong = [
        name
        for name, account in CHART.items()
        if account.ledger is line.ledger and (good.event, line.ledger, kind, name, line.side) not in MATRIX
    ]
    name = draw.random.choice(wrong)
    moved = replace(line, account=name, reference=_any_reference(draw, name))
    return Post(replace(good, lines=(*good.lines[:at], moved, *good.lines[at + 1 :])))


def _any_reference(draw: Draw, account: str) -> Reference:
    wanted = CHART[account].refers
    if wanted is Refers.NOTHING:
        return None
    return max(draw.model.periods) if wanted is Refers.MONTH else "none-such"


def _asked_advance(draw: Draw) -> Transaction:
    event = draw.random.choice(DERIVED_EVENTS)
    member, cents = draw.member(), draw.amount(1_000) * (1 if event == "advanced" else -1)
    lines = (
        Line(HOUSE, Ledger.CUSTODY, "operating_float", cents),
        Line(HOUSE, Ledger.CUSTODY, "cash", -cents),
        Line(member, Ledger.CUSTODY, "cash", cents),
        Line(member, Ledger.CUSTODY, "operating_advance", -cents),
        Line(member, Ledger.OPERATING, "advance_receivable", cents),
        Line(member, Ledger.OPERATING, "custody_float", -cents),
    )
    return Transaction(event, draw.key(event), draw.day(), lines)


def false_fee(draw: Draw) -> Step | None:
    """Assess another amount or a second time; collect what is not open, twice, or another amount."""
    if draw.one_in(2):
        fact = draw.fact("fee_assessed")
        known = [Fee(*key, fee.assessed_cents) for key, fee in draw.model.fee_months().items() if fee.assessed_cents]
        fee = draw.one_of(known)
        if fee is None or draw.one_in(2):
            fee = draw.one_of(offers_fees.unassessed(draw))
            fee = replace(fee, amount_cents=fee.amount_cents + draw.random.choice((-1, 1, 5_000))) if fee else None
        return Post(events.fee_assessed(fact, [fee])) if fee else None
    beyond = draw.one_of(offers_fees.kept(draw))
    if beyond is not None and draw.one_in(3):
        cents = beyond.amount_cents + draw.amount(100)
        return Post(events.fee_refunded(draw.fact("fee_refunded"), replace(beyond, amount_cents=cents)))
    fact = draw.fact("fee_collected")
    fees = offers_fees.receivable(draw, collected=draw.one_in(2))
    fee = draw.one_of(fees or offers_fees.unassessed(draw))
    if fee is None:
        return None
    is_good = fee in offers_fees.receivable(draw, collected=False)
    return Post(events.fee_collected(fact, [replace(fee, amount_cents=fee.amount_cents - 1) if is_good else fee]))


def outside_periods(draw: Draw) -> Step | None:
    """Date a fact in a month that does not exist."""
    good = offer(draw)
    last = first_day(max(draw.model.periods))
    day = last + timedelta(days=draw.random.randint(32, 400))
    if draw.one_in(2):
        day = first_day(min(draw.model.periods)) - timedelta(days=draw.random.randint(1, 400))
    return Post(replace(good, fact_on=day)) if good else None


def conflicting(draw: Draw) -> Step | None:
    """Use the key of a posted fact for another body."""
    posted = draw.one_of(draw.model.posted)
    if posted is None:
        return None
    stored, other = posted.transaction, offer(draw)
    if other is not None and draw.one_in(2):
        return Post(replace(other, fact_key=stored.fact_key))
    if draw.one_in(2):
        return Post(replace(stored, fact_on=stored.fact_on + timedelta(days=1)))
    lines = tuple(replace(line, amount_cents=line.amount_cents * 2) for line in stored.lines)
    return Post(replace(stored, lines=lines))


def overdrawn(draw: Draw) -> Step | None:
    """Hold, levy, withhold or release more than is payable."""
    member = draw.member()
    due = draw.model.balance(member, "due_available")
    cents = max(0, due) + draw.amount(10_000)
    fees = offers_fees.receivable(draw, collected=False)
    poor = [fee for fee in fees if draw.model.balance(fee.member, "due_available") < fee.amount_cents]
    gone = draw.model.released_payouts()
    uncovered = [
        payout
        for payout in draw.model.payouts.values()
        if payout.payout_id not in gone and draw.model.balance(payout.member_id, "due_available") < payout.amount_cents
    ]
    made: list[Transaction] = [
        events.held(draw.fact("held"), member, cents),
        events.levied(draw.fact("levied"), member, cents),
    ]
    made += [events.fee_collected(draw.fact("fee_collected"), [fee]) for fee in poor[:1]]
    made += [events.payout_released(draw.fact("payout_released"), [payout]) for payout in uncovered[:1]]
    return Post(draw.random.choice(made))


def on_wrong_side(draw: Draw) -> Step | None:
    """Take more from an open item or a liability than it holds."""
    member, more = draw.member(), draw.amount(5_000)
    deposit, debit = draw.item("unmatched_deposit"), draw.item("unmatched_debit")
    hold = draw.model.balance(member, "held") + more
    made = [
        events.hold_lifted(draw.fact("hold_lifted"), member, hold),
        events.unclaimed(draw.fact("unclaimed"), member, hold),
        events.levy_released(draw.fact("levy_released"), member, draw.key("levy"), 10**9),
        events.refund_released(draw.fact("refund_released"), draw.key("refund"), 10**9),
        events.interest_allocated(draw.fact("interest_allocated"), {member: 10**9}),
        events.overpaid(draw.fact("overpaid"), "none-such", more),
    ]
    if deposit:
        cents = deposit.amount_cents + more
        made.append(events.suspended(draw.fact("suspended"), deposit.reference, cents))
        made.append(events.payout_returned(draw.fact("payout_returned"), deposit.reference, member, cents))
    if debit:
        cents = debit.amount_cents + more
        made.append(events.payer_debited(draw.fact("payer_debited"), debit.reference, member, cents))
        made += _float_taken_from_under(draw, debit.reference)
    made += [events.fee_swept(draw.fact("fee_swept"), [fee]) for fee in offers_fees.receivable(draw, collected=False)]
    made.append(events.member_corrected(draw.fact("member_corrected"), *_pair(draw), 10**9))
    return Post(draw.random.choice(made))


def _float_taken_from_under(draw: Draw, debit: str) -> list[Transaction]:
    """Withdraw float that a negative of the network or of an unknown payee leans on."""
    needed = sum(max(0, -cents) for cents in draw.model.open_items("unknown_payee").values())
    needed += max(0, -draw.model.balance(HOUSE, "network_adjustment"))
    spare = draw.model.balance(HOUSE, "operating_float") - needed
    return [events.float_withdrawn(draw.fact("float_withdrawn"), debit, spare + 1)] if needed else []


def _pair(draw: Draw) -> tuple[str, str]:
    first, second = draw.random.sample(sorted(draw.model.members), 2)
    return first, second


def cash_astray(draw: Draw) -> Step | None:
    """Book a bank line with another amount, twice, as another's or not known; reverse one; forget an entry."""
    line = draw.one_of(list(draw.model.bank_lines.items()))
    if line is None or draw.one_in(2):
        return _forgotten_mirror(draw) if draw.one_in(3) else _forgotten_owner(draw)
    name, cents = line
    event = "deposited" if cents > 0 else "debited"
    build = events.deposited if cents > 0 else events.debited
    posted = draw.one_of([posted for posted in draw.model.posted if posted.transaction.bank_line == name])
    match draw.random.randrange(5):
        case 4 if posted is None:
            good = build(draw.fact(event), name, abs(cents))
            lines = tuple(replace(each, reference="none-such" if each.reference else None) for each in good.lines)
            return Post(replace(good, lines=lines))
        case 0:
            return Post(build(draw.fact(event), f"{name}-unknown", abs(cents)))
        case 1 if posted is not None:
            return Reverse(posted.transaction_id, draw.key(REVERSED), draw.day())
        case 2 if posted is not None:
            return Post(build(draw.fact(event), name, abs(cents)))
        case _:
            return Post(build(draw.fact(event), name, abs(cents) + draw.amount(100)))


def _forgotten_owner(draw: Draw) -> Step | None:
    good = offer(draw)
    if good is None:
        return None
    moved = {line.owner for line in good.lines if (line.ledger, line.account) == (Ledger.CUSTODY, "cash")}
    owner = draw.one_of(sorted(moved))
    kept = tuple(line for line in good.lines if (line.owner, line.ledger) != (owner, Ledger.CUSTODY))
    return Post(replace(good, lines=kept)) if owner and kept else None


def _forgotten_mirror(draw: Draw) -> Step | None:
    """Move the float or an advance in one ledger and not in its mirror."""
    for event in draw.random.sample(["float_deposited", "bank_charged", "advance_written_off", "fee_refunded"], 4):
        good = OFFERS[event](draw, draw.fact(event))
        if good is not None:
            ledger = draw.random.choice(list(Ledger))
            return Post(replace(good, lines=tuple(line for line in good.lines if line.ledger is ledger)))
    return None


def without_advance(draw: Draw) -> Step | None:
    """Write a member into debt, past the function that would advance it; or write more off than it owes."""
    debtor = draw.holder("operating_advance")
    if debtor is not None and draw.one_in(2):
        beyond = debtor.amount_cents + draw.amount(1_000)
        return Post(events.advance_written_off(draw.fact("advance_written_off"), debtor.owner, beyond))
    giver, taker = _pair(draw)
    cents = max(0, draw.model.balance(giver, "due_available")) + draw.amount(1_000)
    return Write(events.member_corrected(draw.fact("member_corrected"), giver, taker, cents))


def not_approved(draw: Draw) -> Step | None:
    """Release what nobody approved, another amount, another member's, or twice; let the proposer approve."""
    due = draw.holder("due_available")
    if due is None or due.owner == HOUSE:
        return None
    payout = Payout(f"payout-{len(draw.model.payouts) + 1}", due.owner, draw.part(due.amount_cents))
    if draw.one_in(3):
        return ApprovePayout(payout, "finance", "finance") if draw.one_in(2) else _disbursed_otherwise(draw)
    known = draw.one_of(list(draw.model.payouts.values()))
    fact = draw.fact("payout_released")
    match draw.random.randrange(3):
        case 0 if known is not None and known.payout_id in draw.model.released_payouts():
            return Post(events.payout_released(fact, [known]))
        case 1 if known is not None:
            return Post(events.payout_released(fact, [replace(known, amount_cents=known.amount_cents + 1)]))
        case 2 if known is not None and known.member_id != due.owner:
            return Post(events.payout_released(fact, [replace(known, member_id=due.owner)]))
        case _:
            return Post(events.payout_released(fact, [payout]))


def _disbursed_otherwise(draw: Draw) -> Step:
    """Let a levy leave that nobody approved, twice, of another amount, or as another event than the approved one."""
    fact, member = draw.fact("levy_released"), draw.member()
    known = draw.one_of(list(draw.model.disbursements.values()))
    if known is None or known.owner == HOUSE:
        return Post(events.levy_released(fact, member, draw.key("levy"), draw.amount()))
    name, cents = known.disbursement_id, known.amount_cents
    gone = known.event == "levy_released" and name in draw.model.released_payouts()
    if known.event != "levy_released" or gone:
        return Post(events.levy_released(fact, known.owner, name, cents))
    return Post(events.levy_released(fact, known.owner, name, cents + 1))


def false_reversal(draw: Draw) -> Step | None:
    """Reverse twice, reverse a reversal, or reverse only a part."""
    reversals = [posted for posted in draw.model.posted if posted.transaction.event == REVERSED]
    reversal = draw.one_of(reversals)
    original = reversible(draw)
    if reversal is not None and draw.one_in(2):
        again = reversal.transaction.reverses if draw.one_in(2) else reversal.transaction_id
        return Reverse(again or reversal.transaction_id, draw.key(REVERSED), draw.day())
    if original is None:
        return None
    whole = draw.model.reversal_of(original.transaction_id, draw.key(REVERSED), draw.day())
    if whole is None:
        return None
    lines = tuple(replace(line, amount_cents=line.amount_cents * 2) for line in whole.lines)
    entries = whole.entries()
    if len(entries) > 1 and draw.one_in(2):
        lines = tuple(line for entry in entries[1:] for line in entry.lines)
    return Post(replace(whole, lines=lines))


MISTAKES: dict[Refusal, Callable[[Draw], Step | None]] = {
    Refusal.UNBALANCED: lopsided,
    Refusal.REWRITTEN: rewritten,
    Refusal.MATRIX: misplaced,
    Refusal.FEE: false_fee,
    Refusal.PERIOD: outside_periods,
    Refusal.CONFLICT: conflicting,
    Refusal.OVERDRAWN: overdrawn,
    Refusal.WRONG_SIDE: on_wrong_side,
    Refusal.CASH: cash_astray,
    Refusal.ADVANCE: without_advance,
    Refusal.NOT_APPROVED: not_approved,
    Refusal.REVERSAL: false_reversal,
}
"""The mistake meant for each refusal."""
