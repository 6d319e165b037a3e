"""The real ledger beside the model: the same steps, the same answers, the same balances, and the proofs at the end."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from random import Random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from sqlalchemy import text

from app.database import Role, connected, reading, unit_of_work
from ledger.errors import FactConflictError, LedgerRefusedError, MakerIsCheckerError
from ledger.proofs import Proof, prove
from tests.integration.ledger_helpers import Derived, RealLedger
from tests.model.facts import Posted, Transaction
from tests.model.proofs import failures_of
from tests.model.refusals import Refusal, Refused
from tests.model.steps import (
    AddBankLine,
    Append,
    ApproveDisbursement,
    ApprovePayout,
    ClosePeriod,
    OpenPeriod,
    Post,
    Reverse,
    Rewrite,
    Setting,
    Step,
    Write,
    take,
)
from tests.model.strategies import next_step, small_world

LONG = os.environ.get("CENTRALPAY_LONG") == "1"
"""Thousands of runs, for a night; without it, some seconds."""

EXAMPLES, STEPS = (2_000, 300) if LONG else (15, 120)


class Beside:
    """The model and the real ledger, taking the same steps."""

    def __init__(self, real: RealLedger) -> None:
        self.real = real
        self.model = small_world()
        self.numbers: dict[int, int] = {}
        """Transaction of the model to transaction of the database."""
        real.lay(self.model)

    def take(self, step: Step) -> None:
        """Take a step on both and compare their answers."""
        known = len(self.model.posted)
        expected: Refused | None = None
        posted: Posted | None = None
        try:
            posted = take(self.model, step)
        except Refused as refused:
            expected = refused
        try:
            number, replayed = self._really(step)
        except (LedgerRefusedError, MakerIsCheckerError) as error:
            _agree(expected, error)
        else:
            assert expected is None, f"the ledger took what the model refuses: {expected}"
            if posted is not None and number is not None:
                assert replayed == (len(self.model.posted) == known)
                self._compare(posted, number)
        assert self.real.accounts() == self.model.accounts

    def _really(self, step: Step) -> tuple[int | None, bool]:
        match step:
            case Post():
                result = self.real.post(self._numbered(step.transaction))[0]
                return result.transaction_id, result.replayed
            case Reverse():
                number = self.numbers.get(step.transaction_id, -1)
                result = self.real.reverse(number, step.fact_key, step.fact_on)
                return result.transaction_id, result.replayed
            case Write():
                return self.real.write(self._numbered(step.transaction)), False
            case Rewrite():
                self.real.rewrite(self.numbers[step.transaction_id])
            case Append():
                self.real.append(self.numbers[step.transaction_id], step.lines)
            case _:
                self._set(step)
        return None, False

    def _set(self, step: Setting) -> None:
        match step:
            case OpenPeriod():
                self.real.open_period(step.month)
            case ClosePeriod():
                self.real.close_period(step.month)
            case AddBankLine():
                self.real.add_bank_line(step.bank_line, step.amount_cents)
            case ApprovePayout():
                self.real.approve_payout(step.payout, proposer=step.proposer, approver=step.approver)
            case ApproveDisbursement():
                self.real.approve_disbursement(step.disbursement, proposer=step.proposer, approver=step.approver)

    def _numbered(self, asked: Transaction) -> Transaction:
        """Name the original of a reversal as the database does."""
        if asked.reverses is None:
            return asked
        return Transaction(
            asked.event,
            asked.fact_key,
            asked.fact_on,
            asked.lines,
            asked.bank_line,
            self.numbers.get(asked.reverses, -1),
        )

    def _compare(self, posted: Posted, number: int) -> None:
        assert self.numbers.setdefault(posted.transaction_id, number) == number
        assert self.real.effective_on(number) == posted.effective_on
        derived = [
            Derived(entry.event, line.owner, line.account, line.amount_cents)
            for entry in posted.derived
            for line in entry.lines
        ]
        assert self.real.derived(number) == sorted(derived)

    def prove(self) -> None:
        """Run every proof on both; the bank's statement closes at the sum of the lines that were booked."""
        assert failures_of(self.model) == []
        with unit_of_work(self.real.owner) as connection:
            connection.execute(_STATEMENT)
        with reading(self.real.app) as connection:
            # The books open and close months behind the triggers, and the seal has something to say of that.
            verdicts = [prove(connection, proof) for proof in Proof if proof is not Proof.P11]
        assert [verdict for verdict in verdicts if not verdict.holds] == []


def _agree(expected: Refused | None, error: LedgerRefusedError | MakerIsCheckerError) -> None:
    assert expected is not None, f"the ledger refuses what the model takes: {error}"
    number = error.number if isinstance(error, LedgerRefusedError) else Refusal.NOT_APPROVED
    assert number in expected.refusals, f"{error}, the model says {expected}"
    if isinstance(error, FactConflictError) and expected.fields - {"fact_key"} and "field" in error.facts:
        assert error.facts["field"] in expected.fields


_STATEMENT = text("""
    INSERT INTO bank_statement (custodial_account_id, as_of, file_id, closing_cents)
    SELECT 1, '2026-01-10', (SELECT file_id FROM received_file), coalesce(sum(amount_cents), 0)
    FROM bank_line JOIN journal_transaction USING (bank_line_id)
""")


def test_ledger_is_the_model(new_database: Callable[[], AbstractContextManager[str]]) -> None:
    """Over random runs of all events and all mistakes the ledger answers, derives, dates and sums as the model does."""

    class Machine(RuleBasedStateMachine):
        """A ledger of its own for each run, in a database of its own; every step commits."""

        def __init__(self) -> None:
            super().__init__()
            with ExitStack() as held:
                url = held.enter_context(new_database())
                app = held.enter_context(connected(url, Role.APP))
                owner = held.enter_context(connected(url, Role.OWNER))
                self.beside = Beside(RealLedger(app, owner))
                self.held = held.pop_all()

        @rule(chance=st.integers(0, 2**32))
        def step(self, chance: int) -> None:
            """Take a step that the state and the chance make."""
            self.beside.take(next_step(self.beside.model, Random(chance)))

        def teardown(self) -> None:
            """Prove the books, and drop them."""
            try:
                self.beside.prove()
            finally:
                self.held.close()

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
