"""How often a member is paid: a word of the roster, and what it means is in ``payouts.schedules``."""

import re
from calendar import monthrange
from datetime import date
from typing import Final

from schemas.identifiers import Identifier

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri")
"""Days of a week on which banks settle, as a schedule names them; Monday is ``date.weekday()`` 0."""
LAST_OF_MONTH: Final = 31
"""A day of the month that a shorter month does not have is its last one."""
SCHEDULES: Final = "daily, weekly, weekly:mon to weekly:fri, twice_monthly, twice_monthly:1-16, monthly or monthly:31"
"""The words, for those who have to write one."""

_DAY = "(?:[1-9]|[12][0-9]|3[01])"


class PayoutSchedule(Identifier):
    """How often a member is paid what is available.

    ``daily``: in every cycle. ``weekly:fri``: every Friday; a plain ``weekly`` is that. ``twice_monthly``: on the 15th
    and on the last day; ``twice_monthly:1-16`` on other days, the earlier one first. ``monthly``: on the last day;
    ``monthly:10`` on the 10th. The 29th to the 31st are the last day of a shorter month.
    """

    pattern = re.compile(
        rf"daily|weekly:(?:{'|'.join(WEEKDAYS)})|monthly(?::{_DAY})?|twice_monthly(?::{_DAY}-{_DAY})?", re.ASCII
    )
    shape = f"a payout schedule ({SCHEDULES})"

    @classmethod
    def problem(cls, text: str) -> str | None:
        """Say what is wrong with the text, or None."""
        wrong = super().problem(text)
        if wrong is None and text.startswith("twice_monthly:"):
            first, second = (int(day) for day in text.partition(":")[2].split("-"))
            if first >= second:
                return f"{text!r} is not {cls.shape}: the earlier day of the month stands first"
        return wrong

    @classmethod
    def read(cls, text: str) -> "PayoutSchedule":
        """Read what people write: a plain ``weekly`` means Friday.

        Raises:
            ValueError: it is no schedule.
        """
        return cls("weekly:fri" if text == "weekly" else text)

    @property
    def is_daily(self) -> bool:
        """Whether it is due in every cycle."""
        return self == "daily"

    @property
    def weekday(self) -> int | None:
        """The day of the week, Monday 0; None: no week counts."""
        kind, _, day = self.partition(":")
        return WEEKDAYS.index(day) if kind == "weekly" else None

    @property
    def days_of_month(self) -> tuple[int, ...]:
        """The days of the month, 1 to 31; none where no month counts."""
        kind, _, days = self.partition(":")
        usual = {"monthly": str(LAST_OF_MONTH), "twice_monthly": f"15-{LAST_OF_MONTH}"}
        return tuple(int(day) for day in (days or usual[kind]).split("-")) if kind in usual else ()

    def falls_on(self, day: date) -> bool:
        """Tell whether this is one of its days, banks open or not; of a daily one every day is."""
        if self.weekday is not None:
            return day.weekday() == self.weekday
        last = monthrange(day.year, day.month)[1]
        return self.is_daily or day.day in {min(each, last) for each in self.days_of_month}
