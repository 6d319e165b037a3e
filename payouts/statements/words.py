"""What a statement calls each event, who took what it takes, and under which total of the year it falls."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from payouts.statements.model import US


class _Said(NamedTuple):
    words: str
    total: str
    """The part of the year's totals, without ``_cents``."""
    taken_by: str | None = None
    """Who has what it takes; ``{payer}`` is the payer's name."""


_PAYER: Final = "payer {payer}"
_ANOTHER: Final = "another pharmacy, by an approved correction"

_EVENTS: Final[Mapping[str, _Said]] = {
    "advised": _Said("advised by the payer", "advices_reversed", _PAYER),
    "funded": _Said("the payer's money arrived: payable to you", "funded"),
    "fee_collected": _Said("flat monthly fee", "fee", US),
    "fee_refunded": _Said("flat fee refunded", "fee", US),
    "payout_released": _Said("payout", "paid"),
    "payout_returned": _Said("payout returned by the bank, held", "returned", "the bank: the payout was not returned"),
    "levied": _Said("levy under a legal order", "levied", "a legal order"),
    "unclaimed": _Said("turned over as unclaimed property", "unclaimed", "the state (unclaimed property)"),
    "payee_found": _Said("assigned from an unknown identifier", "corrected", _PAYER),
    "payee_found_unfunded": _Said("assigned from an unknown identifier", "corrected", _PAYER),
    "payer_debited": _Said("taken by the payer by debit, not by us", "payer_taken", _PAYER),
    "interest_allocated": _Said("bank interest", "other", "the bank: its interest was corrected"),
    "network_adjustment_allocated": _Said("payer's adjustment of the network, your part", "payer_taken", _PAYER),
    "member_corrected": _Said("correction between pharmacies", "corrected", _ANOTHER),
    "member_paid": _Said("paid back by you", "other", "the bank: your payment was not received"),
    "advance_written_off": _Said("negative written off by us", "other", "nobody: what you owed was not written off"),
    "opened": _Said("balance at the start", "other", "nobody: the balance at the start was corrected"),
}

KEPT: Final = frozenset({"fee_collected", "fee_refunded"})
"""Events, and their reversals, that say what the PSAO keeps."""


def described(event: str, reversed_event: str | None, reason: str | None) -> str:
    """Say what a movement is; of a reversal what it takes back and why."""
    if reversed_event is not None:
        return f"reversal: {_words(reversed_event)}" + (f" ({reason})" if reason else "")
    if event == "levied" and reason:
        return f"{_words(event)}: {reason}"
    return _words(event)


def taken_by(event: str, reversed_event: str | None, payer_name: str | None) -> str:
    """Say who has what a deduction took.

    A reversal takes back what an event gave: from whom, or for whom, that event was.
    """
    said = _EVENTS.get(reversed_event or event)
    who = said.taken_by if said is not None else None
    if who is None:
        return f"nobody: {described(event, reversed_event, None)}"
    return who.format(payer=payer_name) if payer_name else who.replace("payer {payer}", "the payer")


def total_of(event: str, reversed_event: str | None) -> str:
    """Name the part of the year's totals that an event, or the reversal of one, belongs to."""
    said = _EVENTS.get(reversed_event or event)
    return f"{said.total if said else 'other'}_cents"


def _words(event: str) -> str:
    said = _EVENTS.get(event)
    return said.words if said else event.replace("_", " ")


_TOTALS: Final[Mapping[str, str]] = {
    "claims_cents": "claims that payers advised",
    "payer_taken_cents": "taken or given by payers, not by us",
    "advices_reversed_cents": "advices reversed",
    "fee_cents": "flat monthly fee",
    "paid_cents": "paid to you",
    "returned_cents": "payouts that came back from the bank",
    "levied_cents": "levied under legal orders",
    "unclaimed_cents": "turned over as unclaimed property",
    "corrected_cents": "found or corrected between pharmacies",
    "other_cents": "interest and other",
    "funded_cents": "arrived from the payer, payable to you",
}


def total_words(part: str) -> str:
    """Name a part of the year's totals for its reader."""
    return _TOTALS[part]
