"""Case ``ingest``: 835 files into the vault, claim lines, advices and the ledger, durable when it says so."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Budget, Figure, Report
from bench.machine import peak_memory_mb
from bench.remittances import write_chain, write_directory, write_stores
from bench.workshop import Place, Workshop, apart, at


@dataclass(frozen=True, slots=True)
class _Taken:
    claims: int
    seconds: float
    peak_mb: float


def measure(shop: Workshop) -> Report:
    """Take in the same claims as one chain's file, and as single-store sets in many files."""
    sizes = shop.sizes
    roster, payers = write_directory(shop.folder, shop.seed, sizes.pharmacies)
    base = shop.new_place()
    apart(receive, base, [roster, payers])
    chain = shop.folder / "chain.835"
    apart(write_chain, chain, shop.seed, sizes.pharmacies, sizes.claims)
    stores = apart(write_stores, shop.folder, shop.seed, sizes.pharmacies, sizes.claims, sizes.files)
    figures: list[Figure] = []
    for label, paths in (("one set for all stores", [chain]), ("a set for each store", stores)):
        runs = []
        for number in range(shop.repeat):
            shop.say(f"ingest: {label}, run {number + 1}")
            place = shop.copy_of(base)
            shop.settle_down()
            runs.append(apart(receive, place, paths))
            shop.remove(place)
        size = f"{runs[0].claims:,} claims, {sizes.pharmacies:,} stores, {len(paths)} files"
        speed = tuple(run.claims / run.seconds for run in runs)
        figures += (
            Figure(f"835 to durable ledger, {label}", size, "claims/s", speed, Budget(25_000, 60_000)),
            Figure("peak memory of that process", size, "MB", tuple(run.peak_mb for run in runs), Budget(300, 150)),
        )
    return Report("ingest", "835 file to vault, claim lines, advices and ledger, durable", tuple(figures))


def receive(place: Place, paths: Sequence[Path]) -> _Taken:
    """Take files in one after the other, as the command does; all must be accepted."""
    claims = 0
    with at(place) as session:
        receiver = session.receiver()
        began = time.perf_counter()
        for path in paths:
            with path.open("rb") as source:
                verdict = receiver.receive(source, path.name)
            assert verdict.status == "accepted", verdict.summary
            claims += sum(each.claims for each in verdict.sets)
        seconds = time.perf_counter() - began
    return _Taken(claims, seconds, peak_memory_mb())
