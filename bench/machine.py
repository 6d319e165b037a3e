"""What the figures were measured on: no figure means anything without it."""

import os
import platform
import tempfile
import time
from datetime import date
from pathlib import Path
from statistics import median

from bench.figures import markdown_table

_BLOCK = bytes(8192)
_SYNCS = 50


def machine_facts(*, postgres: str, measured_on: date, scale: float, repeat: int) -> dict[str, str]:
    """Describe the machine and the run, by name.

    Args:
        postgres: the server's version.
        measured_on: the day of the run.
        scale: the sizes as a part of the full ones.
        repeat: runs of each measurement.
    """
    return {
        "measured on": f"{measured_on}, {repeat} runs of each, sizes times {scale:g}",
        "processor": f"{_processor()}, {len(os.sched_getaffinity(0))} cores",
        "memory": f"{_memory_gb()} GB",
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "PostgreSQL": f"{postgres}, embedded, fsync on, on the same machine",
        "disk": f"{_sync_ms():.2f} ms for 8 kB written and flushed (median of {_SYNCS})",
        "load when the run began": f"{load_now()} (1, 5 and 15 minutes)",
    }


def load_now() -> str:
    """Give how busy the machine has been in the last 1, 5 and 15 minutes, in processes that want to run."""
    return "/".join(f"{each:.1f}" for each in os.getloadavg())


def machine_markdown(facts: dict[str, str]) -> str:
    """Write the description as a table of the documentation."""
    return markdown_table(("", ""), list(facts.items()))


def peak_memory_mb() -> float:
    """Give the most memory that this process ever had resident, in MB of 10^6 bytes.

    Linux keeps it for each program that a process becomes; getrusage() would give a child what its parent once had.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(kilobytes) * 1024 / 1e6


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _memory_gb() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9)


def _sync_ms() -> float:
    seconds = []
    with tempfile.TemporaryFile() as file:
        for _ in range(_SYNCS):
            began = time.perf_counter()
            file.write(_BLOCK)
            file.flush()
            os.fsync(file.fileno())
            seconds.append(time.perf_counter() - began)
    return median(seconds) * 1000
