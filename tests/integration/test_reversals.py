"""Reversals with their originals, across files: paired when certain, listed when not, chosen by a person."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from app.database import downgrade, unit_of_work, upgrade
from ingest.reversals import (
    ClaimPlace,
    NoCandidateError,
    Reversal,
    ReversalPairedError,
    ReversalState,
    UnknownReversalError,
    choose_original,
    list_reversals,
    pair_open_reversals,
    pair_reversals,
)
from ledger.queries import Queries
from tests.support.books import MAKER, Books, x12_file
from tests.support.reversals import Said, pairs, places, said_set, take_in
from tests.support.trade import A, C

MONDAY, TUESDAY, WEDNESDAY = (date(2026, 11, day) for day in (16, 17, 18))
PAID = Said(10_00)
BACK = Said(-10_00)
BLANK = Said(10_00, number="")
_UNSEEN = """
    UPDATE claim_reversal SET state = 'none', candidates = 0, original_advice_id = NULL, original_segment = NULL,
        original_paid_on = NULL"""
"""As two loads leave it that did not see each other."""


def _open(books: Books) -> list[Reversal]:
    with books.begin() as connection:
        return list_reversals(connection, only_open=True, most=100)


def _choose(books: Books, reversal: ClaimPlace, original: ClaimPlace) -> None:
    with books.begin() as connection:
        choose_original(connection, reversal, original, MAKER)


# What is paired ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["6000123", "0006000123", "6000123-01", "006000123 2"])
def test_a_reversal_finds_its_original_in_an_earlier_file(books: Books, written: str) -> None:
    """The same payer, prescription and claim number, whatever zeros and suffix the prescription comes with."""
    take_in(books, said_set("T1", [PAID], day=MONDAY))
    take_in(books, said_set("T2", [replace(BACK, rx=written)], day=TUESDAY))
    assert pairs(books) == [("paired", 1, 1)]
    with books.begin() as connection:
        (found,) = list_reversals(connection, only_open=False, most=10)
    assert found.original is not None
    assert (found.trace_number, found.original.trace_number) == ("T2", "T1")
    assert (found.rx_number, found.original.rx_number, found.paid_cents) == (written, "6000123", -10_00)
    assert (found.ncpdp_id, found.decided_by, found.candidates) == (A.ncpdp_id, "system", ())
    assert _open(books) == []


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ([PAID, BACK, PAID], [("paired", 1, 1)]),
        ([PAID, BACK, PAID, BACK], [("paired", 1, 1), ("paired", 1, 2)]),
        ([PAID, BACK, BACK], [("paired", 1, 1), ("none", 0, None)]),
        ([BACK, PAID], [("none", 0, None)]),
        ([PAID, PAID, BACK], [("several", 2, None)]),
        ([PAID, PAID, BACK, BACK], [("several", 2, None), ("several", 2, None)]),
        ([PAID, PAID, BACK, PAID], [("several", 2, None)]),
    ],
    ids=["OR O", "OROR", "ORR", "RO", "OOR", "OORR", "OOR O"],
)
def test_pay_take_back_and_pay_again(
    books: Books, claims: list[Said], expected: list[tuple[str, int, int | None]]
) -> None:
    """In one payment, all for the same amount: a reversal takes back what came before it, and no guess is made."""
    take_in(books, said_set("T1", claims, day=MONDAY))
    assert pairs(books) == expected


def test_a_file_at_once_gives_what_its_sets_give_one_by_one(books: Books) -> None:
    """Sets of one payment, and payments of one day, are in the order in which they came."""
    take_in(books, said_set("T1", [PAID, BACK], day=MONDAY), said_set("T1", [PAID], day=MONDAY))
    take_in(books, said_set("T2", [BACK], day=MONDAY))
    take_in(books, said_set("T3", [PAID], day=MONDAY))
    assert pairs(books) == [("paired", 1, 1), ("paired", 1, 2)]


@pytest.mark.parametrize(
    ("first", "second", "taken_back"),
    [
        (replace(PAID, npi=C.npi), PAID, BACK),
        (replace(PAID, ndc="00093000001"), PAID, BACK),
        (replace(PAID, filled="20261005"), PAID, BACK),
        (replace(PAID, charge_cents=None, adjustments=(("CO", "45", 5_00),)), PAID, BACK),
        (Said(11_00), PAID, BACK),
        (replace(PAID, npi=C.npi), Said(99_00), BACK),
    ],
    ids=["pharmacy", "NDC", "fill date", "charge", "payment", "pharmacy before payment"],
)
def test_several_are_told_apart(books: Books, first: Said, second: Said, taken_back: Said) -> None:
    """Pharmacy, then NDC, then fill date, then the exact negation of charge and payment leave one of two."""
    take_in(books, said_set("T1", [first, second], day=MONDAY))
    take_in(books, said_set("T2", [taken_back], day=TUESDAY))
    assert pairs(books) == [("paired", 1, 2)]


@pytest.mark.parametrize("silent", [replace(PAID, filled=""), replace(PAID, ndc="")], ids=["fill date", "NDC"])
def test_what_is_not_said_tells_nothing_apart(books: Books, silent: Said) -> None:
    """A line without fill date or NDC may be the one, beside a line that says the same as the reversal."""
    take_in(books, said_set("T1", [silent, PAID], day=MONDAY))
    take_in(books, said_set("T2", [BACK], day=TUESDAY))
    assert pairs(books) == [("several", 2, None)]


def test_one_candidate_needs_no_more_than_its_numbers(books: Books) -> None:
    """A reversal in part, with adjustments signed as the payer likes, takes back the one line of its numbers."""
    odd = Said(-4_00, adjustments=(("OA", "23", 3_00), ("CO", "91", -1_00)))
    take_in(books, said_set("T1", [Said(10_00, adjustments=(("CO", "91", -1_00),))], day=MONDAY))
    take_in(books, said_set("T2", [odd], day=TUESDAY))
    assert pairs(books) == [("paired", 1, 1)]


@pytest.mark.parametrize(
    "other", [replace(PAID, number="PCN2"), replace(PAID, rx="6000124"), replace(PAID, rx="60001230")]
)
def test_other_numbers_are_another_claim(books: Books, other: Said) -> None:
    """Another claim number of the payer, or another prescription, is never the original."""
    take_in(books, said_set("T1", [other], day=MONDAY))
    take_in(books, said_set("T2", [BACK], day=TUESDAY))
    assert pairs(books) == [("none", 0, None)]


def test_another_payers_claim_is_never_the_original(books: Books) -> None:
    """Two payers may use the same numbers."""
    take_in(books, said_set("T1", [PAID], day=MONDAY, payer_id="1360000002"))
    take_in(books, said_set("T2", [BACK], day=TUESDAY))
    assert pairs(books) == [("none", 0, None)]


@pytest.mark.parametrize(
    ("original", "state"),
    [
        (BLANK, "paired"),
        (replace(BLANK, npi=C.npi), "none"),
        (replace(BLANK, filled="20261005"), "none"),
        (replace(BLANK, filled=""), "none"),
        (replace(BLANK, number="00"), "none"),
    ],
    ids=["the same", "pharmacy", "fill date", "no fill date", "zeros"],
)
def test_a_blank_claim_number_says_nothing(books: Books, original: Said, state: str) -> None:
    """Without the payer's claim number pharmacy and fill date have to be said, and be the same."""
    take_in(books, said_set("T1", [original], day=MONDAY))
    take_in(books, said_set("T2", [replace(BACK, number="")], day=TUESDAY))
    assert [each[0] for each in pairs(books)] == [state]


