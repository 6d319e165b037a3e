"""A small story to tell the model: three members, a fee of 200.00 each, 5,000.00 of float."""

from datetime import date

import pytest

from tests.model import events
from tests.model.events import Advice, Fact
from tests.model.facts import HOUSE, FlatFee, Member, Payout, Posted, Transaction
from tests.model.ledger_model import Model
from tests.model.refusals import Refusal, Refused


class Story:
    """A model told one fact after the other; December 2025 to February 2026 are open."""

    def __init__(self) -> None:
        self.model = Model()
        for month in (202512, 202601, 202602):
            self.model.open_period(month)
        for name in ("A", "B", "C"):
            self.model.add_member(Member(name, date(2025, 1, 1)))
            self.model.add_fee(FlatFee(name, date(2025, 1, 1), 200_00))
        self.bank("float", 5_000_00)
        self.post(events.float_deposited(self.fact(), "float", 5_000_00))

    def fact(self, key: str = "") -> Fact:
        """Give a fact of the tenth of January; without a key, a new one."""
        return Fact(key or f"fact-{len(self.model.posted)}", date(2026, 1, 10))

    def post(self, transaction: Transaction) -> Posted:
        """Post what must be accepted."""
        return self.model.post(transaction)

    def bank(self, name: str, cents: int) -> None:
        """Take in a bank line and post it."""
        self.model.add_bank_line(name, cents)
        build = events.deposited if cents > 0 else events.debited
        self.post(build(self.fact(), name, abs(cents)))

    def pay(self, name: str, shares: dict[str, int]) -> None:
        """Advise, deposit and match an advice."""
        advice = Advice(name, shares)
        self.post(events.advised(self.fact(), advice))
        self.bank(f"deposit {name}", advice.paid_cents)
        self.post(events.funded(self.fact(), advice, {f"deposit {name}": advice.paid_cents}))

    def release(self, *payouts: Payout) -> Posted:
        """Approve payouts and release them."""
        for payout in payouts:
            self.model.approve_payout(payout, proposer="finance", approver="controller")
        return self.post(events.payout_released(self.fact(), payouts))

    def refused(self, transaction: Transaction) -> frozenset[Refusal]:
        """Post what must be refused, and see that nothing has changed by it."""
        before = (list(self.model.posted), dict(self.model.accounts), dict(self.model.items))
        with pytest.raises(Refused) as caught:
            self.model.post(transaction)
        assert before == (list(self.model.posted), dict(self.model.accounts), dict(self.model.items))
        return caught.value.refusals

    def row(self) -> tuple[int, ...]:
        """Give a row of the worked example in cents: A due, B due, B's advance, float, bank."""
        balance = self.model.balance
        return (
            balance("A", "due_available"),
            balance("B", "due_available"),
            balance("B", "operating_advance"),
            balance(HOUSE, "operating_float"),
            self.model.total("cash"),
        )
