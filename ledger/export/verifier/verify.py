"""Verify an export of the books, offline, with nothing of the system that made it.

    python verify.py [FOLDER] [--vkey KEY] [--manifest SHA256] [--checkpoint FILE] [--proof FILE] [--document FILE]

Needs Python 3.9 or later and the package ``cryptography`` (for Ed25519). It opens no connection and imports nothing of
the exporting system; it is meant to be read before it is run. FOLDER is the folder that it lies in when none is named.

What it checks
  1. manifest.json: every file is there with its SHA-256 and its length, and no other file is there; what it says of the
     checkpoint is what is signed. The manifest itself is not signed: of a file, or of a column, that 2 and 3 do not
     name, only that it is the one that was announced. --manifest: the manifest is the one of which you were told.
  2. Journals: rows, debits, credits and dates are counted again. Every line is a sealed one and every sealed one is
     there, in its order, with all that is sealed of it; not sealed with it are the names of owners and accounts (each
     stands for one), who entered and approved, payers, and what reverses what. In a journal of hledger or beancount
     there is nothing else than entries, their facts, and balances, which those programs compute.
     Trial balances: what moved is what the sealed lines moved, and so are the balances of an export from the beginning.
  3. The seal: every line of sealed/entries.jsonl and sealed/trail.jsonl is written again as canonical bytes, below,
     and hashes to its leaf in sealed/leaves; journal numbers and leaves have no gap; every entry sums to zero.
  4. The tree: the root of every checkpoint follows from the leaves (RFC 9162, 2.1.1), each continues the one before
     (consistency proof, 2.1.4), each is signed (C2SP signed-note and tlog-checkpoint, Ed25519); the last is the
     manifest's. Keys of before are sealed as well; the last must be signed by the key that you trust.
  5. --checkpoint: a checkpoint that you kept from an earlier day is a beginning of this tree: nothing that it covered
     was rewritten since. Without one of your own you compare the export with itself only.
  6. --proof: a proof of one entry, statement or certificate leads from its content to a signed root (2.1.3); with
     --document, the document is the one of which the sealed row tells the SHA-256.

--vkey: the verifier key (name+hash+key) as it was told to you by another way than this export. Without it the key in
the manifest is used, and anybody could have made that; the answer says so.

Exit code 0: all of it holds. 1: something does not; the first 20 places are named. 2: wrong use, or nothing to read.

Canonical bytes of a leaf: 01, a kind (01 entry, 02 row of the audit trail), then fields. A field is its length as four
bytes, big-endian, and its bytes; FFFFFFFF alone is null. Text is UTF-8, a date its ISO text, a whole number eight bytes
(big-endian, two's complement), a moment the microseconds since 1970 in UTC, an identifier (UUID) its sixteen bytes.
leaf = SHA-256(00 || bytes); node = SHA-256(01 || left || right).
"""

# It is a program that prints, stands alone in its folder, and runs on Pythons older than the project's:
# ruff: noqa: B905, T201, INP001, UP017

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import json
import mmap
import re
import struct
import sys
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from itertools import chain
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "centralpay-export/1"
HEADING = {"format", "origin", "company", "made_at", "scope", "checkpoint", "files", "supersedes"}
FILE = {"name", "sha256", "bytes", "rows", "debit_cents", "credit_cents", "from", "to"}
MOST_NAMED = 20
Record = dict[str, Any]  # a line of JSON


class Findings:
    """What was checked, and what does not hold: all counted, the first ones named."""

    def __init__(self) -> None:
        self.count = 0
        self.named: list[str] = []
        self.said: list[str] = []

    def bad(self, where: str, what: str) -> None:
        """Note that something does not hold."""
        self.count += 1
        if len(self.named) < MOST_NAMED:
            self.named.append(f"{where}: {what}")


class Totals:
    """Control totals of a file, counted again."""

    def __init__(self) -> None:
        self.rows = self.debit = self.credit = 0
        self.first = self.last = ""

    def add(self, cents: int, day: str) -> None:
        """Count a line of the journal."""
        self.debit, self.credit = self.debit + max(cents, 0), self.credit + max(-cents, 0)
        self.first, self.last = min(self.first or day, day), max(self.last, day)

    def compare(self, each: Record, findings: Findings) -> None:
        """Compare with what the manifest says of the file."""
        found = {"rows": self.rows, "debit_cents": self.debit, "credit_cents": self.credit}
        for what, value in {**found, "from": self.first, "to": self.last}.items():
            if (each[what] or 0) != (value or 0):
                findings.bad(each["name"], f"{what}: {value}, the manifest says {each[what]}")


