"""Verify an export of the books, offline, with nothing of the system that made it.

    python verify.py [FOLDER] [--vkey KEY] [--checkpoint FILE] [--proof FILE] [--document FILE]

Needs Python 3.9 or later and the package ``cryptography`` (for Ed25519). It opens no connection and imports nothing of
the exporting system; it is meant to be read before it is run. FOLDER is the folder that it lies in when none is named.

What it checks
  1. manifest.json: every file is there with its SHA-256 and its length, and no other file is there.
  2. Control totals: rows, debits, credits and dates of the files that it can read (.csv, .jsonl) are counted again; the
     lines of a general ledger are, one by one, the sealed ones. (Journals of hledger and beancount: by those programs.)
  3. The seal: every line of sealed/entries.jsonl and sealed/trail.jsonl is written again as canonical bytes, below,
     and hashes to its leaf in sealed/leaves; journal numbers and leaves have no gap; every entry sums to zero.
  4. The tree: the root of every checkpoint follows from the leaves (RFC 9162, 2.1.1), each continues the one before
     (consistency proof, 2.1.4), each is signed (C2SP signed-note and tlog-checkpoint, Ed25519).
  5. --checkpoint: a checkpoint that you kept from an earlier day is a beginning of this tree: nothing that it covered
     was rewritten since. Without one of your own you compare the export with itself only.
  6. --proof: a proof of one entry, statement or certificate leads from its content to a signed root (2.1.3); with
     --document, the document is the one of which the sealed row tells the SHA-256.

--vkey: the verifier key (name+hash+key) as it was told to you by another way than this export. Without it the key in
the manifest is used, and anybody could have made that; the answer says so. Earlier keys are in sealed approvals.

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
import binascii
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
csv.field_size_limit(1 << 24)


class UnreadableError(Exception):
    """There is nothing here that could be checked; the sentence says why."""


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

    def say(self, sentence: str) -> None:
        """Note what was looked at."""
        self.said.append(sentence)


# Canonical bytes ----------------------------------------------------------------------------------------------------

NULL = b"\xff\xff\xff\xff"


def number(value: object) -> bytes:
    """Write a whole number, or null."""
    if value is None:
        return NULL
    if type(value) is not int:
        raise TypeError(f"{value!r} is no whole number")
    return b"\x00\x00\x00\x08" + struct.pack(">q", value)


def text(value: object) -> bytes:
    """Write a text, or null."""
    if value is None:
        return NULL
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    written = value.encode()
    return struct.pack(">I", len(written)) + written


def uuid(value: object) -> bytes:
    """Write an identifier."""
    return b"\x00\x00\x00\x10" + UUID(str(value)).bytes


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
    heads, rest = (ENTRY, "lines") if "lines" in record else (TRAIL, "content")
    if record.keys() != {"index", rest, *heads}:
        raise ValueError(f"fields that are missing or were not sealed: {sorted({'index', rest, *heads} ^ set(record))}")
    parts = [b"\x01\x01" if rest == "lines" else b"\x01\x02"]
    parts += [write(record[name]) for name, write in heads.items()]
    parts.append(number(len(record[rest])))
    if rest == "lines":
        for line in record["lines"]:
            if len(line) != len(LINE):
                raise ValueError(f"a line of {len(line)} fields")
            parts += [write(value) for write, value in zip(LINE.values(), line)]
    else:
        for name in sorted(record["content"], key=str.encode):
            parts += [text(name), text(record["content"][name])]
    return b"".join(parts)


def suspect(record: Record, wanted: bytes) -> str:
    """Tell which value of an entry was changed, where a likely repair gives the leaf that was sealed."""
    lines, total = record["lines"], sum(line[AMOUNT] for line in record["lines"])
    twins = ("fact_key", "effective_on", "event", "xid")
    tries = [(a, record[b]) for name in twins for a, b in ((f"entry_{name}", name), (name, f"entry_{name}"))]
    repairs = [(name, value, {**record, name: value}) for name, value in tries]
    for place, line in enumerate(lines):
        for name, value in (
            ("amount_cents", line[AMOUNT] - total),
            ("line_no", place + 1),
            ("event", record["entry_event"]),
            ("ledger", record["ledger"]),
            ("effective_on", record["entry_effective_on"]),
        ):
            mended = [value if field == name else old for field, old in zip(LINE, line)]
            repaired = {**record, "lines": [*lines[:place], mended, *lines[place + 1 :]]}
            repairs.append((f"{name} of line {line[LINE_NO]}", value, repaired))
    for name, value, repaired in repairs:
        if leaf_hash(leaf_bytes(repaired)) == wanted:
            return f": {name} was {value!r} when it was sealed"
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
        """Give the root of the leaves so far."""
        if not self._whole:
            return hashlib.sha256().digest()
        found = self._whole[-1]
        for left in reversed(self._whole[:-1]):
            found = node_hash(left, found)
        return found


def included(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> bool:
    """Say whether the leaf is in the tree of that root (2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for hash_ in proof:
        if last == 0:
            return False
        if at % 2 or at == last:
            found = node_hash(hash_, found)
            while at % 2 == 0 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, hash_)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def continues(old_size: int, old_root: bytes, size: int, root: bytes, proof: list[bytes]) -> bool:
    """Say whether the leaves of the old tree are the first ones of the new (2.1.4.2)."""
    if old_size == size:
        return not proof and old_root == root
    if not 0 < old_size < size or not proof:
        return False
    hashes = list(proof)
    if old_size & (old_size - 1) == 0:
        hashes.insert(0, old_root)
    at, last = old_size - 1, size - 1
    while at % 2:
        at, last = at >> 1, last >> 1
    old = new = hashes[0]
    for hash_ in hashes[1:]:
        if last == 0:
            return False
        if at % 2 or at == last:
            old, new = node_hash(hash_, old), node_hash(hash_, new)
            while at % 2 == 0 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, hash_)
        at, last = at >> 1, last >> 1
    return last == 0 and old == old_root and new == root


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
            raise UnreadableError("no checkpoint: origin, size, root and signature are wanted")
        self.time = next(
            (line[5:] for line in lines[3:] if line.startswith("time ")), "at a time that it does not tell"
        )

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
            except (binascii.Error, InvalidSignature):
                continue
        return False


