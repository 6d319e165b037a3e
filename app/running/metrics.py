"""The figures of an installation in the text format of Prometheus, from a registry of our own.

Labels are kinds, statuses and states, never a name or a number of anybody. Amounts are integer cents.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TypeVar

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.running.figures import Figures
from ledger.proofs import Proof

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_Key = TypeVar("_Key", bound=tuple[str, ...])
Look = Callable[[], Figures | None]
"""Gives the figures; None when the database can not be read."""


class Figured(Collector):
    """Turns figures into metrics at each scrape.

    Args:
        look: gives the figures.
    """

    def __init__(self, look: Look) -> None:
        self._look = look

    def collect(self) -> Iterable[Metric]:
        """Give the metrics; only ``centralpay_up`` while the database can not be read."""
        figures = self._look()
        yield _gauge("up", "1 while the database can be read.", int(figures is not None))
        if figures is None:
            return
        yield _labelled("files", "Received files.", ("kind", "status"), figures.files)
        yield _labelled("open_exceptions", "What waits for a person.", ("kind",), _by(figures.cases))
        yield _labelled("cycles", "Payout cycles.", ("state",), _by(figures.cycles))
        yield _labelled("job_runs", "Runs of jobs.", ("state",), _by(figures.runs))
        for name, says, value in _amounts(figures):
            yield _gauge(name, says, value)
        for name, says, at in _moments(figures):
            if at is not None:
                yield _gauge(name, says, at.timestamp())
        if figures.lag_seconds is not None:
            yield _gauge("scheduler_lag_seconds", "How long the oldest due job has waited.", figures.lag_seconds)
        for name, says, at in _ages(figures):
            if at is not None:
                yield _gauge(name, says, max((figures.taken_at - at).total_seconds(), 0))
        if figures.verified_at is not None:
            holding = {(each.name,): int(each.name not in figures.failing_proofs) for each in Proof}
            yield _labelled("proof_holds", "1 for a proof that held when it was last run.", ("proof",), holding)


def registry(look: Look) -> CollectorRegistry:
    """Give a registry of our own: the figures, and what the process itself takes."""
    # Not described when registered: that would read the database before anybody asks.
    own = CollectorRegistry(auto_describe=False)
    ProcessCollector(namespace="centralpay", registry=own)
    own.register(Figured(look))
    return own


def page(of: CollectorRegistry) -> bytes:
    """Give the page that Prometheus scrapes."""
    return generate_latest(of)


def _amounts(figures: Figures) -> Iterable[tuple[str, str, int]]:
    return (
        ("claims", "Claims taken in, those of replaced advices left out.", figures.claims),
        ("parked_deposits", "Deposits that are not matched.", figures.parked_deposits[0]),
        ("parked_deposit_cents", "Their cents.", figures.parked_deposits[1]),
        ("parked_advices", "Advices whose money is not there.", figures.parked_advices[0]),
        ("parked_advice_cents", "Their cents.", figures.parked_advices[1]),
        ("in_transit_cents", "Cents released and not settled.", figures.in_transit_cents),
        ("float_cents", "Cents of the PSAO's own money in the custodial account.", figures.float_cents),
        ("negative_members", "Members whose negative the float covers.", figures.negatives[0]),
        ("negative_cents", "Cents that the float covers for them.", figures.negatives[1]),
        ("database_bytes", "Room that the database takes.", figures.database_bytes),
    )


def _moments(figures: Figures) -> Iterable[tuple[str, str, datetime | None]]:
    return (("proofs_verified_timestamp_seconds", "When all proofs were last run to their end.", figures.verified_at),)


def _ages(figures: Figures) -> Iterable[tuple[str, str, datetime | None]]:
    return (
        ("remittance_age_seconds", "Since the newest accepted 835 came in.", figures.remittance_at),
        ("bank_statement_age_seconds", "Since the newest accepted bank statement came in.", figures.statement_at),
    )


def _by(counts: Mapping[str, int]) -> Mapping[tuple[str], int]:
    return {(name,): count for name, count in counts.items()}


def _gauge(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(f"centralpay_{name}", says, value=value)


def _labelled(name: str, says: str, labels: tuple[str, ...], values: Mapping[_Key, int]) -> Metric:
    family = GaugeMetricFamily(f"centralpay_{name}", says, labels=labels)
    for key, value in sorted(values.items()):
        family.add_metric(key, value)
    return family
