"""X12 835: envelopes, wrapping, several interchanges in one file, and files that are none."""

import pytest

from ingest.x12.model import FileEnd
from schemas.errors import UnreadableError
from schemas.findings import Severity
from tests.unit.test_x12_files import CLAIM, REFUSE, WARN, enclosed, one_set, read, said


def file_findings(content: bytes) -> list[tuple[str, Severity]]:
    """Give the rules of the file's own findings."""
    end = read(content).file
    assert end is not None
    return [(finding.rule, finding.severity) for finding in end.findings]


WHOLE = enclosed(*one_set(*CLAIM))


@pytest.mark.parametrize(
    ("content", "findings"),
    [
        (WHOLE, []),
        (b"\xef\xbb\xbf" + WHOLE, []),
        (WHOLE + b"\r\n\x1a", []),
        (WHOLE + b"\x00\x00", []),
        (WHOLE[:-1], []),
        (b"Message-Id: LISA*1\r\n\r\n" + WHOLE, [("text_before_interchange", WARN)]),
        (WHOLE + b"goodbye", [("text_after_interchange", WARN)]),
        (WHOLE + b"ST*835*0001~", [("text_after_interchange", REFUSE)]),
        (WHOLE.replace(b"IEA*1*000000007~", b""), [("iea_missing", WARN)]),
        (WHOLE.replace(b"GE*1*7~", b""), [("ge_missing", WARN)]),
        (WHOLE.replace(b"GE*1*7~IEA*1*000000007~", b""), [("ge_missing", WARN), ("iea_missing", WARN)]),
        (WHOLE.replace(b"IEA*1*000000007", b"IEA*1*000000008"), [("interchange_control_number", REFUSE)]),
        (WHOLE.replace(b"IEA*1*", b"IEA*2*"), [("interchange_count", REFUSE)]),
        (WHOLE.replace(b"GE*1*7", b"GE*1*8"), [("group_control_number", REFUSE)]),
        (WHOLE.replace(b"GE*1*7", b"GE*3*7"), [("group_count", REFUSE)]),
        (WHOLE.replace(b"GS*HP", b"GS*HC"), [("group_kind", WARN)]),
        (WHOLE.replace(b"GE*1*7~", b"LX*1~GE*1*7~"), [("outside_set", REFUSE)]),
        (WHOLE.replace(b"GE*1*7~", b"ZZ*1~GE*1*7~"), [("outside_set", WARN)]),
        (WHOLE.replace(b"PBM            *ZZ", b"PBM*ZZ"), [("isa_length", WARN)]),
    ],
)
def test_envelopes_are_checked(content: bytes, findings: list[tuple[str, Severity]]) -> None:
    """What is missing or stands around is a warning, what contradicts a refusal; the set is read all the same."""
    assert file_findings(content) == findings
    assert [end.balances for end in read(content).ends] == [True]


def test_a_lost_group_header_is_a_warning() -> None:
    """A set outside of any group is read, and said."""
    at = WHOLE.index(b"GS*")
    content = WHOLE[:at] + WHOLE[WHOLE.index(b"ST*835") :]
    assert file_findings(content)[0] == ("gs_missing", WARN)
    assert [end.balances for end in read(content).ends] == [True]


def test_a_file_may_hold_interchanges_with_different_delimiters() -> None:
    """Each ISA brings its own; offsets stay those of the file, whatever stands between the interchanges."""
    other = WHOLE.translate(bytes.maketrans(b"*:~", b"\x1d\x1f\n"))
    for between in (b"", b"\r\n", b"\r\n\r\n  "):
        content = between.join((WHOLE, other, WHOLE.replace(b"~", b"~\r\n"), other, WHOLE))
        result = read(content)
        assert [end.balances for end in result.ends] == 5 * [True]
        assert len({end.content_sha256 for end in result.ends}) == 1
        assert [content[claim.byte_start :][:3] for claim in result.claims] == 5 * [b"CLP"]
        assert result.file == FileEnd(interchanges=5, groups=5, sets=5, findings=())


