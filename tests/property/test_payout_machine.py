"""Every interleaving of a payout's steps beside a plain model: both refuse the same, and all proofs hold after each."""

import os
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from app.database import Role, connected
from schemas.errors import CentralpayError
from tests.support.payout_life import STORES, NothingThereError, PayoutLife
from tests.support.payout_model import NotNow, PayoutModel, next_step

LONG = os.environ.get("CENTRALPAY_LONG") == "1"
"""A night's worth; without it, some seconds."""
EXAMPLES, STEPS = (300, 80) if LONG else (6, 40)


def test_payouts_live_as_the_model_says(new_database: Callable[[], AbstractContextManager[str]]) -> None:
    """Fund, change terms, hold, lift, propose, approve, exclude, void, release, settle, return, reverse, in any order.

    Both answer the same to every step, and after it states, balances, open debits and open credits are the model's.
    """

    class Machine(RuleBasedStateMachine):
        """An office of its own for each run; every step commits."""

        def __init__(self) -> None:
            super().__init__()
            with ExitStack() as held:
                url = held.enter_context(new_database())
                engine = held.enter_context(connected(url, Role.APP))
                folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
                self.real = PayoutLife(engine, folder)
                self.held = held.pop_all()
            self.model = PayoutModel(tuple(STORES))

        @rule(chance=st.integers(0, 2**32))
        def step(self, chance: int) -> None:
            """Take a step on both; either both refuse it, or both give the same."""
            name, arguments = next_step(self.model, Random(chance))
            really = partial(getattr(self.real, name), *arguments)
            try:
                result = getattr(self.model, name)(*arguments)
            except NotNow:
                with pytest.raises((CentralpayError, NothingThereError)):
                    really()
            else:
                assert really() == result

        @invariant()
        def agrees(self) -> None:
            """See that states and balances are the model's, and that all proofs hold."""
            self.real.compare(self.model)

        def teardown(self) -> None:
            """Drop the office."""
            self.held.close()

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