@pytest.mark.parametrize("number", ["", "0", "000"])
@pytest.mark.parametrize("rx", ["", "0", "00"])
def test_two_numbers_that_say_nothing_pair_nothing(books: Books, rx: str, number: str) -> None:
    """A payer that knows neither number writes nothing or 0: another drug of the same day was not taken back."""
    nameless = Said(10_00, rx=rx, number=number)
    take_in(books, said_set("T1", [nameless], day=MONDAY))
    take_in(books, said_set("T2", [replace(nameless, cents=-99_00, ndc="00071015523")], day=TUESDAY))
    assert pairs(books) == [("none", 0, None)]


def test_a_zero_for_a_claim_number_is_no_number(books: Books) -> None:
    """Two pharmacies have a prescription of the same number; a claim number of 0 does not make it one claim."""
    take_in(books, said_set("T1", [Said(10_00, number="0", npi=C.npi)], day=MONDAY))
    take_in(books, said_set("T2", [Said(-10_00, number="0")], day=TUESDAY))
    assert pairs(books) == [("none", 0, None)]


# Files out of order --------------------------------------------------------------------------------------------------


def test_an_original_may_arrive_after_its_reversal(books: Books) -> None:
    """A file with an earlier payment date that comes late brings the original."""
    take_in(books, said_set("T2", [BACK], day=TUESDAY))
    assert pairs(books) == [("none", 0, None)]
    take_in(books, said_set("T1", [PAID], day=MONDAY))
    assert pairs(books) == [("paired", 1, 1)]


