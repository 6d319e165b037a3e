"""Members' figures, added up as they are read."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from payouts.certificates.kinds import PARTS
from payouts.certificates.model import Figures, PayerMonth, Roll

_FEES: Final = ("due", "assessed", "waived", "collected", "refunded", "open")


class Sums:
    """Figures of members, added up as they are read."""

    def __init__(self) -> None:
        self.members = 0
        self.opening: dict[str, int] = defaultdict(int)
        self.closing: dict[str, int] = defaultdict(int)
        self.changes = dict.fromkeys(PARTS, 0)
        self.retained_cents = 0
        self.fee_months = 0
        self.fees = dict.fromkeys(_FEES, 0)
        self.rolls: dict[str, list[Roll]] = defaultdict(list)
        self.advances: list[Roll] = []
        self.payers: dict[str, PayerMonth] = {}
        self.taken: dict[str, int] = defaultdict(int)
        self.advised_cents = 0

    def add(self, each: Figures) -> None:
        """Take a member's figures."""
        self.members += 1
        for sums, parts in ((self.opening, each.opening_parts_cents), (self.closing, each.closing_parts_cents)):
            for name, cents in parts.model_dump().items():
                sums[name] += cents
        for part, cents in each.changes_cents.items():
            self.changes[part] += cents
        self.retained_cents += each.retained_cents
        self.fee_months += len(each.fees)
        for fee in each.fees:
            for name in _FEES:
                self.fees[name] += getattr(fee, f"{name}_cents")
        for name, roll in each.on_the_way_cents.items():
            self.rolls[name] = [together([*self.rolls[name], roll])]
        self.advances = [together([*self.advances, each.advance_cents])]
        for payer in each.payers:
            before = self.payers.get(payer.payer_id)
            self.payers[payer.payer_id] = payer if before is None else _both(before, payer)
            self.advised_cents += payer.claims_cents + payer.taken_cents
        for taken in each.taken:
            self.taken[f"{taken.payer_name}: {taken.reason or taken.words}"] += taken.amount_cents


def together(rolls: Sequence[Roll]) -> Roll:
    """Add accounts that were rolled forward up."""
    return Roll(**{name: sum(getattr(each, name) for each in rolls) for name in Roll.model_fields})


def _both(one: PayerMonth, other: PayerMonth) -> PayerMonth:
    named = {"payer_id", "payer_name"}
    sums = {name: getattr(one, name) + getattr(other, name) for name in PayerMonth.model_fields if name not in named}
    return PayerMonth(payer_id=one.payer_id, payer_name=one.payer_name, **sums)
