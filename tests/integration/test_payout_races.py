"""Two sessions at the same moment on one payout's life: it ends as one after the other, and all proofs hold.

The plain model takes each pair of steps in both orders; the real outcome must be one of the two.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import Engine

from schemas.errors import RefusedError, WrongUseError
from tests.support.payout_life import STORES, NothingThereError, PayoutLife
from tests.support.payout_model import CHECKER, SECOND, NotNow, PayoutModel, Step

ROUNDS = 60 if os.environ.get("CENTRALPAY_LONG") == "1" else 2
THIS = "this"
"""Stands for the cycle that the round is about."""

_PROPOSED: tuple[Step, ...] = (("fund", ("A", 300_000)), ("fund", ("B", 200_000)), ("propose", ()))
_APPROVED = (*_PROPOSED, ("approve", (THIS, CHECKER)), ("approve", (THIS, SECOND)))
_RELEASED = (*_APPROVED, ("release", (THIS,)))
_SETTLED = (*_RELEASED, ("settle", (THIS,)))
_RETURNED = (*_SETTLED, ("give_back", (THIS, "A")))

RACES: dict[str, tuple[tuple[Step, ...], Step, Step]] = {
    "propose, release": ((*_APPROVED, ("fund", ("A", 7_000))), ("propose", ()), ("release", (THIS,))),
    "propose, propose": ((*_PROPOSED, ("fund", ("C", 9_000))), ("propose", ()), ("propose", ())),
    "propose, approve": ((*_PROPOSED, ("fund", ("C", 9_000))), ("propose", ()), ("approve", (THIS, CHECKER))),
    "propose, void": (_PROPOSED, ("propose", ()), ("void", (THIS,))),
    "propose, hold": (_PROPOSED, ("propose", ()), ("hold", ("A",))),
    "approve, void": (_PROPOSED, ("approve", (THIS, CHECKER)), ("void", (THIS,))),
    "approve, exclude": (_PROPOSED, ("approve", (THIS, CHECKER)), ("exclude", (THIS, "A"))),
    "approve, approve": (
        (("fund", ("A", 700_000)), ("propose", ())),
        ("approve", (THIS, CHECKER)),
        ("approve", (THIS, SECOND)),
    ),
    "exclude, release": (_APPROVED, ("exclude", (THIS, "A")), ("release", (THIS,))),
    "void, release": (_APPROVED, ("void", (THIS,)), ("release", (THIS,))),
    "release, release": (_APPROVED, ("release", (THIS,)), ("release", (THIS,))),
    "hold, release": (_APPROVED, ("hold", ("A",)), ("release", (THIS,))),
    "fund, release": (_APPROVED, ("fund", ("A", 5_000)), ("release", (THIS,))),
    "settle, sweep": ((*_RELEASED, ("answer", (THIS, "A"))), ("settle", (THIS,)), ("sweep", ())),
    "reverse settlement, settle": (_SETTLED, ("reverse_settlement", (THIS,)), ("settle", (THIS,))),
    "reverse settlement, sweep": ((*_SETTLED, ("answer", (THIS, "A"))), ("reverse_settlement", (THIS,)), ("sweep", ())),
    "reverse settlement twice": (_SETTLED, ("reverse_settlement", (THIS,)), ("reverse_settlement", (THIS,))),
    "reverse return, lift": (_RETURNED, ("reverse_return", (THIS, "A")), ("lift_return", (THIS, "A"))),
    "reverse return, reverse settlement": (_RETURNED, ("reverse_return", (THIS, "A")), ("reverse_settlement", (THIS,))),
    "reverse release, settle": (_RELEASED, ("reverse_release", (THIS,)), ("settle", (THIS,))),
    "lift return, propose": ((*_RETURNED, ("fund", ("B", 3_000))), ("lift_return", (THIS, "A")), ("propose", ())),
}


@pytest.fixture(scope="module")
def sessions() -> Iterator[ThreadPoolExecutor]:
    """Give two threads; each works on connections of its own."""
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture
def life(app: Engine, quick_path: Path) -> PayoutLife:
    """Give an office of its own."""
    return PayoutLife(app, quick_path)


def _about(step: Step, number: int) -> Step:
    """Make a step one of this round: about its cycle, and with amounts that no other round has."""
    name, arguments = step
    if name == "fund":
        member, cents = arguments
        return name, (member, int(str(cents)) + number)
    return name, tuple(number if each is THIS else each for each in arguments)


def _expected(model: PayoutModel, *steps: Step) -> PayoutModel:
    """Take steps one after the other on a copy; what is refused changes nothing."""
    after = deepcopy(model)
    for name, arguments in steps:
        try:
            getattr(after, name)(*arguments)
        except NotNow:
            continue
    return after


def _take(life: PayoutLife, step: Step, together: Barrier | None = None) -> None:
    """Take a step; only our own refusals are an answer: no fault of the driver, such as a deadlock, is one."""
    name, arguments = step
    if together is not None:
        together.wait(10)
    try:
        getattr(life, name)(*arguments)
    except (RefusedError, WrongUseError, NothingThereError):
        return


@pytest.mark.parametrize(("before", "one", "other"), RACES.values(), ids=RACES.keys())
def test_two_sessions_end_as_one_after_the_other(
    life: PayoutLife, sessions: ThreadPoolExecutor, before: tuple[Step, ...], one: Step, other: Step
) -> None:
    """Many rounds of a pair at the same moment, each beginning where the last one ended, with a cycle of its own."""
    model = PayoutModel(tuple(STORES))
    for _ in range(ROUNDS):
        number = len(model.cycles) + 1
        for step in (_about(each, number) for each in before):
            model = _expected(model, step)
            _take(life, step)
        life.compare(model)
        pair = [_about(one, number), _about(other, number)]
        serial = [_expected(model, *pair), _expected(model, *reversed(pair))]
        together = Barrier(2)
        for future in [sessions.submit(_take, life, step, together) for step in pair]:
            future.result(60)
        outcome = life.outcome()
        fitting = [each for each in serial if each.outcome() == outcome]
        assert fitting, f"{outcome} is neither {serial[0].outcome()} nor {serial[1].outcome()}"
        model = fitting[0]
        life.books.prove()
        model = _cleared(life, model)


def _cleared(life: PayoutLife, model: PayoutModel) -> PayoutModel:
    """End what the round left open, so that the next one begins alike: no cycle to release, nothing held by people."""
    steps: list[Step] = []
    last = len(model.cycles)
    if model.cycles[-1].state in {"proposed", "approved"}:
        steps.append(("void", (last,)))
    steps += [("lift", (name,)) for name in STORES if model.kept[name]]
    for number, cycle in enumerate(model.cycles, 1):
        if cycle.state == "released":
            steps.append(("settle", (number,)))
    for step in steps:
        model = _expected(model, step)
        _take(life, step)
    life.compare(model)
    return model