def test_an_original_in_a_late_file_without_reversals_is_found_at_its_arrival(books: Books) -> None:
    """No sweep is needed, which takes only the latest: there may be very many open ones. A later one wakes nothing."""
    for number, trace in enumerate(("T3", "T2"), 1):
        books.receive(x12_file(said_set(trace, [Said(-10_00, number=f"PCN{number}")], day=TUESDAY)))
    books.receive(x12_file(said_set("T1", [Said(10_00, number="PCN2")], day=MONDAY)))
    books.receive(x12_file(said_set("T4", [Said(10_00, number="PCN1")], day=WEDNESDAY)))
    assert sorted(pairs(books)) == [("none", 0, None), ("paired", 1, 1)]


def test_a_reversal_is_paired_while_the_advice_of_its_original_is_funded(books: Books) -> None:
    """Who funds holds the advice and then wants balances; who pairs holds balances: it must not wait for the advice."""
    take_in(books, said_set("T1", [PAID], day=MONDAY))
    with ThreadPoolExecutor(1) as other, books.begin() as connection:
        connection.execute(Queries("ingest", "matching.sql")["lock_advices"], {"advice_ids": [1]})
        loading = other.submit(books.receive, x12_file(said_set("T2", [BACK], day=TUESDAY)))
        assert loading.result(timeout=20).status == "accepted"
    assert pairs(books) == [("paired", 1, 1)]


def test_a_later_payment_is_not_what_was_taken_back(books: Books) -> None:
    """A claim paid again after the reversal is not its original."""
    take_in(books, said_set("T2", [BACK], day=TUESDAY))
    take_in(books, said_set("T3", [PAID], day=WEDNESDAY))
    assert pairs(books) == [("none", 0, None)]


def test_a_second_candidate_that_arrives_late_makes_it_several(books: Books) -> None:
    """What was none becomes several when two originals come in one late file."""
    take_in(books, said_set("T2", [BACK], day=TUESDAY))
    take_in(books, said_set("T1", [PAID, PAID], day=MONDAY))
    assert pairs(books) == [("several", 2, None)]


def test_a_sweep_finds_what_no_arrival_told(books: Books, owner: Engine) -> None:
    """Loads that could not see each other leave a reversal open; the sweep pairs it, once."""
    take_in(books, said_set("T2", [BACK], day=TUESDAY))
    with books.begin() as connection:
        assert pair_open_reversals(connection) == 0
    take_in(books, said_set("T1", [PAID], day=MONDAY), pairing=False)
    with unit_of_work(owner) as connection:
        connection.execute(text(_UNSEEN))
    with books.begin() as connection:
        assert pair_open_reversals(connection) == 1
        assert pair_open_reversals(connection) == 0
    assert pairs(books) == [("paired", 1, 1)]


def test_pairing_again_changes_nothing(books: Books) -> None:
    """The same advices once more, or none at all: every pair stays, with its day."""
    take_in(books, said_set("T1", [PAID, BACK, PAID, PAID, BACK], day=MONDAY))
    before = books.ask("SELECT * FROM claim_reversal ORDER BY segment")
    with books.begin() as connection:
        pair_reversals(connection, [1])
        pair_reversals(connection, [])
    assert books.ask("SELECT * FROM claim_reversal ORDER BY segment") == before


