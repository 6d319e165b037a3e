"""Case ``large``: the largest 835 that is to be expected, as a file and packed through a pipe: memory must not grow.

Minutes and gigabytes: it runs only when named, once each.
"""

import io
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from bench.figures import Budget, Figure, Report
from bench.machine import peak_memory_mb
from bench.remittances import write_directory, write_long
from bench.workshop import Place, Workshop, apart, at
from ingest.unpacking import plain_pieces
from ingest.x12.model import FileEnd, SetEnd
from ingest.x12.reader import read_remittances

_MEMORY = Budget(300, 150)
_LARGEST_BYTES = 1 << 40


@dataclass(frozen=True, slots=True)
class _Done:
    claims: int
    seconds: float
    peak_mb: float


def measure(shop: Workshop) -> Report:
    """Read the file from disk, read it packed through a pipe, and take it in packed through a pipe."""
    sizes = shop.sizes
    path, packed = shop.folder / "long.835", shop.folder / "long.835.gz"
    shop.say("large: writing the file")
    apart(write_long, path, shop.seed, sizes.pharmacies, sizes.long_claims, sizes.long_sets)
    size_gb = path.stat().st_size / 1e9
    shop.say("large: reading it")
    from_disk = apart(_read_file, path)
    shop.say("large: packing it")
    with packed.open("wb") as target:
        subprocess.run(["/bin/gzip", "-1", "-c", str(path)], stdout=target, check=True)
    path.unlink()
    shop.say("large: reading it through a pipe")
    from_pipe = apart(_read_piped, packed)
    place = shop.new_place()
    apart(_receive, place, [*write_directory(shop.folder, shop.seed, sizes.pharmacies)])
    shop.settle_down()
    shop.say("large: taking it in through a pipe")
    taken = apart(_receive, place, [packed])
    packed.unlink()
    size = f"{from_disk.claims:,} claims in {sizes.long_sets} sets, {size_gb:.2g} GB"
    figures = (
        *_figures("the largest file read and balanced", size, from_disk, Budget(100_000, 200_000)),
        *_figures("the same, packed by gzip, through a pipe", size, from_pipe, None),
        *_figures("the largest file to durable ledger, packed, through a pipe", size, taken, Budget(25_000, 60_000)),
    )
    shop.remove(place)
    return Report("large", "The largest file", figures)


def _figures(what: str, size: str, done: _Done, budget: Budget | None) -> tuple[Figure, Figure]:
    return (
        Figure(what, size, "claims/s", (done.claims / done.seconds,), budget),
        Figure("peak memory of that process", size, "MB", (done.peak_mb,), _MEMORY),
    )


def _read_file(path: Path) -> _Done:
    with path.open("rb") as stream:
        return _read(stream)


def _read_piped(path: Path) -> _Done:
    with _piped(path) as stream:
        return _read(cast("BinaryIO", _Unpacked(plain_pieces(stream, "standard input", _LARGEST_BYTES))))


def _read(stream: BinaryIO) -> _Done:
    claims = 0
    began = time.perf_counter()
    for event in read_remittances(stream, "long.835"):
        if isinstance(event, SetEnd):
            assert event.balances, event.findings
            claims += event.claim_count
        elif isinstance(event, FileEnd):
            assert not event.findings, event.findings
    return _Done(claims, time.perf_counter() - began, peak_memory_mb())


def _receive(place: Place, paths: list[Path]) -> _Done:
    """Take files in through a pipe, as from standard input; all must be accepted."""
    claims = 0
    with at(place) as session:
        receiver = session.receiver()
        began = time.perf_counter()
        for path in paths:
            with _piped(path) as stream:
                verdict = receiver.receive(stream, path.name)
            assert verdict.status == "accepted", verdict.summary
            claims += sum(each.claims for each in verdict.sets)
        seconds = time.perf_counter() - began
    return _Done(claims, seconds, peak_memory_mb())


@contextmanager
def _piped(path: Path) -> Iterator[BinaryIO]:
    """Give a file's bytes through a pipe that another program fills."""
    with subprocess.Popen(["/bin/cat", os.fspath(path)], stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        yield cast("BinaryIO", program.stdout)


class _Unpacked(io.RawIOBase):
    """A stream over pieces that come one after the other."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = b""

    def read(self, size: int = -1, /) -> bytes:
        """Give what is left of a piece, at most ``size`` bytes; short reads are fine."""
        if not self._held:
            self._held = next(self._pieces, b"")
        given, self._held = self._held[:size], self._held[size:]
        return given
