"""The rules of paying out: two people, one release, the exact set, the flat fee and nothing else, no broken books."""

import csv
import io
from datetime import date
from pathlib import Path

import pytest

from app.demo.pharmacies import Pharmacy
from ingest.encryption import load_keyring
from ingest.vault import Vault
from schemas.money import cents_from_text
from tests.support.bank import paid_out
from tests.support.looking import connect
from tests.support.office import AUDITOR, CHECKER, CLERK, MAKER, Office
from tests.support.trade import FEE_CENTS, A, B, C, Part, remittance

DAY = date(2026, 11, 20)


def _member(store: Pharmacy) -> str:
    """Give SQL for the member id of a pharmacy."""
    return f"(SELECT member_id FROM member_identifier WHERE kind = 'NCPDP' AND value = '{store.ncpdp_id}')"  # noqa: S608


def _account(store: Pharmacy) -> str:
    """Give SQL for the bank account id of a pharmacy."""
    return f"(SELECT bank_account_id FROM bank_account WHERE member_id = {_member(store)})"  # noqa: S608


def _owed(office: Office, amounts: dict[Pharmacy, int], trace: str = "OWED1") -> None:
    """Fund one advice that makes these amounts available."""
    office.fund(remittance(trace, DAY, *(Part(store, (cents,)) for store, cents in amounts.items())), day=DAY)


def _tamper(office: Office, table: str, change: str, where: str = "true") -> None:
    """Change stored rows as only a superuser with all triggers off could."""
    with connect(office.shell.database_url) as connection:
        connection.execute("SET session_replication_role = replica")
        changed = connection.execute(f"UPDATE {table} SET {change} WHERE {where}")  # noqa: S608 (our own words)
        assert changed.rowcount > 0


def _files(office: Office) -> dict[str, bytes]:
    """Give everything that releases left, by name: NACHA files, the members' 835s, the notices, the lists of both."""
    return {path.name: path.read_bytes() for path in sorted(office.out.rglob("*")) if path.is_file()}


# Two people ----------------------------------------------------------------------------------------------------------


def test_who_proposes_may_not_approve(office: Office) -> None:
    """Maker and checker differ, even where the maker is an admin: exit 5, the cycle stays proposed."""
    _owed(office, {A: 100_00})
    cycle_id = str(office.propose(DAY)["cycle_id"])
    assert "maker" in office.run("cycle", "approve", cycle_id, code=5).err
    assert office.ask("cycle", "show", cycle_id)["state"] == "proposed"
    assert office.ask("cycle", "approve", cycle_id, user=CHECKER)["state"] == "approved"


def test_what_is_not_approved_is_not_released(office: Office) -> None:
    """A proposed cycle, a rejected one and the float that nobody approved: exit 5, nothing leaves."""
    _owed(office, {A: 100_00})
    proposed = office.propose(DAY)
    office.release(proposed["cycle_id"], code=5)
    (asked,) = office.ask("approvals", "list")["approvals"]
    office.ask("approvals", "reject", str(asked["approval_id"]), "--reason", "wrong day", user=CHECKER)
    office.release(proposed["cycle_id"], code=5)
    assert office.ask("cycle", "show", str(proposed["cycle_id"]))["state"] == "void"
    assert _files(office) == {}


def test_own_money_needs_a_second_person(office: Office) -> None:
    """The maker may not approve the float; a decision is made once; the float moves only then."""
    office.put_in("OWN1", 500_00, date(2026, 11, 23))
    (approval,) = office.ask("approvals", "list", "--all")["approvals"]
    assert (approval["state"], approval["proposed_by"], approval["decided_by"]) == ("approved", MAKER, CHECKER)
    office.run("approvals", "approve", str(approval["approval_id"]), user=CHECKER, code=5)
    assert office.trial_balance()["house", "custody", "operating_float"] == -500_00


