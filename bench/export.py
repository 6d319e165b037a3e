"""Case ``export``: a million sealed entries in each form, and as the folder that the verifier reads."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Budget, Figure, Report
from bench.machine import peak_memory_mb
from bench.seal import prepared
from bench.workshop import ACTOR, Place, Workshop, apart, at
from ledger.export.folder import package
from ledger.export.making import Export, ExportForm, latest_checkpoint
from ledger.export.manifest import Heading
from ledger.export.scope import Selection
from ledger.export.sealed import journal_totals, write_sealed

_LINES = Budget(100_000)
_MEMORY = Budget(300, 150)
_FLAT = (ExportForm.JSONL, ExportForm.CSV, ExportForm.ADS)
_SEAL = "the sealed folder"


@dataclass(frozen=True, slots=True)
class _Written:
    """One export: lines of the journal, seconds, bytes, memory of the process (another one did the queries)."""

    lines: int
    seconds: float
    bytes: int
    peak_mb: float


def measure(shop: Workshop) -> Report:
    """Post and seal once, then write each form again and again."""
    entries = shop.sizes.sealed_entries
    place = prepared(shop, entries)
    apart(_seal, place)
    shop.analyze(place)
    figures = list[Figure]()
    for name in (_SEAL, *(form.value for form in ExportForm)):
        shop.say(f"export: {name}")
        runs = [apart(_write, place, name, shop.folder / "exported") for _ in range(shop.repeat)]
        size = f"{entries:,} entries, {runs[0].lines:,} lines, {runs[0].bytes / 1e6:,.0f} MB"
        speed = tuple(run.lines / run.seconds for run in runs)
        memory = tuple(run.peak_mb for run in runs)
        budget = _LINES if name in _FLAT else None
        figures.append(Figure(f"{name} written", size, "lines/s", speed, budget))
        figures.append(Figure(f"{name}: memory", size, "MB", memory, _MEMORY))
    shop.remove(place)
    return Report("export", "Exports of a sealed ledger", tuple(figures))


def _seal(place: Place) -> None:
    with at(place) as session:
        session.sealer().seal(ACTOR, session.now)


def _write(place: Place, name: str, out: Path) -> _Written:
    shutil.rmtree(out, ignore_errors=True)
    with at(place) as session, session.reading() as connection:
        chosen = Selection(latest_checkpoint(connection).size)
        _, totals = journal_totals(connection, chosen)
        began = time.perf_counter()
        if name == _SEAL:
            with package(out) as folder:
                write_sealed(connection, folder, chosen, lambda *_: None)
                heading = Heading(
                    origin="bench", company="bench", made_at=session.now, scope=chosen.scope, checkpoint=None
                )
                made = folder.finish(heading)
        else:
            asked = Export(ExportForm(name), chosen, "bench", session.now, with_seal=False)
            made = asked.write(connection, out, lambda *_: None)
        seconds = time.perf_counter() - began
    written = sum(each.bytes for each in made.files)
    shutil.rmtree(out)
    return _Written(totals.rows or 0, seconds, written, peak_memory_mb())
