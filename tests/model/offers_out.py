"""Sensible next transactions by which money is paid, held back or taken, or None where there is no room for one."""

from tests.model import events
from tests.model.draw import Draw, Item
from tests.model.events import Fact
from tests.model.facts import HOUSE, Disbursement, Transaction


def payout_released(draw: Draw, fact: Fact) -> Transaction | None:
    """Release up to two approved payouts that are still covered, of different members."""
    gone = draw.model.released_payouts()
    covered = {
        payout.member_id: payout
        for payout in draw.model.payouts.values()
        if payout.payout_id not in gone and draw.model.balance(payout.member_id, "due_available") >= payout.amount_cents
    }
    chosen = draw.some_of(list(covered.values()), 2)
    return events.payout_released(fact, chosen) if chosen else None


def _approved(draw: Draw, event: str, account: str) -> Disbursement | None:
    """Pick an approved disbursement of an event that its owner's account still covers and that is not released."""
    gone = draw.model.released_payouts()
    return draw.one_of(
        [
            each
            for each in draw.model.disbursements.values()
            if each.event == event
            and each.disbursement_id not in gone
            and draw.model.balance(each.owner, account) >= each.amount_cents
        ]
    )


def levy_released(draw: Draw, fact: Fact) -> Transaction | None:
    """Pay an approved levy."""
    found = _approved(draw, "levy_released", "levied")
    return events.levy_released(fact, found.owner, found.disbursement_id, found.amount_cents) if found else None


def escheat_released(draw: Draw, fact: Fact) -> Transaction | None:
    """Pay unclaimed property to the state, as approved."""
    found = _approved(draw, "escheat_released", "unclaimed")
    return events.escheat_released(fact, found.owner, found.disbursement_id, found.amount_cents) if found else None


def refund_released(draw: Draw, fact: Fact) -> Transaction | None:
    """Pay a payer back, as approved."""
    found = _approved(draw, "refund_released", "due_to_payer")
    return events.refund_released(fact, found.disbursement_id, found.amount_cents) if found else None


def payout_settled(draw: Draw, fact: Fact) -> Transaction | None:
    """Settle as many released payouts as a bank debit covers."""
    debit = draw.item("unmatched_debit")
    if debit is None:
        return None
    chosen: list[Item] = []
    left = debit.amount_cents
    for item in draw.some_of(draw.items("in_transit"), 4):
        if item.amount_cents <= left:
            chosen.append(item)
            left -= item.amount_cents
    if not chosen:
        return None
    settled = [(item.owner, item.reference, item.amount_cents) for item in chosen]
    return events.payout_settled(fact, debit.reference, settled)


def payout_returned(draw: Draw, fact: Fact) -> Transaction | None:
    """Hold a part of a deposit as a member's returned payout."""
    deposit = draw.item("unmatched_deposit")
    if deposit is None:
        return None
    return events.payout_returned(fact, deposit.reference, draw.member(), draw.part(deposit.amount_cents))


def held(draw: Draw, fact: Fact) -> Transaction | None:
    """Hold a part of what is payable."""
    due = draw.holder("due_available")
    return events.held(fact, due.owner, draw.part(due.amount_cents)) if due else None


def hold_lifted(draw: Draw, fact: Fact) -> Transaction | None:
    """Lift a part of a hold."""
    hold = draw.holder("held")
    return events.hold_lifted(fact, hold.owner, draw.part(hold.amount_cents)) if hold else None


def levied(draw: Draw, fact: Fact) -> Transaction | None:
    """Levy a part of what is payable."""
    due = draw.holder("due_available")
    return events.levied(fact, due.owner, draw.part(due.amount_cents)) if due else None


def unclaimed(draw: Draw, fact: Fact) -> Transaction | None:
    """Turn a part of a hold into unclaimed property."""
    hold = draw.holder("held")
    return events.unclaimed(fact, hold.owner, draw.part(hold.amount_cents)) if hold else None


def payer_debited(draw: Draw, fact: Fact) -> Transaction | None:
    """Charge a member with a bank debit; what it does not have, the float advances."""
    debit = draw.item("unmatched_debit")
    if debit is None:
        return None
    return events.payer_debited(fact, debit.reference, draw.member(), draw.part(debit.amount_cents))


def debit_returned(draw: Draw, fact: Fact) -> Transaction | None:
    """Clear a bank debit with a deposit."""
    debit, deposit = draw.item("unmatched_debit"), draw.item("unmatched_deposit")
    if debit is None or deposit is None:
        return None
    cents = draw.part(min(debit.amount_cents, deposit.amount_cents))
    return events.debit_returned(fact, deposit.reference, debit.reference, cents)


def member_corrected(draw: Draw, fact: Fact) -> Transaction | None:
    """Correct between two members; at times the giver has less than it must give."""
    giver = draw.member()
    taker = draw.one_of([member for member in sorted(draw.model.members) if member != giver])
    if taker is None:
        return None
    has = max(0, draw.model.balance(giver, "due_available"))
    cents = draw.part(has) if has and not draw.one_in(4) else draw.amount(20_000)
    return events.member_corrected(fact, giver, taker, cents)


def advance_written_off(draw: Draw, fact: Fact) -> Transaction | None:
    """Write a part of an advance off."""
    advance = draw.holder("operating_advance")
    return events.advance_written_off(fact, advance.owner, draw.part(advance.amount_cents)) if advance else None


def bank_charged(draw: Draw, fact: Fact) -> Transaction | None:
    """Bear a small part of a bank debit as a charge."""
    debit = draw.item("unmatched_debit")
    if debit is None:
        return None
    return events.bank_charged(fact, debit.reference, draw.amount(min(2_000, debit.amount_cents)))


def float_deposited(draw: Draw, fact: Fact) -> Transaction | None:
    """Put a deposit into the float."""
    deposit = draw.item("unmatched_deposit")
    return events.float_deposited(fact, deposit.reference, draw.part(deposit.amount_cents)) if deposit else None


def float_withdrawn(draw: Draw, fact: Fact) -> Transaction | None:
    """Take what the float can spare against a bank debit."""
    debit, has = draw.item("unmatched_debit"), draw.model.balance(HOUSE, "operating_float")
    if debit is None or has <= 0:
        return None
    return events.float_withdrawn(fact, debit.reference, draw.amount(min(has, debit.amount_cents)))


def operating_opened(draw: Draw, fact: Fact) -> Transaction | None:
    """Bring the PSAO's cash into the operating ledger."""
    return events.operating_opened(fact, draw.amount())