def test_two_loads_at_once_never_take_one_original(books: Books) -> None:
    """Two reversals of one claim, paired at the same moment: one gets it, the other finds none, nobody fails."""
    take_in(books, said_set("T1", [PAID], day=MONDAY))
    for trace in ("T2", "T3"):
        take_in(books, said_set(trace, [BACK], day=TUESDAY), pairing=False)

    def pair(advice_id: int) -> None:
        with books.begin() as connection:
            pair_reversals(connection, [advice_id])

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(pair, [2, 3]))
    assert sorted(state for state, _, _ in pairs(books)) == ["none", "paired"]


# Replaced advices, and numbers that say nothing ----------------------------------------------------------------------


def test_a_replaced_advice_brings_no_original(books: Books) -> None:
    """A line of an advice that was replaced is no candidate, and a pair with one comes apart."""
    take_in(books, said_set("T1", [PAID], day=MONDAY))
    take_in(books, said_set("T2", [BACK], day=TUESDAY))
    with books.begin() as connection:
        connection.exec_driver_sql("UPDATE advice SET state = 'replaced' WHERE trace_number = 'T1'")
        pair_open_reversals(connection)
    assert pairs(books) == [("none", 0, None)]
    take_in(books, said_set("T1B", [PAID], day=MONDAY))
    assert pairs(books) == [("paired", 1, 2)]


def test_a_replaced_advice_takes_nothing_back(books: Books) -> None:
    """A reversal of an advice that was replaced lets go of its original, and is listed no more."""
    take_in(books, said_set("T1", [PAID], day=MONDAY))
    take_in(books, said_set("T2", [BACK], day=TUESDAY))
    with books.begin() as connection:
        connection.exec_driver_sql("UPDATE advice SET state = 'replaced' WHERE trace_number = 'T2'")
    take_in(books, said_set("T2B", [BACK], day=TUESDAY))
    assert pairs(books) == [("none", 0, None), ("paired", 1, 1)]
    assert _open(books) == []


_LINES = """
INSERT INTO claim_line (paid_on, advice_id, segment, owner_id, rx_number, status, charge_cents, paid_cents,
    patient_cents, payer_claim_number, byte_start, byte_end)
SELECT paid_on, advice_id, segment + n, owner_id, rx_number, status, charge_cents, paid_cents, 0,
    payer_claim_number, 0, 1
FROM claim_line, generate_series(1000, {last}) n WHERE payer_claim_number = 'PCN1'
"""


@pytest.mark.parametrize(("more", "state"), [(49, "several"), (50, "none")])
def test_numbers_that_very_many_lines_share_say_nothing(books: Books, more: int, state: str) -> None:
    """More than fifty lines of one prescription and claim number are no set of candidates."""
    take_in(books, said_set("T1", [PAID], day=MONDAY))
    with books.begin() as connection:
        connection.exec_driver_sql(_LINES.format(last=999 + more))
    take_in(books, said_set("T2", [BACK], day=TUESDAY))
    assert [each[0] for each in pairs(books)] == [state]


# What a person chooses -----------------------------------------------------------------------------------------------


def test_a_person_chooses_and_the_rest_follows(books: Books) -> None:
    """The choice is kept with its name and in the record; the other reversal is left with one and gets it."""
    take_in(books, said_set("T1", [PAID, PAID, BACK, BACK], day=MONDAY))
    first, second = places(books, reversals=True)
    one, other = places(books, reversals=False)
    listed = {(each.advice_id, each.segment): each for each in _open(books)}
    assert set(listed) == {first, second}
    for each in listed.values():
        assert (each.state, each.candidate_count, each.original) == (ReversalState.SEVERAL, 2, None)
        assert [ClaimPlace(c.advice_id, c.segment) for c in each.candidates] == [one, other]
    _choose(books, first, other)
    assert pairs(books) == [("paired", 1, 2), ("paired", 1, 1)]
    assert books.ask("SELECT segment, decided_by FROM claim_reversal ORDER BY segment") == [
        (first.segment, MAKER),
        (second.segment, "system"),
    ]
    recorded = books.ask("SELECT actor, subject, detail FROM activity WHERE action = 'reversal_paired'")
    assert [tuple(row) for row in recorded] == [
        (
            MAKER,
            f"advice 1 segment {first.segment}",
            {"original_advice": other.advice_id, "original_segment": other.segment},
        )
    ]


