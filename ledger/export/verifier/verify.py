"""Verify an export of the books, offline, with nothing of the system that made it.

    python verify.py [FOLDER] [--vkey KEY] [--manifest SHA256] [--checkpoint FILE] [--proof FILE] [--document FILE]

Needs Python 3.11 or later and the package ``cryptography`` (for Ed25519). It opens no connection, writes nothing and
imports nothing of the exporting system; it is meant to be read before it is run, from here to the end: what it does
stands in the order in which it does it. FOLDER is the folder that it lies in when none is named; an archive is unpacked
first. It takes some 30 MB, a byte for each leaf, and for a journal in plain text 16 bytes for each entry.

What it checks
  1. Files: each one that manifest.json names is there with its SHA-256 and its length, and nothing else is there.
     --manifest: the manifest, which nobody signed, is the one of which you were told.
  2. The seal: every line of sealed/entries.jsonl and sealed/trail.jsonl is written again as canonical bytes, below,
     and hashes to its leaf in sealed/leaves; journal numbers and leaves have no gap; every entry sums to zero.
  3. The tree: the root of every checkpoint follows from the leaves (RFC 9162, 2.1.1), each continues the one before
     (consistency proof, 2.1.4), each is signed (C2SP signed-note and tlog-checkpoint, Ed25519); the last is the
     manifest's. Keys of before are sealed as well; the last must be signed by the key that you trust.
     --vkey: that key (name+hash+key), as it was told to you by another way than this export.
     --checkpoint: one that you kept from an earlier day is a beginning of this tree: nothing that it covered was
     rewritten since. Without one of your own you compare the export with itself only.
  4. Journals: rows, debits, credits and dates are counted again. Every line is a sealed one and every sealed one is
     there, in its order, with all that is sealed of it; not sealed with it are the names of owners and accounts (each
     stands for one), who entered and approved, payers, and what reverses what. In a journal of hledger or beancount
     there is nothing else than entries, to the letter, and balances, which those programs compute.
     Trial balances: every account at the end of every month, once, as the lines of GL_Detail make it.
  5. --proof: a proof of one entry, statement or certificate leads from its content to a signed root (2.1.3); with
     --document, the document is the one of which the sealed row tells the SHA-256.

What it says: ``looked at``, what was compared; ``WRONG``, what does not hold, the first 20 places; ``NOT CHECKED``,
what can not be known from what it was given, and what to give it.

Exit code 0: what was checked holds. 1: something does not. 2: wrong use, or nothing to read.

Canonical bytes of a leaf: 01, a kind (01 entry, 02 row of the audit trail), then fields. A field is its length as four
bytes, big-endian, and its bytes; FFFFFFFF alone is null. Text is UTF-8, a date its ISO text, a whole number eight bytes
(big-endian, two's complement), a moment the microseconds since 1970 in UTC, an identifier (UUID) its sixteen bytes.
leaf = SHA-256(00 || bytes); node = SHA-256(01 || left || right).
"""

# It is a program that prints and stands alone in its folder; its first lines must run before anything is imported:
# ruff: noqa: T201, INP001

import sys

if __name__ == "__main__" and not sys.flags.safe_path:
    # Python would import a file of the export that is named like a module, such as json.py, in that module's place.
    del sys.path[0]

import argparse
import base64
import csv
import hashlib
import json
import mmap
import re
import struct
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "centralpay-export/1"
HEADING = {"format", "origin", "company", "made_at", "scope", "checkpoint", "files", "supersedes"}
FILE = {"name", "sha256", "bytes", "rows", "debit_cents", "credit_cents", "from", "to"}
ENTRIES, TRAIL_ROWS = "sealed/entries.jsonl", "sealed/trail.jsonl"
LEAVES, CHECKPOINTS = "sealed/leaves", "sealed/checkpoints.jsonl"
MOST_NAMED, MOST_LETTERS = 20, 1000
LONGEST = 1 << 24  # bytes of a line, or of an entry in plain text: what is longer was never written by an export
Record = dict[str, Any]  # a line of JSON
Moved = Counter[tuple[str, str, str]]  # cents by unit, account number and day


# The program --------------------------------------------------------------------------------------------------------
def main(words: list[str] | None = None) -> int:
    """Run the checks that are asked for; give the exit code."""
    head, _, rest = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        prog="verify.py", description=head, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, help="the export; else where verify.py lies")
    parser.add_argument("--vkey", action="append", default=[], help="verifier key that you trust; may be repeated")
    parser.add_argument("--manifest", metavar="SHA256", help="the SHA-256 of manifest.json that you were told")
    parser.add_argument("--checkpoint", type=Path, help="a checkpoint (signed note) that you kept")
    parser.add_argument("--proof", type=Path, action="append", default=[], help="a proof or certificate, as JSON")
    parser.add_argument("--document", type=Path, help="the paper that the one --proof is of")
    asked, findings = parser.parse_args(words), Findings()
    asked.vkey = [each for told in asked.vkey for each in told.split()]
    here = Path(__file__).resolve().parent
    folder = asked.folder or (None if asked.proof and not (here / "manifest.json").exists() else here)
    if folder is None and (asked.manifest or asked.checkpoint):
        parser.error("--manifest and --checkpoint are compared with an export: name its FOLDER")
    if asked.document and len(asked.proof) != 1:
        parser.error("--document is the paper of one --proof: name that, and no other")
    try:
        for vkey in asked.vkey:
            public_key(vkey)
        kept = Checkpoint(asked.checkpoint.read_text(encoding="utf-8")) if asked.checkpoint else None
        if folder is not None:
            check_export(folder, asked, kept, findings)
        for path in asked.proof:
            check_proof(path, asked.vkey, asked.document, findings)
    except Exception as error:  # noqa: BLE001 (whatever a file makes go wrong is a finding)
        findings.bad("not checked to the end", f"{type(error).__name__} after {findings.place}: {error}")
    if not asked.vkey:
        findings.not_checked.append(
            "who signed: the key lies with it. Compare it with the key that was told to you: --vkey"
        )
    return show(findings)


