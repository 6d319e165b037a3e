"""The notices of a released cycle as files: set from what the release kept, by several processes at once.

Whoever is killed here and starts again goes on where it was: what is set waits in a folder beside the place, named by
what decides its bytes, and moves when all is there.
"""

import csv
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from ingest.vault import Vault
from ledger.files import PART, write_whole
from payouts.papers.notice import PayoutNotice
from payouts.papers.press import press_mark
from payouts.papers.pressroom import set_in_order
from payouts.papers.sender import Sender
from payouts.papers.worker import Paper
from payouts.spreadsheet import plain_cell
from schemas.money import text_from_cents

NOTICE_FOLDER: Final = "notices"

_TOLD_EVERY = 100
_HEADER = (
    *("ncpdp", "legal name", "dba name", "amount", "released", "effective", "trace number", "account", "our trace"),
    *("advices", "claims", "claims amount", "payers' adjustments", "our fee", "other", "notice"),
)

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Printing:
    """Sets the notices of one cycle.

    Args:
        vault: holds what they say.
        cycle_id: the cycle.
        sha256: of their file in the vault.
        processes: how many set them at once; one for each processor when it is not said.
    """

    vault: Vault
    cycle_id: int
    sha256: str
    processes: int = 0

    def leave(self, folder: Path, progress: Progress = lambda *_: None) -> int:
        """Leave all notices and the list of the payments in a folder; give how many there are.

        Raises:
            OSError: a file can not be written.
            PrintingStoppedError: a process that sets them ended before its work did.
        """
        folder.mkdir(mode=0o700, exist_ok=True)
        making = folder / f".cycle-{self.cycle_id}-{self.sha256[:16]}-{press_mark()[:16]}"
        for other in folder.glob(f".cycle-{self.cycle_id}-*"):
            if other != making:
                shutil.rmtree(other)
        making.mkdir(mode=0o700, exist_ok=True)
        names = self._list(making)
        self._print(making, names, progress)
        for path in making.iterdir():
            if path.suffix == PART:
                path.unlink(missing_ok=True)
            else:
                path.replace(folder / path.name)
        making.rmdir()
        return len(names)

    @contextmanager
    def _kept(self) -> Iterator[tuple[bytes, BinaryIO]]:
        """Give the head of the kept file, and the file from its first notice on."""
        with self.vault.open(self.sha256) as kept:
            yield kept.readline(), kept

    def _list(self, making: Path) -> list[str]:
        """Write a row for each payment, for who keeps the accounts; give the names of their notices."""
        path = making / list_name(self.cycle_id)
        with (
            self._kept() as (_, lines),
            os.fdopen(
                os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline=""
            ) as target,
        ):
            writer = csv.writer(target, lineterminator="\r\n")
            writer.writerow(_HEADER)
            names = []
            for line in lines:
                notice = PayoutNotice.model_validate_json(line)
                writer.writerow(_row(notice))
                names.append(notice.name)
        return names

    def _print(self, making: Path, names: list[str], progress: Progress) -> None:
        """Set the notices that are not there yet, each whole or not at all; waiting for the disk would slow it down."""
        missing = [not (making / f"{name}.pdf").exists() for name in names]
        with self._kept() as (head, lines):
            facts = (line.rstrip(b"\n") for line, is_missing in zip(lines, missing, strict=True) if is_missing)
            sender = Sender.model_validate(json.loads(head)["sender"])
            with closing(set_in_order(Paper.NOTICE, sender, facts, self.processes)) as papers:
                for number, (name, is_missing) in enumerate(zip(names, missing, strict=True), 1):
                    if is_missing:
                        write_whole(making / f"{name}.pdf", next(papers), synced=False)
                    if number % _TOLD_EVERY == 0 or number == len(names):
                        progress("setting the notices", number, len(names))


def _row(notice: PayoutNotice) -> tuple[object, ...]:
    adjustments = [each.amount_cents for advice in notice.advices for each in advice.adjustments]
    claims = sum(each.claims_cents for each in notice.advices)
    other = sum(each.amount_cents for each in notice.items) + notice.fee_cents
    amounts = (claims, sum(adjustments), -notice.fee_cents, other)
    return (
        notice.ncpdp_id,
        plain_cell(notice.legal_name),
        plain_cell(notice.dba_name),
        text_from_cents(notice.amount_cents),
        notice.business_date,
        notice.effective_date,
        notice.trace_number,
        f"ends in {notice.account_last_four}",
        notice.remittance_trace,
        len(notice.advices),
        sum(each.claim_count for each in notice.advices),
        *map(text_from_cents, amounts),
        f"{notice.name}.pdf",
    )


def list_name(cycle_id: int) -> str:
    """Name the list of a cycle's payments; each cycle has its own beside the others'."""
    return f"payouts-cycle-{cycle_id}.csv"
