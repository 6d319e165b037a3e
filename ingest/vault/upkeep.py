"""Whether the vault holds what the books say it holds, whole: every file is read through and compared with its name.

What lies in the vault and what the database names are gone through side by side, both in the order of the SHA-256, so
memory stays constant however many files there are. It may run beside everything else: a file is stored before the
database names it, and what is found wrong is looked at once more, in case it was let go meanwhile.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Row

from ingest.encryption import UnknownKeyError
from ingest.vault import NotInVaultError, Vault, VaultDamagedError
from ingest.vault.report import LISTED_LIMIT, LOSSES, Condition, Found, KeyUse, VaultCheck
from ingest.vault.sealed_file import SealedFile
from ingest.vault.sealed_header import Part
from ledger.queries import Queries

ABANDONED_AFTER = timedelta(days=1)
_QUERIES = Queries("ingest", "vault.sql")
_ROWS_AT_ONCE = 1000

Reading = Callable[[], AbstractContextManager[Connection]]
"""Opens a snapshot to read from. Handed in by ``app``."""
Progress = Callable[[int, int], None]
"""Told the bytes that are done, and all."""


def verify(
    reading: Reading, vault: Vault, now: datetime, *, tidy: bool = False, progress: Progress | None = None
) -> VaultCheck:
    """Read every file of the vault through and compare it with what the database names.

    Args:
        reading: opens a snapshot of the database.
        vault: with all master keys that are at hand.
        now: what was abandoned is more than a day older.
        tidy: remove what was abandoned.
        progress: told the stored bytes done, and all.

    Raises:
        VaultUnusableError: the folder can not be read.
    """
    inspection = _Inspection(vault, reading, progress)
    with reading() as connection:
        rows = connection.execute(_QUERIES["named"], execution_options={"yield_per": _ROWS_AT_ONCE})
        for sha256, is_stored, row in _side_by_side(vault.folder.digests(), iter(rows)):
            inspection.look_at(sha256, row, is_stored=is_stored)
    inspection.settle()
    for name in vault.folder.abandoned(now - ABANDONED_AFTER, remove=tidy):
        inspection.note([Found(condition=Condition.ABANDONED, names=name)])
    for name in vault.folder.strays():
        inspection.note([Found(condition=Condition.FOREIGN, names=name)])
    return inspection.outcome(tidied=tidy)


def _side_by_side(stored: Iterator[str], named: Iterator[Row[Any]]) -> Iterator[tuple[str, bool, Row[Any] | None]]:
    """Merge two ascending lists: each SHA-256 once, with whether it is stored, and the row that names it."""
    both = merge(((digest, None) for digest in stored), ((row.sha256, row) for row in named), key=itemgetter(0))
    for sha256, group in groupby(both, key=itemgetter(0)):
        rows = [row for _, row in group]
        yield sha256, any(row is None for row in rows), next(filter(None, rows), None)


def losses(file: SealedFile, progress: Callable[[int], None]) -> Iterator[Found]:
    """Read an open file through; give each stretch of chunks that does not open, or that the whole is another."""
    digest, bad = hashlib.sha256(), False
    first: int | None = None
    for number in range(file.chunk_count):
        try:
            digest.update(file.chunk(number))
        except VaultDamagedError:
            first, bad = number if first is None else first, True
        else:
            if first is not None:
                yield _lost(file, Part.CHUNK, first, number - 1)
            first = None
        progress(file.stored_bytes_of(number))
    if first is not None:
        yield _lost(file, Part.CHUNK, first, file.chunk_count - 1)
    if not bad and digest.hexdigest() != file.sha256:
        yield _lost(file, Part.CONTENT, 0, file.chunk_count - 1)


def _lost(file: SealedFile, part: Part, first: int, last: int) -> Found:
    return Found(
        condition=Condition.DAMAGED,
        names="",
        sha256=file.sha256,
        part=part,
        first_chunk=first,
        last_chunk=last,
        lost_from_byte=first * file.chunk_bytes,
        lost_to_byte=min((last + 1) * file.chunk_bytes, file.size_bytes),
    )


@dataclass
class _Inspection:
    """The pass as it goes: what was counted, what is listed, and what is to be looked at once more."""

    vault: Vault
    reading: Reading
    progress: Progress | None
    counts: Counter[Condition] = field(default_factory=Counter)
    keys: Counter[str] = field(default_factory=Counter)
    found: list[Found] = field(default_factory=list)
    suspects: list[list[Found]] = field(default_factory=list)
    files: int = 0
    plain_bytes: int = 0
    done_bytes: int = 0

    def __post_init__(self) -> None:
        self.all_bytes = self.vault.folder.stored_bytes() if self.progress else 0

    def look_at(self, sha256: str, row: Row[Any] | None, *, is_stored: bool) -> None:
        """Look at one file that is stored, or named, or both."""
        self.files += is_stored
        names = row.names if row else ""
        steps = row.steps if row else 0
        if steps:
            gone = Condition.CAME_AGAIN if is_stored else Condition.LET_GO
            self.note([Found(condition=gone if steps > 1 else Condition.LETTING_GO, names=names, sha256=sha256)])
        elif is_stored:
            self._read(sha256, row)
        else:
            self._suspect([Found(condition=Condition.MISSING, names=names, sha256=sha256)])

    def _read(self, sha256: str, row: Row[Any] | None) -> None:
        names, size_bytes = (row.names, row.size_bytes) if row else ("", None)
        stated = Found(condition=Condition.SOUND if row else Condition.UNNAMED, names=names, sha256=sha256)
        try:
            with closing(self.vault.sealed(sha256)) as file:
                self.keys[file.header.key_id] += 1
                lost = list(losses(file, self._step))
                self.plain_bytes += file.size_bytes
        except NotInVaultError:
            # It went between the list and the look: let go, or taken away.
            self._suspect([stated.model_copy(update={"condition": Condition.MISSING})] if row else [])
            return
        except UnknownKeyError as error:
            self.keys[error.key_id] += 1
            update = {"condition": Condition.KEY_MISSING, "part": Part.SEALED_KEY, "key_id": error.key_id}
            lost = [stated.model_copy(update=update | {"lost_from_byte": 0, "lost_to_byte": size_bytes})]
        except VaultDamagedError as error:
            update = {"condition": Condition.DAMAGED, "part": error.part}
            lost = [stated.model_copy(update=update | {"lost_from_byte": 0, "lost_to_byte": size_bytes})]
        if lost:
            self._suspect([each.model_copy(update={"names": names}) for each in lost])
        else:
            self.note([stated])

    def _step(self, stored_bytes: int) -> None:
        self.done_bytes += stored_bytes
        if self.progress:
            self.progress(self.done_bytes, self.all_bytes)

    def _suspect(self, found: list[Found]) -> None:
        if found:
            self.suspects.append(found)
        if len(self.suspects) >= _ROWS_AT_ONCE:
            self.settle()

    def settle(self) -> None:
        """Ask once more about what seems lost: what was let go since the snapshot is no loss."""
        if not self.suspects:
            return
        digests = [bytes.fromhex(found[0].sha256) for found in self.suspects]
        with self.reading() as connection:
            gone = set(connection.execute(_QUERIES["let_go_among"], {"digests": digests}).scalars())
        for found in self.suspects:
            went = [each.model_copy(update={"condition": Condition.LET_GO}) for each in found]
            self.note(went if found[0].sha256 in gone else found)
        self.suspects = []

    def note(self, found: list[Found]) -> None:
        """Count one file, and list it when there is something to say of it."""
        condition = found[0].condition
        self.counts[condition] += 1
        if condition not in (Condition.SOUND, Condition.LET_GO) and self.counts[condition] <= LISTED_LIMIT:
            self.found += found[:LISTED_LIMIT]

    def outcome(self, *, tidied: bool) -> VaultCheck:
        """Give what was found, what is lost first."""
        order = [*LOSSES, *Condition]
        current = self.vault.keyring.current_key_id
        return VaultCheck(
            files=self.files,
            plain_bytes=self.plain_bytes,
            counts={condition: self.counts[condition] for condition in Condition},
            found=tuple(sorted(self.found, key=lambda each: order.index(each.condition))),
            keys=tuple(
                KeyUse(key_id=key_id, is_current=key_id == current, files=files)
                for key_id, files in sorted(self.keys.items())
            ),
            tidied=tidied,
        )
