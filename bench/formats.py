"""Case ``files``: the bank's formats, read and written in memory."""

import time
from dataclasses import dataclass
from datetime import time as clock_time
from io import BytesIO
from random import Random

from bench.figures import Budget, Figure, Report
from bench.machine import peak_memory_mb
from bench.remittances import BANK_ACCOUNT, PAID_ON
from bench.workshop import Workshop, apart
from ingest.bank.bai2 import read_bai2
from ingest.bank.bai2_writer import StatementLine, write_bai2
from payouts.calendar import next_banking_day
from payouts.nacha.models import AchBatch, AchEntry, AchFile
from payouts.nacha.reader import read_nacha
from payouts.nacha.trn import Trn
from payouts.nacha.writer import write_nacha
from schemas.identifiers import AbaRouting, PayerId

_TEXT = "HARROWGATE BENEFIT HCCLAIMPMT TRN*1*{number:012d}*1361234567~ ONE LINE MORE THAN EIGHTY COLUMNS HOLD"
_MEMORY = Budget(300, 150)


@dataclass(frozen=True, slots=True)
class _Ran:
    """One run: records or lines, and the seconds for each step."""

    count: int
    written: float
    read: float
    peak_mb: float


def measure(shop: Workshop) -> Report:
    """Read a bank statement; write a payment file and read it back."""
    shop.say("files: BAI2 and NACHA")
    bank = [apart(_bai2, shop.sizes.bank_lines, shop.seed) for _ in range(shop.repeat)]
    payments = [apart(_nacha, shop.sizes.payouts, shop.seed) for _ in range(shop.repeat)]
    lines, entries = f"{bank[0].count:,} lines", f"{payments[0].count:,} entries"
    figures = (
        Figure("BAI2 statement read and footed", lines, "s", tuple(run.read for run in bank)),
        Figure("peak memory of that process", lines, "MB", tuple(run.peak_mb for run in bank), _MEMORY),
        Figure("NACHA file of CCD+ credits made and written", entries, "s", tuple(run.written for run in payments)),
        Figure("the same read back and checked", entries, "s", tuple(run.read for run in payments)),
        Figure("peak memory of that process", entries, "MB", tuple(run.peak_mb for run in payments), _MEMORY),
    )
    return Report("files", "Bank files", figures)


def _bai2(lines: int, seed: int) -> _Ran:
    rng = Random(seed)
    items = [
        StatementLine("142", rng.randrange(1, 10**8), f"{number:016d}", "", _TEXT.format(number=number))
        for number in range(lines // 2)  # each takes a line and a continuation
    ]
    began = time.perf_counter()
    data = write_bai2(account=BANK_ACCOUNT, as_of=PAID_ON, opening_cents=0, items=items)
    written = time.perf_counter()
    read_bai2(BytesIO(data), "bank.bai2")
    ended = time.perf_counter()
    return _Ran(data.count(b"\n"), written - began, ended - written, peak_memory_mb())


def _nacha(entries: int, seed: int) -> _Ran:
    rng = Random(seed)
    odfi, company = AbaRouting("091000019"), PayerId("1999999999")
    routings = [AbaRouting.from_eight(f"07{rng.randrange(10**6):06d}") for _ in range(100)]
    began = time.perf_counter()
    batch = AchBatch(
        batch_number=1,
        company_name="CENTRALPAY DEMO",
        company_id=company,
        odfi=odfi,
        effective_entry_date=next_banking_day(PAID_ON),
        entries=tuple(
            AchEntry(
                routing=routings[number % len(routings)],
                account_number=str(10**9 + number),
                amount_cents=1_000_00 + number,
                receiver_name="MAPLE STREET PHARMACY",
                identification=f"{number:07d}",
                trace_sequence=number,
                trn=Trn(trace_number=f"CP1P{number}", originator=company),
            )
            for number in range(1, entries + 1)
        ),
    )
    file = AchFile(
        destination=odfi,
        origin=company,
        destination_name="ODFI",
        origin_name="CENTRALPAY DEMO",
        created_on=PAID_ON,
        created_time=clock_time(9, 30),
        id_modifier="A",
        batches=(batch,),
    )
    data = write_nacha(file)
    written = time.perf_counter()
    reading = read_nacha(BytesIO(data), "payouts.ach")
    ended = time.perf_counter()
    assert not reading.findings, reading.findings[0]
    return _Ran(entries, written - began, ended - written, peak_memory_mb())
