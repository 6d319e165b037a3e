"""A month reckoned by hand, and what an examiner's registers say of it: to the cent and to the day."""

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import date
from functools import partial
from typing import Any

import psycopg
import pytest

from app.database import Role, connected, unit_of_work
from ingest.bank.bai2_writer import StatementLine
from tests.conftest import NewDatabase
from tests.support.bank import ACH_CREDIT, paid_out
from tests.support.command import Shell
from tests.support.known import Seal
from tests.support.lives import kept
from tests.support.office import AUDITOR, CHECKER, MAKER, Office
from tests.support.trade import OTHER_PAYER, A, B, C, Part, remittance

MONTH = ("--from", "2026-11-01", "--to", "2026-11-30")
END = ("--as-of", "2026-11-30")


def day(number: int) -> date:
    """Give a day of November 2026; the 2nd is a Monday, the 11th a holiday of the banks."""
    return date(2026, 11, number)


def register(office: Office, name: str, *words: str) -> dict[str, Any]:
    """Read a register; its totals agree with the books."""
    made = office.ask("audit", "register", name, *words)
    assert made["agrees"], made["ties"]
    assert all(tie["difference"] == 0 for tie in made["ties"])
    return made


def picked(made: dict[str, Any], *columns: str) -> list[tuple[Any, ...]]:
    """Give some columns of a register's rows."""
    return [tuple(row[column] for column in columns) for row in made["rows"]]


@pytest.fixture(scope="module")
def november(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Give an office that has lived through the month, once for all tests that only look at it."""
    folder = tmp_path_factory.mktemp("november")
    with new_database() as url:
        office = Office(Shell(folder / "home", url), folder)
        office.found(A, B, C)
        yield live(office)


@pytest.fixture
@kept
def month(office: Office) -> Office:
    """Give an office of this test's own that has lived through the month, and goes on."""
    return live(office)


def live(office: Office) -> Office:
    """Live through November.

    | day | what |
    | --- | --- |
    | Mon 2 | the PSAO puts 5,000.00 in; from the 1st on a payment may take five banking days |
    | Tue 3 | T1: A 10,000.00, B 2,500.00; its deposit |
    | Wed 4 | both are paid; Thu 5: the bank debits 12,500.00 |
    | Mon 9 | T2: A 2,000.00, B -3,100.00, C 1,700.00; its deposit of 600.00; the float covers B |
    | Tue 10 | T3 of the other payer: C 400.00; its money never comes |
    | Thu 12 | T4: B 1,000.00; its deposit; B's advance is 2,100.00 |
    | Fri 13 | 500.00 of C are held |
    | Mon 16 | A 2,000.00 and C 1,200.00 are paid; Wed 18: the bank debits 3,200.00 |
    | Thu 19 | 77.00 come for nobody; 12.00 are debited for nothing |
    | Mon 23 | the PSAO puts 100.00 in; Tue 24: two people reverse that |
    | Wed 25 | T5: A 300.00; its deposit |
    | Fri 27 | A's 300.00 are released, and not debited yet |
    """
    days = ("--since", "2026-11-01", "--date", "2026-11-01")
    asked = office.ask("limits", "set", "payment_days", "5", *days)
    office.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER)
    office.put_in("OWN1", 5_000_00, day(2))
    office.fund(remittance("T1", day(3), Part(A, (6_000_00, 4_000_00)), Part(B, (2_500_00,))))
    assert office.pay(day(4))["total_cents"] == 12_500_00
    office.book(day(5), paid_out("OUT1", 12_500_00))
    office.match()
    office.fund(remittance("T2", day(9), Part(A, (2_000_00,)), Part(B, (-3_100_00,)), Part(C, (1_700_00,))))
    office.remit(remittance("T3", day(10), Part(C, (400_00,)), payer=OTHER_PAYER))
    office.fund(remittance("T4", day(12), Part(B, (1_000_00,))))
    words = (
        "--kind",
        "dispute",
        "--reason",
        "claims of May",
        "--authority",
        "contract, clause 7",
        "--amount",
        "500.00",
    )
    office.ask("holds", "place", C.ncpdp_id, *words, "--review-on", "2026-12-15", "--date", f"{day(13)}")
    assert office.pay(day(16))["total_cents"] == 3_200_00
    office.book(day(18), paid_out("OUT2", 3_200_00))
    office.match()
    strange = StatementLine(ACH_CREDIT, 77_00, "STRANGE1", "", "NOBODY KNOWS")
    office.book(day(19), strange, StatementLine("695", 12_00, "STRANGE2", "", "WHAT IS THIS"))
    office.match()
    office.put_in("OWN2", 100_00, day(23))
    (own,) = [each for each in _journal(office, "float_deposited") if each["effective_on"] == f"{day(23)}"]
    number = str(own["transaction_id"])
    asked = office.ask("ledger", "reverse", number, "--reason", "sent by mistake", "--date", f"{day(24)}")
    office.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER)
    office.fund(remittance("T5", day(25), Part(A, (300_00,))))
    assert office.pay(day(27))["total_cents"] == 300_00
    office.prove()
    return office