def check_export(folder: Path, asked: argparse.Namespace, kept: "Checkpoint | None", findings: "Findings") -> None:
    """Check a whole folder: files, seal, tree, journals."""
    export = Export(folder, asked.manifest, findings)
    check_files(export)
    if kept and not export.is_sealed:
        raise ValueError("the export was made without its seal: no checkpoint can be compared with it")
    if export.is_sealed:
        check_seal(export, asked.vkey, kept)
    elif asked.vkey:
        findings.bad("manifest.json", "names no seal: the key that you trust signed nothing that shows these rows")
    else:
        findings.not_checked.append("made without its seal: that its rows are the sealed ones is not shown here")
    held_by_manifest = check_forms(export)
    if export.is_part:
        asked_for = [export.scope[name] or f"{name} any" for name in ("from", "to", "owner")]
        said = f"what was left out of a part of the books ({', '.join(asked_for)}), and what there was before it"
        findings.not_checked.append(f"{said}: that shows in a whole export only")
    if not asked.manifest:
        said = f"{len(held_by_manifest)} files ({', '.join(held_by_manifest[:2])}, ...)"
        findings.not_checked.append(f"what nothing sealed tells: names, approvals, {said}: --manifest")
    if not kept:
        findings.not_checked.append("whether it was rewritten since an earlier day: --checkpoint, one that you kept")


def show(findings: "Findings") -> int:
    """Say what was found; give the exit code. What a file says is written so that it can not steer the terminal."""
    for word, lines in (
        ("looked at", findings.looked_at), ("NOT CHECKED", findings.not_checked), ("WRONG", findings.wrong)
    ):  # fmt: skip
        for line in lines:
            told = "".join(each if " " <= each <= "~" else ascii(each)[1:-1] for each in line[:MOST_LETTERS])
            print(f"  {word:11}  {told}")
    if findings.count:
        print(f"DOES NOT HOLD: {findings.count} findings, the first {len(findings.wrong)} are named")
        return 1 if findings.looked_at else 2
    print("WHAT WAS CHECKED HOLDS" if findings.not_checked else "ALL OF IT HOLDS")
    return 0


class Findings:
    """What was looked at, what can not be known from what was given, and what does not hold."""

    def __init__(self) -> None:
        self.count, self.place = 0, "the beginning"
        self.wrong: list[str] = []
        self.looked_at: list[str] = []
        self.not_checked: list[str] = []

    def bad(self, where: str, what: str) -> None:
        """Note that something does not hold."""
        self.count += 1
        if len(self.wrong) < MOST_NAMED:
            self.wrong.append(f"{where}: {what}")


# 1. Files -----------------------------------------------------------------------------------------------------------
def once(pairs: list[tuple[str, Any]]) -> Record:
    """Make an object of JSON, in which no field may stand twice."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a field stands there twice")
    return dict(pairs)


decoded = json.JSONDecoder(object_pairs_hook=once).decode


class Export:
    """A folder, what its manifest says of it, and its files: those that are announced and there."""

    def __init__(self, folder: Path, told: str | None, findings: Findings) -> None:
        self.folder, self.findings = folder, findings
        if not (folder / "manifest.json").is_file():
            raise ValueError(f"{folder} is no folder with a manifest.json; an archive is unpacked first")
        content = (folder / "manifest.json").read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        findings.looked_at.append(f"manifest.json: SHA-256 {digest}")
        if told and told.lower() != digest:
            findings.bad("manifest.json", "is not the one of which you were told the SHA-256")
        self.manifest = decoded(content.decode())
        if self.manifest["format"] != FORMAT:
            raise ValueError(f"manifest.json: format {self.manifest['format']!r}, wanted is {FORMAT!r}")
        files, self.scope, self.shown = (self.manifest[name] for name in ("files", "scope", "checkpoint"))
        self.files: dict[str, Record] = {each["name"]: each for each in files}
        if self.manifest.keys() != HEADING or any(each.keys() != FILE for each in files):
            findings.bad("manifest.json", "says more or less than it should")
        if len(self.files) != len(files):
            findings.bad("manifest.json", "names a file twice")
        self.is_sealed = any(name.startswith("sealed/") for name in self.files)
        self.is_part = any((self.scope["from"], self.scope["to"], self.scope["owner"]))

    def lines(self, name: str) -> Iterator[tuple[str, str]]:
        """Give the lines of a file, each with its place."""
        with (self.folder / name).open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(LONGEST), b""), 1):
                where = f"{name} line {number}"
                if len(line) == LONGEST:
                    raise ValueError(f"{where} is longer than any that was ever written")
                try:
                    text = line.decode()
                except UnicodeDecodeError:
                    raise ValueError(f"{where} is no text in UTF-8") from None
                self.findings.place = where
                yield where, text

    def records(self, name: str) -> Iterator[tuple[str, Record]]:
        """Give the objects of a file of JSON lines, each with its place."""
        for where, line in self.lines(name):
            try:
                record = decoded(line)
            except ValueError as error:
                self.findings.bad(where, f"is no object of JSON ({error})")
                continue
            if isinstance(record, dict):
                yield where, record
            else:
                self.findings.bad(where, "is no object of JSON")

    def rows(self, name: str) -> Iterator[tuple[str, Record]]:
        """Give the rows of a file of CSV or JSON lines, each with its place."""
        if name.endswith(".jsonl"):
            yield from self.records(name)
            return
        csv.field_size_limit(LONGEST)
        reader = csv.DictReader((line for _, line in self.lines(name)), strict=True)
        if len(set(reader.fieldnames or ())) != len(reader.fieldnames or ()):
            self.findings.bad(name, "has two columns of one name")
        for place, row in enumerate(reader, 1):
            if None in row or None in row.values():
                self.findings.bad(f"{name} row {place}", "has more or fewer cells than the head")
            yield f"{name} row {place}", row

    def compare_rows(self, name: str, rows: int) -> None:
        """Compare the number of a file's rows with what the manifest says of it."""
        told = self.files[name]["rows"]
        if told is not None and told != rows:
            self.findings.bad(name, f"rows: {rows}, the manifest says {told}")


def check_files(export: Export) -> None:
    """Compare every file with its hash and length; see that nothing else is there, and leave out what is not."""
    found = set()
    for path in sorted(export.folder.rglob("*")):
        name = path.relative_to(export.folder).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            export.findings.bad(name, "is neither a file nor a folder")
        elif path.is_file():
            found.add(name)
            if name not in export.files and name not in {"manifest.json", "verify.py"}:
                export.findings.bad(name, "is in the folder and not in the manifest")
    for name, each in export.files.items():
        if name not in found:
            export.findings.bad(name, "is in the manifest and not in the folder")
            continue
        with (export.folder / name).open("rb") as file:
            digest, length = hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
        if (digest, length) != (each["sha256"], each["bytes"]):
            said = f"SHA-256 {digest}, {length} bytes; the manifest says {each['sha256']}, {each['bytes']}"
            export.findings.bad(name, said)
    export.findings.looked_at.append(f"{len(export.files)} files compared with manifest.json")
    export.files = {name: each for name, each in export.files.items() if name in found}


