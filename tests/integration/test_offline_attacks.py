"""What a forger may try on the offline verifier: files that people or programs read otherwise than it does, and tricks.

The manifest agrees with what was changed, as a forger's would. All of the first but other scripts' digits held once.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_offline_verifier import PROGRAM, Export, announce, copied, export, run

__all__ = ["copied", "export"]


def find(folder: Path, pattern: str) -> Path:
    """Give the one file of a name."""
    (path,) = folder.glob(pattern)
    return path


def manifest_of(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what the manifest says."""
    path = folder / "manifest.json"
    said = json.loads(path.read_text())
    change(said)
    path.write_text(json.dumps(said))


def balances(folder: Path, change: Callable[[list[list[str]]], object]) -> None:
    """Change the rows of the trial balance, the head being the first, and let the manifest agree."""
    path = find(folder, "Trial_Balance_*")
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    change(rows)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)

    def count(said: dict[str, Any]) -> None:
        next(each for each in said["files"] if each["name"] == path.name)["rows"] = len(rows) - 1

    manifest_of(folder, count)
    announce(folder)


def held(rows: list[list[str]]) -> list[str]:
    """Give the first row with a balance."""
    at = rows[0].index("Amount_Ending")
    return next(row for row in rows[1:] if row[at] != "0.00")


def without_points(folder: Path) -> None:
    """Write 1000.00 as 100000: a hundred times as much for everybody else, the same digits."""
    balances(folder, lambda rows: held(rows).__setitem__(slice(None), [cell.replace(".", "") for cell in held(rows)]))


def below_zero(folder: Path) -> None:
    """Write nothing as a debt of nothing."""
    balances(folder, lambda rows: rows.__setitem__(1, [cell.replace("0.00", "-0.00") for cell in rows[1]]))


def balance_twice(folder: Path) -> None:
    """Write a balance twice: who adds them up has double."""
    balances(folder, lambda rows: rows.append(held(rows)))


def balance_of_before(folder: Path) -> None:
    """Say of all accounts what they were on the first, before anything moved, as if the month ended there."""

    def change(rows: list[list[str]]) -> None:
        day = rows[0].index("Balance_As_Of_Date")
        amounts = [at for at, name in enumerate(rows[0]) if name.endswith(("_Beginning", "_Ending"))]
        for row in rows[1:]:
            row[day] = row[day][:8] + "01"
            for at in amounts:
                row[at] = "0.00"

    balances(folder, change)


def balance_alone(folder: Path) -> None:
    """Leave out the general ledger, and say of the trial balance what one likes."""
    path = find(folder, "GL_Detail_*")
    path.unlink()
    manifest_of(folder, lambda said: said.update(files=[e for e in said["files"] if e["name"] != path.name]))
    balances(folder, lambda rows: held(rows).__setitem__(rows[0].index("Amount_Ending"), "7.00"))


def column_twice(folder: Path) -> None:
    """Give a spreadsheet another column of amounts before the true one."""
    path = find(folder, "GL_Detail_*")
    head, *rows = path.read_text().splitlines()
    path.write_text("\r\n".join([f"Amount,{head}", *(f"9.99,{row}" for row in rows)]) + "\r\n")
    announce(folder)


def column_more(folder: Path) -> None:
    """Add a column that looks like the true one."""
    path = folder / "journal.csv"
    head, *rows = path.read_text().splitlines()
    path.write_text("\r\n".join([f"{head},Amount", *(f"{row},9.99" for row in rows)]) + "\r\n")
    announce(folder)


def no_number(folder: Path) -> None:
    """Put an apostrophe before an amount: a spreadsheet takes it for text, and leaves it out of the sum."""
    path = find(folder, "GL_Detail_*")
    path.write_text(path.read_text().replace(",1000.00,", ",'1000.00,", 1))
    announce(folder)


def other_day(folder: Path) -> None:
    """Slip another head in before an entry's postings: hledger takes them for another day's."""
    path = folder / "journal.hledger"
    lines = path.read_text().split("\n")
    at = next(number for number, line in enumerate(lines) if line.startswith("    ; actor:"))
    while lines[at].startswith("    ;"):
        at += 1
    path.write_text("\n".join([*lines[:at], "2020-01-01 balances at the end of the day", *lines[at:]]))
    announce(folder)