def compare_rows(each: Record, rows: int, findings: Findings) -> None:
    """Compare the number of a file's rows with what the manifest says of it."""
    if each["rows"] is not None and each["rows"] != rows:
        findings.bad(each["name"], f"rows: {rows}, the manifest says {each['rows']}")


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
LINE_NO, ACCOUNT, AMOUNT, LEDGER, EFFECTIVE_ON = 0, 1, 3, 5, 6


def leaf_bytes(record: Record) -> bytes:
    """Give the canonical bytes of an entry (it has lines) or of a row of the trail (it has content)."""
    heads, rest, kind = (ENTRY, "lines", b"\x01\x01") if "lines" in record else (TRAIL, "content", b"\x01\x02")
    if record.keys() != {"index", rest, *heads}:
        raise ValueError(f"fields that are missing or were not sealed: {sorted({'index', rest, *heads} ^ set(record))}")
    parts = [kind, *(write(record[name]) for name, write in heads.items()), number(len(record[rest]))]
    if rest == "lines":
        for line in record["lines"]:
            if len(line) != len(LINE):
                raise ValueError(f"a line of {len(line)} fields")
            parts += [write(value) for write, value in zip(LINE.values(), line)]
    else:
        for name in sorted(record["content"], key=str.encode):
            parts += [text(name), text(record["content"][name])]
    return b"".join(parts)


def sealed_amount(record: Record, wanted: bytes) -> str:
    """Tell which amount of an entry was changed, where giving it back makes the leaf that was sealed."""
    total = sum(line[AMOUNT] for line in record["lines"])
    for place, line in enumerate(record["lines"]):
        lines = [list(each) for each in record["lines"]]
        lines[place][AMOUNT] -= total
        if leaf_hash(leaf_bytes({**record, "lines": lines})) == wanted:
            return f": amount_cents of line {line[LINE_NO]} was {lines[place][AMOUNT]} when it was sealed"
    return ""


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


