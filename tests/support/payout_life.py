"""The real system taking the steps of ``PayoutModel``: domain functions on a database of its own, one day, one bank."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from sqlalchemy import Engine, text

from app.demo.pharmacies import Pharmacy
from ingest.bank.bai2_writer import StatementLine
from ledger.chart import Account
from ledger.posting import reverse
from payouts import decisions
from payouts.answers.returns import post_returns
from payouts.cycle import cycles, limits, settlement, voiding
from payouts.cycle.limits import LimitName
from payouts.holding import lifts
from payouts.holding.holds import HoldKind, HoldOrder, place_hold
from payouts.people.users import UserRole, add_user
from payouts.schedules.terms import change_terms
from schemas.schedules import PayoutSchedule
from tests.support.bank import paid_out
from tests.support.books import Books
from tests.support.payout_model import (
    CHECKER,
    MAKER,
    OWN_FLOAT_CENTS,
    SECOND,
    TWO_APPROVERS_FROM_CENTS,
    PayoutModel,
)
from tests.support.trade import A, B, C, Part, remittance

DAY, REVIEW = date(2026, 11, 17), date(2026, 11, 20)
STORES: dict[str, Pharmacy] = {"A": A, "B": B, "C": C}
REASON = "asked to wait"


class NothingThereError(Exception):
    """There is nothing of the system's that the step could be about."""


@dataclass
class PayoutLife:
    """An office with three members, the float and the limit that the model has.

    Args:
        engine: of the application's role.
        folder: for vault, keys and what is sent.
    """

    engine: Engine
    folder: Path
    books: Books = field(init=False)
    cycle_ids: list[int] = field(default_factory=list)
    """The database's number of each cycle of the model."""
    _debits: dict[int, str] = field(default_factory=dict)
    _holds: dict[str, int] = field(default_factory=dict)
    _facts: int = 0

    def __post_init__(self) -> None:
        self.books = Books(self.engine, self.folder)
        self.books.found(*STORES.values())
        self.books.put_in("OWN", OWN_FLOAT_CENTS, DAY)
        with self.books.begin() as connection:
            add_user(connection, SECOND, UserRole.APPROVER, MAKER)
            name, cents = LimitName.TWO_APPROVERS_FROM, TWO_APPROVERS_FROM_CENTS
            approval = limits.propose_limit(connection, name, cents, DAY, today=DAY, actor=MAKER)
            decisions.decide(connection, approval, CHECKER, approve=True)
        self.members = {name: self.books.member(store) for name, store in STORES.items()}

    # Steps

    def change_terms(self, member: str, schedule: str, minimum_cents: int) -> None:
        """Change schedule and least payment; the same again changes nothing."""
        with self.books.begin() as connection:
            change_terms(
                connection,
                self.members[member],
                schedule=PayoutSchedule(schedule),
                minimum_cents=minimum_cents,
                reason="asked by letter",
                on=DAY,
                actor=MAKER,
            )

    def fund(self, member: str, cents: int) -> None:
        """Remit, deposit and match."""
        self._facts += 1
        self.books.fund(remittance(f"TRN{self._facts:04d}", DAY, Part(STORES[member], (cents,))))

    def hold(self, member: str) -> None:
        """Hold all that is available, where no other such hold stands."""
        if member in self._holds:
            raise NothingThereError
        cents = self.books.balance(self.members[member], Account.DUE_AVAILABLE)
        order = HoldOrder(
            member_id=self.members[member],
            kind=HoldKind.REVIEW,
            reason="details in question",
            authority="contract, section 4",
            review_on=REVIEW,
            placed_on=DAY,
            limit_cents=cents,
        )
        with self.books.begin() as connection:
            self._holds[member] = place_hold(connection, order, MAKER)

    def lift(self, member: str) -> None:
        """Lift the hold that a person placed."""
        if member not in self._holds:
            raise NothingThereError
        self._lift(self._holds.pop(member))

    def propose(self) -> bool:
        """Propose; say whether it is a new cycle."""
        made = self.books.propose(DAY).cycle_id
        if self.cycle_ids and self.cycle_ids[-1] == made:
            return False
        self.cycle_ids.append(made)
        return True

    def approve(self, number: int, actor: str) -> None:
        """Approve, or be the first of two."""
        with self.books.begin() as connection:
            cycles.approve(connection, self._id(number), actor)

    def exclude(self, number: int, member: str) -> None:
        """Leave a member out."""
        with self.books.begin() as connection:
            voiding.exclude_member(connection, self._id(number), self.members[member], REASON, MAKER)

    def void(self, number: int) -> None:
        """Void, as an approver."""
        with self.books.begin() as connection:
            voiding.void_cycle(connection, self._id(number), "not today", CHECKER)

    def release(self, number: int) -> None:
        """Release into the folder."""
        self.books.release(self._id(number))

    def settle(self, number: int) -> None:
        """Let the bank debit what is in transit, once, and settle by a person's word."""
        cycle_id = self._id(number)
        with self.books.begin() as connection:
            cycle = cycles.show(connection, cycle_id)
        if cycle.state == "released" and number not in self._debits:
            self._debits[number] = f"OUT{number}"
            self.books.book(DAY, paid_out(self._debits[number], cycle.total_cents))
        with self.books.begin() as connection:
            reference = self._debits.get(number, "NONE")
            approval = settlement.propose_settlement(connection, cycle_id, reference, MAKER)
            decisions.decide(connection, approval, CHECKER, approve=True)

    def give_back(self, number: int, member: str) -> None:
        """Let the bank send a payment back, and put it into the books."""
        self.answer(number, member)
        self.sweep()

    def answer(self, number: int, member: str) -> None:
        """Let a payment's return come, and its credit."""
        rows = self.books.ask(_PAYOUT, cycle=self._id(number), member=self.members[member])
        if not rows or rows[0].state not in {"released", "settled"} or rows[0].is_answered:
            raise NothingThereError
        payout = rows[0]
        self._facts += 1
        with self.books.begin() as connection:
            facts = {name: payout._mapping[name] for name in ("payout_id", "amount_cents", "trace_number")}
            connection.execute(text(_ANSWER), facts | {"number": self._facts})
        said = f"ACH RETURN {int(payout.trace_number):015d}"
        self.books.book(DAY, StatementLine("257", payout.amount_cents, f"BACK{self._facts}", "", said))

    def sweep(self) -> None:
        """Put open returns into the books."""
        post_returns(self.books.begin, MAKER)

    def lift_return(self, number: int, member: str) -> None:
        """Lift the hold of a return."""
        rows = self.books.ask(_HOLD, cycle=self._id(number), member=self.members[member])
        if not rows:
            raise NothingThereError
        self._lift(rows[0].hold_id)

    def reverse_release(self, number: int) -> None:
        """Turn a release."""
        self._reverse(f"payout_released:cycle:{self._id(number)}")

    def reverse_settlement(self, number: int) -> None:
        """Turn a settlement."""
        self._reverse(f"payout_settled:cycle:{self._id(number)}")

    def reverse_return(self, number: int, member: str) -> None:
        """Turn a return."""
        rows = self.books.ask(_RETURN, cycle=self._id(number), member=self.members[member])
        self._reverse(rows[0].fact_key if rows else "none")

    def _reverse(self, fact: str) -> None:
        """Turn the last posting of a fact; one that there is not can not be turned."""
        self._facts += 1
        rows = self.books.ask(_LAST, key=fact, more=f"{fact}:%")
        number, key = rows[0].transaction_id if rows else 0, f"undo:{self._facts}"
        with self.books.begin() as connection:
            reverse(connection, number, fact_key=key, fact_on=DAY, actor=MAKER, reason="it was another's")

    def _lift(self, hold_id: int) -> None:
        with self.books.begin() as connection:
            approval = lifts.ask_lift(connection, hold_id, None, "confirmed", MAKER, on=DAY)
            decisions.decide(connection, approval, CHECKER, approve=True)

    def _id(self, number: int) -> int:
        return self.cycle_ids[number - 1] if 1 <= number <= len(self.cycle_ids) else 0

    # Looking

    def compare(self, model: PayoutModel) -> None:
        """See that states and balances are the model's, and that all proofs hold."""
        assert self.outcome() == model.outcome()
        self.books.prove()

    def outcome(self) -> dict[str, object]:
        """Give all that the model knows, too."""
        return {
            "states": self.states(),
            "due": self.balances(Account.DUE_AVAILABLE),
            "held": self.balances(Account.HELD),
            "in transit": self.balances(Account.IN_TRANSIT),
            "open debits": -self.books.house(Account.UNMATCHED_DEBIT),
            "open credits": self.books.house(Account.UNMATCHED_DEPOSIT),
        }

    def states(self) -> list[tuple[str, dict[str, str]]]:
        """Give the state of each cycle and of its payouts, in their order."""
        names = {number: name for name, number in self.members.items()}
        found: list[tuple[str, dict[str, str]]] = []
        for cycle_id in self.cycle_ids:
            rows = self.books.ask(_STATES, cycle=cycle_id)
            found.append((rows[0].cycle, {names[row.member_id]: row.state for row in rows}))
        return found

    def balances(self, account: Account) -> dict[str, int]:
        """Give the members' balances of an account, credit-positive."""
        return {name: self.books.balance(number, account) for name, number in self.members.items()}


