"""Case ``post``: entries into the enforced ledger through its one way in, on one connection, each batch durable."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import psycopg

from app.session import Session
from bench.figures import Budget, Figure, Report
from bench.ingesting import receive
from bench.remittances import BANK_ACCOUNT, PAID_ON, write_directory
from bench.workshop import ACTOR, Place, Workshop, apart, at
from ingest.bank.bai2_writer import StatementLine, write_bai2
from ingest.directory import list_members
from ledger.batch import Batch, Transaction
from ledger.events import Share, advised, funded
from ledger.posting import post
from ledger.queries import Queries

_BANK = Queries("ingest", "bank.sql")
_CENTS = 10_000
_BUDGET = Budget(60_000, 180_000)
_COPY_OUT = "COPY (SELECT * FROM centralpay.line WHERE event = 'funded') TO STDOUT"


@dataclass(frozen=True, slots=True)
class _Posted:
    """Lines a second of one run, by what was posted; ``funded_lines`` is how many the last of them were."""

    each_advised: float
    advised: float
    funded: float
    bare_copy: float
    funded_lines: int


def measure(shop: Workshop) -> Report:
    """Post what is advised and what is funded in batches of two sizes, beside a bare COPY of the same lines."""
    sizes = shop.sizes
    roster, payers = write_directory(shop.folder, shop.seed, sizes.large_batch)
    figures: list[Figure] = []
    for entries in (sizes.small_batch, sizes.large_batch):
        batches = max(1, sizes.entries // entries)
        bank_file = shop.folder / f"deposits_{entries}.bai2"
        bank_file.write_bytes(_deposits(batches, entries))
        runs = []
        for number in range(shop.repeat):
            shop.say(f"post: batches of {entries:,} entries, run {number + 1}")
            place = shop.new_place()
            apart(receive, place, [roster, payers, bank_file])
            shop.analyze(place)
            shop.settle_down()
            runs.append(apart(_post, place, batches, entries))
            shop.remove(place)
        size = f"{batches} batches of {entries:,} entries"
        lines = f"{runs[0].funded_lines:,} lines"
        figures += (
            Figure(
                "funded: one transaction a batch, 4 lines an entry",
                size,
                "lines/s",
                tuple(run.funded for run in runs),
                _BUDGET,
            ),
            Figure(
                "advised: one transaction a batch, 2 lines an entry",
                size,
                "lines/s",
                tuple(run.advised for run in runs),
                _BUDGET,
            ),
            Figure(
                "advised: a transaction for each entry, 2 lines",
                size,
                "lines/s",
                tuple(run.each_advised for run in runs),
                _BUDGET,
            ),
            Figure(
                "bare COPY of the funded lines, nothing enforced",
                lines,
                "lines/s",
                tuple(run.bare_copy for run in runs),
            ),
        )
    return Report("post", "Lines into the enforced ledger through post", tuple(figures))


def _deposits(batches: int, entries: int) -> bytes:
    """Write a bank file with one deposit for each batch."""
    items = [StatementLine("142", entries * _CENTS, f"D{number:06d}", "", "") for number in range(batches)]
    return write_bai2(account=BANK_ACCOUNT, as_of=PAID_ON, opening_cents=0, items=items)


def _post(place: Place, batches: int, entries: int) -> _Posted:
    with at(place) as session:
        with session.reading() as connection:
            members = [member.member_id for member in list_members(connection)][:entries]
            deposits = [row.bank_line_id for row in connection.execute(_BANK["open_lines"])]
        assert (len(members), len(deposits)) == (entries, batches)
        alone = [_one_each(members, first) for first in range(1_000_000, 1_000_000 + batches * entries, entries)]
        together = [[_share(member, number) for member in members] for number in range(1, batches + 1)]
        told = [[advised(number, PAID_ON, shares)] for number, shares in enumerate(together, 1)]
        paid = [
            [funded(f"funded:{number}", PAID_ON, shares, {deposit: entries * _CENTS})]
            for number, (shares, deposit) in enumerate(zip(together, deposits, strict=True), 1)
        ]
        each_advised, advised_, funded_ = (_lines_per_second(session, facts) for facts in (alone, told, paid))
    copied, seconds = _bare_copy(place)
    return _Posted(each_advised, advised_, funded_, copied / seconds, copied)


def _share(member: UUID, advice_id: int) -> Share:
    return Share(member, advice_id, _CENTS)


def _one_each(members: Sequence[UUID], first: int) -> list[Transaction]:
    """Advise each member of an advice of its own, numbered from ``first``."""
    return [advised(number, PAID_ON, [_share(member, number)]) for number, member in enumerate(members, first)]


def _lines_per_second(session: Session, batches: Sequence[Sequence[Transaction]]) -> float:
    """Post batch after batch, each in a database transaction of its own, as everything that posts does."""
    began = time.perf_counter()
    for transactions in batches:
        with session.begin() as connection:
            post(connection, Batch(list(transactions)), ACTOR)
    seconds = time.perf_counter() - began
    return sum(len(transaction.lines) for batch in batches for transaction in batch) / seconds


def _bare_copy(place: Place) -> tuple[int, float]:
    """Copy the funded lines into a table without keys, indexes or triggers; rows and seconds until it is durable."""
    with psycopg.connect(place.url) as connection:
        connection.execute("CREATE TABLE bare_line (LIKE centralpay.line)")
        connection.commit()
        with connection.cursor() as cursor:
            with cursor.copy(_COPY_OUT) as out:
                rows = b"".join(out)
            began = time.perf_counter()
            with cursor.copy("COPY bare_line FROM STDIN") as copy:
                copy.write(rows)
            connection.commit()
        return rows.count(b"\n"), time.perf_counter() - began
