"""An odd life of three months: whatever happened, everybody says the same of it, to the cent, on every day."""

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from app.demo.pharmacies import Pharmacy
from tests.conftest import NewDatabase
from tests.support.command import Shell
from tests.support.odd_december import december
from tests.support.odd_life import DECEMBER, MEMBERS, NOVEMBER, OCTOBER, D, E, OddLife
from tests.support.odd_looking import said_of, under_paths, used_before_they_were_there
from tests.support.odd_november import november
from tests.support.odd_october import october
from tests.support.office import AUDITOR, Office
from tests.support.outsiders import beancount_balances, hledger_balances, verified
from tests.support.trade import A, B, C

LAST = {OCTOBER: date(2026, 10, 31), NOVEMBER: date(2026, 11, 30), DECEMBER: date(2026, 12, 31)}
RANGES = ("835", "payouts", "negatives", "corrections", "approvals", "payment-days", "bank-details")
DAYS = ("outstanding", "suspense", "holds", "users")


@pytest.fixture(scope="module")
def life(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OddLife]:
    """Give the life, lived once: these tests only look at it."""
    folder = tmp_path_factory.mktemp("odd")
    with new_database() as url:
        office = Office(Shell(folder / "home", url), folder)
        office.found(*MEMBERS)
        lived = OddLife(office)
        october(lived)
        november(lived)
        december(lived)
        yield lived


def test_all_proofs_hold_at_the_end(life: OddLife) -> None:
    """P1 to P11, after all of it, and the auditors' routine tests; October was closed twice, the others once."""
    assert [month for month, _, _ in life.closes] == [OCTOBER, OCTOBER, NOVEMBER, DECEMBER]
    life.office.prove()
    routine = life.office.ask("audit", "tests", "--from", "2026-10-01", "--to", "2026-12-31", user=AUDITOR)
    assert [each["name"] for each in routine["tests"] if each["fails"]] == []


@pytest.mark.parametrize(
    ("month", "kept"),
    [
        # The fees of A, C and E; B's was waived, D had nothing yet.
        (OCTOBER, [200_00, 0, 200_00, 0, 200_00]),
        # A's less the 50.00 of October; D's with 103.22 of October, for 16 days of 31; E had left.
        (NOVEMBER, [150_00, 200_00, 200_00, 303_22, 0]),
        # D had nothing to take it from.
        (DECEMBER, [200_00, 200_00, 200_00, 0, 0]),
    ],
)
def test_everybody_says_the_same_of_a_month(life: OddLife, month: str, kept: list[int]) -> None:
    """Certificates, statements, trial balance and hledger agree at its end; what was kept is the fee, by hand."""
    said = said_of(life, month, LAST[month])
    assert said.disagreements() == []
    assert said.kept == kept
    assert said.population["own_cents"]["flat_fee"] == sum(kept)


BY_HAND = [
    # T1 to T4, NET1, T6 to T8, both T9; taken by the first T9, of the network, by debit; the first T9 reversed.
    (
        *(OCTOBER, A, 0),
        {
            "claims": 11_480_00,
            "taken_by_payers": -60_00,
            "advices_reversed": -990_00,
            "corrections": -33_00,
            "levies": -600_00,
            "interest": 53,
            "payouts": -7_900_52,
            "flat_fee": -200_00,
        },
        1_697_01,
    ),
    # LATE1, T10, T11; the other T9 reversed. T10's funding, undone and done again, is in none of it.
    (
        *(NOVEMBER, B, -3_056_86),
        {
            "claims": -1_178_00,
            "advices_reversed": -10_00,
            "paid_by_member": 1_000_00,
            "written_off": 600_00,
            "payouts": -2_355_14,
            "flat_fee": -200_00,
        },
        -5_200_00,
    ),
    # T12 gives 300.00 and takes them; T7's 350.00 less 303.22 of fee were paid, and came back.
    (
        *(NOVEMBER, D, 350_00),
        {
            "claims": 300_00,
            "taken_by_payers": -300_00,
            "payouts": -46_78,
            "payouts_returned": 46_78,
            "flat_fee": -303_22,
        },
        46_78,
    ),
    # T13; 100.00 of what was given up in November are owed again.
    (
        *(DECEMBER, B, -5_200_00),
        {"claims": 9_000_00, "written_off": -100_00, "payouts": -3_500_00, "flat_fee": -200_00},
        0,
    ),
    (*(DECEMBER, D, 46_78), {"unclaimed": -46_78}, 0),
]


