"""Case ``cycle``: one cycle that pays every member, from the roster to the bank's debit, and the proofs after it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.demo.bank import settlement_statement
from app.session import Session
from bench.figures import Budget, Figure, Report
from bench.ingesting import receive
from bench.machine import peak_memory_mb
from bench.remittances import BANK_ACCOUNT, PAID_ON, Payment, write_directory, write_one_claim_each
from bench.workshop import ACTOR, CHECKER, Place, Workshop, apart, at
from ingest.bank.bai2_writer import StatementLine, write_bai2
from ingest.funding import sweep
from ledger.proofs import verify
from payouts.cycle import cycles
from payouts.cycle.settlement import settle
from payouts.fees.assessment import assess
from payouts.papers.again import leave_papers
from payouts.people import users
from payouts.people.users import UserRole
from schemas.calendar import next_banking_day

_STEPS = (
    ("roster", "roster imported", None),
    ("funded", "deposit matched, one advice for all members funded", None),
    ("assessed", "flat fees of a month assessed", None),
    ("proposed", "cycle proposed", None),
    ("approved", "cycle approved", None),
    ("released", "cycle released: fees, payouts, NACHA file, 835s", None),
    ("printed", "their notices as PDFs, and the list of the payments", None),
    ("total", "propose + release together, with a child 835 for each", Budget(60, 15)),
    ("with_papers", "the same with a notice as PDF for each", Budget(60, 15)),
    ("settled", "cycle settled by the bank's debit", None),
    ("verified", "all ten proofs over the result", None),
)


@dataclass(frozen=True, slots=True)
class _Prepared:
    funded: float
    assessed: float


@dataclass(frozen=True, slots=True)
class _Paid:
    proposed: float
    approved: float
    released: float
    printed: float
    payouts: int
    cents: int
    nacha_bytes: int
    peak_mb: float


@dataclass(frozen=True, slots=True)
class _Closed:
    settled: float
    verified: float


def measure(shop: Workshop) -> Report:
    """Pay all members of a roster once, again and again on a fresh installation."""
    members = shop.sizes.payouts
    roster, payers = write_directory(shop.folder, shop.seed, members)
    remittance = shop.folder / "one_each.835"
    payment = apart(write_one_claim_each, remittance, shop.seed, members)
    bank_file = shop.folder / "deposit.bai2"
    bank_file.write_bytes(deposit(payment))
    seconds: dict[str, list[float]] = {name: [] for name, _, _ in _STEPS}
    peaks: list[float] = []
    for number in range(shop.repeat):
        shop.say(f"cycle: run {number + 1}")
        place = shop.new_place()
        taken = apart(receive, place, [roster])
        apart(receive, place, [payers, remittance, bank_file])
        prepared = apart(prepare, place)
        shop.analyze(place)
        shop.settle_down()
        paid = apart(pay, place)
        assert paid.payouts == members, f"{paid.payouts} payouts for {members} members"
        closed = apart(_close, place, payment.cents, paid.cents)
        shop.remove(place)
        for source in (prepared, paid, closed):
            for name in set(seconds) & set(source.__slots__):
                seconds[name].append(getattr(source, name))
        seconds["roster"].append(taken.seconds)
        seconds["total"].append(paid.proposed + paid.released)
        seconds["with_papers"].append(paid.proposed + paid.released + paid.printed)
        peaks.append(paid.peak_mb)
    size = f"{members:,} members"
    figures = [Figure(what, size, "s", tuple(seconds[name]), budget) for name, what, budget in _STEPS]
    figures.append(Figure("peak memory of the process that pays", size, "MB", tuple(peaks), Budget(300, 150)))
    return Report("cycle", "A cycle that pays every member", tuple(figures))


def deposit(payment: Payment) -> bytes:
    """Write the bank's file with the payer's one payment."""
    text = f"HCCLAIMPMT TRN*1*{payment.trace_number}*{payment.payer_id}~"
    line = StatementLine("142", payment.cents, "D1", "", text)
    return write_bai2(account=BANK_ACCOUNT, as_of=PAID_ON, opening_cents=0, items=[line])


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def prepare(place: Place) -> _Prepared:
    """Match the deposit and assess the fees."""
    with at(place) as session:
        _add_people(session)
        funded = _timed(lambda: sweep(session.begin, ACTOR))
        return _Prepared(funded, _timed(lambda: _assess(session)))


def _add_people(session: Session) -> None:
    with session.begin() as connection:
        users.add_user(connection, CHECKER, UserRole.APPROVER, ACTOR)


def _assess(session: Session) -> None:
    with session.begin() as connection:
        assess(connection, PAID_ON.replace(day=1), ACTOR)


def pay(place: Place) -> _Paid:
    """Propose, approve and release one cycle, and print its notices."""
    with at(place) as session:
        began = time.perf_counter()
        with session.begin() as connection:
            # What was shown is let go: for people each step is a command, a process of its own.
            cycle_id = cycles.propose(connection, PAID_ON, session.originator, ACTOR).cycle_id
        proposed = time.perf_counter()
        with session.begin() as connection:
            cycles.approve(connection, cycle_id, CHECKER)
        approved = time.perf_counter()
        released = session.releaser().release(cycle_id, place.home / "out", papers=False)
        ended = time.perf_counter()
        left = leave_papers(session.begin, session.vault, cycle_id, place.home / "out")
        printed = time.perf_counter()
    assert released.nacha_file is not None
    assert not released.dropped, released.dropped[0]
    assert left.count == released.payouts
    return _Paid(
        proposed=proposed - began,
        approved=approved - proposed,
        released=ended - approved,
        printed=printed - ended,
        payouts=released.payouts,
        cents=released.total_cents,
        nacha_bytes=Path(released.nacha_file).stat().st_size,
        peak_mb=peak_memory_mb(),
    )


def _close(place: Place, opening_cents: int, debit_cents: int) -> _Closed:
    with at(place) as session:
        bank_day = next_banking_day(PAID_ON)
        statement = settlement_statement(
            bank_account=BANK_ACCOUNT,
            bank_date=bank_day,
            opening_cents=opening_cents,
            debit_cents=debit_cents,
            company_id=session.originator.company_id,
            reference="CP1",
        )
        path = place.home / "debit.bai2"
        path.write_bytes(statement)
        with path.open("rb") as source:
            assert session.receiver().receive(source, path.name).is_done
        settled = _timed(lambda: settle(session.begin, ACTOR))
        return _Closed(settled, _timed(lambda: _verify(session)))


def _verify(session: Session) -> None:
    with session.reading() as connection:
        for verdict in verify(connection):
            assert verdict.holds, verdict
