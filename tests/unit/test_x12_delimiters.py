"""X12 ISA: delimiters are what the ISA declares, wherever it stands and however its lines are broken."""

import pytest

from ingest.x12.delimiters import Delimiters, find_isa, isa_is_padded

ISA = b"ISA*00*          *00*          *ZZ*PBM            *ZZ*PSAO           *260301*0600*^*00501*000000007*0*P*:~"
REST = b"GS*HP*PBM*PSAO~"


def delimiters(content: bytes) -> Delimiters | None:
    """Give what the first readable ISA declares."""
    isa = find_isa(content)
    return None if isa is None else isa.delimiters


def test_an_isa_has_106_bytes() -> None:
    """Element separator, component, terminator and repetition come from their places."""
    isa = find_isa(ISA + REST)
    assert isa is not None
    assert (isa.start, isa.length, isa_is_padded(isa)) == (0, 106, True)
    assert isa.delimiters == Delimiters(element="*", component=":", terminator="~", repetition="^")


@pytest.mark.parametrize(
    ("ending", "terminator"),
    [
        (b"~", "~"),
        (b"~\r\n", "~"),
        (b"\r\n~", "~"),
        (b"\n", "\n"),
        (b"\r", "\r"),
        (b"\r\n", "\n"),
        (b"\n\n", "\n"),
        (b"\x1e", "\x1e"),
        (b"\xa6", "\xa6"),
    ],
)
def test_any_character_may_end_segments(ending: bytes, terminator: str) -> None:
    """Line breaks are terminators when nothing else is; otherwise they are noise around one."""
    found = delimiters(ISA[:-1] + ending + REST)
    assert found is not None
    assert found.terminator == terminator


def test_control_characters_may_delimit() -> None:
    """Group, unit and record separators are as good as printable ones."""
    found = delimiters(ISA.translate(bytes.maketrans(b"*:~", b"\x1d\x1f\x1e")) + REST)
    assert found == Delimiters(element="\x1d", component="\x1f", terminator="\x1e", repetition="^")


def test_before_version_00402_there_is_no_repetition() -> None:
    """ISA11 was the letter U then; it separates nothing, nor does a letter in a newer version."""
    old = delimiters(ISA.replace(b"*^*00501", b"*U*00401") + REST)
    odd = delimiters(ISA.replace(b"*^*00501", b"*U*00501") + REST)
    assert [found and found.repetition for found in (old, odd)] == ["", ""]


@pytest.mark.parametrize("width", [1, 7, 80, 104, 105, 106])
def test_lines_may_break_anywhere_in_an_isa(width: int) -> None:
    """Hard wrapping at any column changes nothing, not even inside the three letters."""
    content = ISA + REST
    wrapped = b"\r\n".join(content[at : at + width] for at in range(0, len(content), width))
    assert delimiters(wrapped) == Delimiters(element="*", component=":", terminator="~", repetition="^")


def test_an_isa_may_be_trimmed() -> None:
    """Without its padding it is read by counting elements, and known not to have its 106 bytes."""
    isa = find_isa(ISA.replace(b" ", b"") + REST)
    assert isa is not None
    assert isa.delimiters.terminator == "~"
    assert not isa_is_padded(isa)


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"*PBM ", b"*A SENDER OF MORE "), (b"*260301*", b"*20260301*"), (b"*000000007*", b"*0000000000007*")],
)
def test_an_isa_may_overrun(old: bytes, new: bytes) -> None:
    """An id, date or number longer than its width is still one element, and the ISA is known not to have 106 bytes."""
    isa = find_isa(ISA.replace(old, new) + REST)
    assert isa is not None
    assert isa.delimiters == Delimiters(element="*", component=":", terminator="~", repetition="^")
    assert isa.length > 106
    assert not isa_is_padded(isa)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"ISA",
        b"ISA*",
        ISA[:-1],
        ISA[:-2],
        ISA.replace(b"*0*P*:~", b"*0*P*~") + REST,
        ISA.replace(b"*00501*", b"*5010 *") + REST,
        ISA.replace(b"ISA*00*", b"ISA*001*") + REST,
        ISA.replace(b"*PBM ", b"*" + 31 * b"P") + REST,
        ISA[:-1] + b"GS*HP",
        ISA[:-1] + b"*" + REST,
        ISA[:-2] + b"A~" + REST,
        b"NAME*LISA" + ISA[3:] + REST,
    ],
)
def test_what_is_no_isa(content: bytes) -> None:
    """Cut off, of another shape, without delimiters, or the end of a name: none is found."""
    assert find_isa(content) is None


def test_an_isa_is_found_behind_what_only_looks_like_one() -> None:
    """Names that end in ISA and broken ISAs are passed over."""
    before = b"N1*PR*LISA*1~ISA*00*broken~\r\n"
    isa = find_isa(before + ISA + REST)
    assert isa is not None
    assert isa.start == len(before)