# Files --------------------------------------------------------------------------------------------------------------
def once(pairs: list[tuple[str, Any]]) -> Record:
    """Make an object of JSON, in which no field may stand twice."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a field stands there twice")
    return dict(pairs)


decoded = json.JSONDecoder(object_pairs_hook=once).decode


def json_lines(folder: Path, name: str, findings: Findings) -> Iterator[tuple[str, Record]]:
    """Give the objects of a file, one a line, each with its place."""
    with (folder / name).open(encoding="utf-8", newline="\n") as lines:
        for place, line in enumerate(lines, 1):
            try:
                yield f"{name} line {place}", {**decoded(line)}
            except (ValueError, TypeError) as error:
                findings.bad(f"{name} line {place}", f"is no object of JSON ({error})")


def check_files(folder: Path, manifest: Record, findings: Findings) -> None:
    """Compare every file with its hash and length, and look for files that nobody announced."""
    announced = {each["name"]: each for each in manifest["files"]}
    if len(announced) != len(manifest["files"]) or any(each.keys() != FILE for each in manifest["files"]):
        findings.bad("manifest.json", "names a file twice, or says more or less of one than it should")
    for name, each in announced.items():
        if not (folder / name).is_file():
            findings.bad(name, "is in the manifest and not in the folder")
            continue
        digest, length = hashlib.sha256(), 0
        with (folder / name).open("rb") as file:
            for piece in iter(lambda: file.read(1 << 20), b""):
                digest.update(piece)
                length += len(piece)
        if (digest.hexdigest(), length) != (each["sha256"], each["bytes"]):
            said = f"SHA-256 {digest.hexdigest()}, {length} bytes; the manifest says {each['sha256']}, {each['bytes']}"
            findings.bad(name, said)
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in announced and name not in ("manifest.json", "verify.py"):
            findings.bad(name, "is in the folder and not in the manifest")
    findings.said.append(f"{len(announced)} files compared with manifest.json")


# The sealed rows ----------------------------------------------------------------------------------------------------
class Sealed:
    """The folder ``sealed``: every row hashed to its leaf, and what has to be known of all of them afterwards.

    A part of the books (a time, an owner) has all leaves and not all rows; one of an owner has no trail.
    """

    def __init__(self, folder: Path, manifest: Record, leaves: Any, findings: Findings) -> None:  # noqa: ANN401
        self.folder, self.leaves, self.findings, scope = folder, leaves, findings, manifest["scope"]
        self.size, self.journal_size = manifest["checkpoint"]["size"], manifest["checkpoint"]["journal_size"]
        self.first, self.last, owner = scope["from"] or "", scope["to"] or "9999-12-31", scope["owner"]
        self.whole = not any((scope["from"], scope["to"], owner))
        self.of_one_owner, self.owners = owner is not None, set[str]()
        self.announced = {each["name"]: each for each in manifest["files"]}
        self.covered = bytearray(len(leaves) // 32)
        self.vkeys: list[str] = []

    def check(self) -> None:
        """Hash every row to its leaf; see that none is missing, where all are asked for."""
        if len(self.leaves) != 32 * self.size:
            self.findings.bad("sealed/leaves", f"{len(self.leaves)} bytes, {self.size} leaves of 32 bytes are wanted")
        self._entries()
        if self.of_one_owner == ("sealed/trail.jsonl" in self.announced):
            self.findings.bad(
                "sealed/trail.jsonl", "belongs to everybody's books, and to those of one owner it does not"
            )
        for _, record in () if self.of_one_owner else self._rows("trail", Totals()):
            if record["table"] == "seal_key":
                self.vkeys.append(record["content"]["vkey"])
        gap = self.covered.find(0) if self.whole else -1
        while gap >= 0:
            self.findings.bad(f"leaf {gap}", "has no row in sealed/entries.jsonl or sealed/trail.jsonl")
            gap = self.covered.find(0, gap + 1)

    def _entries(self) -> None:
        journal, totals = 0, Totals()
        for where, record in self._rows("entries", totals):
            if record["journal"] != journal + 1 and (self.whole or record["journal"] <= journal):
                self.findings.bad(where, f"stands after journal number {journal}")
            journal = record["journal"]
            self.owners.add(record["owner"])
            if not self.first <= record["entry_effective_on"] <= self.last or len(self.owners) > self.of_one_owner > 0:
                self.findings.bad(where, "is none of the days or the owner that the manifest names")
        if journal != self.journal_size and (self.whole or journal > self.journal_size):
            self.findings.bad("sealed/entries.jsonl", f"ends with {journal}, the checkpoint with {self.journal_size}")

    def _rows(self, name: str, totals: Totals) -> Iterator[tuple[str, Record]]:
        last, path = -1, f"sealed/{name}.jsonl"
        for at, record in json_lines(self.folder, path, self.findings):
            where, index, totals.rows = f"{at} ({named(record)})", record.get("index"), totals.rows + 1
            if type(index) is not int or not last < index < len(self.covered):
                self.findings.bad(where, f"leaf {index} stands after leaf {last} of {self.size}")
                continue
            last, self.covered[index] = index, 1
            self._hash(where, record, self.leaves[32 * index : 32 * index + 32], totals)
            yield where, record
        totals.compare(self.announced[path], self.findings)
        self.findings.said.append(f"{totals.rows} lines of {path} hashed to their leaves")

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


def check_tree(sealed: Sealed, shown: Checkpoint, vkeys: list[str], kept: Checkpoint | None) -> None:
    """See that every checkpoint's root follows from the leaves, continues the one before, and is signed."""
    findings, leaves, name = sealed.findings, sealed.leaves, "sealed/checkpoints.jsonl"
    tree, before, count, at_kept, keys = GrowingTree(), None, 0, b"", vkeys + sealed.vkeys
    for at, record in json_lines(sealed.folder, name, findings):
        found = Checkpoint(record["note"])
        where, count = f"{at} (checkpoint {found.size})", count + 1
        # To the books of one owner belongs no trail, which would name the keys of before.
        if not found.signed_by(keys) and (found.size == sealed.size or not sealed.of_one_owner):
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
        findings.bad(name, f"its last checkpoint is not the checkpoint of manifest.json, of {sealed.size} leaves")
    if kept:
        compare_kept(kept, at_kept, keys, findings)
    compare_rows(sealed.announced[name], count, findings)
    compare_rows(sealed.announced["sealed/leaves"], len(leaves) // 32, findings)
    findings.said.append(f"{count} checkpoints: roots from the leaves, consistency proofs, signatures")


def check_link(where: str, record: Record, before: Checkpoint | None, found: Checkpoint, findings: Findings) -> None:
    """See that a checkpoint continues the one before."""
    said = record.keys() - {"note", "consistency"}, record["size"], record["previous_size"]
    if said != ({"size", "previous_size"}, found.size, before.size if before else None):
        findings.bad(where, "its size or the one before is not that of the signed notes")
    proof = [hash_of(each) for each in record["consistency"]]
    if not before and proof:
        findings.bad(where, "is the first and continues none")
    if before and not continues(before.size, before.root, found.size, found.root, proof):
        findings.bad(where, f"its consistency proof does not lead from checkpoint {before.size}")


def compare_kept(kept: Checkpoint, root: bytes, vkeys: list[str], findings: Findings) -> None:
    """Compare a checkpoint that was kept with the tree of its size; no root: there is none of that size."""
    if not kept.signed_by(vkeys):
        findings.bad("--checkpoint", "is signed by none of the keys")
    if kept.root == root:
        findings.said.append(f"the checkpoint that was kept ({kept.size}, {kept.time}) is a beginning of this tree")
    elif root:
        findings.bad("--checkpoint", f"the first {kept.size} leaves are not those that were signed, {kept.time}")
    else:
        findings.bad("--checkpoint", f"covers {kept.size} leaves: so many are not here. Of before it, or cut off since")


# The journals -------------------------------------------------------------------------------------------------------

NOBODY = "00000000-0000-0000-0000-000000000000"  # the house: it is no member
UNITS = ("Amount", "Reporting_Amount", "Local_Amount")
CURRENCIES = {f"{unit}_Currency": "USD" for unit in UNITS}


def moment(record: Record) -> datetime:
    """Give the moment of a sealed entry, UTC."""
    return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=record["recorded_at"])


