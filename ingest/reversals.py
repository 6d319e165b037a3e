"""Reversals with their originals, across files: which claim a payer took back (CLP02 = 22).

A reversal takes back a line of the same payer under the same prescription number (CLP01, in its normal form) and the
same claim number of the payer (CLP07) that came before it and was not taken back yet. With one such line it is paired;
with several that nothing tells apart they are listed for a person, never guessed; adjustments and their signs are not
looked at. The rule lives in the database: ``reversal_candidates`` is the one place that says what fits.

Source: ASC X12 005010X221A1, section 1.10.2.8 (reversals and corrections).
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ledger import activity
from ledger.queries import Queries
from schemas.errors import RefusedError, WrongUseError

_QUERIES = Queries("ingest", "reversals.sql")

SWEPT_MOST = 5_000
"""So many open reversals, the latest, are tried again by a sweep; an original that arrives finds the older ones."""


class ReversalState(StrEnum):
    """How far a reversal's original is known."""

    PAIRED = "paired"
    """The line that it takes back is known."""
    SEVERAL = "several"
    """More than one line fits; a person chooses."""
    NONE = "none"
    """No line fits; its original may have been paid elsewhere, or be in a file still to come."""


class ClaimPlace(NamedTuple):
    """Where a claim line stands: its advice, and the position of its CLP in the set."""

    advice_id: int
    segment: int

    @property
    def is_possible(self) -> bool:
        """Whether a line can stand there: the columns hold no other numbers."""
        return 0 < self.advice_id < 1 << 63 and 0 < self.segment < 1 << 31


class Original(BaseModel):
    """A line that a reversal takes back, or could; cents."""

    model_config = ConfigDict(frozen=True)

    advice_id: int
    segment: int
    paid_on: date
    trace_number: str
    ncpdp_id: str | None
    rx_number: str
    fill_on: date | None
    charge_cents: int
    paid_cents: int


class Reversal(BaseModel):
    """A claim that a payer took back; cents, negative as the payer sent them.

    ``ncpdp_id`` is None where the payer named no member. ``decided_by`` is ``system`` or the person who chose.
    """

    model_config = ConfigDict(frozen=True)

    advice_id: int
    segment: int
    payer_id: str
    payer_name: str
    trace_number: str
    paid_on: date
    ncpdp_id: str | None
    rx_number: str
    fill_on: date | None
    charge_cents: int
    paid_cents: int
    state: ReversalState
    candidate_count: int
    original: Original | None
    candidates: tuple[Original, ...]
    decided_by: str
    decided_at: datetime


class UnknownReversalError(WrongUseError):
    """No reversal stands there."""

    def __init__(self, place: ClaimPlace) -> None:
        self.place = place
        super().__init__(
            f"Segment {place.segment} of advice {place.advice_id} is no reversal; see: centralpay reversals list"
        )


class ReversalPairedError(RefusedError):
    """The reversal has its original already."""

    def __init__(self, place: ClaimPlace) -> None:
        self.place = place
        super().__init__(f"The reversal in segment {place.segment} of advice {place.advice_id} is paired already")


class NoCandidateError(RefusedError):
    """What was chosen is not among the lines that the reversal could take back."""

    def __init__(self, place: ClaimPlace, chosen: ClaimPlace) -> None:
        self.place = place
        self.chosen = chosen
        super().__init__(
            f"Segment {chosen.segment} of advice {chosen.advice_id} is no candidate of the reversal in segment "
            f"{place.segment} of advice {place.advice_id}; see: centralpay reversals list --open"
        )


def pair_reversals(connection: Connection, advice_ids: Sequence[int]) -> None:
    """Pair the reversals of these advices, and older open ones whose originals these advices bring.

    Call it at the end of the transaction that wrote the claims: who pairs takes turns until the transaction ends.
    """
    if advice_ids:
        connection.execute(_QUERIES["pair"], {"advice_ids": list(advice_ids)})


def late_advices(connection: Connection, advice_ids: Sequence[int]) -> set[int]:
    """Give those of these advices that an open reversal of a later payment may wait for: the originals came last."""
    return set(connection.execute(_QUERIES["late"], {"advice_ids": list(advice_ids)}).scalars())


def pair_open_reversals(connection: Connection) -> int:
    """Try the latest open reversals again; give how many found their originals."""
    paired: int = connection.execute(_QUERIES["pair_open"], {"most": SWEPT_MOST}).scalar_one()
    return paired


def choose_original(connection: Connection, reversal: ClaimPlace, original: ClaimPlace, actor: str) -> None:
    """Pair a reversal with the one of its candidates that a person chose.

    Raises:
        UnknownReversalError: there is no such reversal.
        ReversalPairedError: it is paired already.
        NoCandidateError: what was chosen is not among its candidates.
    """
    if not reversal.is_possible:
        raise UnknownReversalError(reversal)
    if not original.is_possible:
        raise NoCandidateError(reversal, original)
    facts = {
        "advice_id": reversal.advice_id,
        "segment": reversal.segment,
        "original_advice_id": original.advice_id,
        "original_segment": original.segment,
        "actor": actor,
    }
    outcome = connection.execute(_QUERIES["choose"], facts).scalar_one()
    if outcome == "unknown":
        raise UnknownReversalError(reversal)
    if outcome == "paired":
        raise ReversalPairedError(reversal)
    if outcome == "no_candidate":
        raise NoCandidateError(reversal, original)
    subject = f"advice {reversal.advice_id} segment {reversal.segment}"
    chosen = {"original_advice": original.advice_id, "original_segment": original.segment}
    activity.record(connection, actor, "reversal_paired", subject, **chosen)


def list_reversals(connection: Connection, *, only_open: bool, most: int) -> list[Reversal]:
    """List reversals, the latest payment first, with their originals or candidates.

    Args:
        connection: to read from.
        only_open: leave out those that are paired.
        most: how many at most.
    """
    rows = connection.execute(_QUERIES["reversals"], {"only_open": only_open, "most": most}).mappings().all()
    places = [ClaimPlace(row["advice_id"], row["segment"]) for row in rows]
    originals = _originals(connection, places)
    return [
        Reversal(
            **row,
            original=originals[place][0] if row["state"] == ReversalState.PAIRED and originals[place] else None,
            candidates=() if row["state"] == ReversalState.PAIRED else tuple(originals[place]),
        )
        for row, place in zip(rows, places, strict=True)
    ]


def _originals(connection: Connection, places: Sequence[ClaimPlace]) -> dict[ClaimPlace, list[Original]]:
    """Give, by reversal, the original of a paired one and the candidates of one with several."""
    asked = {"advice_ids": [each.advice_id for each in places], "segments": [each.segment for each in places]}
    found: dict[ClaimPlace, list[Original]] = defaultdict(list)
    for row in connection.execute(_QUERIES["originals"], asked).mappings():
        found[ClaimPlace(row["of_advice_id"], row["of_segment"])].append(Original(**row))
    return found
