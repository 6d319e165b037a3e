"""Feed the reader damaged inputs and judge what comes: an input that shows something new becomes a start for others."""

import gc
import os
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations_with_replacement
from multiprocessing import parent_process
from pathlib import Path
from random import Random
from typing import Final

from ingest.x12.model import FileEnd, SetEnd
from schemas.errors import UnreadableError
from tests.fuzz.corpus import corpus
from tests.fuzz.judge import Outcome
from tests.fuzz.mutations import LONGEST, mutate
from tests.fuzz.trial import Failure, judged, minimised

GROWTH_MOST_MB: Final = 96
"""What a process may grow by after its first tenth; the pool of inputs fills up to a third of that."""

_POOL_MOST = 3_000
_SAY_AFTER_SECONDS = 30
_OTHER_CHUNKS = 4  # of so many inputs one is read again in other stretches


@dataclass
class Tally:
    """What a campaign has done."""

    inputs: int = 0
    unreadable: int = 0
    sets: int = 0
    accepted_sets: int = 0
    claims: int = 0
    pairs: int = 0
    """Of traits (rules with their elements, counts of sets and claims) that some outcome has shown together."""
    slowest: float = 0.0
    """Seconds of processor time that one input took, reading and judging."""
    peak_mb: float = 0.0
    """Memory of the process at its most."""
    failures: list[Failure] = field(default_factory=list)


class Campaign:
    """A run from one seed: the same seed gives the same inputs.

    Args:
        seed: the only source of chance.
    """

    def __init__(self, seed: str) -> None:
        self._rng = Random(seed)
        self._pool = [data[:LONGEST] for data in corpus(Random(seed))]
        self._seen: set[tuple[str, str]] = set()
        self._kinds: set[str] = set()
        self._started_mb = 0.0
        self.tally = Tally()

    def run(self, inputs: int, seconds: float = float("inf")) -> Iterator[Tally]:
        """Try so many inputs, or as many as the seconds allow; give the tally after every thousand and at the end."""
        until = time.monotonic() + seconds
        for data in list(self._pool):
            self._try(data, None)
        while self.tally.inputs < inputs and time.monotonic() < until:
            self._try(*self._next())
            if self.tally.inputs % 1000 == 0:
                self._watch_memory(inputs)
                yield self.tally
        yield self.tally

    def _next(self) -> tuple[bytes, int | None]:
        rng = self._rng
        data = mutate(rng, rng.choice(self._pool), rng.choice(self._pool))
        return data, rng.randint(60, 3000) if rng.randrange(_OTHER_CHUNKS) == 0 else None

    def _try(self, data: bytes, chunk_bytes: int | None) -> None:
        tally = self.tally
        began = time.process_time()
        outcome, complaint = judged(data, chunk_bytes)
        tally.slowest = max(tally.slowest, time.process_time() - began)
        tally.inputs += 1
        if complaint:
            self._fail(data, complaint, chunk_bytes)
        if outcome is not None:
            self._count(outcome)
            new = set(combinations_with_replacement(sorted(_traits(outcome)), 2)) - self._seen
            if new:
                self._seen |= new
                tally.pairs = len(self._seen)
                self._keep(data)

    def _keep(self, data: bytes) -> None:
        if len(self._pool) < _POOL_MOST:
            self._pool.append(data)
        else:
            self._pool[self._rng.randrange(_POOL_MOST)] = data

    def _count(self, outcome: Outcome) -> None:
        if isinstance(outcome, UnreadableError):
            self.tally.unreadable += 1
            return
        ends = [event for event in outcome if isinstance(event, SetEnd)]
        self.tally.sets += len(ends)
        self.tally.accepted_sets += sum(end.balances for end in ends)
        self.tally.claims += sum(end.claim_count for end in ends)

    def _fail(self, data: bytes, complaint: str, chunk_bytes: int | None) -> None:
        """Keep one failure of a kind, made small."""
        failure = Failure(data, complaint, chunk_bytes)
        if failure.kind not in self._kinds:
            self._kinds.add(failure.kind)
            self.tally.failures.append(minimised(failure))

    def _watch_memory(self, inputs: int) -> None:
        gc.collect()
        self.tally.peak_mb = peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        if not self._started_mb or self.tally.inputs <= inputs // 10:
            self._started_mb = peak_mb
        elif peak_mb - self._started_mb > GROWTH_MOST_MB:
            self._fail(b"", f"memory: grown by {GROWTH_MOST_MB} MB", None)


def work(seed: str, inputs: int, seconds: float, folder: Path) -> Tally:
    """Run a campaign to its end, in a process of its own: keep what failed as it is found, say how it goes.

    Ends early when whoever started it is gone.
    """
    campaign, said, kept, parent = Campaign(seed), time.monotonic(), 0, parent_process()
    for tally in campaign.run(inputs, seconds):
        for failure in tally.failures[kept:]:
            say(f"FAILED {failure.complaint}\n  python -m tests.fuzz --replay {failure.written_to(folder)}")
        kept = len(tally.failures)
        if time.monotonic() - said > _SAY_AFTER_SECONDS:
            said = time.monotonic()
            say(f"seed {seed}: {tally.inputs:,} inputs, {tally.pairs:,} pairs of traits, {kept} kinds of failure")
        if parent is not None and not parent.is_alive():
            os._exit(1)  # a pool's process waits for more work for ever, even from nobody
    return campaign.tally


def say(what: str) -> None:
    """Print something at once, whoever else prints."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def _traits(outcome: Outcome) -> set[str]:
    """Say what an outcome shows: rules with their elements, and roughly how many sets, claims and adjustments."""
    if isinstance(outcome, UnreadableError):
        return {f"unreadable {finding.rule}" for finding in outcome.findings}
    ends = [event for event in outcome if isinstance(event, SetEnd)]
    traits = {f"{finding.rule} {finding.element}" for end in ends for finding in end.findings}
    traits |= {
        f"file {finding.rule}" for event in outcome[-1:] if isinstance(event, FileEnd) for finding in event.findings
    }
    traits |= {"accepted" if end.balances else "refused" if end.header else "headless" for end in ends}
    traits.add(f"{min(len(ends), 4)} sets")
    traits.add(f"{min(sum(end.claim_count for end in ends), 2)} claims")
    traits.add(f"{min(sum(len(end.plb) for end in ends), 2)} adjustments")
    return traits