@pytest.mark.parametrize(
    ("month", "store", "opening", "changes", "closing"), BY_HAND, ids=lambda each: getattr(each, "ncpdp_id", None)
)
def test_members_months_by_hand(
    life: OddLife, month: str, store: Pharmacy, opening: int, changes: dict[str, int], closing: int
) -> None:
    """A certificate says of a month what a person reckons with a pencil."""
    figures = life.office.ask("certificate", "--member", store.ncpdp_id, "--month", month)["figures"]
    assert (figures["opening_cents"], figures["closing_cents"]) == (opening, closing)
    assert {part: cents for part, cents in figures["changes_cents"].items() if cents} == changes


def test_three_months_in_one(life: OddLife) -> None:
    """Of all that members were owed 7.00 are left, for which no money came; kept were 2,053.22, each month's fees.

    500.00 of B's debt were given up in the end, and D's 46.78 are with the state of Illinois.
    """
    span = ("--from", OCTOBER, "--to", DECEMBER)
    figures = life.office.ask("certificates", "population", *span)["figures"]
    changes = figures["changes_cents"]
    assert (figures["opening_cents"], figures["closing_cents"]) == (0, 7_00)
    assert (figures["retained_cents"], -changes["flat_fee"]) == (2_053_22, 2_053_22)
    assert (changes["written_off"], changes["unclaimed"], changes["corrections"]) == (500_00, -46_78, 0)
    months = [life.office.ask("certificates", "population", "--month", month)["figures"] for month in LAST]
    for part, cents in changes.items():
        assert sum(each["changes_cents"][part] for each in months) == cents, part


def test_everybody_says_the_same_of_what_was_known_at_a_close(life: OddLife) -> None:
    """At each close's checkpoint too; the second one of October moved A's 33.00 to B and nothing else."""
    closed = [said_of(life, month, LAST[month], "--known-at", str(size)) for month, size, _ in life.closes]
    assert [said.disagreements() for said in closed] == [[], [], [], []]
    first, second, *_ = closed
    stores = [store.ncpdp_id for store in MEMBERS]
    assert [second.statements[each]["closing"] - first.statements[each]["closing"] for each in stores] == [
        *(-33_00, 33_00),
        *(0, 0, 0),
    ]
    assert first.kept == second.kept
    assert first.population["bank"] == second.population["bank"]
    for said, month in zip(closed[1:], LAST, strict=True):
        now = life.office.trial_balance("--as-of", f"{LAST[month]}")
        assert now == said.ours, month


@pytest.mark.parametrize(
    "day",
    [
        # A negative; short and over; taken back; the month's end.
        *(date(2026, 10, 9), date(2026, 10, 15), date(2026, 10, 22), date(2026, 10, 31)),
        # The set put back; the court paid; the funding undone; a return on its way; the month's end.
        *(date(2026, 11, 3), date(2026, 11, 13), date(2026, 11, 16), date(2026, 11, 20), date(2026, 11, 30)),
        # The write-off undone; declared unclaimed; the month's end.
        *(date(2026, 12, 3), date(2026, 12, 28), date(2026, 12, 31)),
    ],
    ids=str,
)
def test_every_register_agrees_with_the_books(life: OddLife, day: date) -> None:
    """Asked of the month up to that day, or as of it: each total of each register is the books'."""
    of_days, of_a_day = ("--from", f"{day.replace(day=1)}", "--to", f"{day}"), ("--as-of", f"{day}")
    for name in (*RANGES, *DAYS):
        span = of_days if name in RANGES else of_a_day
        made = life.office.ask("audit", "register", name, *span, user=AUDITOR)
        assert [tie for tie in made["ties"] if not tie["agrees"]] == [], name
        assert made["ties"], name


