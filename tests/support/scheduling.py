"""Clocks that tests turn, and the scheduler as a process by such a clock: ``python -m tests.support.scheduling``."""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.scheduler.inbox import Inbox
from app.scheduler.jobs import declared
from app.scheduler.runner import Runner
from app.scheduler.service import SCHEDULER_USER, see_scheduler_user, serve, stopping_on_signals
from app.session import Session, opened
from schemas.calendar import BANK_ZONE


def local(text: str) -> datetime:
    """Give a moment by the bank's clock, such as ``2026-11-20T15:00``."""
    return datetime.fromisoformat(text).replace(tzinfo=BANK_ZONE)


@dataclass
class HandClock:
    """A clock that stands until it is set."""

    at: datetime

    def __call__(self) -> datetime:
        """Give the moment that it shows."""
        return self.at

    def set(self, text: str) -> None:
        """Set it to a moment by the bank's clock."""
        self.at = local(text)


def fast_clock(start: datetime, begun_s: float, speed: float) -> Callable[[], datetime]:
    """Give a clock that showed ``start`` when the machine's showed ``begun_s``, and goes ``speed`` times as fast.

    Every process that is given the same three reads the same time.
    """
    # Elapsed time is added in UTC: a local time plus hours would be wrong over a change of the clocks.
    return lambda: start.astimezone(UTC) + timedelta(seconds=(time.time() - begun_s) * speed)


def runner_of(session: Session) -> Runner:
    """Give a runner of the jobs that an installation has."""
    return Runner(session, declared(session, Inbox(session.settings.inbox_dir)))


def main() -> None:
    """Run the scheduler until it is told to stop, by a clock of the arguments' making."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--start", type=datetime.fromisoformat, required=True, help="with its offset from UTC")
    parser.add_argument("--begun", type=float, required=True, help="seconds since 1970 at which the clock showed it")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--beat", type=float, default=0.05)
    words = parser.parse_args()
    clock = fast_clock(words.start, words.begun, words.speed)
    with stopping_on_signals() as stop, opened(SCHEDULER_USER, print, clock=clock) as session:
        see_scheduler_user(session)
        inbox = Inbox(session.settings.inbox_dir)
        serve(Runner(session, declared(session, inbox, stop.is_set), stopping=stop.is_set), stop, beat_s=words.beat)


if __name__ == "__main__":
    main()