def _journal(office: Office, event: str) -> list[dict[str, Any]]:
    lines = office.ask("ledger", "journal", "--owner", "house")["lines"]
    found = {line["transaction_id"]: line for line in lines if line["event"] == event}
    return list(found.values())


def test_the_835_register(november: Office) -> None:
    """14,800.00 were advised; all but T3's 400.00 were funded, on the day of their 835."""
    made = register(november, "835", *MONTH)
    columns = (
        "trace_number",
        "advised_on",
        "payment_cents",
        "claim_count",
        "members",
        "state",
        "waiting_cents",
    )
    assert [row["bank_references"] for row in made["rows"]] == ["INT1", "INT2", None, "INT4", "INT5"]
    assert picked(made, *columns) == [
        ("T1", "2026-11-03", 12_500_00, 3, 2, "funded", 0),
        ("T2", "2026-11-09", 600_00, 3, 3, "funded", 0),
        ("T3", "2026-11-10", 400_00, 1, 1, "accepted", 400_00),
        ("T4", "2026-11-12", 1_000_00, 1, 1, "funded", 0),
        ("T5", "2026-11-25", 300_00, 1, 1, "funded", 0),
    ]
    assert (made["totals"]["payment_cents"], made["totals"]["waiting_cents"]) == (14_800_00, 400_00)
    assert [row["days_to_funding"] for row in made["rows"]] == [0, 0, None, 0, 0]
    assert [tie["books_total"] for tie in made["ties"]] == [14_800_00, 400_00]
    week = register(november, "835", "--from", "2026-11-04", "--to", "2026-11-10")
    assert picked(week, "trace_number") == [("T2",), ("T3",)]


def test_payouts_against_the_bank(november: Office) -> None:
    """16,000.00 left, the bank debited 15,700.00 of it in OUT1 and OUT2; A's last 300.00 are on their way."""
    made = register(november, "payouts", *MONTH)
    columns = ("owner", "released_on", "amount_cents", "settled_on", "bank_references", "outstanding_cents", "state")
    assert picked(made, *columns) == [
        (A.ncpdp_id, "2026-11-04", 10_000_00, "2026-11-05", "OUT1", 0, "settled"),
        (B.ncpdp_id, "2026-11-04", 2_500_00, "2026-11-05", "OUT1", 0, "settled"),
        (A.ncpdp_id, "2026-11-16", 2_000_00, "2026-11-18", "OUT2", 0, "settled"),
        (C.ncpdp_id, "2026-11-16", 1_200_00, "2026-11-18", "OUT2", 0, "settled"),
        (A.ncpdp_id, "2026-11-27", 300_00, None, None, 300_00, "in transit"),
    ]
    assert made["rows"][4]["days_outstanding"] == 3
    assert [tie["books_total"] for tie in made["ties"]] == [300_00, 16_000_00, 15_700_00, 0]
    # On the evening of the 17th the second file was still on its way; of these days were its release, not its debit.
    then = register(november, "payouts", "--from", "2026-11-10", "--to", "2026-11-17")
    assert picked(then, "amount_cents", "settled_cents", "outstanding_cents") == [
        (2_000_00, 0, 2_000_00),
        (1_200_00, 0, 1_200_00),
    ]


def test_what_is_owed_and_not_paid(november: Office) -> None:
    """C waits for T3's 400.00 and for 500.00 on hold, A for 300.00; on the 3rd, T1 was all that was owed."""
    made = register(november, "outstanding", *END)
    assert picked(made, "owner", "kind", "since", "days", "amount_cents") == [
        (C.ncpdp_id, "not funded", "2026-11-10", 20, 400_00),
        (C.ncpdp_id, "held", "2026-11-13", 17, 500_00),
        (A.ncpdp_id, "in transit", "2026-11-27", 3, 300_00),
    ]
    assert made["totals"]["amount_cents"] == 1_200_00
    then = register(november, "outstanding", "--as-of", "2026-11-03")
    assert picked(then, "owner", "kind", "amount_cents") == [
        (A.ncpdp_id, "available", 10_000_00),
        (B.ncpdp_id, "available", 2_500_00),
    ]
    assert picked(
        register(november, "outstanding", "--as-of", "2026-11-12"), "owner", "kind", "since", "amount_cents"
    ) == [
        (A.ncpdp_id, "available", "2026-11-09", 2_000_00),
        (C.ncpdp_id, "available", "2026-11-09", 1_700_00),
        (C.ncpdp_id, "not funded", "2026-11-10", 400_00),
    ]