def test_an_isa_may_follow_without_iea_and_with_other_delimiters() -> None:
    """A missing trailer never makes the next interchange part of the one before."""
    other = WHOLE.translate(bytes.maketrans(b"*:~", b"|>\n"))
    for separator in (b"", b"\n"):
        content = WHOLE.replace(b"IEA*1*000000007~", b"") + separator + other
        result = read(content)
        assert [end.balances for end in result.ends] == [True, True]
        assert file_findings(content) == [("iea_missing", WARN)]


@pytest.mark.parametrize("lost", [b"SE*16*0001~", b"SE*16*0001~GE*1*7~", b"SE*16*0001~GE*1*7~IEA*1*000000007~"])
def test_a_set_without_trailer_ends_alone(lost: bytes) -> None:
    """Cut off by GE, IEA or a new ISA, it is refused with its claims counted; the next set is read."""
    result = read(WHOLE.replace(lost, b"") + WHOLE)
    assert [(end.ordinal, end.balances, end.claim_count) for end in result.ends] == [(1, False, 1), (2, True, 1)]
    assert said(result) == [("set_cut_off", "ST", 1, REFUSE)]


def test_a_set_cut_off_by_the_next_or_by_the_end() -> None:
    """A new ST ends the one before; so does the end of the file."""
    first, second = one_set(*CLAIM), one_set(*CLAIM, number="0002")
    content = enclosed(*first[:-1], *second)
    cut = content[: content.index(b"SE*16*0002")]
    assert [(end.balances, end.claim_count) for end in read(content).ends] == [(False, 1), (True, 1)]
    result = read(cut)
    assert [(end.balances, end.claim_count, end.byte_end) for end in result.ends] == [
        (False, 1, content.index(b"ST*835*0002")),
        (False, 1, len(cut)),
    ]


def test_the_byte_range_of_a_claim_holds_through_wrapping() -> None:
    """Ranges are those of the file as received and tile it from CLP to terminator, whatever breaks its lines."""
    content = enclosed(*one_set("LX*1", *CLAIM, *CLAIM, "PLB*1234567*20261231*WO*1", paid="139.00"))
    wrapped = b"\r\n".join(content[at : at + 80] for at in range(0, len(content), 80))
    plain = [content[claim.byte_start : claim.byte_end] for claim in read(content).claims]
    claims = read(wrapped).claims
    assert b"".join(plain) == content[content.index(b"CLP") : content.index(b"PLB")]
    assert [wrapped[claim.byte_start : claim.byte_end].replace(b"\r\n", b"") for claim in claims] == plain
    assert all(wrapped[claim.byte_start :][:1] == b"C" for claim in claims)
    assert all(wrapped[: claim.byte_end].endswith(b"~") for claim in claims)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "file_empty"),
        (b" \r\n\x1a", "file_empty"),
        (b"hello LISA*1", "interchange_missing"),
        (b"\x00\x01\x02" * 50, "interchange_missing"),
        (WHOLE.decode().encode("utf-16"), "interchange_missing"),
        (WHOLE[WHOLE.index(b"GS*") :], "interchange_missing"),
        (WHOLE[:100], "isa_unreadable"),
        (WHOLE[:105], "isa_unreadable"),
        (b"ISA*00*~", "isa_unreadable"),
        (WHOLE.replace(b"*P*:~", b"*P*~"), "isa_unreadable"),
        (WHOLE.replace(b"*P*:~", b"*P*A~"), "isa_unreadable"),
    ],
)
def test_what_is_no_interchange_is_unreadable(content: bytes, rule: str) -> None:
    """Empty, binary, other text, or an ISA that is cut off: one error with its finding, and nothing of the content."""
    with pytest.raises(UnreadableError) as caught:
        read(content)
    assert [finding.rule for finding in caught.value.findings] == [rule]
    assert caught.value.name == "era.835"


def test_an_endless_loop_ends_the_reading() -> None:
    """A stretch without structure stops at a limit instead of filling memory; what came before stands."""
    first, second = one_set(*CLAIM), one_set(*CLAIM, number="0002")
    content = enclosed(*first, *second[:-1])[: -len("GE*1*7~IEA*1*000000007~")] + (1 << 20) * b"REF*CE*NETWORK-7~"
    result = read(content)
    assert [end.balances for end in result.ends] == [True, False]
    assert ("loop_too_long", REFUSE) in file_findings(content)
