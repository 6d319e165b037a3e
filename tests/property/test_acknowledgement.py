"""Acknowledgements under damage: whatever arrives, each set that was read has one answer, and all is well formed."""

import io

from hypothesis import example, given
from hypothesis import strategies as st

from ingest.x12.acknowledgement import acknowledge
from ingest.x12.delimiters import find_isa
from ingest.x12.model import FileEnd, SetEnd
from ingest.x12.reader import read_remittances
from schemas.errors import UnreadableError
from tests.support.acknowledgement import read_acknowledgement
from tests.unit.test_x12_files import CLAIM, enclosed, one_set

PATIENT = ("ZEBEDIAH", "QUILLERMARK", "QMEMBER77123", "19310907")
_CLAIM = [
    segment.replace("DOE*JANE", "QUILLERMARK*ZEBEDIAH").replace("W99887766", "QMEMBER77123")
    for segment in (*CLAIM, "DMG*D8*19310907")
]
_ONE = enclosed(*one_set("LX*1", *_CLAIM), *one_set("LX*1", *_CLAIM, number="0002"), sets=2)
_OTHER = _ONE.replace(b"*ZZ*PBM            *", b"*01*OTHER          *").translate(bytes.maketrans(b"*:~", b"|>\n"))
_FILE = _ONE + _OTHER + enclosed(*one_set(*_CLAIM)).replace(b"ST*835", b"ST*820")
_GROUP_HEADER = _ONE.split(b"~")[1].decode()
_SEGMENTS = _FILE.replace(b"\n", b"\n~").split(b"~")

DAMAGE = st.lists(
    st.tuples(st.integers(0, len(_FILE) - 1), st.sampled_from((*b"*|~:>^\n 0179AJSTGEIN\x00\xff",))), max_size=6
)


def _see(content: bytes, refused: frozenset[int] = frozenset()) -> bytes:
    """Acknowledge a file and see that the answer is sound, is the same again, and answers what the reader read."""
    try:
        answer = acknowledge(io.BytesIO(content), "era.835", refused)
    except UnreadableError:
        assert find_isa(content) is None
        return b""
    events = list(read_remittances(io.BytesIO(content), "era.835"))
    ends = [event for event in events if isinstance(event, SetEnd)]
    file = events[-1]
    assert isinstance(file, FileEnd)
    interchanges = read_acknowledgement(answer)
    said = [each for interchange in interchanges for each in interchange.sets]
    assert [each.verdict == "R" for each in said] == [not end.balances or end.ordinal in refused for end in ends]
    assert all(end.findings for end, each in zip(ends, said, strict=True) if each.notes)
    assert answer == acknowledge(io.BytesIO(content), "era.835", refused)
    return answer


@given(st.integers(0, len(_FILE)))
@example(len(_FILE))
def test_a_file_cut_anywhere_is_answered_as_far_as_it_was_read(cut: int) -> None:
    """Cut at any byte, envelopes and sets open or not: a whole acknowledgement of what was there."""
    answer = _see(_FILE[:cut])
    assert not any(mark.encode() in answer for mark in PATIENT)


@given(DAMAGE, st.frozensets(st.integers(1, 5)))
def test_damage_never_breaks_an_acknowledgement(damage: list[tuple[int, int]], refused: frozenset[int]) -> None:
    """Bytes changed at random, delimiters above all: well-formed, complete, and without anything of a person."""
    content = bytearray(_FILE)
    for place, byte in damage:
        content[place] = byte
    answer = _see(bytes(content), refused)
    assert not any(mark.encode() in answer for mark in PATIENT)


@given(st.lists(st.tuples(st.integers(0, len(_SEGMENTS) - 1), st.sampled_from(("drop", "twice", "swap"))), max_size=5))
def test_lost_and_misplaced_segments_never_break_an_acknowledgement(moves: list[tuple[int, str]]) -> None:
    """Headers and trailers lost, doubled or exchanged with others."""
    segments = list(_SEGMENTS)
    for place, move in moves:
        at = place % len(segments)
        if move == "drop":
            segments.pop(at)
        elif move == "twice":
            segments.insert(at, segments[at])
        else:
            segments[at], segments[at - 1] = segments[at - 1], segments[at]
    answer = _see(b"~".join(segments).replace(b"\n~", b"\n"))
    assert not any(mark.encode() in answer for mark in PATIENT)


@given(st.text(alphabet=st.characters(max_codepoint=255), max_size=40), st.sampled_from(range(1, 9)), st.booleans())
def test_a_header_may_hold_anything(text: str, number: int, is_set: bool) -> None:
    """Any text in an element of GS or ST: the answer keeps its shape."""
    text = text.replace("~", "").replace("*", "")
    before = "ST*835*0001" if is_set else _GROUP_HEADER
    head = before.split("*")
    head[number % (len(head) - 1) + 1] = text
    _see(_ONE.replace(before.encode() + b"~", "*".join(head).encode("latin-1") + b"~"))
