"""Several loaders at once: the same books as one after the other, whole sets, no deadlock, whatever the files share."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from io import BytesIO
from itertools import chain
from pathlib import Path
from random import Random
from time import monotonic, sleep
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, text

import ingest.remittances
from app.cluster import Cluster
from app.demo.remittance import PayeeAdjustments, PlbPair, RemittanceSet
from ingest.advices import AdviceWriter, make_partition
from ingest.directory import Directory
from ingest.received_set import ReceivedSet
from ingest.receiving import FileVerdict
from ingest.x12.model import SetEnd, SetHeader
from ingest.x12.reader import read_remittances
from tests.conftest import NewDatabase
from tests.support.books import Books, x12_claim, x12_file, x12_head
from tests.support.command import Shell
from tests.support.killing import Scene
from tests.support.office import MAKER, Office
from tests.support.trade import OTHER_PAYER, STRANGER, A, B, C, Part, pharmacy, remittance, remittance_file
from tests.support.whole_sets import flaws

DAY = date(2026, 11, 16)
LATER = date(2026, 12, 1)
_LONGEST_WAIT_S = 60.0
STRANGERS = tuple(pharmacy(number) for number in range(990, 999))
CHAIN_NPI = remittance("ANY", DAY, Part(A, (1,))).payee.identifier


def _varied(trace: str, number: int, day: date = DAY) -> RemittanceSet:
    """Lay out a set with a member, a stranger and, at every third, an adjustment of the network."""
    member, stranger = (A, B, C)[number % 3], STRANGERS[number % len(STRANGERS)]
    plain = remittance(trace, day, Part(member, (100 + number, 50), (("WO", 5),)), Part(stranger, (7 + number,)))
    if number % 3:
        return plain
    network = PayeeAdjustments(CHAIN_NPI, date(2026, 12, 31), (PlbPair("WO", f"{trace}N", 3),))
    return replace(plain, adjustments=(*plain.adjustments, network), payment_cents=plain.payment_cents - 3)


def _statuses(verdicts: Sequence[FileVerdict]) -> list[str]:
    return sorted(each.status for verdict in verdicts for each in verdict.sets)


# Threads --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a group be two sets, and every set of six claims or more be a large one that is copied as it is read."""
    monkeypatch.setattr(ingest.remittances, "GROUP_CLAIMS", 6)
    monkeypatch.setattr(ingest.remittances, "GROUP_SETS", 2)
    monkeypatch.setattr(
        ingest.remittances, "read_remittances", lambda stream, name: read_remittances(stream, name, block=2)
    )


@pytest.mark.usefixtures("small_groups")
@pytest.mark.parametrize("seed", range(4))
def test_any_files_at_once_take_each_set_once(books: Books, database_url: str, seed: int) -> None:
    """Three loaders with files of the same sets, small and large, in any order: each is accepted once and whole."""
    chance = Random(seed)
    small = [_varied(f"T{number % 5}", number, chance.choice((DAY, LATER))) for number in range(12)]
    large = [remittance(f"L{number}", LATER, Part(A, (1,) * 9), Part(STRANGER, (number,))) for number in range(3)]
    sets = [
        replace(each, payer=OTHER_PAYER, trace_number=f"{each.trace_number}-{place}") if place % 2 else each
        for place, each in enumerate([*small, *large])
    ]
    # Sets that share payer, trace and payee are one payment: they stay together and in their order, in every file.
    payments: dict[tuple[str, str], list[RemittanceSet]] = {}
    for each in sets:
        payments.setdefault((each.payer.payer_id, each.trace_number), []).append(each)
    contents = []
    for number in range(5):
        order = chance.sample(list(payments.values()), len(payments))
        contents.append(remittance_file(*chain.from_iterable(order), control_number=number + 1))
    with ThreadPoolExecutor(3) as pool:
        verdicts = list(pool.map(books.receive, [*contents, *contents[:2]]))
    rows = books.ask("SELECT count(*) FROM remittance_set WHERE status = 'accepted'")
    assert (rows[0][0], books.ask("SELECT count(*) FROM advice")[0][0]) == (len(sets), len(sets))
    assert set(_statuses(verdicts)) == {"accepted", "duplicate"}
    total = sum(each.payment_cents for each in sets)
    assert books.ask("SELECT sum(amount_cents) FROM line WHERE account = 'advised'")[0][0] == total
    assert flaws(database_url) == {}
    books.prove()


@pytest.mark.usefixtures("small_groups")
@pytest.mark.parametrize("claims", [2, 9])
def test_of_two_contents_of_one_identity_one_is_taken(books: Books, database_url: str, claims: int) -> None:
    """Two files with the same identities and other amounts, at once: of each one is accepted, one is a conflict."""
    contents = [
        remittance_file(*(remittance(f"T{number}", DAY, Part(A, (cents,) * claims)) for number in order))
        for cents, order in ((5, range(10)), (6, range(9, -1, -1)))
    ]
    with ThreadPoolExecutor(2) as pool:
        verdicts = list(pool.map(books.receive, contents))
    assert _statuses(verdicts) == ["accepted"] * 10 + ["conflict"] * 10
    assert flaws(database_url) == {}
    books.prove()