class Totals:
    """Control totals of a file, counted again."""

    def __init__(self) -> None:
        self.rows = self.debit = self.credit = 0
        self.first = self.last = ""

    def add(self, cents: int, day: str) -> None:
        """Count a line of the journal."""
        self.debit, self.credit = self.debit + max(cents, 0), self.credit + max(-cents, 0)
        self.first, self.last = min(self.first or day, day), max(self.last, day)

    def compare(self, export: Export, name: str) -> None:
        """Compare with what the manifest says of the file."""
        found: Record = {"rows": self.rows, "debit_cents": self.debit, "credit_cents": self.credit}
        for what, value in {**found, "from": self.first or None, "to": self.last or None}.items():
            told = export.files[name][what]
            if told != value:
                export.findings.bad(name, f"{what}: {value}, the manifest says {told}")


# 2. The sealed rows -------------------------------------------------------------------------------------------------
def check_seal(export: Export, trusted: list[str], kept: "Checkpoint | None") -> None:
    """Check the folder ``sealed``: its rows, and the tree of their leaves."""
    if not export.shown:
        export.findings.bad("manifest.json", "names no checkpoint, though there is a seal")
        return
    vkeys = trusted or export.shown["vkey"].split()
    note = check_shown(export, vkeys)
    missing = {ENTRIES, LEAVES, CHECKPOINTS} - export.files.keys()
    if missing:
        raise ValueError(f"{', '.join(sorted(missing))}: without it no row can be compared")
    with (export.folder / LEAVES).open("rb") as file:
        leaves = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if file.read(1) else b""
        if len(leaves) != 32 * note.size:
            export.findings.bad(LEAVES, f"{len(leaves)} bytes, {note.size} leaves of 32 bytes are wanted")
        sealed = Sealed(export, leaves)
        sealed.check()
        check_tree(export, leaves, note, vkeys + sealed.vkeys, kept)


def check_shown(export: Export, vkeys: list[str]) -> "Checkpoint":
    """See that what the manifest says of its checkpoint is what its note says, signed by a key that is trusted."""
    said, note = export.shown, Checkpoint(export.shown["note"])
    told = (said["size"], said["root"], export.manifest["origin"], export.scope["known_at"])
    is_signed = note.signed_by(vkeys) and note.signed_by([said["vkey"]])
    if told != (note.size, note.root.hex(), note.origin, note.size) or not is_signed:
        export.findings.bad("manifest.json", "its checkpoint is not what its note says, or signed by none of the keys")
    export.findings.looked_at.append(f"checkpoint {note.size} of {note.origin}, {note.time}")
    return note


