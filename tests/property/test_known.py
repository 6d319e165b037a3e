"""The same question gives the same answer for ever: random lives of payouts, sealed at random moments."""

import os
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.database import Role, connected
from schemas.errors import CentralpayError
from tests.support.known import Seal, differences
from tests.support.payout_life import STORES, NothingThereError, PayoutLife
from tests.support.payout_model import NotNow, PayoutModel, next_step

LONG = os.environ.get("CENTRALPAY_LONG") == "1"
EXAMPLES, STEPS, SEALS = (60, 120, 20) if LONG else (3, 50, 7)


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(chance=st.integers(0, 2**32))
def test_every_row_is_known_as_it_was(new_database: Callable[[], AbstractContextManager[str]], chance: int) -> None:
    """Funding, holds, cycles, settlements, returns, reversals: each table and view of the past is as it was."""
    random = Random(chance)
    with new_database() as url, connected(url, Role.APP) as engine, tempfile.TemporaryDirectory() as folder:
        real, model = PayoutLife(engine, Path(folder)), PayoutModel(tuple(STORES))
        seal = Seal(real.books.begin, Path(folder))
        sealed_after = {random.randrange(STEPS) for _ in range(SEALS)} | {STEPS - 1}
        asked = []
        for step in range(STEPS):
            name, arguments = next_step(model, random)
            with suppress(NotNow):
                getattr(model, name)(*arguments)
                with suppress(CentralpayError, NothingThereError):
                    getattr(real, name)(*arguments)
            if step in sealed_after:
                checkpoint = seal.seal()
                asked.append((checkpoint, seal.asked(None)))
                for before, was in asked:
                    assert differences(was, seal.asked(before)) == []
        assert len({checkpoint.size for checkpoint, _ in asked}) > 2
