"""Case ``files``: the bank's formats, read and written in memory, beside other libraries where they are installed.

The others live in an environment of their own (``make peers``); ``bank_peers.py`` calls them there, on the same files.
"""

import json
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import time as clock_time
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Final

from bench.figures import Budget, Figure, Listing, Report
from bench.machine import peak_memory_mb
from bench.peers import PYTHON
from bench.remittances import BANK_ACCOUNT, PAID_ON
from bench.workshop import Workshop, apart
from ingest.bank.bai2 import read_bai2
from ingest.bank.bai2_writer import StatementLine, write_bai2
from payouts.nacha.bulk import many_values
from payouts.nacha.models import AchBatch, AchEntry, AchFile
from payouts.nacha.reader import read_nacha
from payouts.nacha.trn import Trn
from payouts.nacha.writer import write_nacha
from schemas.calendar import is_banking_day, next_banking_day
from schemas.identifiers import AbaRouting, PayerId

_TEXT = "HARROWGATE BENEFIT HCCLAIMPMT TRN*1*{number:012d}*1361234567~ ONE LINE MORE THAN EIGHTY COLUMNS HOLD"
_MEMORY = Budget(300, 150)
_PROGRAM = Path(__file__).with_name("bank_peers.py")
_ROUTING: Final = AbaRouting("071000013")


@dataclass(frozen=True, slots=True)
class _Ran:
    """One run: records or lines, the seconds for each step, and what came out."""

    count: int
    written: float
    read: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class _Peer:
    """One run of another library."""

    seconds: float
    peak_mb: float
    records: int
    cents: int
    is_good: bool
    error: str = ""


def measure(shop: Workshop) -> Report:
    """Read a bank statement; write a payment file and read it back; ours and the others turn by turn."""
    statement, payments = shop.folder / "bank.bai2", shop.folder / "payments.ach"
    bank: list[_Ran] = []
    own: list[_Ran] = []
    others: dict[str, list[_Peer]] = {"bai2-read": [], "achkit-write": [], "achkit-read": []}
    for number in range(shop.repeat):
        shop.say(f"files: BAI2 and NACHA, run {number + 1}")
        bank.append(apart(_bai2, statement, shop.sizes.bank_lines, shop.seed))
        own.append(apart(_nacha, payments, shop.sizes.payouts))
        if PYTHON.exists():
            others["bai2-read"].append(_peer("bai2-read", statement))
            others["achkit-write"].append(_peer("achkit-write", shop.folder / "achkit.ach", shop.sizes.payouts))
            others["achkit-read"].append(_peer("achkit-read", payments))
    lines, entries = f"{bank[0].count:,} lines", f"{own[0].count:,} entries"
    figures = [
        Figure("BAI2 statement read and footed", lines, "s", tuple(run.read for run in bank), Budget(0.6, 0.4)),
        Figure("peak memory of that process", lines, "MB", tuple(run.peak_mb for run in bank), _MEMORY),
        *_beside("bai2, the same statement", lines, others["bai2-read"]),
        Figure(
            "NACHA file of CCD+ credits made and written",
            entries,
            "s",
            tuple(run.written for run in own),
            Budget(0.3, 0.15),
        ),
        *_beside("achkit, as many credits written", entries, others["achkit-write"]),
        Figure("our file read back and checked", entries, "s", tuple(run.read for run in own), Budget(0.5, 0.25)),
        Figure("peak memory of that process", entries, "MB", tuple(run.peak_mb for run in own), _MEMORY),
        *_beside("achkit, our file parsed and validated", entries, others["achkit-read"]),
    ]
    listings = (_seen(shop, payments),) if PYTHON.exists() else ()
    if not PYTHON.exists():
        shop.say("files: other libraries are not installed (make peers); only ours is measured")
    return Report("files", "Bank files", tuple(figures), listings)


def _beside(what: str, size: str, runs: Sequence[_Peer]) -> list[Figure]:
    if not runs:
        return []
    error = f": {runs[0].error}" if runs[0].error else ""
    return [Figure(f"{what}{error}", size, "s", tuple(run.seconds for run in runs))]


def _seen(shop: Workshop, payments: Path) -> Listing:
    """Make one mistake after the other in a file that is good, and say who sees it."""
    rows = []
    for what, change in _MISTAKES.items():
        wrong = shop.folder / "wrong.ach"
        lines = payments.read_text(encoding="ascii").splitlines()[:6]
        wrong.write_text(_small_file(lines, change), encoding="ascii")
        with wrong.open("rb") as stream:
            ours = "refused" if not read_nacha(stream, wrong.name).is_accepted else "accepted"
        theirs = _peer("achkit-read", wrong)
        rows.append((what, ours, "accepted" if theirs.is_good else "refused"))
    return Listing("One mistake in a file that is good", ("mistake", "centralpay", "achkit"), tuple(rows))