_STATES = """
    SELECT c.state AS cycle, o.member_id, o.state
    FROM cycle c JOIN payout o USING (cycle_id) WHERE c.cycle_id = :cycle"""
_PAYOUT = """
    SELECT o.payout_id, o.amount_cents, o.trace_number, o.state,
        EXISTS (SELECT FROM ach_answer a WHERE a.payout_id = o.payout_id) AS is_answered
    FROM payout o WHERE o.cycle_id = :cycle AND o.member_id = :member"""
_ANSWER = """
    INSERT INTO ach_answer (file_id, line, kind, code, original_trace, answer_trace, amount_cents, received_on, text,
        entry_kind, payout_id, treatment)
    SELECT min(file_id), :number, 'return', 'R32', CAST(:trace_number AS bigint), 71000000000000 + :number,
        :amount_cents, '2026-11-17', '', 'payout', :payout_id, 'bank_temporary' FROM received_file"""
_HOLD = """
    SELECT a.hold_id FROM ach_answer a JOIN payout o USING (payout_id)
    WHERE o.cycle_id = :cycle AND o.member_id = :member AND 0 <> (
        SELECT coalesce(sum(l.amount_cents), 0) FROM line l WHERE l.account = 'held' AND l.reference = a.hold_id)"""
_RETURN = """
    SELECT a.fact_key FROM ach_answer a JOIN payout o USING (payout_id)
    WHERE o.cycle_id = :cycle AND o.member_id = :member AND a.fact_key IS NOT NULL"""
_LAST = """
    SELECT transaction_id FROM journal_transaction WHERE fact_key = :key OR fact_key LIKE :more
    ORDER BY transaction_id DESC LIMIT 1"""