class Sealed:
    """The sealed rows: each hashed to its leaf, and what has to be known of all of them afterwards.

    A part of the books (a time, an owner) has all leaves and not all rows; one of an owner has no trail.
    """

    def __init__(self, export: Export, leaves: Any) -> None:  # noqa: ANN401 (a map of the file, or nothing)
        self.export, self.leaves, self.findings = export, leaves, export.findings
        self.first, self.last = export.scope["from"] or "", export.scope["to"] or "9999-12-31"
        self.is_of_one_owner, self.owners = export.scope["owner"] is not None, set[str]()
        self.covered = bytearray(len(leaves) // 32)
        self.vkeys: list[str] = []

    def check(self) -> None:
        """Hash every row to its leaf; see that none is missing, where all are asked for."""
        self._entries()
        if self.is_of_one_owner == (TRAIL_ROWS in self.export.files):
            self.findings.bad(TRAIL_ROWS, "belongs to everybody's books, and to those of one owner it does not")
        if TRAIL_ROWS in self.export.files:
            self._trail()
        gap = -1 if self.export.is_part else self.covered.find(0)
        while gap >= 0:
            self.findings.bad(f"leaf {gap}", "has no row in sealed/entries.jsonl or sealed/trail.jsonl")
            gap = self.covered.find(0, gap + 1)

    def _entries(self) -> None:
        journal, totals, size, is_part = 0, Totals(), self.export.shown["journal_size"], self.export.is_part
        for where, record in self._rows(ENTRIES, totals):
            if record["journal"] != journal + 1 and (not is_part or record["journal"] <= journal):
                self.findings.bad(where, f"stands after journal number {journal}")
            journal = record["journal"]
            self.owners.add(record["owner"])
            is_another = self.is_of_one_owner and len(self.owners) > 1
            if is_another or not self.first <= record["entry_effective_on"] <= self.last:
                self.findings.bad(where, "is none of the days or the owner that the manifest names")
        if journal > size or (journal < size and not is_part):
            self.findings.bad(ENTRIES, f"ends with {journal}, the checkpoint with {size}")
        totals.compare(self.export, ENTRIES)

    def _trail(self) -> None:
        totals = Totals()
        for _, record in self._rows(TRAIL_ROWS, totals):
            if record["table"] == "seal_key":
                self.vkeys.append(record["content"]["vkey"])
        self.export.compare_rows(TRAIL_ROWS, totals.rows)

    def _rows(self, name: str, totals: Totals) -> Iterator[tuple[str, Record]]:
        last = -1
        for at, record in self.export.records(name):
            where, index, totals.rows = f"{at} ({named(record)})", record.get("index"), totals.rows + 1
            if type(index) is not int or not last < index < len(self.covered):
                self.findings.bad(where, f"leaf {index} stands after leaf {last} of {len(self.covered)}")
                continue
            last, self.covered[index] = index, 1
            self._hash(where, record, self.leaves[32 * index : 32 * index + 32], totals)
            yield where, record
        self.findings.looked_at.append(f"{totals.rows} lines of {name} hashed to their leaves")

    def _hash(self, where: str, record: Record, wanted: bytes, totals: Totals) -> None:
        try:
            for line in record.get("lines", ()):
                totals.add(line[AMOUNT], line[EFFECTIVE_ON])
            if leaf_hash(leaf_bytes(record)) != wanted:
                told = sealed_amount(record, wanted) if "lines" in record else ""
                self.findings.bad(where, f"does not hash to leaf {record['index']}{told}")
            elif "lines" in record and sum(line[AMOUNT] for line in record["lines"]):
                self.findings.bad(where, "its lines do not sum to zero")
        except (ValueError, LookupError, TypeError, AttributeError, struct.error) as error:
            self.findings.bad(where, f"is not what leaf {record['index']} was made of: {error}")


def named(record: Record) -> str:
    """Name a sealed row."""
    if "journal" in record:
        return f"journal number {record['journal']}"
    return f"trail row {record.get('trail_id')}, {record.get('table')} {record.get('key')}"


# Canonical bytes ----------------------------------------------------------------------------------------------------
def field(data: bytes) -> bytes:
    """Write a field: its length and its bytes."""
    return struct.pack(">I", len(data)) + data


def number(value: object) -> bytes:
    """Write a whole number, or null."""
    if value is not None and type(value) is not int:
        raise TypeError(f"{value!r} is no whole number")
    return b"\xff\xff\xff\xff" if value is None else field(struct.pack(">q", value))


def text(value: object) -> bytes:
    """Write a text, or null."""
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return b"\xff\xff\xff\xff" if value is None else field(value.encode())


def uuid(value: object) -> bytes:
    """Write an identifier."""
    if str(UUID(str(value))) != value:
        raise ValueError(f"{value!r} is no identifier as it was written")
    return field(UUID(value).bytes)


# What stands in a line of sealed/*.jsonl, in the order of the bytes.
ENTRY = {"journal": number, "transaction": number, "event": text, "fact_key": text, "fact_on": text}
ENTRY |= {"effective_on": text, "recorded_at": number, "actor": text, "reason": text, "bank_line": number}
ENTRY |= {"reverses": number, "xid": number, "owner": uuid, "entry": number, "ledger": text, "entry_event": text}
ENTRY |= {"entry_fact_key": text, "entry_effective_on": text, "entry_xid": number}
LINE = {"line_no": number, "account": text, "reference": number, "amount_cents": number}
LINE |= {"event": text, "ledger": text, "effective_on": text}
TRAIL = {"trail_id": number, "table": text, "key": text, "recorded_at": number, "xid": number}
LINE_NO, ACCOUNT, REFERENCE, AMOUNT, LEDGER, EFFECTIVE_ON = 0, 1, 2, 3, 5, 6


def leaf_bytes(record: Record) -> bytes:
    """Give the canonical bytes of an entry (it has lines) or of a row of the trail (it has content)."""
    heads, rest, kind = (ENTRY, "lines", b"\x01\x01") if "lines" in record else (TRAIL, "content", b"\x01\x02")
    if record.keys() != {"index", rest, *heads}:
        raise ValueError(f"fields that are missing or were not sealed: {sorted({'index', rest, *heads} ^ set(record))}")
    parts = [kind, *(write(record[name]) for name, write in heads.items()), number(len(record[rest]))]
    if rest == "lines":
        for line in record["lines"]:
            parts += [write(value) for write, value in zip(LINE.values(), line, strict=True)]
    else:
        for name in sorted(record["content"], key=str.encode):
            parts += [text(name), text(record["content"][name])]
    return b"".join(parts)


def sealed_amount(record: Record, wanted: bytes) -> str:
    """Tell which amount, of the first hundred, was changed: giving it back makes the leaf that was sealed."""
    total = sum(line[AMOUNT] for line in record["lines"])
    for place, line in enumerate(record["lines"][:100]):
        lines = [list(each) for each in record["lines"]]
        lines[place][AMOUNT] -= total
        if leaf_hash(leaf_bytes({**record, "lines": lines})) == wanted:
            return f": amount_cents of line {line[LINE_NO]} was {lines[place][AMOUNT]} when it was sealed"
    return ""


# 3. The tree --------------------------------------------------------------------------------------------------------
def check_tree(
    export: Export, leaves: Any, shown: "Checkpoint", keys: list[str], kept: "Checkpoint | None"  # noqa: ANN401
) -> None:  # fmt: skip
    """See that every checkpoint's root follows from the leaves, continues the one before, and is signed."""
    findings, is_of_one_owner = export.findings, export.scope["owner"] is not None
    tree, before, count, at_kept = GrowingTree(), None, 0, b""
    for at, record in export.records(CHECKPOINTS):
        found = Checkpoint(record["note"])
        where, count = f"{at} (checkpoint {found.size})", count + 1
        # To the books of one owner belongs no trail, which would name the keys of before.
        if not found.signed_by(keys) and (found.size == shown.size or not is_of_one_owner):
            findings.bad(where, "is signed by none of the keys")
        check_link(where, record, before, found, findings)
        if not tree.size < found.size <= len(leaves) // 32:
            findings.bad(where, f"stands after {tree.size} of {len(leaves) // 32} leaves")
            continue
        while tree.size < found.size:
            tree.add(leaves[32 * tree.size : 32 * tree.size + 32])
            if kept and tree.size == kept.size:
                at_kept = tree.root()
        if tree.root() != found.root:
            findings.bad(where, "its root is not that of the leaves")
        before = found
    if before is None or before.body != shown.body:
        findings.bad(CHECKPOINTS, f"its last is not the checkpoint of manifest.json, of {shown.size} leaves")
    if kept:
        compare_kept(kept, at_kept, keys, findings)
    export.compare_rows(CHECKPOINTS, count)
    export.compare_rows(LEAVES, len(leaves) // 32)
    findings.looked_at.append(f"{count} checkpoints: roots from the leaves, consistency proofs, signatures")


def check_link(
    where: str, record: Record, before: "Checkpoint | None", found: "Checkpoint", findings: Findings
) -> None:
    """See that a checkpoint continues the one before."""
    said = record.keys() - {"note", "consistency"}, record["size"], record["previous_size"]
    if said != ({"size", "previous_size"}, found.size, before.size if before else None):
        findings.bad(where, "its size or the one before is not that of the signed notes")
    proof = [hash_of(each) for each in record["consistency"]]
    if not before and proof:
        findings.bad(where, "is the first and continues none")
    if before and not continues(before.size, before.root, found.size, found.root, proof):
        findings.bad(where, f"its consistency proof does not lead from checkpoint {before.size}")


def compare_kept(kept: "Checkpoint", root: bytes, vkeys: list[str], findings: Findings) -> None:
    """Compare a checkpoint that was kept with the tree of its size; no root: there is none of that size."""
    if not kept.signed_by(vkeys):
        findings.bad("--checkpoint", "is signed by none of the keys")
    if kept.root == root:
        findings.looked_at.append(
            f"the checkpoint that was kept ({kept.size}, {kept.time}) is a beginning of this tree"
        )
    elif root:
        findings.bad("--checkpoint", f"the first {kept.size} leaves are not those that were signed, {kept.time}")
    else:
        findings.bad("--checkpoint", f"covers {kept.size} leaves: so many are not here. Of before it, or cut off since")


# The tree (RFC 9162) ------------------------------------------------------------------------------------------------
def leaf_hash(data: bytes) -> bytes:
    """Hash a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash a node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def hash_of(written: str) -> bytes:
    """Read a hash as proofs write it, in small letters."""
    if re.fullmatch("[0-9a-f]{64}", written) is None:
        raise ValueError(f"{written!r} is no hash of 64 hex digits")
    return bytes.fromhex(written)


class GrowingTree:
    """The hashes of the whole subtrees of the leaves so far: enough to tell the root after any leaf (2.1.1)."""

    def __init__(self) -> None:
        self.size = 0
        self._whole: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Take the next leaf."""
        self.size += 1
        rest = self.size
        while rest % 2 == 0:
            leaf = node_hash(self._whole.pop(), leaf)
            rest //= 2
        self._whole.append(leaf)

    def root(self) -> bytes:
        """Give the root of the leaves so far; there is one at least."""
        found = self._whole[-1]
        for left in reversed(self._whole[:-1]):
            found = node_hash(left, found)
        return found


def climb(at: int, last: int, start: bytes, proof: list[bytes]) -> tuple[bytes, bytes]:
    """Follow a proof up from a node; give the root of what lies left of it, itself included, and the root of all.

    Both kinds of proof climb alike (2.1.3.2, 2.1.4.2). Nothing as a root: the proof is too short or too long.
    """
    old = new = start
    for hash_ in proof:
        if last == 0:
            return b"", b""
        if at % 2 or at == last:
            old, new = node_hash(hash_, old), node_hash(hash_, new)
            while at % 2 == 0 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, hash_)
        at, last = at >> 1, last >> 1
    return (old, new) if last == 0 else (b"", b"")


def continues(old_size: int, old_root: bytes, size: int, root: bytes, proof: list[bytes]) -> bool:
    """Say whether the leaves of the old tree are the first ones of the new (2.1.4.2)."""
    if not 0 < old_size < size or not proof:
        return False
    start, *rest = proof if old_size & (old_size - 1) else [old_root, *proof]
    at, last = old_size - 1, size - 1
    while at % 2:
        at, last = at >> 1, last >> 1
    return climb(at, last, start, rest) == (old_root, root)


# Checkpoints (C2SP signed-note, tlog-checkpoint) --------------------------------------------------------------------
class Checkpoint:
    """A signed note, taken apart: how many leaves it covers, their root, when it was signed."""

    def __init__(self, note: str) -> None:
        body, gap, self.signatures = note.rpartition("\n\n")
        lines = body.split("\n")
        self.body = body + "\n"
        try:
            self.origin, self.size, self.root = lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True)
        except (IndexError, ValueError):
            gap = ""
        if not gap or len(self.root) != 32 or str(self.size) != lines[1]:
            raise ValueError("no checkpoint: origin, size, root and signature are wanted")
        times = [line[5:] for line in lines[3:] if line.startswith("time ")]
        self.time = times[0] if times else "at a time that it does not tell"

    def signed_by(self, vkeys: Iterable[str]) -> bool:
        """Say whether one of the keys signed it."""
        keys = dict(map(public_key, vkeys))
        for line in self.signatures.splitlines():
            dash, _, rest = line.partition(" ")
            name, _, coded = rest.partition(" ")
            try:
                raw = base64.b64decode(coded, validate=True)
                if dash == "\u2014" and base64.b64encode(raw).decode() == coded and (name, raw[:4]) in keys:
                    keys[name, raw[:4]].verify(raw[4:], self.body.encode())
                    return True
            except (ValueError, InvalidSignature):
                continue
        return False


