"""The clock of a session: the bank's, or one that is handed in; today, file times and sendings come from it."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.session import BANK_ZONE, bank_clock, opened
from app.settings import Settings


@pytest.fixture
def settings(database_url: str, quick_path: Path) -> Settings:
    """Give the settings of an installation on this test's database."""
    return Settings(home=quick_path / "home", database_url=SecretStr(database_url))


def _silent(sentence: str) -> None:
    del sentence


@pytest.mark.parametrize(
    ("moment", "today"),
    [
        ("2026-11-21T04:59:59+00:00", date(2026, 11, 20)),
        ("2026-11-21T05:00:00+00:00", date(2026, 11, 21)),
        ("2026-07-03T03:59:59+00:00", date(2026, 7, 2)),
        ("2026-07-03T04:00:00+00:00", date(2026, 7, 3)),
    ],
)
def test_today_is_the_banks(settings: Settings, moment: str, today: date) -> None:
    """Midnight is New York's, five hours after UTC's in winter and four in summer, whatever zone the clock speaks."""
    at = datetime.fromisoformat(moment)
    with opened("mary", _silent, settings, clock=lambda: at) as session, session.begin() as connection:
        assert (session.now, session.today) == (at, today)
        assert session.now.tzinfo is BANK_ZONE
        assert session.releaser().now == session.courier(connection).made_at == at
        assert session.releaser().now.tzinfo is BANK_ZONE


def test_without_another_clock_it_is_the_banks(settings: Settings) -> None:
    """A command's session goes with the time of day: aware, in New York."""
    with opened("mary", _silent, settings) as session:
        assert session.clock is bank_clock
        assert abs(session.now - datetime.now(UTC)) < timedelta(minutes=1)
        assert session.now.tzinfo is BANK_ZONE
