"""Claims and their reversals as an 835 says them, one line each, in sets that always pay something."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ingest.receiving import FileVerdict
from ingest.reversals import ClaimPlace, pair_reversals
from schemas.money import text_from_cents
from tests.support.books import Books, x12_file, x12_head
from tests.support.trade import A, B

PADDING_CENTS = 100_000_00
"""Paid to B for another prescription, so that no set pays less than nothing."""


@dataclass(frozen=True, slots=True)
class Said:
    """One claim of an 835; a negative amount makes it a reversal."""

    cents: int
    rx: str = "6000123"
    number: str = "PCN1"
    npi: str = A.npi
    filled: str = "20261101"
    ndc: str = "00093505698"
    charge_cents: int | None = None
    adjustments: tuple[tuple[str, str, int], ...] = ()
    rejects: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """CLP02."""
        return "22" if self.cents < 0 else "4" if self.rejects else "1"

    @property
    def segments(self) -> list[str]:
        """Its segments; the charge is the payment plus the adjustments unless it is given."""
        adjusted = self.cents + sum(cents for _, _, cents in self.adjustments)
        charge = text_from_cents(adjusted if self.charge_cents is None else self.charge_cents)
        paid = text_from_cents(self.cents)
        return [
            f"CLP*{self.rx}*{self.status}*{charge}*{paid}**13*{self.number}",
            "NM1*QC*1*EXAMPLE*PAT****MI*PLAN0001",
            f"NM1*82*2*STORE*****XX*{self.npi}",
            f"SVC*N4:{self.ndc}*{charge}*{paid}**30" if self.ndc else f"SVC*HC:99*{charge}*{paid}**30",
            *([f"DTM*472*{self.filled}"] if self.filled else []),
            *(f"CAS*{group}*{reason}*{text_from_cents(cents)}" for group, reason, cents in self.adjustments),
            *(f"LQ*RX*{code}" for code in self.rejects),
        ]


def said_set(trace: str, claims: Sequence[Said], *, day: date, payer_id: str = "1360000001") -> list[str]:
    """Lay out a set of these claims, and one more that keeps it from paying less than nothing."""
    padded = [*claims, Said(PADDING_CENTS, rx=f"9{trace}", number=f"PAD{trace}", npi=B.npi)]
    dollars = text_from_cents(sum(claim.cents for claim in padded))
    head = x12_head(trace, dollars, day=f"{day:%Y%m%d}", payer_id=payer_id)
    return head + [segment for claim in padded for segment in claim.segments]


def take_in(books: Books, *sets: list[str], pairing: bool = True) -> FileVerdict:
    """Take in a file of these sets; its reversals are paired as the loader does it."""
    verdict = books.receive(x12_file(*sets), "claims.835")
    assert verdict.status == "accepted", verdict.summary
    if pairing:
        with books.begin() as connection:
            pair_reversals(connection, [row[0] for row in books.ask(_LATEST)])
    return verdict


_LATEST = "SELECT advice_id FROM advice WHERE file_id = (SELECT max(file_id) FROM advice)"


def pairs(books: Books) -> list[tuple[str, int, int | None]]:
    """Give each reversal in payment order: state, candidates, and the place of its original among all other lines."""
    rows = books.ask(
        """
        WITH other AS (
            SELECT advice_id, segment, row_number() OVER (ORDER BY paid_on, advice_id, segment) AS place
            FROM claim_line WHERE status <> '22' AND payer_claim_number NOT LIKE 'PAD%')
        SELECT r.state, r.candidates, o.place FROM claim_reversal r
        LEFT JOIN other o ON (o.advice_id, o.segment) = (r.original_advice_id, r.original_segment)
        ORDER BY r.paid_on, r.advice_id, r.segment"""
    )
    return [(row[0], row[1], row[2]) for row in rows]


def places(books: Books, *, reversals: bool) -> list[ClaimPlace]:
    """Give where the reversals, or the other lines, stand, in payment order."""
    rows = books.ask(
        """
        SELECT advice_id, segment FROM claim_line
        WHERE (status = '22') = :reversals AND payer_claim_number NOT LIKE 'PAD%'
        ORDER BY paid_on, advice_id, segment""",
        reversals=reversals,
    )
    return [ClaimPlace(row[0], row[1]) for row in rows]