def test_only_a_candidate_can_be_chosen(books: Books) -> None:
    """A line that does not fit, a reversal that is paired, and what is no reversal are refused; nothing changes."""
    take_in(books, said_set("T1", [PAID, PAID, BACK, Said(5_00, number="PCN2"), BACK], day=MONDAY))
    first, second = places(books, reversals=True)
    one, other, strange = places(books, reversals=False)
    with pytest.raises(NoCandidateError, match="is no candidate"):
        _choose(books, first, strange)
    with pytest.raises(NoCandidateError):
        _choose(books, first, second)
    with pytest.raises(UnknownReversalError, match="is no reversal"):
        _choose(books, one, other)
    for nowhere in (ClaimPlace(1, 1 << 31), ClaimPlace(1 << 63, 1), ClaimPlace(0, 1), ClaimPlace(1, -1)):
        with pytest.raises(UnknownReversalError):
            _choose(books, nowhere, one)
        with pytest.raises(NoCandidateError):
            _choose(books, first, nowhere)
    assert pairs(books) == [("several", 2, None)] * 2
    _choose(books, first, one)
    with pytest.raises(ReversalPairedError, match="paired already"):
        _choose(books, first, other)
    assert pairs(books) == [("paired", 1, 1), ("paired", 1, 2)]


# What the database refuses -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE claim_reversal SET state = 'none'",
        "UPDATE claim_reversal SET paid_cents = 0",
        "DELETE FROM claim_reversal",
        "INSERT INTO claim_reversal SELECT * FROM claim_reversal",
        "SELECT try_reversals(ARRAY[1::bigint], ARRAY[1])",
        "SELECT free_replaced_reversals()",
    ],
)
def test_the_application_pairs_by_function_only(books: Books, statement: str) -> None:
    """It may neither write the table nor call what the functions call."""
    with pytest.raises(DBAPIError, match="permission denied"), books.begin() as connection:
        connection.exec_driver_sql(statement)


_SAME_ORIGINAL = """
UPDATE claim_reversal r SET state = 'paired', original_advice_id = o.original_advice_id,
    original_segment = o.original_segment, original_paid_on = o.original_paid_on
FROM claim_reversal o WHERE o.state = 'paired' AND r.state = 'none'
"""
_LATER = """
UPDATE claim_reversal SET state = 'paired', original_advice_id = advice_id, original_segment = segment + 6,
    original_paid_on = paid_on
WHERE state = 'none'
"""


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        (_SAME_ORIGINAL, "original_is_taken_back_once"),
        (_LATER, "original_comes_first"),
        ("UPDATE claim_reversal SET state = 'paired' WHERE state = 'none'", "paired_names_its_original"),
        ("UPDATE claim_reversal SET original_segment = NULL", "paired_names_its_original"),
    ],
)
def test_even_the_owner_can_not_pair_nonsense(books: Books, owner: Engine, statement: str, constraint: str) -> None:
    """One original for one reversal, before it, and named when paired: constraints hold for everybody."""
    take_in(books, said_set("T1", [PAID, BACK, BACK, PAID], day=MONDAY))
    with pytest.raises(DBAPIError, match=constraint), unit_of_work(owner) as connection:
        connection.exec_driver_sql(statement)


# What was there before -----------------------------------------------------------------------------------------------


def test_what_was_taken_in_before_this_step_is_paired(books: Books, database_url: str) -> None:
    """An upgrade pairs the reversals that lie in the books already, with numbers written in two ways."""
    take_in(books, said_set("T1", [replace(PAID, rx="0006000123")], day=MONDAY))
    take_in(books, said_set("T2", [BACK], day=TUESDAY))
    books.engine.dispose()
    downgrade(database_url, "2026_11_22_0001")
    upgrade(database_url)
    assert pairs(books) == [("paired", 1, 1)]
