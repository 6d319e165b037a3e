"""Verify an export of the books, offline, with nothing of the system that made it.

    python verify.py [FOLDER] [--vkey KEY] [--checkpoint FILE] [--proof FILE] [--document FILE]

Needs Python 3.9 or later and the package ``cryptography`` (for Ed25519). It opens no connection and imports nothing of
the exporting system; it is meant to be read before it is run. FOLDER is the folder that it lies in when none is named.

What it checks
  1. manifest.json: every file is there with its SHA-256 and its length, and no other file is there. The manifest itself
     is not signed, its checkpoint is: of a file that 2 and 3 do not name, only that it is the one that was announced.
  2. Journals (.csv, .jsonl): rows, debits, credits and dates are counted again; their lines are, one by one, the sealed
     ones. (Journals of hledger and beancount: by those programs.)
  3. The seal: every line of sealed/entries.jsonl and sealed/trail.jsonl is written again as canonical bytes, below,
     and hashes to its leaf in sealed/leaves; journal numbers and leaves have no gap; every entry sums to zero.
  4. The tree: the root of every checkpoint follows from the leaves (RFC 9162, 2.1.1), each continues the one before
     (consistency proof, 2.1.4), each is signed (C2SP signed-note and tlog-checkpoint, Ed25519); the last is the
     manifest's. Keys of before are in the sealed approvals; the last must be signed by the key that you trust.
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
# ruff: noqa: B905, T201, INP001

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import json
import mmap
import struct
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "centralpay-export/1"
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
                if dash == "\u2014" and (name, raw[:4]) in keys:
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
        self.whole = not any(scope.get(each) for each in ("from", "to", "owner"))
        self.of_one_owner = bool(scope.get("owner"))
        self.covered = bytearray(len(leaves) // 32)
        self.vkeys: list[str] = []

    def check(self) -> None:
        """Hash every row to its leaf; see that none is missing, where all are asked for."""
        if len(self.leaves) != 32 * self.size:
            self.findings.bad("sealed/leaves", f"{len(self.leaves)} bytes, {self.size} leaves of 32 bytes are wanted")
        journal = 0
        for where, record in self._rows("entries"):
            if record["journal"] != journal + 1 and (self.whole or record["journal"] <= journal):
                self.findings.bad(where, f"stands after journal number {journal}")
            journal = record["journal"]
        if self.whole and journal != self.journal_size:
            self.findings.bad("sealed/entries.jsonl", f"ends with {journal}, the checkpoint with {self.journal_size}")
        for _, record in () if self.of_one_owner else self._rows("trail"):
            if record["content"].get("kind") == "seal_key" and record["content"].get("state") == "approved":
                facts = json.loads(record["content"]["facts"])
                self.vkeys += [facts["before"], facts["vkey"]]
        gap = self.covered.find(0) if self.whole else -1
        while gap >= 0:
            self.findings.bad(f"leaf {gap}", "has no row in sealed/entries.jsonl or sealed/trail.jsonl")
            gap = self.covered.find(0, gap + 1)
        if not self.whole:
            self.findings.said.append("a part of the books: a row that was left out of it shows in a whole export only")

    def _rows(self, name: str) -> Iterator[tuple[str, Record]]:
        count, last = 0, -1
        for at, record in json_lines(self.folder, f"sealed/{name}.jsonl", self.findings):
            where, index, count = f"{at} ({named(record)})", record.get("index"), count + 1
            if type(index) is not int or not last < index < len(self.covered):
                self.findings.bad(where, f"leaf {index} stands after leaf {last} of {self.size}")
                continue
            last, self.covered[index] = index, 1
            self._hash(where, record, self.leaves[32 * index : 32 * index + 32])
            yield where, record
        self.findings.said.append(f"{count} lines of sealed/{name}.jsonl hashed to their leaves")

    def _hash(self, where: str, record: Record, wanted: bytes) -> None:
        try:
            if leaf_hash(leaf_bytes(record)) != wanted:
                told = sealed_amount(record, wanted) if "lines" in record else ""
                self.findings.bad(where, f"does not hash to leaf {record['index']}{told}")
            elif "lines" in record and sum(line[AMOUNT] for line in record["lines"]):
                self.findings.bad(where, "its lines do not sum to zero")
        except (ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
            self.findings.bad(where, f"is not what leaf {record['index']} was made of: {error}")


def named(record: Record) -> str:
    """Name a sealed row."""
    if "journal" in record:
        return f"journal number {record['journal']}"
    return f"trail row {record.get('trail_id')}, {record.get('table')} {record.get('key')}"


def check_tree(sealed: Sealed, shown: Checkpoint, vkeys: list[str], kept: Checkpoint | None) -> None:
    """See that every checkpoint's root follows from the leaves, continues the one before, and is signed."""
    findings, leaves, name = sealed.findings, sealed.leaves, "sealed/checkpoints.jsonl"
    tree, before, count = GrowingTree(), None, 0
    for at, record in json_lines(sealed.folder, name, findings):
        found = Checkpoint(record["note"])
        where, count = f"{at} (checkpoint {found.size})", count + 1
        if not found.signed_by(vkeys + sealed.vkeys) and (found.size == sealed.size or not sealed.of_one_owner):
            findings.bad(where, "is signed by none of the keys")
        check_link(where, record, before, found, findings)
        if not tree.size < found.size <= len(leaves) // 32:
            findings.bad(where, f"stands after {tree.size} of {len(leaves) // 32} leaves")
            continue
        while tree.size < found.size:
            tree.add(leaves[32 * tree.size : 32 * tree.size + 32])
            if kept and tree.size == kept.size:
                compare_kept(kept, tree.root(), findings)
        if tree.root() != found.root:
            findings.bad(where, "its root is not that of the leaves")
        before = found
    if before is None or before.body != shown.body:
        findings.bad(name, f"its last checkpoint is not the checkpoint of manifest.json, of {sealed.size} leaves")
    if kept and kept.size > tree.size:
        findings.bad("--checkpoint", f"covers {kept.size} leaves, here are {tree.size}: of before it, or cut off since")
    if kept and not kept.signed_by(vkeys + sealed.vkeys):
        findings.bad("--checkpoint", "is signed by none of the keys")
    findings.said.append(f"{count} checkpoints: roots from the leaves, consistency proofs, signatures")