def test_suspense_by_age(november: Office) -> None:
    """177.00 are nobody's yet and 12.00 unexplained: 100.00 for a week, the others for eleven days."""
    made = register(november, "suspense", *END)
    assert picked(made, "account", "item", "days", "to_7_cents", "to_30_cents") == [
        ("unmatched_debit", "STRANGE2", 11, 0, 12_00),
        ("unmatched_deposit", "STRANGE1", 11, 0, 77_00),
        ("unmatched_deposit", "OWN2", 7, 100_00, 0),
    ]
    assert [tie["books_total"] for tie in made["ties"]] == [177_00, 12_00]
    later = register(november, "suspense", "--as-of", "2027-02-18")["totals"]
    assert (later["to_90_cents"], later["over_90_cents"]) == (100_00, 89_00)
    assert register(november, "suspense", "--as-of", "2026-12-20")["totals"]["to_60_cents"] == 89_00


def test_negatives_and_advances(november: Office) -> None:
    """The float stood in with 3,100.00 for B since the 9th, and got 1,000.00 back; 2,100.00 are still out."""
    made = register(november, "negatives", *MONTH)
    columns = ("owner", "since", "days", "opening_cents", "advanced_cents", "recovered_cents", "closing_cents")
    assert picked(made, *columns) == [(B.ncpdp_id, "2026-11-09", 21, 0, 3_100_00, 1_000_00, 2_100_00)]
    second = register(november, "negatives", "--from", "2026-11-10", "--to", "2026-11-30")
    assert picked(second, *columns[1:]) == [("2026-11-09", 21, 3_100_00, 0, 1_000_00, 2_100_00)]
    assert register(november, "negatives", "--from", "2026-11-01", "--to", "2026-11-08")["rows"] == []


def test_holds_with_their_authority(month: Office) -> None:
    """500.00 of C are held by the contract's clause; lifted in December, they are in November's register for ever."""
    before = register(month, "holds", *END)
    columns = ("owner", "kind", "authority", "limit_cents", "placed_on", "review_date", "state", "held_cents")
    assert picked(before, *columns) == [
        (C.ncpdp_id, "dispute", "contract, clause 7", 500_00, "2026-11-13", "2026-12-15", "active", 500_00)
    ]
    assert register(month, "holds", "--as-of", "2026-11-12")["rows"] == []
    asked = month.ask("holds", "lift", "1", "--reason", "proven", "--date", "2026-12-01")
    month.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER)
    assert register(month, "holds", *END)["rows"] == before["rows"]
    after = register(month, "holds", "--as-of", "2026-12-01")
    ended = ("state", "ended_on", "lift_asked_by", "lift_approved_by", "taken_cents", "held_cents")
    assert picked(after, *ended) == [("lifted", "2026-12-01", MAKER, CHECKER, 500_00, 0)]


def test_corrections(november: Office) -> None:
    """One reversal, a day after its original, asked by mary and approved by charles: 100.00 back and forth."""
    made = register(november, "corrections", *MONTH)
    columns = (
        "kind",
        "original_event",
        "original_on",
        "effective_on",
        "days_between",
        "reason",
        "asked_by",
        "approved_by",
    )
    assert picked(made, *columns) == [
        ("reversal", "float_deposited", "2026-11-23", "2026-11-24", 1, "sent by mistake", MAKER, CHECKER)
    ]
    assert picked(made, "original_cents", "amount_cents") == [(100_00, 100_00)]
    assert [tie["books_total"] for tie in made["ties"]] == [200_00, 200_00, 0]