def test_roles_bound_what_a_user_may_do(office: Office) -> None:
    """A stranger may nothing, an auditor reads only, an operator proposes but does not approve or add users: exit 5."""
    _owed(office, {A: 100_00})
    propose = ("cycle", "propose", "--date", f"{DAY}")
    for user in ("nobody-we-know", AUDITOR):
        office.run(*propose, user=user, code=5)
        office.run("match", user=user, code=5)
        office.run("fees", "assess", "--month", "2026-11", user=user, code=5)
    office.run("ledger", "verify", user=AUDITOR)
    cycle_id = str(office.ask(*propose, user=CLERK)["cycle_id"])
    office.run("cycle", "approve", cycle_id, user=AUDITOR, code=5)
    office.run("users", "add", "friend", "--role", "admin", user=CLERK, code=5)
    # The admin who did not propose may approve.
    assert office.ask("cycle", "approve", cycle_id, user=MAKER)["state"] == "approved"


def test_as_goes_before_the_environment(office: Office) -> None:
    """``--as`` says who acts; else CENTRALPAY_USER; a name that is no user is refused as it was given."""
    assert CLERK in office.run("match", "--as", f"{CLERK}x", user=MAKER, code=5).err
    office.run("match", "--as", CLERK, user="nobody-we-know")
    assert "nobody-we-know" in office.run("match", user="nobody-we-know", code=5).err


# The exact set, once -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["amount_cents = amount_cents - 1", f"bank_account_id = {_account(B)}"])
def test_the_approval_binds_the_exact_set(office: Office, change: str) -> None:
    """One cent off an approved payout, or B's account in A's, behind the triggers' backs: exit 5, nothing leaves."""
    _owed(office, {A: 100_00, B: 100_00})
    cycle_id = office.approved(DAY)
    before = office.trial_balance()
    _tamper(office, "payout", change, f"member_id = {_member(A)}")
    office.release(cycle_id, code=5)
    assert office.trial_balance() == before
    assert _files(office) == {}


def test_a_changed_set_is_not_approved(office: Office) -> None:
    """What changed between proposal and approval is not approved: exit 5."""
    _owed(office, {A: 100_00})
    cycle_id = str(office.propose(DAY)["cycle_id"])
    _tamper(office, "payout", "amount_cents = amount_cents - 1")
    office.run("cycle", "approve", cycle_id, user=CHECKER, code=5)


def test_releasing_again_pays_nothing_twice(office: Office) -> None:
    """A second release gives the same document and the same bytes, and posts nothing."""
    _owed(office, {A: 300_00, B: 100_00})
    cycle_id = office.approved(DAY)
    first = office.release(cycle_id)
    files, balances = _files(office), office.trial_balance()
    assert office.release(cycle_id) == first
    assert (_files(office), office.trial_balance()) == (files, balances)
    assert first["total_cents"] == 400_00
    office.prove()


def test_two_releases_at_once_pay_once(office: Office) -> None:
    """Two processes release the same cycle at the same time: both give the same result, the money leaves once."""
    _owed(office, {A: 300_00, B: 100_00})
    words = ("cycle", "release", str(office.approved(DAY)), "--out", str(office.out), "--json")
    processes = [office.shell.start(words, user=MAKER) for _ in range(2)]
    ends = [(process.communicate(timeout=60), process.returncode) for process in processes]
    assert [code for _, code in ends] == [0, 0], ends
    assert ends[0][0][0] == ends[1][0][0]
    balances = office.trial_balance()
    assert -balances[A.ncpdp_id, "custody", "in_transit"] == 300_00
    assert -balances[B.ncpdp_id, "custody", "in_transit"] == 100_00
    assert sorted(Path(name).suffix for name in _files(office)) == [*[".835"] * 2, ".ach", *[".csv"] * 2, *[".pdf"] * 2]
    office.prove()


def test_a_balance_that_fell_drops_its_payout(office: Office) -> None:
    """A owes a cent back after approval: A's payout is dropped with a reason and an exception, B's leaves unchanged."""
    office.put_in("OWN1", 500_00, date(2026, 11, 19))
    _owed(office, {A: 300_00, B: 100_00})
    cycle_id = office.approved(DAY)
    office.remit(remittance("TAKEN1", DAY, Part(A, (-1,)), Part(C, (1,))))
    assert len(office.match()["funded"]) == 1
    released = office.release(cycle_id)
    assert (released["payouts"], released["total_cents"]) == (1, 100_00)
    (dropped,) = released["dropped"]
    assert dropped["ncpdp_id"] == A.ncpdp_id
    assert "fell" in dropped["reason"]
    assert office.cases()["payout_dropped", f"cycle {cycle_id} {A.ncpdp_id}"] == 300_00
    states = {each["ncpdp_id"]: each["state"] for each in office.ask("cycle", "show", str(cycle_id))["payouts"]}
    assert states == {A.ncpdp_id: "excluded", B.ncpdp_id: "released"}
    office.prove()


