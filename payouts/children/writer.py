"""Write a child remittance: new envelopes and heads around claims and PLBs that stay as the payer wrote them.

Source: ASC X12.5 and X12.6 (envelopes), 005010X221A1: table 1, loops 2000 (LX, TS3) and PLB. BPR04 NON goes with BPR01
H, notification only (BPR01, BPR04). No account of the custodian is told: BPR08 and BPR09 may be left out together.

Nothing is computed from what the claims say. Whether it is what the books say, reading back proves (``telling``).
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

from ingest.roster import AccountType
from ingest.x12.delimiters import Delimiters
from payouts.children.model import Child, ChildSet, Method, OwnItem, Source
from payouts.children.parent import payer_head
from payouts.children.syntax import amount, syntax_of
from payouts.nacha.trn import Trn

_BLOCK_BYTES: Final = 1 << 16
_VERSION: Final = "005010X221A1"
_PHARMACY: Final = "01"
"""TS302, the facility type code of a pharmacy."""
_PLB_PAIRS: Final = 6
_NAMELESS: Final = "PAYER NOT NAMED"
"""N102 where neither the payer's head nor the books have a name."""
_ACCOUNT_KINDS: Final = {AccountType.CHECKING: "DA", AccountType.SAVINGS: "SG"}
"""BPR14: demand deposit, savings."""


def write_child(out: BinaryIO, child: Child) -> None:
    """Write all sets of a member: an interchange for each set of delimiters, one after the other, in constant memory.

    Args:
        out: takes the bytes. When an error is raised, what it has got is no remittance.
        child: its claims are read once, while they are written.

    Raises:
        NachaError: a trace number that the payment's addenda could not carry.
        ValueError: what shall be copied is not whole segments, or is not as many claims as the books say; or a trace
            number or account number holds a delimiter of the payer's.
    """
    numbered = 0
    for index, (delimiters, sets) in enumerate(child.by_delimiters().items()):
        _Interchange(out, child, delimiters).write(sets, child.control_number + index, numbered + 1)
        numbered += len(sets)


