"""X12 835: inputs that the fuzzing (``python -m tests.fuzz``) has found to be read wrongly, each made small."""

import pytest

from tests.unit.test_x12_files import CLAIM, enclosed, one_set, read, read_set

STORE = "TS3*1234567*01*20261231*1*100"


@pytest.mark.parametrize("chunk_bytes", [20, 268, 578, 640, 733, 981])
def test_an_interchange_after_one_without_iea_is_read_by_its_own_delimiters(chunk_bytes: int) -> None:
    """Wherever a stretch of bytes ends, also inside the second ISA, both sets are read: a missing IEA loses none."""
    first = enclosed(*one_set("LX*1", *CLAIM))
    second = enclosed(*one_set("LX*1", *CLAIM, number="0002")).translate(bytes.maketrans(b"*", b"|"))
    content = first[: first.rindex(b"IEA")] + second
    result = read(content, chunk_bytes=chunk_bytes)
    assert [(end.claim_count, end.balances) for end in result.ends] == [(1, True), (1, True)]
    assert result == read(content)


@pytest.mark.parametrize("chunk_bytes", [20, 144, 268, 299, 640])
def test_an_isa_that_cannot_be_read_is_told_wherever_a_stretch_ends(chunk_bytes: int) -> None:
    """An ISA of another shape inside the file refuses the file, however many bytes are taken apart at a time."""
    first = enclosed(*one_set("LX*1", *CLAIM))
    content = first[: first.rindex(b"IEA")] + b"ISA*00~" + first[first.index(b"GS*") :]
    result = read(content, chunk_bytes=chunk_bytes)
    assert result.file is not None
    assert "isa_unreadable" in {finding.rule for finding in result.file.findings}
    assert result == read(content)


@pytest.mark.parametrize(
    "body",
    [
        ("LY*1", STORE, *CLAIM),
        (STORE, *CLAIM),
        ("LX*1", *CLAIM, "PLB*1811901945*20261231*WO:1*-1.00", "PLB*1811901945*20261231*WO:1*1.00", STORE),
    ],
)
def test_a_store_whose_lx_is_lost_refuses_the_set(body: tuple[str, ...]) -> None:
    """A TS3 outside of any LX says whose claims follow; passed over, their money would go to the payee of the set."""
    (end,) = read_set(*body).ends
    assert not end.balances


@pytest.mark.parametrize("segment", ["BPR*I*70.00*C*ACH", "TRN*1*TRACE02"])
@pytest.mark.parametrize("behind", ["LX", "PLB"])
def test_a_second_payment_behind_an_lx_or_a_plb_refuses_the_set(segment: str, behind: str) -> None:
    """A BPR or TRN belongs to the head; where one stands later, the end of one set and the head of another are lost."""
    plbs = ("PLB*1811901945*20261231*WO:1*-1.00", "PLB*1811901945*20261231*WO:1*1.00")
    body = ["LX*1", *CLAIM, *plbs]
    body.insert(1 if behind == "LX" else len(body), segment)
    (end,) = read_set(*body).ends
    assert not end.balances


@pytest.mark.parametrize("end", [b"~", b"\r\n~", b"~~\r\n"])
def test_an_empty_segment_at_the_end_of_a_file_is_none(end: bytes) -> None:
    """Behind the last segment of a file that breaks off, one terminator more is noise, as it is anywhere else."""
    content = enclosed(*one_set("LX*1", *CLAIM))
    content = content[: content.index(b"GE*")] + end
    result = read(content)
    assert result.file is not None
    assert {finding.rule for finding in result.file.findings} == {"ge_missing", "iea_missing"}
    assert result == read(content, chunk_bytes=30)
