"""How other libraries for bank files are called: a program for their own environment, beside ``formats``.

``python -P bench/bank_peers.py WORK PATH [COUNT]`` runs there, imports nothing of ours, and prints one JSON object:
seconds and peak memory of the work, the records that came out, their cents, and whether the library found fault.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

Result = dict[str, Any]
"""``records`` and ``cents`` that came out; ``is_good``, whether the library accepts the file."""


def write_achkit(library: ModuleType, path: str, count: int) -> Result:
    """Write CCD+ credits with achkit; their TRNs and amounts are those of our own run."""
    file = library.AchFile.create(
        origin_dfi="091000019", company_id="1999999999", destination_name="ODFI", origin_name="CENTRALPAY DEMO"
    )
    batch = file.batch(sec="CCD", description="HCCLAIMPMT", effective_date="2026-11-20")
    for number in range(1, count + 1):
        batch.credit(
            name="MAPLE STREET PHARMACY",
            routing="071000013",
            account=str(10**9 + number),
            amount_cents=1_000_00 + number,
            id_number=f"{number:07d}",
            addenda=f"TRN*1*CP1P{number}*1999999999~",
        )
    Path(path).write_text(file.render(), encoding="ascii")
    return {"records": count, "cents": sum(1_000_00 + number for number in range(1, count + 1)), "is_good": True}


def read_achkit(library: ModuleType, path: str, _count: int) -> Result:
    """Parse and validate with achkit."""
    text = Path(path).read_text(encoding="ascii")
    verdict = library.validate(text)
    entries = [entry for batch in library.parse(text)["batches"] for entry in batch["entries"]]
    cents = sum(entry["amount_cents"] for entry in entries)
    return {"records": len(entries), "cents": cents, "is_good": verdict["ok"]}


def read_bai2(library: ModuleType, path: str, _count: int) -> Result:
    """Read a bank statement with bai2, its totals checked as it does by default."""
    with Path(path).open(encoding="ascii") as source:
        file = library.parse_from_file(source)
    items = [item for group in file.children for account in group.children for item in account.children]
    return {"records": len(items), "cents": sum(item.amount for item in items), "is_good": True}


WORKS: dict[str, tuple[str, Callable[[ModuleType, str, int], Result]]] = {
    "achkit-write": ("achkit", write_achkit),
    "achkit-read": ("achkit", read_achkit),
    "bai2-read": ("bai2.bai2", read_bai2),
}
"""By name: the module that is imported before the clock starts, and what is done with it."""


def main() -> int:
    """Do one work and print what came."""
    parser = argparse.ArgumentParser()
    parser.add_argument("work", choices=WORKS)
    parser.add_argument("path")
    parser.add_argument("count", type=int, nargs="?", default=0)
    asked = parser.parse_args()
    module, work = WORKS[asked.work]
    library = import_module(module)
    began = time.perf_counter()
    try:
        result = work(library, asked.path, asked.count)
    except Exception as error:  # noqa: BLE001 (what it raises is what is told)
        result = {"records": 0, "cents": 0, "is_good": False, "error": f"{type(error).__name__}: {error}"[:120]}
    seconds = time.perf_counter() - began
    sys.stdout.write(json.dumps({"seconds": seconds, "peak_mb": _peak_memory_mb(), "error": "", **result}))
    return 0


def _peak_memory_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))) * 1024 / 1e6


if __name__ == "__main__":
    sys.exit(main())
