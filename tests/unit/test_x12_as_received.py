"""X12 835: files as they really arrive, wrapped, concatenated, large, with segments that nobody knows."""

import io
import tracemalloc
from collections.abc import Iterator
from itertools import chain, repeat
from typing import BinaryIO

import pytest

from ingest.x12.model import FileEnd, SetEnd
from ingest.x12.reader import read_remittances
from schemas.findings import Severity
from tests.unit.test_x12_files import CLAIM, REFUSE, enclosed, one_set, read, read_set

WHOLE = enclosed(*one_set("LX*1", *CLAIM, "PLB*1234567*20261231*WO:RX1*-1.00", paid="71.00"))
IN_ORDER = FileEnd(interchanges=1, groups=1, sets=1, findings=())


def wrapped(content: bytes, width: int, line_break: bytes = b"\r\n") -> bytes:
    """Break a line after every so many bytes."""
    return line_break.join(content[at : at + width] for at in range(0, len(content), width))


def file_findings(content: bytes) -> list[tuple[str, Severity]]:
    """Give the rules of the file's own findings."""
    end = read(content).file
    assert end is not None
    return [(finding.rule, finding.severity) for finding in end.findings]


# Delimiters and lines ------------------------------------------------------------------------------------------------


def test_a_caret_may_separate_components() -> None:
    """Where ISA16 is a caret, products and PLB references are read by it."""
    result = read(WHOLE.translate(bytes.maketrans(b":^", b"^!")))
    assert [claim.ndc for claim in result.claims] == ["00093721410"]
    assert [(plb.reason, plb.reference) for plb in result.ends[0].plb] == [("WO", "RX1")]
    assert (result.findings, result.file) == ([], IN_ORDER)


@pytest.mark.parametrize("line_break", [b"\r\n", b"\n", b"\r"])
@pytest.mark.parametrize("width", [1, 2, 79, 80, 106, 107])
def test_no_claim_is_lost_in_a_wrapped_file(width: int, line_break: bytes) -> None:
    """Lines hard-wrapped at any column, in the ISA as well, give the same claims, sums and digest."""
    content = enclosed(*one_set("LX*1", *(20 * CLAIM), paid="1400.00"))
    plain, result = read(content), read(wrapped(content, width, line_break))
    assert [claim[:-2] for claim in result.claims] == [claim[:-2] for claim in plain.claims]
    assert [end.content_sha256 for end in result.ends] == [end.content_sha256 for end in plain.ends]
    assert (len(result.claims), result.findings, result.file) == (20, [], IN_ORDER)


@pytest.mark.parametrize("terminator", [b"\r", b"\n"])
@pytest.mark.parametrize("tail", [b"", b"\x1a", b"\n\x1a", b"\r\n", b"\r\r\n\x1a", b"\n\n \x00"])
def test_a_line_break_may_be_the_terminator_whatever_the_tail(terminator: bytes, tail: bytes) -> None:
    """CR or LF ends the segments; blank lines, Ctrl-Z and NUL behind them are nothing."""
    result = read(WHOLE.replace(b"~", terminator) + tail)
    assert (len(result.claims), result.findings, result.file) == (1, [], IN_ORDER)


def test_a_line_feed_may_wrap_what_a_carriage_return_ends() -> None:
    """Only the terminator among CR and LF is kept; the other is taken out wherever it stands."""
    content = WHOLE.replace(b"~", b"\r").replace(b"CORNER", b"COR\nNER").replace(b"100.00", b"1\n00.00")
    result = read(content)
    assert (result.claims[0].charge_cents, result.findings, result.file) == (10000, [], IN_ORDER)


# Envelopes -----------------------------------------------------------------------------------------------------------


def test_several_groups_and_sets_in_one_interchange() -> None:
    """Each GS counts its own sets, the IEA counts the groups."""
    group = "~".join([*one_set(*CLAIM, number="0001"), *one_set(*CLAIM, number="0002")])
    content = enclosed(group, "GE*2*7", "GS*HP*PBM*PSAO*20260301*0600*8*X*005010X221A1", group, sets=2)
    result = read(content.replace(b"GE*2*7~IEA*1", b"GE*2*8~IEA*2"))
    assert [(end.ordinal, end.balances, end.claim_count) for end in result.ends] == [
        (number, True, 1) for number in range(1, 5)
    ]
    assert result.file == FileEnd(interchanges=1, groups=2, sets=4, findings=())


def test_a_byte_order_mark_between_files_put_together_is_nothing() -> None:
    """A mark before each of two files that were joined is noise, like the line break between them."""
    result = read(b"\xef\xbb\xbf" + WHOLE + b"\r\n\xef\xbb\xbf" + WHOLE)
    assert result.file == FileEnd(interchanges=2, groups=2, sets=2, findings=())


def test_the_segments_of_a_file_are_numbered_through_its_interchanges() -> None:
    """A finding in the second interchange counts every segment of the first, its IEA too."""
    result = read(WHOLE + WHOLE.replace(b"GE*1*7", b"GE*2*7"))
    assert result.file is not None
    (finding,) = result.file.findings
    assert finding.segment == WHOLE.count(b"~") + WHOLE[: WHOLE.index(b"GE*")].count(b"~") + 1
    assert finding.byte_offset == len(WHOLE) + WHOLE.index(b"GE*")


