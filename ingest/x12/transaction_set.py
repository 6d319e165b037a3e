"""One transaction set from ST to SE: its head, claims, PLBs, its balance and its verdict.

Source: 005010X221A1, section 1.10.2.1.3: BPR02 is the sum of all CLP04 less the sum of all PLB amounts; X12.6 for ST
and SE. Each set is judged alone.
"""

from functools import partial
from itertools import accumulate

from ingest.x12.claims import ClaimReader
from ingest.x12.content import ContentDigest
from ingest.x12.delimiters import Delimiters
from ingest.x12.examination import examine_claim
from ingest.x12.header import read_header
from ingest.x12.loop import Loop
from ingest.x12.model import Claim, PlbAdjustment, SetEnd, SetHeader
from ingest.x12.plb import read_plb
from ingest.x12.segments import Batch
from ingest.x12.store import Store
from schemas.collecting import FindingList, shown, shown_figure
from schemas.money import text_from_cents


class TransactionSet:
    """A set being read.

    Args:
        batch: where its head stands, ST first.
        start: where in the batch the ST stands.
        segments: those of the head.
        ordinal: number of the ST in the file.
        claim_reader: of the interchange.
        delimiters: of the interchange.
    """

    def __init__(
        self,
        batch: Batch,
        start: int,
        segments: list[str],
        *,
        ordinal: int,
        claim_reader: ClaimReader,
        delimiters: Delimiters,
    ) -> None:
        self._delimiters = delimiters
        self._claim_reader = claim_reader
        self._findings = FindingList()
        self._segment_count = 0
        self._ordinal = ordinal
        self._store: Store | None = None
        self._money_is_readable = True
        self._claim_count = 0
        self._claims_paid_cents = 0
        self._plb: list[PlbAdjustment] = []
        self.content = ContentDigest(delimiters)
        self.content.add_without_control_number(segments[0])
        self.header: SetHeader | None = None
        self.claims: list[Claim] = []
        """Claims read and not yet handed on; always empty without a usable head."""
        self._head = self._loop(batch, start, segments)
        self._segment_count = len(segments)
        self._is_remittance = self._head.text(0, 1) == "835"
        if self._is_remittance:
            self.header = read_header(self._head, ordinal, delimiters)
        else:
            self._head.refuse("transaction_kind", 0, 1, "835", shown(self._head.text(0, 1)))
        self._payee = self.header.payee if self.header else ""

    def add_claims(self, batch: Batch, stretch: range) -> None:
        """Read claims that follow each other. ``stretch``: their numbers among the loops of the batch."""
        counts = batch.segment_counts[stretch.start : stretch.stop]
        *positions, after = accumulate(counts, initial=self._segment_count + 1)
        if self._is_remittance:
            read = self._claim_reader.read_stretch(batch, stretch, positions, self._payee)
            for number in read.doubtful:
                start, segments = batch.marks[stretch[number]], batch.segments(stretch[number])
                examine_claim(self._loop(batch, start, segments, positions[number]))
            self._claim_count += len(stretch)
            self._claims_paid_cents += sum([claim.paid_cents for claim in read.claims])
            self._money_is_readable = self._money_is_readable and len(read.claims) == len(stretch)
            if self._store is not None:
                self._store.add_claims(len(stretch), sum([claim.charge_cents for claim in read.claims]))
            if self.header is not None:
                self.claims += read.claims
        self._segment_count = after - 1

    def add_store(self, batch: Batch, start: int, segments: list[str]) -> None:
        """Read a loop that an LX begins, without its claims."""
        if self._is_remittance:
            self._leave_store()
            if len(segments) > 1:
                self._store = Store(self._loop(batch, start, segments))
                self._payee = self._store.payee or self._payee
        self._segment_count += len(segments)

    def add_plb(self, batch: Batch, start: int, segments: list[str]) -> None:
        """Read a PLB and whatever stands between it and the next loop."""
        if self._is_remittance:
            self._leave_store()
            byte_end = batch.end(start + len(segments[0]) + 1)
            adjustments, readable = read_plb(self._loop(batch, start, segments), self._delimiters.component, byte_end)
            self._plb += adjustments
            self._money_is_readable = self._money_is_readable and readable
        self._segment_count += len(segments)

    def take_claims(self, most: int | None = None) -> list[Claim]:
        """Give the claims that wait, or the first of them, and forget those."""
        claims = self.claims[:most]
        del self.claims[:most]
        return claims

    def close(self, batch: Batch, start: int, segment: str) -> SetEnd:
        """Read the SE, balance the set and judge it."""
        self.content.add_without_control_number(segment)
        loop = self._loop(batch, start, [segment])
        counted, stated = loop.segment_of(0), loop.text(0, 1)
        if stated.lstrip("0") != str(counted):
            loop.refuse("segment_count", 0, 1, str(counted), shown_figure(stated))
        opened, closed = self._head.text(0, 2), loop.text(0, 2)
        if closed != opened:
            loop.refuse("set_control_number", 0, 2, f"{shown(opened)}, as in ST02", shown(closed))
        if self._is_remittance:
            self._leave_store()
            self._balance()
        return self._end(batch.end(start + len(segment) + 1))

    def cut_off(self, by: str, byte_end: int) -> SetEnd:
        """Judge a set whose SE never came.

        Args:
            by: what came instead.
            byte_end: offset at which it came.
        """
        self._head.refuse("set_cut_off", 0, 0, "an SE at the end of the set", by)
        return self._end(byte_end)

    def _balance(self) -> None:
        if self.header is None or not self._money_is_readable:
            return
        plb_cents = sum(adjustment.amount_cents for adjustment in self._plb)
        due_cents = self._claims_paid_cents - plb_cents
        if due_cents != self.header.payment_cents:
            claims, plb, due = (text_from_cents(cents) for cents in (self._claims_paid_cents, plb_cents, due_cents))
            expected = f"{due} (claims {claims} less PLB {plb})"
            found = text_from_cents(self.header.payment_cents)
            self._head.refuse("set_balances", self._head.kinds.index("BPR"), 2, expected, found)

    def _leave_store(self) -> None:
        """Check the store whose claims have all come; what follows belongs to the payee of the set again."""
        if self._store is not None:
            self._store.check()
            self._store = None
            self._payee = self.header.payee if self.header else ""

    def _end(self, byte_end: int) -> SetEnd:
        return SetEnd(
            header=self.header,
            ordinal=self._ordinal,
            kind=self._head.text(0, 1),
            control_number=self._head.text(0, 2),
            claim_count=self._claim_count,
            claims_paid_cents=self._claims_paid_cents,
            plb=tuple(self._plb),
            findings=self._findings.all(),
            content_sha256=self.content.digest(),
            byte_start=self._head.byte_start(),
            byte_end=byte_end,
        )

    def _loop(self, batch: Batch, start: int, segments: list[str], position: int | None = None) -> Loop:
        """Take apart a loop: the one that comes next in the set, or whose first segment has a position in it."""
        return Loop(
            segments,
            position or self._segment_count + 1,
            partial(batch.segment_begin, start, segments),
            element=self._delimiters.element,
            findings=self._findings,
        )
