"""How other readers of 835s are called, and what is counted in what they give: a program for their own environment.

``python -P bench/peer_readers.py READER FILE [--count ID ...]`` runs there, imports nothing of ours, and prints one
JSON object: seconds, processor time and peak memory of reading, and claims; with ``--count`` also what else is found in
the output. Their interfaces are used as their own documentation and sources show them; each is one function below.
"""

import argparse
import json
import logging
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

Counts = dict[str, Any]
"""``claims``, ``adjustments`` (pairs of PLBs), ``rejections`` (LQ), ``complaints`` (whatever is reported), all numbers;
``stores``, texts among which the ids of stores (TS301) would be if they were kept where the claims are; ``imbalances``,
the transaction sets reported as out of balance; ``error``, what ended the reading."""

_PLB_AMOUNTS = range(4, 15, 2)


class _Segment(Protocol):
    """A segment as pyx12 hands it on."""

    def get_seg_id(self) -> str: ...
    def get_value(self, reference: str) -> str | None: ...


class _Node(Protocol):
    """The place of a segment in pyx12's map."""

    id: str


def oxedi(library: ModuleType, path: str, *, count: bool) -> Counts:
    """Read with oxedi: typed tables and diagnostics; what is in no table is counted as dropped."""
    result = library.parse_file(path)
    counts: Counts = {"claims": result.count_claims()}
    if count:
        tables = result.tables
        unbalanced = [each for each in result.diagnostics if each.kind == "BalanceMismatch"]
        kept = [
            column for name in tables for column in tables[name].columns if "remark" in column or "reject" in column
        ]
        counts |= {
            "adjustments": len(tables["provider_adjustments"]),
            "rejections": sum(len(tables[name]) for name in tables if set(kept) & set(tables[name].columns)),
            "stores": sorted(set(tables["claims"].render().replace("\n", " | ").split(" | "))),
            "complaints": len(result.diagnostics),
            "imbalances": sorted({each.path.split("/2000")[0] for each in unbalanced}),
        }
    return counts


def x12sdk(library: ModuleType, path: str, *, count: bool) -> Counts:
    """Read with x12sdk: a model for each transaction set; the first that does not fit raises and ends the reading."""
    counts: Counts = Counter(claims=0, adjustments=0, rejections=0, complaints=0)
    stores, imbalances = [], []
    try:
        with library.X12ModelReader(path) as reader:
            for model in reader.models():
                loops = model.loop_2000
                counts["claims"] += sum(len(loop.loop_2100) for loop in loops)
                if count:
                    stores += [loop.ts3_segment.provider_identifier for loop in loops if loop.ts3_segment]
                    services = [each for loop in loops for claim in loop.loop_2100 for each in claim.loop_2110 or ()]
                    counts["rejections"] += sum(len(service.lq_segment or ()) for service in services)
                    plb = model.footer.plb_segment
                    amounts = [] if plb is None else [f"provider_adjustment_amount_{each}" for each in range(1, 7)]
                    counts["adjustments"] += sum(getattr(plb, amount) is not None for amount in amounts)
    except ValueError as error:
        if "Unable to balance" in str(error):
            imbalances.append("the first")
        counts["error"] = _first_line(error)
    return {**counts, "stores": stores, "imbalances": imbalances}


def pyx12(library: ModuleType, path: str, *, count: bool) -> Counts:
    """Validate with pyx12; what it passed to the callback is counted as seen. It has no balance rules."""
    logging.disable(logging.CRITICAL)
    seen: Counts = Counter()
    stores = []

    def callback(segment: _Segment, _source: object, node: _Node, _valid: bool) -> None:
        kind = segment.get_seg_id()
        if kind != node.id:
            return
        seen[kind] += 1
        if kind == "PLB":
            seen["pairs"] += sum(bool(segment.get_value(f"PLB{number:02d}")) for number in _PLB_AMOUNTS)
        elif kind == "TS3":
            stores.append(segment.get_value("TS301"))

    told = StringIO()
    parameters = import_module("pyx12.params").params()
    valid = library.x12n_document(parameters, path, None, None, fd_json=told, callback=callback)
    counts: Counts = {"claims": seen["CLP"], "adjustments": seen["pairs"], "rejections": seen["LQ"]}
    if not valid and not seen:
        counts["error"] = "does not look like an X12 data file"
    if count:
        counts["complaints"] = told.getvalue().count('"err_cde"')
    return {**counts, "stores": stores, "imbalances": []}


def edi_835_parser(library: ModuleType, path: str, *, count: bool) -> Counts:
    """Read with edi-835-parser: claims with their services; segments that it does not handle are warnings."""
    with warnings.catch_warnings(record=count) as warned:
        warnings.simplefilter("always" if count else "ignore")
        sets = library.parse(path)
    counts: Counts = {"claims": sets.count_claims()}
    if count:
        claims = [claim for each in sets for claim in each.claims]
        counts |= {
            "adjustments": 0,  # no class of the library has a place for a PLB
            "rejections": sum(len(service.remarks) for claim in claims for service in claim.services),
            "stores": sorted({word for claim in claims for word in repr(claim).replace("'", "*").split("*")}),
            "complaints": len(warned or ()),
            "imbalances": [],
        }
    return counts


READERS: dict[str, tuple[str, Callable[..., Counts]]] = {
    "oxedi": ("oxedi", oxedi),
    "x12sdk": ("x12sdk.io", x12sdk),
    "pyx12": ("pyx12.x12n_document", pyx12),
    "edi-835-parser": ("edi_835_parser", edi_835_parser),
}
"""By name: the module that is imported before the clock starts, and how it is called."""


def main() -> int:
    """Read a file with one reader and print what came."""
    parser = argparse.ArgumentParser()
    parser.add_argument("reader", choices=READERS)
    parser.add_argument("path")
    parser.add_argument("--count", nargs="+", metavar="ID", help="count what was found, stores among these ids")
    asked = parser.parse_args()
    module, read = READERS[asked.reader]
    library = import_module(module)
    began, processor_began = time.perf_counter(), time.process_time()
    try:
        counts = read(library, asked.path, count=asked.count is not None)
    except Exception as error:  # noqa: BLE001 (what it raises is what is told)
        counts = {"claims": 0, "error": _first_line(error)}
    taken = {"seconds": time.perf_counter() - began, "processor": time.process_time() - processor_began}
    counts["stores"] = len(set(asked.count or ()) & set(counts.get("stores", ())))
    counts["imbalances"] = len(counts.get("imbalances", ()))
    sys.stdout.write(json.dumps({**taken, "peak_mb": _peak_memory_mb(), **counts}))
    return 0


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines[:3])[:120]}"


def _peak_memory_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))) * 1024 / 1e6


if __name__ == "__main__":
    sys.exit(main())