def check_link(where: str, record: Record, before: Checkpoint | None, found: Checkpoint, findings: Findings) -> None:
    """See that a checkpoint continues the one before."""
    if (record["size"], record["previous_size"]) != (found.size, before.size if before else None):
        findings.bad(where, "its size or the one before is not that of the signed notes")
    proof = [bytes.fromhex(each) for each in record["consistency"]]
    if before and not continues(before.size, before.root, found.size, found.root, proof):
        findings.bad(where, f"its consistency proof does not lead from checkpoint {before.size}")


def compare_kept(kept: Checkpoint, root: bytes, findings: Findings) -> None:
    """Compare a checkpoint that was kept with the tree of its size."""
    if kept.root == root:
        findings.said.append(f"the checkpoint that was kept ({kept.size}, {kept.time}) is a beginning of this tree")
    else:
        findings.bad("--checkpoint", f"the first {kept.size} leaves are not those that were signed, {kept.time}")


# The journals -------------------------------------------------------------------------------------------------------

JournalLine = tuple[int, int, int, str, str]  # journal number, line number, signed cents, date; then the account


def flat_rows(folder: Path, name: str, findings: Findings) -> Iterator[tuple[str, Record]]:
    """Give the rows of a file of CSV or JSON lines, each with its place."""
    if name.endswith(".jsonl"):
        yield from json_lines(folder, name, findings)
        return
    with (folder / name).open(encoding="utf-8-sig", newline="") as file:
        for place, row in enumerate(csv.DictReader(file, strict=True), 1):
            if None in row or None in row.values():
                findings.bad(f"{name} row {place}", "has more or fewer cells than the head")
            yield f"{name} row {place}", row


