"""Measure and print: ``python -m bench [--only CASE] [--scale F] [--write docs/performance.md]``."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench import export, finding, formats, ingesting, large, paying, peers, posting, reading, seal, statements, verify
from bench.figures import Report, print_report, report_markdown
from bench.machine import load_now, machine_facts, machine_markdown
from bench.page import check_places, write_sections
from bench.sizes import Sizes
from bench.workshop import Workshop
from schemas.errors import CentralpayError

CASES: Final[dict[str, Callable[[Workshop], Report]]] = {
    "parse": reading.measure,
    "ingest": ingesting.measure,
    "post": posting.measure,
    "cycle": paying.measure,
    "statements": statements.measure,
    "files": formats.measure,
    "peers": peers.measure,
    "large": large.measure,
    "find": finding.measure,
    "seal": seal.measure,
    "export": export.measure,
    "verify": verify.measure,
}
NAMED_ONLY: Final = {"large", "find", "seal", "export", "verify"}
"""Cases of many minutes and gigabytes, which run only when asked for by name."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases that are asked for; give the exit code: 0 done, 2 wrong use."""
    asked = _parser().parse_args(arguments)
    names = asked.only or [name for name in CASES if name not in NAMED_ONLY]
    began = time.perf_counter()

    def say(what: str) -> None:
        sys.stderr.write(f"{time.perf_counter() - began:6.0f} s  {what}\n")

    try:
        if asked.write is not None:
            check_places(asked.write, ["machine", *names])
        if "peers" in names:
            peers.check_installed()
        with tempfile.TemporaryDirectory(prefix="centralpay-bench-") as folder:
            shop = Workshop(Path(folder), Sizes.scaled(asked.scale), asked.repeat, asked.seed, say)
            with shop.running() as postgres:
                today = datetime.now(UTC).date()
                facts = machine_facts(postgres=postgres, measured_on=today, scale=asked.scale, repeat=asked.repeat)
                for name, value in facts.items():
                    print(f"{name}: {value}")
                sections = {"machine": machine_markdown(facts)}
                for name in names:
                    circumstances = f"{today}, sizes times {asked.scale:g}, load {load_now()} when it began."
                    report = CASES[name](shop)
                    print_report(report)
                    sections[name] = report_markdown(report, circumstances)
        if asked.write is not None:
            write_sections(asked.write, sections)
    except CentralpayError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the main work beside its budgets.")
    only = f"only this case; may be repeated; without it all but {' and '.join(sorted(NAMED_ONLY))}"
    parser.add_argument("--only", action="append", choices=CASES, help=only)
    parser.add_argument("--scale", type=_positive, default=1.0, help="sizes as a part of the full ones, such as 0.01")
    parser.add_argument("--repeat", type=_runs, default=3, help="runs of each measurement; the median counts")
    parser.add_argument("--seed", type=int, default=20261120, help="the only source of chance")
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="put the figures into this page, docs/performance.md"
    )
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value <= 100:
        raise argparse.ArgumentTypeError("must be above 0 and at most 100")
    return value


def _runs(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


if __name__ == "__main__":
    sys.exit(main())