def test_a_broken_book_keeps_its_payout_back(office: Office) -> None:
    """A proof that fails for A's book drops A's payout; B, whose book is whole, is paid."""
    _owed(office, {A: 300_00, B: 100_00})
    cycle_id = office.approved(DAY)
    more = "debit_cents = debit_cents + 1, credit_cents = credit_cents + 1"
    _tamper(office, "balance", more, f"account = 'due_available' AND owner_id = {_member(A)}")
    released = office.release(cycle_id)
    (dropped,) = released["dropped"]
    assert dropped["ncpdp_id"] == A.ncpdp_id
    assert "proof" in dropped["reason"]
    assert released["total_cents"] == 100_00
    verdicts = {each["id"]: each["holds"] for each in office.ask("ledger", "verify", code=4)["proofs"]}
    assert [name for name, holds in verdicts.items() if not holds] == ["P10"]


def test_a_broken_whole_stops_everything(office: Office) -> None:
    """When the books and the bank differ by a cent nobody is paid: exit 4, and the reason names the proof."""
    _owed(office, {A: 300_00, B: 100_00})
    cycle_id = office.approved(DAY)
    _tamper(office, "bank_statement", "closing_cents = closing_cents - 1")
    before = office.trial_balance()
    assert "P4" in office.run("cycle", "release", str(cycle_id), "--out", str(office.out), code=4).err
    assert office.trial_balance() == before
    assert _files(office) == {}


# The fee and the members left out ------------------------------------------------------------------------------------


def test_the_fee_is_taken_whole_or_not_at_all(office: Office) -> None:
    """A pays its fee out of more; B has exactly the fee and gets nothing; C has a cent less and is paid without it."""
    office.ask("fees", "assess", "--month", "2026-11")
    _owed(office, {A: FEE_CENTS + 1, B: FEE_CENTS, C: FEE_CENTS - 1})
    cycle = office.propose(DAY)
    amounts = {each["ncpdp_id"]: (each["amount_cents"], each["fee_cents"]) for each in cycle["payouts"]}
    assert amounts == {A.ncpdp_id: (1, FEE_CENTS), C.ncpdp_id: (FEE_CENTS - 1, 0)}
    (taken,) = [each for each in cycle["omitted"] if each["ncpdp_id"] == B.ncpdp_id]
    assert taken["reason"] == "fee_takes_all"
    office.ask("cycle", "approve", str(cycle["cycle_id"]), user=CHECKER)
    released = office.release(cycle["cycle_id"])
    assert (released["payouts"], released["total_cents"], released["fee_cents"]) == (2, FEE_CENTS, 2 * FEE_CENTS)
    balances = office.trial_balance()
    assert balances["house", "custody", "operating_float"] == -2 * FEE_CENTS
    assert balances[C.ncpdp_id, "operating", "fee_receivable"] == FEE_CENTS
    office.prove()


def test_fees_are_assessed_once(office: Office) -> None:
    """Every member is assessed, idle ones too; asking again assesses nobody."""
    assert office.ask("fees", "assess", "--month", "2026-11")["members"] == 3
    again = office.ask("fees", "assess", "--month", "2026-11")
    assert (again["month"], again["members"], again["amount_cents"]) == ("2026-11", 0, 0)


def test_members_left_out_are_listed_apart(office: Office) -> None:
    """A negative member and one with nothing are no payouts; they are listed with the reason."""
    office.put_in("OWN1", 500_00, date(2026, 11, 19))
    office.fund(remittance("NEG1", DAY, Part(A, (400_00,)), Part(B, (-300_00,))))
    cycle = office.propose(DAY)
    assert [each["ncpdp_id"] for each in cycle["payouts"]] == [A.ncpdp_id]
    reasons = {each["ncpdp_id"]: (each["available_cents"], each["reason"]) for each in cycle["omitted"]}
    assert reasons[B.ncpdp_id] == (-300_00, "negative")
    assert office.cases() == {("negative_member", B.ncpdp_id): 300_00}