def public_key(vkey: str) -> tuple[tuple[str, bytes], Ed25519PublicKey]:
    """Read a verifier key: its name and hash, and the key itself."""
    try:
        name, hashed, coded = vkey.strip().split("+", 2)
        key = base64.b64decode(coded, validate=True)
        if key[:1] != b"\x01" or hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8] != hashed:
            raise UnreadableError(f"{vkey!r} is no verifier key: its hash is not that of its key")
        return (name, bytes.fromhex(hashed)), Ed25519PublicKey.from_public_bytes(key[1:])
    except ValueError:
        raise UnreadableError(f"{vkey!r} is no verifier key: name+hash+key is wanted") from None


# Files --------------------------------------------------------------------------------------------------------------


def once(pairs: list[tuple[str, Any]]) -> Record:
    """Make an object of JSON, in which no field may stand twice."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a field stands there twice")
    return dict(pairs)


def read_json(path: Path) -> Record:
    """Read a small file of JSON."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=once))
    except (OSError, ValueError, TypeError) as error:
        raise UnreadableError(f"{path}: {error}") from None


def json_lines(folder: Path, name: str, findings: Findings) -> Iterator[tuple[str, Record]]:
    """Give the objects of a file, one a line, each with its place."""
    decode = json.JSONDecoder(object_pairs_hook=once).decode
    with (folder / name).open(encoding="utf-8", newline="\n") as lines:
        for place, line in enumerate(lines, 1):
            try:
                yield f"{name} line {place}", {**decode(line)}
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
    findings.say(f"{len(announced)} files compared with manifest.json")


# The sealed rows ----------------------------------------------------------------------------------------------------


class Sealed:
    """The folder ``sealed``: every row hashed to its leaf, and what has to be known of all of them afterwards."""

    def __init__(self, folder: Path, manifest: Record, findings: Findings) -> None:
        self.folder, self.findings, scope = folder, findings, manifest["scope"]
        self.size, self.journal_size = manifest["checkpoint"]["size"], manifest["checkpoint"]["journal_size"]
        self.whole = not any(scope.get(each) for each in ("from", "to", "owner"))
        self.of_one_owner = bool(scope.get("owner"))
        self.covered = bytearray(self.size)
        self.vkeys: list[str] = []

    def check(self, leaves: Any) -> None:  # noqa: ANN401 (bytes, or a file that is mapped)
        """Hash every row to its leaf; see that none is missing, where all are asked for."""
        for name in ("entries", *(() if self.of_one_owner else ("trail",))):
            count, last, journal = 0, -1, 0
            for at, record in json_lines(self.folder, f"sealed/{name}.jsonl", self.findings):
                where = f"{at} ({named(record)})"
                count, index = count + 1, record.get("index")
                if type(index) is not int or not last < index < self.size:
                    self.findings.bad(where, f"leaf {index} stands after leaf {last} of {self.size}")
                    continue
                last, self.covered[index] = index, 1
                self._hash(where, record, leaves[32 * index : 32 * index + 32])
                if name == "entries":
                    if record.get("journal") != journal + 1 and (self.whole or record["journal"] <= journal):
                        self.findings.bad(where, f"stands after journal number {journal}")
                    journal = record["journal"]
                elif record["content"].get("kind") == "seal_key" and record["content"].get("state") == "approved":
                    facts = json.loads(record["content"]["facts"])
                    self.vkeys += [facts["before"], facts["vkey"]]
            if name == "entries" and self.whole and journal != self.journal_size:
                self.findings.bad(
                    "sealed/entries.jsonl", f"ends with {journal}, the checkpoint with {self.journal_size}"
                )
            self.findings.say(f"{count} lines of sealed/{name}.jsonl hashed to their leaves")
        gap = self.covered.find(0) if self.whole else -1
        while gap >= 0:
            self.findings.bad(f"leaf {gap}", "has no row in sealed/entries.jsonl or sealed/trail.jsonl")
            gap = self.covered.find(0, gap + 1)
        if not self.whole:
            self.findings.say("a part of the books: whether a row of it was left out is seen in a whole export only")

    def _hash(self, where: str, record: Record, wanted: bytes) -> None:
        try:
            if leaf_hash(leaf_bytes(record)) != wanted:
                told = suspect(record, wanted) if "lines" in record else ""
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


