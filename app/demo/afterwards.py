"""What the bank does in the days after a release: it debits the file, returns one payment and corrects another."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.demo.day import Day
from app.demo.simulator import bank as simulator
from app.demo.simulator.bank import Bank
from app.demo.simulator.rules import Change, Pick, Return, Rules
from schemas.calendar import add_banking_days
from schemas.identifiers import AbaRouting

CORRECTED_ROUTING = AbaRouting.from_eight("07109999")
"""Where the corrected account is; no bank has this number."""
CORRECTED_ACCOUNT = "7700000042"


@dataclass(frozen=True, slots=True)
class Afterwards:
    """The bank's files of the days after a release.

    Args:
        day: the generated day; the bank's statement of it is the last one.
        payments: NACHA file of the release.
        ncpdp_ids: of the stores that it pays, the largest payment first; at least three.
    """

    day: Day
    payments: Path
    ncpdp_ids: Sequence[str]

    def write(self, folder: Path) -> tuple[list[Path], list[Path]]:
        """Let the bank work; give the files of the day of settlement, and of the days until its answers came."""
        rules = Rules(
            # The account is closed; the correction gives bank and account as its record holds them (C03).
            returns=(Return(code="R02", pick=Pick(identification=self.ncpdp_ids[1])),),
            changes=(
                Change(
                    code="C03",
                    corrected=f"{CORRECTED_ROUTING}   {CORRECTED_ACCOUNT}",
                    pick=Pick(identification=self.ncpdp_ids[2]),
                ),
            ),
        )
        bank = Bank(self.day.bank_account, self.day.closing_cents, rules)
        sent_on = self.day.business_date
        bank.send(self.payments.read_bytes(), sent_on)
        settled, *later = (bank.close(add_banking_days(sent_on, number)) for number in (1, 2, 3))
        # The same day twice: once in each of the bank's formats. The days after come as XML alone.
        first = [_save(folder, f"bank-{settled.day}.bai2", settled.bai2), _statement(folder, settled)]
        answers = [
            _save(folder, f"answers-{each.day}-{number}.ach", content)
            for each in later
            for number, content in enumerate(each.answers, 1)
        ]
        return first, [_statement(folder, each) for each in later] + answers


def _statement(folder: Path, closed: simulator.Day) -> Path:
    return _save(folder, f"bank-{closed.day}.xml", closed.camt053)


def _save(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path
