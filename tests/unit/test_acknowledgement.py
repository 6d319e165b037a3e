"""Acknowledgements (TA1, 999): one answer to each interchange, group and set, as the guide wants it, whatever came."""

import io
from collections.abc import Collection

import pytest

from ingest.x12.ack_codes import GROUP_CODES, INTERCHANGE_CODES, SET_CODES, UNANSWERED_RULES
from ingest.x12.acknowledgement import acknowledge
from ingest.x12.delimiters import find_isa
from ingest.x12.envelope import Envelopes
from ingest.x12.envelope_record import ENVELOPES_LIMIT
from schemas.errors import UnreadableError
from tests.support.acknowledgement import Acknowledged, SetRead, read_acknowledgement
from tests.support.rules import COLLECTING, READER, rules_of
from tests.unit.test_x12_files import CLAIM, HEAD, enclosed, one_set, swapped

WHOLE = enclosed(*one_set("LX*1", *CLAIM))
WARNED = enclosed(*one_set(*swapped("CLP", "CLP*RX*77*100.00*70.00*10.00*13*PCN")))
WRONG = enclosed(*one_set(*CLAIM, paid="71.00"))


def answered(content: bytes, refused: Collection[int] = ()) -> list[Acknowledged]:
    """Acknowledge a file from memory and read the answer back."""
    return read_acknowledgement(acknowledge(io.BytesIO(content), "era.835", refused))


def the_set(*body: str, head: tuple[str, ...] = HEAD) -> SetRead:
    """Answer a file of one set and give what is said of it."""
    ((only,),) = [each.sets for each in answered(enclosed(*one_set(*body, head=head)))]
    return only


def test_a_file_in_order_is_accepted() -> None:
    """Nothing wrong: sender and receiver exchanged, one 999 with A throughout, no TA1; byte for byte like this."""
    content = acknowledge(io.BytesIO(WHOLE), "era.835")
    number = content.decode()[90:99]
    group = int(number) + 1
    assert content.decode().split("~") == [
        f"ISA*00*          *00*          *ZZ*PSAO           *ZZ*PBM            *260301*0600*^*00501*{number}*0*P*:",
        f"GS*FA*PSAO*PBM*20260301*0600*{group}*X*005010X231A1",
        "ST*999*0001*005010X231A1",
        "AK1*HP*7*005010X221A1",
        "AK2*835*0001",
        "IK5*A",
        "AK9*A*1*1*1",
        "SE*6*0001",
        f"GE*1*{group}",
        f"IEA*1*{number}",
        "",
    ]


def test_the_same_file_gives_the_same_bytes_and_another_file_other_numbers() -> None:
    """Control numbers follow from the content alone, whatever the file is called and however it is read."""

    class OneByte(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 1))

    first = acknowledge(io.BytesIO(WHOLE), "era.835")
    assert acknowledge(OneByte(WHOLE), "other") == first
    (one,), (other,) = read_acknowledgement(first), answered(WHOLE + b"\n")
    assert one.control_number != other.control_number


@pytest.mark.parametrize(
    ("old", "new", "notes", "codes"),
    [
        ("CLP", "CLP*RX*1*100.00*70,00*10.00*13*PCN", ["IK3*CLP*7**8", "IK4*4**6"], ["5"]),
        ("CLP", "CLP*RX*1*100.00**10.00*13*PCN", ["IK3*CLP*7**8", "IK4*4**1"], ["5"]),
        ("CLP", "CLP*RX*1*100.00*60.00*10.00*13*PCN", ["IK3*BPR*2**8", "IK4*2**I12", "IK3*CLP*7**8", "IK4*4**I12"], []),
        ("DTM*472", "DTM*472*20260230", ["IK3*DTM*12**8", "IK4*2**8"], ["5"]),
        ("REF", "TRN*1*2", ["IK3*TRN*15**7"], ["5"]),
        ("CAS*CO", f"CAS*CO*90*20.00{17 * '*'}1", ["IK3*CAS*14**8", "IK4*20**3"], ["5"]),
    ],
)
def test_a_mistake_in_a_claim_is_told_where_it_stands(old: str, new: str, notes: list[str], codes: list[str]) -> None:
    """Segment, its position with ST = 1, the element and the code of the guide; the set is rejected."""
    said = the_set(*swapped(old, new))
    assert said.verdict == "R"
    assert [note for note in said.notes if not note.startswith("CTX")] == notes
    assert said.codes == (codes or ["I5"])