def public_key(vkey: str) -> tuple[tuple[str, bytes], Ed25519PublicKey]:
    """Read a verifier key: its name and hash, and the key itself."""
    try:
        name, hashed, coded = vkey.strip().split("+", 2)
        key = base64.b64decode(coded, validate=True)
        if key[:1] == b"\x01" and hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8] == hashed:
            return (name, bytes.fromhex(hashed)), Ed25519PublicKey.from_public_bytes(key[1:])
    except ValueError:
        pass
    raise ValueError(f"{vkey!r} is no verifier key: name+hash+key is wanted, the hash that of the key")


# 4. Journals and trial balances -------------------------------------------------------------------------------------
NOBODY = "00000000-0000-0000-0000-000000000000"  # the house: it is no member
UNITS = ("Amount", "Reporting_Amount", "Local_Amount")
CURRENCIES = {f"{unit}_Currency": "USD" for unit in UNITS}
# Columns of a journal that tell something beside the sealed entry:
BESIDE = {"approved_by", "reversed_by", "owner", "about", "payer_id", "trace_number"}
ADS_BESIDE = {"JE_Line_Description", "GL_Account_Number", "Entered_By", "Entered_Date", "Entered_Time", "Approved_By"}
ADS_BESIDE |= {"Approved_Date", "Reversal_Indicator", "Reversal_Journal_ID"} | {f"Segment0{at}" for at in range(1, 5)}
BALANCE = {"GL_Account_Number", "Business_Unit_Code", "Fiscal_Year", "Period", "Balance_As_Of_Date", *CURRENCIES}
BALANCE |= {f"{unit}_{at}" for unit in UNITS for at in ("Beginning", "Ending")}


def check_forms(export: Export) -> list[str]:
    """Compare journals with the sealed entries, count the rows of every table; give the files that nothing seals."""
    moved, rest = None, []
    # In this order the general ledger comes before the trial balance that is computed from it.
    for name in sorted(export.files.keys() - {ENTRIES, TRAIL_ROWS, LEAVES, CHECKPOINTS}):
        if name.startswith("GL_Detail") or name in {"journal.csv", "journal.jsonl"}:
            moved = check_journal(export, name)
        elif name in ENTRY_HEADS:
            with (export.folder / (ENTRIES if export.is_sealed else name)).open("rb") as file:
                check_text(export, name, SealedEntries(file) if export.is_sealed else None)
        elif name.endswith((".csv", ".jsonl")):
            export.compare_rows(name, sum(1 for _ in export.rows(name)))
            if name.startswith("Trial_Balance"):
                check_balances(export, name, moved)
            else:
                rest.append(name)
        else:
            rest.append(name)
    return rest