def _small_file(lines: list[str], change: Callable[[list[str]], list[str]]) -> str:
    """Make a file of two entries with controls that foot, but for what the change does afterwards."""
    header, batch, *body = lines
    cents = sum(int(line[29:39]) for line in body if line[0] == "6")
    sums = f"{sum(int(line[3:11]) for line in body if line[0] == '6'):010d}{0:012d}{cents:012d}"
    control = f"8220{len(body):06d}{sums}{batch[40:50]}{'':25}{batch[79:94]}"
    last = f"9{1:06d}{1:06d}{len(body):08d}{sums}{'':39}"
    return "\n".join([*change([header, batch, *body, control, last]), "9" * 94, "9" * 94, ""])


def _put(number: int, column: int, content: str) -> Callable[[list[str]], list[str]]:
    """Put other content into a line, from a column on; both count from 1."""

    def change(lines: list[str]) -> list[str]:
        line = lines[number - 1]
        line = line[: column - 1] + content + line[column - 1 + len(content) :]
        return [*lines[: number - 1], line, *lines[number:]]

    return change


def _without_addenda(lines: list[str]) -> list[str]:
    """Take the first entry's addenda away, everything else made to fit."""
    lines = _put(3, 79, "0")(lines)
    lines = _put(8, 14, "00000003")(_put(7, 5, "000003")(lines))
    lines = [*lines[:3], *lines[4:]]
    return [*lines, "9" * 94]


_MISTAKES: Final[dict[str, Callable[[list[str]], list[str]]]] = {
    "none": lambda lines: lines,
    "a total off by a cent": _put(7, 44, "0"),
    "a routing number with a wrong check digit": _put(3, 12, "9"),
    "an effective date that does not exist": _put(2, 70, "260231"),
    "an entry description HCCLAIMPMT without addenda": _without_addenda,
    "a TRN without its terminator": _put(4, 26, " "),
    "two entries with one trace number": _put(5, 80, "091000010000001"),
    "a credit in a batch of debits": lambda lines: _put(2, 2, "225")(_put(7, 2, "225")(lines)),
    "a company identification that differs in the control": _put(7, 45, "1888888888"),
    "an account number of blanks": _put(3, 13, " " * 17),
}


def _peer(work: str, path: Path, count: int = 0) -> _Peer:
    command = [str(PYTHON), "-P", str(_PROGRAM), work, str(path), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return _Peer(**json.loads(done.stdout))


def _bai2(path: Path, lines: int, seed: int) -> _Ran:
    rng = Random(seed)
    items = [
        StatementLine("142", rng.randrange(1, 10**8), f"{number:016d}", "", _TEXT.format(number=number))
        for number in range(lines // 2)  # each takes a line and a continuation
    ]
    began = time.perf_counter()
    data = write_bai2(account=BANK_ACCOUNT, as_of=PAID_ON, opening_cents=0, items=items)
    written = time.perf_counter()
    path.write_bytes(data)
    ready = time.perf_counter()
    read_bai2(BytesIO(data), "bank.bai2")
    ended = time.perf_counter()
    return _Ran(data.count(b"\n"), written - began, ended - ready, peak_memory_mb())


def _nacha(path: Path, entries: int) -> _Ran:
    # The calendar is made once in a process, for whatever asks first.
    is_banking_day(PAID_ON)
    began = time.perf_counter()
    with many_values():
        data = write_nacha(_file(entries))
    written = time.perf_counter()
    path.write_bytes(data)
    ready = time.perf_counter()
    reading = read_nacha(BytesIO(data), "payouts.ach")
    ended = time.perf_counter()
    assert not reading.findings, reading.findings[0]
    return _Ran(entries, written - began, ended - ready, peak_memory_mb())


def _file(entries: int) -> AchFile:
    odfi, company = AbaRouting("091000019"), PayerId("1999999999")
    batch = AchBatch(
        batch_number=1,
        company_name="CENTRALPAY DEMO",
        company_id=company,
        odfi=odfi,
        effective_entry_date=next_banking_day(PAID_ON),
        entries=tuple([_entry(number, company) for number in range(1, entries + 1)]),
    )
    return AchFile(
        destination=odfi,
        origin=company,
        destination_name="ODFI",
        origin_name="CENTRALPAY DEMO",
        created_on=PAID_ON,
        created_time=clock_time(9, 30),
        id_modifier="A",
        batches=(batch,),
    )


def _entry(number: int, company: PayerId) -> AchEntry:
    return AchEntry(
        routing=_ROUTING,
        account_number=str(10**9 + number),
        amount_cents=1_000_00 + number,
        receiver_name="MAPLE STREET PHARMACY",
        identification=f"{number:07d}",
        trace_sequence=number,
        trn=Trn(trace_number=f"CP1P{number}", originator=company),
    )
