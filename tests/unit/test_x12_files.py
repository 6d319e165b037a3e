"""X12 835 files for tests: a few segments put into a set, a set into an interchange; what reading them gives."""

import io
from collections.abc import Iterable
from dataclasses import dataclass, field

from ingest.x12.model import Claim, FileEnd, SetEnd, SetHeader
from ingest.x12.reader import read_remittances
from schemas.findings import Finding, Severity

ISA = "ISA*00*          *00*          *ZZ*PBM            *ZZ*PSAO           *260301*0600*^*00501*000000007*0*P*:~"
HEAD = (
    "BPR*I*{paid}*C*ACH*CCP*01*888999777*DA*24681012*1935665544**01*111333555*DA*144444*20260303",
    "TRN*1*TRACE01*1935665544",
    "DTM*405*20260302",
    "N1*PR*RUSHMORE RX",
    "N1*PE*CENTRAL PAY*XX*1234567893",
)
CLAIM = (
    "CLP*0123456*1*100.00*70.00*10.00*13*PCN1",
    "NM1*QC*1*DOE*JANE****MI*W99887766",
    "NM1*82*2*CORNER PHARMACY*****XX*1811901945",
    "DTM*232*20260210",
    "SVC*N4:00093721410*100.00*70.00**30",
    "DTM*472*20260209",
    "CAS*PR*3*10.00",
    "CAS*CO*90*20.00",
    "REF*CE*NETWORK7",
)


def enclosed(*segments: str, sets: int = 1) -> bytes:
    """Put segments into one interchange and one group."""
    text = "~".join((*segments, f"GE*{sets}*7", "IEA*1*000000007"))
    return f"{ISA}GS*HP*PBM*PSAO*20260301*0600*7*X*005010X221A1~{text}~".encode("latin-1")


def one_set(*body: str, head: Iterable[str] = HEAD, paid: str = "70.00", number: str = "0001") -> list[str]:
    """Write a set whose SE counts right."""
    segments = [f"ST*835*{number}", *(segment.replace("{paid}", paid) for segment in head), *body]
    return [*segments, f"SE*{len(segments) + 1}*{number}"]


@dataclass
class Read:
    """What a file gave."""

    headers: list[SetHeader] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    ends: list[SetEnd] = field(default_factory=list)
    file: FileEnd | None = None

    @property
    def findings(self) -> list[Finding]:
        """All findings of all sets."""
        return [finding for end in self.ends for finding in end.findings]


def read(content: bytes, *, chunk_bytes: int = 1 << 18) -> Read:
    """Read a file from memory."""
    result = Read()
    for event in read_remittances(io.BytesIO(content), "era.835", chunk_bytes=chunk_bytes):
        match event:
            case SetHeader():
                result.headers.append(event)
            case SetEnd():
                result.ends.append(event)
            case FileEnd():
                result.file = event
            case claims:
                result.claims += claims
    return result


def read_set(*body: str, head: Iterable[str] = HEAD, paid: str = "70.00") -> Read:
    """Read one set in one interchange."""
    return read(enclosed(*one_set(*body, head=head, paid=paid)))


def said(result: Read) -> list[tuple[str, str, int | None, Severity]]:
    """Give rule, element, segment and weight of each finding of the sets."""
    return [(finding.rule, finding.element, finding.segment, finding.severity) for finding in result.findings]


def swapped(old: str, new: str, segments: Iterable[str] = CLAIM) -> list[str]:
    """Replace one segment, found by how it begins; by nothing when the new one is empty."""
    return [segment for segment in (new if each.startswith(old) else each for each in segments) if segment]


REFUSE, WARN = Severity.REFUSE, Severity.WARN


def test_the_file_of_these_tests_is_in_order() -> None:
    """The set that the other tests break on purpose has no finding of any kind as it stands."""
    result = read(enclosed(*one_set("LX*1", *CLAIM)))
    assert (result.findings, len(result.claims)) == ([], 1)
    assert result.file == FileEnd(interchanges=1, groups=1, sets=1, findings=())