def test_nothing_to_pay_is_said(office: Office) -> None:
    """A day on which nothing is available has no cycle: exit 5 with the reason."""
    assert "Nothing is available" in office.run("cycle", "propose", "--date", f"{DAY}", code=5).err


def test_a_cycle_takes_what_is_effective_by_its_day(office: Office) -> None:
    """Money of the 23rd is not in the cycle of the 20th."""
    _owed(office, {A: 100_00})
    office.fund(remittance("LATER1", date(2026, 11, 23), Part(A, (11_00,)), Part(B, (22_00,))))
    cycle = office.propose(DAY)
    assert [(each["ncpdp_id"], each["amount_cents"]) for each in cycle["payouts"]] == [(A.ncpdp_id, 100_00)]


# Statements ----------------------------------------------------------------------------------------------------------


def _month_of_business(office: Office) -> None:
    office.ask("fees", "assess", "--month", "2026-11")
    parts = Part(A, (900_00, -50_00), (("WO", 30_00),)), Part(B, (80_00,))
    office.fund(remittance("MONTH1", date(2026, 11, 17), *parts))
    office.pay(date(2026, 11, 18))
    office.fund(remittance("MONTH2", date(2026, 11, 19), Part(A, (70_00,))))
    office.remit(remittance("MONTH3", DAY, Part(A, (5_00,))))


def test_a_statement_foots_as_json(office: Office) -> None:
    """Opening, each advice with the payer's adjustments, the fee, the payout, closing: it adds up to the cent."""
    _month_of_business(office)
    words = ("statement", "--member", A.ncpdp_id, "--from", "2026-11-01", "--to", "2026-11-30")
    made = office.ask(*words)
    assert (made["opening_cents"], made["closing_cents"]) == (0, 75_00)
    assert (made["available_cents"], made["awaiting_payer_cents"], made["held_cents"]) == (70_00, 5_00, 0)
    assert [each["amount_cents"] for each in made["advices"]] == [820_00, 70_00, 5_00]
    (adjustment,) = made["advices"][0]["adjustments"]
    assert (adjustment["reason"], adjustment["amount_cents"]) == ("WO", -30_00)
    assert "not by us" in adjustment["label"]
    assert {each["event"]: each["amount_cents"] for each in made["movements"]} == {
        "fee_collected": -FEE_CENTS,
        "payout_released": -620_00,
    }
    assert made["retained_cents"] == FEE_CENTS
    later = office.ask("statement", "--member", A.ncpdp_id, "--from", "2026-11-19", "--to", "2026-11-30")
    assert (later["opening_cents"], later["closing_cents"]) == (0, 75_00)
    # The member id names the same book as the NCPDP id.
    assert office.ask(*words[:2], made["member_id"], *words[3:]) == made


def test_a_statement_foots_as_csv(office: Office) -> None:
    """The CSV's amounts run from the opening to the closing balance, row by row."""
    _month_of_business(office)
    path = office.folder / "statement.csv"
    words = ("--member", A.ncpdp_id, "--from", "2026-11-01", "--to", "2026-11-30", "--format", "csv")
    office.run("statement", *words, "--out", str(path))
    with path.open(newline="") as stream:
        opening, *rows, closing, known = csv.DictReader(stream)
    balance = cents_from_text(opening["balance"])
    for row in rows:
        balance += cents_from_text(row["amount"])
        assert balance == cents_from_text(row["balance"])
    assert (balance, len(rows)) == (cents_from_text(closing["balance"]), 6)
    assert balance == 75_00
    assert known["entry"].startswith("as known at checkpoint ")
    # On the screen nothing is given out, so nothing is pinned.
    shown = office.run("statement", *words).out
    assert list(csv.reader(io.StringIO(shown))) == list(csv.reader(io.StringIO(path.read_text())))[:-1]
    assert path.stat().st_mode & 0o077 == 0