def as_journal(record: Record, line: list[Any]) -> Record:
    """Say a sealed line by the columns of journal.csv and journal.jsonl."""
    head = ("journal", "transaction", "entry", "fact_key", "fact_on", "actor", "reason", "bank_line", "reverses")
    names = ("line", "account", "reference", "amount_cents", "event", "ledger", "effective_on")
    said = {name: record[name] for name in head} | dict(zip(names, line))
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
    said |= dict.fromkeys(UNITS, f"{abs(cents) // 100}.{abs(cents) % 100:02}") | CURRENCIES
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


def rows_of(folder: Path, name: str, findings: Findings) -> Iterator[tuple[str, Record]]:
    """Give the rows of a file of CSV or JSON lines, each with its place."""
    if name.endswith(".jsonl"):
        yield from json_lines(folder, name, findings)
        return
    with (folder / name).open(encoding="utf-8-sig", newline="") as file:
        for place, row in enumerate(csv.DictReader(file, strict=True), 1):
            if None in row or None in row.values():
                findings.bad(f"{name} row {place}", "has more or fewer cells than the head")
            yield f"{name} row {place}", row


def sealed_lines(folder: Path) -> Iterator[tuple[Record, list[Any]]]:
    """Give the lines of the sealed entries, each with its entry."""
    for _, record in json_lines(folder, "sealed/entries.jsonl", Findings()):
        for line in record["lines"]:
            yield record, line


def differing(row: Record, said: Record, is_csv: bool) -> str:
    """Say which columns are not what is sealed; in CSV an apostrophe may stand before what a spreadsheet would run."""
    wrong = []
    for name, value in said.items():
        cell, told = row.get(name, "missing"), value
        if is_csv:
            told = "" if value is None else str(value)
            told = "'" + told if cell != told else told
        if cell != told or type(cell) is not type(told):
            wrong.append(f"{name} is {cell!r}, sealed is {value!r}")
    return ", ".join(wrong)


