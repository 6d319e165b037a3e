"""Case ``verify``: a sealed ledger computed anew from its rows, and an export of it by the offline verifier."""

import time

from app.session import Session
from bench.figures import Budget, Figure, Report
from bench.ingesting import receive
from bench.remittances import PAID_ON, write_directory
from bench.sizes import Sizes
from bench.workshop import ACTOR, Place, Workshop, apart, at
from ingest.directory import list_members
from ledger.batch import Batch
from ledger.events import Share, advised
from ledger.posting import post
from ledger.seal.verifying import verify_seal

_CENTS = 10_000
_ENTRIES = 25
"""Times the entries of ``Sizes``: a million at full size."""
_BUDGET = Budget(60, 20)


def measure(shop: Workshop) -> Report:
    """Post a million entries of two lines, seal them, and verify all of it."""
    sizes = shop.sizes
    roster, payers = write_directory(shop.folder, shop.seed, sizes.large_batch)
    place = shop.new_place()
    apart(receive, place, [roster, payers])
    shop.analyze(place)
    entries = sizes.entries * _ENTRIES
    shop.say(f"verify: {entries:,} entries are posted and sealed")
    apart(_fill, place, sizes)
    shop.analyze(place)
    whole, since = [], []
    for number in range(shop.repeat):
        shop.say(f"verify: run {number + 1}")
        whole.append(apart(_verify, place, 0))
        since.append(apart(_verify, place, entries))
    shop.remove(place)
    size = f"{entries:,} entries of 2 lines"
    figures = (
        Figure("everything sealed, computed anew from the rows", size, "s", tuple(whole), _BUDGET),
        Figure("the same, no row hashed anew: all is older than what was asked for", size, "s", tuple(since)),
    )
    return Report("verify", "The seal, computed anew", figures)


def _fill(place: Place, sizes: Sizes) -> None:
    with at(place) as session:
        with session.reading() as connection:
            members = [member.member_id for member in list_members(connection)][: sizes.large_batch]
        for number in range(sizes.entries * _ENTRIES // len(members)):
            shares = [Share(member, number, _CENTS) for member in members]
            with session.begin() as connection:
                post(connection, Batch([advised(number, PAID_ON, shares)]), ACTOR)
        session.sealer().seal(ACTOR, session.now)


def _verify(place: Place, since: int) -> float:
    with at(place) as session:
        began = time.perf_counter()
        _run(session, since)
        return time.perf_counter() - began


def _run(session: Session, since: int) -> None:
    with session.reading() as connection:
        found = verify_seal(connection, session.outside, since=since)
    if found.failing:
        raise RuntimeError(f"{found.failing} failures: {found.findings[:3]}")
