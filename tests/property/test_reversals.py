"""Pairing beside a plain model of its rule, for any order of claims; and the normal form of prescription numbers."""

import string
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text

from app.database import Role, connected, unit_of_work
from ingest.reversals import pair_reversals
from tests.conftest import NewDatabase

MONDAY = date(2026, 11, 16)
OWNERS = [UUID(int=number) for number in range(2)]


@dataclass(frozen=True)
class Line:
    """A claim line: its payment (day and advice), and what tells it apart."""

    day: int
    advice: int
    is_reversal: bool
    cents: int
    owner: int
    fill: int | None
    number: str


_LINES = st.lists(
    st.builds(
        Line,
        day=st.integers(0, 1),
        advice=st.integers(1, 2),
        is_reversal=st.booleans(),
        cents=st.integers(1, 2),
        owner=st.integers(0, 1),
        fill=st.sampled_from([None, 1, 2]),
        number=st.sampled_from(["PCN1", "PCN1", "PCN1", ""]),
    ),
    max_size=9,
)

Placed = dict[tuple[int, int], Line]
"""Lines by advice and segment; the advice's number tells its day, too."""


def placed(lines: Sequence[Line]) -> Placed:
    """Give each line its place; advices are numbered in the order of their days."""
    return {(10 * line.day + line.advice, segment): line for segment, line in enumerate(lines, 1)}


def expected_pairs(lines: Placed) -> dict[tuple[int, int], tuple[str, tuple[int, int] | None]]:
    """Pair by the rule, step by step: each reversal's state and original, by its place."""
    reversals = sorted(place for place, line in lines.items() if line.is_reversal)
    pairs: dict[tuple[int, int], tuple[int, int]] = {}
    while True:
        wanted: dict[tuple[int, int], tuple[int, int]] = {}
        left = {place: _candidates(lines, place, set(pairs.values())) for place in reversals if place not in pairs}
        for place, fitting in left.items():
            if len(fitting) == 1:
                wanted.setdefault(fitting[0], place)
        if not wanted:
            break
        pairs |= {reversal: original for original, reversal in wanted.items()}
    open_ones: dict[tuple[int, int], tuple[str, tuple[int, int] | None]] = {
        place: ("several" if fitting else "none", None) for place, fitting in left.items()
    }
    return open_ones | {place: ("paired", original) for place, original in pairs.items()}


def _candidates(lines: Placed, place: tuple[int, int], taken: set[tuple[int, int]]) -> list[tuple[int, int]]:
    asked = lines[place]
    fitting = [
        other
        for other, line in lines.items()
        if other < place and not line.is_reversal and other not in taken and line.number == asked.number
    ]
    if not asked.number:
        fitting = [
            each for each in fitting if lines[each].owner == asked.owner and lines[each].fill == asked.fill is not None
        ]
    steps: tuple[Callable[[Line], bool], ...] = (
        lambda line: line.owner == asked.owner,
        lambda line: None in {line.fill, asked.fill} or line.fill == asked.fill,
        lambda line: line.cents == asked.cents,
    )
    for agrees in steps:
        kept = [each for each in fitting if agrees(lines[each])]
        fitting = kept or fitting
    return fitting


@pytest.fixture(scope="module")
def base(new_database: NewDatabase) -> Iterator[Engine]:
    """Give a database with two months' partitions and one received file."""
    with new_database() as url, connected(url, Role.APP) as engine:
        with unit_of_work(engine) as connection:
            connection.execute(text("SELECT ensure_claim_partition('2026-11-01')"))
            connection.execute(
                text("INSERT INTO received_file (sha256, name, kind, size_bytes, status, received_by) "
                     "VALUES (sha256('x'), 'x', 'remittance', 0, 'accepted', 'x')")
            )  # fmt: skip
        yield engine