def test_each_note_names_the_payment_and_never_the_bad_element() -> None:
    """CTX holds the trace number; IK4 ends with its code; a trace that is no plain number is not repeated."""
    claim = swapped("CLP", "CLP*RX*1*DOE JANE*W99887766*123-45-6789*13*PCN")
    said = the_set(*claim)
    assert said.notes == ["IK3*CLP*7**8", "CTX*TRN02:TRACE01", "IK4*3**6", "IK4*4**6", "IK4*5**6"]
    unnamed = the_set(*claim, head=tuple(swapped("TRN", "TRN*1*JANE DOE*1935665544", HEAD)))
    assert [note for note in unnamed.notes if note.startswith("CTX")] == []


def test_warnings_are_noted_and_the_set_is_accepted() -> None:
    """A status that the guide does not know: E, one note, counted as accepted; a PLB reason is told as a component."""
    ((said,),) = [each.sets for each in answered(WARNED)]
    assert (said.verdict, said.codes) == ("E", ["5"])
    assert said.notes == ["IK3*CLP*7**8", "CTX*TRN02:TRACE01", "IK4*2**7"]
    (only,) = answered(WARNED)
    assert only.groups[0].closing == ["E", "1", "1", "1"]
    plb = the_set(*CLAIM, "PLB*1234567*20261231*QQ:X*0.00")
    assert plb.notes[2:] == ["IK4*3:1**7", "IK4*4**I12"]
    assert (plb.verdict, plb.codes) == ("E", ["5", "I5"])


@pytest.mark.parametrize(
    ("old", "notes"),
    [("BPR", ["IK3*BPR*2**3"]), ("TRN", ["IK3*TRN*2**3"]), ("N1*PE", ["IK3*N1*2**3"])],
)
def test_a_missing_segment_is_named(old: str, notes: list[str]) -> None:
    """What is missing is named, not the segment that was looked at, with the first place where it could stand."""
    said = the_set(*CLAIM, head=tuple(swapped(old, "", HEAD)))
    assert [note for note in said.notes if not note.startswith("CTX")] == notes


@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        (b"SE*17*0001", b"SE*17*0002", ["3"]),
        (b"SE*17*0001", b"SE*18*0001", ["4"]),
        (b"SE*17*0001", b"SE*18*0002", ["3", "4"]),
        (b"SE*17*0001~", b"", ["2"]),
        (b"ST*835*", b"ST*837*", ["1"]),
        (b"ST*835*", b"ST**", ["6"]),
    ],
)
def test_what_is_wrong_with_a_set_as_a_whole_has_a_code(old: bytes, new: bytes, codes: list[str]) -> None:
    """Trailer lost, control numbers that differ, a count that is wrong, another kind of set: rejected without notes."""
    assert old in WHOLE
    (only,) = answered(WHOLE.replace(old, new))
    assert [(each.verdict, each.codes, each.notes) for each in only.sets] == [("R", codes, [])]
    assert only.groups[0].closing == ["R", "1", "1", "0"]


def test_a_set_that_the_books_quarantined_is_rejected() -> None:
    """What the reader accepts and the books do not is told by IK5 alone; the other sets stay accepted."""
    content = enclosed(*one_set(*CLAIM), *one_set(*CLAIM, number="0002"), sets=2)
    (only,) = answered(content, refused=[2])
    assert [(each.verdict, each.codes, each.notes) for each in only.sets] == [("A", [], []), ("R", ["I5"], [])]
    assert only.groups[0].closing == ["P", "2", "2", "1"]


@pytest.mark.parametrize(
    ("old", "new", "closing"),
    [
        (b"GE*1*7", b"GE*1*8", ["E", "1", "1", "1", "4"]),
        (b"GE*1*7", b"GE*3*7", ["E", "3", "1", "1", "5"]),
        (b"GE*1*7", b"GE*x*7", ["E", "1", "1", "1", "5"]),
        (b"GE*1*7~", b"", ["E", "1", "1", "1", "3"]),
        (b"GS*HP", b"GS*HC", ["E", "1", "1", "1", "1"]),
        (b"*0600*7*X", b"*0600*SEVEN*X", ["E", "1", "1", "1", "4", "6"]),
    ],
)
def test_a_group_that_is_not_in_order_is_told_so(old: bytes, new: bytes, closing: list[str]) -> None:
    """AK9 says what is wrong around sets that are accepted all the same; AK902 is GE01 where that is a number."""
    assert old in WHOLE
    (only,) = answered(WHOLE.replace(old, new))
    assert only.groups[0].closing == closing
    assert [each.verdict for each in only.sets] == ["A"]