def cents_of(amount: str) -> int:
    """Read an amount as it is written: dollars, a point, two digits; no zero in front, none below zero."""
    if re.fullmatch(r"-?(?:0|[1-9][0-9]*)\.[0-9][0-9]", amount) is None or amount == "-0.00":
        raise ValueError(f"{amount!r} is no amount")
    return int(amount.replace(".", ""))


def dollars(cents: int) -> str:
    """Write an amount."""
    return f"{'-' * (cents < 0)}{abs(cents) // 100}.{abs(cents) % 100:02}"


def moment(record: Record) -> datetime:
    """Give the moment of a sealed entry, UTC."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=record["recorded_at"])


def as_journal(record: Record, line: list[Any]) -> Record:
    """Say a sealed line by the columns of journal.csv and journal.jsonl."""
    head = ("journal", "transaction", "entry", "fact_key", "fact_on", "actor", "reason", "bank_line", "reverses")
    names = ("line", "account", "reference", "amount_cents", "event", "ledger", "effective_on")
    said = {name: record[name] for name in head} | dict(zip(names, line, strict=True))
    said["recorded_at"] = moment(record).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    return said | {
        "transaction_event": record["event"],
        "member_id": None if record["owner"] == NOBODY else record["owner"],
    }


def as_ledger(record: Record, line: list[Any]) -> Record:
    """Say a sealed line by the columns of GL_Detail."""
    line_no, _, _, cents, event, ledger, day = line
    told = [record[name] for name in ("event", "fact_key", "reason") if record[name] is not None]
    said = {"Journal_ID": record["journal"], "Journal_ID_Line_Number": line_no, "Source": event, "Effective_Date": day}
    said |= dict.fromkeys(UNITS, dollars(abs(cents))) | CURRENCIES
    said |= {"JE_Header_Description": "; ".join(told), "Business_Unit_Code": ledger, "Segment05": record["transaction"]}
    said |= {"Fiscal_Year": int(day[:4]), "Period": day[5:7], "Last_Modified_By": None, "Last_Modified_Date": None}
    return said | {"Amount_Credit_Debit_Indicator": "D" if cents > 0 else "C"}


class Names:
    """What something is called here, by its sealed name: each by one name, and no name for two."""

    def __init__(self) -> None:
        self._called: dict[tuple[str, object], object] = {}

    def agree(self, what: str, sealed: object, name: object) -> bool:
        """Say whether the name is the one that it has here, taking it down at the first time."""
        is_its_name = self._called.setdefault((what, sealed), name) == name
        return is_its_name and self._called.setdefault((f"{what} of", name), sealed) == sealed


def sealed_lines(export: Export) -> Iterator[tuple[Record, list[Any]]]:
    """Give the lines of the sealed entries, each with its entry."""
    for _, record in export.records(ENTRIES):
        for line in record["lines"]:
            yield record, line


def differing(row: Record, said: Record, beside: set[str], is_csv: bool) -> str:
    """Say which columns are not what is sealed; in CSV an apostrophe stands before what a spreadsheet would run."""
    if row.keys() != said.keys() | beside:
        return f"columns that are missing or unknown: {sorted(map(str, row.keys() ^ (said.keys() | beside)))}"
    wrong = []
    for name, value in said.items():
        cell, told = row[name], value
        if is_csv:
            told = "" if value is None else str(value)
            told = "'" + told if cell != told and isinstance(value, str) and told[:1] in set("=+-@\t\r") else told
        if cell != told or type(cell) is not type(told):
            wrong.append(f"{name} is {cell!r}, sealed is {value!r}")
    return ", ".join(wrong)


def not_as_named(row: Record, record: Record, line: list[Any], names: Names) -> str:
    """Say which names are not those that an owner or an account has elsewhere in the file; and the moment of entry."""
    if "owner" in row:
        return "" if names.agree("owner", record["owner"], row["owner"]) else "owner is called otherwise elsewhere"
    # New York's time: four or five hours behind.
    entered = (f"{moment(record) - timedelta(hours=hours):%Y-%m-%d %H:%M:%S}" for hours in (4, 5))
    holds = {
        "GL_Account_Number": names.agree("account", (line[LEDGER], line[ACCOUNT]), row["GL_Account_Number"]),
        "Segment01": names.agree("owner", record["owner"], row["Segment01"]),
        "JE_Line_Description": row["JE_Line_Description"].partition(", ")[0] == line[ACCOUNT],
        "Reversal_Indicator": row["Reversal_Indicator"] in (("", "2") if record["reverses"] is None else ("1",)),
        "Entered_Time": f"{row['Entered_Date']} {row['Entered_Time']}" in entered,
    }
    return ", ".join(
        f"{name} is {row[name]!r}, which is not what is sealed" for name, each in holds.items() if not each
    )


def check_journal(export: Export, name: str) -> Moved:
    """Compare a journal row by row with the sealed entries; give what moved."""
    totals, names, moved, findings = Totals(), Names(), Moved(), export.findings
    is_ads, is_csv = name.startswith("GL_Detail"), name.endswith(".csv")
    say, beside = (as_ledger, ADS_BESIDE) if is_ads else (as_journal, BESIDE)
    sealed = sealed_lines(export) if export.is_sealed else None
    for where, row in export.rows(name):
        totals.rows += 1
        if is_ads:
            cents = cents_of(row["Amount"]) * (1 if row["Amount_Credit_Debit_Indicator"] == "D" else -1)
            totals.add(cents, row["Effective_Date"])
            moved[row["Business_Unit_Code"], row["GL_Account_Number"], row["Effective_Date"]] += cents
        else:
            totals.add(int(row["amount_cents"]), row["effective_on"])
        wanted = next(sealed, None) if sealed else None
        if sealed and wanted is None:
            findings.bad(where, "is more than was sealed")
        if not wanted:
            continue
        wrong = differing(row, say(*wanted), beside, is_csv) or not_as_named(row, *wanted, names)
        if wrong:
            findings.bad(where, f"journal number {wanted[0]['journal']}, line {wanted[1][LINE_NO]}: {wrong}")
        if wrong.startswith(("journal is", "line is", "Journal_ID", "columns")):
            sealed = None  # one is missing or too many: all others would differ
    if sealed and next(sealed, None) is not None:
        findings.bad(name, "ends before the sealed entries do")
    totals.compare(export, name)
    if export.is_sealed:
        findings.looked_at.append(f"{totals.rows} lines of {name} compared with the sealed entries")
    return moved


def month_ends(first: str, last: str) -> dict[str, str]:
    """Give the days on which the months between two days end, each with the first one that is meant of its month."""
    ends, day = {}, date.fromisoformat(first)
    while f"{day}" <= last:
        following = (day.replace(day=1) + timedelta(days=31)).replace(day=1)
        ends[min(f"{following - timedelta(days=1)}", last)] = f"{day}"
        day = following
    return ends


def check_balances(export: Export, name: str, moved: Moved | None) -> None:
    """Compare a trial balance with what the lines of the general ledger moved: each account, each month's end, once.

    What a part of the books began with no line tells: an account's balances differ from the lines by one amount.
    """
    if moved is None:
        export.findings.bad(name, "is there without the GL_Detail that it is computed from")
        return
    first, days = export.scope["from"], sorted({day for _, _, day in moved}) or [""]
    ends = month_ends(first or days[0], max(export.scope["to"] or days[-1], first or "")) if first or days[0] else {}
    of_account: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for (unit, account, day), cents in moved.items():
        of_account.setdefault((unit, account), []).append((day, cents))
    due = {(unit, account, end) for unit, account in of_account for end in ends}
    seen, began = set[tuple[str, str, str]](), dict[tuple[str, str], int]()
    for where, row in export.rows(name):
        unit, account, end = key = row["Business_Unit_Code"], row["GL_Account_Number"], row["Balance_As_Of_Date"]
        if key in seen or end not in ends or row.keys() != BALANCE:
            export.findings.bad(where, f"{account}, {end}: stands there twice, or is of no month's end, or no balance")
            continue
        seen.add(key)
        mine = of_account.get((unit, account), [])
        before, after = sum(cents for day, cents in mine if day < ends[end]), sum(c for day, c in mine if day <= end)
        opening, closing = cents_of(row["Amount_Beginning"]), cents_of(row["Amount_Ending"])
        carried = began.setdefault((unit, account), opening - before) if first else 0
        if (opening, closing) != (carried + before, carried + after):
            said = f"{opening} and {closing} cents, the lines make {carried + before} and {carried + after}"
            export.findings.bad(where, f"{account}, {end}: {said}")
        amounts = {f"{each}_{at}": row[f"Amount_{at}"] for each in UNITS for at in ("Beginning", "Ending")}
        if any(row[column] != value for column, value in (amounts | CURRENCIES).items()):
            export.findings.bad(where, "its amounts are not all the same, or not in dollars")
        if (row["Fiscal_Year"], row["Period"]) != (end[:4], end[5:7]):
            export.findings.bad(where, "is of another period than its date")
    for unit, account, end in sorted(due - seen):
        export.findings.bad(name, f"has no balance of {account} ({unit}) on {end}")
    export.findings.looked_at.append(f"{len(seen)} balances of {name} compared with the lines of GL_Detail")


# Journals of hledger and beancount: paragraphs, each an entry or what those programs compute or declare --------------
DAY, PATH, SUM = "[0-9]{4}-[0-9]{2}-[0-9]{2}", "[A-Z][A-Za-z0-9_:-]*", r"-?[0-9]+\.[0-9]{2}"
POSTING = re.compile(rf"    (?P<path>{PATH})  (?P<amount>{SUM}) USD(?:  ; reference:[0-9]+)?")
ENTRY_HEADS = {
    "journal.hledger": re.compile(rf"(?P<day>{DAY}) \((?P<journal>[1-9][0-9]{{0,17}})\) "),
    "journal.beancount": re.compile(rf'(?P<day>{DAY}) \* "\w+"\n  journal: (?P<journal>[1-9][0-9]{{0,17}})(?:\n|$)'),
}
OPENING = re.compile(rf'(?P<day>{DAY}) (?:\* )?"?opening balances"?')
CLOSING = re.compile(rf"{DAY} balances at the end of the day(?:\n    {PATH}  0\.00 USD = {SUM} USD)+")
DECLARED = {
    "journal.hledger": rf"account {PATH}|commodity 1000\.00 USD|; [^\x00-\x1f]*",
    "journal.beancount": rf"{DAY} balance {PATH}  {SUM} ~ 0\.00 USD|{DAY} open {PATH} USD|1970-01-01 commodity USD"
    r'|option "(?:title|operating_currency)" "[^"\\\x00-\x1f]*"',
}


class SealedEntries:
    """The sealed entries, each by its journal number: where its line begins in the file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._numbers, self._places, at = file, array("q"), array("q"), 0
        for line in file:
            self._numbers.append(decoded(line.decode())["journal"])
            self._places.append(at)
            at += len(line)
        self.count = len(self._numbers)

    def find(self, journal: int) -> Record | None:
        """Give an entry, or nothing: there is none."""
        at = bisect_left(self._numbers, journal)
        if at == self.count or self._numbers[at] != journal:
            return None
        self._file.seek(self._places[at])
        return dict(decoded(self._file.readline().decode()))


