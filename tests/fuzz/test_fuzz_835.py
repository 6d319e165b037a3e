"""The fuzzing itself, at a three-hundredth of its size: the reader holds, and the judge sees what does not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from ingest.x12.model import FileEnd, SetEnd, SetHeader
from ingest.x12.reader import Event
from schemas.errors import UnreadableError
from schemas.findings import Finding
from tests.fuzz.__main__ import main
from tests.fuzz.campaign import Campaign
from tests.fuzz.corpus import corpus
from tests.fuzz.judge import complaints
from tests.fuzz.trial import Failure, judged, minimised, read
from tests.unit.test_x12_files import CLAIM, enclosed, one_set

SOUND = enclosed(*one_set("LX*1", *CLAIM, "PLB*1811901945*20261231*WO:1*-5.00", paid="75.00"))
UNBALANCED = enclosed(*one_set("LX*1", *CLAIM, paid="75.00"))


def test_three_thousand_damaged_files_give_only_typed_findings() -> None:
    """Whatever happens to a file: events in order or one typed error, and nothing that the judge speaks against."""
    campaign = Campaign("make test")
    (*_, tally) = campaign.run(3000)
    assert tally.failures == []
    assert tally.inputs == 3000
    assert min(tally.unreadable, tally.accepted_sets, tally.sets - tally.accepted_sets, tally.claims) > 100


def test_the_same_seed_gives_the_same_inputs() -> None:
    """A failure can be met again from its seed alone."""
    (*_, one), (*_, two) = Campaign("seed").run(300), Campaign("seed").run(300)
    assert replace(one, slowest=0, peak_mb=0) == replace(two, slowest=0, peak_mb=0)


def test_the_inputs_that_it_starts_from_are_read() -> None:
    """What is to be damaged is sound: nothing is lost before the first blow."""
    for data in corpus(Random(1)):
        outcome, complaint = judged(data, 500)
        assert complaint == ""
        assert not isinstance(outcome, UnreadableError)


Change = Callable[[list[Event]], list[Event]]


def _changed(events: list[Event], kind: type, change: Callable[[Event], Event | None]) -> list[Event]:
    """Change the first event of a kind; None takes it out."""
    place = next(place for place, event in enumerate(events) if isinstance(event, kind))
    new = change(events[place])
    return [*events[:place], *([] if new is None else [new]), *events[place + 1 :]]


def _end(**changes: int) -> Change:
    def change(event: Event) -> Event:
        assert isinstance(event, SetEnd)
        return replace(event, **changes)  # type: ignore[arg-type]  # the fields named here are numbers

    return lambda events: _changed(events, SetEnd, change)


def _claim(**changes: int | str) -> Change:
    def change(event: Event) -> Event:
        assert isinstance(event, list)
        return [event[0]._replace(**changes)]  # type: ignore[arg-type]  # each field gets a value of its own kind

    return lambda events: _changed(events, list, change)


def _without(kind: type) -> Change:
    return lambda events: _changed(events, kind, lambda _: None)


def _naming(event: Event) -> Event:
    assert isinstance(event, FileEnd)
    told = Finding(rule="told", element="N1", expected="none", found="HOLLOWAY")
    return replace(event, findings=(told, told.model_copy(update={"found": "1", "byte_offset": 10**9})))


def _without_findings(event: Event) -> Event:
    assert isinstance(event, FileEnd)
    return replace(event, findings=())


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (_without(SetHeader), "order"),
        (_without(SetEnd), "order"),
        (_without(FileEnd), "order"),
        (_without(list), "count"),
        (_end(ordinal=2), "order"),
        (_end(claim_count=2), "count"),
        (_end(claims_paid_cents=1), "count"),
        (_end(byte_end=10**6), "place"),
        (_end(byte_start=0), "place"),
        (_claim(paid_cents=1), "claim"),
        (_claim(rx_number="9"), "claim"),
        (_claim(byte_start=300), "place"),
        (_claim(byte_end=len(SOUND)), "place"),
        (lambda events: _changed(events, FileEnd, _naming), "findings"),
    ],
)
def test_a_wrong_outcome_is_told(wrong: Change, complaint: str) -> None:
    """A reader that loses, invents or misplaces anything would be found out."""
    outcome = read(SOUND)
    assert isinstance(outcome, list)
    assert list(complaints(SOUND, outcome)) == []
    assert complaint in {each.partition(":")[0] for each in complaints(SOUND, wrong(outcome))}


@pytest.mark.parametrize(
    "data",
    [
        UNBALANCED,
        SOUND.replace(b"CLP*0123456*1*100.00*70.00", b"CLP*0123456*1*101.00*70.00"),
        SOUND.replace(b"SVC*N4:00093721410*100.00*70.00", b"SVC*N4:00093721410*100.00*71.00"),
        SOUND.replace(b"SE*18", b"SE*17"),
        SOUND.replace(b"LX*1~", b"LX*1~TS3*1234567*01*20261231*2*100~").replace(b"SE*18", b"SE*19"),
        SOUND.replace(b"LX*1~", b"LX*1~CAS*PR*3*1~").replace(b"SE*18", b"SE*19"),
    ],
)
def test_a_set_that_does_not_foot_may_not_be_accepted(data: bytes) -> None:
    """The plain second reading sees what the reader would have let pass: the payment, a claim, a service, a count."""
    assert data != SOUND
    outcome = read(data)
    assert isinstance(outcome, list)
    assert list(complaints(data, outcome)) == []
    accepted = [replace(event, findings=()) if isinstance(event, SetEnd) else event for event in outcome]
    assert any(each.startswith("balance: accepted, but") for each in complaints(data, accepted))


def test_claims_outside_of_all_sets_may_not_go_unsaid() -> None:
    """Where a CLP stands behind the SE, an outcome without any finding about the file is wrong."""
    data = SOUND.replace(b"GE*1", b"CLP*1*1*1*1~GE*1")
    outcome = read(data)
    assert isinstance(outcome, list)
    assert list(complaints(data, outcome)) == []
    silent = _changed(outcome, FileEnd, _without_findings)
    assert [each.partition(":")[0] for each in complaints(data, silent)] == ["lost"]


def test_a_readable_file_may_not_be_called_unreadable() -> None:
    """A typed error is no way out for a file that begins as it should."""
    outcome = read(b"no interchange")
    assert isinstance(outcome, UnreadableError)
    assert list(complaints(b"no interchange", outcome)) == []
    assert list(complaints(SOUND, outcome)) == ["unreadable: the file begins with an ISA as it should be"]


def test_what_a_failure_does_not_need_is_taken_out() -> None:
    """Of an input that fails because it is all wrong, and of one that fails for nothing, little or nothing is left."""
    assert minimised(Failure(SOUND, "")).data == b""
    assert Failure(b"", "count: 7 of 9 (set 3)").kind == Failure(b"", "count: 2 of 4 (set 1)").kind


def test_an_input_is_judged_again_by_its_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--replay`` reads a kept input, in the same stretches, and says whether all holds."""
    path = tmp_path / "kept.835"
    path.write_bytes(SOUND)
    assert main(["--replay", str(path), "--chunk-bytes", "77"]) == 0
    assert "all holds" in capsys.readouterr().out
