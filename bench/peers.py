"""Case ``peers``: other readers of 835s beside ours, on the same files in the same run: how fast, and what is lost.

They live in an environment of their own, which ``make peers`` makes; ``peer_readers.py`` calls them there.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.figures import Figure, Listing, Report
from bench.machine import peak_memory_mb
from bench.remittances import LINES, WRAPPED, Contents, write_everything, write_stores
from bench.workshop import Workshop, apart
from ingest.x12.model import FileEnd, SetEnd
from ingest.x12.reader import read_remittances
from schemas.errors import WrongUseError

OURS: Final = "centralpay"
PARTS: Final = {OURS: 1.0, "oxedi": 1.0, "edi-835-parser": 0.2, "x12sdk": 0.02, "pyx12": 0.01}
"""By reader: how much of the file it gets; the slow ones get the first sets of the same file."""
PYTHON: Final = Path(sys.prefix) / "peers" / "bin" / "python"

_PROGRAM = Path(__file__).with_name("peer_readers.py")
_COLUMNS = ("reader", "lines", "claims", "PLB adjustments", "stores", "reject codes", "sets called unbalanced")
_COUNTED_SETS = 20
_CLAIMS_COUNTED = 2_000


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one reader made of one file; what is 0 may as well not have been counted."""

    seconds: float
    processor: float
    """Seconds of the processor's time."""
    peak_mb: float
    claims: int
    adjustments: int = 0
    stores: int = 0
    rejections: int = 0
    imbalances: int = 0
    complaints: int = 0
    error: str = ""


def check_installed() -> None:
    """Say it when the other readers are not there.

    Raises:
        WrongUseError: they are not.
    """
    if not PYTHON.exists():
        raise WrongUseError(f"{PYTHON} is not there: the other readers are installed by `make peers`")


def measure(shop: Workshop) -> Report:
    """Time each reader on sound sets, then count what it keeps of a file that has everything, and what it sees."""
    figures = [figure for wrapped in (False, True) for figure in _timed(shop, wrapped=wrapped)]
    listings = (_kept(shop), _seen(shop))
    return Report("peers", "Other readers of 835s on the same files", tuple(figures), listings)


def _timed(shop: Workshop, *, wrapped: bool) -> list[Figure]:
    """Time all readers turn by turn, so that a disturbance falls on all of them."""
    sizes, label = shop.sizes, "wrapped at 80 columns" if wrapped else "one line a segment"
    (path,) = apart(write_stores, shop.folder, shop.seed, sizes.pharmacies, sizes.claims, 1)
    parts = {reader: shop.folder / f"{reader}.835" for reader in PARTS}
    claims = {reader: apart(_write_part, path, parts[reader], part, wrapped=wrapped) for reader, part in PARTS.items()}
    path.unlink()
    runs: dict[str, list[_Reading]] = {reader: [] for reader in PARTS}
    for number in range(shop.repeat):
        shop.say(f"peers: {label}, run {number + 1}")
        for reader, part_path in parts.items():
            runs[reader].append(_read(reader, part_path))
    figures: list[Figure] = []
    for reader, readings in runs.items():
        if readings[0].claims:  # else it did not read the file; the listing says why
            what = f"{reader}, {label}"
            figures += _figures(what, readings, claims[reader], parts[reader].stat().st_size / 1e6)
    return figures


def _figures(what: str, runs: Sequence[_Reading], claims: int, size_mb: float) -> list[Figure]:
    size, lost = f"{claims:,} claims, {size_mb:.2g} MB", claims - runs[0].claims
    what = f"{what}; {lost:,} claims lost" if lost else what
    return [
        Figure(what, size, "claims/s", tuple(run.claims / run.seconds for run in runs)),
        Figure("the same by processor time", size, "claims/s", tuple(run.claims / run.processor for run in runs)),
        Figure("the same in bytes, by processor time", size, "MB/s", tuple(size_mb / run.processor for run in runs)),
        Figure("peak memory of that process", size, "MB", tuple(run.peak_mb for run in runs)),
    ]