def _add_advice(connection: Connection, advice_id: int) -> None:
    facts = {"id": advice_id, "day": MONDAY + timedelta(advice_id // 10)}
    connection.execute(
        text("""
            INSERT INTO advice (advice_id, payer_id, trace_number, payee_id, ordinal_in_payment, content_sha256,
                file_id, set_ordinal, payer_name, method, paid_on, payment_cents, claim_count, claims_cents, plb_cents,
                byte_start, byte_end)
            SELECT :id, '1990000000', 'T' || :id, 'x', 1, sha256('x'), file_id, 1, 'x', 'ACH', :day, 0, 0, 0, 0, 0, 1
            FROM received_file"""),
        facts,
    )  # fmt: skip


def _add_lines(connection: Connection, lines: Placed) -> None:
    rows = [
        {
            "day": MONDAY + timedelta(advice_id // 10),
            "advice": advice_id,
            "segment": segment,
            "owner": OWNERS[line.owner],
            "status": "22" if line.is_reversal else "1",
            "cents": -line.cents if line.is_reversal else line.cents,
            "number": line.number,
            "fill": None if line.fill is None else date(2026, 10, line.fill),
            "rx": ("6000123", "0006000123", "6000123-02")[segment % 3],
        }
        for (advice_id, segment), line in lines.items()
    ]
    connection.execute(
        text("""
            INSERT INTO claim_line (paid_on, advice_id, segment, owner_id, rx_number, status, charge_cents, paid_cents,
                patient_cents, payer_claim_number, fill_on, byte_start, byte_end)
            VALUES (:day, :advice, :segment, :owner, :rx, :status, :cents, :cents, 0, :number, :fill, 0, 1)"""),
        rows,
    )  # fmt: skip


@settings(max_examples=150)
@given(lines=_LINES, at_once=st.booleans())
def test_pairs_are_those_of_the_rule(base: Engine, lines: list[Line], at_once: bool) -> None:
    """Taken in together: the model's pairs. One advice after the other: no original twice, none that comes later."""
    where = placed(lines)
    advices = sorted({advice_id for advice_id, _ in where})
    with base.connect() as connection:
        for advice_id in advices:
            _add_advice(connection, advice_id)
        for batch in [advices] if at_once else [[each] for each in reversed(advices)]:
            now = {place: line for place, line in where.items() if place[0] in batch}
            if now:
                _add_lines(connection, now)
                pair_reversals(connection, batch)
        rows = connection.execute(text("SELECT * FROM claim_reversal")).all()
        connection.rollback()
    found = {
        (row.advice_id, row.segment): (
            row.state,
            None if row.state != "paired" else (row.original_advice_id, row.original_segment),
        )
        for row in rows
    }
    assert set(found) == {place for place, line in where.items() if line.is_reversal}
    if at_once:
        assert found == expected_pairs(where)
    taken = [original for _, original in found.values() if original is not None]
    assert len(taken) == len(set(taken))
    for place, (_, original) in found.items():
        if original is not None:
            assert original < place
            assert not where[original].is_reversal
            assert where[original].number == where[place].number


_RX = st.text(string.digits + "0 -aBz", max_size=12)


def _normal(rx: str) -> str:
    """Say the rule once more, otherwise."""
    bare = rx.lstrip("0 ").upper()
    for mark in "- ":
        bare = bare.partition(mark)[0]
    return bare or rx


@settings(max_examples=300)
@given(rx=_RX)
def test_the_normal_form_of_a_prescription_number(base: Engine, rx: str) -> None:
    """Zeros and blanks in front and a suffix put aside, capitals; never empty, and its own normal form."""
    with base.connect() as connection:
        once = connection.execute(text("SELECT rx_normal(:rx)"), {"rx": rx}).scalar_one()
        again = connection.execute(text("SELECT rx_normal(:rx)"), {"rx": once}).scalar_one()
    assert once == _normal(rx) == again
    assert bool(once) is bool(rx)


@pytest.mark.parametrize("rx", ["6000123", "0006000123", "6000123-01", "006000123 2", " 6000123", "06000123-1-2"])
def test_forms_of_one_prescription_number(base: Engine, rx: str) -> None:
    """The forms that payers write are one number."""
    with base.connect() as connection:
        assert connection.execute(text("SELECT rx_normal(:rx)"), {"rx": rx}).scalar_one() == "6000123"
