"""Bad input to every reader: a clear message, exit code 3, nothing half-read, no traceback, nobody's data repeated."""

import gzip
import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from random import Random

import pytest

from app.demo.remittance import Patient, RemittanceSet
from tests.support.bank import Bank, paid_in
from tests.support.command import Outcome
from tests.support.looking import row_counts
from tests.support.office import Office
from tests.support.trade import A, B, C, Part, pharmacy, remittance, remittance_file, roster_file

DAY = date(2026, 11, 20)
SECRETS = Patient("QUILLERMARK", "ZEBEDIAH", "QMEMBER77123")
READERS = (("ingest",), ("members", "import"), ("payers", "import"))
CUTS = 24

State = tuple[dict[tuple[str, str, str], int], dict[str, int]]


def _state(office: Office) -> State:
    """Give the trial balance and the number of rows in every table but the records of receipt."""
    return office.trial_balance(), row_counts(office.shell.database_url)


def _is_clear(outcome: Outcome, *, code: int = 3) -> None:
    """See that a command ended as it should and said why, without a traceback and without anyone's data."""
    said = outcome.out + outcome.err
    assert outcome.code == code, said
    assert outcome.err.strip()
    assert "Traceback" not in said
    for secret in (SECRETS.last_name, SECRETS.first_name, SECRETS.plan_member_id):
        assert secret not in said
    for store in (A, B, C):
        assert store.account_number not in said
        assert store.tin not in said


def _set(trace: str = "BAD1", *, payment_cents: int | None = None) -> RemittanceSet:
    parts = Part(A, (100_00, 50_00)), Part(B, (75_00,), (("WO", 5_00),))
    return remittance(trace, DAY, *parts, patient=SECRETS, payment_cents=payment_cents)


