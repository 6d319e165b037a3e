"""The seal by command: numbers, checkpoints, proofs that others can check, the key's change, and what stops it."""

import base64
import shutil
from datetime import date
from pathlib import Path

import pytest

from ledger.seal import tree
from ledger.seal.note import VerifierKey, parse_checkpoint, parse_note
from tests.support.lives import kept
from tests.support.office import CHECKER, CLERK, MAKER, Office
from tests.support.trade import A, B, Part, remittance

FRIDAY = date(2026, 11, 20)


@pytest.fixture
@kept
def office(office: Office) -> Office:
    """Give an office that was paid 570.00 for A and B."""
    office.fund(remittance("SEAL1", FRIDAY, Part(A, (500_00,)), Part(B, (70_00,))))
    return office


def test_a_day_is_sealed_and_proven(office: Office) -> None:
    """A day's entries get numbers from 1; each is proven under the checkpoint by nothing but the proof and the key."""
    before = office.ask("ledger", "checkpoints")
    assert (before["checkpoints"], before["keys"]) == ([], [])
    assert before["waiting"] > 0
    said = office.run("ledger", "seal")
    assert "Published in" in said.out
    assert "A signing key was made" in said.err
    after = office.ask("ledger", "checkpoints")
    (checkpoint,), (key,) = after["checkpoints"], after["keys"]
    assert after["waiting"] == 0
    # Deposit, advice and funding of two members: the house has one entry of the deposit and one of its funding.
    entries = len({(line["owner"], line["entry_id"]) for line in office.ask("ledger", "journal")["lines"]})
    assert checkpoint["journal_size"] == entries
    assert office.ask("ledger", "seal") == {"checkpoint": checkpoint, "sealed": False}
    for number in (1, entries):
        proof = office.ask("ledger", "proof", "--journal", str(number))
        assert proof["entry"]["journal"] == number
        assert sum(line[3] for line in proof["entry"]["lines"]) == 0
        note = parse_note(proof["note"])
        assert VerifierKey.parse(key["vkey"]).verifies(note)
        leaf = tree.leaf_hash(base64.b64decode(proof["data"]))
        hashes = [bytes.fromhex(each) for each in proof["proof"]]
        signed = parse_checkpoint(note.text)
        assert tree.verify_inclusion(leaf, proof["leaf_index"], signed.size, hashes, signed.root)
        owner, entry = proof["entry"]["owner"], proof["entry"]["entry"]
        named = "house" if owner.endswith("-000000000000") else owner
        assert office.ask("ledger", "proof", "--entry", f"{named}/{entry}") == proof


def test_text_proof_is_what_others_read(office: Office, tmp_path: Path) -> None:
    """Without --json a proof is a C2SP tlog-proof: index, hashes, signed checkpoint, with the leaf's data as extra."""
    office.run("ledger", "seal")
    proof = office.ask("ledger", "proof", "--trail", "1")
    path = tmp_path / "proofs" / "one.tlog-proof"
    office.run("ledger", "proof", "--trail", "1", "--out", str(path))
    assert office.run("ledger", "proof", "--trail", "1").out == path.read_text()
    head, _, note = path.read_text().partition("\n\n")
    lines = head.splitlines()
    assert lines[:3] == ["c2sp.org/tlog-proof@v1", f"extra {proof['data']}", f"index {proof['leaf_index']}"]
    assert [base64.b64decode(line).hex() for line in lines[3:]] == proof["proof"]
    assert note == proof["note"]


