"""The bank of a demonstration week: payers' money in, our files out, a statement of every banking day on the next."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from app.demo.simulator.bank import Bank
from app.demo.simulator.movements import WIRE_CREDIT
from app.demo.simulator.rules import Change, Pick, Return, Rules
from app.demo.week.plan import Week
from app.demo.week.script import CLOSED_PAID, CORRECTED_PAID, REFUSED_PAID
from ingest.bank.bai2_writer import StatementLine
from ledger.files import write_whole
from schemas.calendar import add_banking_days
from schemas.identifiers import AbaRouting

CORRECTED_ROUTING: Final = AbaRouting.from_eight("07109999")
"""Where the corrected account is; no bank has this number."""
CORRECTED_ACCOUNT: Final = "7700000042"


@dataclass
class Clearing:
    """The bank, and what it leaves for us.

    Args:
        week: whose money it is.
    """

    week: Week
    bank: Bank = field(init=False)

    def __post_init__(self) -> None:
        """Open the account, and plan all money that payers send within the week."""
        week = self.week
        self.bank = Bank(week.bank_account, rules=_rules(week), seed=week.seed)
        own = StatementLine(
            WIRE_CREDIT,
            week.float_cents,
            week.float_reference,
            "",
            "INCOMING WIRE EXAMPLE PSAO OPERATING ACCOUNT OWN FUNDS",
        )
        self.bank.post(own, week.before)
        for each in week.remittances:
            for part in each.parts:
                day = add_banking_days(week.days[0], part.place - 1) if part.place != 1 else week.days[0]
                self.bank.receive(each.payer, part.cents, each.trace_number, day)

    def close(self, day: date, folder: Path) -> list[Path]:
        """Close a banking day; give the files of it: a statement as BAI2 or, every other day, as XML; answers."""
        closed = self.bank.close(day)
        folder.mkdir(parents=True, exist_ok=True)
        as_xml = self.week.days.index(day) % 2 == 1 if day in self.week.days else False
        name, content = (f"bank-{day}.xml", closed.camt053) if as_xml else (f"bank-{day}.bai2", closed.bai2)
        files = [(name, content)]
        files += [(f"answers-{day}-{number}.ach", each) for number, each in enumerate(closed.answers, 1)]
        paths = []
        for name, content in files:
            paths.append(folder / name)
            write_whole(paths[-1], content, synced=False)
        return paths


def _rules(week: Week) -> Rules:
    """Say what the receivers' banks answer, each one banking day after the entry settled."""

    def settled(place: int) -> date:
        return add_banking_days(week.days[0], place + 1)

    closed = Pick(identification=week.cast.closed.ncpdp_id, settled_on=settled(CLOSED_PAID))
    refused = Pick(identification=week.cast.refused.ncpdp_id, settled_on=settled(REFUSED_PAID))
    corrected = Pick(identification=week.cast.corrected.ncpdp_id, settled_on=settled(CORRECTED_PAID))
    return Rules(
        returns=(Return(code="R02", pick=closed, after_days=1), Return(code="R23", pick=refused, after_days=1)),
        changes=(
            Change(code="C03", corrected=f"{CORRECTED_ROUTING}   {CORRECTED_ACCOUNT}", pick=corrected, after_days=1),
        ),
    )
