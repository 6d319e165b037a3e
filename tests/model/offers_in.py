"""Sensible next transactions by which money and promises arrive, or None where the state has no room for one."""

from tests.model import events
from tests.model.draw import Draw, advice_of
from tests.model.events import Advice, Fact
from tests.model.facts import Transaction


def _unposted(draw: Draw, sign: int) -> str | None:
    lines = draw.model.bank_lines.items()
    return draw.one_of([name for name, cents in lines if cents * sign > 0 and not draw.model.is_posted(name)])


def deposited(draw: Draw, fact: Fact) -> Transaction | None:
    """Book a credit that the bank reported."""
    line = _unposted(draw, 1)
    return events.deposited(fact, line, draw.model.bank_lines[line]) if line else None


def debited(draw: Draw, fact: Fact) -> Transaction | None:
    """Book a debit that the bank reported."""
    line = _unposted(draw, -1)
    return events.debited(fact, line, -draw.model.bank_lines[line]) if line else None


def advised(draw: Draw, fact: Fact) -> Transaction | None:
    """Advise one to three members, at times a negative share, an unknown payee, the network, or no money at all."""
    name = f"advice-{len(draw.model.posted) + 1}"
    shares = {member: draw.amount() for member in draw.some_of(sorted(draw.model.members), 3)}
    if draw.one_in(4):
        shares[draw.member()] = -draw.amount(60_000)
    unknown = {f"{name}/payee": draw.amount(20_000) * (-1 if draw.one_in(5) else 1)} if draw.one_in(4) else {}
    network = draw.amount(5_000) * (1 if draw.one_in(3) else -1) if draw.one_in(5) else 0
    if draw.one_in(8):
        first, second = sorted(draw.model.members)[:2]
        shares = {first: (cents := draw.amount(50_000)), second: -cents}
        unknown, network = {}, 0
    return events.advised(fact, Advice(name, shares, unknown, network))


def funded(draw: Draw, fact: Fact) -> Transaction | None:
    """Match a waiting advice with a deposit that has enough left, the exact one where there is one."""
    advice = draw.open_advice()
    if advice is None:
        return None
    if advice.paid_cents == 0:
        return events.funded(fact, advice, {})
    enough = [item for item in draw.items("unmatched_deposit") if item.amount_cents >= advice.paid_cents]
    exact = [item for item in enough if item.amount_cents == advice.paid_cents]
    deposit = draw.one_of(exact or enough)
    return events.funded(fact, advice, {deposit.reference: advice.paid_cents}) if deposit else None


def payee_found(draw: Draw, fact: Fact) -> Transaction | None:
    """Find whose a funded unknown payee's balance is, negative ones included."""
    found = draw.one_of(list(draw.model.open_items("unknown_payee").items()))
    return events.payee_found(fact, str(found[0][1]), draw.member(), found[1]) if found else None


def payee_found_unfunded(draw: Draw, fact: Fact) -> Transaction | None:
    """Find whose an advised unknown payee's balance is."""
    found = draw.one_of(list(draw.model.open_items("unknown_payee_unfunded").items()))
    if found is None:
        return None
    identifier = str(found[0][1])
    return events.payee_found_unfunded(fact, identifier, advice_of(identifier), draw.member(), found[1])


def overpaid(draw: Draw, fact: Fact) -> Transaction | None:
    """Set aside a part of a deposit."""
    deposit = draw.item("unmatched_deposit")
    return events.overpaid(fact, deposit.reference, draw.part(deposit.amount_cents)) if deposit else None


def suspended(draw: Draw, fact: Fact) -> Transaction | None:
    """Park a deposit."""
    deposit = draw.item("unmatched_deposit")
    return events.suspended(fact, deposit.reference, draw.part(deposit.amount_cents)) if deposit else None


def unsuspended(draw: Draw, fact: Fact) -> Transaction | None:
    """Bring a parked deposit back."""
    parked = draw.item("suspense")
    return events.unsuspended(fact, parked.reference, draw.part(parked.amount_cents)) if parked else None


def interest_earned(draw: Draw, fact: Fact) -> Transaction | None:
    """Take a little of a deposit for interest."""
    deposit = draw.item("unmatched_deposit")
    return (
        events.interest_earned(fact, deposit.reference, draw.amount(min(500, deposit.amount_cents)))
        if deposit
        else None
    )


def interest_allocated(draw: Draw, fact: Fact) -> Transaction | None:
    """Give interest to one or two members."""
    due = draw.holder("interest_due")
    return events.interest_allocated(fact, draw.shares(draw.part(due.amount_cents))) if due else None


def network_adjustment_allocated(draw: Draw, fact: Fact) -> Transaction | None:
    """Pass the network's adjustment on, whichever its sign."""
    borne = -draw.model.balance("house", "network_adjustment")
    return events.network_adjustment_allocated(fact, draw.shares(borne)) if borne else None


def member_paid(draw: Draw, fact: Fact) -> Transaction | None:
    """Let a member pay back what the PSAO advanced."""
    deposit, debtor = draw.item("unmatched_deposit"), draw.holder("operating_advance")
    if deposit is None or debtor is None:
        return None
    cents = draw.part(min(deposit.amount_cents, debtor.amount_cents))
    return events.member_paid(fact, deposit.reference, debtor.owner, cents)


def opened(draw: Draw, fact: Fact) -> Transaction | None:
    """Open books out of a deposit."""
    deposit = draw.item("unmatched_deposit")
    return events.opened(fact, deposit.reference, draw.shares(draw.part(deposit.amount_cents))) if deposit else None