class _Interchange:
    """One interchange being written, with one functional group."""

    def __init__(self, out: BinaryIO, child: Child, delimiters: Delimiters) -> None:
        self._out = out
        self._child = child
        self._syntax = syntax_of(delimiters)
        self._fiscal_date = f"{child.effective_on.year}1231"

    def write(self, sets: list[ChildSet], control_number: int, first_set: int) -> None:
        """Write it; the sets are numbered from ``first_set`` on."""
        segment, group = self._syntax.segment, str(control_number)
        self._put([self._isa(control_number), self._gs(group)])
        for number, child_set in enumerate(sets, start=first_set):
            self._write_set(child_set, f"{number:04d}")
        self._put([segment("GE", str(len(sets)), group), segment("IEA", "1", f"{control_number:09d}")])

    def _write_set(self, child_set: ChildSet, number: str) -> None:
        segment, source = self._syntax.segment, child_set.source
        count = self._put([segment("ST", "835", number), *self._head(child_set)])
        if source is not None:
            count += self._put(self._store(source))
            count += self._copy(source)
        count += self._put(self._own(child_set.own))
        self._put([segment("SE", str(count + 1), number)])

    def _isa(self, control_number: int) -> str:
        # The one segment whose elements have fixed widths and may be delimiters: ISA11 and ISA16 tell them.
        child, delimiters = self._child, self._syntax.delimiters
        elements = (
            *("ISA", "00", " " * 10, "00", " " * 10),
            *("ZZ", f"{child.sender.company_id:<15}", "ZZ", f"{child.receiver.ncpdp_id:<15}"),
            *(f"{child.made_at:%y%m%d}", f"{child.made_at:%H%M}", self._syntax.repetition, "00501"),
            *(f"{control_number:09d}", "0", "P", delimiters.component),
        )
        return delimiters.element.join(elements) + delimiters.terminator

    def _gs(self, group: str) -> str:
        child = self._child
        return self._syntax.segment(
            *("GS", "HP", child.sender.company_id, child.receiver.ncpdp_id),
            *(f"{child.made_at:%Y%m%d}", f"{child.made_at:%H%M}", group, "X", _VERSION),
        )

    def _head(self, child_set: ChildSet) -> Iterator[str]:
        segment, name = self._syntax.segment, self._syntax.name
        sender, receiver, source = self._child.sender, self._child.receiver, child_set.source
        trn = Trn(trace_number=child_set.trace_number, originator=sender.company_id)
        yield self._payment(child_set)
        yield segment("TRN", "1", trn.trace_number, trn.originator)
        if source is None:
            yield from self._psao()
        else:
            head = payer_head(source.head, source.delimiters)
            yield from head.production_date
            yield from head.payer or [segment("N1", "PR", name(source.payer_name) or _NAMELESS)]
        yield segment("N1", "PE", name(receiver.name) or receiver.ncpdp_id, "XX", receiver.npi)
        yield segment("REF", "D3", receiver.ncpdp_id)
        yield segment("REF", "TJ", receiver.tin)

    def _psao(self) -> Iterator[str]:
        segment, name, sender = self._syntax.segment, self._syntax.name, self._child.sender
        yield segment("N1", "PR", name(sender.company_name) or sender.company_id)
        if sender.office is not None:
            office = sender.office
            yield segment("N3", name(office.street))
            yield segment("N4", name(office.city), office.state, office.postal_code)
            yield segment("PER", "BL", name(sender.company_name), "TE", office.telephone)

    def _payment(self, child_set: ChildSet) -> str:
        segment, day = self._syntax.segment, f"{self._child.effective_on:%Y%m%d}"
        if child_set.method is Method.NON:
            return segment("BPR", "H", "0", "C", child_set.method, *[""] * 11, day)
        sender = self._child.sender
        routing, kind, account = self._child.receiver.account()
        return segment(
            *("BPR", "I", amount(child_set.payment_cents), "C", child_set.method, "CCP"),
            *("01", sender.odfi_routing, "", "", sender.company_id, ""),
            *("01", routing, _ACCOUNT_KINDS[kind], account, day),
        )

    def _store(self, source: Source) -> list[str]:
        if not source.claim_count:
            return []
        segment, npi = self._syntax.segment, self._child.receiver.npi
        counted = (str(source.claim_count), amount(source.charge_cents))
        return [segment("LX", "1"), segment("TS3", npi, _PHARMACY, self._fiscal_date, *counted)]

    def _own(self, items: tuple[OwnItem, ...]) -> Iterator[str]:
        """Write as few PLBs as can be: some readers take a second one for a mistake."""
        for start in range(0, len(items), _PLB_PAIRS):
            pairs: list[str | tuple[str, str]] = []
            for item in items[start : start + _PLB_PAIRS]:
                pairs += [(item.reason, item.reference), amount(item.amount_cents)]
            yield self._syntax.segment("PLB", self._child.receiver.npi, self._fiscal_date, *pairs)

    def _copy(self, source: Source) -> int:
        """Copy the claims, then the payer's PLBs; give the number of segments."""
        segments = claims = 0
        waiting: list[bytes] = []
        waiting_bytes = 0
        for claim in source.claims:
            claims += 1
            waiting.append(claim)
            waiting_bytes += len(claim)
            if waiting_bytes > _BLOCK_BYTES:
                segments += self._put_unwrapped(waiting)
                waiting, waiting_bytes = [], 0
        if claims != source.claim_count:
            raise ValueError(f"advice {source.advice_id} gives {claims} claims, the books say {source.claim_count}")
        return segments + self._put_unwrapped([*waiting, *source.plb])

    def _put_unwrapped(self, raw: list[bytes]) -> int:
        syntax = self._syntax
        if not all(each.endswith(syntax.terminator) for each in raw):
            raise ValueError("a claim or PLB that shall be copied is not whole segments")
        plain = syntax.unwrapped(b"".join(raw))
        self._out.write(plain)
        return plain.count(syntax.terminator)

    def _put(self, segments: Iterable[str]) -> int:
        ready = list(segments)
        self._out.write("".join(ready).encode("latin-1"))
        return len(ready)