def _kept(shop: Workshop) -> Listing:
    """Count what each reader keeps of sets with two stores, two PLBs, denials and reversals each."""
    shop.say("peers: what is lost")
    rows: list[tuple[str, ...]] = []
    for syntax, lines in ((LINES, "one a segment"), (WRAPPED, "wrapped")):
        path = shop.folder / "everything.835"
        claims = min(_CLAIMS_COUNTED, shop.sizes.claims)
        held: Contents = apart(write_everything, path, shop.seed, _COUNTED_SETS, claims, syntax)
        if not rows:
            truth = (held.claims, held.adjustments, len(held.stores), held.rejections, 0)
            rows.append(("in the file", "", *map(str, truth), "", ""))
        for reader in PARTS:
            reading = _read(reader, path, held.stores)
            counts = (reading.claims, reading.adjustments, reading.stores, reading.rejections, reading.imbalances)
            rows.append((reader, lines, *map(str, counts), str(reading.complaints), reading.error))
    title = f"What is kept of {_COUNTED_SETS} sets that are in order, with two stores and two PLBs each"
    return Listing(title, (*_COLUMNS, "findings", "raised"), tuple(rows))


def _seen(shop: Workshop) -> Listing:
    """Count which of three wrong sets each reader calls unbalanced: a claim, a service and a payment off by a cent."""
    (path,) = apart(write_stores, shop.folder, shop.seed, 20, _CLAIMS_COUNTED // 10, 1)
    path.write_bytes(_unbalanced(path.read_bytes()))
    rows = []
    for reader in PARTS:
        reading = _read(reader, path, ["none"])
        rows.append((reader, f"{reading.imbalances} of 3", reading.error))
    return Listing("Three of 20 sets made wrong by a cent", ("reader", "called unbalanced", "raised"), tuple(rows))


def _unbalanced(data: bytes) -> bytes:
    """Add a cent to the payment of the first set, to a claim's adjustment in the second, to a service in the third."""
    parts = _sets(data)
    for number, pattern in enumerate(
        (rb"BPR\*I\*\d+\.\d", rb"CAS\*\w+\*\w+\*\d+\.\d", rb"SVC\*[^*]+\*[^*]+\*\d+\.\d"), 1
    ):
        found = re.search(pattern + rb"(\d)", parts[number])
        assert found is not None
        cent = b"%d" % ((int(found[1]) + 1) % 10)
        parts[number] = parts[number][: found.start(1)] + cent + parts[number][found.end(1) :]
    return b"".join(parts)


def _write_part(path: Path, part_path: Path, part: float, *, wrapped: bool) -> int:
    """Write the first sets of a file as a file of its own; give how many claims it has."""
    head, *sets = _sets(path.read_bytes())
    count = max(1, round(len(sets) * part))
    trailer = sets[-1][sets[-1].rindex(b"\nGE*") + 1 :]
    body = b"".join(sets[:count]).removesuffix(trailer)
    data = head + body + re.sub(rb"^GE\*\d+", b"GE*%d" % count, trailer)
    if wrapped:
        data = data.replace(b"\n", b"")
        data = b"".join(data[at : at + 80] + b"\r\n" for at in range(0, len(data), 80))
    part_path.write_bytes(data)
    return len(re.findall(rb"~C[\r\n]*L[\r\n]*P", data.replace(b"~\n", b"~").replace(b"~\r\n", b"~")))


def _sets(data: bytes) -> list[bytes]:
    """Split a file with a line for each segment: what precedes the first ST, then each set."""
    return re.split(rb"(?=^ST\*)", data, flags=re.MULTILINE)


def _read(reader: str, path: Path, stores: Sequence[str] = ()) -> _Reading:
    """Read a file in a process of its own; with ids of stores, count what was kept."""
    if reader == OURS:
        return apart(_read_ours, path)
    command = [str(PYTHON), "-P", str(_PROGRAM), reader, str(path), *(["--count", *stores] if stores else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return _Reading(**json.loads(done.stdout))


def _read_ours(path: Path) -> _Reading:
    claims = adjustments = rejections = imbalances = complaints = 0
    stores: set[str] = set()
    began, processor_began = time.perf_counter(), time.process_time()
    with path.open("rb") as stream:
        for event in read_remittances(stream, path.name):
            if isinstance(event, list):
                stores.update({claim.payee for claim in event})
                rejections += sum(claim.reject_codes.count(":") for claim in event)
            elif isinstance(event, SetEnd):
                claims += event.claim_count
                adjustments += len(event.plb)
                imbalances += not event.balances
                complaints += len(event.findings)
            elif isinstance(event, FileEnd):
                complaints += len(event.findings)
    return _Reading(
        seconds=time.perf_counter() - began,
        processor=time.process_time() - processor_began,
        peak_mb=peak_memory_mb(),
        claims=claims,
        adjustments=adjustments,
        stores=len(stores),
        rejections=rejections,
        imbalances=imbalances,
        complaints=complaints,
    )
