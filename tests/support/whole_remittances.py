"""X12 835 remittances as values that can be written in any syntax, and that say what reading them gives."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from ingest.x12.delimiters import Delimiters
from ingest.x12.identity import bare_identifier
from ingest.x12.model import Claim, PlbAdjustment
from schemas.money import text_from_cents

Segment = Sequence[str | tuple[str, ...] | int]
"""Elements: text, a composite, or an amount in cents."""
Adjustment = tuple[str, tuple[tuple[str, int], ...]]
"""One CAS: its group, then up to six reasons with cents."""

FILL_DATE_ORDER = ("472", "232", "150", "050", "036")
PAYEE = "NPI:1234567893"


def _sum_cents(adjustments: Sequence[Adjustment]) -> int:
    return sum(cents for _, pairs in adjustments for _, cents in pairs)


def _cas(adjustments: Sequence[Adjustment]) -> Iterator[Segment]:
    for group, pairs in adjustments:
        parts: list[str | int] = [part for reason, cents in pairs for part in (reason, cents, "")]
        yield ["CAS", group, *parts[:-1]]


@dataclass(frozen=True)
class Service:
    """A service line."""

    product: tuple[str, ...]
    quantity: str
    paid_cents: int
    dates: tuple[tuple[str, str], ...]
    adjustments: tuple[Adjustment, ...]
    rejects: tuple[tuple[str, str], ...]

    def segments(self) -> Iterator[Segment]:
        """Give it in the guide's order."""
        charge_cents = self.paid_cents + _sum_cents(self.adjustments)
        yield ["SVC", self.product, charge_cents, self.paid_cents, "", self.quantity]
        yield from (["DTM", *date] for date in self.dates)
        yield from _cas(self.adjustments)
        yield ["REF", "6R", "1"]
        yield from (["LQ", *reject] for reject in self.rejects)


@dataclass(frozen=True)
class WholeClaim:
    """A claim with all that is read of it."""

    rx_number: str
    status: str
    patient_cents: int
    claim_number: str
    rendering: tuple[str, str]
    dates: tuple[tuple[str, str], ...]
    adjustments: tuple[Adjustment, ...]
    services: tuple[Service, ...]

    @property
    def paid_cents(self) -> int:
        """What it pays."""
        return sum(service.paid_cents for service in self.services) - _sum_cents(self.adjustments)

    @property
    def charge_cents(self) -> int:
        """What it charges: what it pays and every adjustment."""
        return self.paid_cents + _sum_cents(list(self._all_adjustments()))

    def _all_adjustments(self) -> Iterator[Adjustment]:
        yield from self.adjustments
        yield from chain.from_iterable(service.adjustments for service in self.services)

    def segments(self) -> Iterator[Segment]:
        """Give it in the guide's order, with segments of which nothing is read."""
        patient = self.patient_cents or ""
        yield ["CLP", self.rx_number, self.status, self.charge_cents, self.paid_cents, patient, "13", self.claim_number]
        yield from _cas(self.adjustments)
        yield ["NM1", "QC", "1", "DOE", "JANE"]
        if self.rendering[1]:
            yield ["NM1", "82", "2", "X", "", "", "", "", *self.rendering]
        yield ["REF", "CE", "NETWORK"]
        yield from (["DTM", *date] for date in self.dates)
        yield ["AMT", "AU", 12345]
        yield from chain.from_iterable(service.segments() for service in self.services)

    def as_read(self, segment: int, payee: str) -> Claim:
        """Say what reading it gives; its bytes are told elsewhere."""
        dates = [*self.dates, *(date for service in self.services for date in service.dates)]
        known = [date for date in dates if date[0] in FILL_DATE_ORDER]
        fill_date = min(known, key=lambda date: FILL_DATE_ORDER.index(date[0]), default=("", ""))[1]
        first = self.services[0] if self.services else Service(("",), "", 0, (), (), ())
        qualifier, value = self.rendering
        own = f"NPI:{value}" if qualifier == "XX" else bare_identifier(value)
        return Claim(
            segment,
            own if value else payee,
            self.rx_number,
            self.status,
            self.charge_cents,
            self.paid_cents,
            self.patient_cents,
            self.claim_number,
            fill_date,
            first.product[1] if first.product[0] == "N4" and len(first.product) > 1 else "",
            first.quantity,
            ";".join(f"{group}{reason}:{cents}" for group, pairs in self._all_adjustments() for reason, cents in pairs),
            ";".join(":".join(reject) for service in self.services for reject in service.rejects),
            0,
            0,
        )


@dataclass(frozen=True)
class Section:
    """An LX: perhaps a store, and its claims."""

    number: int
    store: str
    claims: tuple[WholeClaim, ...]

    def head(self) -> Iterator[Segment]:
        """Give the LX and its TS3."""
        yield ["LX", str(self.number)]
        if self.store:
            charge_cents = sum(claim.charge_cents for claim in self.claims)
            yield ["TS3", self.store, "99", "20261231", str(len(self.claims)), charge_cents]


