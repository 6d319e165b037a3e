"""``ingest --ack``: each 835 that comes in is answered by a TA1/999 in a folder, whatever became of it in the books."""

import stat
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from app.demo.remittance import Patient, RemittanceSet
from tests.support.acknowledgement import Acknowledged, read_acknowledgement
from tests.support.bank import Bank, paid_in
from tests.support.office import MAKER, Office
from tests.support.trade import A, B, Part, remittance, remittance_file, roster_file

DAY = date(2026, 11, 20)
PATIENT = Patient("QUILLERMARK", "ZEBEDIAH", "QMEMBER77123")


def _set(trace: str, cents: int = 50_00, *, payment_cents: int | None = None) -> RemittanceSet:
    part = Part(A, (cents, 25_00))
    return remittance(trace, DAY, part, patient=PATIENT, payment_cents=payment_cents)


class _Desk:
    """An office that asks for acknowledgements."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.folder = office.folder / "made" / "acks"

    def receive(self, *paths: Path, code: int = 0) -> list[dict[str, Any]]:
        """Ingest files with ``--ack``; give what became of them."""
        document = self.office.ask("ingest", "--ack", str(self.folder), *map(str, paths), code=code)
        files = document["files"]
        assert isinstance(files, list)
        return files

    def answer(self, content: bytes, *, name: str = "", code: int = 0) -> Acknowledged:
        """Ingest bytes as one file and read its acknowledgement."""
        (verdict,) = self.receive(self.office.save(content, name), code=code)
        (answer,) = read_acknowledgement(Path(verdict["ack"]).read_bytes())
        return answer


@pytest.fixture
def desk(office: Office) -> _Desk:
    """Give an office that asks for acknowledgements."""
    return _Desk(office)


def test_every_835_is_answered_and_nothing_else_is(desk: _Desk) -> None:
    """One command with an 835, a bank file, a roster and something unknown: one acknowledgement, named in the JSON."""
    office = desk.office
    content = remittance_file(_set("ACK1"))
    paths = [
        office.save(content, "Remit of today (1).835"),
        office.save(Bank().statement(DAY, paid_in("ACK1", 75_00))),
        roster_file(office.folder / "more.csv", [A, B]),
        office.save(b"nothing of any kind"),
    ]
    acks = [each["ack"] for each in desk.receive(*paths, code=3)]
    expected = desk.folder / f"Remit_of_today_1_.835.{sha256(content).hexdigest()[:8]}.999"
    assert acks == [str(expected), None, None, None]
    assert [path.name for path in desk.folder.iterdir()] == [expected.name]
    assert stat.S_IMODE(expected.stat().st_mode) == 0o600
    (answer,) = read_acknowledgement(expected.read_bytes())
    assert [(each.verdict, each.notes) for each in answer.sets] == [("A", [])]


def test_what_became_of_a_set_is_what_is_acknowledged(desk: _Desk) -> None:
    """Accepted, out of balance, in no accounting period: accepted, rejected with the place, rejected without one."""
    late = remittance("ACK3", date(2099, 1, 2), Part(A, (5_00,)), patient=PATIENT)
    answer = desk.answer(remittance_file(_set("ACK1"), _set("ACK2", payment_cents=1_00), late), code=3)
    assert [(each.verdict, each.codes) for each in answer.sets] == [("A", []), ("R", ["I5"]), ("R", ["I5"])]
    assert answer.sets[1].notes == ["IK3*BPR*2**8", "CTX*TRN02:ACK2", "IK4*2**I12"]
    assert answer.sets[2].notes == []
    assert answer.groups[0].closing == ["P", "3", "3", "1"]


def test_duplicates_and_conflicts_are_answered_as_what_was_read(desk: _Desk) -> None:
    """The same file again: the same bytes again. The same payment in another file, or with other amounts: accepted."""
    content = remittance_file(_set("ACK1"), _set("ACK2", payment_cents=1_00))
    first = desk.answer(content, name="first", code=3)
    (again,) = desk.receive(desk.office.save(content, "again"))
    assert again["status"] == "duplicate"
    assert read_acknowledgement(Path(again["ack"]).read_bytes()) == [first]
    duplicate = desk.answer(remittance_file(_set("ACK1"), control_number=2))
    assert [each.verdict for each in duplicate.sets] == ["A"]
    conflict = desk.answer(remittance_file(_set("ACK1", 60_00), control_number=3), code=3)
    assert [each.verdict for each in conflict.sets] == ["A"]
    assert len({each.control_number for each in (first, duplicate, conflict)}) == 3


def test_a_file_that_is_cut_off_is_answered(desk: _Desk) -> None:
    """Cut within the second set: the first accepted, the second rejected for its trailer, the interchange reported."""
    content = remittance_file(_set("ACK1"), _set("ACK2"))
    answer = desk.answer(content[: content.rindex(b"CLP*")], code=3)
    assert [(each.verdict, each.codes) for each in answer.sets] == [("A", []), ("R", ["2"])]
    assert answer.report[3:] == ["E", "023"]
    assert answer.groups[0].closing == ["P", "2", "2", "1", "3"]


def test_standard_input_is_answered(desk: _Desk) -> None:
    """A pipe can not be read twice; its acknowledgement is made from what was kept."""
    words = ("ingest", "--ack", str(desk.folder), "-", "--json")
    (verdict,) = desk.office.process(*words, stdin=remittance_file(_set("PIPE"))).document["files"]
    assert Path(verdict["ack"]).name.startswith("standard_input.")
    assert read_acknowledgement(Path(verdict["ack"]).read_bytes())[0].sets[0].verdict == "A"


def test_without_an_isa_there_is_no_acknowledgement_and_that_is_said(desk: _Desk) -> None:
    """An 835 whose ISA is damaged is quarantined as before; standard error says that nobody can be answered."""
    content = remittance_file(_set("ACK1")).replace(b"*P*:~", b"*P*~", 1)
    outcome = desk.office.run("ingest", "--ack", str(desk.folder), str(desk.office.save(content)), "--json", code=3)
    (verdict,) = outcome.document["files"]
    assert (verdict["kind"], verdict["ack"]) == ("remittance_835", None)
    assert "no acknowledgement" in outcome.err
    assert list(desk.folder.iterdir()) == []


def test_no_patient_is_in_an_acknowledgement(desk: _Desk) -> None:
    """Names where codes, amounts and dates should be: they are told by place alone."""
    content = remittance_file(_set("ACK1"))
    last_name = PATIENT.last_name.encode()
    damaged = [
        content.replace(b"*1*50.00*50.00*", b"*" + last_name + b"*50.00*50.00*", 1),
        content.replace(b"*1*50.00*50.00*", b"*1*" + last_name + b"*QMEMBER77123*", 1),
        content.replace(b"DTM*472*", b"DTM*472*" + last_name, 1),
        content.replace(b"TRN*1*ACK1*", b"TRN*1*" + last_name + b" ZEBEDIAH*", 1),
        content.replace(b"GS*HP", b"GS*" + last_name, 1).replace(b"ST*835*", b"ST*" + last_name + b"*", 1),
    ]
    for each in damaged:
        assert each != content
        desk.office.shell.run(("ingest", "--ack", str(desk.folder), str(desk.office.save(each))), user=MAKER)
    answers = [path.read_bytes() for path in desk.folder.iterdir()]
    assert len(answers) == len(damaged)
    assert [mark for mark in PATIENT for answer in answers if mark.encode() in answer] == []


def test_a_table_names_the_acknowledgement(desk: _Desk) -> None:
    """For people the path stands in a table of its own; without ``--ack`` there is neither table nor JSON name."""
    path = str(desk.office.save(remittance_file(_set("ACK1")), "remit"))
    outcome = desk.office.run("ingest", "--ack", str(desk.folder), path)
    (written,) = desk.folder.iterdir()
    assert str(written) in outcome.out
    assert "acknowledgement" not in desk.office.run("ingest", path).out
    assert "ack" not in desk.office.ask("ingest", path)["files"][0]


def test_a_folder_that_can_not_be_made_is_told_before_anything_is_taken_in(desk: _Desk) -> None:
    """The folder's name is a file's: exit code 2, and the books have nothing of the 835."""
    office = desk.office
    taken = office.save(b"x", "taken")
    path = office.save(remittance_file(_set("ACK1")))
    outcome = office.run("ingest", "--ack", str(taken), str(path), code=2)
    assert str(taken) in outcome.err
    assert office.trial_balance() == {}


def test_an_acknowledgement_that_can_not_be_written_keeps_no_file_out(desk: _Desk) -> None:
    """A folder stands where the acknowledgement should: the file is taken all the same, the exit code is 1."""
    content = remittance_file(_set("ACK1"))
    (desk.folder / f"remit.{sha256(content).hexdigest()[:8]}.999" / "in the way").mkdir(parents=True)
    path = desk.office.save(content, "remit")
    outcome = desk.office.run("ingest", "--ack", str(desk.folder), str(path), "--json", code=1)
    (verdict,) = outcome.document["files"]
    assert (verdict["status"], verdict["ack"]) == ("accepted", None)
    assert "no acknowledgement" in outcome.err
    assert [each.name for each in desk.folder.iterdir() if each.is_file()] == []
