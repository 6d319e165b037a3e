"""The worked example of the ledger's documentation, row by row and to the cent, through the commands."""

from datetime import date
from uuid import UUID

import pytest

from app.database import Role, connected, unit_of_work
from app.demo.pharmacies import Pharmacy
from ingest.directory import find_member
from ledger.batch import Batch, Transaction, pair
from ledger.chart import Account, Event, Ledger
from ledger.events import hold_lifted, payout_returned
from ledger.posting import post
from tests.support.bank import paid_in, paid_out, sent_back
from tests.support.office import CHECKER, MAKER, Office
from tests.support.trade import A, B, C, Part, remittance


class Story:
    """The office while it lives through the example."""

    def __init__(self, office: Office) -> None:
        self.office = office

    def post(self, transaction: Transaction) -> None:
        """Post an event that has no command yet, as the application would."""
        batch = Batch()
        batch.add(transaction)
        with connected(self.office.shell.database_url, Role.APP) as engine, unit_of_work(engine) as connection:
            post(connection, batch, MAKER)

    def member(self, store: Pharmacy) -> UUID:
        """Give the member behind a pharmacy."""
        with connected(self.office.shell.database_url, Role.APP) as engine, unit_of_work(engine) as connection:
            return find_member(connection, store.ncpdp_id)

    def stands(
        self, *, due: dict[Pharmacy, int], advance: int, own: int, bank: int, leaving: dict[Pharmacy, int]
    ) -> None:
        """Assert a row of the table: due (available or held), in transit, B's advance, float, bank; and all proofs."""
        balances = self.office.trial_balance()
        for store in (A, B, C):
            owed = [balances.get((store.ncpdp_id, "custody", account), 0) for account in ("due_available", "held")]
            assert -sum(owed) == due.get(store, 0), f"due to {store.ncpdp_id}"
            assert -balances.get((store.ncpdp_id, "custody", "in_transit"), 0) == leaving.get(store, 0)
        assert -balances.get((B.ncpdp_id, "custody", "operating_advance"), 0) == advance
        assert balances.get((B.ncpdp_id, "operating", "advance_receivable"), 0) == advance
        assert -balances["house", "custody", "operating_float"] == own
        assert sum(cents for (_, _, account), cents in balances.items() if account == "cash") == bank
        assert self.office.bank.balance_cents == bank
        self.office.prove()

    def open(self) -> None:
        """Give A its opening 300.00 by an earlier remittance, and the float its 5,000.00."""
        self.office.fund(remittance("TRN1001", date(2026, 11, 2), Part(A, (300_00,))))
        self.office.put_in("OWN1", 5_000_00, date(2026, 11, 2))
        self.stands(due={A: 300_00}, advance=0, own=5_000_00, bank=5_300_00, leaving={})

    def remit(self) -> None:
        """Remit 12,500.00: A 10,000.00, B 2,700.00 less 200.00 that the payer takes; deposit; match."""
        parts = Part(A, (6_000_00, 4_000_00)), Part(B, (2_700_00,), (("WO", 200_00),))
        self.office.fund(remittance("TRN1002", date(2026, 11, 3), *parts))
        self.stands(due={A: 10_300_00, B: 2_500_00}, advance=0, own=5_000_00, bank=17_800_00, leaving={})

    def pay_a(self) -> None:
        """Assess the fees, waive B's, hold B back, pay A; the fee is collected and swept by that release."""
        assessed = self.office.ask("fees", "assess", "--month", "2026-11")
        assert (assessed["members"], assessed["amount_cents"]) == (3, 600_00)
        self.office.waive(B, "2026-11", date(2026, 11, 4))
        b = self.member(B)
        hold = pair(b, Ledger.CUSTODY, (Account.DUE_AVAILABLE, None), (Account.HELD, None), 2_500_00)
        self.post(Transaction(Event.HELD, "held:B", date(2026, 11, 4), tuple(hold), "bank details in question"))
        cycle = self.office.propose(date(2026, 11, 4))
        assert [(each["ncpdp_id"], each["amount_cents"], each["fee_cents"]) for each in cycle["payouts"]] == [
            (A.ncpdp_id, 10_100_00, 200_00)
        ]
        assert {each["ncpdp_id"]: each["reason"] for each in cycle["omitted"]}[B.ncpdp_id] == "held"
        self.office.ask("cycle", "approve", str(cycle["cycle_id"]), user=CHECKER)
        assert self.office.release(cycle["cycle_id"])["total_cents"] == 10_100_00
        # The table shows this row before the payout left: due and in transit together are its 10,100.00.
        self.stands(due={B: 2_500_00}, advance=0, own=5_200_00, bank=17_800_00, leaving={A: 10_100_00})

    def settle(self) -> None:
        """Let the bank debit 10,100.00."""
        self.office.book(date(2026, 11, 5), paid_out("OUT1", 10_100_00))
        assert [each["amount_cents"] for each in self.office.match()["settled"]] == [10_100_00]
        self.stands(due={B: 2_500_00}, advance=0, own=5_200_00, bank=7_700_00, leaving={})

    def pay_again(self) -> None:
        """Take A's payout back (R03), lift what is held for A and B, and pay both."""
        self.office.book(date(2026, 11, 6), sent_back("BACK1", 10_100_00))
        self.office.match()
        (subject,) = (subject for kind, subject in self.office.cases() if kind == "deposit_without_advice")
        line_id = int(subject.removeprefix("bank line "))
        a, b = self.member(A), self.member(B)
        self.post(payout_returned("returned:A", date(2026, 11, 6), a, 10_100_00, line_id))
        self.stands(due={A: 10_100_00, B: 2_500_00}, advance=0, own=5_200_00, bank=17_800_00, leaving={})
        self.post(hold_lifted("lifted:A", date(2026, 11, 6), a, 10_100_00, "new account confirmed"))
        self.post(hold_lifted("lifted:B", date(2026, 11, 6), b, 2_500_00, "bank details confirmed"))
        released = self.office.pay(date(2026, 11, 6))
        assert (released["payouts"], released["total_cents"], released["fee_cents"]) == (2, 12_600_00, 0)
        leaving = {A: 10_100_00, B: 2_500_00}
        self.stands(due={}, advance=0, own=5_200_00, bank=17_800_00, leaving=leaving)

    def turn_negative(self) -> None:
        """Remit 600.00: A 2,000.00, B takes 3,100.00 back, C 1,700.00; the float covers B in the same transaction."""
        parts = Part(A, (2_000_00,)), Part(B, (-3_100_00,)), Part(C, (1_700_00,))
        self.office.fund(remittance("TRN1003", date(2026, 11, 9), *parts))
        leaving = {A: 10_100_00, B: 2_500_00}
        due = {A: 2_000_00, B: -3_100_00, C: 1_700_00}
        self.stands(due=due, advance=3_100_00, own=2_100_00, bank=18_400_00, leaving=leaving)
        assert self.office.cases()["negative_member", B.ncpdp_id] == 3_100_00

    def settle_both(self) -> None:
        """Let the bank debit 12,600.00."""
        self.office.book(date(2026, 11, 10), paid_out("OUT2", 12_600_00))
        assert [each["amount_cents"] for each in self.office.match()["settled"]] == [12_600_00]
        due = {A: 2_000_00, B: -3_100_00, C: 1_700_00}
        self.stands(due=due, advance=3_100_00, own=2_100_00, bank=5_800_00, leaving={})

    def repay(self) -> None:
        """Fund B's next 4,000.00; its advance is repaid in the same transaction."""
        self.office.remit(remittance("TRN1004", date(2026, 11, 12), Part(B, (4_000_00,))))
        self.office.book(date(2026, 11, 12), paid_in("TRN1004", 4_000_00))
        self.office.match()
        due = {A: 2_000_00, B: 900_00, C: 1_700_00}
        self.stands(due=due, advance=0, own=5_200_00, bank=9_800_00, leaving={})
        assert ("negative_member", B.ncpdp_id) not in self.office.cases()


def test_the_worked_example_is_true_to_the_cent(office: Office) -> None:
    """Every row of the table stands as it says, and all ten proofs hold after each.

    Three events are posted through the ledger's one way in: the hold that keeps B out of the first payout (the table
    pays A alone and does not say why), the return of A's payout, and the lifting of both holds. ``Due`` is what is
    available and what is held together. The table's second row is taken after the release that collects the fee, so
    A's 10,100.00 stand in transit there.
    """
    story = Story(office)
    for step in (
        story.open,
        story.remit,
        story.pay_a,
        story.settle,
        story.pay_again,
        story.turn_negative,
        story.settle_both,
        story.repay,
    ):
        step()


@pytest.mark.parametrize("as_of", ["2026-11-02", "2026-11-03"])
def test_any_past_day_can_be_asked_for(office: Office, as_of: str) -> None:
    """The trial balance as of a day is the one that stood that evening, whatever came later."""
    story = Story(office)
    story.open()
    evening = office.trial_balance()
    office.remit(remittance("TRN1002", date(2026, 11, 4), Part(A, (10_000_00,))))
    assert office.trial_balance("--as-of", as_of) == evening
    assert office.trial_balance() != evening
