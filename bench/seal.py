"""Case ``seal``: a million entries sealed at once, posting beside it, and proofs from the tree."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.session import Session
from bench.figures import Budget, Figure, Report
from bench.ingesting import receive
from bench.machine import peak_memory_mb
from bench.remittances import PAID_ON, write_directory
from bench.workshop import ACTOR, Place, Workshop, apart, at
from ingest.directory import list_members
from ledger.batch import Batch, Transaction
from ledger.events import Share, advised
from ledger.posting import post
from ledger.seal.checkpoints import latest
from ledger.seal.proving import StoredTree, inclusion

_CENTS = 10_000
_SECONDS = Budget(20)
_PROOFS = 500


@dataclass(frozen=True, slots=True)
class _Sealed:
    """What one run measured.

    Args:
        seconds: from nothing sealed to the published checkpoint.
        leaves: that were sealed.
        peak_mb: memory of the sealing process.
        alone_ms: posting one entry, the median of many, while nothing was sealed.
        beside_ms: the same while it was.
        longest_ms: the longest of those.
        proofs: inclusion proofs a second, each read anew; ``kept`` with one tree for all.
        kept: see ``proofs``.
    """

    seconds: float
    leaves: int
    peak_mb: float
    alone_ms: float
    beside_ms: float
    longest_ms: float
    proofs: float
    kept: float


def measure(shop: Workshop) -> Report:
    """Post the entries once, then seal them in one copy after the other."""
    entries = shop.sizes.sealed_entries
    lived = prepared(shop, entries)
    runs = []
    for number in range(shop.repeat):
        shop.say(f"seal: run {number + 1}")
        place = shop.copy_of(lived)
        shop.settle_down()
        runs.append(apart(_seal, place))
        shop.remove(place)
    shop.remove(lived)
    size = f"{entries:,} entries, {runs[0].leaves:,} leaves"

    def figure(what: str, unit: str, name: str, budget: Budget | None = None) -> Figure:
        return Figure(what, size, unit, tuple(getattr(run, name) for run in runs), budget)

    figures = (
        figure("sealed, signed and published, with others posting", "s", "seconds", _SECONDS),
        figure("memory of the sealing process", "MB", "peak_mb", Budget(300)),
        figure("posting one entry while nothing is sealed, median", "ms", "alone_ms"),
        figure("posting one entry during the seal, median", "ms", "beside_ms"),
        figure("posting one entry during the seal, the longest", "ms", "longest_ms"),
        figure("inclusion proofs, each by itself", "proofs/s", "proofs"),
        figure("inclusion proofs from one tree", "proofs/s", "kept"),
    )
    return Report("seal", "Sealing a ledger, and proofs from it", figures)


def prepared(shop: Workshop, entries: int) -> Place:
    """Give an installation with so many entries of two lines, each a transaction of its own, nothing sealed."""
    members = shop.sizes.large_batch
    roster, payers = write_directory(shop.folder, shop.seed, members)
    place = shop.new_place()
    apart(receive, place, [roster, payers])
    shop.analyze(place)
    shop.say(f"seal: {entries:,} entries are posted")
    apart(_fill, place, entries)
    shop.analyze(place)
    return place


def _fill(place: Place, entries: int) -> None:
    with at(place) as session:
        members = _members(session)
        for first in range(1, entries + 1, len(members)):
            some = members[: entries + 1 - first]
            _post(
                session, [advised(number, PAID_ON, [_share(each, number)]) for number, each in enumerate(some, first)]
            )


def _seal(place: Place) -> _Sealed:
    with at(place) as session:
        members = _members(session)
        alone = [_one(session, members, number) for number in range(10_000_000, 10_000_100)]
        beside, done = list[float](), threading.Event()

        def post_on() -> None:
            number = 20_000_000
            while not done.is_set():
                beside.append(_one(session, members, number))
                number += 1
                time.sleep(0.02)

        poster = threading.Thread(target=post_on)
        poster.start()
        began = time.perf_counter()
        made = session.sealer().seal(ACTOR, session.now)
        seconds = time.perf_counter() - began
        done.set()
        poster.join()
        assert made is not None
        proofs, kept = _prove(session)
        median = sorted(beside)[len(beside) // 2]
        return _Sealed(seconds, made.size, peak_memory_mb(), sorted(alone)[50], median, max(beside), proofs, kept)


def _prove(session: Session) -> tuple[float, float]:
    """Prove leaves all over the tree, each by itself and from one tree; give proofs a second."""
    with session.reading() as connection:
        last = latest(connection)
        assert last is not None
        places = [last.size * number // _PROOFS for number in range(_PROOFS)]
        began = time.perf_counter()
        for place in places[:: _PROOFS // 50]:
            inclusion(connection, place, last.size)
        alone = 50 / (time.perf_counter() - began)
        tree = StoredTree(connection)
        began = time.perf_counter()
        for place in places:
            tree.inclusion(place, last.size)
        return alone, _PROOFS / (time.perf_counter() - began)


def _members(session: Session) -> list[UUID]:
    with session.reading() as connection:
        return [member.member_id for member in list_members(connection)]


def _share(member: UUID, advice_id: int) -> Share:
    return Share(member, advice_id, _CENTS)


def _one(session: Session, members: Sequence[UUID], number: int) -> float:
    """Post one entry; give the milliseconds."""
    began = time.perf_counter()
    _post(session, [advised(number, PAID_ON, [_share(members[number % len(members)], number)])])
    return (time.perf_counter() - began) * 1000


def _post(session: Session, transactions: Sequence[Transaction]) -> None:
    with session.begin() as connection:
        post(connection, Batch(list(transactions)), ACTOR)
