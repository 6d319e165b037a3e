"""What people and banks do in a demonstration week, by the places of its banking days; the first place is 0.

A payment that is released at a place settles on the next banking day; what its bank says on the day after that is in
our hands three places after the release.
"""

from typing import Final

ANSWER_AFTER: Final = 3
"""Places from a release to the answer of the receiver's bank, where that takes one banking day after settlement."""

OWN_MONEY: Final = 0
"""The PSAO's own money is there, and two people say so."""
CLOSED_PAID: Final = 0
CLOSED_BACK: Final = CLOSED_PAID + ANSWER_AFTER
"""R02: the money is back, the account is stopped; another is asked for, called back, approved and tried."""
CLOSED_AGAIN: Final = CLOSED_BACK + 3
"""Three banking days later the account has cooled and nothing came of its prenote: the money leaves again."""
CORRECTED_PAID: Final = 0
CORRECTED_TOLD: Final = CORRECTED_PAID + ANSWER_AFTER
"""C03: a second person approves what the bank corrects, and it is used from that day on."""
REFUSED_PAID: Final = 1
REFUSED_BACK: Final = REFUSED_PAID + ANSWER_AFTER
"""R23: the money is back; people look whether it was paid twice, and pay it again on the same day."""
WAIVED: Final = 1
"""Two people waive the fee of the first month."""
HELD: Final = 1
HOLD_LOOKED_AT: Final = 4
"""The day of its review."""
HOLD_LIFTED: Final = 5
HOLD_CENTS: Final = 1_000_00
"""Most that is kept back."""
