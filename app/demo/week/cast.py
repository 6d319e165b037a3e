"""The pharmacies of a demonstration week, by the part that each plays in it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from random import Random
from typing import Final

from app.demo.pharmacies import Membership, Pharmacy, invent_membership

FEWEST: Final = 24
"""With fewer there is no crowd beside the stories."""
SAVER_MINIMUM_CENTS: Final = 1_000_00
"""Least amount that the saver wants to be paid."""

_SCHEDULES: Final = ("weekly:fri", "twice_monthly", "daily", "monthly", "daily", "daily")
"""Of the crowd, in turn."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Who is in the week; everybody but the stranger is a member."""

    negative: Pharmacy
    """Taken back more than it earned; the float covers it until its next money comes."""
    small: Pharmacy
    """Its one claim is worth less than its fee."""
    idle: Pharmacy
    """No claims at all."""
    closed: Pharmacy
    """Its bank returns the first payment: the account was closed (R02). It is paid again into another one."""
    refused: Pharmacy
    """Its payment is refused (R23), and is paid again once people have looked."""
    corrected: Pharmacy
    """Its bank corrects where to pay it (C03)."""
    leaver: Pharmacy
    """Is paid once a month, and leaves within the week: no fee for that month, and its money without waiting."""
    waived: Pharmacy
    """Is paid on Fridays; two people waive its fee."""
    held: Pharmacy
    """Part of its money is kept back in a dispute, looked at, and let go."""
    saver: Pharmacy
    """Is paid when enough has gathered."""
    thursday: Pharmacy
    """Is paid on Thursdays, on the next banking day where one is a holiday."""
    crowd: tuple[Pharmacy, ...]
    """The others: one without a fee, two that joined this month, and every schedule."""
    stranger: Pharmacy
    """No member."""

    @property
    def stories(self) -> tuple[Pharmacy, ...]:
        """Those whose money is told one by one."""
        told = (self.negative, self.small, self.idle, self.closed, self.refused, self.corrected)
        return (*told, self.leaver, self.waived, self.held, self.saver, self.thursday)

    @property
    def members(self) -> tuple[Pharmacy, ...]:
        """All that the roster lists, by NCPDP id."""
        return tuple(sorted((*self.stories, *self.crowd), key=lambda store: store.ncpdp_id))

    @property
    def membership(self) -> Membership:
        """The same as the writers of a single day want it."""
        ordinary = (*self.crowd, *self.stories[3:])
        return Membership(
            negative=self.negative, small=self.small, idle=self.idle, ordinary=ordinary, stranger=self.stranger
        )


def invent_cast(rng: Random, count: int, days: Sequence[date]) -> Cast:
    """Invent ``count`` members, at least ``FEWEST``, for a week of these banking days."""
    invented = invent_membership(rng, count, days[0])
    *crowd, closed, refused, corrected, leaver, waived, held, saver, thursday = (
        replace(store, payout_schedule="daily") for store in invented.ordinary
    )
    scheduled = [
        replace(store, payout_schedule=_SCHEDULES[number % len(_SCHEDULES)]) for number, store in enumerate(crowd)
    ]
    return Cast(
        negative=replace(invented.negative, payout_schedule="daily", monthly_fee_cents=200_00),
        small=replace(invented.small, payout_schedule="daily", monthly_fee_cents=200_00),
        idle=replace(invented.idle, payout_schedule="daily", monthly_fee_cents=200_00),
        closed=closed,
        refused=refused,
        corrected=corrected,
        leaver=replace(leaver, payout_schedule="monthly", member_until=days[min(2, len(days) - 1)]),
        waived=replace(waived, payout_schedule="weekly:fri"),
        held=held,
        saver=replace(saver, payout_minimum_cents=SAVER_MINIMUM_CENTS),
        thursday=replace(thursday, payout_schedule="weekly:thu"),
        crowd=tuple(scheduled),
        stranger=invented.stranger,
    )