def check_tree(sealed: Sealed, leaves: Any, vkeys: list[str], kept: Checkpoint | None) -> None:  # noqa: ANN401
    """See that every checkpoint's root follows from the leaves, continues the one before, and is signed."""
    findings, name = sealed.findings, "sealed/checkpoints.jsonl"
    if len(leaves) != 32 * sealed.size:
        findings.bad("sealed/leaves", f"{len(leaves)} bytes, {sealed.size} leaves of 32 bytes are wanted")
    tree, before, count = GrowingTree(), None, 0
    for at, record in json_lines(sealed.folder, name, findings):
        found = Checkpoint(record["note"])
        where, count = f"{at} (checkpoint {found.size})", count + 1
        # Earlier keys are in sealed approvals; an export of one owner has no trail.
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
    if before is None or before.size != sealed.size:
        findings.bad(name, f"its last checkpoint is not the one of the manifest, of {sealed.size} leaves")
    if kept and kept.size > tree.size:
        findings.bad("--checkpoint", f"covers {kept.size} leaves, here are {tree.size}: of before it, or cut off since")
    findings.say(f"{count} checkpoints: roots from the leaves, consistency proofs, signatures")


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
        findings.say(f"the checkpoint that was kept ({kept.size}, {kept.time}) is a beginning of this tree")
    else:
        findings.bad("--checkpoint", f"the first {kept.size} leaves are not those that were signed, {kept.time}")


# The flat files -----------------------------------------------------------------------------------------------------


def flat_rows(folder: Path, name: str, findings: Findings) -> Iterator[tuple[str, Record]]:
    """Give the rows of a file of CSV or JSON lines, each with its place; None where it is neither."""
    if name.endswith(".jsonl"):
        yield from json_lines(folder, name, findings)
        return
    with (folder / name).open(encoding="utf-8-sig", newline="") as file:
        for place, row in enumerate(csv.DictReader(file, strict=True), 1):
            if None in row or None in row.values():
                findings.bad(f"{name} row {place}", "has more or fewer cells than the head")
            yield f"{name} row {place}", row


def journal_line(row: Record) -> tuple[int, int, str, int, str] | None:
    """Give journal number, line number, account, signed cents and date of a line of the journal; None: it is none."""
    if "Amount_Credit_Debit_Indicator" in row:
        cents = int(row["Amount"].replace(".", "")) * (1 if row["Amount_Credit_Debit_Indicator"] == "D" else -1)
        line_no, account = int(row["Journal_ID_Line_Number"]), row["GL_Account_Number"]
        return int(row["Journal_ID"]), line_no, account, cents, row["Effective_Date"]
    if "amount_cents" in row and "line" in row:
        account = f"{row['ledger']} {row['account']}"
        return int(row["journal"]), int(row["line"]), account, int(row["amount_cents"]), row["effective_on"]
    return None


def sealed_lines(folder: Path, findings: Findings) -> Iterator[tuple[int, int, str, int, str]]:
    """Give the lines of the sealed entries in the same form."""
    for _, record in json_lines(folder, "sealed/entries.jsonl", findings):
        for line in record["lines"]:
            account = f"{line[LEDGER]} {line[ACCOUNT]}"
            yield record["journal"], line[LINE_NO], account, line[AMOUNT], line[EFFECTIVE_ON]


def check_flat(folder: Path, each: Record, with_seal: bool, findings: Findings) -> None:
    """Count a file again; compare a general ledger line by line with the sealed entries."""
    name, days = each["name"], list[str]()
    accounts: dict[str, str] = {}
    rows = debit = credit = 0
    sealed = sealed_lines(folder, Findings()) if with_seal else None
    for where, row in flat_rows(folder, name, findings):
        rows += 1
        line = journal_line(row)
        if line is None:
            continue
        debit, credit = debit + max(line[3], 0), credit + max(-line[3], 0)
        days = [min([*days, line[4]]), max([*days, line[4]])]
        wanted = next(sealed, None) if sealed else line
        if sealed and (wanted is None or accounts.setdefault(wanted[2], line[2]) != line[2] or unlike(line, wanted)):
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