def test_approvals(november: Office) -> None:
    """Seven were asked by mary and given by charles; 16,000.00 left under three of them; nobody approved his own."""
    made = register(november, "approvals", "--from", "2026-11-01", "--to", "2027-12-31")
    assert picked(made, "kind", "proposed_by", "decided_by", "decider_role", "state", "released_cents") == [
        (kind, MAKER, CHECKER, "approver", "approved", cents)
        for kind, cents in (
            ("limit", 0), ("float_deposit", 0), ("cycle", 12_500_00), ("cycle", 3_200_00), ("float_deposit", 0),
            ("reversal", 0), ("cycle", 300_00),
        )
    ]  # fmt: skip
    assert [(tie["register_total"], tie["books_total"]) for tie in made["ties"]] == [
        (16_000_00, 16_000_00),
        (0, 0),
        (0, 0),
    ]


def test_days_from_receipt_to_payment(november: Office) -> None:
    """T1 took two banking days; T2 six, for the 11th is none: both its payments are over the limit of five."""
    made = register(november, "payment-days", *MONTH)
    columns = ("owner", "trace_number", "ready_on", "settled_on", "days", "banking_days", "is_over")
    assert [row for row in picked(made, *columns) if row[3]] == [
        (A.ncpdp_id, "T1", "2026-11-03", "2026-11-05", 2, 2, False),
        (B.ncpdp_id, "T1", "2026-11-03", "2026-11-05", 2, 2, False),
        (A.ncpdp_id, "T2", "2026-11-09", "2026-11-18", 9, 6, True),
        (C.ncpdp_id, "T2", "2026-11-09", "2026-11-18", 9, 6, True),
    ]
    assert {(row["owner"], row["trace_number"]): row["state"] for row in made["rows"] if row["settled_on"] is None} == {
        (B.ncpdp_id, "T2"): "told, nothing to pay",
        (B.ncpdp_id, "T4"): "told, nothing to pay",
        (A.ncpdp_id, "T5"): "in transit",
    }
    figures = made["figures"]
    assert (figures["paid"], figures["waiting"], figures["over_limit"]) == (4, 1, 2)
    assert (figures["median_banking_days"], figures["p90_banking_days"], figures["most_banking_days"]) == (2, 6, 6)
    assert made["totals"]["amount_cents"] == 14_400_00


def test_users_and_bank_details(november: Office) -> None:
    """Four people with their roles, 28 transactions posted by two of them; nobody moved to another account."""
    made = register(november, "users", "--as-of", "2027-12-31")
    assert picked(made, "user_name", "role", "added_by", "transactions", "proposed", "decided") == [
        ("audrey", "auditor", MAKER, 0, 0, 0),
        (CHECKER, "approver", MAKER, 3, 0, 7),
        ("clara", "operator", MAKER, 0, 0, 0),
        (MAKER, "admin", MAKER, 25, 7, 0),
    ]
    assert register(november, "bank-details", *MONTH)["rows"] == []


def test_a_register_of_the_past_stays_as_it_was(month: Office) -> None:
    """Known at a checkpoint, every register and every test says the same whatever was posted since."""
    month.ask("ledger", "seal")
    size = str(month.ask("ledger", "checkpoints")["checkpoints"][0]["size"])
    before = {name: register(month, name, *_days(name), "--known-at", size) for name in RANGES | DAYS}
    tests = month.ask("audit", "tests", *MONTH, "--known-at", size, user=AUDITOR)
    # Dated back into November, as far as the open month takes it: without the checkpoint, November is another one.
    month.fund(remittance("T6", day(26), Part(C, (50_00,))))
    month.book(day(30), paid_out("OUT3", 300_00))
    month.match()
    asked = month.ask("holds", "lift", "1", "--reason", "proven", "--date", f"{day(30)}")
    month.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER)
    month.run("users", "add", "olga", "--role", "operator")
    month.ask("ledger", "seal")
    for name, made in before.items():
        assert register(month, name, *_days(name), "--known-at", size) == made, name
        assert made["known_at"]["size"] == int(size)
    assert month.ask("audit", "tests", *MONTH, "--known-at", size, user=AUDITOR) == tests
    assert len(register(month, "835", *MONTH)["rows"]) == 6
    assert register(month, "outstanding", *END)["rows"] != before["outstanding"]["rows"]


RANGES = {"835", "payouts", "negatives", "corrections", "approvals", "payment-days", "bank-details"}
DAYS = {"outstanding", "suspense", "holds", "users"}


def _days(name: str) -> tuple[str, ...]:
    return MONTH if name in RANGES else END


