"""Who the patient is stays in the encrypted vault: no table, no log, no screen and no other file ever holds it."""

from datetime import date
from pathlib import Path

import pytest

from app.cluster import Cluster
from app.demo.remittance import Patient
from ingest.encryption import load_keyring
from ingest.vault import Vault
from tests.support.bank import own_money, paid_in, paid_out
from tests.support.looking import stored_text
from tests.support.office import CHECKER, MAKER, Office
from tests.support.trade import STRANGER, A, B, C, Part, remittance, remittance_file

DAY = date(2026, 11, 20)
PATIENT = Patient("QUILLERMARK", "ZEBEDIAH", "QMEMBER77123")
MARKS = (*PATIENT, "INSUREDMARK", "CORRECTEDMARK", "SSN999001234", "STREETMARK", "19310907")
"""Everything of a person that the files below hold: patient, insured, corrected name, numbers, street, birth date."""


def _with_more_of_the_patient(content: bytes) -> bytes:
    """Add the other segments in which payers name people, to the first claim of the first set, and count them."""
    extra = (
        b"NM1*IL*1*INSUREDMARK*ZEBEDIAH****MI*QMEMBER77123~"
        b"NM1*74*1*CORRECTEDMARK*ZEBEDIAH****C*QMEMBER77123~"
        b"REF*SY*SSN999001234~"
    )
    head, found, tail = content.partition(b"NM1*82")
    assert found
    counted = tail.index(b"~SE*") + 4
    end = tail.index(b"*", counted)
    number = int(tail[counted:end]) + extra.count(b"~")
    return head + extra + found + tail[:counted] + str(number).encode() + tail[end:]


def _faulty(content: bytes) -> list[bytes]:
    """Damage a file so that what names the patient stands where codes, amounts and dates are expected."""
    last_name, plan_member_id = PATIENT.last_name.encode(), PATIENT.plan_member_id.encode()
    claim = content.index(b"CLP*")
    return [
        content[: content.index(plan_member_id) + 5],
        content[: content.rindex(b"SVC*")],
        content.replace(b"*1*100.00*100.00*", b"*1*" + last_name + b"*" + plan_member_id + b"*", 1),
        content.replace(b"DTM*472*", b"DTM*472*" + last_name, 1),
        content.replace(b"~CAS*", b"~" + last_name + b"*", 1).replace(
            b"LX*1~", b"LX*1~" + last_name + b"*STREETMARK~", 1
        ),
        content[:claim] + b"N3*STREETMARK " + last_name + b"~DMG*D8*19310907~" + content[claim:],
        content.replace(b"NM1*QC*1*", b"CLP*", 1),
        content.replace(b"SVC*N4:00093505698", b"SVC*" + last_name + b":" + plan_member_id, 1),
        content.replace(b"*20261231*WO:", b"*" + last_name + b"*WO:", 1),
        content.replace(b"*1*100.00*100.00*", b"*" + last_name + b"*100.00*100.00*", 1),
        content.replace(b"*WO:", b"*" + last_name + b":", 1),
        last_name + b" " + content,
        content.replace(b"ISA*00", b"ISA*" + last_name[:2], 1).replace(b"GS*HP", b"GS*" + last_name, 1),
    ]


class _Ears:
    """Hears everything that the commands of an office print, whatever they end with."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.heard: list[str] = []

    def run(self, *words: str, user: str = MAKER) -> int:
        """Run a command for people and as JSON."""
        for form in ((), ("--json",)):
            outcome = self.office.shell.run((*words, *form), user=user)
            self.heard += [outcome.out, outcome.err]
        return outcome.code


def _live(ears: _Ears) -> None:
    """Live a day on files that name patients: sound, unbalanced, in conflict, faulty, of strangers; and look at all."""
    office = ears.office
    parts = Part(A, (100_00, 400_00)), Part(B, (-30_00,), (("WO", 5_00),)), Part(STRANGER, (7_00,))
    sound = _with_more_of_the_patient(remittance_file(remittance("PRIVATE1", DAY, *parts, patient=PATIENT)))
    unbalanced = remittance_file(remittance("PRIVATE2", DAY, Part(C, (1_00,)), patient=PATIENT, payment_cents=2_00))
    conflict = remittance_file(remittance("PRIVATE1", DAY, Part(C, (1_00,)), patient=PATIENT))
    # Each faulty file is a payment of its own: what stands in it is judged, not that it was here before.
    others = (each.replace(b"PRIVATE1", b"FAULTY%02d" % number) for number, each in enumerate(_faulty(sound)))
    for content in (sound, unbalanced, conflict, *others):
        ears.run("ingest", str(office.save(content)))
    office.book(DAY, own_money("OWN1", 500_00), paid_in("PRIVATE1", 472_00))
    office.accept_own_money("OWN1")
    ears.run("match")
    ears.run("fees", "assess", "--month", "2026-11")
    ears.run("cycle", "propose", "--date", f"{DAY}")
    ears.run("cycle", "approve", "1", user=CHECKER)
    ears.run("cycle", "release", "1", "--out", str(office.shell.home / "out"))
    office.book(date(2026, 11, 23), paid_out("OUT1", 1))
    statement = ("statement", "--member", A.ncpdp_id, "--from", "2026-11-01", "--to", "2026-11-30")
    ears.run(*statement, "--out", str(office.shell.home / "out" / "statement.csv"), "--format", "csv")
    for words in (
        statement,
        ("exceptions", "list", "--all"),
        ("approvals", "list", "--all"),
        ("members", "list"),
        ("cycle", "show", "1"),
        ("ledger", "journal"),
        ("ledger", "trial-balance"),
        ("ledger", "verify"),
    ):
        assert ears.run(*words) == 0


def test_no_patient_leaves_the_vault(office: Office, cluster: Cluster, caplog: pytest.LogCaptureFixture) -> None:
    """After a day of files full of patients, what names them is found in the vault's plain bytes and nowhere else."""
    ears = _Ears(office)
    with caplog.at_level(0):
        _live(ears)
    office.prove()
    said = "\n".join(ears.heard) + caplog.text
    assert "PRIVATE1" in said
    assert [mark for mark in MARKS if mark in said] == []
    rows = list(stored_text(office.shell.database_url))
    assert any("PRIVATE1" in text for _, text in rows)
    assert [(table, mark) for table, text in rows for mark in MARKS if mark in text] == []
    files = [path for path in office.shell.home.rglob("*") if path.is_file()]
    assert any(path.suffix == ".ach" for path in files)
    assert [(path, mark) for path in files for mark in MARKS if mark.encode() in path.read_bytes()] == []
    log = cluster.data_dir / "server.log"
    assert [mark for mark in MARKS if mark in log.read_text(errors="replace")] == []
    assert set(MARKS) <= _kept_in_the_vault(office)


def _kept_in_the_vault(office: Office) -> set[str]:
    """Give the marks that the vault's decrypted files hold: nothing was lost either."""
    keyring = load_keyring(environment_key=None, key_file=None, home_keys=office.shell.home / "keys")
    vault = Vault(office.shell.home / "vault", keyring)
    digests = (path.name.partition(".")[0] for path in Path(vault.root).rglob("*") if path.is_file())
    plain = b"".join(vault.open(digest).read() for digest in digests)
    return {mark for mark in MARKS if mark.encode() in plain}
