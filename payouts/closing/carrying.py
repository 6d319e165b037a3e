"""What an approver carries over into the next month by name: an exception by its number, or a check by its name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from payouts.closing.errors import CarryError
from payouts.closing.kinds import rule_of
from payouts.closing.model import Carried, Check


@dataclass(frozen=True, slots=True)
class Carry:
    """What is to be carried over, and why.

    Args:
        subject: an exception's number, or the name of a check that blocks.
        reason: why the month is closed all the same; it is kept, and stands in the package.
    """

    subject: str
    reason: str


def chosen(carries: Sequence[Carry], cases: Sequence[Row[Any]], blocking: Sequence[Check]) -> dict[str, str]:
    """Give the reason of each subject that is carried over: ``exception 17``, or the name of a check.

    Raises:
        CarryError: it is not open, nobody may carry it over, or no reason is given.
    """
    by_name: dict[str, str] = {}
    for carry in carries:
        if not carry.reason.strip():
            raise CarryError(carry.subject, "it takes a reason of a few words, which is kept")
        by_name[_subject(carry.subject, cases, blocking)] = carry.reason.strip()
    return by_name


def carried_of(checks: Sequence[Check], by_name: dict[str, str]) -> Iterator[Carried]:
    """Give the checks that are carried over by name."""
    for each in checks:
        if each.name in by_name:
            yield Carried(
                subject=each.name,
                kind="check",
                about=each.name,
                amount_cents=each.amount_cents,
                detail=each.detail,
                reason=by_name[each.name],
                by_name=True,
            )


def _subject(text: str, cases: Sequence[Row[Any]], blocking: Sequence[Check]) -> str:
    if text.isdecimal():
        case = next((each for each in cases if str(each.id) == text), None)
        if case is None:
            raise CarryError(text, "no open exception of the month has this number; see: centralpay exceptions list")
        rule = rule_of(case.kind)
        if not rule.carriable:
            raise CarryError(text, f"{rule.why}, and nobody carries that over")
        return f"exception {case.id}"
    if all(each.name != text for each in blocking):
        names = ", ".join(each.name for each in blocking) or "none"
        raise CarryError(text, f"say an exception's number, or the name of a check that blocks ({names})")
    return text