def test_every_register_is_listed_and_can_be_had_as_a_file(november: Office) -> None:
    """Each of the list is one to ask for, as a table, CSV, workbook and JSON; the file is its owner's alone."""
    listed = {each["name"] for each in november.ask("audit", "registers")["registers"]}
    assert listed == RANGES | DAYS | {"fees"}
    assert "fees register" in november.run("audit", "register", "fees", *MONTH, code=2).err
    for name in sorted(RANGES | DAYS):
        shown = november.run("audit", "register", name, *_days(name)).out
        assert "Agrees with the books" in shown
        for ending in ("csv", "xlsx", "json"):
            path = november.folder / f"{name}.{ending}"
            november.run("audit", "register", name, *_days(name), "--out", str(path))
            assert path.stat().st_mode & 0o777 == 0o600
            assert path.stat().st_size > 0
    lines = (november.folder / "835.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 6
    assert ",12500.00," in lines[1]


@pytest.mark.parametrize(
    "words",
    [
        ("audit", "register", "nothing", *MONTH),
        ("audit", "register", "835"),
        ("audit", "register", "835", "--from", "2026-11-30", "--to", "2026-11-01"),
        ("audit", "register", "holds", *MONTH),
        ("audit", "register", "holds", "--as-of", "tomorrow"),
        ("audit", "register", "835", *MONTH, "--format", "xlsx"),
        ("audit", "register", "835", *MONTH, "--known-at", "999999"),
        ("audit", "tests", "--from", "2026-12-01", "--to", "2026-11-01"),
        ("audit", "tests", "--list", "nothing"),
    ],
    ids=[
        "no register",
        "no days",
        "backwards",
        "days of a day",
        "no day",
        "workbook on screen",
        "no checkpoint",
        "tests backwards",
        "no test",
    ],
)
def test_a_question_that_makes_no_sense_is_said_to(november: Office, words: tuple[str, ...]) -> None:
    """It ends with 2 and a sentence, and no traceback."""
    outcome = november.run(*words, code=2)
    assert outcome.err.strip()
    assert "Traceback" not in outcome.err


def test_a_checkpoint_has_its_own_last_day(office: Office) -> None:
    """Asked without a day at a checkpoint of the 20th, it is as of the 20th, on whatever day somebody asks."""
    with connected(office.shell.database_url, Role.APP) as engine:
        size = str(Seal(partial(unit_of_work, engine), office.folder).seal().size)
    known = ("--known-at", size)
    assert register(office, "outstanding", *known)["to_on"] == "2026-11-20"
    assert register(office, "835", "--from", "2026-11-01", *known)["to_on"] == "2026-11-20"
    document = office.ask("audit", "tests", *known)
    assert (document["from"], document["to"]) == ("2026-01-01", "2026-11-20")


def test_the_journal_tests_of_the_month(november: Office) -> None:
    """28 transactions: nothing that must not be; what people decided stands by amount, every finding in a file."""
    document = november.ask("audit", "tests", *MONTH, user=AUDITOR)
    found = {each["name"]: each for each in document["tests"]}
    assert not document["fails"]
    assert found["weekend"]["looked_at"] == 28
    # The float's 5,000.00; what was held; the float's 100.00, and its reversal.
    assert [each["amount_cents"] for each in found["manual"]["first"]] == [5_000_00, 500_00, 100_00, 100_00]
    assert "sent by mistake" in found["manual"]["first"][3]["detail"]
    shown = november.run("audit", "tests", *MONTH).out
    assert all(name in shown for name in found)
    listed = november.run("audit", "tests", *MONTH, "--list", "manual").out
    assert "claims of May" in listed
    path = november.folder / "findings.csv"
    november.run("audit", "tests", *MONTH, "--out", str(path))
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert Counter(row["test"] for row in rows) == {
        name: each["found"] for name, each in found.items() if each["found"]
    }
    assert [row["amount"] for row in rows if row["test"] == "manual"] == ["5000.00", "500.00", "100.00", "100.00"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_must_not_be_ends_with_four(month: Office) -> None:
    """A cent put into a line as superuser: a test fails and a register disagrees, both with exit code 4."""
    assert not month.ask("audit", "tests", *MONTH)["fails"]
    with psycopg.connect(month.shell.database_url, options="-c search_path=centralpay") as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("""UPDATE line SET amount_cents = amount_cents + 1
            WHERE account = 'due_available' AND event = 'funded' AND effective_on = '2026-11-25'""")
    document = month.ask("audit", "tests", *MONTH, code=4)
    assert [each["name"] for each in document["tests"] if each["fails"]] == ["unbalanced", "trial_balance"]
    made = month.ask("audit", "register", "payment-days", *MONTH, code=4)
    assert [tie["difference"] for tie in made["ties"]] == [1]
    assert "NO" in month.run("audit", "register", "payment-days", *MONTH, code=4).out