def not_as_named(row: Record, record: Record, line: list[Any], names: Names) -> str:
    """Say which names are not those that an owner or an account has elsewhere in the file; and the moment of entry."""
    if "owner" in row:
        return "" if names.agree("owner", record["owner"], row["owner"]) else "owner is called otherwise elsewhere"
    entered = datetime.fromisoformat(f"{row['Entered_Date']}T{row['Entered_Time']}").replace(tzinfo=timezone.utc)
    holds = {
        "GL_Account_Number": names.agree("account", (line[LEDGER], line[ACCOUNT]), row["GL_Account_Number"]),
        "Segment01": names.agree("owner", record["owner"], row["Segment01"]),
        "JE_Line_Description": row["JE_Line_Description"].partition(", ")[0] == line[ACCOUNT],
        "Reversal_Indicator": row["Reversal_Indicator"] in (("", "2") if record["reverses"] is None else ("1",)),
        # New York's time: four or five hours behind.
        "Entered_Time": (moment(record).replace(microsecond=0) - entered).total_seconds() in (4 * 3600, 5 * 3600),
    }
    return ", ".join(
        f"{name} is {row[name]!r}, which is not what is sealed" for name, each in holds.items() if not each
    )


def check_journal(folder: Path, each: Record, with_seal: bool, findings: Findings) -> Counter[tuple[str, str, str]]:
    """Compare a journal row by row with the sealed entries; give what moved by unit, account number and day."""
    name, totals, names, moved = each["name"], Totals(), Names(), Counter[tuple[str, str, str]]()
    say, is_csv = as_ledger if "GL_Detail" in name else as_journal, name.endswith(".csv")
    sealed = sealed_lines(folder) if with_seal else None
    for where, row in rows_of(folder, name, findings):
        totals.rows += 1
        if say is as_ledger:
            cents = int(row["Amount"].replace(".", "")) * (1 if row["Amount_Credit_Debit_Indicator"] == "D" else -1)
            totals.add(cents, row["Effective_Date"])
            moved[row["Business_Unit_Code"], row["GL_Account_Number"], row["Effective_Date"]] += cents
        else:
            totals.add(int(row["amount_cents"]), row["effective_on"])
        wanted = next(sealed, None) if sealed else None
        if sealed and wanted is None:
            findings.bad(where, "is more than was sealed")
        if not wanted:
            continue
        wrong = differing(row, say(*wanted), is_csv) or not_as_named(row, *wanted, names)
        if wrong:
            findings.bad(where, f"journal number {wanted[0]['journal']}, line {wanted[1][LINE_NO]}: {wrong}")
        if wrong.startswith(("journal is", "line is", "Journal_ID")):
            sealed = None  # one is missing or too many: all others would differ
    if sealed and next(sealed, None) is not None:
        findings.bad(name, "ends before the sealed entries do")
    totals.compare(each, findings)
    return moved


def cents_of(text: str) -> int:
    """Read an amount with two decimals."""
    return int(text.replace(".", ""))


def check_balances(
    folder: Path, name: str, scope: Record, moved: Counter[tuple[str, str, str]], findings: Findings
) -> None:
    """Compare a trial balance with what the lines of the general ledger moved."""
    days: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for (unit, account, day), cents in moved.items():
        days.setdefault((unit, account), []).append((day, cents))
    missing = {(unit, account, day[:7]) for unit, account, day in moved}
    for where, row in rows_of(folder, name, findings):
        of, end = (row["Business_Unit_Code"], row["GL_Account_Number"]), row["Balance_As_Of_Date"]
        begin = max(end[:8] + "01", scope["from"] or "")
        before, after = (sum(cents for day, cents in days.get(of, ()) if day < limit) for limit in (begin, end + "x"))
        opening, closing = cents_of(row["Amount_Beginning"]), cents_of(row["Amount_Ending"])
        missing.discard((*of, end[:7]))
        if closing - opening != after - before or (not scope["from"] and opening != before):
            findings.bad(where, f"{of[1]}, {end}: {opening} and {closing} cents, the lines make {before} and {after}")
        amounts = (*((f"{unit}_{at}", row[f"Amount_{at}"]) for unit in UNITS for at in ("Beginning", "Ending")),)
        if any(row[name] != value for name, value in (*amounts, *CURRENCIES.items())):
            findings.bad(where, "its amounts are not all the same, or not in dollars")
        if (row["Fiscal_Year"], row["Period"]) != (end[:4], end[5:7]):
            findings.bad(where, "is of another period than its date")
    for unit, account, month in sorted(missing):
        findings.bad(name, f"has no balance of {account} ({unit}) in {month}")


