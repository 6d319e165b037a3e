"""Read the claims of the usual shape among those that follow each other, all at once and column by column.

Source: 005010X221A1, loops 2100 and 2110, in the guide's order: CLP, NM1, REF, DTM and others; then one service, which
says of charge and payment what the claim says, with its DTM, CAS, REF and others, and LQ last. What the others are does
not matter, but any segment with a meaning for money or identity is caught, or makes the shape an unusual one.
``claims.py`` reads the unusual claims segment by segment, and with the same result.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from ingest.x12.delimiters import Delimiters
from ingest.x12.memories import Memories
from ingest.x12.model import Claim
from ingest.x12.segments import CLAIM
from ingest.x12.values import CLAIM_STATUSES, GROUP_CODES, MISPLACED, cents_of

Row = tuple[str, ...]
"""What the shape catches of one claim."""


class Places(NamedTuple):
    """Where claims that follow each other stand; a column each."""

    positions: Sequence[int]
    """Of each CLP within its set, ST = 1."""
    begins: Sequence[int]
    """Offset of each CLP."""
    ends: Sequence[int]
    """Offset after the last segment of each."""

    def of(self, numbers: Sequence[int]) -> "Places":
        """Give the places of some of them."""
        return Places(*([column[number] for number in numbers] for column in self))


class ReadClaims(NamedTuple):
    """What claims that follow each other gave."""

    claims: list[Claim]
    """Those whose amounts can be read."""
    doubtful: list[int]
    """The numbers of those that are not in order, first = 0."""


class UsualClaims:
    """Reads the usual ones among the claims of one interchange."""

    def __init__(self, delimiters: Delimiters, memories: Memories) -> None:
        self._shape = re.compile(_shape(delimiters), re.DOTALL)
        self._terminator = delimiters.terminator
        self._memories = memories

    def rows(self, text: str, start: int, after: int) -> list[Row]:
        """Catch the claims between two places of a clean text, a row each; ``has_caught`` tells which can be read."""
        return self._shape.findall(text, start, after)

    @staticmethod
    def has_caught(row: Row) -> bool:
        """Tell whether the claim has the usual shape."""
        return not row[-1]

    def read(self, rows: Sequence[Row], places: Places, payee: str) -> ReadClaims | None:
        """Read usual claims.

        Args:
            rows: what was caught of them.
            places: where they stand.
            payee: whose claims they are unless they say so themselves.

        Returns:
            None when there are none, one has an amount that cannot be read, or one needs a closer look, and not only at
            its balance.
        """
        if not rows:
            return None
        memories = self._memories
        memories.doubt.raised = False
        columns = zip(*rows, strict=True)
        rx_numbers, statuses, charges, paids, patients, claim_numbers, renderings, *columns_of_service = columns
        claim_dates, ndcs, quantities, service_dates, adjustments, rejects, _ = columns_of_service
        try:
            charge_cents, paid_cents, patient_cents = _cents(charges), _cents(paids), _cents(patients)
            reasons, adjusted_cents = self._adjusted(adjustments)
        except ValueError:
            return None
        all_dates = zip(claim_dates, service_dates, strict=True)
        dates = [memories.fill_dates[of_claim + of_service][1] for of_claim, of_service in all_dates]
        payees = [memories.renderings[segment] or payee if segment else payee for segment in renderings]
        codes = [memories.reject_codes[segments] for segments in rejects]
        if memories.doubt.raised:
            return None
        facts = zip(
            *(places.positions, payees, rx_numbers, statuses, charge_cents, paid_cents, patient_cents, claim_numbers),
            *(dates, ndcs, quantities, reasons, codes, places.begins, places.ends),
            strict=True,
        )
        sums = zip(charge_cents, paid_cents, adjusted_cents, strict=True)
        doubtful = [number for number, (charge, paid, adjusted) in enumerate(sums) if charge - paid != adjusted]
        return ReadClaims(list(map(Claim._make, facts)), doubtful)

    def _adjusted(self, column: Sequence[str]) -> tuple[list[str], list[int]]:
        """Read the CAS segments of claims, each any number: their reasons, and the sum of their cents."""
        memory, terminator = self._memories.adjustments, self._terminator
        reasons, sums = [], []
        for segments in column:
            text, total_cents = "", 0
            for segment in segments.split(terminator):
                reason, cents = memory[segment]
                text = f"{text};{reason}" if text else reason
                total_cents += cents
            reasons.append(text)
            sums.append(total_cents)
        return reasons, sums


def _cents(amounts: Sequence[str]) -> list[int]:
    """Read a column of amounts of the usual shape; an absent one is zero."""
    return [int(amount.replace(".", "")) if amount[-3:-2] == "." else cents_of(amount or "0") for amount in amounts]


def _shape(delimiters: Delimiters) -> str:
    """Write down how a claim up to the next one or to the end is caught: its facts, or its first letters if unusual.

    The segment at hand decides every step, never one that comes later: so that the time is in proportion to the text.
    """
    element, component, end = map(re.escape, (delimiters.element, delimiters.component, delimiters.terminator))
    text, rest = f"[^{element}{end}]*+", f"[^{end}]*+"
    amount, number = r"-?[0-9]{1,12}\.?[0-9]*", r"-?[0-9]*\.?[0-9]+"

    def caught(segment: str) -> str:
        """Catch segments of a kind that follow each other."""
        return f"{end}({segment}{rest}(?:{end}{segment}{rest})*)"

    meaning = "|".join((CLAIM, "CAS", "DTM", "SVC", f"NM1.82{element}", f"LQ{element}", *sorted(MISPLACED)))
    others = f"(?:{end}(?!{meaning}){rest})*"
    head = element.join(
        (
            CLAIM,
            *(f"([^{element}{end}]++)", f"({'|'.join(sorted(CLAIM_STATUSES))})", f"(?P<charge>{amount})"),
            *(f"(?P<paid>{amount})", f"({amount}|)", text, f"({text})"),
        )
    )
    product = f"(?:N4{component}([^{component}{element}{end}]*+){text}|{text})"
    quantity = f"({number}|)(?=[{element}{end}])"
    service = element.join((f"{end}SVC", product, "(?P=charge)", "(?P=paid)", text, quantity))
    adjustments = caught(f"CAS{element}(?:{'|'.join(sorted(GROUP_CODES))}){element}")
    rejects = caught(f"LQ{element}")
    usual = (
        f"{head}{rest}{others}"
        f"(?:{end}(NM1{element}82{element}{rest}){others}|)"
        f"(?:{caught('DTM')}{others}|)"
        f"{service}{rest}"
        f"((?:{end}DTM{rest})*)"
        f"(?:{adjustments}|){others}(?:{rejects}|)"
    )
    if {"-", "."} & {delimiters.element, delimiters.component, delimiters.terminator}:
        usual = "(?!)"  # a sign or a decimal point would be taken for a delimiter, or the other way round
    return f"(?:{usual}|({CLAIM}){rest}(?:{end}(?!{CLAIM}){rest})*){end}(?={CLAIM}|\\Z)"