def test_packages_agree_with_the_books_and_verify(life: OddLife) -> None:
    """No total of any register differs in any package, every bank day ties out, and ``verify.py`` finds all whole.

    Its journals come to the books as they were known then, by hledger and by beancount.
    """
    for month, size, package in life.closes:
        ties = _rows(package / "registers" / "agrees.csv")
        assert {row["agrees"] for row in ties} == {"yes"}, month
        assert {row["register"] for row in ties} >= {*RANGES, *DAYS}
        assert {row["Difference"] for row in _rows(package / "tie-out.csv")} == {"0.00"}
        books = life.office.trial_balance("--as-of", f"{LAST[month]}", "--known-at", str(size))
        assert hledger_balances(package / "journal.hledger") == under_paths(books), month
        assert beancount_balances(package / "journal.beancount") == under_paths(books), month
        done = verified(package)
        assert done.returncode == 0, done.stdout + done.stderr


def test_no_item_is_used_before_it_is_there(life: OddLife) -> None:
    """On no day of the three months a deposit, a share, a payout, a hold or a fee stands on its wrong side.

    The other T14 was funded on 27 November and advised on 2 December: in between it was awaited the wrong way round.
    """
    assert used_before_they_were_there(life) == {}


@pytest.mark.parametrize(
    ("day", "available", "awaited", "open_cents"),
    [
        # T9: 980.00 of the other set were funded on 30 October; reversed on 3 November, the first set's 990.00 are.
        ("2026-10-31", [937_00, -3_056_86], [760_01, 0], 10_00),
        # From the 1st on LATE1 is awaited as well, 111.00 and 22.00.
        ("2026-11-02", [937_00, -3_056_86], [871_01, 22_00], 10_00),
        ("2026-11-03", [1_717_01, -3_066_86], [111_00, 22_00], 0),
        # T14: 380.00 came on 27 November for 400.00; on 2 December the other set's 380.00 took their place.
        ("2026-11-30", [0, -5_200_00], [400_00, 0], 380_00),
        ("2026-12-01", [0, -5_200_00], [400_00, 0], 380_00),
        ("2026-12-02", [380_00, -5_200_00], [0, 0], 0),
    ],
)
def test_money_matched_anew_is_there_once(
    life: OddLife, day: str, available: list[int], awaited: list[int], open_cents: int
) -> None:
    """What A and B have, what they await, and what is open at the bank, around two months' ends.

    Matched anew after a month's end, it is dated on the day on which the set took its place, not on that of the
    deposit: a closed month's figures, and those of the days in between, are not touched.
    """
    books = life.office.trial_balance("--as-of", day)
    owed = [[-books.get((each.ncpdp_id, "custody", account), 0) for each in (A, B)] for account in _DUE]
    assert (owed, -books.get(("house", "custody", "unmatched_deposit"), 0)) == ([available, awaited], open_cents)


_DUE = ("due_available", "due_unfunded")


def test_the_fees_of_three_months_by_hand(life: OddLife) -> None:
    """Due, collected, given back and open, of each member and month; the register differs from no contract."""
    rows = life.office.ask("fees", "register", "--from", OCTOBER, "--to", DECEMBER)["rows"]
    names = ("due_cents", "waived_cents", "collected_cents", "refunded_cents", "open_cents", "difference_cents")
    odd = {(row["ncpdp_id"], row["month"][:7]): tuple(row[name] for name in names) for row in rows}
    plain = (200_00, 0, 200_00, 0, 0, 0)
    assert {key: figures for key, figures in odd.items() if figures != plain} == {
        (A.ncpdp_id, OCTOBER): (200_00, 0, 200_00, 50_00, 0, 0),
        (B.ncpdp_id, OCTOBER): (200_00, 200_00, 0, 0, 0, 0),
        (D.ncpdp_id, OCTOBER): (103_22, 0, 103_22, 0, 0, 0),
        (E.ncpdp_id, NOVEMBER): (0, 200_00, 0, 0, 0, 0),
        (D.ncpdp_id, DECEMBER): (200_00, 0, 0, 0, 200_00, 0),
    }
    assert {C.ncpdp_id, E.ncpdp_id} < {store for store, _ in odd}


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