# Journals of hledger and beancount: every line is one of these --------------------------------------------------------
DAY, PATH, SUM = r"\d{4}-\d\d-\d\d", r"[A-Z][\w:-]*", r"-?\d+\.\d\d"
POSTING = rf"    (?P<path>{PATH})  (?P<amount>{SUM}) USD"
TAGS = r"transaction:(?P<transaction>\d+)(?:, reverses:(?P<reverses>\d+))?"
HLEDGER = rf"""(?P<day>{DAY}) \((?P<journal>\d+)\) (?P<event>\w+)  ; {TAGS}
    ; fact:(?P<fact_key>.*)
    ; actor:(?P<actor>.*)
    ; reason:(?P<reason>.*)
{POSTING}(?:  ; reference:(?P<reference>\d+))?
(?P<opening>{DAY} opening balances)
{DAY} balances at the end of the day
    {PATH}  0\.00 USD = {SUM} USD
account {PATH}
commodity 1000\.00 USD
; .*"""
QUOTED = r'"(?:[^"\\]|\\.)*"'
BEANCOUNT = rf"""(?P<day>{DAY}) \* "(?P<event>\w+)"
  journal: (?P<journal>\d+)
  transaction: (?P<transaction>\d+)
  reverses: (?P<reverses>\d+)
  fact: (?P<fact_key>{QUOTED})
  actor: (?P<actor>{QUOTED})
  reason: (?P<reason>{QUOTED})
{POSTING}
      reference: (?P<reference>\d+)
(?P<opening>{DAY} \* "opening balances")
{DAY} balance {PATH}  {SUM} ~ 0\.00 USD
{DAY} open {PATH} USD
1970-01-01 commodity USD
option "(?:title|operating_currency)" {QUOTED}"""
TEXTS = {"journal.hledger": HLEDGER, "journal.beancount": BEANCOUNT}


class SealedEntries:
    """The sealed entries, each by its journal number: where its line begins in the file, eight bytes an entry."""

    def __init__(self, file: IO[bytes], journal_size: int) -> None:
        self._file, at, self.count = file, 0, 0
        self._places = array("q", [-1]) * (journal_size + 1)
        for line in self._file:
            self._places[decoded(line.decode())["journal"]] = at
            at, self.count = at + len(line), self.count + 1

    def find(self, journal: int) -> Record | None:
        """Give an entry, or nothing: there is none."""
        if not 0 <= journal < len(self._places) or self._places[journal] < 0:
            return None
        self._file.seek(self._places[journal])
        return dict(decoded(self._file.readline().decode()))


def check_text(folder: Path, each: Record, entries: SealedEntries | None, is_cut: bool, findings: Findings) -> None:
    """Compare a journal in plain text with the sealed entries; what stands there beside them computes nothing."""
    name, totals, names, last = each["name"], Totals(), Names(), ("", 0)
    kinds = [re.compile(kind) for kind in TEXTS[name].split("\n")]
    found: Record = {"postings": []}
    with (folder / name).open(encoding="utf-8", newline="\n") as lines:
        for place, line in enumerate(chain(lines, "\n"), 1):
            where, written = f"{name} line {place}", line.removesuffix("\n")
            match = next(filter(None, (kind.fullmatch(written) for kind in kinds)), None)
            if match:
                take(found, {what: value for what, value in match.groupdict().items() if value is not None})
            elif written:
                findings.bad(where, "is no line that this journal has")
            if written:
                continue
            if "journal" in found:
                here, totals.rows = (found.get("day", ""), int(found["journal"])), totals.rows + 1
                wrong = wrong_entry(found, entries.find(here[1]), names) if entries else ""
                for _, amount, _ in found["postings"]:
                    totals.add(cents_of(amount), here[0])
                if wrong or here <= last:
                    findings.bad(where, f"journal number {here[1]}, above: {wrong or 'stands there twice or too late'}")
                last = here
            elif found["postings"] and not (is_cut and "opening" in found):
                findings.bad(where, "the lines above have no journal number")
            found = {"postings": []}
    if entries and totals.rows != entries.count:
        findings.bad(name, f"has {totals.rows} entries, sealed are {entries.count}")
    totals.compare(each, findings)


