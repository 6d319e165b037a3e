"""Single bytes, lines and cells of an export, changed at random or one after the other: what the verifier finds."""

import contextlib
import csv
import io
import json
import random
import runpy
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_offline_verifier import PROGRAM, Export, announce, copied, export

__all__ = ["copied", "export"]

BYTES_A_FILE = 12
"""How many bytes of each file are changed, one after the other."""
FREE = {"company", "made_at", "supersedes"}
"""What a manifest says that nothing signed says too: it is held by ``--manifest`` alone."""
NOT_SEALED = {
    "approved_by", "reversed_by", "owner", "about", "payer_id", "trace_number",
    "JE_Line_Description", "Entered_By", "Approved_By", "Approved_Date", "Reversal_Journal_ID",
    "Segment02", "Segment03", "Segment04",
}  # fmt: skip
"""Columns that tell something beside the entry that was sealed; owners and accounts keep one name each."""


@pytest.fixture(scope="module")
def main() -> Callable[..., int]:
    """Give the program as a function of its words; what it says goes nowhere."""
    program = runpy.run_path(str(PROGRAM))

    def run(*words: object) -> int:
        with contextlib.redirect_stdout(io.StringIO()):
            return int(program["main"]([str(word) for word in words]))

    return run


def files(folder: Path) -> list[str]:
    """Give the names of an export's files but the manifest's."""
    paths = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    return sorted({*paths} - {"manifest.json"})


def spoiled(content: bytes, chance: random.Random) -> bytes:
    """Change one byte to another."""
    at = chance.randrange(len(content))
    return content[:at] + bytes([(content[at] + chance.randrange(1, 256)) % 256]) + content[at + 1 :]


def test_no_byte_of_any_file_can_be_changed(copied: Export, main: Callable[..., int]) -> None:
    """Bytes at random places of every file, the manifest as it was: found, each of them."""
    chance = random.Random(20261122)
    for name in files(copied.folder):
        path = copied.folder / name
        content = path.read_bytes()
        for _ in range(BYTES_A_FILE):
            path.write_bytes(spoiled(content, chance))
            assert main(copied.folder, "--vkey", copied.vkey) == 1, name
        path.write_bytes(content)
    assert main(copied.folder, "--vkey", copied.vkey) == 0


def test_no_byte_of_the_manifest_can_be_changed(copied: Export, main: Callable[..., int]) -> None:
    """With the SHA-256 that one was told every byte is found; without it all but what only the manifest says.

    Once the totals of sealed files, the name of the books, the key and the size of the checkpoint could be changed.
    """
    chance, path = random.Random(7), copied.folder / "manifest.json"
    content = path.read_bytes()
    digest = sha256(content).hexdigest()
    assert main(copied.folder, "--vkey", copied.vkey, "--manifest", digest) == 0
    for _ in range(150):
        path.write_bytes(spoiled(content, chance))
        assert main(copied.folder, "--vkey", copied.vkey, "--manifest", digest) == 1
        if main(copied.folder, "--vkey", copied.vkey) == 0:
            was, found = json.loads(content), json.loads(path.read_bytes())
            assert {name for name in was if was[name] != found[name]} <= FREE


def test_no_byte_or_line_of_the_seal_can_be_changed_with_its_manifest(copied: Export, main: Callable[..., int]) -> None:
    """Bytes of the sealed rows, leaves and checkpoints, lines of them dropped, doubled and swapped, announced so."""
    chance = random.Random(1122)
    for name in files(copied.folder / "sealed"):
        path = copied.folder / "sealed" / name
        content = path.read_bytes()
        for changed in (*(spoiled(content, chance) for _ in range(40)), *_moved(content, chance, name)):
            path.write_bytes(changed)
            announce(copied.folder)
            assert main(copied.folder, "--vkey", copied.vkey) == 1, (name, changed)
        path.write_bytes(content)


def _moved(content: bytes, chance: random.Random, name: str) -> Iterator[bytes]:
    """Give the file with a line dropped, doubled, and two swapped."""
    lines = content.split(b"\n")[:-1]
    if name == "leaves":
        lines = [content[at : at + 32] for at in range(0, len(content), 32)]
    for _ in range(5):
        one, other = sorted(chance.sample(range(len(lines)), 2))
        for moved in (
            lines[:one] + lines[one + 1 :],
            [*lines[:one], lines[one], *lines[one:]],
            [*lines[:one], lines[other], *lines[one + 1 : other], lines[one], *lines[other + 1 :]],
        ):
            end = b"" if name == "leaves" else b"\n"
            yield b"".join(line + end for line in moved)


