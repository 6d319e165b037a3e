"""Case ``find``: the trail of a claim by its prescription number, among very many claim lines.

The lines are not taken in one by one: a sample comes the usual way, and the table's owner multiplies it, with
prescription numbers of its own for each copy, over four months. It runs only when named, for the minutes that takes.
"""

import time
from random import Random
from typing import Final

import psycopg

from bench.figures import Budget, Figure, Report
from bench.ingesting import receive
from bench.remittances import BANK_ACCOUNT, PAID_ON, write_directory, write_stores
from bench.workshop import ACTOR, Place, Workshop, apart, at
from ingest.bank.bai2_writer import StatementLine, write_bai2
from ingest.funding import sweep
from payouts.claim_trail import find_claims

LINES_OF_A_NUMBER: Final = 10
"""Each pharmacy counts its own prescriptions: the same number is used by many, and for every refill."""

_SAMPLE_CLAIMS = 40_000
_SAMPLE_FILES = 20
_LOOKUPS = 1_000
_MOST = 100
_STEP = 2_000_000
_FIRST_NUMBER = 10_000_000
_DEPOSITS = "SELECT trace_number, payer_id, sum(payment_cents)::bigint FROM advice GROUP BY 1, 2 ORDER BY 1"
_INDEXES = """
SELECT c.relname, replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ')
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = 'claim_line'::regclass
"""
_SAMPLE = """
CREATE TEMP TABLE sample AS SELECT row_number() OVER () - 1 AS place, * FROM claim_line;
CREATE INDEX ON sample (place); ANALYZE sample;
"""
_PARTITIONS = """
SELECT ensure_claim_partition(month::date) FROM generate_series(date '2026-08-01', '2026-11-01', '1 month') month
"""
_MULTIPLY = """
INSERT INTO claim_line
SELECT date '2026-08-01' + mod(n, 120)::integer, s.advice_id, 1000000 + (n / %(sample)s)::integer, s.owner_id,
    s.unknown_payee_id, (%(first)s + mod(hashint8extended(n, 0) & 9223372036854775807, %(numbers)s))::text,
    s.status, s.charge_cents, s.paid_cents, s.patient_cents, s.payer_claim_number, s.fill_on, s.ndc, s.quantity,
    s.adjustments, s.reject_codes, s.byte_start, s.byte_end
FROM generate_series(%(start)s::bigint, %(stop)s::bigint - 1) n JOIN sample s ON s.place = mod(n, %(sample)s)
"""


def measure(shop: Workshop) -> Report:
    """Look random prescription numbers up, in all pharmacies and in one."""
    place = _filled(shop)
    lines = shop.sizes.found_claims
    seconds = [apart(_look_up, place, shop.seed + run, lines) for run in range(shop.repeat)]
    shop.remove(place)
    size = f"{lines:,} claim lines, {LINES_OF_A_NUMBER} of a number, {_LOOKUPS:,} look-ups"
    figures = []
    for name, part, budget in (("half of the look-ups within", 0.5, None), ("95 of 100 within", 0.95, Budget(200, 20))):
        runs = tuple(1000 * sorted(each)[int(part * len(each))] for each in seconds)
        figures.append(Figure(f"a claim's trail by its prescription number: {name}", size, "ms", runs, budget))
    return Report("find", "Looking a claim up", tuple(figures))


def _filled(shop: Workshop) -> Place:
    """Make an installation with so many claim lines, whose advices are funded."""
    sizes = shop.sizes
    shop.say("find: a sample")
    pharmacies = min(sizes.pharmacies, _SAMPLE_CLAIMS // 10)
    roster, payers = write_directory(shop.folder, shop.seed, pharmacies)
    claims = max(pharmacies, min(_SAMPLE_CLAIMS, sizes.found_claims // 10))
    stores = apart(write_stores, shop.folder, shop.seed, pharmacies, claims, _SAMPLE_FILES)
    place = shop.new_place()
    apart(receive, place, [roster, payers, *stores])
    with _owner(place) as connection:
        lines = [
            StatementLine("142", cents, f"D{number}", "", f"HCCLAIMPMT TRN*1*{trace}*{payer}~")
            for number, (trace, payer, cents) in enumerate(connection.execute(_DEPOSITS), 1)
        ]
    deposits = shop.folder / "deposits.bai2"
    deposits.write_bytes(write_bai2(account=BANK_ACCOUNT, as_of=PAID_ON, opening_cents=0, items=lines))
    apart(receive, place, [deposits])
    apart(_fund, place)
    _multiply(shop, place)
    shop.analyze(place)
    shop.settle_down()
    return place


def _fund(place: Place) -> None:
    with at(place) as session:
        sweep(session.begin, ACTOR)


def _multiply(shop: Workshop, place: Place) -> None:
    """Fill the table without its indexes and make them afterwards: many times as fast."""
    lines = shop.sizes.found_claims
    with _owner(place) as connection:
        connection.execute("SET maintenance_work_mem = '1GB'")
        connection.execute(_PARTITIONS)
        indexes = connection.execute(_INDEXES).fetchall()
        connection.execute(_SAMPLE)
        ((sample,),) = connection.execute("SELECT count(*) FROM sample").fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        numbers = max(1, lines // LINES_OF_A_NUMBER)
        for start in range(0, lines - sample, _STEP):
            shop.say(f"find: {start:,} lines")
            stop = min(start + _STEP, lines - sample)
            facts = {"sample": sample, "first": _FIRST_NUMBER, "numbers": numbers, "start": start, "stop": stop}
            connection.execute(_MULTIPLY, facts)
        for name, definition in indexes:
            shop.say(f"find: index {name}")
            connection.execute(definition)


def _look_up(place: Place, seed: int, lines: int) -> list[float]:
    """Look numbers up one after the other on one connection; give the seconds of each."""
    rng = Random(seed)
    seconds = []
    with at(place) as session, session.reading() as connection:
        for _ in range(_LOOKUPS):
            number = str(_FIRST_NUMBER + rng.randrange(max(1, lines // LINES_OF_A_NUMBER)))
            began = time.perf_counter()
            found = find_claims(connection, number, most=_MOST)
            seconds.append(time.perf_counter() - began)
            assert all(trail.rx_number == number for trail in found)
    return seconds


def _owner(place: Place) -> psycopg.Connection:
    """Connect as the superuser, in our schema."""
    return psycopg.connect(place.url, autocommit=True, options="-c search_path=centralpay -c synchronous_commit=off")
