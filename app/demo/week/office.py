"""A demonstration week at work: the scheduler's jobs on a clock of the week's own, and people in between.

Files come into the inbox, the scheduler takes them in, matches, assesses fees, proposes at the cut-off and proves at
night; people decide what needs people, approve and release; the bank has the file and answers on the days after.
"""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, time, timedelta
from pathlib import Path
from typing import Any, Final

from app.demo.week.books import happened_since
from app.demo.week.clearing import Clearing
from app.demo.week.days import DayDone, JobDone, PaidMember, WeekClock
from app.demo.week.papers import leave_statements, month_ending
from app.demo.week.people import APPROVER, People
from app.demo.week.plan import Week
from app.scheduler.inbox import Inbox
from app.scheduler.jobs import declared
from app.scheduler.runner import Runner
from app.scheduler.service import SCHEDULER_USER
from app.session import Session
from app.work import receive
from ingest.cases import CaseKind, list_cases
from ledger.proofs import verify
from payouts.cycle import cycles
from payouts.cycle.cycles import Cycle
from payouts.cycle.release import Released
from payouts.jobs.runs import Run

SET_UP: Final = time(7)
"""On the first day: the office's people, its members and payers."""
_NIGHTLY: Final = time(4)
_MORNING: Final = time(7)
_FILES_IN: Final = time(8)
_PEOPLE: Final = time(10)
_CUT_OFF: Final = time(15)
_RELEASE: Final = time(16)
_EVENING: Final = time(20)


def _unseen(step: str) -> None:
    del step