@dataclass(frozen=True)
class WholeSet:
    """A set that pays 10,000.00, whatever its claims and PLBs come to: a last PLB makes up for it."""

    control_number: str
    trace_number: str
    sections: tuple[Section, ...]
    plbs: tuple[tuple[str, tuple[tuple[str, str, int], ...]], ...]

    def all_plbs(self) -> list[tuple[str, tuple[tuple[str, str, int], ...]]]:
        """Give its PLBs, each a provider with reasons, references and cents, and the last."""
        paid_cents = sum(claim.paid_cents for section in self.sections for claim in section.claims)
        taken_cents = sum(cents for _, pairs in self.plbs for _, _, cents in pairs)
        rest_cents = paid_cents - taken_cents - 1_000_000
        return [*self.plbs, *([("7654321", (("FB", "", rest_cents),))] if rest_cents else [])]

    def segments(self) -> Iterator[Segment]:
        """Give it from ST to SE."""
        body = [*self._body()]
        yield from body
        yield ["SE", str(len(body) + 1), self.control_number]

    def _body(self) -> Iterator[Segment]:
        yield ["ST", "835", self.control_number]
        yield ["BPR", "I", 1_000_000, "C", "ACH", *(5 * [""]), "1935665544", *(5 * [""]), "20260303"]
        yield ["TRN", "1", self.trace_number, "1935665544"]
        yield from (["N1", "PR", "PAYER"], ["N1", "PE", "LISA", "XX", "1234567893"])
        for section in self.sections:
            yield from section.head()
            yield from chain.from_iterable(claim.segments() for claim in section.claims)
        for provider, pairs in self.all_plbs():
            composites = (((reason, reference) if reference else reason, cents) for reason, reference, cents in pairs)
            yield ["PLB", provider, "20261231", *chain.from_iterable(composites)]

    def claims_as_read(self) -> Iterator[Claim]:
        """Give its claims with their places in the set."""
        segment = 6
        for section in self.sections:
            segment += len(list(section.head()))
            for claim in section.claims:
                yield claim.as_read(segment, bare_identifier(section.store) or PAYEE)
                segment += len(list(claim.segments()))

    def plbs_as_read(self) -> list[PlbAdjustment]:
        """Give its PLBs; their places are told elsewhere."""
        return [
            PlbAdjustment(0, pair, bare_identifier(provider), provider, "20261231", *facts, 0, 0)
            for provider, pairs in self.all_plbs()
            for pair, facts in enumerate(pairs, start=1)
        ]


@dataclass(frozen=True)
class Envelope:
    """An interchange: how it is written, and the sets of its groups."""

    delimiters: Delimiters
    after: str
    trims: bool
    has_trailer: bool
    groups: tuple[tuple[WholeSet, ...], ...] = field(default=())

    def sets(self) -> list[WholeSet]:
        """Give the sets of all groups."""
        return list(chain.from_iterable(self.groups))

    def text(self, segments: Iterator[Segment]) -> str:
        """Write segments."""
        marks = self.delimiters
        return "".join(
            marks.element.join(map(self._element, segment)) + marks.terminator + self.after for segment in segments
        )

    def segments(self) -> Iterator[Segment]:
        """Give everything from ISA to IEA."""
        marks = self.delimiters
        parties = ["ZZ", "PBM".ljust(15), "ZZ", "LISA".ljust(15), "260301", "0600"]
        tail = [marks.repetition, "00501", "000000007", "0", "P", marks.component]
        yield ["ISA", "00", 10 * " ", "00", 10 * " ", *parties, *tail]
        for number, group in enumerate(self.groups, start=1):
            yield ["GS", "HP", "PBM", "PSAO", "20260301", "0600", str(number), "X", "005010X221A1"]
            for each in group:
                yield from each.segments()
            yield ["GE", str(len(group)), str(number)]
        if self.has_trailer:
            yield ["IEA", str(len(self.groups)), "000000007"]

    def _element(self, element: str | tuple[str, ...] | int) -> str:
        if isinstance(element, tuple):
            return self.delimiters.component.join(element)
        if isinstance(element, str):
            return element
        text = text_from_cents(element)
        return text.rstrip("0").rstrip(".") if self.trims else text


def written(envelopes: Sequence[Envelope], width: int, line_break: str) -> bytes:
    """Write a file; wrap it where no interchange ends its segments by a line break."""
    text = "".join(each.text(each.segments()) for each in envelopes)
    if width and not any(each.delimiters.terminator in "\r\n" for each in envelopes):
        text = line_break.join(text[at : at + width] for at in range(0, len(text), width))
    return text.encode("latin-1")
