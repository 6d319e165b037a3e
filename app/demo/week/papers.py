"""The statements of a demonstration week: of the month that ended within it, or of the one in which it ends."""

from datetime import date, timedelta
from pathlib import Path

from app.demo.week.plan import Week
from app.session import Session
from ledger.files import write_whole
from payouts.statements.forms import StatementForm
from payouts.statements.issuing import Issuer


def month_ending(week: Week, place: int) -> tuple[date, date] | None:
    """Say whose statements are issued at a place: of the month that has ended since the banking day before.

    On the last day of a week in which no month has ended, it is that month so far; None: none are.
    """
    days = week.days
    if place and days[place - 1].month != days[place].month:
        last = days[place].replace(day=1) - timedelta(days=1)
        return last.replace(day=1), last
    if place == len(days) - 1 and days[0].month == days[-1].month:
        return days[0].replace(day=1), days[-1]
    return None


def leave_statements(session: Session, span: tuple[date, date], out: Path) -> int:
    """Issue every member's statement of a span in each form, and leave the files; give how many there are."""
    issuer = Issuer(session.begin, session.reading, session.vault, session.sender, session.actor, session.pinned)
    folder = out / f"{span[0]}-to-{span[1]}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    left = 0
    for form in StatementForm:
        issued = issuer.issue(*span, form, _unseen)
        for name, content in issuer.files(issued):
            write_whole(folder / name, content, synced=False)
            left += 1
    return left


def _unseen(step: str, done: int, total: int | None) -> None:
    del step, done, total