def paragraphs(export: Export, name: str) -> Iterator[tuple[str, list[str]]]:
    """Give what stands between empty lines, each with the place of its first line."""
    begin, held, size = "", list[str](), 0
    for where, line in export.lines(name):
        if line != "\n":
            begin, size = begin or where, size + len(line)
            held.append(line.removesuffix("\n"))
            if size > LONGEST:
                raise ValueError(f"{where}: the paragraph is longer than any that was ever written")
        elif held:
            yield begin, held
            begin, held, size = "", [], 0
    if held:
        yield begin, held


def check_text(export: Export, name: str, entries: SealedEntries | None) -> None:
    """Compare a journal in plain text with the sealed entries; what stands there beside them adds nothing."""
    totals, names, last, findings = Totals(), Names(), ("", 0), export.findings
    is_hledger = name == "journal.hledger"
    for where, held in paragraphs(export, name):
        head = ENTRY_HEADS[name].match("\n".join(held[:2]))
        if head is None:
            check_other(export, name, where, held, is_first=not totals.rows)
            continue
        here, totals.rows = (head["day"], int(head["journal"])), totals.rows + 1
        postings = [match for line in held if (match := POSTING.fullmatch(line))]
        for match in postings:
            totals.add(cents_of(match["amount"]), here[0])
        paths = [match["path"] for match in postings]
        wrong = wrong_entry(held, entries.find(here[1]), paths, names, is_hledger=is_hledger) if entries else ""
        if wrong or here <= last:
            findings.bad(where, f"journal number {here[1]}: {wrong or 'stands there twice or too late'}")
        last = here
    if entries and totals.rows != entries.count:
        findings.bad(name, f"has {totals.rows} entries, sealed are {entries.count}")
    totals.compare(export, name)
    if entries:
        findings.looked_at.append(f"{totals.rows} entries of {name} compared with the sealed ones, to the letter")