def take(found: Record, said: Record) -> None:
    """Add what a line says to its entry."""
    if "path" in said:
        found["postings"].append([said["path"], said["amount"], said.get("reference")])
    elif "reference" in said:
        found["postings"][-1][2] = said["reference"]
    elif said.keys() & found.keys():
        found["twice"] = True
    else:
        found.update(said)


def plain(value: object) -> str:
    """Give a text without quotes, escapes and control characters, as journals write it."""
    text = str(value)
    text = re.sub(r"\\(.)", r"\1", text[1:-1]) if text[:1] == '"' else text
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text)


def wrong_entry(found: Record, record: Record | None, names: Names) -> str:
    """Say what of an entry in plain text is not what is sealed."""
    if record is None or "twice" in found:
        return "is not sealed" if record is None else "says something twice"
    said = {"day": record["entry_effective_on"], "event": record["entry_event"]}
    said |= {name: record[name] for name in ("transaction", "reverses", "fact_key", "actor", "reason")}
    wrong = [
        f"{name} is {found.get(name)!r}, sealed is {value!r}"
        for name, value in said.items()
        if (name in found) != (value is not None) or (value is not None and plain(found[name]) != plain(value))
    ]
    lines = [(line[AMOUNT], line[2] if line[2] is None else str(line[2])) for line in record["lines"]]
    if [(cents_of(amount), reference) for _, amount, reference in found["postings"]] != lines:
        return f"its amounts and references are not the sealed ones, {lines}"
    for (path, _, _), line in zip(found["postings"], record["lines"]):
        if not names.agree("account", (line[LEDGER], line[ACCOUNT], record["owner"]), path):
            wrong.append(f"{path} is not what {line[ACCOUNT]} of this owner is called elsewhere")
    return ", ".join(wrong)


# Proofs of single leaves --------------------------------------------------------------------------------------------
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
    findings.said.append(f"{where}: {named(facts)} is leaf {index} of checkpoint {note.size}, {note.time}")


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


# The program --------------------------------------------------------------------------------------------------------
def check_export(folder: Path, asked: argparse.Namespace, kept: Checkpoint | None, findings: Findings) -> None:
    """Check a whole folder."""
    content, vkeys = (folder / "manifest.json").read_bytes(), asked.vkey
    digest = hashlib.sha256(content).hexdigest()
    findings.said.append(f"manifest.json: SHA-256 {digest}")
    if asked.manifest and asked.manifest.lower() != digest:
        findings.bad("manifest.json", "is not the one of which you were told the SHA-256")
    manifest = decoded(content.decode())
    if manifest["format"] != FORMAT:
        raise ValueError(f"{folder / 'manifest.json'}: format {manifest['format']!r}, wanted is {FORMAT!r}")
    if manifest.keys() != HEADING:
        findings.bad("manifest.json", "says more or less than it should")
    check_files(folder, manifest, findings)
    said, scope, note = manifest["checkpoint"], manifest["scope"], None
    with_seal = any(each["name"].startswith("sealed/") for each in manifest["files"])
    if kept and not with_seal:
        raise ValueError("the export was made without its seal: no checkpoint can be compared with it")
    if said:
        note = check_shown(manifest, vkeys or said["vkey"].split(), findings)
    if with_seal and note:
        with (folder / "sealed" / "leaves").open("rb") as file:
            leaves = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if file.read(1) else b""
            sealed = Sealed(folder, manifest, leaves, findings)
            sealed.check()
            check_tree(sealed, note, vkeys or said["vkey"].split(), kept)
    elif with_seal:
        findings.bad("manifest.json", "names no checkpoint, though there is a seal")
    elif vkeys:
        findings.bad("manifest.json", "names no seal: the key that you trust signed nothing that shows these rows")
    else:
        findings.said.append("made without its seal: that its rows are the sealed ones is not shown here")
    if any((scope["from"], scope["to"], scope["owner"])):
        part = f"{scope['from'] or 'the beginning'} to {scope['to'] or 'the end'}, {scope['owner'] or 'all owners'}"
        findings.said.append(f"a part of the books, {part}: a row that was left out of it shows in a whole export only")
    check_forms(folder, manifest, with_seal, findings)