def other_day_in_beancount(folder: Path) -> None:
    """Do the same to beancount."""
    path = folder / "journal.beancount"
    text = path.read_text()
    at = text.index("  actor: ")
    at = text.index("\n    ", at) + 1
    path.write_text(f'{text[:at]}2020-01-01 * "opening balances"\n{text[at:]}')
    announce(folder)


def other_digits(folder: Path) -> None:
    """Write an amount with the digits of another script, which Python takes for numbers."""
    path = folder / "journal.hledger"
    path.write_text(path.read_text().replace(" 1000.00 USD", " \u0661000.00 USD", 1))
    announce(folder)


def elsewhere(folder: Path) -> None:
    """Let a link stand for a file, which can lead elsewhere tomorrow."""
    shutil.move(folder / "journal.csv", folder.parent / "journal.csv")
    (folder / "journal.csv").symlink_to(folder.parent / "journal.csv")


def linked_folder(folder: Path) -> None:
    """Hide files that nobody announced behind a link."""
    (folder.parent / "more").mkdir()
    (folder.parent / "more" / "journal.csv").write_text("a\n")
    (folder / "more").symlink_to(folder.parent / "more")


def pipe(folder: Path) -> None:
    """Put a pipe there that nobody announced."""
    os.mkfifo(folder / "journal.tsv")


def outside(folder: Path) -> None:
    """Announce a file that lies outside of the folder."""
    (folder.parent / "other.csv").write_text("a\n")

    def change(said: dict[str, Any]) -> None:
        said["files"].append({**said["files"][0], "name": "../other.csv", "rows": 0})

    manifest_of(folder, change)
    announce(folder)


@pytest.mark.parametrize(
    ("deed", "wanted"),
    [
        (without_points, "is no amount"),
        (below_zero, "is no amount"),
        (balance_twice, "stands there twice"),
        (balance_of_before, "is of no month's end"),
        (balance_alone, "is there without the GL_Detail"),
        (column_twice, "has two columns of one name"),
        (column_more, "columns that are missing or unknown: ['Amount']"),
        (no_number, '"\'1000.00" is no amount'),
        (other_day, "'2020-01-01 balances at the end of the day', sealed is"),
        (other_day_in_beancount, "'2020-01-01 * \"opening balances\"', sealed is"),
        (other_digits, "journal.hledger line"),
        (elsewhere, "journal.csv: is neither a file nor a folder"),
        (linked_folder, "more: is neither a file nor a folder"),
        (pipe, "journal.tsv: is neither a file nor a folder"),
        (outside, "../other.csv: is in the manifest and not in the folder"),
    ],
)
def test_what_others_read_otherwise_is_found(copied: Export, deed: Callable[[Path], None], wanted: str) -> None:
    """Whatever a spreadsheet, hledger, beancount or a person would read otherwise than the verifier: WRONG."""
    deed(copied.folder)
    code, said = run(copied.folder, "--vkey", copied.vkey)
    assert (code, "Traceback" in said) == (1, False), said
    assert wanted in said, said


def pipe_for_rows(folder: Path) -> None:
    """Put a pipe where the sealed rows should be: who reads it waits for ever."""
    (folder / "sealed" / "entries.jsonl").unlink()
    os.mkfifo(folder / "sealed" / "entries.jsonl")


def endless_line(folder: Path) -> None:
    """Write one line that would fill the memory."""
    (folder / "journal.jsonl").write_bytes(b" " * (1 << 25))
    announce(folder)


def vast_journal(folder: Path) -> None:
    """Announce more journal numbers than any memory holds."""
    manifest_of(folder, lambda said: said["checkpoint"].update(journal_size=10**15))


def other_letters(folder: Path) -> None:
    """Write letters that are no UTF-8."""
    path = folder / "sealed" / "entries.jsonl"
    path.write_bytes(path.read_bytes().replace(b"mary", b"m\xe4ry", 1))
    announce(folder)


