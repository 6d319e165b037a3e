"""Sensible next transactions of the flat fee, or None where the state has no room for one."""

from dataclasses import replace

from tests.model import events
from tests.model.draw import Draw
from tests.model.events import Fact, Fee
from tests.model.facts import Transaction


def unassessed(draw: Draw) -> list[Fee]:
    """List the fees due in months that exist and not assessed."""
    known = draw.model.fee_months()
    due = [
        Fee(member, month, cents)
        for member in sorted(draw.model.members)
        for month in sorted(draw.model.periods)
        if (cents := draw.model.fee_due(member, month)) is not None
    ]
    return [fee for fee in due if (key := (fee.member, fee.month)) not in known or not known[key].assessed_cents]


def receivable(draw: Draw, *, collected: bool) -> list[Fee]:
    """List the fees that are open, collected or not."""
    known = draw.model.fee_months()
    items = draw.model.open_items("fee_receivable").items()
    return [
        Fee(member, month, cents)
        for (member, month), cents in items
        if isinstance(month, int) and bool(known[member, month].collected_cents) is collected
    ]


def fee_assessed(draw: Draw, fact: Fact) -> Transaction | None:
    """Assess up to three fees."""
    fees = draw.some_of(unassessed(draw), 3)
    return events.fee_assessed(fact, fees) if fees else None


def fee_collected(draw: Draw, fact: Fact) -> Transaction | None:
    """Collect a fee that the member can bear."""
    fees = receivable(draw, collected=False)
    fee = draw.one_of([fee for fee in fees if draw.model.balance(fee.member, "due_available") >= fee.amount_cents])
    return events.fee_collected(fact, [fee]) if fee else None


def fee_swept(draw: Draw, fact: Fact) -> Transaction | None:
    """Sweep up to three fees that were collected."""
    fees = draw.some_of(receivable(draw, collected=True), 3)
    return events.fee_swept(fact, fees) if fees else None


def fee_waived(draw: Draw, fact: Fact) -> Transaction | None:
    """Waive a fee that was not collected, or a part of it."""
    fee = draw.one_of(receivable(draw, collected=False))
    return events.fee_waived(fact, replace(fee, amount_cents=draw.part(fee.amount_cents))) if fee else None


def kept(draw: Draw) -> list[Fee]:
    """List what was swept and not refunded."""
    return [
        Fee(member, month, cents)
        for (member, month), fee in draw.model.fee_months().items()
        if (cents := fee.swept_cents - fee.refunded_cents) > 0
    ]


def fee_refunded(draw: Draw, fact: Fact) -> Transaction | None:
    """Refund a fee that was swept and not refunded, or a part of it."""
    found = draw.one_of(kept(draw))
    return events.fee_refunded(fact, replace(found, amount_cents=draw.part(found.amount_cents))) if found else None