def test_strangers_that_many_files_name_are_registered_without_a_circle(books: Books, database_url: str) -> None:
    """Four files at once, each with some thousand strangers of which it shares most with the others: all is taken."""
    contents = []
    for number in range(4):
        npis = [f"{9_000_000_000 + stranger}" for stranger in range(number * 300, 3_000, 2)]
        claims = [x12_claim("1", "1.00", npi=npi) for npi in npis]
        body = [*x12_head(f"T{number}", f"{len(claims)}.00"), *chain.from_iterable(claims)]
        contents.append(x12_file(body, control_number=number + 1))
    with ThreadPoolExecutor(4) as pool:
        verdicts = list(pool.map(books.receive, contents))
    assert _statuses(verdicts) == ["accepted"] * 4
    assert books.ask("SELECT count(*) FROM unknown_payee")[0][0] == 1_500
    assert flaws(database_url) == {}


def test_a_new_months_partition_stops_nobody_for_good(books: Books, database_url: str) -> None:
    """Who makes a partition waits for a large load, that one for a small one's advice: the small one goes on."""
    with books.begin() as connection:
        make_partition(connection, DAY.replace(day=1))
    small, large = _received(books, "T1"), _received(books, "T1")
    with ThreadPoolExecutor(2) as pool, ExitStack() as of_small, ExitStack() as of_large:
        loader = _writer(books, of_large.enter_context(books.begin()), "large")
        loader.number([large])
        loader.copy_claims([large])
        other = _writer(books, of_small.enter_context(books.begin()), "small")
        other.number([small])
        other.decide([small])
        new_month = pool.submit(_make_partition, books)
        _until_waiting(database_url, 1)
        decided = pool.submit(loader.decide, [large])
        _until_waiting(database_url, 2)
        other.copy_claims([small])
        other.finish([small], MAKER)
        of_small.close()
        decided.result(_LONGEST_WAIT_S)
        with pytest.raises(_RolledBackError), of_large:
            raise _RolledBackError
        new_month.result(_LONGEST_WAIT_S)
    assert (small.status, large.status) == ("accepted", "duplicate")
    assert flaws(database_url) == {}


def test_advices_are_written_in_one_order_by_everybody(books: Books, database_url: str) -> None:
    """Two loaders with the same advices in opposite orders, both held up in the middle, do not end up in a circle."""
    with books.begin() as connection:
        make_partition(connection, DAY.replace(day=1))
    with ThreadPoolExecutor(2) as pool, ExitStack() as holding:
        middle = _received(books, "M")
        holder = _writer(books, holding.enter_context(books.begin()), "holder")
        holder.number([middle])
        holder.decide([middle])
        upward = pool.submit(_take, books, "upward", "AMZ")
        _until_waiting(database_url, 1)
        downward = pool.submit(_take, books, "downward", "ZMA")
        _until_waiting(database_url, 2)
        holder.copy_claims([middle])
        holder.finish([middle], MAKER)
        holding.close()
        statuses = [*upward.result(_LONGEST_WAIT_S), *downward.result(_LONGEST_WAIT_S)]
    assert sorted(statuses) == ["accepted"] * 2 + ["duplicate"] * 4
    assert flaws(database_url) == {}


def _take(books: Books, name: str, traces: str) -> list[str]:
    """Take sets of these traces in as one group; give what became of them."""
    group = [_received(books, trace) for trace in traces]
    for ordinal, received in enumerate(group, 1):
        received.end = replace(received.verdict, ordinal=ordinal)
    with books.begin() as connection:
        writer = _writer(books, connection, name)
        writer.number(group)
        writer.decide(group)
        writer.copy_claims([received for received in group if received.status == "accepted"])
        writer.finish(group, MAKER)
    return [received.status for received in group]


def _received(books: Books, trace: str) -> ReceivedSet:
    """Read a set of two claims to its end."""
    with books.begin() as connection:
        directory = Directory.load(connection)
    received = ReceivedSet(None, 1)
    content = remittance_file(remittance(trace, DAY, Part(A, (5, 6))))
    for event in read_remittances(BytesIO(content), "file"):
        if isinstance(event, SetHeader):
            received = ReceivedSet.begun(event, 1, directory)
        elif isinstance(event, list):
            received.add_claims(event)
        elif isinstance(event, SetEnd):
            received.end = event
    return received