def test_an_issued_statement_keeps_its_bytes(office: Office) -> None:
    """What was given out is in the vault as it was, by its hash, even when the same range says more later."""
    _month_of_business(office)
    path = office.folder / "statement.csv"
    words = ("--member", A.ncpdp_id, "--from", "2026-11-01", "--to", "2026-11-30", "--format", "csv")
    office.run("statement", *words, "--out", str(path))
    issued = path.read_bytes()
    office.remit(remittance("MONTH4", DAY, Part(A, (1_00,))))
    office.run("statement", *words, "--out", str(path))
    assert path.read_bytes() != issued
    with connect(office.shell.database_url) as connection:
        rows = connection.execute(
            "SELECT detail ->> 'sha256' FROM activity WHERE action = 'statement_issued'"
        ).fetchall()
    keyring = load_keyring(environment_key=None, key_file=None, home_keys=office.shell.home / "keys")
    kept = []
    for (sha256,) in rows:
        with Vault(office.shell.home / "vault", keyring).open(str(sha256)) as stream:
            kept.append(stream.read())
    assert kept == [issued, path.read_bytes()]
    directory = office.folder / "statement.json"
    directory.mkdir()
    assert "Is a directory" in office.run("statement", *words, "--out", str(directory), code=2).err


# What is sent --------------------------------------------------------------------------------------------------------


def test_the_file_pays_what_was_approved(office: Office, tmp_path: Path) -> None:
    """Each payout is one CCD entry with a TRN addendum to the roster's account; the file's total is the cycle's."""
    _owed(office, {A: 300_00, B: 100_00})
    cycle_id = office.approved(DAY)
    released = office.ask("cycle", "release", str(cycle_id), "--out", str(tmp_path))
    assert released["effective_date"] == "2026-11-23"
    path = Path(released["nacha_file"])
    assert path.stat().st_mode & 0o077 == 0
    lines = path.read_text("ascii").splitlines()
    assert {len(line) for line in lines} == {94}
    entries = [line for line in lines if line.startswith("6")]
    paid = {line[12:29].strip(): int(line[29:39]) for line in entries}
    assert paid == {A.account_number: 300_00, B.account_number: 100_00}
    assert {line[3:12] for line in entries} == {str(A.routing), str(B.routing)}
    assert sum(line.startswith("705TRN*1*") for line in lines) == 2
    (batch,) = (line for line in lines if line.startswith("5"))
    assert (batch[50:53], batch[69:75]) == ("CCD", "261123")
    control = next(line for line in lines if line.startswith("9") and set(line) != {"9"})
    assert int(control[43:55]) == 400_00


def test_a_cycle_settles_by_its_exact_total(office: Office) -> None:
    """A debit that is a cent off settles nothing; the exact total does."""
    _owed(office, {A: 300_00})
    office.pay(DAY)
    office.book(date(2026, 11, 23), paid_out("OUT1", 299_99))
    assert office.match()["settled"] == []
    office.book(date(2026, 11, 24), paid_out("OUT2", 300_00))
    assert [each["amount_cents"] for each in office.match()["settled"]] == [300_00]
    assert office.trial_balance()["house", "custody", "unmatched_debit"] == 299_99


def test_an_unexplained_debit_stops_releases(office: Office) -> None:
    """While the float does not cover a debit that nobody explained, nothing leaves: exit 5; explained, it leaves."""
    office.put_in("OWN1", 10_00, date(2026, 11, 19))
    _owed(office, {A: 300_00})
    office.book(DAY, paid_out("ODD1", 10_01))
    cycle_id = office.approved(DAY)
    assert "float" in office.run("cycle", "release", str(cycle_id), "--out", str(office.out), code=5).err
    assert _files(office) == {}
    office.put_in("OWN2", 1, DAY)
    assert office.release(cycle_id)["total_cents"] == 300_00
    office.prove()


def test_a_number_that_nothing_has_is_a_sentence(office: Office) -> None:
    """A number larger than any in the database is wrong use, said in a sentence, whichever command is asked."""
    for words in (("returns", "close", "9" * 23, "--reason", "x"), ("cycle", "show", "9" * 23)):
        outcome = office.run(*words, code=2)
        assert "Traceback" not in outcome.err