@pytest.mark.parametrize(
    ("content", "report"),
    [
        (WHOLE, []),
        (WHOLE.replace(b"7*0*P", b"7*1*P"), ["A", "000"]),
        (WHOLE.replace(b"IEA*1*000000007", b"IEA*1*000000008"), ["E", "001"]),
        (WHOLE.replace(b"IEA*1*", b"IEA*2*"), ["E", "021"]),
        (WHOLE.replace(b"IEA*1*000000007~", b""), ["E", "023"]),
        (WRONG.replace(b"IEA*1*000000007~", b""), ["R", "023"]),
        (WHOLE[: WHOLE.index(b"CLP*")], ["R", "023"]),
        (WHOLE[: WHOLE.index(b"GS*")], ["R", "023"]),
        (WHOLE.replace(b"PBM            *ZZ", b"PBM*ZZ"), ["E", "022"]),
        (b"hello " + WHOLE, ["E", "022"]),
        (WHOLE + b"ST*835*0001~", ["E", "022"]),
        (WHOLE.replace(b"GE*1*7~", b"GE*1*7~LX*1~"), ["E", "024"]),
        (WHOLE.replace(b"GS*HP*PBM*PSAO*20260301*0600*7*X*005010X221A1~", b""), ["E", "021"]),
        (WHOLE.replace(b"*260301*", b"*261301*"), ["E", "014"]),
        (WHOLE.replace(b"*260301*0600*", b"*260301*2561*"), ["E", "015"]),
        (WHOLE.replace(b"000000007", b"A00000007"), ["E", "018"]),
        (WHOLE.replace(b"GE*1*7", b"GE*2*7"), []),
        (WRONG, []),
    ],
)
def test_an_interchange_is_reported_when_something_is_wrong_with_it_or_asked_for(
    content: bytes, report: list[str]
) -> None:
    """TA1 with accepted, accepted with errors or rejected (nothing of it was accepted) and the note code; else none."""
    (only,) = answered(content)
    assert only.report[3:] == report


def test_a_report_repeats_number_date_and_time() -> None:
    """TA101 to TA103 are ISA13, ISA09 and ISA10; what is no number, day or time of day is replaced."""
    asked = WHOLE.replace(b"7*0*P", b"7*1*P")
    assert answered(asked)[0].report[:3] == ["000000007", "260301", "0600"]
    odd = asked.replace(b"260301*0600", b"26XX01*9999").replace(b"000000007", b"JANEDOE07")
    assert answered(odd)[0].report == ["000000000", "000101", "0000", "E", "018"]


def test_every_interchange_and_group_has_an_answer_of_its_own() -> None:
    """Two interchanges of different senders, the second with two groups: two answers, three 999s, in this order."""
    group = WHOLE[WHOLE.index(b"GS*") : WHOLE.index(b"IEA*")]
    second = WHOLE.replace(b"*ZZ*PBM            *", b"*01*OTHER          *").replace(
        b"IEA*1*000000007", group.replace(b"*7*X*", b"*8*X*").replace(b"GE*1*7", b"GE*1*8") + b"IEA*2*000000007"
    )
    first, other = answered(WHOLE + second)
    assert [(each.sender, each.receiver) for each in (first, other)] == [("ZZ PSAO", "ZZ PBM"), ("ZZ PSAO", "01 OTHER")]
    assert [group.control_number for each in (first, other) for group in each.groups] == ["7", "7", "8"]
    assert first.control_number != other.control_number


def test_sets_outside_of_any_group_are_answered_too() -> None:
    """Without GS: a 999 for group 0, each set accepted with the code that says it; a group after it has its own."""
    head = WHOLE.index(b"GS*")
    loose, group = WHOLE[WHOLE.index(b"ST*835") : WHOLE.index(b"GE*")], WHOLE[head:]
    (only,) = answered(WHOLE[:head] + loose + loose + group)
    assert [(each.kind, each.control_number) for each in only.groups] == [("HP", "0"), ("HP", "7")]
    assert [(each.verdict, each.codes) for each in only.sets] == [("E", ["18"]), ("E", ["18"]), ("A", [])]
    assert only.groups[0].closing == ["E", "2", "2", "2"]
    assert only.report[3:] == ["E", "024"]


