"""How long members wait for money that is theirs: days, banking days, how many took longer than the limit.

Banking days are those of the Federal Reserve Banks' calendar. Neither the day when remittance and money were both there
nor a weekend counts; what is not debited yet is counted up to the last day that is asked for.
"""

from collections.abc import Sequence
from datetime import date

from payouts.registers.money_rows import PaymentDaysRow
from schemas.calendar import banking_days_between

NOTHING_TO_PAY = "told, nothing to pay"


def counted(row: PaymentDaysRow, to_on: date) -> PaymentDaysRow:
    """Count a share's days, to the debit of its payment or, until then, to a day."""
    if row.state == NOTHING_TO_PAY:
        return row
    until = max(row.settled_on or to_on, row.ready_on)
    banking = banking_days_between(row.ready_on, until)
    found = {
        "days_to_release": None if row.released_on is None else (row.released_on - row.ready_on).days,
        "days": (until - row.ready_on).days,
        "banking_days": banking,
        "is_over": row.limit_days is not None and banking > row.limit_days,
    }
    return row.model_copy(update=found)


def distribution(rows: Sequence[PaymentDaysRow]) -> dict[str, int | str | None]:
    """Give banking days of what was paid: median, 90th percentile (nearest rank), most; and how many are over."""
    paid = sorted(row.banking_days for row in rows if row.state == "paid" and row.banking_days is not None)
    limits = sorted({row.limit_days for row in rows if row.limit_days is not None})
    return {
        "shares": len(rows),
        "paid": len(paid),
        "returned": sum(row.state == "returned" for row in rows),
        "waiting": sum(row.state in {"waits", "in transit"} for row in rows),
        "median_banking_days": _rank(paid, 50),
        "p90_banking_days": _rank(paid, 90),
        "most_banking_days": paid[-1] if paid else None,
        "limit": " then ".join(f"{days} banking days" for days in limits) or "no limit",
        "over_limit": sum(row.is_over for row in rows),
    }


def _rank(values: Sequence[int], percent: int) -> int | None:
    """Give the smallest value that at least so many percent do not exceed."""
    return values[-(-len(values) * percent // 100) - 1] if values else None
