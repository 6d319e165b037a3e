"""Case ``statements``: everybody's statements of a month, read from their books, and written in each form."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice

from bench.figures import Figure, Report
from bench.ingesting import receive
from bench.machine import peak_memory_mb
from bench.paying import deposit, prepare
from bench.remittances import PAID_ON, write_directory, write_one_claim_each
from bench.workshop import ACTOR, CHECKER, Place, Workshop, apart, at
from payouts.cycle import cycles
from payouts.statements.forms import StatementForm, written_in_order
from payouts.statements.model import Statement
from payouts.statements.reading import statements

_WRITTEN_PART = 10
"""One of so many statements is written in each form: more would only take longer."""


@dataclass(frozen=True)
class _Measured:
    read: float
    known: float
    """The same, as known at a checkpoint."""
    members: int
    peak_mb: float
    written: dict[str, float]
    """Statements a second by form."""
    bytes_each: dict[str, int]


def measure(shop: Workshop) -> Report:
    """Pay all members of a roster, then read and write the month's statements, again and again."""
    members = shop.sizes.payouts
    roster, payers = write_directory(shop.folder, shop.seed, members)
    remittance = shop.folder / "one_each.835"
    payment = apart(write_one_claim_each, remittance, shop.seed, members)
    bank_file = shop.folder / "deposit.bai2"
    bank_file.write_bytes(deposit(payment))
    place = shop.new_place()
    shop.say("statements: a month is lived")
    apart(receive, place, [roster])
    apart(receive, place, [payers, remittance, bank_file])
    apart(prepare, place)
    shop.analyze(place)
    apart(_pay, place)
    shop.analyze(place)
    runs = []
    for number in range(shop.repeat):
        shop.say(f"statements: run {number + 1}")
        shop.settle_down()
        runs.append(apart(_write, place, members))
    shop.remove(place)
    size = f"{members:,} members"
    figures = [
        Figure("statements read, footed and tied", size, "statements/s", tuple(m.members / m.read for m in runs)),
        Figure("the same as known at a checkpoint", size, "statements/s", tuple(m.members / m.known for m in runs)),
    ]
    for form in StatementForm:
        each = runs[0].bytes_each[form.value]
        what = f"written as {form.value.upper()}, {each:,} bytes each"
        rates = tuple(run.written[form.value] for run in runs)
        figures.append(Figure(what, f"{max(1, members // _WRITTEN_PART):,} members", "statements/s", rates))
    figures.append(Figure("peak memory of that process", size, "MB", tuple(run.peak_mb for run in runs)))
    return Report("statements", "Statements of a month", tuple(figures))


def _pay(place: Place) -> None:
    with at(place) as session:
        with session.begin() as connection:
            cycle_id = cycles.propose(connection, PAID_ON, session.originator, ACTOR).cycle_id
        with session.begin() as connection:
            cycles.approve(connection, cycle_id, CHECKER)
        session.releaser().release(cycle_id, place.home / "out", papers=False)


def _write(place: Place, members: int) -> _Measured:
    with at(place) as session:
        began = time.perf_counter()
        with session.reading() as connection:
            count = sum(1 for _ in _month(statements(connection, None, *_SPAN)))
        read = time.perf_counter() - began
        assert count == members, f"{count} statements for {members} members"
        checkpoint = session.pinned()
        began = time.perf_counter()
        with session.reading() as connection:
            assert sum(1 for _ in statements(connection, None, *_SPAN, checkpoint=checkpoint)) == members
        known = time.perf_counter() - began
        with session.reading() as connection:
            some = list(islice(statements(connection, None, *_SPAN), max(1, members // _WRITTEN_PART)))
        rates, lengths = {}, {}
        for form in StatementForm:
            began = time.perf_counter()
            sizes = [len(content) for _, content in written_in_order(some, form, session.sender)]
            rates[form.value] = len(some) / (time.perf_counter() - began)
            lengths[form.value] = sum(sizes) // len(sizes)
        return _Measured(read, known, count, peak_memory_mb(), rates, lengths)


_SPAN = (PAID_ON.replace(day=1), date(PAID_ON.year, PAID_ON.month, 30))


def _month(made: Iterator[Statement]) -> Iterator[Statement]:
    for each in made:
        assert each.payouts, f"{each.ncpdp_id} was not paid"
        yield each