def cut(folder: Path) -> None:
    """Cut a file of the seal in the middle of a row."""
    path = folder / "sealed" / "trail.jsonl"
    path.write_bytes(path.read_bytes()[:-100])
    announce(folder)


@pytest.mark.parametrize("deed", [pipe_for_rows, endless_line, vast_journal, other_letters, cut])
def test_what_can_not_be_read_is_found(copied: Export, deed: Callable[[Path], None]) -> None:
    """Files that never end, are no text, or ask for all memory: found in a moment, without a traceback.

    Some were before; a pipe was waited for, a number of entries was believed, a line was read whole.
    """
    deed(copied.folder)
    code, said = run(copied.folder, "--vkey", copied.vkey)
    assert (code, "Traceback" in said) == (1, False), said
    assert said.splitlines()[-1].startswith("DOES NOT HOLD")


def test_no_module_of_the_export_is_run(copied: Export) -> None:
    """A file json.py in the folder is not taken for Python's own: it would have said what it likes, and ended there."""
    shutil.copy(PROGRAM, copied.folder / "verify.py")
    for name in ("json", "csv", "cryptography", "__future__"):
        (copied.folder / f"{name}.py").write_text("import sys\nprint('ALL OF IT HOLDS')\nsys.exit(0)\n")
    done = subprocess.run(
        [sys.executable, "verify.py", "."], cwd=copied.folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, "ALL OF IT HOLDS" in done.stdout) == (1, False), done.stdout + done.stderr
    assert "json.py: is in the folder and not in the manifest" in done.stdout


@pytest.mark.parametrize("words", ["document", "two proofs", "checkpoint", "manifest"])
def test_what_would_not_be_compared_is_refused(export: Export, words: str) -> None:
    """A paper without its proof, a checkpoint or a digest without an export: wrong use, where once all of it held."""
    checkpoint = min(export.published.glob("*.checkpoint"))
    asked = {
        "document": (export.folder, "--document", export.proof),
        "two proofs": ("--proof", export.proof, "--proof", export.proof, "--document", export.proof),
        "checkpoint": ("--proof", export.proof, "--checkpoint", checkpoint),
        "manifest": ("--proof", export.proof, "--manifest", "0" * 64),
    }
    code, said = run(*asked[words], "--vkey", export.vkey)
    assert (code, "HOLDS" in said) == (2, False), said


def test_an_archive_is_to_be_unpacked(export: Export, tmp_path: Path) -> None:
    """Who names the archive is told what to do with it: exit code 2."""
    archive = shutil.make_archive(str(tmp_path / "export"), "zip", export.folder)
    code, said = run(archive)
    assert (code, "an archive is unpacked first" in said) == (2, True), said


def test_keys_of_before_may_be_told_as_they_were_published(export: Export) -> None:
    """The file of keys, one a line, is taken as it is: after a change of keys it was no verifier key."""
    keys = (export.published / "vkey").read_text()
    assert len(keys.split()) == 2
    code, said = run(export.folder, "--vkey", keys)
    assert (code, "who signed" in said) == (0, False), said


def test_it_says_what_it_could_not_check(copied: Export) -> None:
    """What nothing sealed holds is named, and no export is all right of which that is not known."""
    _, said = run(copied.folder, "--vkey", copied.vkey)
    assert "NOT CHECKED  what nothing sealed tells: names, approvals, 4 files (Business_Unit_Listing_" in said
    assert "NOT CHECKED  whether it was rewritten since an earlier day" in said
    assert said.splitlines()[-1] == "WHAT WAS CHECKED HOLDS"
    shutil.rmtree(copied.folder / "sealed")
    manifest_of(
        copied.folder,
        lambda told: told.update(files=[each for each in told["files"] if not each["name"].startswith("sealed/")]),
    )
    _, said = run(copied.folder)
    assert "NOT CHECKED  made without its seal" in said
    assert said.splitlines()[-1] == "WHAT WAS CHECKED HOLDS"