def test_acknowledgements_are_not_acknowledged() -> None:
    """A group of 999s beside remittances is passed over; an interchange of nothing else has no answer at all."""
    ours = acknowledge(io.BytesIO(WHOLE), "era.835")
    assert acknowledge(io.BytesIO(ours), "ours.999") == b""
    reported = acknowledge(io.BytesIO(WHOLE[: WHOLE.index(b"GS*")]), "ta1")
    assert acknowledge(io.BytesIO(reported), "ours.ta1") == b""
    assert [each.control_number for each in answered(ours + WHOLE)[0].groups] == ["7"]
    misplaced = WHOLE.replace(b"GS*HP", b"GS*FA")
    assert [each.verdict for each in answered(misplaced)[0].sets] == ["A"]


def test_headers_are_repeated_without_delimiters() -> None:
    """Whatever a sender's delimiters let stand in its names can not break the answer; empty ones are replaced."""
    content = WHOLE.translate(bytes.maketrans(b"*:~", b"|>!"))
    content = content.replace(b"|PBM            |", b"|P*M^~:         |").replace(b"HP|PBM", b"HP|P*B~M")
    (only,) = answered(content)
    assert only.receiver == "ZZ P M"
    assert b"*P B M*" in acknowledge(io.BytesIO(content), "era.835")
    nameless = WHOLE.replace(b"ZZ*PBM            ", b"  *               ").replace(b"HP*PBM", b"HP*")
    assert answered(nameless)[0].receiver == "ZZ UNKNOWN"


def test_an_isa_that_can_not_be_read_has_no_hold_on_its_sets() -> None:
    """A broken ISA where one was to come: what follows is answered as an interchange of its own, with code 022."""
    broken = WHOLE.replace(b"ISA*00*          *00*          *ZZ*PBM            *", b"ISA*00*PBM*", 1)
    first, second = answered(WHOLE.replace(b"IEA*1*000000007~", b"") + broken)
    assert first.report[3:] == ["E", "023"]
    assert second.report[3:] == ["E", "022"]
    assert [each.verdict for each in second.sets] == ["A"]


@pytest.mark.parametrize("content", [b"", b"hello", WHOLE[:100], WHOLE[WHOLE.index(b"GS*") :]])
def test_without_an_isa_there_is_nobody_to_answer(content: bytes) -> None:
    """A file without an ISA that can be read raises what its reader raises."""
    with pytest.raises(UnreadableError):
        acknowledge(io.BytesIO(content), "era.835")


def test_more_envelopes_than_are_remembered_are_told() -> None:
    """Behind the hundred-thousandth envelope none is kept, so memory stays bounded, and the file's findings say so."""
    envelopes = Envelopes()
    isa = find_isa(WHOLE)
    assert isa is not None
    header, group = (segment.split("*") for segment in WHOLE.decode().split("~")[:2])
    envelopes.open_interchange(isa, header, (1, 0))
    for _ in range(ENVELOPES_LIMIT):
        envelopes.open_group(group, (2, 0))
        envelopes.close_group(["GE", "0", "7"], (3, 0))
    envelopes.close_interchange(["IEA", str(ENVELOPES_LIMIT), "7"], (4, 0))
    end = envelopes.file_end()
    assert [finding.rule for finding in end.findings] == ["envelopes_cut"]
    assert (end.groups, len(end.envelopes[0].groups)) == (ENVELOPES_LIMIT, ENVELOPES_LIMIT - 1)


def test_progress_is_told() -> None:
    """Whoever waits hears how many bytes were read, up to the last."""
    told: list[int] = []
    acknowledge(io.BytesIO(WHOLE), "era.835", progress=told.append)
    assert told[-1] == len(WHOLE)


def test_every_rule_of_the_reader_has_a_code_and_no_other() -> None:
    """A rule that is new in the reader fails here until the table says how it is acknowledged."""
    coded = {*SET_CODES, *GROUP_CODES, *INTERCHANGE_CODES, *UNANSWERED_RULES}
    assert coded == set(rules_of(*READER, COLLECTING))
