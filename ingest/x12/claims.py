"""Read claim payments: each its loop 2100 and the service lines (2110) in it, balanced in exact cents.

Source: 005010X221A1, sections 1.10.2 (balancing) and loops 2100, 2110:

* service: SVC02 less the CAS of that 2110 is SVC03 (an absent SVC03 is zero);
* claim: CLP03 less every CAS of the claim and its services is CLP04.

This is the hot path of the system: every claim of a nation comes here. Those of the usual shape are read together
(``usual_claims.py``), the others segment by segment. Either way reads what is in order and only notices when something
is not; ``examination.py`` then walks the same segments to say what and where.
"""

from collections.abc import Sequence
from operator import itemgetter

from ingest.x12.delimiters import Delimiters
from ingest.x12.memories import Memories
from ingest.x12.model import Claim
from ingest.x12.segments import Batch
from ingest.x12.usual_claims import Places, ReadClaims, Row, UsualClaims
from ingest.x12.values import CLAIM_STATUSES, MISPLACED, NO_FILL_DATE, cents_of

_SAMPLE = 8  # so many claims show how the others look; fewer are read sooner one by one


class ClaimReader:
    """Reads the claims of one interchange; remembers what repeats."""

    def __init__(self, delimiters: Delimiters) -> None:
        self._element = delimiters.element
        self._component = delimiters.component
        self._padding = 8 * delimiters.element
        self._memories = Memories(delimiters)
        self._doubt = self._memories.doubt
        self._adjustments, self._fill_dates = self._memories.adjustments, self._memories.fill_dates
        self._usual = UsualClaims(delimiters, self._memories)
        self._rendering_mark = f"82{delimiters.element}"
        self._reject_mark = f"LQ{delimiters.element}"
        self._ndc_mark = f"N4{delimiters.component}"

    def read_stretch(self, batch: Batch, stretch: range, positions: Sequence[int], payee: str) -> ReadClaims:
        """Read claims that follow each other.

        Args:
            batch: where they stand.
            stretch: their numbers among the loops of the batch.
            positions: of each CLP within its set.
            payee: whose claims they are unless they say so themselves.
        """
        first, after = stretch.start, stretch.stop
        places = Places(positions, batch.begins[first:after], batch.ends[first:after])
        rows = self._rows(batch, stretch)
        usual = [number for number, row in enumerate(rows) if UsualClaims.has_caught(row)]
        if len(usual) == len(stretch):
            return self._usual.read(rows, places, payee) or self._read_each(batch, stretch, places, payee)
        read = self._usual.read([rows[number] for number in usual], places.of(usual), payee) if usual else None
        if read is None:
            return self._read_each(batch, stretch, places, payee)
        unusual = sorted(set(range(len(stretch))).difference(usual))
        others = self._read_each(batch, [stretch[number] for number in unusual], places.of(unusual), payee)
        doubtful = [usual[number] for number in read.doubtful] + [unusual[number] for number in others.doubtful]
        return ReadClaims(sorted(read.claims + others.claims, key=itemgetter(0)), sorted(doubtful))

    def _read_each(self, batch: Batch, loops: Sequence[int], places: Places, payee: str) -> ReadClaims:
        """Read claims one by one."""
        read = ReadClaims([], [])
        for number, (loop, position, begin, end) in enumerate(zip(loops, *places, strict=True)):
            claim, in_order = self.read(batch.segments(loop), position, begin, end, payee)
            if claim is not None:
                read.claims.append(claim)
            if not in_order:
                read.doubtful.append(number)
        return read

    def _rows(self, batch: Batch, stretch: range) -> list[Row]:
        """Catch the usual claims of a stretch, unless they are few: who writes claims another way does so always."""
        if len(stretch) < _SAMPLE:
            return []
        text, marks = batch.text, batch.marks[stretch.start : stretch.stop + 1]
        sample = self._usual.rows(text, marks[0], marks[_SAMPLE])
        if 2 * sum(map(UsualClaims.has_caught, sample)) < _SAMPLE:
            return []
        return sample + self._usual.rows(text, marks[_SAMPLE], marks[-1])

    def read(
        self, segments: list[str], position: int, byte_start: int, byte_end: int, payee: str
    ) -> tuple[Claim | None, bool]:
        """Read a claim.

        Args:
            segments: clean, CLP first.
            position: of the CLP within its set.
            byte_start: offset of the CLP.
            byte_end: offset after its last segment.
            payee: whose claim it is unless it says so itself.

        Returns:
            The claim, or None when an amount cannot be read; and whether all of it is in order.
        """
        self._doubt.raised = False
        try:
            return self._read(segments, position, byte_start, byte_end, payee)
        except ValueError:
            return None, False

    def _read(  # noqa: C901 (one pass without calls; a function for each segment takes twice the time)
        self, segments: list[str], position: int, byte_start: int, byte_end: int, payee: str
    ) -> tuple[Claim, bool]:
        element, padding = self._element, self._padding
        adjustments, fill_dates = self._adjustments, self._fill_dates
        _, rx_number, status, charge, paid, patient, _, payer_claim_number, _ = (segments[0] + padding).split(
            element, 8
        )
        charge_cents, paid_cents, patient_cents = cents_of(charge), cents_of(paid), cents_of(patient or "0")
        due_cents = charge_cents - paid_cents
        open_cents = services = 0
        in_order = status in CLAIM_STATUSES and rx_number != ""
        rank = NO_FILL_DATE
        rendering = fill_date = ndc = quantity = ""
        reasons, rejects = [], []
        for text in segments:
            kind = text[:3]
            if kind == "CAS":
                reason, cents = adjustments[text]
                reasons.append(reason)
                due_cents -= cents
                open_cents -= cents
            elif kind == "DTM":
                this_rank, day = fill_dates[text]
                if this_rank < rank:
                    rank, fill_date = this_rank, day
            elif kind == "NM1":
                if text[4:7] == self._rendering_mark and not rendering:
                    rendering = self._memories.renderings[text]
            elif kind == "SVC":
                in_order = in_order and not (services and open_cents)
                services += 1
                elements = (text + padding).split(element, 6)
                # What is charged and paid for the only service of a claim is what the claim says, nearly always.
                charged_cents = charge_cents if elements[2] == charge else cents_of(elements[2])
                open_cents = charged_cents - (paid_cents if elements[3] == paid else cents_of(elements[3] or "0"))
                if services == 1:
                    quantity = self._memories.quantities[elements[5]]
                    if elements[1].startswith(self._ndc_mark):
                        ndc = elements[1].split(self._component, 2)[1]
            elif kind == self._reject_mark:
                rejects.append(self._memories.reject_codes[text])
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
            ";".join(filter(None, rejects)),
            byte_start,
            byte_end,
        )
        balances = not due_cents and not (services and open_cents)
        return claim, balances and in_order and not self._doubt.raised