@dataclass
class Office:
    """The office that lives through the week.

    Args:
        session: works as the operator, on ``clock``.
        week: the generated week.
        clock: is set by the office as the days go.
        out: where results are left, a folder for each day.
    """

    session: Session
    week: Week
    clock: WeekClock
    out: Path
    clearing: Clearing = field(init=False)
    people: People = field(init=False)
    _runner: Runner = field(init=False, repr=False)
    _runs: list[Run] = field(default_factory=list[Run], init=False, repr=False)
    _last: int = field(default=0, init=False, repr=False)
    _told: set[int] = field(default_factory=set[int], init=False, repr=False)
    """Exceptions about refused files that a day has told."""
    _step: Callable[[str], None] = field(default=_unseen, init=False, repr=False)

    def __post_init__(self) -> None:
        """Open the bank account, fetch the people, and start the scheduler's jobs on the week's clock."""
        self.clearing = Clearing(self.week)
        self.people = People(self.session, self.week, self.clearing.bank, self.folder)
        scheduler = replace(self.session, actor=SCHEDULER_USER)
        # Files of the week are whole as soon as they are there.
        self._runner = Runner(scheduler, declared(scheduler, Inbox(self._inbox, quiet_s=0)))

    @property
    def _inbox(self) -> Path:
        return self.session.settings.inbox_dir

    def folder(self, day: date) -> Path:
        """Give the folder of a day's results."""
        path = self.out / f"{day}"
        path.mkdir(parents=True, exist_ok=True)
        return path

    def begin(self) -> None:
        """Set the office up: its people, rules, members and payers."""
        self.clock.set(self.week.days[0], SET_UP)
        self.people.begin_work()
        self.people.take_rules_over()
        receive(self.session, [str(self.week.roster), str(self.week.payer_list)])

    def live(self, place: int, step: Callable[[str], None] = _unseen) -> DayDone:
        """Live through a banking day, and what comes before it since the last one; ``step`` is told what is in hand."""
        self._step = step
        day = self.week.days[place]
        before = self.week.days[place - 1] if place else self.week.before
        self._runs.clear()
        if place:
            for night in _days_between(before, day + timedelta(days=1)):
                self._tick(night, _NIGHTLY)
        self._tick(day, _MORNING)
        self._put_into_inbox(place, before)
        self._tick(day, _FILES_IN)
        self.clock.set(day, _PEOPLE)
        acts = self.people.act(place)
        self._tick(day, _PEOPLE)
        self._tick(day, _CUT_OFF)
        self.clock.set(day, _RELEASE)
        cycle, released = self._pay(day)
        self.clock.set(day, _EVENING)
        self._leave_papers(place)
        return self._done(place, before, acts, cycle, released)

    def end(self) -> None:
        """Run the night after the last day."""
        self._tick(self.week.days[-1] + timedelta(days=1), _NIGHTLY)

    # Its parts

    def _tick(self, day: date, at: time) -> None:
        self.clock.set(day, at)
        self._step(f"{day:%a %b} {day.day}, {at:%H:%M}")
        self._runs += self._runner.tick()

    def _put_into_inbox(self, place: int, before: date) -> None:
        """Put there what came until the morning: the payers' files, and the bank's of the banking day before."""
        folder = self.week.roster.parent / f"{self.week.days[place]}"
        paths = [each.path for each in self.week.arriving(place)]
        for path in (*paths, *self.clearing.close(before, folder)):
            self._inbox.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copy(path, self._inbox / path.name)

    def _pay(self, day: date) -> tuple[Cycle | None, Released | None]:
        """Approve what the scheduler proposed, release it, and hand the file to the bank."""
        with self.session.reading() as connection:
            proposed = [each for each in cycles.list_cycles(connection) if each.state == "proposed"]
        if not proposed:
            return None, None
        with self.session.begin() as connection:
            approved = cycles.approve(connection, proposed[0].cycle_id, APPROVER)
        out = self.folder(day)
        released = self.session.releaser().release(approved.cycle_id, out)
        if released.nacha_file is not None:
            self.clearing.bank.send((out / released.nacha_file).read_bytes(), day)
        return approved, released

    def _leave_papers(self, place: int) -> None:
        """Issue the statements of a month that has ended; without one, of the month so far on the last day."""
        span = month_ending(self.week, place)
        if span is not None:
            self._step("statements")
            leave_statements(self.session, span, self.out / "statements")

    # What came of it

    def _done(
        self, place: int, before: date, acts: Sequence[str], cycle: Cycle | None, released: Released | None
    ) -> DayDone:
        day = self.week.days[place]
        with self.session.reading() as connection:
            happened = happened_since(connection, self._last)
            proofs, cases = verify(connection, self.session.outside), list_cases(connection)
        self._last = happened.last
        refused = [each for each in cases if each.kind is CaseKind.FILE_REFUSED and each.id not in self._told]
        self._told |= {each.id for each in refused}
        done = DayDone(
            day=day,
            closed_before=tuple(each for each in _days_between(before, day) if each.weekday() < 5),
            runs=tuple(_job_done(each) for each in self._runs),
            refused=tuple(each.detail for each in refused),
            payments=happened.payments,
            funded_cents=happened.total("funded"),
            settled_cents=happened.total("payout_settled"),
            returned=happened.of("payout_returned"),
            acts=tuple(acts),
            assessed_cents=happened.total("fee_assessed"),
            waived_cents=happened.total("fee_waived"),
            **_cycle_facts(cycle, released),
            exceptions=Counter(each.kind.value for each in cases),
            proofs_held=sum(each.holds for each in proofs),
            proofs=len(proofs),
        )
        self._leave(day, "day.json", done.model_dump(mode="json"))
        return done

    def _leave(self, day: date, name: str, document: Mapping[str, Any]) -> None:
        text = json.dumps(document, indent=2, default=str) + "\n"
        (self.folder(day) / name).write_text(text, encoding="utf-8")


def _cycle_facts(cycle: Cycle | None, released: Released | None) -> dict[str, Any]:
    if cycle is None or released is None:
        none: dict[str, Any] = {"cycle_id": None, "paid": {}, "omitted": {}, "waiting": {}}
        return none | {"dropped": 0, "nacha_file": None}
    paid = [each for each in cycle.payouts if each.amount_cents or each.fee_cents]
    return {
        "cycle_id": cycle.cycle_id,
        "paid": {each.ncpdp_id: PaidMember(amount_cents=each.amount_cents, fee_cents=each.fee_cents) for each in paid},
        "omitted": Counter(each.reason for each in cycle.omitted),
        "waiting": {each.ncpdp_id: each.reason for each in cycle.omitted if each.available_cents},
        "dropped": len(released.dropped),
        "nacha_file": None if released.nacha_file is None else Path(released.nacha_file).name,
    }


def _job_done(run: Run) -> JobDone:
    return JobDone(job=run.job, at=run.scheduled_for.astimezone(UTC), state=run.state.value, said=run.said)


def _days_between(before: date, day: date) -> Iterator[date]:
    """Give the days after one and before another."""
    return (before + timedelta(days=number) for number in range(1, (day - before).days))