def _writer(books: Books, connection: Connection, name: str) -> AdviceWriter:
    """Begin to write the sets of a file of that name."""
    with books.begin() as registering:
        directory = Directory.load(registering)
        file_id = registering.execute(
            text(
                "INSERT INTO received_file (sha256, name, kind, size_bytes, status, received_by) "
                "VALUES (sha256(CAST(:name AS bytea)), :name, 'remittance_835', 1, 'reading', 'mary') RETURNING file_id"
            ),
            {"name": name},
        ).scalar_one()
    writer = AdviceWriter(connection, directory, file_id, books.begin)
    writer.lock()
    return writer


def _make_partition(books: Books) -> None:
    with books.begin() as connection:
        make_partition(connection, LATER)


def _until_waiting(database_url: str, sessions: int) -> None:
    """Wait until so many sessions wait for locks of others."""
    waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    deadline = monotonic() + _LONGEST_WAIT_S
    with psycopg.connect(database_url, autocommit=True) as watching:
        while watching.execute(waiting).rowcount < sessions:
            assert monotonic() < deadline, "nobody waits"
            sleep(0.005)


class _RolledBackError(Exception):
    """Leaves a unit of work without its rows."""


# Processes ------------------------------------------------------------------------------------------------------------

SETS = 510
"""More than are written together, so that a group is in flight while the next one is read."""
CLAIMS = 20_200
"""Of the large set: more than are held in memory, so that it is copied as it is read."""


@pytest.fixture
def office(cluster: Cluster, new_database: NewDatabase, quick_path: Path) -> Iterator[Scene]:
    """Give an office with three files whose sets, payments, strangers and months overlap."""
    with new_database() as url:
        Office(Shell(quick_path / "home", url), quick_path).found(A, B, C)
        sets = [_varied(f"P{number:05d}", number) for number in range(SETS)]
        large = remittance("LARGE", DAY, *(Part(store, (1,) * (CLAIMS // 4)) for store in (A, B, C, STRANGER)))
        elsewhere = [replace(each, payer=OTHER_PAYER) for each in sets[:200]]
        contents = ([*sets, large], [large, *sets[::-1]], [*elsewhere, *sets[100:300]])
        for number, each in enumerate(contents):
            (quick_path / f"{number}.835").write_bytes(remittance_file(*each, control_number=number + 1))
        yield Scene(cluster, quick_path, str(psycopg.conninfo.conninfo_to_dict(url)["dbname"]), quick_path / "home")


def test_processes_at_once_end_as_one_after_the_other(office: Scene) -> None:
    """Three commands that ingest the same and other files at once leave the books that one command leaves."""
    files = [str(office.folder / f"{number}.835") for number in range(3)]
    with office.copy() as shell:
        assert shell.process(("ingest", *files), user=MAKER).code == 0
        alone = _told(shell)
    with office.copy() as shell:
        orders = (files, [files[1], files[2], files[0]], [files[2], files[0]])
        at_work = [shell.start(("ingest", *order), user=MAKER) for order in orders]
        for process in at_work:
            _, said = process.communicate(timeout=_LONGEST_WAIT_S)
            assert process.returncode == 0, said.decode()
        assert flaws(shell.database_url) == {}
        assert _told(shell) == alone
        Office(shell, shell.home).prove()


def _told(shell: Shell) -> dict[str, list[tuple[Any, ...]]]:
    """Give all that the books say, without the numbers and offsets that depend on what came first."""
    with psycopg.connect(shell.database_url, options="-c search_path=centralpay") as connection:
        return {name: connection.execute(query).fetchall() for name, query in _TOLD.items()}


_TOLD = {
    "advices": """
        SELECT payer_id, trace_number, payee_id, ordinal_in_payment, content_sha256, payment_cents, claim_count,
            plb_cents
        FROM advice ORDER BY 1, 2, 3, 4""",
    "claims": """
        SELECT payer_id, trace_number, payee_id, ordinal_in_payment, owner_id, identifier, count(*), sum(paid_cents),
            md5(string_agg(concat_ws('|', segment, rx_number, paid_cents, payer_claim_number, fill_on, ndc,
                c.byte_end - c.byte_start), ';' ORDER BY segment))
        FROM claim_line c JOIN advice a USING (advice_id) LEFT JOIN unknown_payee USING (unknown_payee_id)
        GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6""",
    "shares": """
        SELECT payer_id, trace_number, payee_id, ordinal_in_payment, owner_id, s.claim_count, s.claims_cents,
            s.plb_cents
        FROM advice_share s JOIN advice USING (advice_id) ORDER BY 1, 2, 3, 4, 5""",
    "balances": "SELECT owner_id, ledger, account, debit_cents, credit_cents FROM balance ORDER BY 1, 2, 3",
    "sets": "SELECT status, count(*), sum(claim_count) FROM remittance_set GROUP BY status ORDER BY status",
    "cases": """
        SELECT kind, subject, amount_cents, detail FROM exception_case WHERE state = 'open' ORDER BY kind, subject""",
}