def check_other(export: Export, name: str, where: str, held: list[str], *, is_first: bool) -> None:
    """See that a paragraph which is no entry only declares, or asserts, or opens a part of the books."""
    opening = OPENING.fullmatch(held[0])
    if opening and is_first and opening["day"] == export.scope["from"]:
        postings = [match for line in held[1:] if (match := POSTING.fullmatch(line))]
        if sum(cents_of(each["amount"]) for each in postings) != 0 or len(postings) < len(held) - 1:
            export.findings.bad(where, "are opening balances that do not sum to zero")
    elif name == "journal.hledger" and CLOSING.fullmatch("\n".join(held)):
        return
    elif not all(re.fullmatch(DECLARED[name], line) for line in held):
        export.findings.bad(where, "is neither a sealed entry nor what this journal has beside them")


def wrong_entry(held: list[str], record: Record | None, paths: list[str], names: Names, *, is_hledger: bool) -> str:
    """Say what of an entry in plain text is not what is sealed."""
    if record is None:
        return "is not sealed"
    if len(paths) != len(record["lines"]):
        return f"has {len(paths)} lines, sealed are {len(record['lines'])}"
    told = as_text(record, paths, is_hledger=is_hledger)
    # Which of these are control characters, and were made blanks, is the word of the server that wrote them.
    found, wanted = (re.sub("[\x7f-\x9f\u2028\u2029]", " ", text).split("\n") for text in ("\n".join(held), told))
    for line, right in zip([*found, ""], [*wanted, ""], strict=False):
        if line != right:
            return f"{line.strip()!r}, sealed is {right.strip()!r}"
    for path, line in zip(paths, record["lines"], strict=True):
        # Such as Assets:Custody:Cash:Member:1234567, or Assets:Custody:Cash:House.
        account, _, owner = path.rpartition(":" if record["owner"] == NOBODY else ":Member:")
        is_its_name = names.agree("account", (line[LEDGER], line[ACCOUNT]), account)
        if not names.agree("owner", record["owner"], owner) or not is_its_name:
            return f"{path} is not what {line[ACCOUNT]} of this owner is called elsewhere"
    return ""


def as_text(record: Record, paths: list[str], *, is_hledger: bool) -> str:
    """Write an entry as a journal in plain text has it, with the paths that its accounts have there."""
    numbers = {name: record[name] for name in ("journal", "transaction", "reverses") if record[name] is not None}
    told = {"fact": record["fact_key"], "actor": record["actor"], "reason": record["reason"]}
    facts = {name: re.sub(r"[\x00-\x1f]", " ", text) for name, text in told.items() if text is not None}
    day, event, remark = record["entry_effective_on"], record["entry_event"], "\n      reference: "
    if is_hledger:
        tags = ", ".join(f"{name}:{value}" for name, value in numbers.items() if name != "journal")
        written = [f"{day} ({record['journal']}) {event}  ; {tags}"]
        written += [f"    ; {name}:{text}" for name, text in facts.items()]
        remark = "  ; reference:"
    else:
        written = [f'{day} * "{event}"', *(f"  {name}: {value}" for name, value in numbers.items())]
        quoted = {name: text.replace("\\", "\\\\").replace('"', '\\"') for name, text in facts.items()}
        written += [f'  {name}: "{text}"' for name, text in quoted.items()]
    for path, line in zip(paths, record["lines"], strict=True):
        reference = "" if line[REFERENCE] is None else f"{remark}{line[REFERENCE]}"
        written.append(f"    {path}  {dollars(line[AMOUNT])} USD{reference}")
    return "\n".join(written)


# 5. Proofs of single leaves ------------------------------------------------------------------------------------------
def check_proof(path: Path, vkeys: list[str], document: Path | None, findings: Findings) -> None:
    """Follow a proof from its content to a signed root: of an entry, a row of the trail, or a certificate."""
    where, told = path.name, decoded(path.read_text(encoding="utf-8"))
    proof = told["proof"] if "certificate" in told else told
    facts = proof.get("entry") or proof.get("trail") or proof["leaf"]
    index = proof["index"] if "index" in proof else proof["leaf_index"]
    note, hashes = Checkpoint(proof["note"]), proof["hashes"] if "hashes" in proof else proof["proof"]
    if not note.signed_by(vkeys or [proof["vkey"]]):
        findings.bad(where, "its checkpoint is signed by none of the keys")
    leaf = leaf_hash(leaf_bytes({**facts, "index": index}))
    root = climb(index, note.size - 1, leaf, [hash_of(each) for each in hashes])[1]
    if not 0 <= index < note.size or root != note.root:
        findings.bad(where, f"its content is not leaf {index} of checkpoint {note.size}")
    if "certificate" in told:
        check_certificate(where, told["certificate"], facts["content"], findings)
    if document is not None:
        digest = hashlib.sha256(document.read_bytes()).hexdigest()
        if digest not in facts.get("content", {}).values():
            findings.bad(document.name, f"its SHA-256 {digest} is not in the sealed row")
    findings.looked_at.append(f"{where}: {named(facts)} is leaf {index} of checkpoint {note.size}, {note.time}")


def check_certificate(where: str, body: Record, row: Record, findings: Findings) -> None:
    """See that a certificate is the sealed one, says what its row says, and foots."""
    written = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    if row.get("body_sha256") != hashlib.sha256(written).hexdigest():
        findings.bad(where, "the certificate's text is not the sealed one")
    figures, member = body["figures"], body["member"] or {}
    said = (member.get("member_id"), body["from"], body["to"], str(body["version"]), str(body["checkpoint"]["size"]))
    if said != tuple(row[name] for name in ("member_id", "from_on", "to_on", "version", "checkpoint_size")):
        findings.bad(where, f"it is of {said}, the sealed row is not")
    if figures["opening_cents"] + sum(figures["changes_cents"].values()) != figures["closing_cents"]:
        findings.bad(where, "opening and changes are not the closing")
    if sum(figures["closing_parts_cents"].values()) != figures["closing_cents"]:
        findings.bad(where, "the parts of the closing are not the closing")
    if figures["retained_cents"] != -figures["changes_cents"]["flat_fee"]:
        findings.bad(where, "what is retained is not the flat fee")


if __name__ == "__main__":
    sys.exit(main())