def check_shown(manifest: Record, vkeys: list[str], findings: Findings) -> Checkpoint:
    """See that what the manifest says of its checkpoint is what its note says, signed by a key that is trusted."""
    said, note = manifest["checkpoint"], Checkpoint(manifest["checkpoint"]["note"])
    told = (said["size"], said["root"], manifest["origin"], manifest["scope"]["known_at"])
    is_signed = note.signed_by(vkeys) and note.signed_by([said["vkey"]])
    if told != (note.size, note.root.hex(), note.origin, note.size) or not is_signed:
        findings.bad("manifest.json", "its checkpoint is not what its note says, or signed by none of the keys")
    findings.said.append(f"checkpoint {note.size} of {note.origin}, {note.time}")
    return note


def check_forms(folder: Path, manifest: Record, with_seal: bool, findings: Findings) -> None:
    """Compare every journal with the sealed entries, and count the rows of every table."""
    scope, moved = manifest["scope"], None
    # The general ledger before the trial balance that is computed from it.
    for each in sorted(manifest["files"], key=lambda each: each["name"]):
        name = each["name"]
        if name.startswith("GL_Detail") or name in ("journal.csv", "journal.jsonl"):
            moved = check_journal(folder, each, with_seal, findings)
        elif name in TEXTS:
            with (folder / ("sealed/entries.jsonl" if with_seal else name)).open("rb") as file:
                entries = SealedEntries(file, manifest["checkpoint"]["journal_size"]) if with_seal else None
                check_text(folder, each, entries, bool(scope["from"]), findings)
        elif name.endswith((".csv", ".jsonl")) and not name.startswith("sealed/"):
            compare_rows(each, sum(1 for _ in rows_of(folder, name, findings)), findings)
            if name.startswith("Trial_Balance") and moved is not None:
                check_balances(folder, name, scope, moved, findings)


def show(findings: Findings, is_key_told: bool) -> int:
    """Say what was found; give the exit code. What a file says is written so that it can not steer the terminal."""
    lines = [f"  looked at  {each}" for each in findings.said] + [f"  WRONG      {each}" for each in findings.named]
    for line in lines:
        print("".join(each if " " <= each <= "~" else ascii(each)[1:-1] for each in line))
    if findings.count:
        print(f"DOES NOT HOLD: {findings.count} findings, the first {len(findings.named)} are named")
        return 1 if findings.said else 2
    if not is_key_told:
        print("The key is the one that lies with it. Compare it with the key that was told to you: --vkey.")
    print("ALL OF IT HOLDS")
    return 0


def main(words: list[str] | None = None) -> int:
    """Run the checks that are asked for; give the exit code."""
    head, _, rest = (__doc__ or "").partition("\n")
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="verify.py", description=head, epilog=rest, formatter_class=plain)
    parser.add_argument("folder", nargs="?", type=Path, help="the export; else where verify.py lies")
    parser.add_argument("--vkey", action="append", default=[], help="verifier key that you trust; may be repeated")
    parser.add_argument("--manifest", metavar="SHA256", help="the SHA-256 of manifest.json that you were told")
    parser.add_argument("--checkpoint", type=Path, help="a checkpoint (signed note) that you kept")
    parser.add_argument("--proof", type=Path, action="append", default=[], help="a proof or certificate, as JSON")
    parser.add_argument("--document", type=Path, help="the paper that the one --proof is of")
    asked, findings = parser.parse_args(words), Findings()
    csv.field_size_limit(1 << 24)
    here = Path(__file__).resolve().parent
    folder = asked.folder or (None if asked.proof and not (here / "manifest.json").exists() else here)
    try:
        kept = Checkpoint(asked.checkpoint.read_text(encoding="utf-8")) if asked.checkpoint else None
        if folder is not None:
            check_export(folder, asked, kept, findings)
        for path in asked.proof:
            check_proof(path, asked.vkey, asked.document, findings)
    except (
        OSError,
        LookupError,
        TypeError,
        AttributeError,
        ValueError,
        csv.Error,
        struct.error,
        RecursionError,
    ) as error:
        # Something is missing, or of another shape.
        findings.bad("not checked to the end", f"{type(error).__name__}: {error}")
    return show(findings, bool(asked.vkey))


if __name__ == "__main__":
    sys.exit(main())