def test_an_issued_statement_is_proven(office: Office) -> None:
    """What was issued to a pharmacy is in the tree with the digest of its bytes."""
    month = ("--from", "2026-11-01", "--to", "2026-11-30")
    office.run("statements", "issue", *month, "--format", "csv", "--out", str(office.out))
    office.run("ledger", "seal")
    proof = office.ask("ledger", "proof", "--statement", "1")
    assert proof["trail"]["table"] == "issued_statement"
    assert len(proof["trail"]["content"]["sha256"]) == 64


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("proof",), "Give one of --journal, --entry, --statement and --trail"),
        (("proof", "--journal", "1", "--trail", "1"), "Give one of --journal, --entry, --statement and --trail"),
        (("proof", "--journal", "9999"), "Journal number 9999: it is not sealed"),
        (("proof", "--entry", "house"), "'house' names no entry: OWNER/ENTRY"),
        (("proof", "--entry", "house/9999"), "it is not sealed"),
        (("proof", "--trail", "1", "--known-at", "7"), "There is no checkpoint '7'; there are 1, from"),
        (("proof", "--trail", "1", "--known-at", "2020-01-01"), "There is no checkpoint '2020-01-01'"),
        (("proof", "--statement", "5"), "issued_statement 5: it is not sealed"),
    ],
    ids=["none", "two", "no_number", "no_slash", "no_entry", "no_checkpoint", "too_early", "no_statement"],
)
def test_wrong_questions_are_answered_in_words(office: Office, words: tuple[str, ...], said: str) -> None:
    """A question about what is not there ends with exit code 2 and says what there is."""
    office.run("ledger", "seal")
    assert said in office.run("ledger", *words, code=2).err


def test_two_people_change_the_signing_key(office: Office) -> None:
    """An admin asks, who asked can not approve, another does; the next checkpoint is signed by the new key."""
    assert "nothing is sealed yet" in office.run("ledger", "seal-key", "rotate", code=5).err
    office.run("ledger", "seal")
    office.run("ledger", "seal-key", "rotate", user=CLERK, code=5)
    asked = office.ask("ledger", "seal-key", "rotate")
    again = office.ask("ledger", "seal-key", "rotate")
    assert again == asked
    approval = str(asked["approval_id"])
    office.run("approvals", "approve", approval, user=MAKER, code=5)
    assert len(office.ask("ledger", "seal-key", "show")["keys"]) == 1
    office.run("approvals", "approve", approval, user=CHECKER)
    office.run("ledger", "seal")
    old, new = office.ask("ledger", "seal-key", "show")["keys"]
    assert (old["until_size"], new["since_size"], new["vkey"]) == (new["since_size"], old["until_size"], asked["vkey"])
    last, first = office.ask("ledger", "checkpoints")["checkpoints"]
    for checkpoint, key in ((first, old), (last, new)):
        assert VerifierKey.parse(key["vkey"]).verifies(parse_note(checkpoint["note"]))
    # An old entry is still proven in the old checkpoint, by the old key.
    assert office.ask("ledger", "proof", "--trail", "1", "--known-at", str(first["size"]))["vkey"] == old["vkey"]


def test_what_stops_the_seal_is_a_case(office: Office) -> None:
    """A checkpoint that the books lack: exit code 4; the job opens an exception, and closes it when all is well."""
    office.run("ledger", "seal")
    folder = office.shell.home / "checkpoints"
    (size,) = [int(path.stem) for path in folder.glob("*.checkpoint")]
    lost = folder / f"{size + 7:012d}.checkpoint"
    shutil.copy(folder / f"{size:012d}.checkpoint", lost)
    refused = office.run("ledger", "seal", code=4)
    assert f"the published checkpoint {size + 7} is not in the database" in refused.err
    ran = office.ask("jobs", "run", "seal", code=4)
    assert ran["state"] == "done"
    assert ("seal_failed", "seal") in office.cases()
    assert len(office.ask("ledger", "checkpoints")["checkpoints"]) == 1
    lost.unlink()
    assert office.ask("jobs", "run", "seal")["outcome"].startswith("checkpoint ")
    assert ("seal_failed", "seal") not in office.cases()


def test_a_lost_folder_ends_with_3(office: Office) -> None:
    """Where the folder of checkpoints can not be written the seal stands, and exit code 3 says what to do."""
    (office.shell.home / "checkpoints").write_text("in the way")
    refused = office.run("ledger", "seal", code=3)
    assert "What was sealed is sealed, but its checkpoints are not published" in refused.err
    assert len(office.ask("ledger", "checkpoints")["checkpoints"]) == 1
    (office.shell.home / "checkpoints").unlink()
    office.run("ledger", "seal")
    assert sorted(path.name for path in (office.shell.home / "checkpoints").iterdir())[1:] == ["latest", "vkey"]
