"""The plan of a demonstration week: the same from the same seed, adding up, and reckoned by rules checked by hand."""

import csv
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from app.demo.pharmacies import MINIMUM_COLUMN
from app.demo.week.plan import Week, WeekSize, plan_week
from app.demo.week.reckoning import is_due
from app.demo.week.remitting import MISSING_CENTS
from schemas.errors import WrongUseError
from tests.support.naive_835 import read_835

MONDAY = date(2026, 11, 23)
SIZE = WeekSize(days=7, pharmacies=30, claims=200, seed=11)


def made(folder: Path, size: WeekSize = SIZE, start: date = MONDAY) -> Week:
    """Plan a week into a folder."""
    return plan_week(folder, size, start, "4471002983", _see)


def _see(claims: int) -> None:
    assert claims > 0


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    """Every file of two plans is the same; another seed's are not."""
    one, again, other = (
        made(tmp_path / name, replace(SIZE, seed=seed)) for name, seed in (("one", 1), ("again", 1), ("other", 2))
    )
    files = [_bytes(each.roster.parent) for each in (one, again, other)]
    assert files[0] == files[1]
    assert files[0].keys() != files[2].keys() or files[0] != files[2]
    assert one.expected == again.expected
    assert one.expected != other.expected


def _bytes(folder: Path) -> dict[str, bytes]:
    return {f"{path.relative_to(folder)}": path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_week_is_banking_days_over_holiday_and_months_end(tmp_path: Path) -> None:
    """Seven banking days from Monday 23 November 2026 leave Thanksgiving out and end on Wednesday 2 December."""
    days = made(tmp_path).days
    assert [(day.month, day.day) for day in days] == [
        (11, 23),
        (11, 24),
        (11, 25),
        (11, 27),
        (11, 30),
        (12, 1),
        (12, 2),
    ]


def test_a_week_that_begins_on_a_closed_day_begins_on_the_next(tmp_path: Path) -> None:
    """Thanksgiving as the first day: the week begins on Friday."""
    assert made(tmp_path, start=date(2026, 11, 26)).days[0] == date(2026, 11, 27)


def test_each_835_says_what_its_shares_and_its_money_say(tmp_path: Path) -> None:
    """By a reader of the tests' own: BPR02 of all sets of a file sum to the shares, and to the money that comes."""
    week = made(tmp_path)
    for each in week.remittances:
        file = read_835(each.path)
        told = sum(found.payment_cents for found in file.sets)
        if each.is_wrong:
            assert told != each.payment_cents
            continue
        assert told == each.payment_cents == sum(part.cents for part in each.parts)
        assert {found.trace for found in file.sets} == {each.trace_number}
        assert all(found.unbalanced_claims == found.unbalanced_services == 0 for found in file.sets)


def test_money_and_835s_come_in_every_order(tmp_path: Path) -> None:
    """Before, with, and after; in two parts, the second of at most 1,250.00; and a wrong file with the mended one."""
    week = made(tmp_path)
    orders = {each.label: [part.place - each.arrives for part in each.parts] for each in week.remittances}
    assert orders["daily"] == [0]
    assert orders["money-first"] == [-2]
    assert orders["835-first"] == [2]
    assert orders["short"] == [0, 2]
    assert orders["mended-wrong"] == []
    (short,) = (each for each in week.remittances if each.label == "short")
    assert 0 < short.parts[1].cents <= MISSING_CENTS
    wrong, right = (each for each in week.remittances if each.label.startswith("mended"))
    assert (wrong.trace_number, wrong.shares, wrong.arrives + 1) == (right.trace_number, right.shares, right.arrives)


def test_the_roster_has_every_schedule_a_minimum_and_a_leaver(tmp_path: Path) -> None:
    """The CSV: six schedules, one minimum of 1,000.00, one membership that ends on the week's third day."""
    week = made(tmp_path)
    with week.roster.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    schedules = Counter(row["payout_schedule"] for row in rows)
    assert set(schedules) == {"daily", "weekly:fri", "weekly:thu", "twice_monthly", "monthly"}
    assert [row[MINIMUM_COLUMN] for row in rows if row[MINIMUM_COLUMN] != "0.00"] == ["1000.00"]
    assert [row["member_until"] for row in rows if row["member_until"]] == ["2026-11-25"]


def test_every_cent_that_is_funded_is_somewhere(tmp_path: Path) -> None:
    """Of each member: funded and come back = fees, payments, what is due and what is kept back."""
    week = made(tmp_path)
    funded: Counter[str] = Counter()
    for each in week.remittances:
        if each.funded_at is not None and each.funded_at < len(week.days):
            for share in each.shares:
                funded[share.ncpdp_id] += share.share_cents
    for ncpdp_id, member in week.expected.members.items():
        came = funded[ncpdp_id] + member.returned_cents
        assert came == member.fee_cents + member.paid_cents + member.due_cents + member.held_cents
    assert funded[""] == week.expected.unknown_cents > 0


@pytest.mark.parametrize(
    ("schedule", "after", "through", "due"),
    [
        ("daily", date(2026, 11, 25), date(2026, 11, 27), True),
        ("weekly:fri", date(2026, 11, 25), date(2026, 11, 27), True),
        ("weekly:fri", date(2026, 11, 27), date(2026, 11, 30), False),
        ("weekly:thu", date(2026, 11, 25), date(2026, 11, 27), True),
        ("weekly:thu", date(2026, 11, 20), date(2026, 11, 25), False),
        ("twice_monthly", date(2026, 11, 13), date(2026, 11, 16), True),
        ("twice_monthly", date(2026, 11, 27), date(2026, 11, 30), True),
        ("twice_monthly", date(2026, 11, 16), date(2026, 11, 27), False),
        ("monthly", date(2027, 2, 26), date(2027, 3, 1), True),
        ("monthly", date(2026, 11, 14), date(2026, 11, 16), False),
    ],
    ids=[
        *("daily", "its Friday", "the Monday after", "a Thursday that is a holiday", "before its Thursday"),
        *("the 15th, a Sunday", "the last day", "between", "the end of February, a Sunday", "no month's end"),
    ],
)
def test_who_is_due_by_hand(schedule: str, after: date, through: date, due: bool) -> None:
    """A day of the schedule lies after the last cycle and up to this one: days of 2026 and 2027 told by hand."""
    assert is_due(schedule, after, through) is due


@pytest.mark.parametrize("days", [1, 32], ids=["one day", "more than a month"])
def test_a_week_of_another_length_is_refused(tmp_path: Path, days: int) -> None:
    """Two to thirty-one banking days; nothing is written for another."""
    with pytest.raises(WrongUseError, match="2 to 31 banking days"):
        made(tmp_path / "none", replace(SIZE, days=days))
    assert not (tmp_path / "none").exists()
