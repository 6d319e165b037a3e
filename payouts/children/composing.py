"""Compose a member's remittance of one cycle: which sets there are, what each pays, and under which trace number.

The sets together say exactly what is paid, and each of them balances. A payer's set keeps its claims and its payer's
PLBs; what is the PSAO's own (a fee, a hold, a balance carried or brought forward) is a PLB with a reserved reference.
Where a set comes to less than nothing, the other sets lend to it, so that no BPR02 is below zero: PLB FB with the
reference ``PSAO-TRANSFER`` on both sides, which net to zero over the remittance.

Source: ASC X12 005010X221A1, section 1.10.2.1.3 (balancing) and segment PLB; one payment has one trace number (CAQH
CORE 370, reassociation of payment and remittance).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from payouts.children.leveling import level
from payouts.children.model import RESERVED_PREFIX, ChildSet, Form, Method, OwnItem, Source

TRANSFER_REFERENCE: Final = f"{RESERVED_PREFIX}TRANSFER"
"""PLB03-2 of what one set lends to another of the same remittance."""

TraceNumbers = Callable[[int | None], str]
"""Gives TRN02 by advice id, where each advice has its payment; for None that of the combined payment, or of the PSAO's
own set. ``{...}.__getitem__`` is one."""


def compose(
    sources: Sequence[Source], own: Sequence[OwnItem], *, paid_cents: int, form: Form, trace_number: TraceNumbers
) -> tuple[ChildSet, ...]:
    """Compose the sets of one member in one cycle.

    Combined, the own items stand in a set whose payer is the PSAO. With a payment for each advice they stand in the
    advices' sets, what is taken in the largest; such a set of the PSAO's own is then made only for what is given and
    fits in none, or when there is no advice.

    Args:
        sources: the member's shares of the advices that the cycle tells, in the order in which they shall stand; a
            share may be negative.
        own: what the PSAO adds or takes. With claims but no payout it holds what makes the sum zero.
        paid_cents: the sum of the member's payouts.
        form: one payment, or one for each advice with money.
        trace_number: called once for each number that is needed.

    Returns:
        The payers' sets in the order given, then the PSAO's own set if there is one. Nothing for nothing.

    Raises:
        ValueError: less than nothing is paid, the shares less the own items are not what is paid, an advice comes
            twice, or a trace number does not fit or is given to two payments.
    """
    _check(sources, own, paid_cents)
    drafts = _one_payment(sources, own) if form is Form.COMBINED else _payment_each(sources, own)
    for draft, transfer_cents in zip(drafts, level([draft.cents for draft in drafts]), strict=True):
        if transfer_cents:
            draft.add(OwnItem(reason="FB", reference=TRANSFER_REFERENCE, amount_cents=-transfer_cents))
    if not drafts:
        return ()
    if form is Form.COMBINED:
        combined, method = trace_number(None), Method.ACH if paid_cents else Method.NON
        return tuple([draft.made(combined, method) for draft in drafts])
    sets = [draft.made(trace_number(draft.advice_id), Method.ACH if draft.cents else Method.NON) for draft in drafts]
    if len({each.trace_number for each in sets}) < len(sets):
        raise ValueError("two payments have the same trace number")
    return tuple(sets)


@dataclass(slots=True)
class _Draft:
    """A set in the making."""

    source: Source | None
    own: list[OwnItem] = field(default_factory=list)
    cents: int = 0
    """What it would pay as it stands."""

    def __post_init__(self) -> None:
        if self.source is not None:
            self.cents = self.source.natural_cents

    @property
    def advice_id(self) -> int | None:
        return None if self.source is None else self.source.advice_id

    def add(self, item: OwnItem) -> None:
        self.own.append(item)
        self.cents -= item.amount_cents

    def made(self, trace_number: str, method: Method) -> ChildSet:
        return ChildSet(
            source=self.source,
            own=tuple(self.own),
            payment_cents=self.cents,
            trace_number=trace_number,
            method=method,
        )


def _check(sources: Sequence[Source], own: Sequence[OwnItem], paid_cents: int) -> None:
    if paid_cents < 0:
        raise ValueError(f"{paid_cents} cents can not be paid")
    if len({source.advice_id for source in sources}) < len(sources):
        raise ValueError("an advice comes twice")
    natural_cents = sum(source.natural_cents for source in sources)
    own_cents = sum(item.amount_cents for item in own)
    if natural_cents - own_cents != paid_cents:
        raise ValueError(
            f"shares of {natural_cents} cents less own items of {own_cents} are not the {paid_cents} that are paid"
        )


def _one_payment(sources: Sequence[Source], own: Sequence[OwnItem]) -> list[_Draft]:
    """Put all own items into a set of the PSAO's own."""
    drafts = [_Draft(source) for source in sources]
    if own:
        psao = _Draft(None)
        for item in own:
            psao.add(item)
        drafts.append(psao)
    return drafts


def _payment_each(sources: Sequence[Source], own: Sequence[OwnItem]) -> list[_Draft]:
    """Put each own item, whole, into the advice's set where it fits best; the largest items choose first.

    What is given goes to the lowest set unless that would lift it above zero: then it would be paid under the number
    of an advice that it has nothing to do with, and has a set of the PSAO's own. What is taken comes from the largest.
    """
    drafts = [_Draft(source) for source in sources]
    psao = _Draft(None)
    for item in sorted(own, key=lambda item: item.amount_cents):
        if item.amount_cents < 0:
            lowest = min(drafts, key=lambda draft: draft.cents, default=psao)
            (lowest if lowest.cents <= item.amount_cents else psao).add(item)
    if psao.own or not drafts:
        drafts.append(psao)
    for item in sorted(own, key=lambda item: -item.amount_cents):
        if item.amount_cents > 0:
            max(drafts, key=lambda draft: draft.cents).add(item)
    return [draft for draft in drafts if draft is not psao or psao.own]
