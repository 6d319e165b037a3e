"""One transaction set on its way into the books."""

from dataclasses import dataclass, replace
from typing import NamedTuple
from uuid import UUID

from ingest.claim_rows import ClaimRows
from ingest.directory import Directory
from ingest.misfits import header_misfit, plb_misfit
from ingest.x12.model import Claim, SetEnd, SetHeader
from schemas.errors import CentralpayError
from schemas.findings import Finding


class SplitError(CentralpayError):
    """The shares of an advice do not add up to its payment: a fault of ours; nothing of the set was taken."""


class AdviceIdentity(NamedTuple):
    """What names an advice for ever."""

    payer_id: str
    """TRN03."""
    trace_number: str
    """TRN02."""
    payee_id: str
    """N104 of the payee."""
    ordinal_in_payment: int
    """Among the sets of that payer, trace and payee in one file, first = 1."""


@dataclass(slots=True)
class ReceivedSet:
    """What is known of a set, from its head to the verdict on it."""

    header: SetHeader | None
    ordinal_in_payment: int
    rows: ClaimRows | None = None
    """Its claims; None without a usable head."""
    end: SetEnd | None = None
    advice_id: int = 0
    """Its own once it is numbered; that of the advice which has its identity when it is a duplicate or in conflict."""
    misfit: Finding | None = None
    """Of its claims, what no column can hold."""
    status: str = "quarantined"
    direct_pay_id: int | None = None
    """The enrolment by which its payer pays its member directly: recorded, not paid; None: it is paid through us."""
    sent_through_us: frozenset[UUID] = frozenset()
    """Members with a share of it that its payer should pay directly."""

    @classmethod
    def begun(cls, header: SetHeader, ordinal_in_payment: int, directory: Directory) -> "ReceivedSet":
        """Begin with a head."""
        return cls(header, ordinal_in_payment, ClaimRows(header.settled_on, directory))

    @property
    def verdict(self) -> SetEnd:
        """The end of the set; it is there before anything is decided."""
        if self.end is None:
            raise SplitError("A set was decided before its end.")
        return self.end

    @property
    def identity(self) -> AdviceIdentity:
        """What names the advice that this set is or repeats."""
        header = self.header
        if header is None:
            return AdviceIdentity("", "", "", self.ordinal_in_payment)
        return AdviceIdentity(header.payer_id, header.trace_number, header.payee_id, self.ordinal_in_payment)

    @property
    def shown_trace(self) -> str:
        """TRN02 as a column holds it; empty without a usable head."""
        return self.header.trace_number.replace("\0", "?") if self.header else ""

    @property
    def held_claims(self) -> int:
        """How many claims wait to be copied."""
        return 0 if self.rows is None else self.rows.count

    @property
    def has_reversal(self) -> bool:
        """Whether any of its claims takes an earlier payment back."""
        return self.rows is not None and self.rows.has_reversal

    def add_claims(self, claims: list[Claim]) -> None:
        """Take claims, unless one was met that can not be kept; the set is then quarantined at its end."""
        if self.rows is None or self.misfit is not None:
            return
        self.misfit = self.rows.add(claims)
        if self.misfit is not None:
            self.rows.clear()

    def let_go(self) -> None:
        """Forget the claims that wait."""
        if self.rows is not None:
            self.rows.clear()

    def find_misfit(self) -> Finding | None:
        """Find what of the whole set no column can hold, or None."""
        header = self.header
        if self.misfit is not None or header is None:
            return self.misfit
        plb = next(filter(None, map(plb_misfit, self.verdict.plb)), None)
        return header_misfit(header) or _delimiter_misfit(header) or plb

    def refuse(self, finding: Finding) -> None:
        """Add to the verdict a finding that quarantines the set."""
        self.end = replace(self.verdict, findings=(*self.verdict.findings, finding))


def _delimiter_misfit(header: SetHeader) -> Finding | None:
    """Find a delimiter that no text column holds, or None."""
    if "\0" not in header.delimiters.text:
        return None
    return Finding(
        rule="delimiter_fits",
        element="ISA",
        expected="delimiters that are characters of text",
        found="a null byte",
        advice="Ask the payer for an interchange whose delimiters are printable.",
    )
