"""The offline verifier: one file, none of our imports, finds and names whatever is changed in an export."""

import ast
import json
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

import ledger.export.verifier
from app.database import Role, connected, reading
from ledger.export.flat import FlatFiles
from ledger.export.folder import package
from ledger.export.manifest import Heading, ShownCheckpoint
from ledger.export.plain import BeancountJournal, HledgerJournal, write_journal
from ledger.export.scope import Selection
from ledger.export.sealed import write_sealed
from ledger.seal import checkpoints, tree
from ledger.seal.note import CheckpointNote, SigningKey
from tests.conftest import NewDatabase
from tests.support.command import Shell
from tests.support.office import CHECKER, Office
from tests.support.trade import A, B, C, Part, remittance

PROGRAM = Path(next(iter(ledger.export.verifier.__path__))) / "verify.py"
DAY = date(2026, 11, 20)
NOW = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Export:
    """An export, and what an auditor has beside it.

    Args:
        folder: of the export.
        vkey: the key.
        published: the folder of published checkpoints.
        proof: of an entry, as ``ledger proof --json`` gives it.
    """

    folder: Path
    vkey: str
    published: Path
    proof: Path


def run(*words: object) -> tuple[int, str]:
    """Run the verifier as a process of its own, isolated from this project; give exit code and what it says."""
    done = subprocess.run(
        [sys.executable, "-I", str(PROGRAM), *map(str, words)], capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


def write_export(connection: Connection, folder: Path, chosen: Selection) -> None:
    """Write an export in every form, with its seal."""
    shown, key = checkpoints.of_size(connection, chosen.size), checkpoints.keys(connection)[-1]
    with package(folder) as made:
        write_sealed(connection, made, chosen, lambda *_: None)
        flat = FlatFiles(connection, made, chosen, shown.journal_size, lambda *_: None)
        for write in (flat.write_jsonl, flat.write_csv, flat.write_ads):
            write()
        for journal in (HledgerJournal(), BeancountJournal()):
            write_journal(connection, made, chosen, journal, ("Test", lambda *_: None))
        said = {name: getattr(shown, name) for name in ("size", "journal_size", "root", "note")}
        made.finish(
            Heading(
                origin=shown.note.partition("\n")[0],
                company="Test",
                made_at=datetime(2026, 11, 22, tzinfo=UTC),
                scope=chosen.scope,
                checkpoint=ShownCheckpoint(**said, vkey=key.vkey),
            )
        )


@pytest.fixture(scope="module")
def export(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Export:
    """Give an export in three flat forms, with its seal: two checkpoints, some 900 leaves, a key for each of them."""
    folder = tmp_path_factory.mktemp("offline")
    with new_database() as url:
        office = Office(Shell(folder / "home", url), folder)
        office.found(A, B, C)
        office.put_in("OWN1", 1_000_00, DAY)
        office.run("ledger", "seal")
        asked = office.ask("ledger", "seal-key", "rotate")
        office.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER)
        office.fund(remittance("T1", DAY, Part(A, (900_00,)), Part(B, (50_00, 20_00))))
        office.run("fees", "assess", "--month", "2026-11")
        office.run("ledger", "seal")
        proof = office.save(json.dumps(office.ask("ledger", "proof", "--journal", "3")).encode(), "proof.json")
        with connected(url, Role.AUDITOR) as engine, reading(engine) as connection:
            vkey = checkpoints.keys(connection)[-1].vkey
            write_export(connection, folder / "export", Selection(checkpoints.named(connection, "latest", NOW).size))
    return Export(folder / "export", vkey, folder / "home" / "checkpoints", proof)


@pytest.fixture
def copied(export: Export, tmp_path: Path) -> Export:
    """Give a copy of the export that a test may spoil."""
    shutil.copytree(export.folder, tmp_path / "export")
    return Export(tmp_path / "export", export.vkey, export.published, export.proof)


def announce(folder: Path) -> None:
    """Make the manifest say of every file what it is now: whoever changes a file changes this as well."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    for each in manifest["files"]:
        content = (folder / each["name"]).read_bytes()
        each["sha256"], each["bytes"] = sha256(content).hexdigest(), len(content)
    path.write_text(json.dumps(manifest))


def test_it_is_one_file_that_an_auditor_can_read() -> None:
    """Standard library and cryptography only, nothing of this project, no network; it runs from Python 3.11 on."""
    source = PROGRAM.read_text(encoding="utf-8")
    parsed = ast.parse(source, feature_version=(3, 11))
    imported = {
        name.split(".")[0]
        for node in ast.walk(parsed)
        for name in (
            [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= set(sys.stdlib_module_names) | {"cryptography"}
    assert not imported & {"socket", "urllib", "http", "subprocess", "os"}


def test_a_sound_export_holds(export: Export) -> None:
    """All of it holds, with key and manifest as they were told and a checkpoint kept from before: exit code 0."""
    first = min(export.published.glob("*.checkpoint"))
    manifest = sha256((export.folder / "manifest.json").read_bytes()).hexdigest()
    code, said = run(export.folder, "--vkey", export.vkey, "--checkpoint", first, "--manifest", manifest)
    assert code == 0, said
    assert "is a beginning of this tree" in said
    assert said.splitlines()[-1] == "ALL OF IT HOLDS"
    assert "NOT CHECKED" not in said


def test_without_a_trusted_key_it_says_so(export: Export) -> None:
    """The key of the manifest proves nothing about who signed; what else was not told is NOT CHECKED as well."""
    code, said = run(export.folder)
    assert code == 0, said
    assert "NOT CHECKED  who signed: the key lies with it. Compare it with the key that was told to you: --vkey" in said


def test_another_key_is_found(export: Export) -> None:
    """With a key that the auditor trusts and that did not sign, nothing is signed: exit code 1."""
    other = str(SigningKey("centralpay/1999999999", Ed25519PrivateKey.generate()).verifier)
    code, said = run(export.folder, "--vkey", other)
    assert code == 1
    assert "is signed by none of the keys" in said or "signed by none" in said


@pytest.mark.parametrize("words", [("no-such-folder",), (".", "--vkey", "nonsense")], ids=["no folder", "no key"])
def test_wrong_use_has_its_own_exit_code(export: Export, words: tuple[str, ...]) -> None:
    """What can not be checked at all is neither right nor wrong: exit code 2 and no traceback."""
    code, said = run(*(str(export.folder) if word == "." else word for word in words))
    assert (code, "Traceback" in said) == (2 if words[0] != "." else code, False)
    assert code in {1, 2}


def test_every_file_is_held_by_its_hash(copied: Export) -> None:
    """One byte more at the end of each file, one after the other: named. So is a file that is gone or was added."""
    names = [each["name"] for each in json.loads((copied.folder / "manifest.json").read_text())["files"]]
    assert len(names) > 8
    for name in names:
        path = copied.folder / name
        before = path.read_bytes()
        path.write_bytes(before + b"\n")
        code, said = run(copied.folder, "--vkey", copied.vkey)
        assert code == 1, name
        assert f"{name}: SHA-256" in said, name
        path.unlink()
        code, said = run(copied.folder, "--vkey", copied.vkey)
        assert (code, f"{name}: is in the manifest and not in the folder" in said) == (1, True), name
        path.write_bytes(before)
    (copied.folder / "more.csv").write_text("a\n")
    code, said = run(copied.folder, "--vkey", copied.vkey)
    assert (code, "more.csv: is in the folder and not in the manifest" in said) == (1, True)


# Sealed rows, changed with a manifest that agrees ------------------------------------------------------------------

Lines = list[dict[str, Any]]


def edit(folder: Path, name: str, change: Callable[[Lines], object]) -> None:
    """Change the lines of a file of JSON lines and let the manifest agree."""
    path = folder / "sealed" / name
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    change(lines)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    announce(folder)


def changed_value(value: object) -> object:
    """Give another value of the same kind."""
    if isinstance(value, dict):
        return {**value, next(iter(value), "x"): "changed"}
    if isinstance(value, list):
        return [[*value[0][:-1], "2020-01-01"], *value[1:]]
    if isinstance(value, int):
        return value + 1
    if value is None:
        return 7
    return "00000000-0000-0000-0000-000000000007" if str(value).count("-") == 4 else f"{value}x"


@pytest.mark.parametrize("name", ["entries.jsonl", "trail.jsonl"])
def test_every_field_of_a_sealed_row_is_held(copied: Export, name: str) -> None:
    """Each field of the fourth line gets another value, one after the other: the line is named each time."""
    path = copied.folder / "sealed" / name
    whole = path.read_text()
    fields = list(json.loads(whole.splitlines()[3]))
    for field in fields:
        edit(copied.folder, name, lambda lines, field=field: lines[3].update({field: changed_value(lines[3][field])}))  # type: ignore[misc]
        code, said = run(copied.folder, "--vkey", copied.vkey)
        assert code == 1, field
        assert f"sealed/{name} line 4" in said, f"{field}: {said}"
        path.write_text(whole)


@pytest.mark.parametrize("name", ["entries.jsonl", "trail.jsonl"])
@pytest.mark.parametrize("deed", ["deleted", "inserted", "swapped", "twice a field", "more than was sealed"])
def test_a_sealed_row_that_is_moved_is_named(copied: Export, name: str, deed: str) -> None:
    """A line deleted, inserted once more, swapped with the next; a field of JSON twice, or one that was not sealed."""

    def change(lines: Lines) -> None:
        if deed == "deleted":
            del lines[4]
        elif deed == "inserted":
            lines.insert(4, lines[4])
        elif deed == "swapped":
            lines[4], lines[5] = lines[5], lines[4]
        elif deed == "more than was sealed":
            lines[4]["memo"] = "x"

    index = json.loads((copied.folder / "sealed" / name).read_text().splitlines()[4])["index"]
    edit(copied.folder, name, change)
    if deed == "twice a field":
        path = copied.folder / "sealed" / name
        lines = path.read_text().splitlines()
        lines[4] = '{"index": 1, ' + lines[4].removeprefix("{")
        path.write_text("\n".join(lines) + "\n")
        announce(copied.folder)
    code, said = run(copied.folder, "--vkey", copied.vkey)
    assert code == 1
    named = f"leaf {index}" if deed == "deleted" else f"sealed/{name} line {7 if deed == 'swapped' else 5}"
    assert named in said or f"sealed/{name} line 6" in said, said


def test_a_changed_amount_is_told_with_what_was_sealed(copied: Export) -> None:
    """A cent more in the second line of an entry: file, line, journal number, the field, and the amount of before."""

    def change(lines: Lines) -> None:
        lines[2]["lines"][1][3] += 1

    before = json.loads((copied.folder / "sealed" / "entries.jsonl").read_text().splitlines()[2])
    edit(copied.folder, "entries.jsonl", change)
    code, said = run(copied.folder, "--vkey", copied.vkey)
    assert code == 1
    cents = before["lines"][1][3]
    assert "sealed/entries.jsonl line 3 (journal number 3): does not hash to leaf" in said
    assert f"amount_cents of line {before['lines'][1][0]} was {cents} when it was sealed" in said


# Leaves and checkpoints -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deed", ["changed", "cut off", "swapped"])
def test_changed_leaves_are_found(copied: Export, deed: str) -> None:
    """A leaf changed, the last one cut off, two swapped: the roots no longer follow, and the rows are named."""
    path = copied.folder / "sealed" / "leaves"
    leaves = bytearray(path.read_bytes())
    if deed == "changed":
        leaves[0] ^= 1
    elif deed == "cut off":
        del leaves[-32:]
    else:
        leaves[:64] = leaves[32:64] + leaves[:32]
    path.write_bytes(leaves)
    announce(copied.folder)
    code, said = run(copied.folder, "--vkey", copied.vkey)
    assert code == 1
    wanted = "leaves of 32 bytes are wanted" if deed == "cut off" else "its root is not that of the leaves"
    assert wanted in said, said


@pytest.mark.parametrize("deed", ["deleted", "swapped", "size", "previous_size", "consistency", "note", "signature"])
def test_changed_checkpoints_are_found(copied: Export, deed: str) -> None:
    """A checkpoint deleted or out of its place, its proof, note or signature changed."""

    def change(lines: Lines) -> None:
        last = lines[-1]
        if deed == "deleted":
            del lines[-1]
        elif deed == "swapped":
            lines.reverse()
        elif deed == "consistency":
            last["consistency"][0] = "00" * 32
        elif deed == "note":
            last["note"] = last["note"].replace("time 20", "time 19")
        elif deed == "signature":
            last["note"] = last["note"].split("\n\n")[0] + "\n\n" + lines[0]["note"].split("\n\n")[1]
        else:
            last[deed] = (last[deed] or 0) + 1

    edit(copied.folder, "checkpoints.jsonl", change)
    code, said = run(copied.folder, "--vkey", copied.vkey)
    assert code == 1
    assert "sealed/checkpoints.jsonl" in said


def test_a_rewritten_tree_is_found_by_a_kept_checkpoint(copied: Export, tmp_path: Path) -> None:
    """Whoever has the signing key can rewrite all of it but not the checkpoint that an auditor took away before."""
    key = SigningKey("centralpay/1999999999", Ed25519PrivateKey.generate())
    kept = tmp_path / "kept"
    note = CheckpointNote("centralpay/1999999999", 100, b"\1" * 32, datetime(2026, 11, 1, tzinfo=UTC), "eve")
    kept.write_text(key.sign(note.text()))
    code, said = run(copied.folder, "--vkey", copied.vkey, "--vkey", key.verifier, "--checkpoint", kept)
    assert code == 1
    assert "--checkpoint: the first 100 leaves are not those that were signed, 2026-11-01T00:00:00Z" in said


def test_a_checkpoint_of_later_shows_what_was_cut_off(copied: Export, tmp_path: Path) -> None:
    """A kept checkpoint that covers more than the export has: it is older, or its end was cut off."""
    key = SigningKey("centralpay/1999999999", Ed25519PrivateKey.generate())
    kept = tmp_path / "kept"
    note = CheckpointNote("centralpay/1999999999", 100_000, b"\1" * 32, datetime(2026, 11, 1, tzinfo=UTC), "eve")
    kept.write_text(key.sign(note.text()))
    code, said = run(copied.folder, "--vkey", copied.vkey, "--vkey", key.verifier, "--checkpoint", kept)
    assert (code, "covers 100000 leaves: so many are not here" in said) == (1, True)


# Flat files and proofs ------------------------------------------------------------------------------------------------


def flat_names(folder: Path) -> list[str]:
    """Give the flat files that hold lines of the journal."""
    files = json.loads((folder / "manifest.json").read_text())["files"]
    return [each["name"] for each in files if each["name"].startswith(("GL_Detail", "journal.csv", "journal.jsonl"))]


def test_a_changed_line_of_a_general_ledger_is_named(copied: Export) -> None:
    """An amount, a deleted and a swapped row in each flat form, the manifest agreeing: row and journal number named."""
    names = flat_names(copied.folder)
    assert len(names) >= 3
    for name in names:
        path = copied.folder / name
        before = path.read_bytes()
        rows = before.split(b"\n")
        cents = next(each for each in (b"100000", b"1000.00") if each in rows[2])
        for spoiled, wanted in (
            ([*rows[:2], rows[2].replace(cents, cents[:-1] + b"1"), *rows[3:]], "journal number"),
            (rows[:2] + rows[3:], "journal number"),
            ([*rows[:2], rows[3], rows[2], *rows[4:]], "journal number"),
        ):
            path.write_bytes(b"\n".join(spoiled))
            announce(copied.folder)
            code, said = run(copied.folder, "--vkey", copied.vkey)
            assert (code, name in said, wanted in said) == (1, True, True), said
        path.write_bytes(before)
        announce(copied.folder)


def test_a_proof_of_one_entry_leads_to_the_signed_root(export: Export, tmp_path: Path) -> None:
    """The JSON of ``ledger proof`` holds by itself; with another amount in it, it does not."""
    code, said = run("--proof", export.proof, "--vkey", export.vkey)
    assert code == 0, said
    assert "journal number 3 is leaf" in said
    told = json.loads(export.proof.read_text())
    told["entry"]["lines"][0][3] += 1
    spoiled = tmp_path / "spoiled.json"
    spoiled.write_text(json.dumps(told))
    code, said = run("--proof", spoiled, "--vkey", export.vkey)
    assert (code, "spoiled.json: its content is not leaf" in said) == (1, True)


# A forger -------------------------------------------------------------------------------------------------------------

ROWS = ("entries.jsonl", "trail.jsonl")


def forge(export: Export) -> None:
    """Rewrite an amount, then leaves, tree and signatures, by a key of the forger's own that its trail names.

    The manifest keeps the note that was truly signed; flat files, which would tell, are left out.
    """
    told = runpy.run_path(str(PROGRAM))
    mine = SigningKey("centralpay/1999999999", Ed25519PrivateKey.generate())
    sealed = export.folder / "sealed"
    rows = {name: [json.loads(line) for line in (sealed / name).read_text().splitlines()] for name in ROWS}
    for line in rows["entries.jsonl"][0]["lines"]:
        line[3] *= 2
    (approval,) = [
        row for row in rows["trail.jsonl"]
        if row["content"].get("kind") == "seal_key" and row["content"].get("state") == "approved"
    ]  # fmt: skip
    approval["content"]["facts"] = json.dumps(
        json.loads(approval["content"]["facts"]) | {"vkey": str(mine.verifier)}, sort_keys=True
    )
    every = sorted((row for found in rows.values() for row in found), key=lambda row: int(row["index"]))
    leaves = [told["leaf_hash"](told["leaf_bytes"](row)) for row in every]
    noted = [json.loads(line) for line in (sealed / "checkpoints.jsonl").read_text().splitlines()]
    for each in noted:
        size, before = each["size"], each["previous_size"]
        note = CheckpointNote(
            "centralpay/1999999999", size, tree.root(leaves[:size]), datetime(2026, 11, 22, tzinfo=UTC), "eve"
        )
        proof = [] if before is None else tree.consistency_proof(leaves[:size], before)
        each.update(note=mine.sign(note.text()), consistency=[hash_.hex() for hash_ in proof])
    for name, lines in (*rows.items(), ("checkpoints.jsonl", noted)):
        (sealed / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    (sealed / "leaves").write_bytes(b"".join(leaves))
    path = export.folder / "manifest.json"
    manifest = json.loads(path.read_text())
    for flat in [each for each in manifest["files"] if not each["name"].startswith("sealed/")]:
        (export.folder / flat["name"]).unlink()
        manifest["files"].remove(flat)
    path.write_text(json.dumps(manifest))
    announce(export.folder)


def test_a_forged_tree_under_a_true_note_is_found(copied: Export) -> None:
    """Another tree of the same size, signed by a key that its own trail names, beside the note that was signed."""
    forge(copied)
    code, said = run(copied.folder, "--vkey", copied.vkey)
    assert (code, "is not the checkpoint of manifest.json" in said) == (1, True), said


def deep(export: Export) -> None:
    """Write JSON that is nested deeper than a reader's stack."""
    (export.folder / "manifest.json").write_text("[" * 100_000)


def vast(export: Export) -> None:
    """Announce more leaves than any memory holds."""
    path = export.folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["checkpoint"]["size"] = 10**15
    path.write_text(json.dumps(manifest))


def huge(export: Export) -> None:
    """Write an amount that no field holds."""
    edit(export.folder, "entries.jsonl", lambda lines: lines[0].update(journal=10**30))


def steering(export: Export) -> None:
    """Name a row so that a terminal would wipe the line and say that all is well."""
    edit(export.folder, "trail.jsonl", lambda lines: lines[0].update(key="\x1b[2K\rALL OF IT HOLDS\n", table="t"))


@pytest.mark.parametrize("deed", [deep, vast, huge, steering])
def test_a_hostile_export_neither_breaks_the_program_nor_speaks_for_it(
    copied: Export, deed: Callable[[Export], None]
) -> None:
    """Whatever the files hold: a finding, no traceback, no control character, and the last word is the program's."""
    deed(copied)
    code, said = run(copied.folder, "--vkey", copied.vkey)
    assert (code in {1, 2}, "Traceback" in said, "\x1b" in said) == (True, False, False), said
    assert said.splitlines()[-1].startswith("DOES NOT HOLD")
    assert "ALL OF IT HOLDS" not in said.splitlines()
