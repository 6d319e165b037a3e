"""Fuzz the reading of 835 remittances: ``python -m tests.fuzz [--inputs N] [--seed S] [--minutes M]``.

Two processes work side by side, each from a seed of its own. What does not hold is written to a folder, made small, and
read again with ``--replay FILE``. Exit code 0 when everything held, 1 when something did not.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from secrets import randbits
from typing import Final

from tests.fuzz.campaign import Tally, say, work
from tests.fuzz.trial import judged

PROCESSES: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for and print what was found."""
    asked = _parser().parse_args(arguments)
    if asked.replay is not None:
        return _replay(asked.replay, asked.chunk_bytes)
    seed = randbits(32) if asked.seed is None else asked.seed
    say(f"seed {seed}, {asked.inputs:,} inputs in {PROCESSES} processes")
    began = time.monotonic()
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as processes:
        seeds = [f"{seed}-{number}" for number in range(PROCESSES)]
        runs = [
            processes.submit(work, each, asked.inputs // PROCESSES, asked.minutes * 60, asked.folder) for each in seeds
        ]
        tallies = [run.result() for run in runs]
    _print_tallies(tallies, time.monotonic() - began)
    return 1 if any(tally.failures for tally in tallies) else 0


def _print_tallies(tallies: Sequence[Tally], seconds: float) -> None:
    inputs = sum(tally.inputs for tally in tallies)
    accepted_sets = sum(tally.accepted_sets for tally in tallies)
    say(
        f"{inputs:,} inputs in {seconds:.0f} s ({inputs / seconds:.0f}/s): "
        f"{sum(tally.unreadable for tally in tallies):,} unreadable, "
        f"{sum(tally.sets for tally in tallies):,} sets of which {accepted_sets:,} accepted, "
        f"{sum(tally.claims for tally in tallies):,} claims, "
        f"{max(tally.pairs for tally in tallies):,} pairs of traits; "
        f"slowest {1000 * max(tally.slowest for tally in tallies):.0f} ms, "
        f"peak memory {max(tally.peak_mb for tally in tallies):.0f} MB a process"
    )


def _replay(path: Path, chunk_bytes: int | None) -> int:
    _, complaint = judged(path.read_bytes(), chunk_bytes)
    say(f"{path}: {complaint or 'all holds'}")
    return 1 if complaint else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz the reading of 835 remittances.")
    parser.add_argument("--inputs", type=int, default=1_000_000, help="how many inputs, in all processes together")
    parser.add_argument("--seed", type=int, help="the only source of chance; one is drawn and printed when left out")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after so long at the latest")
    parser.add_argument("--folder", type=Path, default=Path("var/fuzz"), help="where failing inputs go")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="read and judge one input again")
    parser.add_argument("--chunk-bytes", type=int, help="with --replay: read it in such stretches as well")
    return parser


if __name__ == "__main__":
    sys.exit(main())