def _cuts(content: bytes) -> Iterator[bytes]:
    """Cut a file at points spread over all of it, the last bytes among them."""
    for place in range(1, CUTS):
        yield content[: len(content) * place // CUTS]
    yield from (content[:-1], content[:-2], content[:-12])


def _samples() -> dict[str, bytes]:
    noise = Random(20261120).randbytes(3000)
    return {
        "empty": b"",
        "blank": b" \r\n\t\n" * 20,
        "binary": noise,
        "zeros": bytes(4096),
        "broken gzip": gzip.compress(remittance_file(_set()))[:-20],
        "broken zip": b"PK\x03\x04" + noise,
        "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n",
        "xml": b"<?xml version='1.0'?><Document><Nothing/></Document>",
        "claim": remittance_file(_set()).replace(b"ST*835*", b"ST*837*"),
        "CAMT": b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt/></Document>',
        "ACH file": b"101 09100001919999999992611200100A094101".ljust(94) + b"\n",
        "prose": b"Dear finance team,\nplease find the remittance attached.\n",
        "utf-16": "ncpdp_id,npi\r\n".encode("utf-16"),
        "header only": remittance_file(_set())[:106],
        "bai2 header": b"01,071000010,CENTRALPAY,261120,2300,1,,,2/\n",
        "roster header": b"ncpdp_id,npi,legal_name,dba_name,tin,state,member_since\n",
        "payer rows": b"payer_id,name,ach_company_ids,aliases\nX,,,\n",
    }


@pytest.mark.parametrize("reader", READERS, ids=" ".join)
def test_no_reader_takes_what_it_can_not_read(office: Office, reader: tuple[str, ...]) -> None:
    """Empty, binary, damaged and wrong-kind files end with 3 and change nothing, whichever command gets them."""
    before = _state(office)
    for name, content in _samples().items():
        _is_clear(office.shell.run((*reader, str(office.save(content, name))), user="mary"))
    for name, path in {"missing": office.folder / "missing", "folder": office.folder}.items():
        outcome = office.shell.run((*reader, str(path)), user="mary")
        _is_clear(outcome)
        assert str(path) in outcome.err, name
    assert _state(office) == before


@pytest.mark.parametrize("command", ["members", "payers"])
def test_an_import_takes_its_own_kind_only(office: Office, command: str) -> None:
    """A good 835 or bank file given to an import is named as the wrong kind; nothing of it is taken."""
    before = _state(office)
    for content in (remittance_file(_set()), Bank().statement(DAY, paid_in("BAD1", 220_00))):
        outcome = office.shell.run((command, "import", str(office.save(content))), user="mary")
        _is_clear(outcome)
        assert "kind" in outcome.err
    assert _state(office) == before


def test_a_remittance_cut_off_anywhere_gives_nothing(office: Office) -> None:
    """An 835 of one set, cut at any point before its SE, is quarantined; the books do not move."""
    content = remittance_file(_set())
    before = _state(office)
    for cut in _cuts(content[: content.index(b"SE*") + 4]):
        _is_clear(office.shell.run(("ingest", str(office.save(cut))), user="mary"))
    assert _state(office) == before
    assert office.receive(content)["status"] == "accepted"


def test_a_cut_file_keeps_its_whole_sets(office: Office) -> None:
    """Of an 835 cut off in its second set the first, which balances, is taken; the second is quarantined, exit 3."""
    content = remittance_file(_set("WHOLE"), _set("TORN"))
    verdict = office.receive(content[: content.rindex(b"CLP*")], code=3)
    assert verdict["status"] == "quarantined"
    assert [(each["trn"], each["status"]) for each in verdict["sets"]] == [
        ("WHOLE", "accepted"),
        ("TORN", "quarantined"),
    ]
    assert office.trial_balance()[A.ncpdp_id, "custody", "due_unfunded"] == -150_00
    office.prove()


def test_a_bank_file_cut_off_anywhere_gives_nothing(office: Office) -> None:
    """A BAI2 file, cut at any point, is refused whole; the whole file is then booked."""
    content = Bank().statement(DAY, paid_in("BAD1", 220_00), paid_in("BAD2", 13_00))
    before = _state(office)
    for cut in {each.rstrip(b"\n") for each in _cuts(content.rstrip(b"/\n"))}:
        _is_clear(office.shell.run(("ingest", str(office.save(cut))), user="mary"))
    assert _state(office) == before
    assert office.receive(content)["status"] == "accepted"


@pytest.mark.parametrize("reader", [("ingest",), ("members", "import")], ids=" ".join)
def test_a_roster_cut_off_in_a_line_gives_nothing(office: Office, reader: tuple[str, ...]) -> None:
    """A roster of new members, cut within any line, is refused whole: not one member is added."""
    content = roster_file(office.folder / "more.csv", [pharmacy(number) for number in range(1, 13)]).read_bytes()
    before = _state(office)
    for cut in _cuts(content.rstrip()):
        if not cut.endswith((b"\n", b"daily")):
            _is_clear(office.shell.run((*reader, str(office.save(cut))), user="mary"))
    assert _state(office) == before


@pytest.mark.parametrize("name", ["empty", "binary", "broken gzip", "claim", "missing", "folder", "cut"])
def test_the_process_ends_without_traceback(office: Office, name: str) -> None:
    """As a real process, too: exit code 3, a sentence on standard error, no traceback."""
    known = {"missing": office.folder / "missing", "folder": office.folder}
    content = _samples() | {"cut": remittance_file(_set())[:700]}
    path = known.get(name) or office.save(content[name])
    _is_clear(office.process("ingest", str(path), code=3))


def test_wrong_use_ends_with_two(office: Office) -> None:
    """No file, an unknown option, a day or month that is none: exit code 2."""
    wrong = (
        ("ingest",),
        ("ingest", "--nonsense", "x"),
        ("cycle", "propose", "--date", "2026-13-01"),
        ("cycle", "propose", "--date", "2026-11-21"),
        ("fees", "assess", "--month", "November"),
        ("cycle", "show", "77"),
        ("exceptions", "show", "77"),
        ("approvals", "approve", "77"),
        ("float", "deposit", "--bank-reference", "NOSUCH"),
        ("statement", "--member", "0000000", "--from", "2026-11-01", "--to", "2026-11-30"),
    )
    for words in wrong:
        _is_clear(office.shell.run(words, user="mary"), code=2)


def test_the_same_file_twice_is_a_duplicate(office: Office) -> None:
    """A file that was here before is a duplicate, exit 0, and changes nothing, whatever it is called or packed in."""
    files = [remittance_file(_set()), Bank().statement(DAY, paid_in("BAD1", 220_00))]
    for content in files:
        assert office.receive(content)["status"] == "accepted"
    before = _state(office)
    for content in files:
        assert office.receive(content, name="another-name")["status"] == "duplicate"
        assert office.receive(gzip.compress(content))["status"] == "duplicate"
    again = office.receive(remittance_file(_set(), control_number=2))
    assert (again["status"], [each["status"] for each in again["sets"]]) == ("duplicate", ["duplicate"])
    assert _state(office) == before


def test_two_at_once_take_a_file_once(office: Office) -> None:
    """Two processes ingest the same 835 and the same statement at the same time: the books have each once."""
    content = remittance_file(*(_set(f"RACE{number:03d}") for number in range(120)))
    paths = [str(office.save(content)), str(office.save(Bank().statement(DAY, paid_in("RACE001", 220_00))))]
    processes = [office.shell.start(("ingest", *paths, "--json"), user="mary") for _ in range(2)]
    ends = [(process.communicate(timeout=60), process.returncode) for process in processes]
    assert [code for _, code in ends] == [0, 0], ends
    balances = office.trial_balance()
    assert balances[A.ncpdp_id, "custody", "due_unfunded"] == 120 * -150_00
    assert balances["house", "custody", "unmatched_deposit"] == -220_00
    office.prove()


def test_the_same_identity_with_other_content_is_a_conflict(office: Office) -> None:
    """A set with the trace, payer and payee of an accepted one and other amounts: conflict, exit 3, an exception."""
    office.remit(_set())
    before = _state(office)
    other = remittance("BAD1", DAY, Part(A, (170_00,)), Part(B, (50_00,)))
    verdict = office.receive(remittance_file(other, control_number=9), code=3)
    assert (verdict["status"], verdict["sets"][0]["status"]) == ("conflict", "conflict")
    assert [kind for kind, _ in office.cases()] == ["set_conflict"]
    assert _state(office) == before


def test_an_unbalanced_set_leaves_its_neighbours_alone(office: Office) -> None:
    """Of three sets the one whose BPR02 is not the sum of its claims is quarantined, with the rule; two are taken."""
    sets = [_set("GOOD1"), _set("WRONG", payment_cents=220_01), _set("GOOD2")]
    outcome = office.run("ingest", str(office.save(remittance_file(*sets))), "--json", code=3)
    _is_clear(outcome)
    (verdict,) = outcome.document["files"]
    assert [each["status"] for each in verdict["sets"]] == ["accepted", "quarantined", "accepted"]
    (finding,) = [each for each in verdict["sets"][1]["findings"] if each["severity"] == "refuse"]
    assert {"segment", "element", "rule", "expected", "found"} <= set(finding)
    assert (finding["element"], finding["found"]) == ("BPR02", "220.01")
    assert office.trial_balance()[A.ncpdp_id, "custody", "due_unfunded"] == -300_00
    ((kind, _),) = office.cases()
    assert kind == "set_quarantined"
    office.prove()


def test_a_file_may_come_by_standard_input_or_packed(office: Office) -> None:
    """A pipe, gzip and a zip with one member are read like the plain file."""
    piped = office.process("ingest", "-", "--json", stdin=remittance_file(_set("PIPE")))
    assert piped.document["files"][0]["status"] == "accepted"
    assert office.receive(gzip.compress(remittance_file(_set("GZIP"))))["status"] == "accepted"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("remit.835", remittance_file(_set("ZIP")))
    assert office.receive(packed.getvalue())["status"] == "accepted"
    assert office.trial_balance()[A.ncpdp_id, "custody", "due_unfunded"] == -450_00


def test_a_bad_file_keeps_no_other_out(office: Office) -> None:
    """Of several files in one command the good ones are taken; the exit code says that one was not."""
    paths = [office.save(b"nothing"), office.save(remittance_file(_set())), office.folder / "missing"]
    document = office.ask("ingest", *map(str, paths), code=3)
    assert [each["status"] for each in document["files"]] == ["quarantined", "accepted", "quarantined"]
    assert [each["path"] for each in document["files"]] == [str(path) for path in paths]


def test_a_file_name_that_is_no_text_is_taken(office: Office) -> None:
    """A name in an old encoding is shown with question marks; its file and the others are taken, acknowledged too."""
    odd = office.save(remittance_file(_set()), "m\udcfcnchen.835")
    other = office.save(remittance_file(_set("T8"), control_number=8), "other.835")
    document = office.process("ingest", "--ack", str(office.folder / "ack"), str(odd), str(other), "--json").document
    assert [each["status"] for each in document["files"]] == ["accepted", "accepted"]
    assert document["files"][0]["path"] == str(office.folder / "m?nchen.835")
    assert "m?nchen.835" in office.process("ingest", str(odd)).out


def test_another_accounts_statement_is_refused(office: Office) -> None:
    """A bank file of another account than the custodial one is refused; the message tells the last four digits only."""
    before = _state(office)
    content = Bank(account="000999888777").statement(DAY, paid_in("BAD1", 1_00))
    outcome = office.shell.run(("ingest", str(office.save(content))), user="mary")
    _is_clear(outcome)
    assert "8777" in outcome.err
    assert "000999888777" not in outcome.err
    assert _state(office) == before


def test_a_bad_roster_row_is_named(office: Office) -> None:
    """Line, column and reason of each bad cell are told; the good rows of that roster are not taken either."""
    path = roster_file(office.folder / "more.csv", [pharmacy(1), pharmacy(2), pharmacy(3)])
    lines = path.read_text().splitlines()
    lines[2] = lines[2].replace(pharmacy(2).npi, "1234567890").replace(",IL,", ",XX,")
    before = _state(office)
    outcome = office.run("members", "import", str(office.save("\n".join(lines).encode())), "--json", code=3)
    (verdict,) = outcome.document["files"]
    found = {(each["line"], each["element"]) for each in verdict["findings"]}
    assert found == {(3, "npi"), (3, "state")}
    assert all(each["expected"] and each["rule"] for each in verdict["findings"])
    assert "line 3, npi" in outcome.err
    assert _state(office) == before


def test_the_same_roster_again_changes_nothing(office: Office) -> None:
    """The same members in other bytes: all unchanged, exit 0, not a row more."""
    before = _state(office)
    path = roster_file(office.folder / "again.csv", [A, B, C])
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    outcome = office.run("members", "import", str(path))
    assert "3 unchanged" in outcome.out
    assert _state(office) == before


@pytest.mark.parametrize("column", ["account_number", "routing", "account_type"])
def test_other_bank_details_are_asked_for(office: Office, column: str) -> None:
    """A roster with other bank details of a member overwrites nothing and repeats none: a second person has to see."""
    other = {"account_number": "5550001234", "routing": pharmacy(55).routing, "account_type": "savings"}[column]
    changed = replace(A, **{column: other})  # type: ignore[arg-type]
    before = office.ask("bank", "show", A.ncpdp_id)["accounts"]
    outcome = office.run("members", "import", str(roster_file(office.folder / "x.csv", [changed, B, C])))
    assert "1 bank change asked" in outcome.out
    assert column == "account_type" or other not in outcome.out + outcome.err
    shown = office.ask("bank", "show", A.ncpdp_id)
    assert shown["accounts"] == before
    assert [each["state"] for each in shown["changes"]] == ["asked"]


def test_words_that_are_no_text_are_refused(office: Office) -> None:
    """A reason in the bytes of another encoding ends with one sentence, not with a traceback."""
    words = ("--from", A.ncpdp_id, "--to", B.ncpdp_id, "--amount", "1", "--float-covers", "--reason", "caf\udce9")
    office.put_in("OWN", 5_00, DAY)
    outcome = office.run("corrections", "propose", *words, code=2)
    assert outcome.err == "A word of the command holds bytes that are no text in UTF-8\n"
