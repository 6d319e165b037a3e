"""X12 835 under random sets, delimiters, line breaks, chunk sizes, damage: read the same, or refused with findings."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

from hypothesis import example, given
from hypothesis import strategies as st

from ingest.x12.claims import ClaimReader
from ingest.x12.delimiters import Delimiters, find_isa
from ingest.x12.examination import examine_claim
from ingest.x12.loop import Loop
from ingest.x12.model import Claim, FileEnd, SetEnd, SetHeader
from ingest.x12.reader import Event, read_remittances
from ingest.x12.values import cents_of
from schemas.collecting import FindingList
from schemas.errors import UnreadableError
from schemas.money import cents_from_text, text_from_cents

CENTS = st.integers(-99_999, 999_999)
NAMES = st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ &'", min_size=1, max_size=12).map(str.strip)
CODES = st.sampled_from(("CO45", "CO90", "PR3", "PR1", "OA23", "PI16", "CO91"))
ISA_TAIL = ("260301", "0600", "!", "00501", "000000007", "0", "P", "/")


@dataclass(frozen=True)
class Delimiting:
    """How a file is written: its delimiters, what follows each terminator, and at which column lines break."""

    element: str = "*"
    component: str = ":"
    terminator: str = "~"
    after: str = ""
    width: int = 0


@dataclass(frozen=True)
class WrittenClaim:
    """A claim that balances by construction."""

    rx_number: str
    pharmacy: str
    patient: str
    services: tuple[tuple[int, tuple[tuple[str, int], ...]], ...]
    """Each service: what it pays, and its adjustments by code."""
    adjustments: tuple[tuple[str, int], ...]

    @property
    def paid_cents(self) -> int:
        """What the claim pays: its services less its own adjustments; 50.00 when it has no service."""
        paid_cents = sum(paid for paid, _ in self.services) if self.services else 5000
        return paid_cents - (sum(cents for _, cents in self.adjustments) if self.services else 0)

    @property
    def charge_cents(self) -> int:
        """What it pays and all adjustments."""
        service_cents = sum(cents for _, adjustments in self.services for _, cents in adjustments)
        return self.paid_cents + service_cents + sum(cents for _, cents in self.adjustments)

    def segments(self) -> Iterator[list[str]]:
        """Give the elements of each segment; a list within stands for a composite."""
        charge, paid = text_from_cents(self.charge_cents), text_from_cents(self.paid_cents)
        yield ["CLP", self.rx_number, "1", charge, paid, "", "13", "PCN"]
        yield from _adjusted(self.adjustments)
        yield ["NM1", "QC", "1", self.patient]
        if self.pharmacy:
            yield ["NM1", "82", "2", "X", "", "", "", "", "XX", self.pharmacy]
        for paid_cents, adjustments in self.services:
            charged_cents = paid_cents + sum(cents for _, cents in adjustments)
            yield ["SVC", "N4/00093721410", text_from_cents(charged_cents), text_from_cents(paid_cents), "", "30"]
            yield ["DTM", "472", "20260209"]
            yield from _adjusted(adjustments)


def _adjusted(adjustments: tuple[tuple[str, int], ...]) -> Iterator[list[str]]:
    for code, cents in adjustments:
        yield ["CAS", code[:2], code[2:], text_from_cents(cents)]


ADJUSTMENTS = st.lists(st.tuples(CODES, CENTS), max_size=3).map(tuple)
CLAIMS = st.builds(
    WrittenClaim,
    rx_number=st.from_regex(r"[0-9]{1,12}", fullmatch=True),
    pharmacy=st.sampled_from(("", "1811901945", "1234567893")),
    patient=NAMES,
    services=st.lists(st.tuples(CENTS, ADJUSTMENTS), max_size=3).map(tuple),
    adjustments=ADJUSTMENTS,
)
PLBS = st.lists(st.tuples(st.sampled_from(("WO", "FB", "L6", "CS")), CENTS.filter(bool)), max_size=3)
SETS = st.lists(st.tuples(st.lists(CLAIMS, max_size=5), PLBS), min_size=1, max_size=3)
DELIMITINGS = st.one_of(
    st.builds(
        Delimiting,
        element=st.sampled_from("*|\x1d"),
        component=st.sampled_from(":>\x1f^"),
        terminator=st.sampled_from("~\x1e\xa6"),
        after=st.sampled_from(("", "\n", "\r\n", "\r\n\r\n", "\r\n   ", "\t")),
        width=st.sampled_from((0, 0, 80, 1, 7)),
    ).filter(lambda each: not (each.width and each.after)),
    st.builds(Delimiting, terminator=st.sampled_from("\n\r"), after=st.sampled_from(("", "\r", "\n", "  "))),
)


def written(sets: list[tuple[list[WrittenClaim], list[tuple[str, int]]]], how: Delimiting) -> bytes:
    """Write sets into one interchange."""
    segments = [
        ["ISA", "00", 10 * " ", "00", 10 * " ", "ZZ", "PBM".ljust(15), "ZZ", "PSAO".ljust(15), *ISA_TAIL],
        ["GS", "HP", "PBM", "PSAO", "20260301", "0600", "7", "X", "005010X221A1"],
    ]
    for number, (claims, plbs) in enumerate(sets):
        body = _set(number, claims, plbs)
        segments += [*body, ["SE", str(len(body) + 1), f"{number:04d}"]]
    segments += [["GE", str(len(sets)), "7"], ["IEA", "1", "000000007"]]
    end = how.terminator + how.after
    text = "".join(how.element.join(segment).replace("/", how.component) + end for segment in segments)
    if how.width:
        text = "\r\n".join(text[at : at + how.width] for at in range(0, len(text), how.width))
    return text.encode("latin-1")


def _set(number: int, claims: list[WrittenClaim], plbs: list[tuple[str, int]]) -> list[list[str]]:
    """Write a set that balances, ST first, without its SE."""
    paid_cents = sum(claim.paid_cents for claim in claims)
    plbs = [*plbs, ("FB", paid_cents - sum(cents for _, cents in plbs) - 1_000_000)]  # whatever comes: it pays 10,000
    return [
        ["ST", "835", f"{number:04d}"],
        ["BPR", "I", "10000.00", "C", "ACH", *(11 * [""]), "20260303"],
        ["TRN", "1", f"TRACE{number}", "1935665544"],
        ["N1", "PR", "PAYER"],
        ["N1", "PE", "PSAO", "XX", "1234567893"],
        ["LX", "1"],
        *(segment for claim in claims for segment in claim.segments()),
        *(["PLB", "1234567", "20261231", f"{reason}/R", text_from_cents(cents)] for reason, cents in plbs),
    ]


class Trickle(io.BytesIO):
    """A pipe that gives what it likes, never more than asked for."""

    def __init__(self, content: bytes, most: int) -> None:
        super().__init__(content)
        self._most = most

    def read(self, size: int | None = -1, /) -> bytes:
        """Give at most ``most`` bytes."""
        return super().read(self._most if size is None or size < 0 else min(size, self._most))


def read(content: bytes, *, chunk_bytes: int = 1 << 18, most: int = 1 << 30) -> list[Event]:
    """Read everything."""
    return list(read_remittances(Trickle(content, most), "era.835", chunk_bytes=chunk_bytes))


def claims_of(events: list[Event]) -> list[Claim]:
    """Give all claims."""
    return [claim for event in events if isinstance(event, list) for claim in event]


@given(SETS, DELIMITINGS, st.integers(60, 3000), st.integers(1, 500))
def test_what_was_written_is_read(
    sets: list[tuple[list[WrittenClaim], list[tuple[str, int]]]], how: Delimiting, chunk_bytes: int, most: int
) -> None:
    """Any delimiters, line breaks, chunk and read sizes give the claims that were written, and nothing to find."""
    content = written(sets, how)
    events = read(content, chunk_bytes=chunk_bytes, most=most)
    ends = [event for event in events if isinstance(event, SetEnd)]
    assert [end.findings for end in ends] == len(sets) * [()]
    assert events[-1] == FileEnd(interchanges=1, groups=1, sets=len(sets), findings=())
    expected = [
        (claim.rx_number, claim.charge_cents, claim.paid_cents, f"NPI:{claim.pharmacy or '1234567893'}")
        for claims, _ in sets
        for claim in claims
    ]
    got = claims_of(events)
    assert [(claim.rx_number, claim.charge_cents, claim.paid_cents, claim.payee) for claim in got] == expected
    assert [len(end.plb) for end in ends] == [len(plbs) + 1 for _, plbs in sets]
    assert all(content[claim.byte_start :][:1] == b"C" for claim in got)
    ends_segments = b"\r\n" if how.terminator in "\r\n" else how.terminator.encode("latin-1")
    assert all(content[claim.byte_end - 1] in ends_segments for claim in got)


@given(SETS, DELIMITINGS)
def test_how_a_file_is_written_changes_neither_content_nor_digest(
    sets: list[tuple[list[WrittenClaim], list[tuple[str, int]]]], how: Delimiting
) -> None:
    """Apart from byte offsets, every event is the same as from the plainest form of the file."""
    plain, other = read(written(sets, Delimiting())), read(written(sets, how))
    assert [claim[:-2] for claim in claims_of(plain)] == [claim[:-2] for claim in claims_of(other)]
    assert [event.content_sha256 for event in plain if isinstance(event, SetEnd)] == [
        event.content_sha256 for event in other if isinstance(event, SetEnd)
    ]
    headers = [[event for event in events if isinstance(event, SetHeader)] for events in (plain, other)]
    assert [header.trace_number for header in headers[0]] == [header.trace_number for header in headers[1]]


@given(
    SETS,
    DELIMITINGS,
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255), st.booleans()), max_size=4),
    st.integers(0, 10**6),
    st.integers(1, 2000),
)
def test_damage_only_ever_gives_findings(
    sets: list[tuple[list[WrittenClaim], list[tuple[str, int]]]],
    how: Delimiting,
    damage: list[tuple[int, int, bool]],
    cut: int,
    chunk_bytes: int,
) -> None:
    """Bytes changed, dropped or cut off: sets with verdicts and one file end, or one error; each ST gets one end."""
    content = bytearray(written(sets, how))
    for at, byte, drop in damage:
        if drop:
            del content[at % len(content)]
        else:
            content[at % len(content)] = byte
    content = content[: len(content) - cut % len(content) // 4]
    try:
        events = read(bytes(content), chunk_bytes=chunk_bytes)
    except UnreadableError:
        assert find_isa(bytes(content)) is None
        return
    end = events[-1]
    assert isinstance(end, FileEnd)
    assert [event.ordinal for event in events if isinstance(event, SetEnd)] == list(range(1, end.sets + 1))
    assert events == read(bytes(content))


@given(SETS, st.data())
def test_a_changed_amount_never_passes(
    sets: list[tuple[list[WrittenClaim], list[tuple[str, int]]]], data: st.DataObject
) -> None:
    """One amount of one CLP, SVC, CAS, PLB or BPR changed by any number of cents refuses its set, and only it."""
    content = written(sets, Delimiting()).decode()
    segments = content.split("~")
    places = {"BPR": (2,), "CLP": (3, 4), "SVC": (2, 3), "CAS": (3,), "PLB": (4,)}
    amounts = [(index, number) for index, segment in enumerate(segments) for number in places.get(segment[:3], ())]
    index, number = data.draw(st.sampled_from(amounts))
    elements = segments[index].split("*")
    wrong_cents = cents_from_text(elements[number]) + data.draw(st.integers(-1000, 1000).filter(bool))
    elements[number] = text_from_cents(wrong_cents)
    changed = "~".join([*segments[:index], "*".join(elements), *segments[index + 1 :]])
    touched = sum(segment.startswith("ST*") for segment in segments[:index])
    ends = [event for event in read(changed.encode()) if isinstance(event, SetEnd)]
    assert [end.ordinal for end in ends if not end.balances] == [touched]


@given(CLAIMS, st.lists(st.tuples(st.integers(0, 500), st.sampled_from("*:~.-0159AZ ")), max_size=3), st.booleans())
def test_the_quick_reading_of_claims_doubts_what_the_examination_finds(
    claim: WrittenClaim, damage: list[tuple[int, str]], insert: bool
) -> None:
    """Whatever happens to a claim: the quick reading takes it as in order exactly when a full walk finds nothing."""
    text = "~".join("*".join(segment).replace("/", ":") for segment in claim.segments())
    for at, character in damage:
        place = 4 + at % (len(text) - 4)
        text = text[:place] + character + text[place + (not insert) :]
    segments = text.split("~")
    findings = FindingList()
    examine_claim(Loop(segments, 1, lambda _: 0, element="*", findings=findings))
    read_claim, in_order = ClaimReader(Delimiters("*", ":", "~")).read(segments, 1, 0, 0, "")
    assert in_order == (findings.all() == ())
    unreadable = any(finding.rule == "amount" for finding in findings.all())
    assert (read_claim is None) == unreadable


@given(st.one_of(st.text(alphabet="0123456789.+- _", max_size=18), CENTS.map(text_from_cents), st.text(max_size=5)))
@example("1_0.00")
@example("²")
@example(".")
@example("12345678901234.5")
def test_the_quick_reading_of_amounts_is_the_careful_one(text: str) -> None:
    """Both give the same cents, or both refuse."""
    try:
        expected: int | None = cents_from_text(text)
    except ValueError:
        expected = None
    try:
        got: int | None = cents_of(text)
    except ValueError:
        got = None
    assert got == expected
