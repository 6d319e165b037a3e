"""A small story told to the real ledger: members A, B and C, a fee of 200.00 each, 5,000.00 of float."""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import Engine

from app.database import reading
from ledger.posting import Posted
from ledger.proofs import Proof, prove
from tests.integration.ledger_helpers import RealLedger
from tests.model import events
from tests.model.events import Advice, Fact
from tests.model.facts import FlatFee, Member, Payout, Transaction
from tests.model.ledger_model import Model

BOOK_PROOFS = (Proof.P1, Proof.P2, Proof.P3, Proof.P5, Proof.P6, Proof.P9, Proof.P10)
"""Proofs that ask nothing but the ledger itself."""


class Books(RealLedger):
    """A real ledger told one fact after the other; December 2025 to February 2026 are open."""

    def __init__(self, app: Engine, owner: Engine) -> None:
        super().__init__(app, owner)
        self._facts = 0
        self.lay(_members())
        self.bank("float", 5_000_00)
        self.post(events.float_deposited(self.fact(), "float", 5_000_00))

    def fact(self, key: str = "") -> Fact:
        """Give a fact of the tenth of January; without a key, a new one."""
        self._facts += 1
        return Fact(key or f"fact-{self._facts}", date(2026, 1, 10))

    def bank(self, name: str, cents: int) -> Posted:
        """Take in a bank line and post it."""
        self.add_bank_line(name, cents)
        build = events.deposited if cents > 0 else events.debited
        return self.post(build(self.fact(), name, abs(cents)))[0]

    def waiting(self, advice: Advice) -> Transaction:
        """Advise and deposit; give the funding that is still to be posted."""
        self.post(events.advised(self.fact(), advice))
        deposits = {}
        if advice.paid_cents:
            deposits = {f"deposit {advice.advice_id}": advice.paid_cents}
            self.bank(f"deposit {advice.advice_id}", advice.paid_cents)
        return events.funded(self.fact(), advice, deposits)

    def pay(self, name: str, shares: dict[str, int]) -> Posted:
        """Advise, deposit and match an advice."""
        return self.post(self.waiting(Advice(name, shares)))[0]

    def approve(self, *payouts: Payout) -> None:
        """Let another person approve payouts."""
        for payout in payouts:
            self.approve_payout(payout, proposer="finance", approver="controller")

    def release(self, *payouts: Payout) -> Posted:
        """Approve payouts and release them."""
        self.approve(*payouts)
        return self.post(events.payout_released(self.fact(), payouts))[0]

    def failing(self, proofs: Iterable[Proof] = BOOK_PROOFS) -> list[Proof]:
        """Name the proofs that do not hold."""
        with reading(self.app) as connection:
            return [proof for proof in proofs if not prove(connection, proof).holds]


def _members() -> Model:
    model = Model()
    for month in (202512, 202601, 202602):
        model.open_period(month)
    for name in ("A", "B", "C"):
        model.add_member(Member(name, date(2025, 1, 1)))
        model.add_fee(FlatFee(name, date(2025, 1, 1), 200_00))
    return model
