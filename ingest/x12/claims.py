"""Read one claim payment: its loop 2100 and the service lines (2110) in it, balanced in exact cents.

Source: 005010X221A1, sections 1.10.2 (balancing) and loops 2100, 2110:

* service: SVC02 less the CAS of that 2110 is SVC03 (an absent SVC03 is zero);
* claim: CLP03 less every CAS of the claim and its services is CLP04.

This is the hot path of the system, one call for each claim of a nation. It reads what is in order and only notices
when something is not; ``examination.py`` then walks the same segments to say what and where.
"""

from typing import Final

from ingest.x12.delimiters import Delimiters
from ingest.x12.model import Claim
from ingest.x12.values import NO_FILL_DATE, Adjustments, Doubt, FillDates, Quantities, Renderings, cents_of

CLAIM_STATUSES: Final = frozenset(("1", "2", "3", "4", "19", "20", "21", "22", "23", "25"))
"""CLP02 codes of 005010X221A1."""
REJECT_QUALIFIERS: Final = frozenset(("RX", "HE"))
"""LQ01: NCPDP reject codes and remittance advice remark codes."""
MISPLACED: Final = frozenset(("BPR", "TRN", "TS3"))
"""Never inside a claim. Where one is, the segment that ended the claim is lost, and with it whose money follows."""


class ClaimReader:
    """Reads the claims of one interchange; remembers what repeats."""

    def __init__(self, delimiters: Delimiters) -> None:
        self._element = delimiters.element
        self._component = delimiters.component
        self._padding = 8 * delimiters.element
        self._doubt = Doubt()
        self._adjustments = Adjustments(delimiters.element, self._doubt)
        self._fill_dates = FillDates(delimiters.element, self._doubt)
        self._renderings = Renderings(delimiters.element)
        self._quantities = Quantities(self._doubt)
        self._rendering_mark = f"82{delimiters.element}"
        self._reject_mark = f"LQ{delimiters.element}"
        self._ndc_mark = f"N4{delimiters.component}"

    def read(
        self, segments: list[str], position: int, payee: str, byte_start: int, byte_end: int
    ) -> tuple[Claim | None, bool]:
        """Read a claim.

        Args:
            segments: clean, CLP first.
            position: of the CLP within its set.
            payee: whose claim it is unless it says so itself.
            byte_start: offset of the CLP.
            byte_end: offset after its last segment.

        Returns:
            The claim, or None when an amount cannot be read; and whether all of it is in order.
        """
        self._doubt.raised = False
        try:
            return self._read(segments, position, payee, byte_start, byte_end)
        except ValueError:
            return None, False

    def _read(  # noqa: C901 (one pass without calls; a function for each segment takes twice the time)
        self, segments: list[str], position: int, payee: str, byte_start: int, byte_end: int
    ) -> tuple[Claim, bool]:
        element, padding = self._element, self._padding
        adjustments, fill_dates = self._adjustments, self._fill_dates
        _, rx_number, status, charge, paid, patient, _, payer_claim_number, _ = (segments[0] + padding).split(
            element, 8
        )
        charge_cents, paid_cents, patient_cents = cents_of(charge), cents_of(paid), cents_of(patient or "0")
        adjusted_cents = open_cents = services = 0
        in_order = status in CLAIM_STATUSES and rx_number != ""
        rank = NO_FILL_DATE
        rendering = fill_date = ndc = quantity = rejects = ""
        reasons = []
        for text in segments:
            kind = text[:3]
            if kind == "CAS":
                reason, cents = adjustments[text]
                reasons.append(reason)
                adjusted_cents += cents
                open_cents -= cents
            elif kind == "DTM":
                this_rank, day = fill_dates[text]
                if this_rank < rank:
                    rank, fill_date = this_rank, day
            elif kind == "NM1":
                if text[4:7] == self._rendering_mark and not rendering:
                    rendering = self._renderings[text]
            elif kind == "SVC":
                in_order = in_order and not (services and open_cents)
                services += 1
                elements = (text + padding).split(element, 6)
                # What is charged and paid for the only service of a claim is what the claim says, nearly always.
                charged_cents = charge_cents if elements[2] == charge else cents_of(elements[2])
                open_cents = charged_cents - (paid_cents if elements[3] == paid else cents_of(elements[3] or "0"))
                if services == 1:
                    quantity = self._quantities[elements[5]]
                    if elements[1].startswith(self._ndc_mark):
                        ndc = elements[1].split(self._component, 2)[1]
            elif kind == self._reject_mark:
                rejects = self._with_reject(rejects, text)
            elif kind in MISPLACED:
                in_order = False
        claim = Claim(
            position,
            rendering or payee,
            rx_number,
            status,
            charge_cents,
            paid_cents,
            patient_cents,
            payer_claim_number,
            fill_date,
            ndc,
            quantity,
            ";".join(reasons),
            rejects,
            byte_start,
            byte_end,
        )
        balances = charge_cents - adjusted_cents == paid_cents and not (services and open_cents)
        return claim, balances and in_order and not self._doubt.raised

    def _with_reject(self, rejects: str, text: str) -> str:
        """Add the code of an LQ segment when it is one that says why a claim was rejected."""
        _, qualifier, code, *_ = (text + self._padding).split(self._element)
        if qualifier not in REJECT_QUALIFIERS or not code:
            return rejects
        return f"{rejects};{qualifier}:{code}" if rejects else f"{qualifier}:{code}"
