"""What a child's set takes over from the head of the payer's set: who the payer is, and when it made the remittance.

Source: 005010X221A1, table 1: DTM*405 (production date) and loop 1000A, the payer: N1*PR with its N2, N3, N4, REF, PER.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ingest.x12.delimiters import Delimiters
from payouts.children.syntax import syntax_of

_OF_A_PARTY: Final = frozenset(("N2", "N3", "N4", "REF", "PER"))


@dataclass(frozen=True, slots=True)
class PayerHead:
    """Segments of a payer's head as they came, each with its terminator, empty where it has none."""

    production_date: tuple[str, ...]
    """DTM*405."""
    payer: tuple[str, ...]
    """N1*PR and what belongs to it."""


@lru_cache(maxsize=1024)
def payer_head(head: bytes, delimiters: Delimiters) -> PayerHead:
    """Read the head of a payer's set, from its ST on, line wrapping inside; it holds no patient.

    One advice tells of thousands of members, whose children all copy the same head.
    """
    syntax = syntax_of(delimiters)
    segments = syntax.unwrapped(head).decode("latin-1").split(delimiters.terminator)[:-1]
    kinds = [tuple(segment.split(delimiters.element, 2)[:2]) for segment in segments]
    whole = [segment + delimiters.terminator for segment in segments]
    produced = [segment for segment, kind in zip(whole, kinds, strict=True) if kind == ("DTM", "405")]
    start = kinds.index(("N1", "PR")) if ("N1", "PR") in kinds else len(kinds)
    end = start + 1
    while end < len(kinds) and kinds[end][0] in _OF_A_PARTY:
        end += 1
    return PayerHead(production_date=tuple(produced[:1]), payer=tuple(whole[start:end]))