def test_an_isa_that_overruns_its_width_is_read() -> None:
    """Sixteen elements are an ISA even when an id is too long; the length is told as a warning."""
    content = WHOLE.replace(b"*PBM            *", b"*A PBM WITH A LONG NAME*")
    assert file_findings(content) == [("isa_length", Severity.WARN)]
    assert [end.balances for end in read(content).ends] == [True]


def test_a_set_hidden_behind_a_trailer_is_never_lost_silently() -> None:
    """An interchange that nobody sees begin, after one without IEA and with other delimiters, refuses the file."""
    hidden = WHOLE.translate(bytes.maketrans(b"*:~", b"|>\x1e"))
    content = WHOLE.replace(b"IEA*1*000000007~", b"") + b"\xef\xbb\xbf" + hidden
    assert ("outside_set", REFUSE) in file_findings(content)


def test_a_set_hidden_behind_an_isa_is_never_lost_silently() -> None:
    """An ISA that declares another terminator than the file has hides everything; the file is refused."""
    assert ("outside_set", REFUSE) in file_findings(WHOLE.replace(b"*P*:~", b"*P*:|"))


def test_a_claim_that_breaks_off_with_the_file_ends_with_it() -> None:
    """Without its last terminator, a claim's bytes end where the file does; its set is refused, the claim counted."""
    content = WHOLE[: WHOLE.index(b"~PLB")]
    result = read(content)
    assert [(claim.byte_start, claim.byte_end) for claim in result.claims] == [(content.index(b"CLP"), len(content))]
    assert [(end.balances, end.claim_count, end.byte_end) for end in result.ends] == [(False, 1, len(content))]


def test_a_version_in_st03_is_passed_over() -> None:
    """An 835 does not use ST03; where it stands it disturbs nothing."""
    result = read(WHOLE.replace(b"ST*835*0001~", b"ST*835*0001*005010X221A1~"))
    assert (result.findings, result.file) == ([], IN_ORDER)


# Segments nobody knows -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("behind", ["TRN", "N1*PE", "LX", "CLP", "NM1*82", "SVC", "REF*CE", "PLB"])
def test_an_unknown_segment_anywhere_is_kept_and_disturbs_nothing(behind: str) -> None:
    """It counts as a segment and as content, lies in the bytes of its claim, and no sum knows it."""
    known = one_set("LX*1", *CLAIM, "PLB*1234567*20261231*WO:RX1*-1.00", paid="71.00")[:-1]
    at = 1 + next(index for index, segment in enumerate(known) if segment.startswith(behind))
    segments = [*known[:at], "ZZZ*9*FREE TEXT:2", *known[at:]]
    content = enclosed(*segments, f"SE*{len(segments) + 1}*0001")
    result = read(content)
    assert (len(result.claims), result.findings, result.file) == (1, [], IN_ORDER)
    assert result.ends[0].content_sha256 != read(WHOLE).ends[0].content_sha256
    of_claim = behind in {"CLP", "NM1*82", "SVC", "REF*CE"}
    assert (b"ZZZ*9" in content[result.claims[0].byte_start : result.claims[0].byte_end]) == of_claim


def test_amounts_that_enter_no_balance() -> None:
    """AMT, QTY, MOA and MIA of claim and service, and what TS3 sums up, change nothing."""
    extra = ("AMT*AU*999.99", "QTY*ZK*7", "MOA*1.5**MA01", "MIA*0***5")
    store = "TS3*1234567*99*20261231*1*100.00*****55.55"
    result = read_set("LX*1", store, *CLAIM[:4], *extra, *CLAIM[4:], *extra)
    assert (len(result.claims), result.findings) == (1, [])


# Size ----------------------------------------------------------------------------------------------------------------


class Pipe(io.BytesIO):
    """A pipe whose bytes are made as they are read: nobody holds the file."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        super().__init__()
        self._parts = parts
        self._held = b""

    def read(self, size: int | None = -1, /) -> bytes:
        """Give a part of what was made last, or make more; at most ``size`` bytes."""
        held = self._held or next(self._parts, b"")
        given = len(held) if size is None or size < 0 else size
        self._held = held[given:]
        return held[:given]


def made(claims: int) -> BinaryIO:
    """Make a set of so many claims, each the same; its trailer counts one only."""
    content = enclosed(*one_set("LX*1", *CLAIM))
    first, after = content.index(b"CLP*"), content.index(b"SE*")
    return Pipe(chain([content[:first]], repeat(content[first:after], claims), [content[after:]]))


def peak_bytes(claims: int) -> int:
    """Tell how much memory reading a set of so many claims takes at most."""
    tracemalloc.start()
    try:
        events = read_remittances(made(claims), "era.835")
        assert sum(len(event) for event in events if isinstance(event, list)) == claims
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_set_may_hold_far_more_than_ten_thousand_claims() -> None:
    """All are handed on, a few hundred at a time at most, with their place in the set and in the file."""
    blocks, last = [], None
    for event in read_remittances(made(30_000), "era.835"):
        if isinstance(event, list):
            blocks.append(len(event))
            last = event[-1]
        elif isinstance(event, SetEnd):
            assert (event.claim_count, event.claims_paid_cents) == (30_000, 30_000 * 7000)
    assert (sum(blocks), max(blocks) <= 500) == (30_000, True)
    assert last is not None
    assert last.segment == 8 + 29_999 * len(CLAIM)


def test_memory_does_not_grow_with_the_file() -> None:
    """Eight times as many claims take no more memory: what was handed on is forgotten."""
    few, many = peak_bytes(2_000), peak_bytes(16_000)
    assert many < 1.1 * few