def _cells(folder: Path, name: str) -> list[dict[str, Any]]:
    if name.endswith(".jsonl"):
        return [json.loads(line) for line in (folder / name).read_text().splitlines()]
    with (folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


def _write(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    with (folder / name).open("w", newline="") as file:
        if name.endswith(".jsonl"):
            file.writelines(json.dumps(row) + "\n" for row in rows)
            return
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize("name", ["journal.csv", "journal.jsonl", "GL_Detail_20261101_20261120.csv"])
def test_every_sealed_column_of_a_journal_is_held(copied: Export, main: Callable[..., int], name: str) -> None:
    """Each cell of a row changed, its column left out, all rows left out: found, but for what was not sealed with it.

    Once five columns were compared, and a journal without its rows, so announced, held.
    """
    rows = _cells(copied.folder, name)
    number = next(at for at, row in enumerate(rows) if row.get("owner", row.get("Segment01")) not in {"house", ""})
    for column, value in rows[number].items():
        changed = value + 1 if isinstance(value, int) else f"{value or ''}7"
        _write(copied.folder, name, [*rows[:number], rows[number] | {column: changed}, *rows[number + 1 :]])
        announce(copied.folder)
        found = main(copied.folder, "--vkey", copied.vkey) == 1
        assert found or column in NOT_SEALED, column
        if column not in NOT_SEALED:
            _write(copied.folder, name, [{key: row[key] for key in row if key != column} for row in rows])
            announce(copied.folder)
            assert main(copied.folder, "--vkey", copied.vkey) == 1, column
    content = (copied.folder / name).read_bytes()
    (copied.folder / name).write_bytes(content.splitlines(keepends=True)[0] if name.endswith("csv") else b"")
    manifest = json.loads((copied.folder / "manifest.json").read_text())
    for each in manifest["files"]:
        if each["name"] == name:
            each.update({"rows": 0, "debit_cents": 0, "credit_cents": 0, "from": None, "to": None})
    (copied.folder / "manifest.json").write_text(json.dumps(manifest))
    announce(copied.folder)
    assert main(copied.folder, "--vkey", copied.vkey) == 1


@pytest.mark.parametrize("name", ["journal.hledger", "journal.beancount"])
def test_every_posting_of_a_journal_in_text_is_held(copied: Export, main: Callable[..., int], name: str) -> None:
    """A cent, a day, a number, an account, an actor, an entry left out or slipped in, a directive: found and announced.

    Once these journals were compared with nothing: who changed an amount and the balances after it was not found.
    """
    path = copied.folder / name
    content = path.read_text()
    _, entry, rest = content.partition("2026-11-20")
    block = "2026-11-20" + rest.partition("\n\n")[0] + "\n\n"
    account = next(line for line in block.splitlines() if line.endswith(" USD") or "; reference" in line).split()[0]
    other = {"journal.hledger": "include elsewhere\n", "journal.beancount": 'include "elsewhere"\n'}[name]
    assert entry
    for changed in (
        content.replace(" 1000.00 USD", " 1000.01 USD", 1),
        content.replace("2026-11-20", "2026-11-19", 1),
        content.replace("(3)", "(4)", 1).replace("journal: 3\n", "journal: 4\n", 1),
        content.replace(block, block.replace(account, "Assets:Custody:Elsewhere:House", 1), 1),
        content.replace("mary", "mark", 1),
        content.replace(block, "", 1),
        content.replace(block, block + block, 1),
        content.replace(block, block + block.replace("(", "; (").replace("  journal:", "  fact: "), 1),
        content + other,
    ):
        assert changed != content
        path.write_text(changed)
        announce(copied.folder)
        assert main(copied.folder, "--vkey", copied.vkey) == 1, changed
    path.write_text(content)
    announce(copied.folder)
    assert main(copied.folder, "--vkey", copied.vkey) == 0


def test_a_trial_balance_is_what_the_lines_make(copied: Export, main: Callable[..., int]) -> None:
    """A cent in a trial balance, or an account left out of it, announced so: found from the general ledger."""
    (path,) = copied.folder.glob("Trial_Balance_*")
    rows = _cells(copied.folder, path.name)
    held = [at for at, row in enumerate(rows) if row["Amount_Ending"] != "0.00"]
    more = {f"{unit}_Ending": "77.01" for unit in ("Amount", "Reporting_Amount", "Local_Amount")}
    for changed in (
        [*rows[: held[0]], rows[held[0]] | more, *rows[held[0] + 1 :]],
        rows[: held[0]] + rows[held[0] + 1 :],
        [*rows[: held[0]], rows[held[0]] | {"Local_Amount_Ending": "77.01"}, *rows[held[0] + 1 :]],
    ):
        _write(copied.folder, path.name, changed)
        manifest = json.loads((copied.folder / "manifest.json").read_text())
        for each in manifest["files"]:
            each["rows"] = len(changed) if each["name"] == path.name else each["rows"]
        (copied.folder / "manifest.json").write_text(json.dumps(manifest))
        announce(copied.folder)
        assert main(copied.folder, "--vkey", copied.vkey) == 1


def test_an_export_that_lost_its_seal_does_not_hold(copied: Export, main: Callable[..., int]) -> None:
    """Who takes the seal out of an export, and says so, has nothing that the trusted key signed: it does not hold."""
    path = copied.folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"] = [each for each in manifest["files"] if not each["name"].startswith("sealed/")]
    path.write_text(json.dumps(manifest))
    for file in (copied.folder / "sealed").iterdir():
        file.unlink()
    assert main(copied.folder, "--vkey", copied.vkey) == 1
    assert main(copied.folder) == 0


def test_a_part_that_is_none_is_found(copied: Export, main: Callable[..., int]) -> None:
    """A manifest that names days or an owner, so that missing rows are no gap: rows outside, and the trail, tell."""
    path = copied.folder / "manifest.json"
    content = path.read_text()
    for scope in ({"from": "2026-11-20"}, {"to": "2026-11-10"}, {"owner": "1400101"}):
        manifest = json.loads(content)
        manifest["scope"].update(scope)
        path.write_text(json.dumps(manifest))
        assert main(copied.folder, "--vkey", copied.vkey) == 1, scope