def journal_line(row: Record) -> JournalLine | None:
    """Read a line of a journal; None: the row is none."""
    if "Amount_Credit_Debit_Indicator" in row:
        cents = int(row["Amount"].replace(".", "")) * (1 if row["Amount_Credit_Debit_Indicator"] == "D" else -1)
        line_no, account = int(row["Journal_ID_Line_Number"]), row["GL_Account_Number"]
        return int(row["Journal_ID"]), line_no, cents, row["Effective_Date"], account
    if "amount_cents" in row and "line" in row:
        account, cents = f"{row['ledger']} {row['account']}", int(row["amount_cents"])
        return int(row["journal"]), int(row["line"]), cents, row["effective_on"], account
    return None


def sealed_lines(folder: Path) -> Iterator[JournalLine]:
    """Give the lines of the sealed entries in the same form."""
    for _, record in json_lines(folder, "sealed/entries.jsonl", Findings()):
        for line in record["lines"]:
            account = f"{line[LEDGER]} {line[ACCOUNT]}"
            yield record["journal"], line[LINE_NO], line[AMOUNT], line[EFFECTIVE_ON], account


def check_flat(folder: Path, each: Record, with_seal: bool, findings: Findings) -> None:
    """Count a file again; compare a journal line by line with the sealed entries."""
    name, days, rows, debit, credit = each["name"], list[str](), 0, 0, 0
    accounts: dict[str, str] = {}  # what an account is called here, by its sealed name
    sealed = sealed_lines(folder) if with_seal else None
    for where, row in flat_rows(folder, name, findings):
        rows += 1
        line = journal_line(row)
        if line is None:
            continue
        debit, credit = debit + max(line[2], 0), credit + max(-line[2], 0)
        days = [min([*days, line[3]]), max([*days, line[3]])]
        wanted = next(sealed, None) if sealed else line
        if sealed and (not wanted or line[:4] != wanted[:4] or accounts.setdefault(wanted[4], line[4]) != line[4]):
            findings.bad(where, f"journal number {line[0]}, line {line[1]}: {line}, sealed was {wanted}")
            sealed = sealed if wanted and wanted[:2] == line[:2] else None  # one is missing: all others would differ
    if days and sealed and next(sealed, None) is not None:
        findings.bad(name, "ends before the sealed entries do")
    found: Record = {"rows": rows}
    if days:
        found |= {"debit_cents": debit, "credit_cents": credit, "from": days[0], "to": days[1]}
    for what, value in found.items():
        if each.get(what) is not None and each[what] != value:
            findings.bad(name, f"{what}: {value}, the manifest says {each[what]}")


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
    root = climb(index, note.size - 1, leaf, [bytes.fromhex(each) for each in hashes])[1]
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
def check_export(folder: Path, vkeys: list[str], kept: Checkpoint | None, findings: Findings) -> None:
    """Check a whole folder."""
    manifest = decoded((folder / "manifest.json").read_text(encoding="utf-8"))
    if manifest["format"] != FORMAT:
        raise ValueError(f"{folder / 'manifest.json'}: format {manifest['format']!r}, wanted is {FORMAT!r}")
    check_files(folder, manifest, findings)
    said, note = manifest["checkpoint"], None
    with_seal = any(each["name"].startswith("sealed/") for each in manifest["files"])
    if kept and not with_seal:
        raise ValueError("the export was made without its seal: no checkpoint can be compared with it")
    if said:
        vkeys, note = vkeys or said["vkey"].split(), Checkpoint(said["note"])
        if (note.size, note.root.hex()) != (said["size"], said["root"]) or not note.signed_by(vkeys):
            findings.bad("manifest.json", "its checkpoint is not what its note says, or signed by none of the keys")
        findings.said.append(f"checkpoint {note.size} of {note.origin}, {note.time}")
    if with_seal and note:
        with (folder / "sealed" / "leaves").open("rb") as file:
            leaves = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if file.read(1) else b""
            sealed = Sealed(folder, manifest, leaves, findings)
            sealed.check()
            check_tree(sealed, note, vkeys, kept)
    elif with_seal:
        findings.bad("manifest.json", "names no checkpoint, though there is a seal")
    else:
        findings.said.append("made without its seal: that its rows are the sealed ones is not shown here")
    for each in manifest["files"]:
        if each["name"].endswith((".csv", ".jsonl")) and not each["name"].startswith("sealed/"):
            check_flat(folder, each, with_seal, findings)


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
            check_export(folder, asked.vkey, kept, findings)
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