def unlike(line: tuple[int, int, str, int, str], wanted: tuple[int, int, str, int, str]) -> bool:
    """Say whether two lines differ in more than what their account is called."""
    return (*line[:2], *line[3:]) != (*wanted[:2], *wanted[3:])


# Proofs of single leaves --------------------------------------------------------------------------------------------


def check_proof(path: Path, vkeys: list[str], document: Path | None, findings: Findings) -> None:
    """Follow a proof from its content to a signed root: of an entry, a row of the trail, or a certificate."""
    where, told = path.name, read_json(path)
    proof = told["proof"] if "certificate" in told else told
    facts = proof.get("entry") or proof.get("trail") or proof["leaf"]
    index = proof["index"] if "index" in proof else proof["leaf_index"]
    note, hashes = Checkpoint(proof["note"]), proof["hashes"] if "hashes" in proof else proof["proof"]
    if not note.signed_by(vkeys or [proof["vkey"]]):
        findings.bad(where, "its checkpoint is signed by none of the keys")
    leaf = leaf_hash(leaf_bytes({**facts, "index": index}))
    if not included(leaf, index, note.size, [bytes.fromhex(each) for each in hashes], note.root):
        findings.bad(where, f"its content is not leaf {index} of checkpoint {note.size}")
    if "certificate" in told:
        check_certificate(where, told["certificate"], facts["content"], findings)
    if document is not None:
        digest = hashlib.sha256(document.read_bytes()).hexdigest()
        if digest not in facts.get("content", {}).values():
            findings.bad(document.name, f"its SHA-256 {digest} is not in the sealed row")
    findings.say(f"{where}: {named(facts)} is leaf {index} of checkpoint {note.size}, {note.time}")


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
    manifest = read_json(folder / "manifest.json")
    if manifest.get("format") != FORMAT:
        raise UnreadableError(f"{folder / 'manifest.json'}: format {manifest.get('format')!r}, wanted is {FORMAT!r}")
    check_files(folder, manifest, findings)
    said = manifest["checkpoint"]
    with_seal = any(each["name"].startswith("sealed/") for each in manifest["files"])
    if kept and not with_seal:
        raise UnreadableError("the export was made without its seal: no checkpoint can be compared with it")
    if said:
        vkeys, note = vkeys or said["vkey"].split(), Checkpoint(said["note"])
        if (note.size, note.root.hex()) != (said["size"], said["root"]) or not note.signed_by(vkeys):
            findings.bad("manifest.json", "its checkpoint is not what its note says, or signed by none of the keys")
        findings.say(f"checkpoint {note.size} of {note.origin}, {note.time}")
    if with_seal:
        sealed = Sealed(folder, manifest, findings)
        with (folder / "sealed" / "leaves").open("rb") as file:
            leaves = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if file.read(1) else b""
            sealed.check(leaves)
            check_tree(sealed, leaves, vkeys, kept)
        if kept and not kept.signed_by(vkeys + sealed.vkeys):
            findings.bad("--checkpoint", "is signed by none of the keys")
    else:
        findings.say("made without its seal: that its rows are the sealed ones is not shown here")
    for each in manifest["files"]:
        if each["name"].endswith((".csv", ".jsonl")) and not each["name"].startswith("sealed/"):
            check_flat(folder, each, with_seal, findings)


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
    here = Path(__file__).resolve().parent
    folder = asked.folder or (None if asked.proof and not (here / "manifest.json").exists() else here)
    try:
        kept = Checkpoint(asked.checkpoint.read_text(encoding="utf-8")) if asked.checkpoint else None
        if folder is not None:
            check_export(folder, asked.vkey, kept, findings)
        for path in asked.proof:
            check_proof(path, asked.vkey, asked.document, findings)
    except (UnreadableError, OSError) as error:
        findings.bad("not checked to the end", str(error))
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, csv.Error) as error:
        findings.bad("not checked to the end", f"something is missing or of another shape: {error!r}")
    for sentence in findings.said:
        print(f"  looked at  {sentence}")
    for sentence in findings.named:
        print(f"  WRONG      {sentence}")
    if findings.count:
        print(f"DOES NOT HOLD: {findings.count} findings, the first {len(findings.named)} are named")
        return 1 if findings.said else 2
    if not asked.vkey:
        print("The key is the one that lies with it. Compare it with the key that was told to you: --vkey.")
    print("ALL OF IT HOLDS")
    return 0


if __name__ == "__main__":
    sys.exit(main())
