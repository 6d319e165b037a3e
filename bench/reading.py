"""Case ``parse``: an 835 read and balanced in one process, nothing written."""

import time
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Budget, Figure, Report
from bench.machine import peak_memory_mb
from bench.remittances import LINES, WRAPPED, write_chain
from bench.workshop import Workshop, apart
from ingest.x12.model import FileEnd, SetEnd
from ingest.x12.reader import read_remittances


@dataclass(frozen=True, slots=True)
class _Read:
    claims: int
    seconds: float
    processor_seconds: float
    peak_mb: float


def measure(shop: Workshop) -> Report:
    """Read the same claims with a line for each segment, and wrapped at 80 columns."""
    figures: list[Figure] = []
    for label, syntax in (("one line a segment", LINES), ("wrapped at 80 columns", WRAPPED)):
        shop.say(f"parse: {label}")
        path = shop.folder / "parse.835"
        apart(write_chain, path, shop.seed, shop.sizes.pharmacies, shop.sizes.claims, syntax)
        size_mb = path.stat().st_size / 1e6
        runs = [apart(_read, path) for _ in range(shop.repeat)]
        path.unlink()
        size = f"{runs[0].claims:,} claims, {size_mb:.0f} MB"
        speed = tuple(run.claims / run.seconds for run in runs)
        figures += (
            Figure(f"835 read and balanced, {label}", size, "claims/s", speed, Budget(100_000, 200_000)),
            Figure(
                "the same by processor time, without waiting for a busy machine",
                size,
                "claims/s",
                tuple(run.claims / run.processor_seconds for run in runs),
            ),
            Figure("the same in bytes", size, "MB/s", tuple(size_mb / run.seconds for run in runs)),
            Figure("peak memory of that process", size, "MB", tuple(run.peak_mb for run in runs), Budget(300, 150)),
        )
    return Report("parse", "Reading 835 remittances", tuple(figures))


def _read(path: Path) -> _Read:
    claims = 0
    began, processor_began = time.perf_counter(), time.process_time()
    with path.open("rb") as stream:
        for event in read_remittances(stream, path.name):
            if isinstance(event, SetEnd):
                assert event.balances, event.findings
                claims += event.claim_count
            elif isinstance(event, FileEnd):
                assert not event.findings, event.findings
    seconds, processor_seconds = time.perf_counter() - began, time.process_time() - processor_began
    return _Read(claims, seconds, processor_seconds, peak_memory_mb())
